use xmas_texts::{Text, field, quoted};

/// A name that none of an enum's variants has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} {name:?}")]
pub struct UnknownName {
    what: &'static str,
    name: String,
    known: Vec<&'static str>,
}

impl UnknownName {
    /// `what` the name should have been of, such as `role`, and which names there are.
    pub fn new(
        what: &'static str,
        name: &str,
        known: impl IntoIterator<Item = &'static str>,
    ) -> Self {
        Self {
            what,
            name: name.to_owned(),
            known: known.into_iter().collect(),
        }
    }
}

impl From<UnknownName> for Text {
    fn from(unknown: UnknownName) -> Self {
        field::one_of(unknown.known, quoted(&unknown.name))
    }
}
