//! Reports as one page that needs nothing else: no script, no font, no picture from anywhere.

use super::machine::Machine;
use super::plot::{escape, svg};
use super::report::{Cell, Plot, Report, Table};

const STYLE: &str = include_str!("page.css");

/// The page.
pub(super) fn page(machine: &Machine, reports: &[Report]) -> String {
    let links = concat(reports.iter().map(|report| format!("<a href=\"#{0}\">{0}</a>", report.name)));
    let facts = concat(machine.facts().iter().map(|fact| format!("<li>{}</li>\n", escape(fact))));
    let sections = concat(reports.iter().map(section));
    format!(
        "<!doctype html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<title>vipd beside Keepalived</title>
<style>
{STYLE}</style>
<h1>vipd beside Keepalived</h1>
<ul>
{facts}</ul>
<nav>{links}</nav>
{sections}</html>
"
    )
}

fn section(report: &Report) -> String {
    let how = concat(report.how.iter().map(|paragraph| format!("<p>{}</p>\n", escape(paragraph))));
    let figures = concat(report.plots.iter().map(figure));
    format!(
        "<section id=\"{0}\">\n<h2>{0}: {1}</h2>\n{how}{figures}{2}</section>\n",
        report.name,
        escape(report.title),
        table(&report.table)
    )
}

fn figure(plot: &Plot) -> String {
    let several = plot.groups.iter().flat_map(|group| &group.marks).any(|mark| mark.values.len() > 1);
    let legend = if several { " <small>(a dot a sample; right: median | maximum)</small>" } else { "" };
    format!("<figure>\n<h3>{}{legend}</h3>\n{}</figure>\n", escape(&plot.title), svg(plot))
}

fn table(table: &Table) -> String {
    let numeric = |column: usize| table.rows.iter().filter_map(|row| row.get(column)).all(Cell::is_number);
    let classes: Vec<&str> =
        (0..table.columns.len()).map(|column| if numeric(column) { " class=\"n\"" } else { "" }).collect();
    let heads = table.columns.iter().zip(&classes);
    let head = concat(heads.map(|(column, class)| format!("<th{class}>{}", escape(column))));
    let row = |row: &Vec<Cell>| -> String {
        let cells =
            row.iter().zip(&classes).map(|(cell, class)| format!("<td{class}>{}", escape(&cell.show())));
        format!("<tr>{}\n", concat(cells))
    };
    let rows = concat(table.rows.iter().map(row));
    format!(
        "<details open><summary>The figures</summary>\n<div class=\"table\"><table>\n<tr>{head}\n{rows}</table></div></details>\n"
    )
}

fn concat(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().concat()
}
