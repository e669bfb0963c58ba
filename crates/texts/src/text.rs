use std::{borrow::Cow, fmt};

use crate::Language;

/// A text of the catalogue with its parameters, in no language yet. Shown as it is, it is English, as logs are.
#[derive(Clone)]
pub struct Text {
    key: &'static str,
    params: Box<[Param]>,
    write: [fn(&[Param]) -> String; Language::ALL.len()],
}

impl Text {
    pub(crate) fn new(
        key: &'static str,
        params: Vec<Param>,
        write: [fn(&[Param]) -> String; Language::ALL.len()],
    ) -> Self {
        Self {
            key,
            params: params.into(),
            write,
        }
    }

    /// What names the text, whatever the language: `field.between`.
    pub fn key(&self) -> &'static str {
        self.key
    }

    /// The text in this language, without a full stop.
    pub fn in_language(&self, language: Language) -> String {
        let [english, korean] = self.write;
        match language {
            Language::English => english(&self.params),
            Language::Korean => korean(&self.params),
        }
    }

    /// The text in this language as a sentence of its own.
    pub fn sentence(&self, language: Language) -> String {
        full_stop(self.in_language(language))
    }
}

/// A sentence that ends as one.
pub(crate) fn full_stop(mut text: String) -> String {
    if !text.ends_with(['.', '?', '!', '\n']) {
        text.push('.');
    }
    text
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key && self.params == other.params
    }
}

impl Eq for Text {}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.in_language(Language::English))
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {self}", self.key)
    }
}

impl std::error::Error for Text {}

/// A value in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Param {
    /// Written with commas between its thousands.
    Number(i128),
    /// Written as it is: a name of the contract, an id, a day.
    Word(Cow<'static, str>),
    /// Names of which one may be chosen, or all are meant.
    List(Vec<Cow<'static, str>>),
    /// Another text, in the same language.
    Text(Text),
}

impl Param {
    pub(crate) fn show(&self, language: Language) -> String {
        match self {
            Param::Number(number) => grouped(*number),
            Param::Word(word) => word.clone().into_owned(),
            Param::List(words) => words.join(", "),
            Param::Text(text) => text.in_language(language),
        }
    }
}

/// How much of a stranger's text is sent back.
const LONGEST_SENT: usize = 60;

/// What somebody has sent, as it is quoted to them: in quotes, with its hidden characters spelt out, and no more of it
/// than one line holds. Not for secrets.
pub fn quoted(text: &str) -> Param {
    let mut shown: String = text.chars().take(LONGEST_SENT).collect();
    if text.chars().nth(LONGEST_SENT).is_some() {
        shown.push('…');
    }
    Param::Word(format!("{shown:?}").into())
}

fn grouped(number: i128) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3 + 1);
    if number < 0 {
        text.push('-');
    }
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl From<$number> for Param {
            fn from(number: $number) -> Self {
                Param::Number(i128::try_from(number).unwrap_or(i128::MAX))
            }
        }
    )*};
}

numbers!(i64, u64, i32, u32, u16, usize);

impl From<&'static str> for Param {
    fn from(word: &'static str) -> Self {
        Param::Word(word.into())
    }
}

impl From<String> for Param {
    fn from(word: String) -> Self {
        Param::Word(word.into())
    }
}

impl From<Text> for Param {
    fn from(text: Text) -> Self {
        Param::Text(text)
    }
}

impl From<Vec<String>> for Param {
    fn from(words: Vec<String>) -> Self {
        Param::List(words.into_iter().map(Cow::Owned).collect())
    }
}

impl From<Vec<&'static str>> for Param {
    fn from(words: Vec<&'static str>) -> Self {
        Param::List(words.into_iter().map(Cow::Borrowed).collect())
    }
}

impl From<&[&'static str]> for Param {
    fn from(words: &[&'static str]) -> Self {
        Param::List(words.iter().copied().map(Cow::Borrowed).collect())
    }
}

/// Declares the texts of an area: its name, and `key(parameters) { "English" "Korean" }` for each. Both templates are those of [`format_args!`]; a
/// parameter that one of them does not use is a warning of the compiler.
macro_rules! texts {
    ($area:ident: $($(#[$doc:meta])* $key:ident($($param:ident),*) { $english:literal $korean:literal })*) => {
        $(
            $(#[$doc])*
            pub fn $key($($param: impl Into<$crate::Param>),*) -> $crate::Text {
                fn english(params: &[$crate::Param]) -> String {
                    let mut params = params.iter();
                    $(let $param = $crate::text::next(&mut params, $crate::Language::English);)*
                    debug_assert!(params.next().is_none());
                    format_args!($english).to_string()
                }
                fn korean(params: &[$crate::Param]) -> String {
                    let mut params = params.iter();
                    $(let $param = $crate::text::next(&mut params, $crate::Language::Korean);)*
                    debug_assert!(params.next().is_none());
                    format_args!($korean).to_string()
                }
                $crate::Text::new(concat!(stringify!($area), ".", stringify!($key)), vec![$($param.into()),*], [english, korean])
            }
        )*

        /// Every text of this area as it was written: its key, English and Korean.
        #[cfg(test)]
        pub(crate) const ALL: &[(&str, &str, &str)] =
            &[$((concat!(stringify!($area), ".", stringify!($key)), $english, $korean)),*];
    };
}
pub(crate) use texts;

/// The next parameter as this language shows it.
pub(crate) fn next(params: &mut std::slice::Iter<'_, Param>, language: Language) -> String {
    params
        .next()
        .map_or_else(String::new, |param| param.show(language))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::{
        body, bridge, csv, event_file, feature, field, game, odds, page, plan, player, receipt,
        reward, season, setting, start, wallet,
    };

    const AREAS: [&[(&str, &str, &str)]; 17] = [
        body::ALL,
        bridge::ALL,
        csv::ALL,
        event_file::ALL,
        feature::ALL,
        field::ALL,
        game::ALL,
        odds::ALL,
        page::ALL,
        plan::ALL,
        player::ALL,
        receipt::ALL,
        reward::ALL,
        season::ALL,
        setting::ALL,
        start::ALL,
        wallet::ALL,
    ];

    #[test]
    fn every_text_stands_once_and_in_its_language() {
        let (mut keys, mut texts) = (HashSet::new(), HashSet::new());
        for (key, english, korean) in AREAS.into_iter().flatten() {
            assert!(keys.insert(*key), "the key {key} is there twice");
            assert!(texts.insert(*english), "{english:?} is there twice");
            assert!(texts.insert(*korean), "{korean:?} is there twice");
            let is_hangul = |sign: char| ('가'..='힣').contains(&sign);
            assert!(!english.contains(is_hangul), "{key}: {english}");
            assert!(korean.contains(is_hangul), "{key}: {korean}");
            for text in [english, korean] {
                assert!(!text.ends_with('.'), "{key}: the full stop comes by itself");
                assert_eq!(text.trim(), *text, "{key}");
            }
        }
    }

    #[test]
    fn numbers_are_grouped_and_strangers_quoted() {
        let shown = |param: Param| param.show(Language::Korean);
        for (number, text) in [
            (0, "0"),
            (-5, "-5"),
            (999, "999"),
            (1_000, "1,000"),
            (-1_234_567, "-1,234,567"),
        ] {
            assert_eq!(shown(Param::from(number)), text);
        }
        assert_eq!(shown(quoted("배민 2만")), "\"배민 2만\"");
        assert_eq!(shown(quoted("a\"\u{202e}\n")), r#""a\"\u{202e}\n""#);
        assert_eq!(shown(quoted(&"가".repeat(61))).chars().count(), 63);
    }
}
