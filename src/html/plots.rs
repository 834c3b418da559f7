//! The plots, as SVG to stand in the page. Floating point gives places on paper here, never figures.
//!
//! Colours are stand-ins that the page's style replaces, so that a plot follows light, dark and print.

use plotters::prelude::*;

use super::words;
use crate::attainment::Percent;
use crate::error::{Error, ErrorKind, Result};
use crate::report::{Burndown, Handling, Side};

/// Text and axes.
const INK: RGBColor = RGBColor(1, 0, 0);
/// Lines behind the figures.
const GRID: RGBColor = RGBColor(2, 0, 0);
/// In time; budget left.
const GOOD: RGBColor = RGBColor(3, 0, 0);
/// Late; budget overspent.
const BAD: RGBColor = RGBColor(4, 0, 0);
/// What it is held against.
const ACCENT: RGBColor = RGBColor(5, 0, 0);

/// Days beyond the period that are drawn.
const MOST_DAYS_AFTER: u64 = 7;

/// Width, height and size of letters.
#[derive(Clone, Copy)]
struct Paper {
    name: &'static str,
    size: (u32, u32),
    letters: u32,
    labels: usize,
}

const PAPERS: [Paper; 2] = [
    Paper { name: "wide", size: (960, 260), letters: 14, labels: 11 },
    Paper { name: "narrow", size: (360, 240), letters: 12, labels: 5 },
];

/// What is left of the error budget, day by day, as bars from zero; beside it the line of a budget spent evenly.
pub(super) fn burndown(burndown: &Burndown, id: &str) -> Result<String> {
    let title = format!("Error budget of {}, day by day", burndown.attainment.period);
    let last = burndown.days.last();
    let description = last.map_or_else(String::new, |day| {
        format!("{} misses by {}, {} left of the budget.", day.missed, words::day(day.date), day.left)
    });
    on_both(id, &title, &description, |paper, svg| draw_burndown(burndown, paper, svg))
}

/// Requests by how early or late they were handled.
pub(super) fn handling(handling: &Handling, id: &str) -> Result<String> {
    let of = |side: Side| -> u64 {
        handling.bins.iter().filter(|bin| bin.side == side).map(|bin| bin.ids.total).sum()
    };
    let description = format!(
        "{} handled in time, {} late; most bars near the middle mean handled close to the deadline.",
        of(Side::Early),
        of(Side::Late)
    );
    on_both(id, "Handling times against the deadline", &description, |paper, svg| {
        draw_handling(handling, paper, svg)
    })
}

type Drawn = std::result::Result<(), Box<dyn std::error::Error>>;

/// The same plot for a desk and for a phone; the style shows one of them.
fn on_both(
    id: &str,
    title: &str,
    description: &str,
    draw: impl Fn(Paper, &mut String) -> Drawn,
) -> Result<String> {
    let mut both = String::new();
    for paper in PAPERS {
        let mut svg = String::new();
        draw(paper, &mut svg)
            .map_err(|cause| Error::new(ErrorKind::Internal, format!("the plot `{title}`: {cause}")))?;
        let body = svg.split_once('>').map_or("", |(_, body)| body);
        let (name, (width, height)) = (paper.name, paper.size);
        // The texts are ours: dates and numbers, nothing of a customer's.
        both.push_str(&format!(
            "<svg class=\"plot {name}\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
             aria-labelledby=\"{id}-{name}-t {id}-{name}-d\"><title id=\"{id}-{name}-t\">{title}</title>\
             <desc id=\"{id}-{name}-d\">{description}</desc>{body}"
        ));
    }
    Ok(both)
}

fn draw_burndown(burndown: &Burndown, paper: Paper, svg: &mut String) -> Drawn {
    // A request reopened months later may be missed then; the table has those days too.
    let last = burndown.attainment.period.last() + chrono::Days::new(MOST_DAYS_AFTER);
    let until = burndown.days.partition_point(|day| day.date <= last);
    let days = &burndown.days[..until];
    let goal = burndown.attainment.goal.as_ref();
    let allowed = goal.map_or(0, |goal| burndown.attainment.tally.allowed_misses(goal)) as f64;
    let lowest = days.iter().map(|day| day.left).min().unwrap_or(0).min(0) as f64;
    let room = ((allowed - lowest) / 20.0).max(0.5);
    let count = days.len().max(1) as f64;
    let root = SVGBackend::with_string(svg, paper.size).into_drawing_area();
    let below = if lowest < 0.0 { lowest - room } else { 0.0 };
    let mut chart = ChartBuilder::on(&root)
        .margin(4)
        .margin_right(16)
        .x_label_area_size(28)
        .y_label_area_size(paper.letters * 4)
        .build_cartesian_2d(-0.5..count - 0.5, below..allowed + room)?;
    let letters = ("sans-serif", paper.letters).into_font().color(&INK);
    chart
        .configure_mesh()
        .disable_x_mesh()
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .axis_style(GRID)
        .x_labels(paper.labels)
        .y_labels(6)
        .label_style(letters)
        .x_label_formatter(&|x| {
            let at = x.round();
            let day = if (x - at).abs() < 0.01 && at >= 0.0 { days.get(at as usize) } else { None };
            day.map_or_else(String::new, |day| words::short_day(day.date))
        })
        .y_label_formatter(&whole)
        .draw()?;
    chart.draw_series(days.iter().enumerate().map(|(at, day)| {
        let (left, at) = (day.left as f64, at as f64);
        let colour = if day.left < 0 { BAD } else { GOOD };
        Rectangle::new([(at - 0.4, 0.0), (at + 0.4, left)], colour.filled())
    }))?;
    let dates = burndown.attainment.period.last().signed_duration_since(burndown.attainment.period.first());
    let whole = dates.num_days().max(1) as f64;
    let until = (count - 1.0).min(whole);
    chart.draw_series(LineSeries::new(
        [(0.0, allowed), (until, allowed * (1.0 - until / whole))],
        ACCENT.stroke_width(2),
    ))?;
    chart.draw_series(LineSeries::new([(-0.5, 0.0), (count - 0.5, 0.0)], INK.stroke_width(1)))?;
    drop(chart);
    root.present()?;
    drop(root);
    Ok(())
}

/// `−1,200`; nothing for a place between two whole numbers.
fn whole(y: &f64) -> String {
    let sign = if *y <= -0.5 { "−" } else { "" };
    if (y - y.round()).abs() < 0.01 {
        format!("{sign}{}", words::count(y.abs().round() as u64))
    } else {
        String::new()
    }
}

/// `1h`, `3d`: where one bin ends.
fn edge(handling: &Handling, at: usize) -> String {
    let Some(bin) = handling.bins.get(at) else { return String::new() };
    let seconds = match bin.side {
        Side::Early => bin.to.map(|to| to.as_secs()),
        Side::Late => Some(bin.from.as_secs()),
    };
    match seconds {
        None => String::new(),
        Some(0) => "due".to_owned(),
        Some(seconds) if seconds < 86_400 => format!("{}h", seconds / 3_600),
        Some(seconds) => format!("{}d", seconds / 86_400),
    }
}

fn draw_handling(handling: &Handling, paper: Paper, svg: &mut String) -> Drawn {
    let bins = &handling.bins;
    let all: u64 = bins.iter().map(|bin| bin.ids.total).sum();
    let most = bins.iter().map(|bin| bin.ids.total).max().unwrap_or(0).max(1) as f64;
    let count = bins.len() as f64;
    let middle = bins.iter().filter(|bin| bin.side == Side::Early).count() as f64;
    let root = SVGBackend::with_string(svg, paper.size).into_drawing_area();
    let mut chart = ChartBuilder::on(&root)
        .margin(4)
        .margin_right(16)
        .x_label_area_size(28)
        .y_label_area_size(paper.letters * 4)
        .build_cartesian_2d(0.0..count, 0.0..most * 1.12)?;
    let letters = ("sans-serif", paper.letters).into_font().color(&INK);
    chart
        .configure_mesh()
        .disable_x_mesh()
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .axis_style(GRID)
        .x_labels(bins.len() + 1)
        .y_labels(5)
        .label_style(letters.clone())
        .x_label_formatter(&|x: &f64| edge(handling, x.round() as usize))
        .y_label_formatter(&whole)
        .draw()?;
    chart.draw_series(bins.iter().enumerate().map(|(at, bin)| {
        let colour = if bin.side == Side::Late { BAD } else { GOOD };
        let at = at as f64;
        Rectangle::new([(at + 0.06, 0.0), (at + 0.94, bin.ids.total as f64)], colour.filled())
    }))?;
    chart.draw_series(LineSeries::new([(middle, 0.0), (middle, most * 1.12)], INK.stroke_width(2)))?;
    if paper.name == "wide" && all > 0 {
        use plotters::style::text_anchor::{HPos, Pos, VPos};
        let style = letters.pos(Pos::new(HPos::Center, VPos::Bottom));
        chart.draw_series(bins.iter().enumerate().filter(|(_, bin)| bin.ids.total > 0).map(
            |(at, bin)| {
                let bp = u32::try_from(u128::from(bin.ids.total) * 10_000 / u128::from(all)).unwrap_or(0);
                let share = if bp < 100 { "<1 %".to_owned() } else { Percent(bp / 100 * 100).to_string() };
                Text::new(share, (at as f64 + 0.5, bin.ids.total as f64 + most * 0.01), style.clone())
            },
        ))?;
    }
    drop(chart);
    root.present()?;
    drop(root);
    Ok(())
}
