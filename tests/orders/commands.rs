//! Programs that tell of orders, and do it badly.

use std::time::Duration;

use botwarden::core::bot::OrderSource;
use botwarden::orders::Question;

use crate::desk::*;

#[test]
fn a_program_that_fails_is_told_with_its_last_words() {
    let desk = Desk::new();
    for (script, why) in [
        (
            "echo '{\"orders\": []}'; echo a >&2; printf 'no \\033[2Jkey\\n' >&2; exit 3",
            "sh ended with 3: no \\u{1b}[2Jkey",
        ),
        ("kill -SEGV $$", "sh was ended by SIGSEGV"),
        ("echo hello", "sh: what it printed is not JSON: expected value at line 1 column 1"),
        ("true", "sh: what it printed is not JSON: EOF while parsing a value at line 1 column 0"),
        (
            "echo '{}'",
            "sh: what it printed is not the JSON that was expected: missing field `orders` at line 1 column 2",
        ),
        ("echo '{\"orders\": []} {}'", "sh: what it printed is not JSON: trailing characters at line 1 column 16"),
        ("printf '{\"orders\": [{\"order_id\": \"\\377\"}]}'", "sh: what it printed is not UTF-8"),
        ("yes", "sh printed more than 64 MiB"),
        ("head -c 1073741824 /dev/zero", "sh printed more than 64 MiB"),
    ] {
        assert_eq!(desk.refused(shell(script)), why, "{script}");
    }
    let missing = OrderSource::Command { command: vec!["./list\u{1b}.sh".into()], timeout: LONG };
    assert_eq!(desk.refused(missing), "./list\\u{1b}.sh cannot be executed: no such file or directory");
}

#[test]
fn a_program_that_hangs_is_ended_by_whichever_time_is_over_first() {
    let desk = Desk::new();
    let short = Duration::from_millis(300);
    let patient = OrderSource::Command { command: vec!["sleep".into(), "600".into()], timeout: short };
    assert_eq!(desk.refused(patient), "sleep did not end within 300ms");
    let hurried = Question { within: short, ..desk.question(shell("exec sleep 600")) };
    let why = failure(desk.ask(hurried));
    assert!(why.starts_with("sh did not end within 2"), "{why}");
}

#[test]
fn whoever_a_program_leaves_behind_with_its_stdout_is_not_waited_for() {
    let desk = Desk::new();
    assert!(desk.read(shell("sleep 600 & echo '{\"orders\": []}'")).orders.is_empty());
}

#[test]
fn a_program_has_the_environment_and_the_user_of_its_bot_and_no_mark() {
    let desk = Desk::new();
    let script = "env > seen; id -u > who; id -G > groups; echo '{\"orders\": []}'";
    let secrets = desk.file("bot.env", "SECRET=hunter2\nLEVEL=low\n");
    std::fs::set_permissions(&secrets, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("a mode");
    let mut question = desk.question(shell(script));
    question.surroundings.env_file = Some(secrets);
    question.surroundings.env = [("LEVEL".to_owned(), "info".to_owned())].into();
    reading(desk.ask(question.clone()));
    let seen = std::fs::read_to_string(desk.path("seen")).expect("it ran here");
    assert!(seen.contains("SECRET=hunter2\n") && seen.contains("LEVEL=info\n"), "{seen}");
    assert!(!seen.lines().any(|line| line.starts_with("BOTWARDEN_")), "{seen}");
    if !is_root() {
        eprintln!("skipped: only root can run a program as somebody else");
        return;
    }
    let Ok(Some(nobody)) = botwarden::who::to_become("nobody") else {
        eprintln!("skipped: there is no user nobody here");
        return;
    };
    std::fs::set_permissions(desk.folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777)).expect("a mode");
    for name in ["seen", "who", "groups"] {
        std::fs::remove_file(desk.path(name)).expect("it is there");
    }
    question.surroundings.user = Some("nobody".into());
    question.surroundings.env_file = None;
    reading(desk.ask(question));
    let file = |name| std::fs::read_to_string(desk.path(name)).expect("it ran here");
    assert_eq!(file("who").trim(), nobody.identity.uid.to_string());
    assert!(file("seen").contains("USER=nobody\n"));
    assert_eq!(file("groups").split_whitespace().count(), nobody.identity.groups.len());
}
