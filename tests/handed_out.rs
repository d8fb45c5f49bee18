//! What the command hands out about itself: completions for shells, and the page of the manual.

#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, reason = "a test may")]

use std::io::Write as _;
use std::process::{Command, Stdio};

use botwarden::cli::Args;
use botwarden::core::code::Code;
use botwarden::tui::keys;
use clap::CommandFactory as _;

const SHELLS: [&str; 5] = ["bash", "zsh", "fish", "elvish", "powershell"];

fn run(args: &[&str]) -> (i32, String, String) {
    let done = Command::new(env!("CARGO_BIN_EXE_botwarden"))
        .args(args)
        .env_remove("BOTWARDEN_HOME")
        .env_remove("BOTWARDEN_CONFIG")
        .stdin(Stdio::null())
        .output()
        .expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (done.status.code().unwrap_or(-1), text(&done.stdout), text(&done.stderr))
}

/// Gives a program this text; what it says to it, or nothing if it is not there.
fn told(program: &str, args: &[&str], text: &str) -> Option<(bool, String)> {
    let child = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .env("LC_ALL", "C.UTF-8")
        .spawn();
    let Ok(mut child) = child else {
        eprintln!("skipped: there is no {program} here");
        return None;
    };
    let mut stdin = child.stdin.take().expect("a pipe");
    let text = text.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let done = child.wait_with_output().expect("it ends");
    let _ = writer.join();
    Some((done.status.success(), String::from_utf8_lossy(&done.stderr).into_owned()))
}

fn subcommands() -> Vec<String> {
    Args::command().get_subcommands().map(|sub| sub.get_name().to_owned()).collect()
}

#[test]
fn every_shell_completes_every_subcommand() {
    for shell in SHELLS {
        let (code, text, said) = run(&["completions", shell]);
        assert_eq!((code, said.as_str()), (0, ""), "{shell}");
        for sub in subcommands() {
            assert!(text.contains(&sub), "{shell}: {sub}");
        }
    }
    let (_, json, _) = run(&["completions", "bash", "--json"]);
    let object: serde_json::Value = serde_json::from_str(&json).expect("one object");
    assert!(object["text"].as_str().is_some_and(|text| text.contains("estop")));
}

#[test]
fn a_shell_that_nobody_knows_is_a_mistake() {
    let (code, text, said) = run(&["completions", "csh"]);
    assert_eq!((code, text.as_str()), (2, ""));
    assert!(SHELLS.iter().all(|shell| said.contains(shell)), "{said}");
    assert_eq!(run(&["completions"]).0, 2);
}

#[test]
fn shells_understand_what_they_are_given() {
    for (shell, arg) in [("bash", "-n"), ("zsh", "-n"), ("fish", "--no-execute")] {
        let (_, text, _) = run(&["completions", shell]);
        if let Some((well, said)) = told(shell, &[arg], &text) {
            assert!(well && said.is_empty(), "{shell}: {said}");
        }
    }
}

/// What bash offers for the last of these words, in a folder with a file.
fn offered(words: &[&str]) -> Option<String> {
    let (_, text, _) = run(&["completions", "bash"]);
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("a-file"), "").expect("written");
    let asked = format!(
        "{text}\ncompopt() {{ :; }}\ncd '{}'\nCOMP_WORDS=({}); COMP_CWORD={}\n_botwarden botwarden '{}' '{}'\necho \"${{COMPREPLY[@]}}\"\ncomplete -p botwarden\n",
        folder.path().display(),
        words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" "),
        words.len() - 1,
        words[words.len() - 1],
        words[words.len() - 2],
    );
    let done = Command::new("bash").args(["--norc", "-c", &asked]).stdin(Stdio::null()).output().ok()?;
    Some(String::from_utf8_lossy(&done.stdout).into_owned())
}

#[test]
fn files_are_offered_where_one_is_meant_and_nowhere_else() {
    let Some(said) = offered(&["botwarden", "start", "grid", ""]) else {
        return eprintln!("skipped: there is no bash here");
    };
    assert!(!said.contains("a-file") && !said.contains("default"), "{said}");
    for words in [&["botwarden", "start", "--group", ""][..], &["botwarden", "cluster", "stop", ""]] {
        let said = offered(words).expect("bash");
        assert!(!said.contains("a-file"), "{words:?}: {said}");
    }
    let said = offered(&["botwarden", "start", "--config", ""]).expect("bash");
    assert!(said.contains("a-file"), "{said}");
    let (_, fish, _) = run(&["completions", "fish"]);
    assert!(fish.lines().any(|line| line == "complete -c botwarden -f"), "{fish}");
    let (_, zsh, _) = run(&["completions", "zsh"]);
    assert!(!zsh.contains("_default"), "{zsh}");
}

#[test]
fn the_manual_has_brackets_around_what_may_be_left_out() {
    let (_, page, _) = run(&["man"]);
    for heading in ["status [BOT]...", "events [OPTIONS] [BOT]...", "start [OPTIONS] [BOT]...", "logs [OPTIONS] BOT..."]
    {
        assert!(page.contains(&format!(".SS \"botwarden {heading}\"")), "{heading}");
    }
    assert!(page.contains(".SS \"botwarden completions SHELL\""), "a shell must be named");
}

#[test]
fn the_page_of_the_manual_names_everything() {
    let (code, page, said) = run(&["man"]);
    assert_eq!((code, said.as_str()), (0, ""));
    for sub in subcommands() {
        assert!(page.contains(&format!(".SS \"botwarden {sub}")), "{sub}");
    }
    for code in Code::ALL {
        assert!(page.contains(&format!(".TP\n\\fB{}\\fR\n", code.number())), "{}", code.number());
    }
    for heading in ["EXIT STATUS", "FILES", "ENVIRONMENT", "KEYS", "SEE ALSO"] {
        assert!(page.contains(&format!(".SH \"{heading}\"")), "{heading}");
    }
    for row in keys::TABLE.iter().filter(|row| !row.keys.is_empty()) {
        let help = row.help.replace('-', "\\-");
        assert!(page.contains(&help), "{help}");
    }
}

#[test]
fn the_page_of_the_manual_can_be_set_without_a_warning() {
    let (_, page, _) = run(&["man"]);
    if let Some((well, said)) = told("groff", &["-man", "-Tutf8", "-ww", "-z"], &page) {
        assert!(well && said.is_empty(), "{said}");
    }
    if let Some((well, said)) = told("mandoc", &["-T", "lint", "-W", "warning"], &page) {
        assert!(well, "{said}");
    }
}

#[test]
fn whoever_reads_only_the_beginning_is_no_trouble() {
    for args in [&["man"][..], &["completions", "bash"]] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_botwarden"))
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it runs");
        drop(child.stdout.take());
        let done = child.wait_with_output().expect("it ends");
        assert_eq!((done.status.code(), String::from_utf8_lossy(&done.stderr).as_ref()), (Some(0), ""));
    }
}
