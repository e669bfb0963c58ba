//! A run as a picture: a panel for each kind of request, bars of throughput with their least and most, and floors as lines.

use std::fmt::Write;

use crate::hot::{
    contender::Kind,
    report::{Report, Role, Series, Spread},
};

const WIDTH: f64 = 900.0;
const PANEL: f64 = 190.0;
const BARS: f64 = 130.0;
const LEFT: f64 = 80.0;
const COLOURS: [&str; 2] = ["#2b6cb0", "#dd6b20"];

pub(super) fn svg(report: &Report) -> String {
    let of = |kind: &Kind| -> Vec<&Series> {
        let what = kind.to_string();
        let series = report.series.iter().filter(|series| series.what == what);
        series.collect()
    };
    let panels: Vec<(Kind, Vec<&Series>)> = Kind::ALL
        .into_iter()
        .map(|kind| (kind, of(&kind)))
        .filter(|(_, series)| !series.is_empty())
        .collect();
    let height = 40.0 + PANEL * panels.len() as f64;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    let mut caption = format!("{}: requests a second by connections", report.database);
    if report.builds.len() > 1 {
        let names = report.builds.iter().map(|build| build.name.as_str());
        caption += &format!(
            " ({})",
            names.collect::<Vec<_>>().join(" left, ") + " right"
        );
    }
    text(&mut svg, LEFT, 20.0, "start", &caption);
    for (place, (kind, series)) in panels.iter().enumerate() {
        panel(&mut svg, 40.0 + PANEL * place as f64, *kind, series);
    }
    svg + "</svg>\n"
}

fn panel(svg: &mut String, top: f64, kind: Kind, series: &[&Series]) {
    let spreads = series
        .iter()
        .map(|series| series.spread(|turn| turn.throughput));
    let spreads: Vec<Spread> = spreads.collect();
    let most = spreads
        .iter()
        .fold(1.0, |most: f64, spread| most.max(spread.most));
    let bottom = top + BARS + 20.0;
    let y = |throughput: f64| bottom - BARS * throughput / most;
    text(svg, LEFT - 10.0, top + 30.0, "end", &kind.to_string());
    line(svg, (LEFT, bottom), (WIDTH - 20.0, bottom), "black");
    let counts: Vec<usize> = {
        let own = series.iter().filter(|series| series.role == Role::Build);
        let mut counts: Vec<usize> = own.map(|series| series.connections).collect();
        counts.sort_unstable();
        counts.dedup();
        counts
    };
    let group = (WIDTH - LEFT - 20.0) / counts.len().max(1) as f64;
    let mut drawn = vec![0; counts.len()];
    for (series, spread) in series.iter().zip(&spreads) {
        if series.role != Role::Build {
            let height = y(spread.median);
            line(svg, (LEFT, height), (WIDTH - 20.0, height), "#718096");
            let label = format!("{} ({:.0})", series.who, spread.median);
            text(svg, WIDTH - 20.0, height - 3.0, "end", &label);
            continue;
        }
        let place = counts.iter().position(|count| *count == series.connections);
        let place = place.unwrap_or(0);
        let x = LEFT + group * place as f64 + 20.0 + 60.0 * f64::from(drawn[place]);
        let colour = COLOURS[drawn[place] as usize % COLOURS.len()];
        drawn[place] += 1;
        let height = y(spread.median);
        let _ = writeln!(
            svg,
            "<rect x=\"{x:.1}\" y=\"{height:.1}\" width=\"50\" height=\"{:.1}\" fill=\"{colour}\"/>",
            bottom - height
        );
        let middle = x + 25.0;
        line(
            svg,
            (middle, y(spread.least)),
            (middle, y(spread.most)),
            "black",
        );
        text(
            svg,
            middle,
            y(spread.most) - 4.0,
            "middle",
            &format!("{:.0}", spread.median),
        );
        text(
            svg,
            middle,
            bottom + 14.0,
            "middle",
            &series.connections.to_string(),
        );
    }
}

fn line(svg: &mut String, (x1, y1): (f64, f64), (x2, y2): (f64, f64), colour: &str) {
    let _ = writeln!(
        svg,
        "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"{colour}\"/>"
    );
}

fn text(svg: &mut String, x: f64, y: f64, anchor: &str, text: &str) {
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>"
    );
}
