//! How far work on many things is, on standard error.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar of so many things, such as players; without a number it only counts. Nothing is drawn if it is to be
/// quiet, or if nobody watches.
pub(super) fn bar(things: &str, number: Option<u64>, quiet: bool) -> ProgressBar {
    let bar = match number {
        _ if quiet => ProgressBar::hidden(),
        Some(number) => ProgressBar::new(number),
        None => ProgressBar::no_length(),
    };
    let template = match number {
        Some(_) => format!("{{bar:40}} {{human_pos}} of {{human_len}} {things}, {{eta}} left"),
        None => format!("{{spinner}} {{human_pos}} {things}"),
    };
    if let Ok(style) = ProgressStyle::with_template(&template) {
        bar.set_style(style);
    }
    bar
}
