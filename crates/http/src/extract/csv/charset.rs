//! What the bytes of a table mean. Whatever is read wrongly would be stored wrongly, so nothing is guessed
//! that could be something else.

use std::borrow::Cow;

use encoding_rs::{EUC_KR, Encoding, UTF_8, UTF_16BE, UTF_16LE};
use xmas_texts::{Text, csv};

use crate::extract::csv::scan::line_breaks;

/// Why bytes are no text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    /// `None` if it is about all of them.
    pub(super) line: Option<u64>,
    pub(super) problem: Text,
}

/// Which charsets can be declared, for whoever declares another one. With a charset of single bytes any bytes
/// are some text, so that a wrong declaration could not be told.
pub(super) const KNOWN: &[&str] = &["utf-8", "euc-kr (cp949)", "utf-16"];

/// The charset that a label names, in any of the spellings that browsers and Windows know. `utf-16` is little
/// endian unless a byte order mark says otherwise; read the wrong way around, no column has its name.
pub(super) fn named(label: &str) -> Option<&'static Encoding> {
    let label = label.trim();
    let windows = ["cp949", "ms949", "uhc", "x-windows-949"];
    if windows
        .iter()
        .any(|known| known.eq_ignore_ascii_case(label))
    {
        return Some(EUC_KR);
    }
    let known = [UTF_8, EUC_KR, UTF_16LE, UTF_16BE];
    Encoding::for_label(label.as_bytes()).filter(|encoding| known.contains(encoding))
}

/// The text of these bytes: as their byte order mark says, or else as was declared. What was not declared is
/// UTF-8, or else CP949 that can be nothing else.
pub(super) fn text<'a>(
    bytes: &'a [u8],
    declared: Option<&'static Encoding>,
) -> Result<Cow<'a, str>, Unreadable> {
    // A ZIP, as newer workbooks are, or a compound file, as older ones are.
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"\xd0\xcf\x11\xe0") {
        return Err(whole(csv::workbook()));
    }
    let text = match (Encoding::for_bom(bytes), declared) {
        (Some((marked, mark)), _) => strict(&bytes[mark..], marked)?,
        (None, Some(declared)) => {
            if declared == EUC_KR && is_korean_in_utf_8(bytes) {
                return Err(whole(csv::declared_euc_kr_is_utf_8()));
            }
            strict(bytes, declared)?
        }
        (None, None) => undeclared(bytes)?,
    };
    for (sign, problem) in [
        ('\0', csv::nul()),
        (char::REPLACEMENT_CHARACTER, csv::lost_characters()),
    ] {
        if let Some((before, _)) = text.split_once(sign) {
            return Err(on_line_after(before, problem));
        }
    }
    Ok(text)
}

fn whole(problem: Text) -> Unreadable {
    Unreadable {
        line: None,
        problem,
    }
}

fn on_line_after(before: &str, problem: Text) -> Unreadable {
    Unreadable {
        line: Some(1 + line_breaks(before)),
        problem,
    }
}

/// Every byte belongs to a character, or there is no text.
fn strict<'a>(bytes: &'a [u8], encoding: &'static Encoding) -> Result<Cow<'a, str>, Unreadable> {
    if let Some(text) = encoding.decode_without_bom_handling_and_without_replacement(bytes) {
        return Ok(text);
    }
    let problem = if encoding == EUC_KR {
        csv::not_euc_kr()
    } else if encoding == UTF_8 {
        csv::not_utf_8_as_declared()
    } else {
        csv::not_utf_16_as_declared()
    };
    Err(on_line_after(&good_beginning(bytes, encoding), problem))
}

/// What can be read before the first byte that cannot.
fn good_beginning(bytes: &[u8], encoding: &'static Encoding) -> String {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let longest = decoder.max_utf8_buffer_length_without_replacement(bytes.len());
    let mut text = String::with_capacity(longest.unwrap_or(bytes.len()));
    let (_, _) = decoder.decode_to_string_without_replacement(bytes, &mut text, true);
    text
}

fn undeclared(bytes: &[u8]) -> Result<Cow<'_, str>, Unreadable> {
    match std::str::from_utf8(bytes) {
        Ok(text) if could_be_euc_kr(text) => Err(whole(csv::utf_8_or_euc_kr())),
        Ok(text) => Ok(Cow::Borrowed(text)),
        Err(error) => plain_korean(bytes).ok_or_else(|| {
            let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
            on_line_after(&String::from_utf8_lossy(good), csv::not_utf_8())
        }),
    }
}

/// Whether a text in UTF-8 may as well be one in CP949: characters of two bytes mostly may, such as "ȣ", which is
/// "호" there. Those of three, as Hangul is, are next to never anything in CP949.
fn could_be_euc_kr(text: &str) -> bool {
    !text.is_ascii()
        && text.chars().all(|sign| sign < '\u{800}')
        && EUC_KR
            .decode_without_bom_handling_and_without_replacement(text.as_bytes())
            .is_some()
}

/// The text, if it is in CP949 without a doubt: ASCII, and from KS X 1001 Hangul and what stands beside it.
/// Hanja and the rare syllables that only CP949 has are what bytes of other charsets look like.
fn plain_korean(bytes: &[u8]) -> Option<Cow<'_, str>> {
    let mut has_hangul = false;
    let mut rest = bytes.iter();
    while let Some(lead) = rest.next() {
        if lead.is_ascii() {
            continue;
        }
        let trail = rest.next()?;
        match lead {
            0xb0..=0xc8 => has_hangul = true,
            // Punctuation, forms of full width, single letters; units; circled digits.
            0xa1..=0xa4 | 0xa7..=0xa9 => {}
            _ => return None,
        }
        if *trail < 0xa1 {
            return None;
        }
    }
    let text = EUC_KR.decode_without_bom_handling_and_without_replacement(bytes);
    text.filter(|_| has_hangul)
}

fn is_korean_in_utf_8(bytes: &[u8]) -> bool {
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    text.contains(|sign| matches!(sign, '\u{ac00}'..='\u{d7a3}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn euc_kr(text: &str) -> Vec<u8> {
        let (bytes, _, lossy) = EUC_KR.encode(text);
        assert!(!lossy, "{text}");
        bytes.into_owned()
    }

    fn utf_16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn charsets_have_the_names_that_are_in_use() {
        for (label, encoding) in [
            ("utf-8", UTF_8),
            ("UTF8", UTF_8),
            ("euc-kr", EUC_KR),
            ("CP949", EUC_KR),
            ("ks_c_5601-1987", EUC_KR),
            ("windows-949", EUC_KR),
            ("x-windows-949", EUC_KR),
            ("ms949", EUC_KR),
            ("uhc", EUC_KR),
            ("utf-16", UTF_16LE),
            ("utf-16le", UTF_16LE),
            ("UTF-16BE", UTF_16BE),
        ] {
            assert_eq!(named(label), Some(encoding), "{label}");
        }
        for label in [
            "",
            "latin1",
            "us-ascii",
            "shift_jis",
            "gbk",
            "x-user-defined",
            "replacement",
        ] {
            assert_eq!(named(label), None, "{label}");
        }
    }

    #[test]
    fn a_mark_says_more_than_a_declaration() {
        let utf_8 = "\u{feff}산타".as_bytes();
        let utf_16 = utf_16("\u{feff}산타");
        for declared in [None, Some(UTF_8), Some(EUC_KR), Some(UTF_16BE)] {
            assert_eq!(text(utf_8, declared).unwrap(), "산타");
            assert_eq!(text(&utf_16, declared).unwrap(), "산타");
        }
    }

    #[test]
    fn what_is_declared_is_honoured_to_the_byte() {
        for name in ["산타, 01", "뷁", "山", "ㅋ"] {
            assert_eq!(text(&euc_kr(name), Some(EUC_KR)).unwrap(), name);
            assert_eq!(text(&utf_16(name), Some(UTF_16LE)).unwrap(), name);
        }
        let line = |bytes: &[u8], declared| text(bytes, declared).unwrap_err().line;
        for (bytes, declared) in [
            (&b"a\r\nb\rc\n\xff"[..], EUC_KR),
            (b"a\r\nb\rc\n\xb0", EUC_KR),
            (b"a\r\nb\rc\n\xb0\xa1", UTF_8),
            (b"a\0\n\0\n\0\n\0\n", UTF_16LE),
        ] {
            assert_eq!(line(bytes, Some(declared)), Some(4), "{bytes:?}");
        }
        // Which would be some other Korean in EUC-KR.
        assert!(text("산타".as_bytes(), Some(EUC_KR)).is_err());
    }

    #[test]
    fn what_is_not_declared_is_never_read_as_something_else() {
        assert_eq!(text("Jörg, 산타".as_bytes(), None).unwrap(), "Jörg, 산타");
        for name in ["산타, 01", "○○상사 ①㎏ ＡＢ", "호"] {
            let bytes = euc_kr(name);
            let read = text(&bytes, None);
            assert!(read.is_err() || read.unwrap() == name, "{name}");
        }
        assert_eq!(text(&euc_kr("산타, 01\n"), None).unwrap(), "산타, 01\n");
        for bytes in [
            // "호" in CP949, or "ȣ" in UTF-8.
            &[0xc8, 0xa3][..],
            // Latin-1: "Jörg", "Åke", "Müller", "é".
            b"J\xf6rg",
            b"\xc5ke",
            b"M\xfcller",
            b"\xe9",
            // Shift JIS and GBK.
            b"\x83\x54\x83\x93\x83\x5e",
            b"\xca\xa5\xb5\xae",
            // Hanja, and a syllable that KS X 1001 does not have.
            &euc_kr("山"),
            &euc_kr("뷁"),
            // UTF-16 without a mark, either way around.
            &utf_16("id\n산타\n"),
            b"\0i\0d\0\n",
        ] {
            assert!(text(bytes, None).is_err(), "{bytes:?}");
        }
        let lost = text("a\n\u{fffd}".as_bytes(), None).unwrap_err();
        assert_eq!(lost.line, Some(2));
        assert_eq!(text(b"a\nb\n\xff", None).unwrap_err().line, Some(3));
    }
}
