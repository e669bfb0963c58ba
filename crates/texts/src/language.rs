/// A language that every text stands in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Language {
    #[default]
    English,
    Korean,
}

impl Language {
    pub const ALL: [Self; 2] = [Self::English, Self::Korean];

    /// Its tag (BCP 47).
    pub fn tag(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::Korean => "ko",
        }
    }

    /// The language that a tag such as `ko-KR` means, or a locale such as `ko_KR.UTF-8`; `None` if it is another one.
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_', '.']).next().unwrap_or_default();
        let mut all = Self::ALL.into_iter();
        all.find(|language| language.tag().eq_ignore_ascii_case(primary))
    }

    /// The language of a terminal: the first of `LC_ALL`, `LC_MESSAGES` and `LANG` that is set (POSIX).
    pub fn of_environment() -> Self {
        let set = |name: &&str| std::env::var(name).is_ok_and(|value| !value.is_empty());
        let first = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find(set);
        let locale = first.and_then(|name| std::env::var(name).ok());
        let language = locale.as_deref().and_then(Self::of_tag);
        language.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_locales_name_a_language() {
        for (tag, language) in [
            ("ko", Some(Language::Korean)),
            ("ko-KR", Some(Language::Korean)),
            ("KO-kr", Some(Language::Korean)),
            ("ko_KR.UTF-8", Some(Language::Korean)),
            ("en-GB", Some(Language::English)),
            ("C.UTF-8", None),
            ("kok", None),
            ("ja", None),
            ("", None),
        ] {
            assert_eq!(Language::of_tag(tag), language, "{tag}");
        }
    }
}
