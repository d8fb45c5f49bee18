//! Programs that behave, and programs that do not.

use std::collections::BTreeMap;

use super::*;

const LONG: Duration = Duration::from_mins(1);

fn here() -> Surroundings {
    Surroundings { cwd: std::env::temp_dir(), env: BTreeMap::new(), env_file: None, user: None }
}

fn shell(script: &str, input: &[u8], within: Duration) -> Result<Output, Trouble> {
    run(&["sh".into(), "-c".into(), script.into()], &here(), input, within)
}

#[test]
fn what_is_said_to_it_and_by_it_may_be_large_on_both_sides_at_once() {
    let input = vec![b'x'; 5 << 20];
    let output = shell("cat", &input, LONG).expect("it ends with 0");
    assert_eq!(output.stdout.len(), input.len());
    // One that never reads is not waited for.
    assert_eq!(shell("echo done", &input, LONG).expect("0").stdout, b"done\n");
}

#[test]
fn without_input_it_sees_the_end_of_it() {
    assert_eq!(shell("cat; echo over", b"", LONG).expect("0").stdout, b"over\n");
}

#[test]
fn one_that_fails_is_told_with_its_code_and_its_last_words_and_what_it_printed_is_there() {
    let trouble = shell("echo half; echo first >&2; printf 'no \\033[31mlogin\\n\\n' >&2; exit 3", b"", LONG);
    let trouble = trouble.expect_err("3");
    assert_eq!(trouble.why, "sh ended with 3: no \\u{1b}[31mlogin");
    assert_eq!(trouble.stdout, b"half\n");
    assert_eq!(shell("kill -9 $$", b"", LONG).expect_err("killed").why, "sh was ended by SIGKILL");
}

#[test]
fn one_that_hangs_is_ended_with_its_children_and_what_it_printed_is_there() {
    let trouble = shell("sleep 600 & echo $!; wait", b"", Duration::from_millis(300)).expect_err("late");
    assert!(trouble.why.starts_with("sh did not end within 300ms"), "{}", trouble.why);
    let child: i32 = String::from_utf8_lossy(&trouble.stdout).trim().parse().expect("a number");
    while crate::process::stat(child).is_some_and(crate::process::Stat::is_alive) {
        std::thread::yield_now();
    }
}

#[test]
fn whoever_it_leaves_behind_with_its_stdout_is_not_waited_for() {
    let output = shell("echo '{}'; sleep 600 & exit 0", b"", LONG).expect("0");
    assert_eq!(output.stdout, b"{}\n");
}

#[test]
fn one_that_prints_without_end_is_ended() {
    let trouble = shell("yes", b"", LONG).expect_err("too much");
    assert_eq!(trouble.why, "sh printed more than 64 MiB");
    assert_eq!(trouble.stdout.len(), MOST_OUTPUT);
}

#[test]
fn what_cannot_be_executed_is_told() {
    let why = |command: &[&str], surroundings: &Surroundings| {
        let command: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
        run(&command, surroundings, b"", LONG).expect_err("it cannot be executed").why
    };
    assert_eq!(why(&["./nobody\u{1b}"], &here()), "./nobody\\u{1b} cannot be executed: no such file or directory");
    let nowhere = Surroundings { cwd: "/no/where".into(), ..here() };
    assert!(why(&["true"], &nowhere).ends_with("(there is no folder /no/where)"));
    let nobody = Surroundings { user: Some("no-such-user-here".into()), ..here() };
    assert_eq!(why(&["true"], &nobody), "true cannot be run: there is no user no-such-user-here");
}

#[test]
fn nothing_in_its_environment_makes_it_a_part_of_the_tree() {
    let env = [("BOTWARDEN_RUN", "x"), ("NOTIFY_SOCKET", "@x"), ("WATCHDOG_USEC", "1"), ("LEVEL", "info")];
    let env = env.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let output = run(&["env".into()], &Surroundings { env, ..here() }, b"", LONG).expect("0");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("LEVEL=info\n") && text.contains("PYTHONUNBUFFERED="), "{text}");
    for name in ["BOTWARDEN_", "NOTIFY_SOCKET", "WATCHDOG_"] {
        assert!(!text.lines().any(|line| line.starts_with(name)), "{text}");
    }
}
