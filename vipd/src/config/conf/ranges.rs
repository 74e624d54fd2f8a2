//! Lines that are repeated: `~SEQ(name, start, step, end) ...`, `~SEQx(...)` and `~LST(name, value, ...) ...`.

use super::super::diagnostic::Findings;
use super::line::Line;

/// Most repetitions of one line.
const MOST: i64 = 100_000;

/// A line that is to be repeated, with the names to define and their values, turn by turn.
pub(super) struct Repeated {
    pub(super) names: Vec<String>,
    pub(super) values: Vec<Vec<String>>,
    pub(super) rest: Line,
    /// Where the repetition stands.
    pub(super) origin: usize,
}

/// The repetition that the line begins with. One that cannot be understood is reported, and repeats nothing.
pub(super) fn first(line: &Line, findings: &mut Findings) -> Option<Repeated> {
    let text = line.text();
    let begin = text.len() - text.trim_start().len();
    let head = ["~SEQx(", "~SEQ(", "~LST("].into_iter().find(|head| text[begin..].starts_with(head))?;
    let open = begin + head.len();
    let close = text[open..].find(')').map(|length| open + length);
    let arguments = close.and_then(|close| match head {
        "~LST(" => list(&text[open..close]),
        _ => sequence(&text[open..close], head == "~SEQx("),
    });
    let (names, values) = arguments.unwrap_or_else(|| {
        let help = "write `~SEQ(NAME, first, step, last)` or `~LST(NAME, value, value)` before the line";
        findings.error(
            line.span(begin..close.map_or(text.len(), |close| close + 1)),
            "this is no range",
            help,
        );
        Default::default()
    });
    let rest = line.from(close.map_or(text.len(), |close| close + 1));
    Some(Repeated { names, values, rest, origin: line.span(begin..begin + 1).start })
}

/// `name, start, step, end`, of which step, or start and step, may be left out.
fn sequence(arguments: &str, hexadecimal: bool) -> Option<(Vec<String>, Vec<Vec<String>>)> {
    let mut words = arguments.split(',').map(str::trim);
    let name = words.next().filter(|name| !name.is_empty())?;
    let numbers: Vec<i64> = words.map(number).collect::<Option<_>>()?;
    let towards = |from: i64, to: i64| if to < from { -1 } else { 1 };
    let (start, step, end) = match *numbers.as_slice() {
        [end] if end > 0 => (1, 1, end),
        [end] => (-1, -1, end),
        [start, end] => (start, towards(start, end), end),
        [start, step, end] => (start, step, end),
        _ => return None,
    };
    if step == 0 || end.checked_sub(start)?.checked_div(step)? > MOST {
        return None;
    }
    let mut values = Vec::new();
    let mut value = start;
    while if step > 0 { value <= end } else { value >= end } {
        values.push(vec![if hexadecimal { format!("{value:x}") } else { value.to_string() }]);
        value = value.checked_add(step)?;
    }
    Some((vec![name.to_owned()], values))
}

fn number(text: &str) -> Option<i64> {
    match text.strip_prefix("0x") {
        Some(hexadecimal) => i64::from_str_radix(hexadecimal, 16).ok(),
        None => text.parse().ok(),
    }
}

/// `name, value, ...`, or `{name, name}, {value, value}, ...`.
fn list(arguments: &str) -> Option<(Vec<String>, Vec<Vec<String>>)> {
    let words = |text: &str| text.split(',').map(|word| word.trim().to_owned()).collect::<Vec<_>>();
    let mut tuples = Vec::new();
    let mut rest = arguments.trim_start();
    while !rest.is_empty() {
        let (tuple, after) = if let Some(braced) = rest.strip_prefix('{') {
            let (tuple, after) = braced.split_once('}')?;
            (words(tuple), after.trim_start())
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            (vec![rest[..end].trim().to_owned()], &rest[end..])
        };
        tuples.push(tuple);
        rest = match after.strip_prefix(',') {
            Some(more) => more.trim_start(),
            None if after.is_empty() => after,
            None => return None,
        };
    }
    let names = if tuples.len() > 1 { tuples.remove(0) } else { return None };
    let fits = tuples.iter().all(|values| values.len() == names.len());
    (fits && names.iter().all(|name| !name.is_empty())).then_some((names, tuples))
}

#[cfg(test)]
mod tests {
    use super::{list, sequence};

    #[test]
    fn a_sequence_has_start_and_step_where_they_are_not_given() {
        for (arguments, hexadecimal, expected) in [
            ("A, 0, 3", false, vec!["0", "1", "2", "3"]),
            ("A, 3", false, vec!["1", "2", "3"]),
            ("A, 168, 2, 172", false, vec!["168", "170", "172"]),
            ("A, 2, 0", false, vec!["2", "1", "0"]),
            ("A, 0x90, 0x10, 0xc0", true, vec!["90", "a0", "b0", "c0"]),
        ] {
            let (names, values) = sequence(arguments, hexadecimal).expect("a range");
            assert_eq!(
                (names, values.concat()),
                (vec!["A".to_owned()], expected.iter().map(ToString::to_string).collect())
            );
        }
        for wrong in ["A", "A, 1, 0, 2", "A, x", "A, 1, 1, 9999999999", ", 1, 2"] {
            assert!(sequence(wrong, false).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_list_gives_each_name_its_value_turn_by_turn() {
        let (names, values) = list("{IP, IP1}, {10,1},{20, 4}").expect("a list");
        assert_eq!(
            (names.join(" "), values.concat().join(" ")),
            ("IP IP1".to_owned(), "10 1 20 4".to_owned())
        );
        let (names, values) = list("IP, 1, 2").expect("a list");
        assert_eq!((names.join(" "), values.concat().join(" ")), ("IP".to_owned(), "1 2".to_owned()));
        for wrong in ["IP", "{A,B}, 1", "{A", "", "{A} {1}"] {
            assert!(list(wrong).is_none(), "{wrong}");
        }
    }
}
