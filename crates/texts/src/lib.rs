//! What people read when something is wrong: one catalogue, in English and Korean.
//!
//! Each text is a function of its parameters in the module of its area, and their names are the text's stable key:
//! [`field::between`] is `field.between`. It stands there once in every language; the compiler refuses one that lacks a
//! language, and warns of one that does not use a parameter. Who finds a problem makes the [`Text`]; who knows the reader's
//! [`Language`] writes it.
//!
//! A text is the rest of a sentence that begins with what it is about ([`Place`]): "must …" says what is required, then
//! what was received and what to do next; what is in conflict is told as a fact.

mod language;
mod place;
mod text;

pub mod body;
pub mod bridge;
pub mod csv;
pub mod event_file;
pub mod feature;
pub mod field;
pub mod game;
pub mod odds;
pub mod page;
pub mod plan;
pub mod player;
pub mod receipt;
pub mod reward;
pub mod season;
pub mod setting;
pub mod start;
pub mod wallet;

pub use language::Language;
pub use place::Place;
pub use text::{Param, Text, quoted};

use text::texts;

/// Makes an error of a type that becomes a [`Text`]: it is shown as that, in English.
#[macro_export]
macro_rules! shown_as_text {
    ($error:ty) => {
        impl std::fmt::Display for $error {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(&$crate::Text::from(self.clone()), f)
            }
        }

        impl std::error::Error for $error {}
    };
}
