//! The emergency stop from the screen in a real terminal: two presses, wherever one is, and never by a slip.

use std::time::Duration;

use botwarden::core::signal::Signal;
use botwarden::process::{self, Held};

use crate::emergency::desk;
use crate::harness::{Desk, alive, eventually, has, skipped};
use crate::screen::Terminal;

const TWO: &str = "[bots.paper]\ncommand = ['sleep', '600']\nmode = 'paper'\n\
                   [bots.real]\ncommand = ['sleep', '601']\nmode = 'live'\n";

/// Two presses are two when there is so much time between them: a person's pace.
const A_PERSON: Duration = Duration::from_millis(250);

/// Two presses of this key, by somebody who sees the guard before the second one: on a machine that is busy, both could
/// arrive at once, and that is a paste.
#[track_caller]
fn press_twice(terminal: &Terminal<'_>, key: &str) {
    terminal.keys(&[key]);
    terminal.shows("again");
    std::thread::sleep(A_PERSON);
    terminal.keys(&[key]);
}

#[track_caller]
fn is_latched(desk: &Desk) {
    eventually("the latch", || desk.home_folder().join("estop.json").exists().then_some(()));
}

/// Everything that was sent to the screen has arrived: it answers to a key that was sent after it.
#[track_caller]
fn nothing_was_fired(desk: &Desk, terminal: &Terminal<'_>) {
    terminal.keys(&["Escape"]);
    std::thread::sleep(A_PERSON);
    terminal.keys(&["?"]);
    terminal.shows("MOVE");
    assert!(!desk.home_folder().join("estop.json").exists());
}

/// Closes what is open, as a person does: the next key comes later.
fn close(terminal: &Terminal<'_>) {
    terminal.keys(&["Escape"]);
    std::thread::sleep(A_PERSON);
}

/// A desk whose two bots run, and whether there can be a terminal.
fn two_that_run() -> Option<Desk> {
    if !has("tmux") {
        skipped("there is no tmux here");
        return None;
    }
    let desk = desk("1s", TWO);
    desk.run(&["start", "--yes", "paper", "real"]).expect(0);
    Some(desk)
}

#[track_caller]
fn everything_stops(desk: &Desk, pids: [i32; 2]) {
    is_latched(desk);
    for pid in pids {
        eventually("the end of a bot", || (!alive(pid)).then_some(()));
    }
}

#[test]
fn two_presses_stop_everything_and_the_screen_shows_how() {
    let Some(desk) = two_that_run() else { return };
    let pids = [desk.pid("paper"), desk.pid("real")];
    let terminal = Terminal::open_at(&desk, "real ");
    terminal.keys(&["!"]);
    terminal.shows("STOP EVERYTHING");
    assert!(!desk.home_folder().join("estop.json").exists(), "one press does nothing");
    std::thread::sleep(A_PERSON);
    terminal.keys(&["!"]);
    everything_stops(&desk, pids);
    let seen = terminal.shows("LATCHED");
    assert!(seen.contains("RESULT") || terminal.shows("RESULT").contains("RESULT"), "{seen}");
}

#[test]
fn it_fires_from_a_dialog_the_help_the_filter_and_a_read_only_screen() {
    let places: [(&str, &[&str], &str, &str); 5] = [
        ("", &["X"], "no (Enter", "!"),
        ("", &["?"], "MOVE", "!"),
        ("", &["/", "p"], "/p", "C-x"),
        ("", &["i"], "pid", "C-x"),
        ("--read-only", &[], "READ-ONLY", "!"),
    ];
    for (args, keys, shows, key) in places {
        let Some(desk) = two_that_run() else { return };
        let pids = [desk.pid("paper"), desk.pid("real")];
        let terminal = Terminal::open_with(&desk, (80, 24), args, "real ");
        // On a busy machine a keeper may be silent at first: what is asked of a bot depends on what is known of it.
        terminal.shows_lines("◉ RUN", 2);
        for key in keys {
            terminal.keys(&[key]);
        }
        terminal.shows(shows);
        press_twice(&terminal, key);
        everything_stops(&desk, pids);
    }
}

#[test]
fn it_fires_on_a_screen_of_20_by_5() {
    let Some(desk) = two_that_run() else { return };
    let pids = [desk.pid("paper"), desk.pid("real")];
    let terminal = Terminal::open_with(&desk, (20, 5), "", "needs 60x15");
    press_twice(&terminal, "!");
    everything_stops(&desk, pids);
}

#[test]
fn it_fires_while_a_pane_hangs_on_a_dead_source() {
    if !has("tmux") {
        return skipped("there is no tmux here");
    }
    let hangs = "[bots.hangs]\ncommand = ['sleep', '602']\nmode = 'live'\n\
                 orders = { source = 'command', command = ['/bin/sh', '-c', 'echo asked >> asked; sleep 600'], timeout = '1h' }\n";
    let desk = desk("1s", &format!("{TWO}{hangs}"));
    desk.run(&["start", "--yes", "paper", "real", "hangs"]).expect(0);
    let pids = [desk.pid("paper"), desk.pid("hangs")];
    let terminal = Terminal::open_at(&desk, "hangs ");
    terminal.keys(&["2"]);
    desk.wait_for_lines("asked", 1);
    press_twice(&terminal, "!");
    everything_stops(&desk, pids);
}

#[test]
fn a_slip_fires_nothing() {
    let Some(desk) = two_that_run() else { return };
    let pids = [desk.pid("paper"), desk.pid("real")];
    let terminal = Terminal::open_at(&desk, "real ");
    // One press.
    terminal.keys(&["!"]);
    terminal.shows("STOP EVERYTHING");
    nothing_was_fired(&desk, &terminal);
    close(&terminal);
    // Two, and more, of which nobody could have thought; with and without the marks of a paste.
    terminal.keys(&["!", "!"]);
    nothing_was_fired(&desk, &terminal);
    close(&terminal);
    for marked in [true, false] {
        desk.write("pasted", "!!!!");
        terminal.paste(&desk.path("pasted"), marked);
        nothing_was_fired(&desk, &terminal);
        close(&terminal);
    }
    // A press, a change of mind, and later another press.
    terminal.keys(&["!"]);
    terminal.shows("STOP EVERYTHING");
    close(&terminal);
    terminal.keys(&["!"]);
    terminal.shows("STOP EVERYTHING");
    nothing_was_fired(&desk, &terminal);
    assert!(pids.iter().all(|pid| alive(*pid)));
}

#[test]
fn hammering_the_key_fires() {
    let Some(desk) = two_that_run() else { return };
    let pids = [desk.pid("paper"), desk.pid("real")];
    let terminal = Terminal::open_at(&desk, "real ");
    for _ in 0..10 {
        terminal.keys(&["!"]);
        std::thread::sleep(Duration::from_millis(90));
    }
    everything_stops(&desk, pids);
}

#[test]
fn a_screen_that_is_killed_or_whose_terminal_is_closed_the_moment_it_is_latched_changes_nothing() {
    for closes in [false, true] {
        let Some(desk) = two_that_run() else { return };
        let pids = [desk.pid("paper"), desk.pid("real")];
        let terminal = Terminal::open_at(&desk, "real ");
        let screen = terminal.screen();
        let held = process::identify(screen).and_then(|id| Held::open(&id)).expect("a screen");
        press_twice(&terminal, "!");
        let latch = desk.home_folder().join("estop.json");
        eventually("the latch", || latch.exists().then_some(()));
        if closes {
            drop(terminal);
        } else {
            held.signal(Signal::KILL).expect("it is ours");
        }
        everything_stops(&desk, pids);
        let seen = eventually("the report", || {
            let seen = desk.run(&["estop", "status", "--json"]).json();
            (!seen["report"].is_null()).then_some(seen)
        });
        assert_eq!(seen["report"]["exit_code"], 0, "{seen}");
    }
}

#[test]
fn what_somebody_else_fires_is_shown_on_every_screen() {
    let Some(desk) = two_that_run() else { return };
    let terminal = Terminal::open_at(&desk, "real ");
    desk.run(&["estop", "--reason", "from another shell"]).expect(0);
    terminal.shows("LATCHED");
    terminal.shows("RESULT");
}
