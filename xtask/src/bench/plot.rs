//! A plot as SVG: rows of bars or dots, drawn with nothing but lines, circles and text.

use std::fmt::Write;

use super::axis::Axis;
use super::report::{Mark, Plot, show};
use super::spread::Spread;

const WIDTH: f64 = 900.0;
/// Where the axis begins and ends; the names of rows are left of it, their figures right.
const LEFT: f64 = 270.0;
const RIGHT: f64 = WIDTH - 90.0;
const TOP: f64 = 24.0;
const ROW: f64 = 17.0;
/// Between two groups of rows.
const GAP: f64 = 9.0;
/// From the middle of a line of text to where its letters stand.
const BASELINE: f64 = 4.0;
/// For the numbers below the axis and what they are.
const BELOW: f64 = 40.0;

/// Draws a plot.
pub(super) fn svg(plot: &Plot) -> String {
    let marks = || plot.groups.iter().flat_map(|group| &group.marks);
    let goal = plot.goal.map(|(goal, _)| goal);
    let axis = Axis::over(marks().flat_map(|mark| mark.values.iter().copied()).chain(goal), plot.scale);
    let rows = marks().fold(0.0, |rows, _| rows + 1.0);
    let groups = plot.groups.iter().fold(0.0, |groups, _| groups + 1.0);
    let bottom = TOP + rows * ROW + groups * GAP;
    let height = bottom + BELOW;
    let mut out = format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{}\">\n",
        escape(&plot.title)
    );
    draw_axis(&mut out, plot, &axis, bottom);
    let mut y = TOP;
    for group in &plot.groups {
        text(&mut out, "group", 0.0, y + ROW / 2.0, &group.label);
        for mark in &group.marks {
            draw_row(&mut out, mark, &axis, y + ROW / 2.0);
            y += ROW;
        }
        y += GAP;
    }
    out.push_str("</svg>\n");
    out
}

fn draw_axis(out: &mut String, plot: &Plot, axis: &Axis, bottom: f64) {
    for tick in axis.ticks() {
        let x = across(axis.place(tick));
        line(out, "grid", (x, TOP), (x, bottom));
        text(out, "tick", x, bottom + 10.0, &round(tick));
    }
    text(out, "axis", f64::midpoint(LEFT, RIGHT), bottom + 30.0, plot.axis);
    if let Some((goal, name)) = plot.goal {
        let x = across(axis.place(goal));
        line(out, "goal", (x, TOP - 4.0), (x, bottom));
        text(out, "goal-name", x, TOP - 13.0, name);
    }
}

fn draw_row(out: &mut String, mark: &Mark, axis: &Axis, y: f64) {
    text(out, "series", LEFT - 8.0, y, &mark.series);
    let class = colour(&mark.series);
    let Some(spread) = Spread::of(&mark.values) else {
        text(out, "value", RIGHT + 8.0, y, "-");
        return;
    };
    let median = across(axis.place(spread.median));
    if mark.values.len() == 1 {
        let from = across(axis.origin());
        let (x, width) = (from.min(median), (median - from).abs().max(1.0));
        let (top, height) = (y - ROW * 0.33, ROW * 0.66);
        put(
            out,
            format_args!(
                "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>"
            ),
        );
        text(out, "value", RIGHT + 8.0, y, &show(spread.median));
        return;
    }
    line(out, "range", (across(axis.place(spread.min)), y), (across(axis.place(spread.max)), y));
    // Neighbours lie beside each other where they would hide one another.
    for (value, shift) in mark.values.iter().zip([0.0, -3.0, 3.0, -1.5, 1.5].into_iter().cycle()) {
        let (x, y) = (across(axis.place(*value)), y + shift);
        put(out, format_args!("<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.4\"/>"));
    }
    line(out, "median", (median, y - ROW * 0.42), (median, y + ROW * 0.42));
    text(out, "value", RIGHT + 8.0, y, &format!("{} | {}", show(spread.median), show(spread.max)));
}

/// The class that gives a series its colour.
fn colour(series: &str) -> &'static str {
    match series {
        "keepalived" => "s1",
        "keepalived rt" => "s2",
        series if series.starts_with("vipd") => "s0",
        _ => "s3",
    }
}

/// A round number without digits that say nothing.
fn round(number: f64) -> String {
    // Sums of steps err by little.
    let digits = format!("{number:.6}");
    let digits = digits.trim_end_matches('0').trim_end_matches('.');
    if digits == "-0" { "0".to_owned() } else { digits.to_owned() }
}

fn across(place: f64) -> f64 {
    LEFT + place * (RIGHT - LEFT)
}

fn line(out: &mut String, class: &str, from: (f64, f64), to: (f64, f64)) {
    let ((x1, y1), (x2, y2)) = (from, to);
    put(
        out,
        format_args!("<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>"),
    );
}

fn text(out: &mut String, class: &str, x: f64, y: f64, content: &str) {
    let (content, y) = (escape(content), y + BASELINE);
    put(out, format_args!("<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{content}</text>"));
}

fn put(out: &mut String, what: std::fmt::Arguments) {
    writeln!(out, "{what}").expect("a String takes all that is written to it");
}

/// Text that may stand in HTML and in its attributes.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::super::report::{Group, Scale};
    use super::*;

    #[test]
    fn one_value_is_a_bar_several_are_dots_and_none_is_a_dash() {
        let mark = |series: &str, values: &[f64]| Mark { series: series.to_owned(), values: values.to_vec() };
        let marks = vec![mark("vipd", &[3.0]), mark("keepalived", &[1.0, 2.0, 9.0]), mark("<other>", &[])];
        let groups = vec![Group { label: "a & b".to_owned(), marks }];
        let plot = Plot {
            title: "t".to_owned(),
            axis: "ms",
            scale: Scale::Linear,
            goal: Some((4.0, "goal")),
            groups,
        };

        let svg = svg(&plot);

        let count = |what: &str| svg.matches(what).count();
        assert_eq!((count("<rect class=\"s0\""), count("<circle class=\"s1\"")), (1, 3));
        assert_eq!((count(">-</text>"), count("class=\"goal\""), count("&lt;other&gt;")), (1, 1, 1));
        assert!(svg.contains("a &amp; b") && svg.contains(">2 | 9</text>"), "{svg}");
    }
}
