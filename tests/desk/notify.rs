//! What a bot says over its notify socket, and who is believed.

use serde_json::Value;

use crate::harness::{Desk, eventually, finish, python};

/// Says over the socket what stands in the file `say`, line by line as it is added.
const SPEAKER_PY: &str = "\
import os, socket, sys, time
address = os.environ['NOTIFY_SOCKET']
assert address[0] == '@'
speaker = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
done = 0
open('up', 'a').write(f'{address}\\n')
while True:
    lines = open('say').read().splitlines() if os.path.exists('say') else []
    for line in lines[done:]:
        speaker.sendto(line.replace('|', '\\n').encode(), '\\0' + address[1:])
    done = len(lines)
    time.sleep(0.005)
";

fn speaker(more: &str) -> Desk {
    let desk = Desk::new(&format!(
        "[bots.bot]\ncommand = ['PYTHON', '-S', 'speaker.py']\nmode = 'paper'\nready = 'notify'\n{more}\n"
    ));
    desk.write("speaker.py", SPEAKER_PY);
    desk
}

fn say(desk: &Desk, line: &str) {
    let text = desk.read("say");
    desk.write("say", &format!("{text}{line}\n"));
}

#[test]
fn a_start_waits_until_the_bot_says_that_it_is_ready() {
    let desk = speaker("");
    let mut start = desk.command(&["start", "bot"]).stdout(std::process::Stdio::piped()).spawn().expect("it executes");
    desk.wait_for_lines("up", 1);
    let seen = desk.wait_for("bot", "starting");
    assert!(seen["note"].as_str().is_some_and(|note| note.starts_with("not ready yet")), "{seen}");
    assert!(start.try_wait().expect("ours").is_none(), "it waits");
    say(&desk, "STATUS=loading");
    say(&desk, "READY=1|STATUS=trading 3 pairs = all");
    let output = start.wait_with_output().expect("its end");
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&output.stdout).contains("started and ready"));
    let seen = desk.wait_for("bot", "running");
    desk.wait_until("bot", "saying what it does", |seen| seen["note"] == "says: trading 3 pairs = all");
    assert_eq!(seen["heartbeat_age_s"], Value::Null);
    say(&desk, "WATCHDOG=1");
    desk.wait_until("bot", "heard", |seen| seen["heartbeat_age_s"].is_u64());
}

#[test]
fn what_is_not_meant_for_a_screen_does_not_reach_it() {
    let desk = speaker("");
    say(&desk, "READY=1|STATUS=a\u{1b}[31mred\u{7}");
    desk.run(&["start", "bot"]).expect(0);
    desk.wait_until("bot", "harmless", |seen| seen["note"] == "says: a[31mred");
}

#[test]
fn nobody_outside_the_tree_is_believed() {
    let desk = speaker("");
    let start = desk.command(&["start", "bot"]).spawn().expect("it executes");
    let address = desk.wait_for_lines("up", 1)[0].clone();
    let stranger = |text: &str| {
        let line = format!(
            "import socket; socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'{text}', '\\0{}')",
            &address[1..]
        );
        assert_eq!(finish(std::process::Command::new(python()).args(["-c", &line])).code, 0);
    };
    stranger("READY=1");
    stranger("STATUS=all is lost");
    eventually("a warning", || desk.events("bot").contains(&"warning".to_owned()).then_some(()));
    let seen = desk.status("bot");
    assert_eq!(seen["state"], "starting");
    assert!(!seen["note"].as_str().expect("a note").contains("lost"), "{seen}");
    say(&desk, "READY=1");
    assert_eq!(start.wait_with_output().expect("its end").status.code(), Some(0));
    assert_eq!(desk.state("bot"), "running");
}

#[test]
fn a_new_keeper_hears_what_the_old_one_heard() {
    let desk = speaker("");
    say(&desk, "READY=1");
    desk.run(&["start", "bot"]).expect(0);
    for round in 0..3 {
        desk.kill_keeper("bot");
        // With nobody there it speaks into the void: a socket that is gone must not end it.
        desk.run(&["up"]).expect(0);
        say(&desk, &format!("WATCHDOG=1|STATUS=round {round}"));
        desk.wait_until("bot", "heard again", |seen| {
            seen["heartbeat_age_s"].is_u64() && seen["note"] == format!("says: round {round}")
        });
    }
    assert_eq!(desk.wait_for_lines("up", 1).len(), 1, "the same bot");
}

#[test]
fn a_bot_that_dies_before_it_is_ready_is_a_start_that_failed() {
    let desk = Desk::new(
        "[bots.bot]\ncommand = ['/bin/sh', '-c', 'echo no key >&2; exit 2']\nmode = 'paper'\nready = 'notify'\n\
         restart = 'never'\n",
    );
    let done = desk.run(&["start", "bot"]).expect(1);
    assert!(done.stderr.contains("exited with 2") && done.stderr.contains("| no key"), "{}", done.stderr);
    assert_eq!(desk.state("bot"), "crashed");
}

#[test]
fn a_bot_that_is_never_ready_can_be_stopped() {
    let desk = speaker("");
    let start = desk.command(&["start", "bot"]).stderr(std::process::Stdio::piped()).spawn().expect("it executes");
    desk.wait_for_lines("up", 1);
    desk.run(&["stop", "bot"]).expect(0);
    let output = start.wait_with_output().expect("its end");
    assert_eq!(output.status.code(), Some(1));
    assert!(desk.living().is_empty());
}
