//! What people see of a text.

/// Whether a character leaves something to see: no space, no control character, none of those that
/// have no width or change the direction of others. Two texts of visible characters that look alike
/// are not told apart by what is not seen of them.
pub fn is_visible(character: char) -> bool {
    let has_no_width = matches!(
        character,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
    );
    !character.is_whitespace() && !character.is_control() && !has_no_width
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_seen_is_visible() {
        assert!("BM20-한글é🎄".chars().all(is_visible));
        for hidden in [
            ' ', '\t', '\0', '\u{200b}', '\u{202e}', '\u{2028}', '\u{feff}',
        ] {
            assert!(!is_visible(hidden), "{hidden:?}");
        }
    }
}
