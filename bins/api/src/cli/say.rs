//! How the program says what went wrong: on standard error, in the language of the terminal.

use xmas_http::error::chain;
use xmas_kernel::Problem;
use xmas_texts::{Language, Text};

/// Says what is wrong, in the language of the terminal.
pub(super) fn tell(text: &Text) {
    let language = Language::of_environment();
    eprintln!("xmas-api: {}", text.sentence(language));
}

/// What went wrong: in the reader's language what the catalogue has, and anything else with its causes.
pub(super) fn told(error: &anyhow::Error, language: Language) -> String {
    match error.downcast_ref::<Text>() {
        Some(text) => text.sentence(language),
        None => chain(error.as_ref()),
    }
}

/// What is wrong with a value on the command line.
pub(super) fn of_argument(name: &str, text: impl Into<Text>) -> anyhow::Error {
    let problem = Problem::new(name, text);
    anyhow::anyhow!("{}", problem.sentence(Language::of_environment()))
}
