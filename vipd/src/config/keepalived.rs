//! keepalived.conf, from the tree to the draft.

use super::diagnostic::Findings;
use super::draft::{Draft, InstanceDraft, Language, List, Text, set_option};
use super::keywords::{self, Scope};
use super::lex::{self, Quotes, Word};
use super::model::VirtualAddress;
use super::source::At;
use super::tree::{self, Node};
use super::unused::Unused;
use super::values::{self, Checked, Refusal, quoted};

/// Reads the text of `findings`. `None` where its braces do not match, which is reported.
pub(super) fn read(findings: &mut Findings<'_>) -> Option<Draft> {
    let tokens = lex::lex(findings.source.text(), findings);
    let nodes = tree::parse(&tokens, keywords::is_root_block, findings)?;
    let mut defined = Vec::new();
    collect_definitions(&nodes, &mut defined);
    let mut reader = Reader { findings, defined, unused: Unused::default() };
    let mut draft = Draft::new(Language::Keepalived);
    for node in &nodes {
        match node.keyword.text {
            "global_defs" => reader.global_defs(node, &mut draft),
            "vrrp_instance" => draft.instances.push(reader.instance(node)),
            _ => reader.other(node.keyword, Scope::Root),
        }
    }
    reader.unused.report(reader.findings);
    Some(draft)
}

/// Names of `$NAME=VALUE` lines, wherever they stand.
fn collect_definitions<'a>(nodes: &[Node<'a>], names: &mut Vec<&'a str>) {
    for node in nodes {
        let definition = node.keyword.text.strip_prefix('$').and_then(|rest| rest.split_once('='));
        names.extend(definition.map(|(name, _)| name));
        collect_definitions(node.block.as_deref().unwrap_or_default(), names);
    }
}

struct Reader<'f, 'a> {
    findings: &'f mut Findings<'a>,
    defined: Vec<&'a str>,
    unused: Unused<'a>,
}

impl<'a> Reader<'_, 'a> {
    fn global_defs(&mut self, node: &Node<'a>, draft: &mut Draft) {
        for line in self.block(node).unwrap_or_default() {
            let text = self.value(line);
            let At { value, span } = text.clone();
            let keyword = line.keyword.text;
            match keyword {
                "router_id" => {
                    draft.router_id.set(keyword, span, value.and_then(values::name), self.findings);
                }
                "vrrp_version" => {
                    draft.version.set(keyword, span, value.and_then(values::version), self.findings);
                }
                _ if keyword.starts_with("vrrp_garp_") && draft.garp.set(keyword, &text, self.findings) => {}
                _ => {
                    self.other(line.keyword, Scope::Global);
                    continue;
                }
            }
            self.nothing_behind(line, 1);
        }
    }

    fn instance(&mut self, node: &Node<'a>) -> InstanceDraft {
        let Some(lines) = self.block(node) else { return InstanceDraft::refused(node.span()) };
        let mut draft = InstanceDraft { span: node.span(), ..InstanceDraft::default() };
        let At { value, span } = self.word_behind(node.keyword, node.words.first());
        draft.name.set("vrrp_instance", span, value.and_then(values::name), self.findings);
        self.nothing_behind(node, 1);
        for line in lines {
            self.instance_line(line, &mut draft);
        }
        draft
    }

    fn instance_line(&mut self, line: &Node<'a>, draft: &mut InstanceDraft) {
        let keyword = line.keyword.text;
        match keyword {
            "authentication" => self.authentication(line, draft),
            "virtual_ipaddress" => {
                for line in self.list(line, &mut draft.addresses) {
                    self.address(line, draft);
                }
            }
            "unicast_peer" => {
                for line in self.list(line, &mut draft.peers) {
                    self.peer(line, draft);
                }
            }
            "preempt" | "nopreempt" => {
                draft.preempt.set("preempt", line.span(), Ok(keyword == "preempt"), self.findings);
                self.nothing_behind(line, 0);
            }
            "state" => {
                let At { value, span } = self.value(line);
                draft.state.set(keyword, span, value.and_then(values::start_state), self.findings);
                self.nothing_behind(line, 1);
            }
            "auth_pass" => self.other(line.keyword, Scope::Instance),
            _ => {
                let text = self.value(line);
                if draft.set(keyword, &text, self.findings) {
                    self.nothing_behind(line, 1);
                } else {
                    self.other(line.keyword, Scope::Instance);
                }
            }
        }
    }

    fn authentication(&mut self, node: &Node<'a>, draft: &mut InstanceDraft) {
        for line in self.block(node).unwrap_or_default() {
            let text = self.value(line);
            match line.keyword.text {
                "auth_type" => {
                    let kind = text.value.and_then(values::auth_type);
                    draft.auth_type.set("auth_type", text.span, kind, self.findings);
                    self.nothing_behind(line, 1);
                }
                "auth_pass" => {
                    draft.set("auth_pass", &text, self.findings);
                    self.nothing_behind(line, 1);
                }
                // Whatever else stands here may be a password that lost its keyword (C-SEC-07).
                _ => {
                    self.findings.source.hide(line.span());
                    self.findings.warn(
                        line.keyword.span,
                        "this word means nothing in `authentication`; the line is ignored",
                        "write `auth_type PASS` and `auth_pass` with the password behind it",
                    );
                }
            }
        }
    }

    fn address(&mut self, line: &Node<'a>, draft: &mut InstanceDraft) {
        let span = line.keyword.span;
        let parsed = self.plain(line.keyword).and_then(values::virtual_address);
        let mut address = match parsed {
            Ok((ip, prefix)) => VirtualAddress {
                ip,
                prefix,
                dev: None,
                label: None,
                broadcast: None,
                scope: 0,
                no_track: false,
            },
            Err(refusal) => return draft.addresses.push(span, Err(refusal), self.findings),
        };
        let known = |word: &Word<'_>| keywords::is_known(Scope::Address, word.text);
        let mut words = line.words.iter();
        while let Some(word) = words.next() {
            if values::virtual_address(word.text).is_ok() {
                let refusal = Refusal::new(
                    format!("{} stands behind another address", quoted(word.text)),
                    "write one address on each line",
                );
                draft.addresses.push(word.span, Err(refusal), self.findings);
                continue;
            }
            if !known(word) || keywords::consequence(Scope::Address, word.text).is_some() {
                self.other(*word, Scope::Address);
                // Its own values are not words of ours.
                while words.as_slice().first().is_some_and(|next| !known(next)) {
                    words.next();
                }
                continue;
            }
            let At { value, span } = self.word_behind(*word, words.next());
            if let Some(Err(refusal)) = set_option(&mut address, word.text, value) {
                draft.addresses.push(span, Err(refusal), self.findings);
            }
        }
        draft.addresses.push(span, Ok(address), self.findings);
    }

    fn peer(&mut self, line: &Node<'a>, draft: &mut InstanceDraft) {
        let peer = self.plain(line.keyword).and_then(values::host);
        draft.peers.push(line.keyword.span, peer, self.findings);
        for word in line.words.iter().filter(|word| word.text.parse::<u8>().is_err()) {
            self.other(*word, Scope::Peer);
        }
    }

    /// The lines of a block that must be there.
    fn block<'n>(&mut self, node: &'n Node<'a>) -> Option<&'n [Node<'a>]> {
        if node.block.is_none() {
            let message = format!("`{}` has no block", node.keyword.text);
            self.findings.error(node.span(), message, "write `{` behind it and `}` after its last line");
        }
        node.block.as_deref()
    }

    /// The lines of a block that lists addresses. Lines of the language itself, such as conditions, are left out.
    fn list<'n, T>(&mut self, node: &'n Node<'a>, list: &mut List<T>) -> Vec<&'n Node<'a>> {
        list.given.get_or_insert(node.span());
        let Some(block) = self.block(node) else {
            list.refused = true;
            return Vec::new();
        };
        let mut lines = Vec::new();
        for line in block {
            if line.block.is_some() {
                let refusal =
                    Refusal::new("a list of addresses holds no blocks", "write one address on each line");
                list.push(line.span(), Err(refusal), self.findings);
            } else if line.keyword.text.starts_with('$') || keywords::language(line.keyword.text).is_none() {
                lines.push(line);
            } else {
                self.other(line.keyword, Scope::Root);
            }
        }
        lines
    }

    /// The value behind the keyword of a line.
    fn value(&self, line: &Node<'a>) -> Text<'a> {
        if line.block.is_some() {
            let message = format!("`{}` takes a value, not a block", line.keyword.text);
            let refusal = Refusal::new(message, "write the value behind it, on the same line");
            return At { value: Err(refusal), span: line.keyword.span };
        }
        self.word_behind(line.keyword, line.words.first())
    }

    fn word_behind(&self, keyword: Word<'a>, word: Option<&Word<'a>>) -> Text<'a> {
        let missing = || {
            let message = format!("`{}` needs a value", keyword.text);
            Refusal::new(message, "write it behind the keyword, on the same line")
        };
        match word {
            Some(word) => At { value: self.plain(*word), span: word.span },
            None => At { value: Err(missing()), span: keyword.span },
        }
    }

    /// The text of a word that stands for itself.
    fn plain(&self, word: Word<'a>) -> Checked<&'a str> {
        if word.quotes == Quotes::Single {
            let message = "single quotes would become part of this value";
            return Err(Refusal::new(message, "write it in double quotes, or without quotes"));
        }
        if self.uses_definition(word.text) {
            let message = "definitions (`$NAME`) are not put in yet";
            return Err(Refusal::new(message, "write the value itself"));
        }
        Ok(word.text)
    }

    /// Whether the word holds the name of something that Keepalived would put in; other dollar signs are plain text.
    fn uses_definition(&self, text: &str) -> bool {
        text.match_indices('$').any(|(at, _)| {
            let rest = &text[at + 1..];
            let name = match rest.strip_prefix('{') {
                Some(braced) => braced.split(['}', ' ']).next().unwrap_or_default(),
                None => rest,
            };
            self.defined.contains(&name) || rest.starts_with("{_")
        })
    }

    /// Warns where more than `count` words stand behind the keyword.
    fn nothing_behind(&mut self, line: &Node<'a>, count: usize) {
        if let (Some(first), Some(last)) = (line.words.get(count), line.words.last()) {
            let message = format!("what stands here behind `{}` is ignored", line.keyword.text);
            self.findings.warn(
                first.span.to(last.span),
                message,
                "remove it, or put it on a line of its own",
            );
        }
    }

    /// Warns of a word that vipd does not act on.
    fn other(&mut self, word: Word<'a>, scope: Scope) {
        if self.findings.is_full() {
            return;
        }
        let consequence = keywords::consequence(scope, word.text).map(|consequence| (word.text, consequence));
        if let Some((name, consequence)) = keywords::language(word.text).or(consequence) {
            return self.unused.note(name, word.span, consequence);
        }
        let (message, help) = match (keywords::home(word.text), keywords::nearest(scope, word.text)) {
            (Some(home), _) => (
                format!("`{}` means nothing in {}; it is ignored", word.text, scope.name()),
                format!("move it to {}", home.name()),
            ),
            (None, Some(nearest)) => (
                format!("{} is not a keyword; it is ignored", beginning(word.text)),
                format!("did you mean `{nearest}`?"),
            ),
            (None, None) => (
                format!("{} is not a keyword of {}; it is ignored", beginning(word.text), scope.name()),
                "remove it, or correct its spelling".to_owned(),
            ),
        };
        self.findings.warn(word.span, message, help);
    }
}

/// The part of an unknown word that can be a keyword: behind it, as in `auth_pass=...`, may stand a secret.
fn beginning(word: &str) -> String {
    let end = word.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '-').unwrap_or(word.len());
    if end == 0 { "this word".to_owned() } else { quoted(&word[..end]) }
}
