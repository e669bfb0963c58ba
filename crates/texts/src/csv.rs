//! What uploaded tables are told.

use crate::texts;

texts! {
    csv:
    too_many_rows(most) {
        "must have at most {most} rows; upload it in parts"
        "행이 {most}개 이하여야 합니다. 나누어 올리세요"
    }
    no_rows() {
        "must have at least one row below its first line"
        "첫 줄 아래에 행이 하나는 있어야 합니다"
    }
    separator() {
        "must be separated by commas, semicolons or tabs, and say so in a first line such as sep=;"
        "쉼표, 세미콜론, 탭 중 하나로 나누고 첫 줄에 sep=;처럼 적어야 합니다"
    }
    column_twice(column) {
        "must have the column {column} only once"
        "{column} 열은 하나만 있어야 합니다"
    }
    column_missing(column) {
        "must have a column {column}, named in its first line"
        "첫 줄에 이름이 있는 {column} 열이 있어야 합니다"
    }
    one_column(column) {
        "must be one column, with {column} in its first line or a digit in its first value"
        "열이 하나여야 하고, 첫 줄이 {column}이거나 첫 값에 숫자가 있어야 합니다"
    }
    /// Where what stands there may be a secret.
    columns(known) {
        "must name its columns in the first line, from {known}; commas, semicolons or tabs separate them"
        "첫 줄에 열 이름이 있어야 합니다. 쓸 수 있는 열: {known}(쉼표, 세미콜론, 탭으로 구분)"
    }
    columns_not(known, got) {
        "must name its columns in the first line, from {known}; got {got}; commas, semicolons or tabs separate them"
        "첫 줄에 열 이름이 있어야 합니다. 쓸 수 있는 열: {known}(쉼표, 세미콜론, 탭으로 구분, 받은 값: {got})"
    }
    too_few_cells(least, got) {
        "must have at least {least} cells, as the first line has; got {got}"
        "첫 줄처럼 칸이 {least}개 이상이어야 합니다(받은 칸: {got})"
    }
    nameless_cell() {
        "must have no value in a column that the first line does not name"
        "첫 줄에 이름이 없는 열에는 값이 없어야 합니다"
    }
    open_quote() {
        "must close the quotation mark that it opens"
        "연 따옴표를 닫아야 합니다"
    }
    behind_quote() {
        "must have nothing between a closing quotation mark and the next cell"
        "닫는 따옴표와 다음 칸 사이에는 아무것도 없어야 합니다"
    }
    byte_order_mark() {
        "must have no byte order mark inside: two files may have been joined here"
        "중간에 바이트 순서 표시(BOM)가 없어야 합니다. 두 파일을 이어 붙인 자리일 수 있습니다"
    }
    formula_error(got) {
        "must not be the error of a formula; got {got}"
        "수식 오류 값일 수 없습니다(받은 값: {got})"
    }
    scientific(got) {
        "must not be in scientific notation, which has lost digits; got {got}; format the column as text and enter it again"
        "지수 표기일 수 없습니다. 끝자리가 사라졌을 수 있습니다(받은 값: {got}). 열 서식을 텍스트로 바꾸고 다시 입력하세요"
    }
    full_width_digits(got) {
        "must be a whole number in the digits 0 to 9; got {got}"
        "반각 숫자 0~9로 쓴 정수여야 합니다(받은 값: {got})"
    }
    separated_digits(got) {
        "must be a whole number without separators, such as 1000; got {got}"
        "1000처럼 구분 기호가 없는 정수여야 합니다(받은 값: {got})"
    }
    declared_euc_kr_is_utf_8() {
        "must be EUC-KR, as Content-Type says, but is UTF-8; declare charset=utf-8"
        "Content-Type에 적힌 대로 EUC-KR이어야 하는데 UTF-8입니다. charset=utf-8로 보내세요"
    }
    not_euc_kr() {
        "must be EUC-KR, as Content-Type says"
        "Content-Type에 적힌 대로 EUC-KR이어야 합니다"
    }
    not_utf_8_as_declared() {
        "must be UTF-8, as its Content-Type or byte order mark says; in a spreadsheet, save it as CSV UTF-8"
        "Content-Type이나 BOM에 적힌 대로 UTF-8이어야 합니다. 스프레드시트에서 CSV UTF-8로 저장하세요"
    }
    not_utf_16_as_declared() {
        "must be UTF-16, as its Content-Type or byte order mark says"
        "Content-Type이나 BOM에 적힌 대로 UTF-16이어야 합니다"
    }
    not_utf_8() {
        "must be UTF-8; in a spreadsheet, save it as CSV UTF-8, or declare what it is: text/csv; charset=euc-kr"
        "UTF-8이어야 합니다. 스프레드시트에서 CSV UTF-8로 저장하거나 text/csv; charset=euc-kr처럼 알려 주세요"
    }
    utf_8_or_euc_kr() {
        "must be declared as UTF-8 or EUC-KR, since it could be both: text/csv; charset=utf-8"
        "UTF-8인지 EUC-KR인지 알려 주어야 합니다. 어느 쪽으로도 읽힙니다: text/csv; charset=utf-8"
    }
    workbook() {
        "must be CSV, and not a workbook; in the spreadsheet, save it as CSV UTF-8"
        "엑셀 통합 문서가 아니라 CSV여야 합니다. 스프레드시트에서 CSV UTF-8로 저장하세요"
    }
    nul() {
        "must have no NUL characters; UTF-16 begins with a byte order mark"
        "NUL 문자가 없어야 합니다. UTF-16은 BOM으로 시작합니다"
    }
    lost_characters() {
        "must have no characters that were lost in a conversion (U+FFFD); export it again"
        "변환하다 깨진 글자(U+FFFD)가 없어야 합니다. 다시 내보내세요"
    }
}
