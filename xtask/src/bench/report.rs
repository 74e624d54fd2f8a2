//! What a bench has found: a table, plots and every sample. How it is shown is the business of [`super::table`],
//! [`super::html`] and of JSON.

use serde_json::{Map, Value, json};

/// The result of one bench.
pub(super) struct Report {
    /// Its name on the command line.
    pub(super) name: &'static str,
    /// What it is about, in a few words.
    pub(super) title: &'static str,
    /// How it was taken, a paragraph each.
    pub(super) how: Vec<String>,
    pub(super) table: Table,
    pub(super) plots: Vec<Plot>,
    /// Every sample, as the bench has it.
    pub(super) samples: Value,
}

/// Rows under named columns; a column's name tells the unit.
#[derive(Default)]
pub(super) struct Table {
    pub(super) columns: Vec<&'static str>,
    pub(super) rows: Vec<Vec<Cell>>,
}

/// One figure or word.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Text(String),
    Number(f64),
    Count(u64),
    /// There is nothing to say.
    Nothing,
}

impl Cell {
    /// As people read it.
    pub(super) fn show(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => show(*number),
            Self::Count(count) => count.to_string(),
            Self::Nothing => "-".to_owned(),
        }
    }

    /// True for what is aligned by its last digit.
    pub(super) fn is_number(&self) -> bool {
        !matches!(self, Self::Text(_))
    }

    fn json(&self) -> Value {
        match self {
            Self::Text(text) => json!(text),
            Self::Number(number) => json!(number),
            Self::Count(count) => json!(count),
            Self::Nothing => Value::Null,
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<f64> for Cell {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<u64> for Cell {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<usize> for Cell {
    fn from(count: usize) -> Self {
        Self::Count(count as u64)
    }
}

impl<T: Into<Self>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Nothing, Into::into)
    }
}

/// Rows of bars or dots over one axis.
pub(super) struct Plot {
    pub(super) title: String,
    /// What the axis is, with its unit.
    pub(super) axis: &'static str,
    pub(super) scale: Scale,
    /// A value that should not be exceeded, and what it is called.
    pub(super) goal: Option<(f64, &'static str)>,
    pub(super) groups: Vec<Group>,
}

/// How values lie on an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    Linear,
    /// By powers of ten; what is not positive lies at its beginning.
    Logarithmic,
}

/// Rows that are compared with each other.
pub(super) struct Group {
    pub(super) label: String,
    pub(super) marks: Vec<Mark>,
}

/// One row: a bar for one value, dots for several.
pub(super) struct Mark {
    /// Who it is about; it has the same colour everywhere.
    pub(super) series: String,
    pub(super) values: Vec<f64>,
}

impl Plot {
    /// Rows of a label, a series and its values: those that follow one another with the same label are one group.
    pub(super) fn of(
        title: impl Into<String>,
        axis: &'static str,
        scale: Scale,
        rows: impl Iterator<Item = (String, String, Vec<f64>)>,
    ) -> Self {
        let mut groups: Vec<Group> = Vec::new();
        for (label, series, values) in rows {
            if groups.last().is_none_or(|group| group.label != label) {
                groups.push(Group { label, marks: Vec::new() });
            }
            if let Some(group) = groups.last_mut() {
                group.marks.push(Mark { series, values });
            }
        }
        Self { title: title.into(), axis, scale, goal: None, groups }
    }

    /// With a value that should not be exceeded.
    pub(super) fn goal(self, value: f64, name: &'static str) -> Self {
        Self { goal: Some((value, name)), ..self }
    }
}

impl Report {
    /// The rows as objects, and the samples.
    pub(super) fn json(&self) -> Value {
        let row = |row: &Vec<Cell>| -> Value {
            let named = self.table.columns.iter().zip(row);
            named.map(|(column, cell)| ((*column).to_owned(), cell.json())).collect::<Map<_, _>>().into()
        };
        let rows: Vec<Value> = self.table.rows.iter().map(row).collect();
        json!({ "bench": self.name, "how": self.how, "rows": rows, "samples": self.samples })
    }
}

/// A number with about three digits that count; a whole one is most likely a count.
pub(super) fn show(number: f64) -> String {
    match number.abs() {
        size if size.fract() == 0.0 => format!("{number:.0}"),
        size if size >= 99.95 => format!("{number:.0}"),
        size if size >= 9.995 => format!("{number:.1}"),
        size if size >= 0.9995 => format!("{number:.2}"),
        size if size < 0.000_5 => "0".to_owned(),
        _ => format!("{number:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_shown_with_the_digits_that_count() {
        let cases = [
            (0.0, "0"),
            (0.1234, "0.123"),
            (-0.5, "-0.500"),
            (1.0, "1"),
            (1.001, "1.00"),
            (36.43, "36.4"),
            (1234.5, "1234"),
        ];
        for (number, shown) in cases {
            assert_eq!(show(number), shown);
        }
    }

    #[test]
    fn a_row_is_an_object_of_its_columns() {
        let table = Table {
            columns: vec!["agent", "gap, ms", "changes", "note"],
            rows: vec![vec!["vipd".into(), 1.5.into(), 2_u64.into(), Cell::Nothing]],
        };
        let report =
            Report { name: "x", title: "", how: Vec::new(), table, plots: Vec::new(), samples: Value::Null };

        assert_eq!(
            report.json()["rows"],
            json!([{ "agent": "vipd", "gap, ms": 1.5, "changes": 2, "note": null }])
        );
    }
}
