//! What `--help` says of each verb below its options: examples, exit codes, and the settings that it reads
//! (docs/configuration.md has them all).

pub(super) const SERVE: &str = "\
Examples:
  xmas-api                                    the demo, on port 8000 of this machine only
  APP_ENV=production xmas-api serve           an event; `xmas-api check` says first what is missing

Exit codes:
  0  stopped by SIGTERM or Ctrl-C
  1  refused, or failed
  2  the settings cannot be read

Reads every setting: `xmas-api check` prints them.";

pub(super) const MIGRATE: &str = "\
Examples:
  DATABASE_URL=mysql://owner:…@127.0.0.1/xmas xmas-api migrate up
  xmas-api migrate up --dry-run               print the SQL, and change nothing
  xmas-api migrate status                     what is applied, and what is missing

The schema is changed as the database's owner; the server runs as another user (scripts/grants.sql).

Exit codes:
  0  done; of `status`: the schema fits this program
  1  refused, or failed; what was applied before stays, and the same command goes on; of `status`: it does not fit
  2  the command line or the settings cannot be understood

Reads APP_ENV, DATA_DIR, DATABASE_URL, DATA_KEY and DATA_KEY_PREVIOUS (to compare them, if they are set).";

pub(super) const SEED: &str = "\
Examples:
  xmas-api seed event                         the 2025 event, before this year's season is made of it
  xmas-api seed demo --if-empty               the demo, unless something is there already

Exit codes:
  0  done, or (--if-empty) nothing was to be done
  1  refused, or failed; nothing was written
  2  the command line or the settings cannot be understood

Reads APP_ENV, DATA_DIR, DATABASE_URL, DATA_KEY, XMAS_CLOCK and REWARD_REVIEW_POINTS.";

pub(super) const EVENT: &str = "\
Examples:
  xmas-api event example > event.toml         the event of 2025, to begin with
  xmas-api event check event.toml             every mistake at once, each with its line and column
  xmas-api event plan event.toml --out event.plan
  xmas-api event apply event.toml --plan event.plan --admin lead --reason '2026 이벤트'
  xmas-api event export > event.toml          the event as it is
  xmas-api event schema > event.schema.json   for editors

docs/event-file.md describes the file.

Exit codes:
  0  done
  1  refused, or failed; nothing was changed
  2  the command line or the settings cannot be understood

`example`, `check` and `schema` read no setting. The others read APP_ENV, DATA_DIR, DATABASE_URL, DATA_KEY and XMAS_CLOCK.";

pub(super) const CHECK: &str = "\
Examples:
  xmas-api check                              every setting in force, then what is unsafe, and `ok` if nothing is
  xmas-api check --json | jq .problems
  LANG=ko_KR.UTF-8 xmas-api check             in Korean

Exit codes:
  0  nothing is unsafe; there may be warnings
  1  something is unsafe: `serve` would refuse it in production
  2  the settings cannot be read

Reads every setting, and asks the database and Redis.";

pub(super) const CREATE_ADMIN: &str = "\
Examples:
  xmas-api create-admin lead                  the password is made up and printed once
  printf %s \"$PASSWORD\" | xmas-api create-admin lead --password-stdin

Exit codes:
  0  the admin is there
  1  refused, or failed; nothing was written
  2  the command line or the settings cannot be understood

Reads APP_ENV, DATA_DIR and DATABASE_URL.";

pub(super) const SETTLE: &str = "\
Examples:
  xmas-api settle --dry-run                   who would be paid, and who not
  xmas-api settle                             pay; run it again whenever it stopped
  xmas-api settle --json > certificate.json

Exit codes:
  0  everybody who may be paid is paid
  1  refused, or failed
  2  the command line or the settings cannot be understood
  3  stopped half-way: what was paid is paid; run it again

Reads APP_ENV, DATA_DIR, DATABASE_URL, DATA_KEY, XMAS_CLOCK and REWARD_REVIEW_POINTS.";

pub(super) const KEYS: &str = "\
Examples:
  xmas-api keys give --day 2 --external-id santa-01 --admin lead --reason '장애 보상'
  xmas-api keys give --day 2 --all-active --admin lead --reason '장애 보상' --dry-run
  xmas-api keys revert 7 --admin lead --reason '잘못 지급'

Exit codes:
  0  all of it is done
  1  refused, or failed
  2  the command line or the settings cannot be understood
  3  stopped half-way: what was done is done; run it again

Reads APP_ENV, DATA_DIR, DATABASE_URL, DATA_KEY and XMAS_CLOCK.";

pub(super) const ROTATE: &str = "\
Examples:
  DATA_KEY_PREVIOUS=$OLD DATA_KEY=$NEW xmas-api rotate-data-key --admin lead --reason '정기 교체'

Every replica must know both keys before. docs/runbook/rotate-keys.md has all of the steps.

Exit codes:
  0  DATA_KEY is the database's key, and no value has another one
  1  refused, or failed
  2  the command line or the settings cannot be understood
  3  stopped half-way: both keys are needed; run it again

Reads APP_ENV, DATA_DIR, DATABASE_URL, DATA_KEY, DATA_KEY_PREVIOUS and XMAS_CLOCK.";

pub(super) const AUDIT: &str = "\
Examples:
  xmas-api audit
  xmas-api audit --json | jq '.checks[] | select(.violations > 0)'

Exit codes:
  0  every invariant holds
  1  one is violated, or the audit failed
  2  the command line or the settings cannot be understood

Reads APP_ENV, DATA_DIR and DATABASE_URL.";

pub(super) const VERIFY_DRAW: &str = "\
Examples:
  curl -s $URL/api/me/plays/1/draw -H \"authorization: Bearer $TOKEN\" | xmas-api verify-draw
  xmas-api verify-draw receipt.json --commitment 9542a409…

Exit codes:
  0  the receipt holds
  1  it does not, or cannot be read
  2  the command line cannot be understood

Reads no setting, and asks nobody.";

pub(super) const HEALTHCHECK: &str = "\
Examples:
  xmas-api healthcheck
  xmas-api healthcheck --live

Exit codes:
  0  the server of this machine is ready (--live: is there)
  1  it is not, or does not answer
  2  the settings cannot be read

Reads BIND_ADDR.";

pub(super) const OPENAPI: &str = "\
Example:
  xmas-api openapi > openapi.json

Exit codes:
  0  printed

Reads no setting.";
