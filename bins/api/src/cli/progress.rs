//! How far work on many players is, on standard error.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar of so many players; without a number it only counts. Nothing is drawn if it is to be quiet, or if
/// nobody watches.
pub(super) fn bar(players: Option<u64>, quiet: bool) -> ProgressBar {
    let bar = match players {
        _ if quiet => ProgressBar::hidden(),
        Some(players) => ProgressBar::new(players),
        None => ProgressBar::no_length(),
    };
    let template = match players {
        Some(_) => "{bar:40} {human_pos} of {human_len} players, {eta} left",
        None => "{spinner} {human_pos} players",
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}
