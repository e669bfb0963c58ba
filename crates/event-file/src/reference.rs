//! docs/event-file.md and its Korean twin, from the comments of the types.

use std::fmt::Write;

use serde_json::Value;
use xmas_texts::Language;

use crate::read::schema;

/// The description of a file, in Markdown.
pub fn reference(language: Language) -> String {
    let schema = schema();
    let mut text = match language {
        Language::English => ENGLISH.to_owned(),
        Language::Korean => KOREAN.to_owned(),
    };
    part(&mut text, schema, None, language);
    for name in parts(schema) {
        part(&mut text, &schema["$defs"][name], Some(name), language);
    }
    text
}

/// The parts of a file, each behind those that have it.
fn parts(schema: &'static Value) -> Vec<&'static str> {
    let mut parts: Vec<&str> = Vec::new();
    let mut open = vec![schema];
    while let Some(part) = open.pop() {
        let mut inner = Vec::new();
        for name in fields(part) {
            if let Some(named) = named(&part["properties"][name])
                && !parts.contains(&named)
            {
                parts.push(named);
                inner.push(&schema["$defs"][named]);
            }
        }
        open.extend(inner.into_iter().rev());
    }
    parts
}

/// First what must be given, in its order, and then the others.
fn fields(part: &'static Value) -> Vec<&'static str> {
    let required = part["required"].as_array().into_iter().flatten();
    let mut fields: Vec<&str> = required.filter_map(Value::as_str).collect();
    let all = part["properties"].as_object().into_iter().flatten();
    for (name, _) in all {
        if !fields.contains(&name.as_str()) {
            fields.push(name);
        }
    }
    fields
}

/// The part that a field has, or a list of which it is.
fn named(field: &Value) -> Option<&str> {
    let either = field["anyOf"].as_array().into_iter().flatten();
    let mut all = [field, &field["items"]].into_iter().chain(either);
    let reference = all.find_map(|schema| schema["$ref"].as_str())?;
    reference.strip_prefix("#/$defs/")
}

fn part(text: &mut String, part: &'static Value, name: Option<&str>, language: Language) {
    let say = |english: &'static str, korean: &'static str| match language {
        Language::English => english,
        Language::Korean => korean,
    };
    let title = match name {
        None => say("The file", "파일").to_owned(),
        Some(name) => format!("`{}`", titled(name)),
    };
    let (field, kind) = (say("field", "필드"), say("kind", "종류"));
    let (usual, meaning) = (say("if left out", "적지 않으면"), say("meaning", "의미"));
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        "\n## {title}\n\n{}\n\n| {field} | {kind} | {usual} | {meaning} |\n|---|---|---|---|\n",
        described(part, language)
    );
    let required = part["required"].as_array();
    for name in fields(part) {
        let schema = &part["properties"][name];
        let is_required = required.is_some_and(|all| all.iter().any(|it| it == name));
        let default = match (&schema["default"], is_required) {
            (_, true) => say("**must be given**", "**필수**").to_owned(),
            (Value::Null, false) => "–".to_owned(),
            (default, false) => format!("`{default}`"),
        };
        let _ = writeln!(
            text,
            "| `{name}` | {} | {default} | {} |",
            kind_of(schema, language),
            described(schema, language)
        );
    }
}

/// What a part is called: its type without what all types have in common.
fn titled(name: &str) -> String {
    name.replace("Section", "")
}

fn described(schema: &Value, language: Language) -> &str {
    let told = match language {
        Language::English => &schema["description"],
        Language::Korean => &schema["x-ko"],
    };
    told.as_str().unwrap_or_default()
}

fn kind_of(schema: &Value, language: Language) -> String {
    let say = |english: &str, korean: &str| {
        match language {
            Language::English => english,
            Language::Korean => korean,
        }
        .to_owned()
    };
    if let Some(allowed) = schema["enum"].as_array() {
        let allowed = allowed.iter().filter_map(Value::as_str);
        let allowed: Vec<String> = allowed.map(|name| format!("`{name}`")).collect();
        return allowed.join(", ");
    }
    let is_list = schema["type"] == "array";
    if let Some(name) = named(schema) {
        let name = titled(name);
        let link = format!("[`{name}`](#{})", name.to_ascii_lowercase());
        return match is_list {
            true => say(&format!("list of {link}"), &format!("{link} 목록")),
            false => link,
        };
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.first().and_then(Value::as_str),
        kind => kind.as_str(),
    };
    match (kind, schema["format"] == "date") {
        (_, true) => say("date", "날짜"),
        (Some("string"), _) => say("text", "문자열"),
        (Some("integer"), _) => say("whole number", "정수"),
        (Some("boolean"), _) => say("true or false", "참/거짓"),
        _ => say("table", "테이블"),
    }
}

const ENGLISH: &str = "# The event as one file

*Written by `xmas-api event schema --reference`, from the comments of the types.* [한국어](event-file.ko.md)

An event is a file of [TOML](https://toml.io): the season and its levels, the bridge with its days, the games with their
prize tables, bundles, kinds of coupons, the switches of features, and the texts that clients show. It is read, reviewed and
kept in version control; comments and Korean are welcome. [`events/xmas-2025.toml`](../events/xmas-2025.toml) is the event of
2025, and [`events/lunar-new-year.toml`](../events/lunar-new-year.toml) another one.

```sh
xmas-api event check event.toml                    # every mistake at once, each with its line and column; no database
xmas-api event plan event.toml --out event.plan    # what would change, and what that means; changes nothing
xmas-api event apply event.toml --plan event.plan --admin lead --reason 'Christmas 2026'
xmas-api event export > event.toml                 # the event as it is, in its canonical form
xmas-api event schema > event.schema.json          # for editors
```

- **What a file leaves out stays as it is.** A file may be a part of the event: the texts alone, say. Within a list everything
  is said: a level that is left out is gone.
- **Names instead of ids.** A season, a wheel, a bundle is known by its name; another name is another one. A wheel, dice or
  lottery of another name takes the place of the one that is played, with stock and versions of its own: give the games of a
  new event new names. A prize is known by its label, and prizes keep their order: new ones stand behind those that are there.
- **`stock_total` counts what was won**, so that a file says the same before and after plays. A larger one adds to what is left.
- **Nothing that belongs to players** is in a file, and no coupon code: codes are uploaded (`POST /admin/api/coupons/{id}/codes`).
- Dates are days in Korea. A field that is null in JSON is left out here; an instant may be written as TOML has it.
- **`plan`** says what would be added (`+`), changed (`~`) and removed (`-`), the odds before and after, what a play brings on the
  average before and after, who would reach a level at once, what players were promised otherwise while the event runs, and what
  the database refuses: a prize that was drawn does not vanish (`is_active = false` switches it off), a bundle that is there is not
  changed, a day with keys keeps its name and its points, and what is announced takes over as it was announced.
- **`apply`** does all of it in one transaction, or nothing. Each thing that changes has its row in the audit log as if it had been
  edited alone, and each area a row `EVENT_APPLY` with the SHA-256 of the file. What is there already is left alone: the second time
  nothing happens. With `--plan` it is refused if the file or the event has changed since. While an event runs it asks first, or
  wants `--yes`.
- The admin API has the same under `/admin/api/event/` (`export`, `plan`, `apply`).
";

const KOREAN: &str = "# 파일 하나로 된 이벤트

*`LANG=ko_KR.UTF-8 xmas-api event schema --reference`가 타입의 주석에서 만든 문서입니다.* [English](event-file.md)

이벤트는 [TOML](https://toml.io) 파일 하나입니다. 시즌과 레벨, 브릿지와 날짜, 게임과 경품표, 묶음, 쿠폰 종류, 기능 스위치, 클라이언트 문구가 들어 있습니다. 사람이 읽고
검토하고 버전 관리에 둘 수 있으며, 주석과 한국어를 쓸 수 있습니다. [`events/xmas-2025.toml`](../events/xmas-2025.toml)은 2025년 이벤트이고
[`events/lunar-new-year.toml`](../events/lunar-new-year.toml)은 다른 이벤트입니다.

```sh
xmas-api event check event.toml                    # 모든 잘못을 한 번에, 줄과 열까지. 데이터베이스는 필요 없습니다
xmas-api event plan event.toml --out event.plan    # 무엇이 바뀌고 어떤 뜻인지 보여 줍니다. 아무것도 바꾸지 않습니다
xmas-api event apply event.toml --plan event.plan --admin lead --reason '2026 크리스마스'
xmas-api event export > event.toml                 # 지금의 이벤트를 정해진 형식으로 씁니다
xmas-api event schema > event.schema.json          # 편집기용 스키마
```

- **파일에 없는 것은 그대로 남습니다.** 문구만 담은 파일처럼 이벤트의 일부만 적어도 됩니다. 목록은 전체를 적습니다. 빠진 레벨은 없어집니다.
- **id 대신 이름을 씁니다.** 시즌, 룰렛, 묶음은 이름으로 구분하며 이름이 다르면 다른 것입니다. 이름이 다른 룰렛, 주사위, 복권은 지금 플레이되는 것을 대신하고 재고와 버전을 따로 가집니다. 새
  이벤트의 게임에는 새 이름을 쓰세요. 경품은 표시 이름으로 구분하고 순서를 유지합니다. 새 경품은 뒤에 적으세요.
- **`stock_total`은 이미 당첨된 것까지 셉니다.** 그래서 플레이 전후에 파일이 같습니다. 늘리면 남은 수량이 그만큼 늘어납니다.
- **플레이어의 것과 쿠폰 코드는 파일에 없습니다.** 코드는 따로 올립니다(`POST /admin/api/coupons/{id}/codes`).
- 날짜는 한국 날짜입니다. JSON에서 null인 필드는 여기서는 적지 않습니다. 시각은 TOML 형식으로 적을 수 있습니다.
- **`plan`**은 추가(`+`), 변경(`~`), 삭제(`-`)될 것, 전후 확률, 플레이 한 번의 전후 평균 지급, 바로 레벨에 도달할 플레이어 수, 진행 중인 이벤트에서 달라지는 약속, 그리고 데이터베이스가 거부하는
  것을 보여 줍니다. 당첨된 적이 있는 경품은 없앨 수 없고(`is_active = false`로 끕니다), 이미 있는 묶음은 바꿀 수 없고, 열쇠가 있는 날의 이름과 포인트는 바꿀 수 없으며, 예고된 확률표는 예고한 대로
  적용됩니다.
- **`apply`**는 한 트랜잭션에서 전부 적용하거나 전혀 적용하지 않습니다. 바뀌는 것마다 따로 고친 것처럼 감사 기록이 남고, 영역마다 파일의 SHA-256이 담긴 `EVENT_APPLY` 기록이 남습니다. 이미 그대로인
  것은 건드리지 않으므로 두 번째에는 아무 일도 없습니다. `--plan`을 주면 그 뒤에 파일이나 이벤트가 바뀌었을 때 거부합니다. 이벤트가 진행 중이면 먼저 묻거나 `--yes`를 요구합니다.
- 관리자 API에도 같은 기능이 있습니다(`/admin/api/event/`의 `export`, `plan`, `apply`).
";
