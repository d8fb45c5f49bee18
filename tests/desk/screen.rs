//! The screen in a real terminal, with real keepers behind it: what its keys do, and what its end does not do.

use std::path::PathBuf;

use botwarden::core::signal::Signal;

use crate::harness::{Desk, Done, alive, eventually, finish, has, skipped};

const TWO: &str = "[bots.paper]\ncommand = ['sleep', '600']\nmode = 'paper'\n\
                   [bots.real]\ncommand = ['sleep', '600']\nmode = 'live'\n";

/// A terminal of 80x24 in which the screen of a desk runs, and after it a shell that says how it ended.
pub struct Terminal<'a> {
    desk: &'a Desk,
    socket: PathBuf,
}

impl<'a> Terminal<'a> {
    fn open(desk: &'a Desk) -> Self {
        Self::open_at(desk, "paper ")
    }

    /// Opens it, and waits until it shows this bot.
    pub fn open_at(desk: &'a Desk, bot: &str) -> Self {
        Self::open_with(desk, (80, 24), "", bot)
    }

    /// The same, in so many columns and rows, with these arguments.
    pub fn open_with(desk: &'a Desk, (width, height): (u16, u16), args: &str, bot: &str) -> Self {
        let terminal = Self { desk, socket: desk.path("tmux.sock") };
        let line = &format!(
            "echo $$ > shell; \"$BOTWARDEN\" {args}; echo \"ended with $?\"; stty -a | grep -o '.echo ' ; exec sleep 600"
        );
        let (width, height) = (width.to_string(), height.to_string());
        let size = ["-x", &width, "-y", &height];
        let opened =
            terminal.tmux(&[&["-f", "/dev/null", "new-session", "-d"][..], &size, &["/bin/sh", "-c", line]].concat());
        assert_eq!(opened.code, 0, "{}", opened.said());
        // A key before the first look is about no bot.
        terminal.shows(bot);
        terminal
    }

    fn tmux(&self, args: &[&str]) -> Done {
        let mut command = std::process::Command::new("tmux");
        self.desk.dress(&mut command);
        finish(command.env("TERM", "xterm-256color").env("LANG", "C.UTF-8").arg("-S").arg(&self.socket).args(args))
    }

    /// Pastes what stands in a file, with or without the marks by which a terminal tells a paste from keys.
    pub fn paste(&self, file: &std::path::Path, marked: bool) {
        let loaded = self.tmux(&["load-buffer", &file.to_string_lossy()]);
        assert_eq!(loaded.code, 0, "{}", loaded.said());
        let pasted = self.tmux(if marked { &["paste-buffer", "-p"] } else { &["paste-buffer"] });
        assert_eq!(pasted.code, 0, "{}", pasted.said());
    }

    /// Sends keys, by the names that tmux has for them.
    pub fn keys(&self, keys: &[&str]) {
        let sent = self.tmux(&[&["send-keys"], keys].concat());
        assert_eq!(sent.code, 0, "{}", sent.said());
    }

    /// Waits until the terminal shows this text.
    #[track_caller]
    pub fn shows(&self, text: &str) -> String {
        self.shows_lines(text, 1)
    }

    /// Waits until so many lines of the terminal show this text.
    #[track_caller]
    pub fn shows_lines(&self, text: &str, count: usize) -> String {
        let mut last = Last(String::new());
        eventually(format!("{text:?} on the screen"), || {
            let seen = self.tmux(&["capture-pane", "-p"]).stdout;
            last.0.clone_from(&seen);
            (seen.lines().filter(|line| line.contains(text)).count() >= count).then_some(seen)
        })
    }

    /// The process of the screen: the shell's only child.
    pub fn screen(&self) -> i32 {
        let shell: i32 = self.desk.read("shell").trim().parse().expect("a process");
        botwarden::process::children(shell)[0]
    }
}

/// What the screen showed last, told when a test fails.
struct Last(String);

impl Drop for Last {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the screen:\n{}", self.0);
        }
    }
}

impl Drop for Terminal<'_> {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

#[test]
fn keys_start_and_stop_a_bot_and_its_row_follows_the_evidence() {
    if !has("tmux") {
        return skipped("there is no tmux here");
    }
    let desk = Desk::new(TWO);
    let terminal = Terminal::open(&desk);
    terminal.keys(&["s"]);
    let pid = desk.wait_for("paper", "running")["pid"].as_i64().expect("it lives") as i32;
    terminal.shows("RUN");
    terminal.keys(&["x"]);
    desk.wait_for("paper", "stopped");
    assert!(!alive(pid));
    terminal.shows(&format!("stopped paper (pid {pid}, by SIGTERM"));
    terminal.keys(&["q"]);
    terminal.shows("no bot is running");
    terminal.shows("ended with 0");
    terminal.shows(" echo");
}

#[test]
fn a_live_bot_is_started_only_by_its_typed_name() {
    if !has("tmux") {
        return skipped("there is no tmux here");
    }
    let desk = Desk::new(TWO);
    let terminal = Terminal::open(&desk);
    terminal.keys(&["G", "s"]);
    terminal.shows("Type real");
    terminal.keys(&["Enter"]);
    eventually("no question any more", || {
        (!terminal.tmux(&["capture-pane", "-p"]).stdout.contains("Type real")).then_some(())
    });
    assert_eq!(desk.state("real"), "stopped");
    terminal.keys(&["s"]);
    terminal.shows("Type real");
    terminal.keys(&["r", "e", "a", "l", "Enter"]);
    desk.wait_for("real", "running");
}

#[test]
fn an_orphan_is_inspected_and_adopted_by_keys() {
    if !has("tmux") {
        return skipped("there is no tmux here");
    }
    let desk = Desk::new(TWO);
    let terminal = Terminal::open(&desk);
    terminal.keys(&["s"]);
    let before = desk.wait_for("paper", "running");
    desk.signal(before["keeper_pid"].as_i64().expect("a keeper") as i32, Signal::KILL);
    terminal.shows("no keeper; A adopts");
    terminal.keys(&["i"]);
    terminal.shows("none: nobody would see it end");
    terminal.keys(&["G"]);
    terminal.shows("started (pid");
    terminal.keys(&["i"]);
    terminal.shows("NAME");
    terminal.keys(&["A"]);
    terminal.shows("adopt paper?");
    terminal.keys(&["y"]);
    let after = desk.wait_for("paper", "running");
    assert_eq!(before["pid"], after["pid"], "it was not restarted");
    terminal.shows("it was not restarted");
}

#[test]
fn a_killed_screen_costs_no_bot_anything() {
    if !has("tmux") {
        return skipped("there is no tmux here");
    }
    let desk = Desk::new(TWO);
    let terminal = Terminal::open(&desk);
    terminal.keys(&["s"]);
    let before = desk.wait_for("paper", "running");
    desk.signal(terminal.screen(), Signal::KILL);
    terminal.shows("ended with 137");
    let after = desk.status("paper");
    for key in ["state", "pid", "keeper_pid", "started_at"] {
        assert_eq!(before[key], after[key], "{key}");
    }
    drop(terminal);
    assert_eq!(desk.status("paper")["pid"], before["pid"], "and neither does the end of the terminal");
}

#[test]
fn a_screen_that_is_told_to_end_restores_the_terminal() {
    if !has("tmux") {
        return skipped("there is no tmux here");
    }
    let desk = Desk::new(TWO);
    let terminal = Terminal::open(&desk);
    desk.signal(terminal.screen(), Signal::TERM);
    terminal.shows("ended with");
    terminal.shows(" echo");
}

#[test]
fn the_guard_opens_by_one_press_and_pasted_text_does_not_fire() {
    if !has("tmux") {
        return skipped("there is no tmux here");
    }
    let desk = Desk::new(TWO);
    let terminal = Terminal::open(&desk);
    let shot = || terminal.tmux(&["capture-pane", "-p"]).stdout;
    let latched = || desk.home_folder().join("estop.json").exists();
    // Bracketed, and as a terminal sends it that knows no brackets.
    assert_eq!(terminal.tmux(&["set-buffer", "!!!!"]).code, 0);
    assert_eq!(terminal.tmux(&["paste-buffer", "-p"]).code, 0);
    terminal.keys(&["-l", "!!!!"]);
    // The second kind may be a hand's on a machine that is busy: it opens, and does no more.
    assert!(terminal.shows("STOP EVERYTHING NOW").contains("guard open") && !latched());
    terminal.keys(&["Escape"]);
    eventually("no guard any more", || (!shot().contains("guard open")).then_some(()));
    terminal.keys(&["G", "?"]);
    assert!(!terminal.shows("Help - Bots").contains("guard open") && !latched());
    terminal.keys(&["!"]);
    terminal.shows("STOP EVERYTHING NOW");
    terminal.keys(&["-l", "!!!!"]);
    assert_eq!(terminal.tmux(&["paste-buffer", "-p"]).code, 0);
    terminal.keys(&["q", "Escape"]);
    eventually("no guard any more", || (!shot().contains("guard open")).then_some(()));
    assert!(terminal.shows("Help - Bots").contains("! E-STOP") && !latched());
    assert_eq!(terminal.tmux(&["resize-window", "-x", "20", "-y", "5"]).code, 0);
    terminal.shows("needs 60x15");
    terminal.keys(&["!"]);
    terminal.shows("STOPS EVERYTHING");
    terminal.keys(&["Escape"]);
    terminal.shows("needs 60x15");
    assert!(!latched());
}
