//! Where in a file each field stands.

use std::{collections::BTreeMap, ops::Range};

#[derive(Clone, Debug)]
pub(super) struct Places {
    text: String,
    /// By paths such as `season.levels.3.required_xp`, in bytes.
    spans: BTreeMap<String, Range<usize>>,
}

impl Places {
    pub(super) fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            spans: BTreeMap::new(),
        }
    }

    pub(super) fn insert(&mut self, path: &str, span: Range<usize>) {
        self.spans.insert(path.to_owned(), span);
    }

    /// The line and the column, in characters and from 1, of a field or of what it would stand in.
    pub(super) fn of(&self, path: &str) -> (usize, usize) {
        let mut path = path;
        let start = loop {
            if let Some(span) = self.spans.get(path) {
                break span.start;
            }
            match path.rsplit_once('.') {
                Some((above, _)) => path = above,
                None => break 0,
            }
        };
        let mut start = start.min(self.text.len());
        while !self.text.is_char_boundary(start) {
            start -= 1;
        }
        let before = &self.text[..start];
        let line = before.rsplit('\n').next().unwrap_or_default();
        (before.matches('\n').count() + 1, line.chars().count() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_told_in_characters_and_what_is_missing_by_what_it_would_stand_in() {
        let text = "가 = 1\n[나]\n다라 = { a = 1 }\n";
        let mut places = Places::new(text);
        places.insert("나", text.find("나").unwrap()..0);
        places.insert("나.다라", text.find("{ a").unwrap()..0);
        assert_eq!(places.of("나.다라.b"), (3, 6));
        assert_eq!(places.of("나.x.3.y"), (2, 2));
        assert_eq!(places.of("x"), (1, 1));
        places.insert("#0", text.len() + 9..0);
        assert_eq!(places.of("#0"), (4, 1));
    }
}
