use encoding_rs::{EUC_KR, UTF_8, UTF_16LE};
use proptest::prelude::*;
use xmas_texts::Language;

use crate::{export::harmless, extract::csv::*};

const COLUMNS: [Column; 3] = [
    Column::id("external_id").required(),
    Column::text("amount"),
    Column::text("memo"),
];
const CODES: [Column; 1] = [Column::id("code").required()];

fn upload(bytes: &[u8], charset: Option<&'static Encoding>) -> CsvUpload {
    CsvUpload {
        bytes: Bytes::copy_from_slice(bytes),
        charset,
    }
}

fn table(text: &str) -> ApiResult<CsvTable> {
    upload(text.as_bytes(), None).table(&COLUMNS)
}

/// A row as its line, id, amount and memo.
type Row = (u64, Option<String>, Option<String>, Option<String>);

fn rows(table: &CsvTable) -> Vec<Row> {
    let cell = |row: &CsvRow, column| row.get(column).map(str::to_owned);
    let row = |row: &CsvRow| {
        let of = |column| cell(row, column);
        (row.line, of("external_id"), of("amount"), of("memo"))
    };
    table.rows.iter().map(row).collect()
}

fn codes(text: &str) -> ApiResult<Vec<(u64, String)>> {
    let table = upload(text.as_bytes(), None).table(&CODES)?;
    let rows = table.rows.iter();
    Ok(rows
        .map(|row| (row.line, row.get("code").unwrap_or_default().to_owned()))
        .collect())
}

/// What is told about each place of a table that is refused.
fn problems<T: std::fmt::Debug>(refused: ApiResult<T>) -> Vec<(String, String)> {
    let body = serde_json::to_value(refused.unwrap_err().body("", Language::English)).unwrap();
    let details = body["error"]["details"].as_object().unwrap().iter();
    details
        .map(|(place, problems)| (place.clone(), problems[0].as_str().unwrap().to_owned()))
        .collect()
}

fn problem(text: &str) -> (String, String) {
    let mut all = problems(table(text));
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

#[test]
fn a_spreadsheet_s_file_is_read() {
    let text = "\u{feff}Amount,EXTERNAL_ID\r\n5,\"산타, 01\"\r\n\r\n ,\"a\"\"b\"\r\n";
    let rows = table(text).unwrap().rows;
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0].get("external_id"), Some("산타, 01"));
    assert_eq!(
        (rows[0].get("amount"), rows[0].get("memo")),
        (Some("5"), None)
    );
    assert_eq!(rows[1].get("external_id"), Some("a\"b"));
    assert_eq!((rows[0].line, rows[1].line), (2, 4));
    assert_eq!(rows[1].get("amount"), None);
    let folded = table("external_id,memo\n\n\na,\"1\n2\"\nb,\n")
        .unwrap()
        .rows;
    assert_eq!((folded[0].line, folded[1].line), (4, 6));
}

#[test]
fn what_a_spreadsheet_leaves_empty_is_passed_over() {
    let full = "external_id,amount\na,1\nb,2\n";
    let expected = rows(&table(full).unwrap());
    for text in [
        // Rows of nothing.
        "external_id,amount\na,1\nb,2\n,\n,,\n , \n",
        // Columns of nothing.
        "external_id,amount,,\na,1,,\nb,2,,\n,,,\n",
        "external_id,,amount\na,,1\nb,,2\n",
        // More cells than there are names.
        "external_id,amount\na,1,,,\nb,2\n",
        "external_id,amount,\na,1\nb,2,\n",
    ] {
        assert_eq!(rows(&table(text).unwrap()), expected, "{text:?}");
    }
    let late = table("\u{feff},\n , \nexternal_id,amount\na,1\n").unwrap();
    assert_eq!(rows(&late)[0].0, 4);
    // Quotes around nothing are not nothing.
    assert_eq!(table("external_id\n\"\"\na\n").unwrap().rows.len(), 2);
    for text in [
        "external_id,\na,x\n",
        "external_id\na,x\n",
        "external_id,,amount\na,x,1\n",
    ] {
        let (place, told) = problem(text);
        assert_eq!(place, "line 2", "{text:?}");
        assert!(told.contains("does not name"), "{told}");
    }
}

#[test]
fn what_stands_between_cells_is_found_out_or_told() {
    let expected = rows(&table("external_id,memo\na,\"x;y\tz\"\n").unwrap());
    for text in [
        "external_id;memo\na;\"x;y\tz\"\n",
        "external_id\tmemo\na\t\"x;y\tz\"\n",
    ] {
        assert_eq!(rows(&table(text).unwrap()), expected, "{text:?}");
    }
    let (_, id, _, memo) = expected[0].clone();
    for text in [
        "sep=;\r\nexternal_id;memo\r\na;\"x;y\tz\"\r\n",
        "\u{feff}sep=\t\r\nexternal_id\tmemo\r\na\t\"x;y\tz\"\r\n",
        "\u{feff}SEP=,\n\u{feff}external_id,memo\n\u{feff}a,x;y\tz\n",
        "\"sep=;\"\rexternal_id;memo\ra;\"x;y\tz\"",
    ] {
        let expected = [(3, id.clone(), None, memo.clone())];
        assert_eq!(rows(&table(text).unwrap()), expected, "{text:?}");
    }
    for text in [
        "external_id|memo\na|x\n",
        "external_id:memo\na:x\n",
        "sep=|\nexternal_id|memo\na|x\n",
        "sep=\nexternal_id,memo\na,x\n",
    ] {
        let (place, told) = problem(text);
        assert_eq!(place, "csv");
        assert!(told.contains("commas, semicolons or tabs"), "{told}");
    }
    // The names decide, and not how often a sign stands there.
    let names = rows(&table("external_id,amount\n\"a;b;c;d\",1\n").unwrap());
    assert_eq!(names[0].1.as_deref(), Some("a;b;c;d"));
}

#[test]
fn no_mark_of_a_file_becomes_part_of_an_id() {
    for text in [
        "\u{feff}external_id,memo\na,\nb,\n",
        "\u{feff}\u{feff}external_id,\u{feff}memo\na,\nb,\n",
        "external_id,memo\n\u{feff}a,\n\u{feff}\"b\",\n",
        "external_id,memo\n\"\u{feff}a\",\n \u{feff} b,\n",
    ] {
        let ids = table(text).unwrap().rows;
        let ids: Vec<_> = ids
            .iter()
            .map(|row| row.get("external_id").unwrap())
            .collect();
        assert_eq!(ids, ["a", "b"], "{text:?}");
    }
    // Where the file before did not end its last line.
    let (place, told) = problem("external_id\na\u{feff}b\n");
    assert_eq!(place, "line 2.external_id");
    assert!(told.contains("byte order mark"), "{told}");
}

#[test]
fn what_is_not_the_table_is_refused_by_name() {
    for (text, told) in [
        ("external_id,gift\na,b\n", "\"gift\""),
        ("external_id,External_ID\na,b\n", "once"),
        ("amount\n5\n", "external_id"),
        ("external_id\n", "below its first line"),
        ("external_id\n,,\n", "below its first line"),
        ("", "external_id"),
        (",,\n\n", "external_id"),
    ] {
        let (place, problem) = problem(text);
        assert_eq!(place, "csv", "{text:?}");
        assert!(problem.contains(told), "{problem}");
    }
    // A file without a first line may begin with a secret.
    let columns = [Column::id("external_id"), Column::secret("password")];
    let told = problems(upload(b"let it go!,a\n", None).table(&columns));
    assert!(!told[0].1.contains("let it go"), "{told:?}");
    let long = "x".repeat(1_000);
    assert!(problem(&format!("{long},b\n")).1.len() < 200);
    for (text, place) in [
        ("amount,external_id\n1,a\n2\n", "line 3"),
        ("external_id,amount\na\n", "line 2"),
        ("external_id\na\n\"b\nc\n", "line 3"),
        ("external_id\r\ra\r\"b\"c\r", "line 4"),
    ] {
        assert_eq!(problem(text).0, place, "{text:?}");
    }
    // All of them at once.
    let all = problems(table("external_id,amount\n1E+11,#N/A\n,\n#REF!,5,x\n"));
    let places: Vec<_> = all.iter().map(|(place, _)| place.as_str()).collect();
    assert_eq!(
        places,
        [
            "line 2.amount",
            "line 2.external_id",
            "line 4",
            "line 4.external_id"
        ]
    );
}

#[test]
fn an_id_that_was_taken_for_a_number_is_refused() {
    for columns in [&COLUMNS, &[Column::secret("external_id"); 3]] {
        let bytes = "external_id\n1.23457E+11\n".as_bytes();
        let refused = problems(upload(bytes, None).table(&columns[..1]));
        assert_eq!(refused[0].0, "line 2.external_id");
        assert!(refused[0].1.contains("format the column as text"));
    }
    assert!(table("external_id,memo\n12E34,1.2E+3\n").is_ok());
    assert_eq!(problems(codes("code\n1E+11\n"))[0].0, "line 2.code");
    assert_eq!(problems(codes("1E+11\n"))[0].0, "line 1.code");
}

#[test]
fn a_list_of_codes_needs_no_name_above_it() {
    let expected = |first| {
        let codes = ["A-1", "B-2"];
        Ok::<_, ()>((first..).zip(codes.map(str::to_owned)).collect::<Vec<_>>())
    };
    for text in ["code\nA-1\nB-2\n", "CODE;;\nA-1;;\nB-2;;\n;;\n"] {
        assert_eq!(codes(text).map_err(|_| ()), expected(2), "{text:?}");
    }
    for text in [
        "\u{feff}A-1\r\nB-2\r\n",
        "A-1,,\n\"B-2\",,\n,,\n",
        "A-1\tx".get(..3).unwrap(),
    ] {
        let read = codes(text).unwrap();
        let all = expected(1).unwrap();
        assert_eq!(read, all[..read.len()], "{text:?}");
    }
    // Under its name anything is a code.
    assert_eq!(codes("code\ncode\nname\n").unwrap().len(), 2);
    // Without it, what has no digit is rather a name that is not known here.
    for text in [
        "coupon_code\nA-1\n",
        "쿠폰 코드\nA-1\n",
        "A-1,B-2\n",
        "MERRYXMAS\n",
    ] {
        let told = problems(codes(text));
        assert_eq!(told[0].0, "csv");
        // Which may be a code.
        assert!(!told[0].1.contains("MERRY") && !told[0].1.contains("A-1"));
    }
}

#[test]
fn between_quotes_the_spaces_of_a_secret_count() {
    let columns = [Column::id("external_id"), Column::secret("password")];
    let text = "external_id,password\n\" a \",\"  let it go \"\nb,  let it go \nc,\"   \"\n";
    let read = upload(text.as_bytes(), None).table(&columns).unwrap();
    let passwords: Vec<_> = read.rows.iter().map(|row| row.get("password")).collect();
    assert_eq!(
        passwords,
        [Some("  let it go "), Some("let it go"), Some("   ")]
    );
    assert_eq!(read.rows[0].get("external_id"), Some("a"));
}

#[test]
fn only_tables_in_a_known_charset_are_taken() {
    let declared = |content_type: &str| {
        let request = actix_web::test::TestRequest::default();
        let request = request.insert_header(("content-type", content_type));
        declared(&MediaType::of(&request.to_http_request()))
    };
    for (content_type, charset) in [
        ("text/csv", None),
        ("text/csv; charset=utf-8", Some(UTF_8)),
        ("text/csv; charset=CP949", Some(EUC_KR)),
        ("text/tab-separated-values; charset=utf-16", Some(UTF_16LE)),
        ("application/vnd.ms-excel", None),
    ] {
        assert_eq!(declared(content_type).unwrap(), charset, "{content_type}");
    }
    for (content_type, told) in [
        ("text/plain", "text/csv"),
        ("multipart/form-data; boundary=x", "text/csv"),
        ("", "text/csv"),
        ("text/csv; charset=latin1", "euc-kr"),
        ("text/csv; charset=klingon", "euc-kr"),
    ] {
        let refused = declared(content_type).unwrap_err();
        assert_eq!(refused.code(), xmas_kernel::ErrorCode::UnsupportedMediaType);
        let body = serde_json::to_value(refused.body("", Language::English)).unwrap();
        let problem = &body["error"]["details"]["Content-Type"][0];
        assert!(problem.as_str().unwrap().contains(told), "{problem}");
    }
}

/// Whose spelling a table has.
#[derive(Clone, Copy, Debug)]
enum Spelling {
    Utf8,
    Utf8WithMark,
    Utf16WithMark,
    EucKrDeclared,
    EucKr,
}

impl Spelling {
    fn upload(self, text: &str) -> CsvUpload {
        let marked = format!("\u{feff}{text}");
        match self {
            Spelling::Utf8 => upload(text.as_bytes(), None),
            Spelling::Utf8WithMark => upload(marked.as_bytes(), None),
            Spelling::Utf16WithMark => {
                let bytes: Vec<u8> = marked.encode_utf16().flat_map(u16::to_le_bytes).collect();
                upload(&bytes, None)
            }
            Spelling::EucKrDeclared => upload(&EUC_KR.encode(text).0, Some(EUC_KR)),
            Spelling::EucKr => upload(&EUC_KR.encode(text).0, None),
        }
    }
}

/// Every text that an office writes: Hangul, Hanja, syllables that only CP949 has, quotes, delimiters, line breaks.
const TEXT: &str = "[가-힣뷁山호철a-zA-Z0-9 '\"=+@,;\t\r\n※]{0,12}";

fn any_spelling() -> impl Strategy<Value = Spelling> {
    prop::sample::select(vec![
        Spelling::Utf8,
        Spelling::Utf8WithMark,
        Spelling::Utf16WithMark,
        Spelling::EucKrDeclared,
        Spelling::EucKr,
    ])
}

/// A text as it is written into a file, and a row as it is read from there.
fn written(
    delimiter: u8,
    end: csv::Terminator,
    content: &[(String, u32, String)],
) -> (String, Vec<Row>) {
    let breaks = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n");
        text.replace('\r', "\n").matches('\n').count() as u64
    };
    let mut writer = csv::WriterBuilder::new()
        .delimiter(delimiter)
        .terminator(end)
        .from_writer(Vec::new());
    writer
        .write_record(["external_id", "amount", "memo"])
        .unwrap();
    let mut expected = Vec::new();
    for (id, amount, memo) in content {
        writer.flush().unwrap();
        let line = 1 + breaks(writer.get_ref());
        let (id, memo) = (id.trim(), memo.trim());
        let amount = amount.to_string();
        writer
            .write_record([&harmless(id), &amount, &harmless(memo)])
            .unwrap();
        let cell = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        expected.push((line, cell(id), Some(amount), cell(memo)));
    }
    let bytes = writer.into_inner().unwrap();
    (String::from_utf8(bytes).unwrap(), expected)
}

proptest! {
    #[test]
    fn what_was_written_is_read_again_row_by_row_and_line_by_line(
        content in prop::collection::vec((TEXT, any::<u32>(), TEXT), 1..8),
        delimiter in prop::sample::select(vec![b',', b';', b'\t']),
        end in prop::sample::select(vec![
            csv::Terminator::CRLF,
            csv::Terminator::Any(b'\n'),
            csv::Terminator::Any(b'\r'),
        ]),
        spelling in any_spelling(),
    ) {
        let (text, expected) = written(delimiter, end, &content);
        let read = spelling.upload(&text).table(&COLUMNS);
        match (spelling, read) {
            (_, Ok(table)) => prop_assert_eq!(rows(&table), expected),
            // What could be something else may be refused, and is never read as that.
            (Spelling::EucKr, Err(_)) => {}
            (_, Err(refused)) => {
                let body = serde_json::to_string(&refused.body("", Language::English)).unwrap();
                prop_assert!(false, "{}: {:?}", body, text);
            }
        }
    }

    #[test]
    fn whatever_bytes_come_no_id_has_a_mark_or_a_lost_character(
        head in prop::sample::select(vec!["", "external_id,memo\n", "\u{feff}external_id;memo\r\n", "sep=;\n"]),
        tail in prop::collection::vec(prop_oneof![
            any::<Vec<u8>>(),
            "[a-z,;\r\n\"\u{feff}\u{fffd}산]{0,9}".prop_map(String::into_bytes),
        ], 0..6),
        declared in prop::sample::select(vec![None, Some(UTF_8), Some(EUC_KR), Some(UTF_16LE)]),
    ) {
        let bytes = [head.as_bytes(), &tail.concat()].concat();
        for columns in [&COLUMNS[..], &CODES] {
            let Ok(table) = upload(&bytes, declared).table(columns) else { continue };
            for row in &table.rows {
                for column in ["external_id", "code", "memo"] {
                    let cell = row.get(column).unwrap_or_default();
                    prop_assert!(!cell.contains(['\u{feff}', '\u{fffd}', '\0']), "{:?}", cell);
                }
            }
        }
    }
}
