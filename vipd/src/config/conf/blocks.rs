//! keepalived.conf as a tree: lines of words, some of which own a block of further lines.

use super::super::diagnostic::Findings;
use super::super::source::Span;
use super::lex::{Token, Word};

/// A line of the file, with its block if it owns one.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// The first word.
    pub(super) keyword: Word,
    /// The words after it.
    pub(super) words: Vec<Word>,
    pub(super) block: Option<Vec<Self>>,
}

impl Node {
    fn new(words: Vec<Word>) -> Option<Self> {
        let mut words = words.into_iter();
        words.next().map(|keyword| Self { keyword, words: words.collect(), block: None })
    }

    /// The line, without its block.
    pub(super) fn span(&self) -> Span {
        self.keyword.span.to(self.words.last().map_or(self.keyword.span, |word| word.span))
    }
}

/// Deepest nesting of blocks; Keepalived's own language needs five.
const DEEPEST: usize = 16;

/// A block that has not been closed yet.
struct Open {
    owner: Node,
    /// What stands around it.
    around: Vec<Node>,
}

/// Builds the tree. `None` where braces do not match, which is reported: what belongs where is then a guess, and to
/// judge the guess would only add misleading errors. `is_root_block` tells keywords that open a block outside of every
/// other one; where such a keyword stands inside of one, a brace is missing before it.
pub(super) fn parse(
    tokens: Vec<Token>,
    is_root_block: impl Fn(&str) -> bool,
    findings: &mut Findings,
) -> Option<Vec<Node>> {
    let mut parser = Parser { open: Vec::new(), nodes: Vec::new(), line: Vec::new(), matched: true };
    for token in tokens {
        match token {
            Token::Word(word) => parser.line.push(word),
            Token::LineEnd => parser.end_line(),
            Token::Open(span) => parser.open(span, &is_root_block, findings)?,
            Token::Close(span) => parser.close(span, findings),
        }
    }
    parser.end_line();
    while !parser.open.is_empty() {
        parser.unclosed("add the missing `}` at its end", findings);
    }
    parser.matched.then_some(parser.nodes)
}

struct Parser {
    open: Vec<Open>,
    /// The lines of the innermost block so far.
    nodes: Vec<Node>,
    /// The words of the line so far.
    line: Vec<Word>,
    matched: bool,
}

impl Parser {
    fn end_line(&mut self) {
        self.nodes.extend(Node::new(std::mem::take(&mut self.line)));
    }

    /// Opens the block of this line, or of the line before where the brace stands alone. `None` to give up.
    fn open(
        &mut self,
        brace: Span,
        is_root_block: impl Fn(&str) -> bool,
        findings: &mut Findings,
    ) -> Option<()> {
        self.end_line();
        let Some(owner) = self.nodes.pop_if(|node| node.block.is_none()) else {
            findings.error(brace, "this block has no name", "write a keyword before the `{`, or remove it");
            return None;
        };
        if is_root_block(&owner.keyword.text) {
            let line = findings.sources.line(owner.keyword.span.start);
            while !self.open.is_empty() {
                self.unclosed(&format!("add the missing `}}` before line {line}"), findings);
            }
        }
        if self.open.len() == DEEPEST {
            findings.error(owner.span(), "blocks are nested too deeply", "close the blocks before this one");
            return None;
        }
        self.open.push(Open { owner, around: std::mem::take(&mut self.nodes) });
        Some(())
    }

    fn close(&mut self, brace: Span, findings: &mut Findings) {
        self.end_line();
        if self.open.is_empty() {
            self.matched = false;
            findings.error(brace, "this `}` closes nothing", "remove it, or add the missing `{` before it");
        } else {
            self.leave();
        }
    }

    /// Reports that the innermost block is never closed, and leaves it.
    fn unclosed(&mut self, help: &str, findings: &mut Findings) {
        self.matched = false;
        if let Some(open) = self.open.last() {
            findings.error(open.owner.span(), "this block is never closed", help);
        }
        self.leave();
    }

    fn leave(&mut self) {
        if let Some(Open { mut owner, around }) = self.open.pop() {
            owner.block = Some(std::mem::replace(&mut self.nodes, around));
            self.nodes.push(owner);
        }
    }
}
