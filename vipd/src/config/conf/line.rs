//! A line of keepalived.conf whose text may have been put together from several places, and where each part came from.

use std::ops::Range;

use super::super::source::Span;

/// A line without its comment.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    text: String,
    pieces: Vec<Piece>,
}

/// Where a part of a line came from.
#[derive(Clone, Copy, Debug)]
struct Piece {
    /// Where the part begins in the line.
    at: usize,
    origin: Span,
    /// The part stands in the file as it is; otherwise it was put in there.
    literal: bool,
}

impl Line {
    /// The part of a file that begins at `start`.
    pub(super) fn literal(text: &str, start: usize) -> Self {
        let mut line = Self::default();
        line.push_literal(text, start);
        line
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// Where a part of the line came from.
    pub(super) fn span(&self, part: Range<usize>) -> Span {
        let start = self.origin(part.start);
        if part.end <= part.start {
            return Span { start: start.start, end: start.start };
        }
        let last = self.origin(part.end - 1);
        if last.start < start.start { start } else { start.to(last) }
    }

    /// Where the octet at `at` came from.
    fn origin(&self, at: usize) -> Span {
        let after = self.pieces.partition_point(|piece| piece.at <= at);
        let Some(piece) = after.checked_sub(1).and_then(|index| self.pieces.get(index)) else {
            return Span::default();
        };
        if !piece.literal {
            return piece.origin;
        }
        let start = piece.origin.start + (at - piece.at);
        Span { start, end: start + 1 }
    }

    pub(super) fn push_literal(&mut self, text: &str, start: usize) {
        let origin = Span { start, end: start + text.len() };
        self.pieces.push(Piece { at: self.text.len(), origin, literal: true });
        self.text.push_str(text);
    }

    /// Adds text in place of what stands at `origin`.
    pub(super) fn push_put_in(&mut self, text: &str, origin: Span) {
        self.pieces.push(Piece { at: self.text.len(), origin, literal: false });
        self.text.push_str(text);
    }

    /// Adds a part of another line, with its origin.
    pub(super) fn push(&mut self, other: &Self, part: Range<usize>) {
        let mut at = part.start;
        while at < part.end {
            let next = other.pieces.iter().map(|piece| piece.at).find(|next| *next > at);
            let end = next.unwrap_or(part.end).min(part.end);
            let text = &other.text[at..end];
            let after = other.pieces.partition_point(|piece| piece.at <= at);
            match other.pieces.get(after.wrapping_sub(1)) {
                Some(piece) if piece.literal => self.push_literal(text, piece.origin.start + (at - piece.at)),
                Some(piece) => self.push_put_in(text, piece.origin),
                None => {}
            }
            at = end;
        }
    }

    /// The line up to `end`.
    pub(super) fn until(&self, end: usize) -> Self {
        let mut part = Self::default();
        part.push(self, 0..end);
        part
    }

    /// The line from `at` on.
    pub(super) fn from(&self, at: usize) -> Self {
        let mut rest = Self::default();
        rest.push(self, at..self.text.len());
        rest
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::source::Span;
    use super::Line;

    #[test]
    fn a_part_that_was_put_in_points_where_it_was_put_in() {
        let mut line = Line::literal("priority ", 100);
        line.push_put_in("255", Span { start: 109, end: 112 });
        line.push_literal("0 x", 112);

        let span = |from, to| {
            let Span { start, end } = line.span(from..to);
            (start, end)
        };

        assert_eq!((line.text(), span(0, 8)), ("priority 2550 x", (100, 108)));
        assert_eq!((span(9, 12), span(10, 11), span(9, 13)), ((109, 112), (109, 112), (109, 113)));
        assert_eq!(span(14, 15), (114, 115));
        let Span { start, end } = line.from(10).span(0..2);
        assert_eq!((start, end), (109, 112));
    }
}
