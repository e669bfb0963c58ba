//! How the program says what went wrong: on standard error, in the language of the terminal.

use xmas_config::ConfigError;
use xmas_kernel::{Problem, with_causes};
use xmas_texts::{Language, Text, start};

/// Prints what is wrong.
pub(super) fn print_problem(text: &Text) {
    let language = Language::of_environment();
    eprintln!("xmas-api: {}", text.sentence(language));
}

/// What went wrong: in the reader's language what the catalogue has, and anything else with its causes.
pub(super) fn message_of(error: &anyhow::Error, language: Language) -> String {
    if let Some(text) = error.downcast_ref::<Text>() {
        text.sentence(language)
    } else if let Some(problem) = error.downcast_ref::<Problem>() {
        problem.sentence(language)
    } else if let Some(ConfigError(problem)) = error.downcast_ref() {
        start::configuration_unreadable(problem.sentence(language)).sentence(language)
    } else {
        with_causes(error.as_ref())
    }
}
