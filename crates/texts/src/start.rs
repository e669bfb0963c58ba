//! What the command line, the configuration and the readiness check say.

use crate::texts;

texts! {
    start:
    draining() {
        "has begun: this replica is about to stop"
        "시작됨: 이 복제본은 곧 멈춥니다"
    }
    schema_lacks(migrations) {
        "lacks {migrations}; run `xmas-api migrate up`"
        "{migrations}이(가) 없습니다. `xmas-api migrate up`을 실행하세요"
    }
    schema_too_new(migration) {
        "has {migration}, which needs a newer program; deploy it"
        "{migration}이(가) 적용되어 더 새로운 프로그램이 필요합니다. 새 버전을 배포하세요"
    }
    clock_differs(seconds) {
        "differs from the database's by {seconds} s; synchronise both"
        "데이터베이스의 시계와 {seconds}초 다릅니다. 두 시계를 맞추세요"
    }
    data_key_half_known() {
        "is being rotated, and DATA_KEY or DATA_KEY_PREVIOUS is missing; set both"
        "교체 중인데 DATA_KEY나 DATA_KEY_PREVIOUS가 없습니다. 둘 다 설정하세요"
    }
    data_key_of_another() {
        "is not the database's; set the key that it was sealed with"
        "이 데이터베이스의 키가 아닙니다. 암호화한 키를 설정하세요"
    }
    database_away() {
        "cannot be reached"
        "연결할 수 없습니다"
    }
    database_read_only() {
        "takes no writes: it was demoted, or its disk is full"
        "쓰기를 받지 않습니다. 복제 서버로 강등되었거나 디스크가 가득 찼습니다"
    }
    database_fails(error) {
        "cannot be used: {error}"
        "사용할 수 없습니다: {error}"
    }
    configuration_unreadable(problem) {
        "the configuration cannot be read: {problem}"
        "설정을 읽을 수 없습니다: {problem}"
    }
    configuration_unsafe(problems) {
        "this configuration is not safe in production:\n  {problems}"
        "운영 환경에 안전하지 않은 설정입니다:\n  {problems}"
    }
    connection_refused(place) {
        "{place} refuses the connection (connection refused): start the database server there, or correct DATABASE_URL"
        "{place}에서 연결을 거절합니다(connection refused). 그곳에서 데이터베이스 서버를 시작하거나 DATABASE_URL을 고치세요"
    }
    not_reached(place, cause) {
        "the database at {place} cannot be reached ({cause}): correct DATABASE_URL, or the network between"
        "{place}의 데이터베이스에 닿을 수 없습니다({cause}). DATABASE_URL이나 네트워크를 고치세요"
    }
    no_answer(place, seconds) {
        "the database at {place} has not answered within {seconds} s: see whether it is overloaded, or whether a firewall drops the connection"
        "{place}의 데이터베이스가 {seconds}초 안에 응답하지 않았습니다. 과부하인지, 방화벽이 막는지 확인하세요"
    }
    access_denied(user, place) {
        "the database at {place} refuses the user {user} or its password: correct them in DATABASE_URL (percent-encode / # @ ? %)"
        "{place}의 데이터베이스가 사용자 {user} 또는 비밀번호를 거절합니다. DATABASE_URL에서 고치세요(/ # @ ? %는 퍼센트 인코딩)"
    }
    no_right_to_database(user, name, place) {
        "the user {user} may not use the database {name} at {place}: grant it the rights in scripts/grants.sql, or correct DATABASE_URL"
        "사용자 {user}은(는) {place}의 데이터베이스 {name}을(를) 쓸 수 없습니다. scripts/grants.sql의 권한을 주거나 DATABASE_URL을 고치세요"
    }
    no_such_database(name, place) {
        "there is no database {name} at {place}: create it, or correct DATABASE_URL"
        "{place}에 데이터베이스 {name}이(가) 없습니다. 만들거나 DATABASE_URL을 고치세요"
    }
    server_refuses(place, cause) {
        "the database at {place} refuses the connection: {cause}"
        "{place}의 데이터베이스가 연결을 거절합니다: {cause}"
    }
    no_such_folder(folder) {
        "the folder {folder} of the database file does not exist: make it, or correct DATABASE_URL"
        "데이터베이스 파일의 폴더 {folder}이(가) 없습니다. 만들거나 DATABASE_URL을 고치세요"
    }
    no_such_file(file) {
        "there is no database file {file}: correct DATABASE_URL, or add mode=rwc to make it"
        "데이터베이스 파일 {file}이(가) 없습니다. DATABASE_URL을 고치거나, 새로 만들려면 mode=rwc를 붙이세요"
    }
    data_dir_unusable(folder, cause) {
        "the folder {folder} cannot be used ({cause}): make it yours, or set DATA_DIR to another one"
        "폴더 {folder}을(를) 쓸 수 없습니다({cause}). 폴더의 소유자를 바꾸거나 DATA_DIR을 다른 곳으로 설정하세요"
    }
    not_listening(address, cause, name) {
        "{address} cannot be listened on ({cause}): stop whatever uses it, or set {name} to another address"
        "{address}에서 요청을 받을 수 없습니다({cause}). 그곳을 쓰는 프로그램을 멈추거나 {name}을(를) 다른 주소로 설정하세요"
    }
    demo_refused() {
        "DATABASE_URL names a database that holds the demo seed with its well-known passwords: use a database of its own, made with `xmas-api migrate up` and `xmas-api seed event`"
        "DATABASE_URL이 비밀번호가 알려진 데모 데이터베이스를 가리킵니다. `xmas-api migrate up`과 `xmas-api seed event`로 만든 별도의 데이터베이스를 쓰세요"
    }
    demo_in_production() {
        "the demo seed has well-known passwords and is never written in production: use `xmas-api seed event`"
        "데모 데이터는 비밀번호가 알려져 있어 운영 환경에는 쓰지 않습니다. `xmas-api seed event`를 쓰세요"
    }
    demo_wants_empty() {
        "this database has players already, and the demo seed wants an empty one: make another database"
        "이 데이터베이스에는 이미 플레이어가 있습니다. 데모 데이터는 빈 데이터베이스에만 씁니다. 다른 데이터베이스를 만드세요"
    }
    other_data_key() {
        "DATA_KEY is not the one that this database's coupon codes and seeds were sealed with: set it back"
        "DATA_KEY가 이 데이터베이스의 쿠폰 코드와 시드를 암호화한 키가 아닙니다. 원래 키로 되돌리세요"
    }
    two_data_keys() {
        "DATA_KEY is being rotated in this database: set DATA_KEY to the new key and DATA_KEY_PREVIOUS to the old one"
        "이 데이터베이스에서 DATA_KEY를 교체하는 중입니다. DATA_KEY를 새 키로, DATA_KEY_PREVIOUS를 이전 키로 설정하세요"
    }
    schema_too_old(count, first) {
        "the database schema is too old for this program: {count} migrations are missing, the first is {first}; run `xmas-api migrate up` with the URL of the database's owner"
        "데이터베이스 스키마가 이 프로그램보다 오래되었습니다. 마이그레이션 {count}개가 없고 첫 번째는 {first}입니다. 데이터베이스 소유자의 URL로 `xmas-api migrate up`을 실행하세요"
    }
    schema_newer_than(version, migration, oldest) {
        "the database schema is too new for this program ({version}): {migration} needs xmas-api {oldest} or later; deploy it"
        "데이터베이스 스키마가 이 프로그램({version})보다 새롭습니다: {migration}에는 xmas-api {oldest} 이상이 필요합니다. 새 버전을 배포하세요"
    }
    migration_elsewhere(seconds) {
        "another process changes this schema and has not finished in {seconds} s; nothing was changed; try again, or wait longer with --wait"
        "다른 프로세스가 스키마를 바꾸고 있고 {seconds}초 안에 끝나지 않았습니다. 아무것도 바꾸지 않았습니다. 다시 시도하거나 --wait로 더 기다리세요"
    }
    migration_lock_lost() {
        "the connection that kept other migrations away was lost; run it again"
        "다른 마이그레이션을 막던 연결이 끊겼습니다. 다시 실행하세요"
    }
    migration_forbidden() {
        "the user in DATABASE_URL may not change the schema: run this with the URL of the database's owner, and `serve` with the application's user (scripts/grants.sql)"
        "DATABASE_URL의 사용자는 스키마를 바꿀 수 없습니다. 데이터베이스 소유자의 URL로 실행하고, `serve`는 애플리케이션 사용자(scripts/grants.sql)로 실행하세요"
    }
    down_unconfirmed() {
        "this drops tables with everything in them; add --yes if you mean it"
        "테이블이 내용과 함께 삭제됩니다. 정말 실행하려면 --yes를 붙이세요"
    }
    name_taken(name) {
        "an account with the external id {name} is there already; choose another one"
        "external_id {name} 계정이 이미 있습니다. 다른 아이디를 고르세요"
    }
    no_actor() {
        "--admin is missing: name the admin in whose name it is done"
        "--admin이 없습니다. 누구의 이름으로 하는지 관리자를 지정하세요"
    }
    no_such_admin(name) {
        "there is no active admin {name}: correct --admin, or make one with `xmas-api create-admin`"
        "활성 관리자 {name}이(가) 없습니다. --admin을 고치거나 `xmas-api create-admin`으로 만드세요"
    }
    bridge_not_due() {
        "BRIDGE_NOT_DUE: the bridge is not settled before its day; see --dry-run"
        "BRIDGE_NOT_DUE: 브릿지는 정산일 전에는 정산하지 않습니다. --dry-run을 보세요"
    }
    no_such_season(name) {
        "there is no season {name}"
        "시즌 {name}이(가) 없습니다"
    }
    bridge_not_found() {
        "BRIDGE_NOT_FOUND: there is no such bridge, or every one is closed; name one with --bridge"
        "BRIDGE_NOT_FOUND: 그런 브릿지가 없거나 모두 마감되었습니다. --bridge로 지정하세요"
    }
    gift_not_found() {
        "GIFT_NOT_FOUND: there is no such gift of keys; take its number from what `keys give` has printed"
        "GIFT_NOT_FOUND: 그런 열쇠 지급이 없습니다. `keys give`가 출력한 번호를 쓰세요"
    }
    settlement_stopped(cause) {
        "the settlement stopped: {cause}. What was paid is paid; run it again, and it goes on from there"
        "정산이 중단되었습니다: {cause}. 지급된 것은 지급된 것입니다. 다시 실행하면 이어서 진행합니다"
    }
    keys_stopped(cause) {
        "it stopped: {cause}. What was done is done; run it again, and it goes on from there"
        "중단되었습니다: {cause}. 이미 한 것은 그대로입니다. 다시 실행하면 이어서 진행합니다"
    }
    rotation_stopped(cause) {
        "the rotation stopped: {cause}. What is sealed again stays so; run it again, and it goes on from there. Until then both keys are needed"
        "키 교체가 중단되었습니다: {cause}. 다시 암호화한 것은 그대로입니다. 다시 실행하면 이어서 진행합니다. 그때까지 두 키가 모두 필요합니다"
    }
    rotation_unknown_keys() {
        "neither DATA_KEY nor DATA_KEY_PREVIOUS is this database's key: set DATA_KEY_PREVIOUS to the key that has sealed until now"
        "DATA_KEY도 DATA_KEY_PREVIOUS도 이 데이터베이스의 키가 아닙니다. DATA_KEY_PREVIOUS를 지금까지 암호화하던 키로 설정하세요"
    }
    rotation_no_previous() {
        "DATA_KEY_PREVIOUS is not set: set it to the key that has sealed until now, and DATA_KEY to the new one"
        "DATA_KEY_PREVIOUS가 설정되지 않았습니다. 지금까지 암호화하던 키로 설정하고, DATA_KEY를 새 키로 설정하세요"
    }
    rotation_swapped() {
        "a rotation from DATA_KEY to DATA_KEY_PREVIOUS is under way: swap the two, and let it end"
        "DATA_KEY에서 DATA_KEY_PREVIOUS로의 교체가 진행 중입니다. 두 값을 맞바꾸고 끝내세요"
    }
    rotation_nothing_sealed() {
        "nothing is sealed in this database, which has no key yet: the first start of the server gives it DATA_KEY, and DATA_KEY_PREVIOUS is not needed"
        "이 데이터베이스에는 암호화된 것이 없어 아직 키가 없습니다. 서버를 처음 시작할 때 DATA_KEY가 정해지며 DATA_KEY_PREVIOUS는 필요 없습니다"
    }
    rotation_busy() {
        "another process rotates DATA_KEY; if it was killed, run this again in 10 seconds"
        "다른 프로세스가 DATA_KEY를 교체하고 있습니다. 그 프로세스가 강제 종료되었다면 10초 뒤에 다시 실행하세요"
    }
    rotation_damaged(count, values) {
        "{count} value(s) open with neither key, or are a copy of another row's, and were left as they are:\n  {values}\nEverything else is under the new key, and the rotation has not ended. See docs/runbook/rotate-keys.md"
        "값 {count}개는 어느 키로도 열리지 않거나 다른 행의 복사본이라 그대로 두었습니다:\n  {values}\n나머지는 모두 새 키로 암호화되어 있고, 교체는 끝나지 않았습니다. docs/runbook/rotate-keys.ko.md를 보세요"
    }
    may_rewrite(table) {
        "DATABASE_URL names a user who may rewrite {table}: use one with the rights in scripts/grants.sql"
        "DATABASE_URL의 사용자가 {table}을(를) 고쳐 쓸 수 있습니다. scripts/grants.sql의 권한만 가진 사용자를 쓰세요"
    }
    rights_unknown(table, cause) {
        "whether the user in DATABASE_URL may rewrite {table} cannot be told: {cause}"
        "DATABASE_URL의 사용자가 {table}을(를) 고쳐 쓸 수 있는지 알 수 없습니다: {cause}"
    }
    redis_silent() {
        "REDIS_URL: the server does not answer, or refuses the password. The service runs without it; throttles then count in each process"
        "REDIS_URL: 서버가 응답하지 않거나 비밀번호를 거절합니다. 서비스는 Redis 없이 동작하며, 요청 제한은 프로세스마다 따로 셉니다"
    }
    migration_failed(cause) {
        "a migration failed: {cause}. What was applied before it stays; mend the cause and run it again"
        "마이그레이션이 실패했습니다: {cause}. 그 전에 적용된 것은 그대로입니다. 원인을 고치고 다시 실행하세요"
    }
    codes_incomplete(cause) {
        "the fingerprints of coupon codes cannot be made: {cause}"
        "쿠폰 코드의 지문을 만들 수 없습니다: {cause}"
    }
    draws_unprepared(cause) {
        "today's draws cannot be prepared: {cause}"
        "오늘의 추첨을 준비할 수 없습니다: {cause}"
    }
    event_unwritten(cause) {
        "the event cannot be written, and nothing was changed: {cause}"
        "이벤트를 기록할 수 없어 아무것도 바꾸지 않았습니다: {cause}"
    }
    event_is_there() {
        "this database holds the 2025 event already; nothing was changed"
        "이 데이터베이스에는 2025년 이벤트가 이미 있습니다. 아무것도 바꾸지 않았습니다"
    }
    secret_file_unreadable(file, cause) {
        "{file} cannot be read ({cause}): make it yours"
        "{file}을(를) 읽을 수 없습니다({cause}). 파일의 소유자를 바꾸세요"
    }
    secret_file_unwritten(file, cause) {
        "{file} cannot be written ({cause}): make its folder yours"
        "{file}을(를) 쓸 수 없습니다({cause}). 폴더의 소유자를 바꾸세요"
    }
    secret_file_damaged(file) {
        "{file} is damaged: put back a copy, or delete it together with the development database, and new ones are made"
        "{file}이(가) 손상되었습니다. 복사본을 되돌리거나 개발용 데이터베이스와 함께 지우면 새로 만들어집니다"
    }
    password_unreadable(cause) {
        "standard input, which has the password, cannot be read ({cause})"
        "비밀번호가 들어올 표준 입력을 읽을 수 없습니다({cause})"
    }
    database_fails_check(cause) {
        "the database in DATABASE_URL cannot be looked at: {cause}"
        "DATABASE_URL의 데이터베이스를 살펴볼 수 없습니다: {cause}"
    }
    is_a_folder(file) {
        "{file} is a folder, and must be a database file: correct DATABASE_URL"
        "{file}은(는) 폴더입니다. 데이터베이스 파일이어야 합니다. DATABASE_URL을 고치세요"
    }
    is_no_database(file) {
        "{file} is not an SQLite database: correct DATABASE_URL"
        "{file}은(는) SQLite 데이터베이스가 아닙니다. DATABASE_URL을 고치세요"
    }
    file_unusable(file, cause) {
        "the database file {file} cannot be used ({cause}): give this user the rights to it and to its folder, or correct DATABASE_URL"
        "데이터베이스 파일 {file}을(를) 쓸 수 없습니다({cause}). 파일과 폴더의 권한을 주거나 DATABASE_URL을 고치세요"
    }
    database_unusable(cause) {
        "the database cannot be used: {cause}; see DATABASE_URL"
        "데이터베이스를 쓸 수 없습니다: {cause}. DATABASE_URL을 확인하세요"
    }
    key_not_compared(cause) {
        "DATA_KEY was not compared with the database's: {cause}"
        "DATA_KEY를 데이터베이스의 키와 비교하지 못했습니다: {cause}"
    }
}
