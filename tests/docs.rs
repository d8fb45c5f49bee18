//! The documents say what the program does: keys, commands, exit codes and kinds of events are compared with the code.

#![allow(clippy::expect_used)] // What helps a test may fail like one.

use std::collections::BTreeSet;
use std::path::Path;

use botwarden::cli::Args;
use botwarden::config::EXAMPLE;
use botwarden::tui::keys::{Binding, Place, TABLE};
use botwarden::tui::model::Pane;
use clap::CommandFactory;
use regex::Regex;

fn read(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).expect("a file of the project")
}

fn all(pattern: &str, text: &str) -> BTreeSet<String> {
    let pattern = Regex::new(pattern).expect("a pattern");
    pattern.captures_iter(text).filter_map(|found| found.get(1)).map(|group| group.as_str().to_owned()).collect()
}

/// Every key of the configuration. The example has them all, in use or in a comment: a test beside the reader sees to that.
fn keys_of(example: &str) -> BTreeSet<String> {
    let mut keys = all(r"\b([a-z_]+) = ", example);
    keys.extend(all(r"(?m)^\[([a-z_]+)\]", example));
    keys.extend(all(r"(?m)^\[([a-z_]+)\.[a-z-]+\]", example));
    keys.extend(all(r"(?m)^\[[a-z_]+\.[a-z-]+\.([a-z_]+)\]", example));
    keys
}

/// The keys in the first column of a document's tables.
fn keys_in(document: &str) -> BTreeSet<String> {
    all(r"(?m)^\| `([a-z_]+)` \|", document)
}

#[test]
fn the_configuration_page_has_every_key_and_no_other() {
    let keys = keys_of(EXAMPLE);
    assert!(keys.len() > 50 && keys.contains("heartbeat") && keys.contains("user"), "{keys:?}");
    assert_eq!(keys_in(&read("docs/CONFIGURATION.md")), keys);
    assert_eq!(keys_of("[bots.a.orders]\nmode = \"x\"\n# user = \"y\"").len(), 3);
    assert_eq!(keys_in("| `mode` | required |\ntext `cwd`\n"), BTreeSet::from(["mode".to_owned()]));
}

#[test]
fn the_events_page_has_every_kind_and_no_other() {
    let kinds = all(r#"Self::\w+ => "([a-z_]+)""#, &read("src/core/event.rs"));
    assert!(kinds.len() > 10, "{kinds:?}");
    assert_eq!(keys_in(&read("docs/EVENTS.md")), kinds);
}

#[test]
fn the_readme_has_every_exit_code_and_no_other() {
    let codes = all(r"Self::\w+ => (\d+),", read("src/core/code.rs").split("fn weight").next().expect("a part"));
    assert!(codes.contains("75"), "{codes:?}");
    assert_eq!(all(r"(?m)^\| (\d+) \|", &read("README.md")), codes);
}

#[test]
fn the_readme_has_every_command_and_no_other() {
    let commands: BTreeSet<String> = Args::command()
        .get_subcommands()
        .filter(|command| !command.is_hide_set())
        .map(|command| command.get_name().to_owned())
        .collect();
    assert_eq!(all(r"(?m)^botwarden ([a-z]+)", &read("README.md")), commands);
}

#[test]
fn the_readmes_two_commands_are_the_ones_that_are_tested() {
    let readme = read("README.md");
    assert!(readme.contains("\ncargo run --release -- demo ") && readme.contains("\ncargo test "));
    assert!(read("justfile").contains("\n    cargo test "), "`just ci` runs the README's test command");
    assert!(read(".ci/run").contains("just ci"), "CI runs what people run");
}

#[test]
fn links_between_documents_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for page in [
        "README.md",
        "CHANGELOG.md",
        "docs/ARCHITECTURE.md",
        "docs/CONFIGURATION.md",
        "docs/EVENTS.md",
        "docs/BENCHMARKS.md",
    ] {
        let folder = root.join(page);
        for link in all(r"\]\(([^)#:]+)\)", &read(page)) {
            let target = folder.parent().expect("a folder").join(&link);
            assert!(target.exists(), "{page}: {link}");
        }
    }
}

#[test]
fn canceled_has_one_l() {
    let doubled = ["cancel", "led"].concat();
    for page in [
        "README.md",
        "CHANGELOG.md",
        "docs/ARCHITECTURE.md",
        "docs/CONFIGURATION.md",
        "docs/EVENTS.md",
        "docs/BENCHMARKS.md",
    ] {
        assert!(!read(page).to_lowercase().contains(&doubled), "{page}");
    }
    assert!(!EXAMPLE.contains(&doubled));
}

/// The pictures that the README shows, with what a reader sees in each: its lines, in one line, with single blanks.
fn pictures() -> Vec<(String, String)> {
    let names = all(r"\]\((docs/pictures/[^)]+)\)", &read("README.md"));
    let tag = Regex::new("<[^>]*>").expect("a pattern");
    names
        .into_iter()
        .map(|name| {
            let picture = read(&name);
            assert!(picture.contains("Made by scripts/pictures.py"), "{name} was made by hand");
            let text = tag.replace_all(&picture, " ").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
            (name, text.split_whitespace().collect::<Vec<_>>().join(" "))
        })
        .collect()
}

const RENEW: &str = "is older than the program; `just pictures` makes it anew";

#[test]
fn the_readmes_pictures_show_the_keys_and_panes_of_today() {
    let pictures = pictures();
    assert!(pictures.len() >= 8, "{pictures:?}");
    let shown = |name: &str| {
        let name = format!("docs/pictures/{name}.svg");
        pictures.iter().find(|(of, _)| *of == name).map(|(_, text)| text.as_str()).expect("a picture")
    };
    // Help lists every key that is valid in the list of bots.
    let help = shown("help");
    let in_bots = |row: &&Binding| row.place != Place::Emergency && row.place.holds(Pane::Bots);
    for row in TABLE.iter().filter(in_bots).filter(|row| !row.keys.is_empty()) {
        assert!(help.contains(row.help), "help.svg {RENEW}: {:?}", row.help);
    }
    // What the footer of each picture names is what the table says.
    for (name, pane) in [("main", Pane::Bots), ("light", Pane::Bots), ("logs", Pane::Logs), ("history", Pane::History)]
    {
        let footer = shown(name).rsplit_once("┘").map_or("", |(_, footer)| footer);
        let words: Vec<&str> = footer.split(' ').filter(|word| !word.is_empty()).collect();
        let known = TABLE
            .iter()
            .filter(|row| row.place.holds(pane) && !row.short.is_empty())
            .filter(|row| {
                words.windows(2).any(|pair| {
                    row.keys.iter().any(|key| key.label().starts_with(&pair[0].replace("Spc", "Space")))
                        && row.short.starts_with(pair[1])
                })
            })
            .count();
        assert!(known >= 6, "{name}.svg {RENEW}: {known} of its keys are in the table: {footer}");
    }
    for pane in Pane::ALL {
        let title: String = pane.title().chars().take(4).collect();
        let title = format!("{} {title}", pane.number());
        assert!(pictures.iter().any(|(_, text)| text.contains(&title)), "no picture shows {title:?}: {RENEW}");
    }
}

#[test]
fn no_picture_says_whose_machine_it_was_made_on() {
    for (name, text) in pictures() {
        for private in ["/home/", "/root", " root ", "/tmp/", "/target/"] {
            assert!(!text.contains(private), "{name} has {private:?} in it");
        }
    }
}
