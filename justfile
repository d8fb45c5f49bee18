# What people and the CI machine run. `just` alone lists it.

_list:
    @just --list --unsorted

# Everything that must hold before a change is merged: what .ci/run calls
ci: fmt-check lint deny doc test

# The README's test command
test *ARGS:
    cargo test {{ ARGS }}

# Lints; a warning is an error
lint:
    cargo clippy --all-targets --locked -- -D warnings

# Formats the code
fmt:
    cargo fmt

# Looks whether the code is formatted
fmt-check:
    cargo fmt --check

# Licences, duplicate crates and where crates come from. Advisories are not among them: their database is fetched over
# the network, from a place that not every machine reaches. `just advisories` asks it.
deny:
    cargo deny --offline --locked check bans licenses sources

# Known vulnerabilities in the dependencies; needs the network
advisories:
    cargo deny --locked check advisories

# The documentation of the code, private items too; a broken link is an error
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --document-private-items

# What supervision costs, beside a floor and other supervisors: `just bench --help`, docs/BENCHMARKS.md
bench *ARGS:
    cargo bench --locked --bench supervision -- {{ ARGS }}

# The pictures of the README, from the program itself in a tmux of its own; takes two minutes
pictures *NAMES:
    cargo build --locked
    scripts/pictures.py "${CARGO_TARGET_DIR:-target}/debug/botwarden" {{ NAMES }}

# The paper desk
demo:
    cargo run --release -- demo

# The binary, as it is installed
release:
    cargo build --release --locked

# Reads the systemd units with systemd's own eyes
units:
    systemd-analyze verify --man=no config/botwarden.service
    systemd-analyze verify --man=no --user config/botwarden-user.service
