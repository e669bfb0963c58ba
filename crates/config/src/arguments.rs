//! What the declaration of a setting says about it.

use clap::Arg;

/// What its value is: `SECRET`, `URL`, `SECONDS` and the like.
pub(crate) fn value_name(arg: &Arg) -> Option<String> {
    arg.get_value_names()?.first().map(ToString::to_string)
}
