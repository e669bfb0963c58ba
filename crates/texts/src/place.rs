use crate::{
    Language, Text,
    text::{full_stop, quoted},
};

/// What a problem is about: the path of a field in the contract, such as `prizes.4.weight`, and what people call the
/// item of a list that it leads through.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub path: &'a str,
    pub label: Option<&'a str>,
    /// A name below the path that nobody knows here: a stranger's text, which is quoted and never read as a path.
    pub stranger: Option<&'a str>,
}

/// Lists by the last part of their path, and what one item is called. Levels and days have numbers of their own, which a
/// place in a list is not.
const ITEMS: [(&str, &str, &str); 7] = [
    ("prizes", "prize", "경품"),
    ("segments", "segment", "룰렛 칸"),
    ("items", "item", "항목"),
    ("rows", "row", "행"),
    ("features", "feature", "기능"),
    ("players", "player", "플레이어"),
    ("", "row", "행"),
];

impl Place<'_> {
    /// The whole sentence: what it is about, and what is said of that. Items of lists are counted from 1 here.
    pub fn sentence(&self, text: &Text, language: Language) -> String {
        let (item, field) = self.item(language);
        let text = text.in_language(language);
        let known = match (field, language) {
            ("", _) => None,
            ("body", Language::English) => Some("the body".to_owned()),
            ("body", Language::Korean) => Some("본문".to_owned()),
            ("query", Language::English) => Some("the query".to_owned()),
            ("query", Language::Korean) => Some("쿼리".to_owned()),
            ("csv", Language::English) => Some("the table".to_owned()),
            ("csv", Language::Korean) => Some("표".to_owned()),
            // Below it there may be names that somebody has made up.
            (field, _) => Some(field.escape_debug().to_string()),
        };
        let stranger = self.stranger.map(|name| quoted(name).show(language));
        let parts: Vec<String> = match language {
            Language::English => [item, known, stranger].into_iter().flatten().collect(),
            Language::Korean => match (item, known) {
                (Some(item), Some(known)) => vec![format!("{item}의 {known}")],
                (item, known) => item.or(known).into_iter().collect(),
            }
            .into_iter()
            .chain(stranger)
            .collect(),
        };
        let about = parts.join(": ");
        full_stop(match (about.is_empty(), language) {
            (true, _) => text,
            (false, Language::English) => format!("{about} {text}"),
            (false, Language::Korean) => format!("{about}: {text}"),
        })
    }

    /// The item of a list that the path leads through, if it does, and the field behind it.
    fn item(&self, language: Language) -> (Option<String>, &str) {
        if let Some(line) = self.path.strip_prefix("line ") {
            let (number, field) = line.split_once('.').unwrap_or((line, ""));
            let item = match language {
                Language::English => format!("line {number}"),
                Language::Korean => format!("{number}번째 줄"),
            };
            return (Some(item), field);
        }
        let Some((list, index, field)) = last_index(self.path) else {
            return (None, self.path);
        };
        let name = list.rsplit('.').next().unwrap_or_default();
        let number = index + 1;
        let known = ITEMS.iter().find(|(known, ..)| *known == name);
        let item = match (known, language) {
            (Some((_, item, _)), Language::English) => format!("{item} {number}"),
            (Some((_, _, item)), Language::Korean) => format!("{item} {number}번"),
            (None, Language::English) => format!("{list}, item {number}"),
            (None, Language::Korean) => format!("{list} {number}번째"),
        };
        let label = self.label.filter(|label| !label.is_empty());
        let item = match label {
            Some(label) => format!("{item} {}", quoted(label).show(language)),
            None => item,
        };
        (Some(item), field)
    }
}

/// The path of the innermost list that a path leads through, the index in it, and what stands behind.
fn last_index(path: &str) -> Option<(&str, u64, &str)> {
    let mut found = None;
    let mut start = 0;
    for part in path.split('.') {
        let end = start + part.len();
        let is_index = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        // More than any list holds is no index.
        if let (true, Ok(index)) = (is_index, part.parse::<u32>()) {
            let list = path[..start].trim_end_matches('.');
            let field = path[end..].trim_start_matches('.');
            found = Some((list, u64::from(index), field));
        }
        start = end + 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field;

    #[test]
    fn people_count_from_one_and_know_things_by_their_names() {
        let told = |path, label| {
            let place = Place {
                path,
                label,
                stranger: None,
            };
            let text = field::between(0, 1_000_000_000, -5);
            Language::ALL.map(|language| place.sentence(&text, language))
        };
        let weight = told("prizes.4.weight", Some("배민 2만"));
        assert_eq!(
            weight,
            [
                "prize 5 \"배민 2만\": weight must be from 0 to 1,000,000,000; got -5.",
                "경품 5번 \"배민 2만\"의 weight: 0~1,000,000,000 범위여야 합니다(받은 값: -5)."
            ]
        );
        let [english, korean] = told("max_level", None);
        assert!(english.starts_with("max_level must"), "{english}");
        assert!(korean.starts_with("max_level: 0~"), "{korean}");
        let [english, korean] = told("0.rank", None);
        assert!(english.starts_with("row 1: rank must"), "{english}");
        assert!(korean.starts_with("행 1번의 rank: "), "{korean}");
        let [english, korean] = told("line 7.amount", None);
        assert!(english.starts_with("line 7: amount must"), "{english}");
        assert!(korean.starts_with("7번째 줄의 amount: "), "{korean}");
        let [english, korean] = told("line 7", None);
        assert!(english.starts_with("line 7 must"), "{english}");
        assert!(korean.starts_with("7번째 줄: 0~"), "{korean}");
        let [english, korean] = told("value.cards.2", None);
        assert!(english.starts_with("value.cards, item 3 must"), "{english}");
        assert!(korean.starts_with("value.cards 3번째: 0~"), "{korean}");
        let [english, korean] = told("body", None);
        assert!(english.starts_with("the body must"), "{english}");
        assert!(korean.starts_with("본문: 0~"), "{korean}");
    }

    #[test]
    fn what_a_stranger_has_named_is_quoted_and_no_path() {
        let told = |path, stranger| {
            let place = Place {
                path,
                label: None,
                stranger: Some(stranger),
            };
            Language::ALL.map(|language| place.sentence(&field::given_twice(), language))
        };
        let [english, korean] = told("", "18446744073709551615");
        assert_eq!(english, "\"18446744073709551615\" must be given only once.");
        assert!(korean.starts_with("\"18446744073709551615\": "), "{korean}");
        let [english, korean] = told("prizes.1", "body");
        assert_eq!(english, "prize 2: \"body\" must be given only once.");
        assert!(korean.starts_with("경품 2번: \"body\": "), "{korean}");
        let [english, _] = told("config_json", "a\u{202e}b");
        assert_eq!(
            english,
            "config_json: \"a\\u{202e}b\" must be given only once."
        );
        let far = Place {
            path: "99999999999.a",
            label: None,
            stranger: None,
        };
        let told = far.sentence(&field::required(), Language::English);
        assert_eq!(told, "99999999999.a must be given.");
    }
}
