//! Fields that clients know by two names. Either may be sent, and what is inside knows one.

/// The field was sent under both names, with two values of which neither is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Differ;

/// What was sent, if anything was. A client that sends back all that it has loaded changes the field under
/// the one name that it uses; so if both names are sent, the value that differs from what is stored counts.
///
/// # Errors
/// If both differ from what is stored, they must agree.
pub fn one_of<T: PartialEq>(
    first: Option<T>,
    second: Option<T>,
    stored: Option<&T>,
) -> Result<Option<T>, Differ> {
    match (first, second) {
        (Some(first), Some(second)) if first != second => match stored {
            Some(stored) if first == *stored => Ok(Some(second)),
            Some(stored) if second == *stored => Ok(Some(first)),
            _ => Err(Differ),
        },
        (first, second) => Ok(first.or(second)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_name_will_do_and_an_echo_does_not_count() {
        for (first, second, stored, expected) in [
            (None, None, Some(5), Ok(None)),
            (Some(1), None, Some(5), Ok(Some(1))),
            (None, Some(1), Some(5), Ok(Some(1))),
            (Some(1), Some(1), None, Ok(Some(1))),
            (Some(1), Some(5), Some(5), Ok(Some(1))),
            (Some(5), Some(1), Some(5), Ok(Some(1))),
            (Some(1), Some(2), Some(5), Err(Differ)),
            (Some(1), Some(2), None, Err(Differ)),
        ] {
            assert_eq!(one_of(first, second, stored.as_ref()), expected);
        }
    }
}
