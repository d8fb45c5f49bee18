//! The history on the screen, with a real keeper's events behind it, and an index that others take away and damage.

use crate::harness::{Desk, has, skipped};
use crate::screen::Terminal;

#[test]
fn the_history_shows_what_happened_whatever_becomes_of_its_index() {
    if !has("tmux") {
        return skipped("there is no tmux here");
    }
    let desk = Desk::new("[bots.paper]\ncommand = ['sleep', '600']\nmode = 'paper'\n");
    desk.run(&["start", "paper"]).expect(0);
    let terminal = Terminal::open_with(&desk, (120, 36), "", "paper ");
    terminal.keys(&["7"]);
    terminal.shows("started   started (pid");
    let index = desk.home_folder().join("botwarden.db");
    assert!(index.is_file());
    std::fs::remove_file(&index).expect("removed");
    desk.run(&["restart", "paper"]).expect(0);
    terminal.shows("is being restarted");
    terminal.shows_lines("started   started (pid", 2);
    assert!(index.is_file(), "it was built anew");
    std::fs::write(&index, vec![0xa5; 64 << 10]).expect("damaged");
    desk.run(&["stop", "paper"]).expect(0);
    terminal.shows("stopped; it");
    terminal.shows_lines("started   started (pid", 2);
    // Runs, reports, and one of them whole.
    terminal.keys(&["v"]);
    terminal.shows_lines("was ended by SIGTERM; stopped", 1);
    terminal.keys(&["v"]);
    terminal.shows("stop     exit 0");
    terminal.keys(&["Enter"]);
    terminal.shows("REPORT OF STOP");
    terminal.keys(&["Escape"]);
    terminal.shows("7 History");
    terminal.keys(&["q"]);
    terminal.shows("ended with 0");
}

#[test]
fn a_screen_that_only_looks_leaves_no_index_behind() {
    if !has("tmux") {
        return skipped("there is no tmux here");
    }
    let desk = Desk::new("[bots.paper]\ncommand = ['sleep', '600']\nmode = 'paper'\n");
    desk.run(&["start", "paper"]).expect(0);
    let terminal = Terminal::open_with(&desk, (120, 36), "--read-only", "paper ");
    terminal.keys(&["7"]);
    terminal.shows("started   started (pid");
    terminal.shows("the index is in memory");
    assert!(!desk.home_folder().join("botwarden.db").exists());
    terminal.keys(&["q"]);
    terminal.shows("ended with 0");
    desk.run(&["stop", "paper"]).expect(0);
}
