//! What settings are told that cannot be used. What a secret's variable holds is never repeated.

use crate::texts;

texts! {
    setting:
    number(usual, got) {
        "must be a whole number such as {usual}; got {got}"
        "{usual} 같은 정수여야 합니다(받은 값: {got})"
    }
    part(got) {
        "must be a number from 0 to 1; got {got}"
        "0~1의 숫자여야 합니다(받은 값: {got})"
    }
    address(got) {
        "must be an address or a name with a port, such as 127.0.0.1:8000 or localhost:8000; got {got}"
        "127.0.0.1:8000이나 localhost:8000처럼 주소 또는 이름에 포트를 붙인 것이어야 합니다(받은 값: {got})"
    }
    unknown_host(got, cause) {
        "names a host that cannot be found: {got} ({cause}); correct it or its entry in DNS"
        "찾을 수 없는 호스트입니다: {got}({cause}). 값이나 DNS 항목을 고치세요"
    }
    origin(got) {
        "must list origins such as https://example.com, with commas between them and no path; got {got}"
        "https://example.com 같은 오리진을 쉼표로 나열해야 하고 경로가 없어야 합니다(받은 값: {got})"
    }
    network(got) {
        "must list addresses or networks such as 10.0.0.1 or 10.0.0.0/8, with commas between them; got {got}"
        "10.0.0.1이나 10.0.0.0/8 같은 주소 또는 네트워크를 쉼표로 나열해야 합니다(받은 값: {got})"
    }
    namespace(got) {
        "must be 1 to 32 characters of a-z, 0-9, - and _; got {got}"
        "a-z, 0-9, -, _로 된 1~32자여야 합니다(받은 값: {got})"
    }
    otlp() {
        "must be like http://collector:4318, without a user, a password or a query"
        "http://collector:4318과 같은 형식이어야 하고 사용자, 비밀번호, 쿼리가 없어야 합니다"
    }
    sentry() {
        "must be a DSN as Sentry shows it: https://KEY@HOST/PROJECT"
        "Sentry에 표시되는 DSN(https://KEY@HOST/PROJECT)이어야 합니다"
    }
    blank_secret() {
        "must be more than spaces; set a secret or unset it"
        "공백만 있을 수 없습니다. 비밀 값을 설정하거나 변수를 없애세요"
    }
    not_text() {
        "must be UTF-8"
        "UTF-8이어야 합니다"
    }
    file_unreadable(cause) {
        "names a file that cannot be read ({cause}); correct the path or its permissions"
        "읽을 수 없는 파일을 가리킵니다({cause}). 경로나 권한을 고치세요"
    }
    file_not_text() {
        "names a file that is not UTF-8; write the secret as text"
        "UTF-8이 아닌 파일을 가리킵니다. 비밀 값을 텍스트로 적으세요"
    }
    file_blank() {
        "names a file that is empty; write the secret into it"
        "빈 파일을 가리킵니다. 파일에 비밀 값을 적으세요"
    }
    twice(name) {
        "and {name}_FILE are both set; keep one of them"
        "{name}_FILE과(와) 둘 다 설정되어 있습니다. 하나만 남기세요"
    }
    dot_env_unreadable(cause) {
        "cannot be read ({cause}); correct its permissions or remove it"
        "읽을 수 없습니다({cause}). 권한을 고치거나 파일을 지우세요"
    }
    dot_env_line(number, problem) {
        "(line {number}) {problem}"
        "({number}번째 줄) {problem}"
    }
    line_not_text() {
        "must be UTF-8; save the file as text"
        "UTF-8이어야 합니다. 파일을 텍스트로 저장하세요"
    }
    line_again() {
        "must not set again what an earlier line sets; remove one of them"
        "앞줄에서 설정한 것을 다시 설정할 수 없습니다. 하나를 지우세요"
    }
    line_form() {
        "must be NAME=value"
        "NAME=value 형식이어야 합니다"
    }
    line_open_quote() {
        "must close its quotation mark on the same line"
        "따옴표를 같은 줄에서 닫아야 합니다"
    }
    line_behind_quote() {
        "must end after its closing quotation mark"
        "닫는 따옴표에서 끝나야 합니다"
    }
    line_bare_hash() {
        "must have quotation marks around a value that begins with #"
        "#으로 시작하는 값은 따옴표로 묶어야 합니다"
    }
    line_bare_spaces() {
        "must have quotation marks around a value with spaces or quotation marks"
        "공백이나 따옴표가 있는 값은 따옴표로 묶어야 합니다"
    }
    percent_encode() {
        "percent-encode / # @ ? % in user and password as %2F %23 %40 %3F %25"
        "사용자와 비밀번호의 / # @ ? %는 %2F %23 %40 %3F %25로 적으세요"
    }
    url_postgres() {
        "must begin with mysql:// or sqlite://; PostgreSQL is not supported, use MySQL, MariaDB or SQLite"
        "mysql:// 또는 sqlite://로 시작해야 합니다. PostgreSQL은 지원하지 않습니다. MySQL, MariaDB, SQLite를 쓰세요"
    }
    url_scheme() {
        "must begin with mysql:// (also for MariaDB) or sqlite://"
        "mysql://(MariaDB도 같음) 또는 sqlite://로 시작해야 합니다"
    }
    url_form(advice) {
        "must be mysql://user:password@host:port/database; {advice}"
        "mysql://user:password@host:port/database 형식이어야 합니다. {advice}"
    }
    url_spaces() {
        "must not contain spaces or line breaks; percent-encode them"
        "공백이나 줄바꿈이 없어야 합니다. 퍼센트 인코딩하세요"
    }
    url_unencoded(advice) {
        "must say where its parts end: {advice}"
        "각 부분의 경계가 분명해야 합니다. {advice}"
    }
    url_host() {
        "must name a host: mysql://user:password@host:port/database"
        "호스트가 있어야 합니다: mysql://user:password@host:port/database"
    }
    url_database() {
        "must name one database: mysql://user:password@host:port/database"
        "데이터베이스 하나를 지정해야 합니다: mysql://user:password@host:port/database"
    }
    url_file() {
        "must name a file, such as sqlite://data/xmas.db?mode=rwc"
        "sqlite://data/xmas.db?mode=rwc처럼 파일을 지정해야 합니다"
    }
    url_mysql_parameter(advice) {
        "must have no parameters but ssl-mode, ssl-ca, ssl-cert, ssl-key, socket, charset, collation, timezone and statement-cache-capacity; {advice}"
        "매개변수는 ssl-mode, ssl-ca, ssl-cert, ssl-key, socket, charset, collation, timezone, statement-cache-capacity만 쓸 수 있습니다. {advice}"
    }
    url_ssl_mode() {
        "must have an ssl-mode of disabled, preferred, required, verify_ca or verify_identity"
        "ssl-mode는 disabled, preferred, required, verify_ca, verify_identity 중 하나여야 합니다"
    }
    url_cache_capacity() {
        "must have a whole number as its statement-cache-capacity"
        "statement-cache-capacity는 정수여야 합니다"
    }
    url_sqlite_parameter() {
        "must have no parameters but mode (ro, rw or rwc), cache (private or shared), immutable (true or false) and vfs"
        "매개변수는 mode(ro, rw, rwc), cache(private, shared), immutable(true, false), vfs만 쓸 수 있습니다"
    }
    redis_scheme() {
        "must begin with redis:// or, for TLS, rediss://"
        "redis:// 또는 TLS라면 rediss://로 시작해야 합니다"
    }
    redis_form(advice) {
        "must be redis://user:password@host:port/number; {advice}"
        "redis://user:password@host:port/number 형식이어야 합니다. {advice}"
    }
    redis_host() {
        "must name a host: redis://user:password@host:port/number"
        "호스트가 있어야 합니다: redis://user:password@host:port/number"
    }
    redis_database() {
        "must end with the number of a database, such as /0, or with nothing"
        "/0 같은 데이터베이스 번호로 끝나거나 번호가 없어야 합니다"
    }
    redis_parameter(advice) {
        "must have no parameters; {advice}"
        "매개변수가 없어야 합니다. {advice}"
    }
    secret_unset(name) {
        "is not set: make one with `openssl rand -base64 48` and set it, or name its file in {name}_FILE"
        "설정되지 않았습니다. `openssl rand -base64 48`로 만들어 설정하거나 {name}_FILE로 파일을 지정하세요"
    }
    secret_from_example() {
        "looks like a value from an example: make one with `openssl rand -base64 48`"
        "예제에 나오는 값처럼 보입니다. `openssl rand -base64 48`로 만드세요"
    }
    secret_short(got, least) {
        "is {got} bytes long and needs at least {least}: make one with `openssl rand -base64 48`"
        "{got}바이트인데 {least}바이트 이상이어야 합니다. `openssl rand -base64 48`로 만드세요"
    }
    secret_monotonous() {
        "repeats a few characters: make one with `openssl rand -base64 48`"
        "몇 글자만 되풀이됩니다. `openssl rand -base64 48`로 만드세요"
    }
    same_previous_key() {
        "is the same as DATA_KEY: set it to the key that sealed before, or unset it"
        "DATA_KEY와 같습니다. 이전에 암호화하던 키로 설정하거나 변수를 없애세요"
    }
    same_as_jwt() {
        "is the same as JWT_SECRET: make one of its own with `openssl rand -base64 48`"
        "JWT_SECRET과 같습니다. `openssl rand -base64 48`로 따로 만드세요"
    }
    embedded_in_production() {
        "is not set, which means the embedded database with its demo seed: set it to the production database"
        "설정되지 않아 데모 데이터가 든 내장 데이터베이스를 쓰게 됩니다. 운영 데이터베이스로 설정하세요"
    }
    gate_in_production() {
        "is true, which lets QA's schedule switch features off for players: set it to false or unset it"
        "true라서 QA 일정이 플레이어의 기능을 끌 수 있습니다. false로 바꾸거나 변수를 없애세요"
    }
    clock_in_production() {
        "is set, which shifts the clock: unset it, so that the real time counts"
        "설정되어 시계가 바뀝니다. 실제 시각을 쓰도록 변수를 없애세요"
    }
    every_origin() {
        "contains `*`, which lets every site call this API: list the origins of your clients instead"
        "`*`가 들어 있어 모든 사이트가 이 API를 부를 수 있습니다. 클라이언트의 오리진을 나열하세요"
    }
    proxies_too_wide(network) {
        "trusts {network}, so that anybody there may say which address a request comes from: list your proxies only"
        "{network}을(를) 믿기 때문에 그 안의 누구나 요청의 출발지 주소를 속일 수 있습니다. 프록시만 나열하세요"
    }
    file_for_everybody() {
        "names a file that every user of this machine may read: `chmod 600` it, or 640 for a group"
        "이 서버의 모든 사용자가 읽을 수 있는 파일을 가리킵니다. `chmod 600`(그룹이라면 640)을 하세요"
    }
    authorities_without_tls() {
        "is set, but REDIS_URL must begin with rediss:// for TLS"
        "설정되어 있으니 REDIS_URL은 TLS를 쓰는 rediss://로 시작해야 합니다"
    }
    authorities(cause) {
        "must name a file of certificates in PEM form that can be read ({cause})"
        "읽을 수 있는 PEM 형식의 인증서 파일을 가리켜야 합니다({cause})"
    }
    redis_unusable(cause) {
        "cannot be used: {cause}"
        "쓸 수 없습니다: {cause}"
    }
    log_filter(got) {
        "must list levels (error, warn, info, debug, trace, off), such as info,sqlx=warn; got {got}"
        "info,sqlx=warn처럼 레벨(error, warn, info, debug, trace, off)을 나열해야 합니다(받은 값: {got})"
    }
}
