//! One policy for text that people enter: ids, names, labels, memos, passwords, codes.
//!
//! Text is kept in Unicode's composed form (NFC), so that what looks the same compares the same,
//! whichever keyboard it came from. It has nothing in it that nobody sees or that changes the
//! direction of what stands beside it, and at least one character that is seen. What counts as hidden
//! follows from Unicode's properties of characters; emoji may have in them what holds them together.

use std::{borrow::Cow, collections::HashSet, ops::RangeInclusive};

use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{
        BidiControl, DefaultIgnorableCodePoint, EmojiModifier, ExtendedPictographic,
        GeneralCategory, GeneralCategoryGroup,
    },
};

use xmas_texts::{Text, field, shown_as_text};

use crate::Problems;

/// How many marks may be stacked on one character. Every living language needs fewer.
const MAX_MARKS: usize = 4;
/// Makes an emoji of the character before it.
const EMOJI_VARIATION: char = '\u{fe0f}';
/// Joins the emoji beside it to one.
const JOINER: char = '\u{200d}';
const KEYCAP: char = '\u{20e3}';
/// The flag that the flags of parts of countries are spelt with, in tags that nobody sees. Any other
/// tags could carry a hidden text, so only these spellings are let in.
const BLACK_FLAG: char = '\u{1f3f4}';
const FLAGS_OF_PARTS: [&str; 3] = ["gbeng", "gbsct", "gbwls"];
const TAGS: RangeInclusive<char> = '\u{e0020}'..='\u{e007e}';
const LAST_TAG: char = '\u{e007f}';
/// Symbols whose glyph is empty; Unicode has no property that tells.
const BLANK_SYMBOLS: [char; 2] = ['\u{2800}', '\u{1d159}'];

/// The composed form (NFC) of a text.
pub fn nfc(text: &str) -> Cow<'_, str> {
    const { ComposingNormalizerBorrowed::new_nfc() }.normalize(text)
}

/// The composed form of a text, without the space around it: the form in which ids compare.
pub fn tidy(text: &str) -> String {
    nfc(text).trim().to_owned()
}

/// What a text is after an edit: as it stands if the edit says the same in NFC, and else what was
/// sent, in NFC.
pub fn edited(sent: &str, kept: Option<&str>) -> String {
    let sent = nfc(sent);
    match kept.filter(|kept| nfc(kept) == sent) {
        Some(kept) => kept.to_owned(),
        None => sent.into_owned(),
    }
}

/// Whether a character leaves something to see by itself: no space, no mark, nothing hidden.
pub fn is_visible(character: char) -> bool {
    const SEEN: GeneralCategoryGroup = GeneralCategoryGroup::Letter
        .union(GeneralCategoryGroup::Number)
        .union(GeneralCategoryGroup::Punctuation)
        .union(GeneralCategoryGroup::Symbol);
    SEEN.contains(category(character))
        && !is_hidden(character)
        && !BLANK_SYMBOLS.contains(&character)
}

/// Whether anything of a text is seen.
pub fn is_seen(text: &str) -> bool {
    text.chars().any(is_visible)
}

fn category(character: char) -> GeneralCategory {
    const { CodePointMapData::<GeneralCategory>::new() }.get(character)
}

fn is_pictographic(character: char) -> bool {
    const { CodePointSetData::new::<ExtendedPictographic>() }.contains(character)
}

/// Whether a character has no width, changes the direction of others, or means something to
/// machines only.
fn is_hidden(character: char) -> bool {
    use GeneralCategory::{
        Control, Format, LineSeparator, ParagraphSeparator, PrivateUse, Surrogate, Unassigned,
    };
    let means_nothing = match category(character) {
        Control | Format | LineSeparator | ParagraphSeparator | PrivateUse | Surrogate => true,
        // Emoji to come have their places already.
        Unassigned => !is_pictographic(character),
        _ => false,
    };
    means_nothing
        || const { CodePointSetData::new::<DefaultIgnorableCodePoint>() }.contains(character)
        || const { CodePointSetData::new::<BidiControl>() }.contains(character)
}

/// Whether a character stacks on the one before it.
fn is_mark(character: char) -> bool {
    matches!(
        category(character),
        GeneralCategory::NonspacingMark | GeneralCategory::EnclosingMark
    )
}

/// Whether a text has one line or may have several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    One,
    /// Line breaks and tabs are taken.
    Several,
}

/// Why a text cannot be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// How many characters it may have, and how many it has.
    Length(RangeInclusive<usize>, usize),
    Hidden(char),
    /// The same, of a text that is told to nobody.
    SomeHidden,
    Blank,
    Marks,
    Space,
    Decomposed,
    /// Of a text whose beginning is kept for what the application makes.
    Reserved(&'static str),
}

impl From<Unfit> for Text {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::Length(allowed, got) if *allowed.start() == 0 => {
                field::characters_up_to(*allowed.end(), got)
            }
            Unfit::Length(allowed, got) => field::characters(*allowed.start(), *allowed.end(), got),
            Unfit::Hidden(character) => {
                field::hidden_character(format!("U+{:04X}", u32::from(character)))
            }
            Unfit::SomeHidden => field::hidden_characters(),
            Unfit::Blank => field::nothing_visible(),
            Unfit::Marks => field::marks(MAX_MARKS),
            Unfit::Space => field::outer_space(),
            Unfit::Decomposed => field::decomposed(),
            Unfit::Reserved(start) => field::reserved_start(start),
        }
    }
}

shown_as_text!(Unfit);

/// Whether a text in NFC may be kept: how many characters it has, and what they are.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn check(text: &str, characters: RangeInclusive<usize>, lines: Lines) -> Result<(), Unfit> {
    let count = text.chars().count();
    if !characters.contains(&count) {
        return Err(Unfit::Length(characters, count));
    }
    if !const { ComposingNormalizerBorrowed::new_nfc() }.is_normalized(text) {
        return Err(Unfit::Decomposed);
    }
    let all: Vec<char> = text.chars().collect();
    let (mut place, mut marks) = (0, 0);
    while let Some(&character) = all.get(place) {
        let breaks_lines = matches!(character, '\n' | '\r' | '\t');
        let is_taken = !is_hidden(character) || breaks_lines && lines == Lines::Several;
        let glue = if is_taken { 1 } else { glue(&all, place) };
        if glue == 0 {
            return Err(Unfit::Hidden(character));
        }
        marks = if is_mark(character) { marks + 1 } else { 0 };
        if marks > MAX_MARKS {
            return Err(Unfit::Marks);
        }
        place += glue;
    }
    if text.is_empty() || is_seen(text) {
        Ok(())
    } else {
        Err(Unfit::Blank)
    }
}

/// How many hidden characters from `place` on hold an emoji together; 0 if the first one does not.
fn glue(all: &[char], place: usize) -> usize {
    let (before, rest) = all.split_at(place);
    let Some(last) = before.last().copied() else {
        return 0;
    };
    let next = rest.get(1).copied();
    match rest[0] {
        EMOJI_VARIATION => {
            let is_keycap = matches!(last, '0'..='9' | '#' | '*') && next == Some(KEYCAP);
            usize::from(is_keycap || is_pictographic(last))
        }
        JOINER => {
            let is_part = |character: char| {
                character != EMOJI_VARIATION
                    && !const { CodePointSetData::new::<EmojiModifier>() }.contains(character)
            };
            let base = before.iter().rev().copied().find(|part| is_part(*part));
            let joins = base.is_some_and(is_pictographic) && next.is_some_and(is_pictographic);
            usize::from(joins)
        }
        tag if TAGS.contains(&tag) && last == BLACK_FLAG => {
            let length = rest
                .iter()
                .take_while(|tag| (TAGS).contains::<char>(tag))
                .count();
            let plain = |tag: &char| char::from_u32(u32::from(*tag) - 0xe_0000);
            let spelt: String = rest[..length].iter().filter_map(plain).collect();
            let ends = rest.get(length) == Some(&LAST_TAG);
            let is_flag = ends && FLAGS_OF_PARTS.contains(&spelt.as_str());
            if is_flag { length + 1 } else { 0 }
        }
        _ => 0,
    }
}

/// How many characters a name or a label has.
pub const LABEL_CHARACTERS: RangeInclusive<usize> = 1..=100;

/// Whether a name or a label may be kept and shown: one line in NFC, and no space around it.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn check_label(text: &str, characters: RangeInclusive<usize>) -> Result<(), Unfit> {
    check(text, characters, Lines::One)?;
    if text.trim() == text {
        Ok(())
    } else {
        Err(Unfit::Space)
    }
}

/// Texts that stand in what is edited. One that an edit leaves as it is is not refused, whatever the
/// policy was when it was saved.
#[derive(Clone, Debug, Default)]
pub struct Kept<'a>(HashSet<&'a str>);

impl<'a> FromIterator<&'a str> for Kept<'a> {
    fn from_iter<T: IntoIterator<Item = &'a str>>(texts: T) -> Self {
        Self(texts.into_iter().collect())
    }
}

impl Kept<'_> {
    /// Whether this text stands already, to the byte.
    pub fn has(&self, text: &str) -> bool {
        self.0.contains(text)
    }

    /// Notes what is wrong with a name or a label of 1 to 100 characters that is to be saved.
    pub fn expect_label(&self, text: &str, field: impl Into<String>, problems: &mut Problems) {
        if !self.has(text) {
            problems.expect_fit(check_label(text, LABEL_CHARACTERS), field);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fault(text: &str) -> Option<Unfit> {
        check(text, 1..=100, Lines::One).err()
    }

    #[test]
    fn what_people_write_is_kept() {
        for text in [
            "santa-01",
            "산타 클로스",
            "BM20-한글é🎄",
            "Nguyễn Văn Ả",
            "สวัสดี ผู้ใหญ่",
            "שָׁלוֹם",
            "مرحبا",
            "नमस्ते",
            "❤️",
            "❤️‍🔥",
            "👨‍👩‍👧",
            "👩🏽‍🚀",
            "🏳️‍🌈",
            "🏴‍☠️",
            "🤷🏽‍♀️",
            "1️⃣",
            "#️⃣ 1",
            "🇰🇷",
            "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
            "🏴󠁧󠁢󠁳󠁣󠁴󠁿!",
            "©",
            "a\u{3000}b",
        ] {
            assert_eq!(fault(&nfc(text)), None, "{text:?}");
        }
    }

    #[test]
    fn what_nobody_sees_is_refused_wherever_it_stands() {
        for hidden in [
            '\0',
            '\t',
            '\n',
            '\u{7f}',
            '\u{85}',
            '\u{ad}',
            '\u{34f}',
            '\u{61c}',
            '\u{115f}',
            '\u{1160}',
            '\u{17b4}',
            '\u{180e}',
            '\u{200b}',
            '\u{200c}',
            '\u{200d}',
            '\u{200e}',
            '\u{2028}',
            '\u{2029}',
            '\u{202e}',
            '\u{2060}',
            '\u{2066}',
            '\u{2069}',
            '\u{206a}',
            '\u{3164}',
            '\u{fe00}',
            '\u{fe0e}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{ffa0}',
            '\u{fff9}',
            '\u{e000}',
            '\u{ffff}',
            '\u{378}',
            '\u{1d173}',
            '\u{e0001}',
            '\u{e0061}',
            '\u{e0100}',
            '\u{f0000}',
            '\u{10ffff}',
        ] {
            for text in [
                format!("a{hidden}b"),
                format!("{hidden}a"),
                format!("a{hidden}"),
            ] {
                assert_eq!(fault(&text), Some(Unfit::Hidden(hidden)), "{text:?}");
            }
            assert!(!is_visible(hidden), "{hidden:?}");
        }
    }

    #[test]
    fn what_holds_emoji_together_is_refused_outside_of_them() {
        for text in [
            "1\u{fe0f}",
            "a\u{fe0f}",
            "1\u{fe0f}2",
            "👨\u{200d}",
            "\u{200d}👨",
            "👨\u{200d}a",
            "a\u{200d}👨",
            "👨\u{200d}\u{200d}👩",
            "❤\u{fe0f}\u{fe0f}",
            "가\u{200d}나",
            // Tags that spell no flag, or do not end.
            "🏴\u{e0068}\u{e0069}\u{e007f}",
            "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}",
            "😀\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
        ] {
            assert!(matches!(fault(text), Some(Unfit::Hidden(_))), "{text:?}");
        }
    }

    #[test]
    fn a_text_of_blanks_is_refused() {
        for text in [
            " ",
            "\u{a0}",
            "\u{3000}",
            "\u{2800}",
            "\u{2800}\u{2800} ",
            "\u{1d159}",
            "\u{301}",
            " \u{300}\u{20dd}",
            "\u{2003}",
        ] {
            assert_eq!(fault(text), Some(Unfit::Blank), "{text:?}");
        }
    }

    #[test]
    fn marks_are_not_stacked_to_towers() {
        let tower = |marks: usize| format!("x{}", "\u{334}".repeat(marks));
        assert_eq!(fault(&tower(4)), None);
        assert_eq!(fault(&tower(5)), Some(Unfit::Marks));
    }

    #[test]
    fn only_several_lines_have_breaks() {
        let memo = "첫 줄\r\n\t둘째 줄\n";
        assert_eq!(check(memo, 0..=100, Lines::Several), Ok(()));
        assert_eq!(check("", 0..=100, Lines::Several), Ok(()));
        assert_eq!(check("\n", 0..=100, Lines::Several), Err(Unfit::Blank));
        assert_eq!(fault(memo), Some(Unfit::Hidden('\r')));
        let hidden = check("a\u{b}b", 0..=100, Lines::Several);
        assert_eq!(hidden, Err(Unfit::Hidden('\u{b}')));
    }

    #[test]
    fn a_text_is_kept_composed() {
        let decomposed = "\u{1109}\u{1161}\u{11ab}\u{1110}\u{1161}";
        assert_eq!(nfc(decomposed), "산타");
        assert_eq!(fault(decomposed), Some(Unfit::Decomposed));
        assert_eq!(tidy("\u{3000} e\u{301}\t"), "é");
        assert_eq!(edited(decomposed, Some("산타")), "산타");
        assert_eq!(edited("산타", Some(decomposed)), decomposed);
        assert_eq!(edited(decomposed, Some("루돌프")), "산타");
        assert_eq!(edited(decomposed, None), "산타");
    }

    #[test]
    fn a_label_that_stands_may_stay() {
        let kept: Kept = ["\u{3164}"].into_iter().collect();
        let mut problems = Problems::default();
        kept.expect_label("\u{3164}", "a", &mut problems);
        kept.expect_label("\u{200b}", "b", &mut problems);
        kept.expect_label(" x", "c", &mut problems);
        kept.expect_label("x", "d", &mut problems);
        let problems = problems.into_vec();
        let fields: Vec<&str> = problems.iter().map(|it| it.field.as_str()).collect();
        assert_eq!(fields, ["b", "c"]);
        assert_eq!(problems[0].text, field::hidden_character("U+200B"));
    }

    proptest! {
        #[test]
        fn tidying_twice_changes_nothing(text in ".{0,40}") {
            let once = tidy(&text);
            prop_assert_eq!(tidy(&once), once);
        }

        #[test]
        fn any_text_is_judged(text in any::<String>()) {
            let _ = check(&nfc(&text), 0..=1_000, Lines::Several);
        }
    }
}
