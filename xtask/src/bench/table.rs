//! A report for the terminal.

use super::report::{Cell, Report};

/// Prints it. Words that say the same as in the row above are left out.
pub(super) fn print(report: &Report) {
    println!("\n{}: {}", report.name, report.title);
    for paragraph in &report.how {
        println!("  {paragraph}");
    }
    for line in lines(&report.table.columns, &report.table.rows) {
        println!("{line}");
    }
}

fn lines(columns: &[&str], rows: &[Vec<Cell>]) -> Vec<String> {
    let shown: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(Cell::show).collect()).collect();
    let width = |column: usize| {
        let longest = shown.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
        longest.unwrap_or(0).max(columns[column].chars().count())
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    // A column of words is aligned by its first letter, one of numbers by its last digit.
    let numeric: Vec<bool> = (0..columns.len())
        .map(|column| rows.iter().filter_map(|row| row.get(column)).all(Cell::is_number))
        .collect();
    let line = |cells: Vec<&str>| {
        let padded: Vec<String> = cells
            .iter()
            .enumerate()
            .map(|(n, cell)| {
                let width = widths[n];
                if numeric[n] { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
            })
            .collect();
        padded.join("  ").trim_end().to_owned()
    };
    let mut lines = vec![line(columns.to_vec())];
    for (place, row) in shown.iter().enumerate() {
        let above = place.checked_sub(1).map(|above| &shown[above]);
        // Only the first words of a row repeat themselves: a figure that is the same again is a finding.
        let repeated = row
            .iter()
            .enumerate()
            .take_while(|(n, cell)| !numeric[*n] && above.is_some_and(|above| above[*n] == **cell))
            .count();
        let cells = row.iter().enumerate().map(|(n, cell)| if n < repeated { "" } else { cell.as_str() });
        lines.push(line(cells.collect()));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_aligned_left_numbers_right_and_repetition_is_left_out() {
        let rows = vec![
            vec!["cut".into(), "vipd".into(), 0.25.into()],
            vec!["cut".into(), "keepalived".into(), 12.0.into()],
            vec!["stop".into(), "keepalived".into(), Cell::Nothing],
        ];

        let shown = lines(&["fault", "agent", "ms"], &rows);

        let expected = [
            "fault  agent          ms",
            "cut    vipd        0.250",
            "       keepalived     12",
            "stop   keepalived      -",
        ];
        assert_eq!(shown, expected);
    }
}
