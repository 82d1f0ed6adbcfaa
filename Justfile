# Shows the recipes.
default:
    @just --list

# The whole daemon.
run *ARGS:
    cargo run --release -- up {{ARGS}}

# Every test of every crate.
test *ARGS:
    cargo test --workspace {{ARGS}}

# Form and lints, as CI has them.
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings

# Writes the committed description of the API anew; the old one stays when this fails.
openapi:
    mkdir -p openapi
    cargo run -q -- openapi > openapi/galley.json.part
    mv openapi/galley.json.part openapi/galley.json

# A running daemon, asked all that its description allows and much that it does not: just requests --max-examples 50
requests *ARGS:
    cargo build --bin galley
    python3 tests/schemathesis/run.py {{ARGS}}

# The description as makers of clients read it: linted, made into clients, and those driven against a running daemon.
clients:
    cargo build --bin galley
    python3 tests/clients/run.py

# Licences, sources and duplicates of dependencies.
deny:
    cargo deny check licenses bans sources

# The figures of docs/performance.md.
bench *ARGS:
    cargo run --release -p galley-bench -- {{ARGS}}

# Real processes under a plan of faults: just chaos --minutes 5 --seed 7
chaos *ARGS:
    cargo run --release -p galley-bench -- chaos {{ARGS}}

# Every fuzz target for so many seconds: just fuzz 600, just fuzz 600 link text
fuzz SECONDS="60" *TARGETS:
    fuzz/run {{SECONDS}} {{TARGETS}}

# What CI runs.
ci:
    .ci/run
