//! The invariants of docs/ARCHITECTURE.md that can be read off the source. Each check is a function over text, and each
//! is shown a text that it must find fault with: a check that cannot fail checks nothing.

#![allow(clippy::expect_used, clippy::panic)] // What helps a test may fail like one.

mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use source::{Source, code_of, cycles, imports, reach};

/// What is layered above what. A file uses what has its own rank or a lower one.
const PROGRAMS: [&str; 6] = ["keeper", "stopper", "reader", "cli", "tui", "demo"];

/// What the core must not mention: whoever does reads a clock, or touches or waits for something outside.
const OUTSIDE: [&str; 19] = [
    "Instant",
    "SystemTime",
    "Timestamp::now",
    "Zoned::now",
    "std::fs",
    "std::io",
    "std::env",
    "std::net",
    "std::os",
    "std::process",
    "std::sync",
    "std::thread",
    "rustix",
    "nix::",
    "tokio",
    "rusqlite",
    "fastrand",
    "crossterm",
    "signal_hook",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every source file, by its path below `src/`.
fn sources() -> BTreeMap<String, Source> {
    let src = root().join("src");
    let mut files = Vec::new();
    collect(&src, &mut files);
    let sources: BTreeMap<String, Source> = files
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| {
            let name = path.strip_prefix(&src).expect("below src").to_string_lossy().into_owned();
            let text = std::fs::read_to_string(&path).expect("source is UTF-8");
            (name, Source::new(&text))
        })
        .collect();
    assert!(sources.len() > 50, "the source was not found");
    sources
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder of the project").flatten() {
        let path = entry.path();
        if path.is_dir() { collect(&path, files) } else { files.push(path) }
    }
}

/// Runs a check over every file for which `which` says so, and fails with everything that it found.
fn check(which: impl Fn(&str) -> bool, find: impl Fn(&str, &Source) -> Vec<String>) {
    let found: Vec<String> = sources()
        .iter()
        .filter(|(name, _)| which(name))
        .flat_map(|(name, source)| find(name, source).into_iter().map(move |fault| format!("src/{name}: {fault}")))
        .collect();
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

/// Tests of the core may roll dice.
fn in_core(name: &str) -> bool {
    name.starts_with("core/") && !name.ends_with("/tests.rs") && !name.contains("/tests/")
}

/// Which of these words stand in the code, comments, texts and tests left aside.
fn mentions(code: &str, words: &[&str]) -> Vec<String> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    code.lines()
        .enumerate()
        .flat_map(|(number, line)| {
            words.iter().filter_map(move |word| {
                let hit = line.match_indices(word).any(|(at, _)| {
                    let before = line[..at].chars().next_back().is_some_and(is_name);
                    let after = line[at + word.len()..].chars().next().is_some_and(is_name);
                    !before && (!after || word.ends_with(':'))
                });
                hit.then(|| format!("line {}: {word}", number + 1))
            })
        })
        .collect()
}

/// Functions that return a `Result`, outside the traits whose business it is to read a text that may be wrong.
fn fallible(code: &str) -> Vec<String> {
    const READING: [&str; 5] = ["FromStr for", "TryFrom<", "Deserialize<", "Serialize for", "Visitor<"];
    let mut reads = false;
    let mut found = Vec::new();
    for (number, line) in code.lines().enumerate() {
        if line.starts_with("impl") {
            reads = READING.iter().any(|name| line.contains(name));
        } else if line.starts_with('}') {
            reads = false;
        }
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        let returns = line.split_once("->").is_some_and(|(_, after)| {
            after.replace("fmt::Result", "").split(|c| !is_name(c)).any(|word| word == "Result")
        });
        if returns && !reads {
            found.push(format!("line {}: returns a Result", number + 1));
        }
    }
    found
}

/// The name of a file's layer: its folder, or its own name.
fn layer(name: &str) -> &str {
    name.split(['/', '.']).next().unwrap_or(name)
}

fn rank(name: &str) -> u8 {
    match layer(name) {
        "core" => 0,
        "act" => 2,
        "main" | "lib" => 4,
        layer if PROGRAMS.contains(&layer) => 3,
        _ => 1,
    }
}

/// Imports that go up, or across from one program to another.
fn misplaced(graph: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    graph
        .iter()
        .flat_map(|(from, tos)| tos.iter().map(move |to| (from, to)))
        .filter(|(from, to)| rank(from) < rank(to) || (rank(from) == 3 && rank(to) == 3 && layer(from) != layer(to)))
        .map(|(from, to)| format!("src/{from} uses src/{to}, which does not stand below it"))
        .collect()
}

/// The files of the screen that carry out what the others only decide.
const HANDS: [&str; 13] = [
    "tui/mod.rs",
    "tui/effects.rs",
    "tui/effects/clusters.rs",
    "tui/effects/deeds.rs",
    "tui/effects/looking.rs",
    "tui/history_watch.rs",
    "tui/log_lines.rs",
    "tui/follow.rs",
    "tui/log_reader.rs",
    "tui/order_watch.rs",
    "tui/cluster_watch.rs",
    "tui/estop_watch.rs",
    "tui/trigger.rs",
];

/// What the other files of the screen import besides the core and one another.
fn screens_that_act(graph: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    graph
        .iter()
        .filter(|(from, _)| layer(from) == "tui" && !HANDS.contains(&from.as_str()))
        .flat_map(|(from, tos)| tos.iter().map(move |to| (from, to)))
        .filter(|(_, to)| layer(to) != "tui" && layer(to) != "core")
        .map(|(from, to)| format!("src/{from} uses src/{to}; only {} may", HANDS.join(", ")))
        .collect()
}

/// Draw functions that could change what they draw.
fn drawing_changes(code: &str) -> Vec<String> {
    code.match_indices("fn draw")
        .filter_map(|(at, _)| {
            let rest = &code[at..];
            let signature = &rest[..rest.find('{').unwrap_or(rest.len())];
            signature.contains("mut Model").then(|| format!("{} takes &mut Model", signature.trim()))
        })
        .collect()
}

fn lacks_header(text: &str) -> bool {
    !text.trim().is_empty() && !text.starts_with("//!")
}

/// Places that nobody else has, and hosts that are a machine's setting and not the project's.
fn private_names(text: &str) -> Vec<String> {
    // Put together here, so that this file may be looked at too.
    let folders = [["/wo", "rk/"], ["/ro", "ot/"], ["/tmp", "/bw"]].map(|halves| halves.concat());
    let hosts = [
        ["crates", "io"],
        ["pypi", "org"],
        ["pythonhosted", "org"],
        ["npmjs", "org"],
        ["npmjs", "com"],
        ["deb.debian", "org"],
        ["static.rust-lang", "org"],
        ["proxy.golang", "org"],
    ]
    .map(|parts| parts.join("."));
    text.lines()
        .enumerate()
        .flat_map(|(number, line)| {
            folders
                .iter()
                .chain(&hosts)
                .filter(|name| line.contains(name.as_str()))
                .map(move |name| format!("line {}: {name}", number + 1))
        })
        .collect()
}

#[test]
fn the_core_reads_no_clock_and_touches_nothing_outside() {
    check(in_core, |_, source| mentions(&source.code, &OUTSIDE));
    assert_eq!(mentions("let now = Instant::now();", &OUTSIDE), ["line 1: Instant"]);
    assert_eq!(mentions("use std::fs::File;\nrustix::io::read()", &OUTSIDE), ["line 1: std::fs", "line 2: rustix"]);
    assert!(mentions("fn unix::nothing(instant: Moment, my_tokio: u8)", &OUTSIDE).is_empty());
    assert!(mentions(&code_of("// Instant::now\nlet text = \"std::fs\";"), &OUTSIDE).is_empty());
    assert!(mentions(&code_of("#[cfg(test)]\nmod tests { use std::time::Instant; }\n"), &OUTSIDE).is_empty());
}

#[test]
fn the_core_cannot_fail_except_in_reading_a_text() {
    check(in_core, |_, source| fallible(&source.code));
    let decision = "impl Lifecycle {\n    pub fn handle(&mut self) -> Result<Vec<Effect>, Error> {\n";
    assert_eq!(fallible(decision).len(), 1);
    assert_eq!(fallible("pub fn decide() -> io::Result<()> {").len(), 1);
    let reading = "impl FromStr for Name {\n    fn from_str(text: &str) -> Result<Self, BadName> {\n    }\n}\n";
    assert!(fallible(reading).is_empty());
    assert_eq!(fallible(&format!("{reading}fn free() -> Result<(), ()> {{")).len(), 1);
    assert!(fallible("fn became(entry: &Entry) -> CancelResult {").is_empty());
    assert!(fallible("fn fmt(&self, f: &mut Formatter) -> fmt::Result {").is_empty());
}

#[test]
fn a_file_uses_only_what_stands_below_it_and_programs_never_use_one_another() {
    let found = misplaced(&imports(&sources()));
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
    let graph = |from: &str, to: &str| BTreeMap::from([(from.to_owned(), BTreeSet::from([to.to_owned()]))]);
    for (from, to) in [
        ("core/bot.rs", "paths.rs"),
        ("lock.rs", "keeper/mod.rs"),
        ("config/desk.rs", "act/mod.rs"),
        ("act/up.rs", "cli/run.rs"),
        ("tui/model.rs", "cli/output.rs"),
        ("cli/run.rs", "keeper/mod.rs"),
    ] {
        assert_eq!(misplaced(&graph(from, to)).len(), 1, "{from} -> {to}");
    }
    for (from, to) in [
        ("keeper/loops.rs", "keeper/tree.rs"),
        ("tui/update.rs", "act/mod.rs"),
        ("survey.rs", "client.rs"),
        ("client.rs", "core/protocol.rs"),
        ("main.rs", "keeper/mod.rs"),
    ] {
        assert!(misplaced(&graph(from, to)).is_empty(), "{from} -> {to}");
    }
}

#[test]
fn no_two_files_import_each_other_however_long_the_way_round() {
    let found = cycles(&imports(&sources()));
    let told: Vec<String> = found.iter().map(|cycle| cycle.join(" <-> ")).collect();
    assert!(told.is_empty(), "cycles of imports: {}", told.join("; "));
}

#[test]
fn imports_are_found_however_they_are_written() {
    let file = |name: &str, text: &str| (name.to_owned(), Source::new(text));
    let graph = imports(&BTreeMap::from([
        file("lib.rs", "pub mod a;\npub mod b;\npub mod c;"),
        file("a.rs", "use crate::b::{self, deep::Thing as Other};\nfn f() { crate::c::g() }"),
        file("b/mod.rs", "mod deep;\nmod shown;\npub use shown::Shown;\npub(super) fn helper() {}"),
        file("b/deep.rs", "use super::{helper, shown::*};\n// use crate::a;\nconst TEXT: &str = \"crate::a\";"),
        file("b/shown.rs", "#[cfg(test)]\nmod tests {\n    use crate::a;\n}"),
        file("c.rs", "use crate::b::Shown;\n#[cfg(test)]\nmod tests;"),
        file("c/tests.rs", "use crate::a;"),
    ]));
    let of = |name: &str| graph[name].iter().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(of("a.rs"), ["b/deep.rs", "b/mod.rs", "c.rs"]);
    assert_eq!(of("b/deep.rs"), ["b/mod.rs", "b/shown.rs"]);
    assert!(of("b/shown.rs").is_empty(), "tests are no part of it");
    assert!(of("b/mod.rs").is_empty(), "a table of contents uses nothing");
    assert_eq!(of("c.rs"), ["b/shown.rs"], "what is re-exported is used where it is");
    assert!(!graph.contains_key("c/tests.rs"));
    assert!(cycles(&graph).is_empty());
}

#[test]
fn a_cycle_of_any_length_is_found() {
    let edge = |from: &str, to: &str| (from.to_owned(), BTreeSet::from([to.to_owned()]));
    let graph = BTreeMap::from([edge("a", "b"), edge("b", "c"), edge("c", "a"), edge("d", "a"), edge("e", "f")]);
    assert_eq!(cycles(&graph), [["a", "b", "c"]]);
}

#[test]
fn unsafe_stands_in_one_file() {
    let words = ["unsafe", "unsafe_code"];
    check(|name| name != "sys.rs", |_, source| mentions(&source.code, &words));
    assert_eq!(mentions("unsafe { libc::fork() }", &words), ["line 1: unsafe"]);
    assert_eq!(mentions("#![allow(unsafe_code)]", &words), ["line 1: unsafe_code"]);
}

#[test]
fn no_keeper_opens_sqlite_not_even_through_something_it_uses() {
    let sources = sources();
    let graph = imports(&sources);
    let words = ["rusqlite", "sqlite", "Sqlite"];
    let entries = sources.keys().filter(|name| layer(name) == "keeper").cloned().collect();
    let found: Vec<String> = reach(&graph, entries)
        .iter()
        .flat_map(|name| {
            mentions(&sources[name].code, &words).into_iter().map(move |fault| format!("src/{name}: {fault}"))
        })
        .collect();
    assert!(found.is_empty(), "a keeper reaches\n{}\n", found.join("\n"));
    assert_eq!(mentions("use rusqlite::Connection;", &words), ["line 1: rusqlite"]);
    let edge = |from: &str, to: &str| (from.to_owned(), BTreeSet::from([to.to_owned()]));
    let far = reach(&BTreeMap::from([edge("a", "b"), edge("b", "c")]), BTreeSet::from(["a".to_owned()]));
    assert!(far.contains("c"));
}

#[test]
fn nobody_who_supervises_reaches_the_history() {
    let sources = sources();
    let graph = imports(&sources);
    let entries: BTreeSet<String> =
        sources.keys().filter(|name| ["keeper", "stopper", "act"].contains(&layer(name))).cloned().collect();
    let reaches = |graph, entries| -> Vec<String> {
        reach(graph, entries).into_iter().filter(|name| layer(name) == "history").collect()
    };
    let found = reaches(&graph, entries);
    assert!(found.is_empty(), "whoever supervises reaches {}", found.join(", "));
    let edge = |from: &str, to: &str| (from.to_owned(), BTreeSet::from([to.to_owned()]));
    let far = BTreeMap::from([edge("act/stop.rs", "journal.rs"), edge("journal.rs", "history/index.rs")]);
    assert_eq!(reaches(&far, BTreeSet::from(["act/stop.rs".to_owned()])), ["history/index.rs"]);
}

#[test]
fn whoever_draws_changes_nothing() {
    check(|name| layer(name) == "tui", |_, source| drawing_changes(&source.code));
    assert_eq!(drawing_changes("pub fn draw_bots(frame: &mut Frame, model: &mut Model) {").len(), 1);
    assert!(drawing_changes("fn draw(model: &Model, frame: &mut Frame<'_>) {\n let x: &mut Model").is_empty());
}

#[test]
fn only_the_hands_of_the_screen_touch_what_is_outside_it() {
    let found = screens_that_act(&imports(&sources()));
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
    let graph = |from: &str, to: &str| BTreeMap::from([(from.to_owned(), BTreeSet::from([to.to_owned()]))]);
    assert_eq!(screens_that_act(&graph("tui/update.rs", "act/mod.rs")).len(), 1);
    assert!(screens_that_act(&graph("tui/effects.rs", "act/mod.rs")).is_empty());
    assert!(screens_that_act(&graph("tui/view/bots.rs", "core/status.rs")).is_empty());
}

#[test]
fn nobody_prints_with_macros_that_panic_when_nobody_reads() {
    let words = ["println!", "eprintln!", "print!", "eprint!", "dbg!"];
    check(|_| true, |_, source| mentions(&source.code, &words));
    assert_eq!(mentions("    eprintln!();", &words), ["line 1: eprintln!"]);
}

#[test]
fn every_file_says_first_what_it_is() {
    check(
        |_| true,
        |_, source| if lacks_header(&source.text) { vec!["does not start with //!".into()] } else { Vec::new() },
    );
    assert!(lacks_header("use std::fs;\n//! Late."));
    assert!(!lacks_header("//! First."));
}

#[test]
fn no_file_names_a_machine_or_a_registry() {
    let mut files = Vec::new();
    for folder in ["src", "tests", "benches", "config", "docs", ".ci"] {
        collect(&root().join(folder), &mut files);
    }
    for entry in std::fs::read_dir(root()).expect("the project").flatten() {
        // The lock file is cargo's.
        if entry.path().is_file() && entry.file_name() != "Cargo.lock" && entry.file_name() != ".git" {
            files.push(entry.path());
        }
    }
    let found: Vec<String> = files
        .iter()
        .filter_map(|path| Some((path, std::fs::read_to_string(path).ok()?)))
        .flat_map(|(path, text)| {
            private_names(&text)
                .into_iter()
                .map(move |fault| format!("{}: {fault}", path.display()))
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
    assert_eq!(private_names(&["ok\ncd /wo", "rk/x"].concat()).len(), 1);
    assert_eq!(private_names(&["get it from pypi", "org"].join(".")).len(), 1);
    assert!(private_names("the network, the roots, a workshop").is_empty());
}
