# List the recipes.
[private]
default:
    @just --list

# Start the server with the settings of the environment and of .env.
run:
    cargo run -p xmas-api

# Run the whole test suite: formatting, lints, SQLite, MariaDB, documentation.
test:
    scripts/test

# Run the tests on SQLite only, or on the server in DATABASE_TEST_URL.
test-quick:
    cargo test --workspace

# Change the rules of a crate (time, season-pass, …) bit by bit, and list what no test of that crate notices.
# Needs cargo-mutants: cargo install cargo-mutants --locked. Which files it changes: .cargo/mutants.toml.
mutants CRATE *ARGS:
    cargo mutants -p xmas-{{ CRATE }} --output target {{ ARGS }}

# Run what another team would build on the domain crates.
reuse:
    cargo test --manifest-path examples/reuse/Cargo.toml --target-dir target --locked

# Fuzz the server on SQLite and MariaDB; fails on what scripts/fuzzing/known-exceptions.toml does not explain.
fuzz *ARGS:
    scripts/fuzz {{ ARGS }}

# Measure the hot requests against floors on MariaDB and SQLite: bench/README.md.
bench *ARGS:
    scripts/bench {{ ARGS }}

# Format the code.
fmt:
    cargo fmt --all

# Run the lints as the test suite does.
lint:
    cargo clippy --workspace --all-targets --all-features --locked -- -D warnings

# Check the dependencies' licenses, sources and bans (works offline).
deny:
    cargo deny check bans licenses sources

# Check the dependencies for known vulnerabilities (needs the network).
deny-advisories:
    cargo deny check advisories

# Generate docs/configuration.md, docs/openapi.json, docs/event-file.md (.ko.md) and docs/database.md again.
docs:
    # Built first, because a failing build would otherwise leave the documents empty.
    @cargo build -q -p xmas-api
    @cargo build -q -p xmas-migration --example database-reference
    @mkdir -p docs
    cargo run -q -p xmas-api -- check --reference > docs/configuration.md
    cargo run -q -p xmas-api -- openapi > docs/openapi.json
    LANG=C cargo run -q -p xmas-api -- event schema --reference > docs/event-file.md
    LANG=ko_KR.UTF-8 cargo run -q -p xmas-api -- event schema --reference > docs/event-file.ko.md
    cargo run -q -p xmas-migration --example database-reference > docs/database.md.new
    mv docs/database.md.new docs/database.md

# Start a throwaway MariaDB with its files in DIR and print its URL.
mariadb DIR:
    @scripts/mariadb start {{ quote(DIR) }}

# Stop the MariaDB that was started in DIR.
mariadb-stop DIR:
    @scripts/mariadb stop {{ quote(DIR) }}

# Migrate the database: up, down or status.
migrate *ARGS:
    cargo run -q -p xmas-api -- migrate {{ ARGS }}

# Fill the database: demo or event.
seed KIND:
    cargo run -q -p xmas-api -- seed {{ quote(KIND) }}

# Print the effective configuration, and fail on anything unsafe.
check:
    cargo run -q -p xmas-api -- check

# Delete the embedded demo database.
clean-demo:
    rm -rf data
