use crate::{Language, Text, text::full_stop};

/// What a problem is about: the path of a field in the contract, such as `prizes.4.weight`, and what people call the
/// item of a list that it leads through.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub path: &'a str,
    pub label: Option<&'a str>,
}

/// Lists by the last part of their path, and what one item is called.
const ITEMS: [(&str, &str, &str); 9] = [
    ("prizes", "prize", "경품"),
    ("segments", "segment", "룰렛 칸"),
    ("levels", "level", "레벨"),
    ("days", "bridge day", "브릿지 날"),
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
        let about = match (field, language) {
            ("", _) => String::new(),
            ("body", Language::English) => "the body ".to_owned(),
            ("body", Language::Korean) => "본문: ".to_owned(),
            ("query", Language::English) => "the query ".to_owned(),
            ("query", Language::Korean) => "쿼리: ".to_owned(),
            ("csv", Language::English) => "the table ".to_owned(),
            ("csv", Language::Korean) => "표: ".to_owned(),
            (field, Language::English) => format!("{field} "),
            (field, Language::Korean) => format!("{field}: "),
        };
        let sentence = match item {
            Some(item) => match (field.is_empty(), language) {
                (true, Language::English) => format!("{item} {text}"),
                (false, Language::Korean) => format!("{item}의 {about}{text}"),
                _ => format!("{item}: {about}{text}"),
            },
            None => format!("{about}{text}"),
        };
        full_stop(sentence)
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
            (None, Language::Korean) => format!("{list}의 {number}번째"),
        };
        let label = self.label.filter(|label| !label.is_empty());
        let item = match label {
            Some(label) => format!("{item} \"{label}\""),
            None => item,
        };
        (Some(item), field)
    }
}

/// The path of the innermost list that a path leads through, the index in it, and what stands behind.
fn last_index(path: &str) -> Option<(&str, usize, &str)> {
    let mut found = None;
    let mut start = 0;
    for part in path.split('.') {
        let end = start + part.len();
        let is_index = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if let (true, Ok(index)) = (is_index, part.parse()) {
            let list = path[..start].trim_end_matches('.');
            let field = path[end..].trim_start_matches('.');
            found = Some((list, index, field));
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
            let place = Place { path, label };
            let text = field::between(0, 1_000_000_000, -5);
            Language::ALL.map(|language| place.sentence(&text, language))
        };
        let weight = told("prizes.4.weight", Some("배민 2만"));
        assert_eq!(
            weight,
            [
                "prize 5 \"배민 2만\": weight must be from 0 to 1,000,000,000; got -5.",
                "경품 5번 \"배민 2만\"의 weight: 0~1,000,000,000이어야 합니다(받은 값: -5)."
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
        assert!(korean.starts_with("value.cards의 3번째: 0~"), "{korean}");
        let [english, korean] = told("body", None);
        assert!(english.starts_with("the body must"), "{english}");
        assert!(korean.starts_with("본문: 0~"), "{korean}");
    }
}
