//! The screen in a terminal of the test's own, and everything that may happen to a terminal: storms of sizes, being
//! suspended, hung up or killed, a frame that breaks off. It is given back as it was, and no bot notices.

use botwarden::core::signal::Signal;
use serde_json::Value;

use crate::harness::{Desk, alive, eventually};
use crate::pty::Pty;

/// One that is silent and one that writes a thousand lines a second.
const BUSY: &str = "[bots.calm]\ncommand = ['sleep', '600']\nmode = 'paper'\n\
                    [bots.loud]\ncommand = ['PYTHON', '-u', 'FOLDER/loud.py']\nmode = 'paper'\n";
const LOUD: &str = "import time\nn = 0\nwhile True:\n    for _ in range(10):\n        n += 1\n        \
                    print('line', n, 'quote bid=61250.0 ask=62500.0')\n    time.sleep(0.01)\n";

/// A desk at which both run, and what is known of them.
fn busy() -> (Desk, Vec<Value>) {
    let desk = Desk::new(BUSY);
    desk.write("loud.py", LOUD);
    desk.run(&["start", "calm", "loud"]).expect(0);
    let before = evidence(&desk);
    (desk, before)
}

/// What would be another if a bot had noticed anything.
fn evidence(desk: &Desk) -> Vec<Value> {
    ["calm", "loud"]
        .iter()
        .flat_map(|bot| {
            let status = desk.status(bot);
            ["state", "pid", "keeper_pid", "started_at", "restarts"].map(|key| status[key].clone())
        })
        .collect()
}

#[test]
fn a_storm_of_a_thousand_sizes_leaves_a_screen_that_is_right() {
    let (desk, before) = busy();
    let pty = Pty::screen(&desk, (120, 36), "", "calm ");
    pty.keys("G");
    pty.shows("▸ loud");
    let mut random = fastrand::Rng::with_seed(20_261_122);
    let corners = [(1, 1), (500, 1), (1, 200), (500, 200), (1, 1), (500, 200)];
    for storm in 0..1000 {
        let (columns, rows) = match corners.get(storm / 150) {
            Some(corner) if storm % 150 == 0 => *corner,
            Some(_) | None => (random.u16(1..=500), random.u16(1..=200)),
        };
        let came = pty.came();
        pty.resize_unseen(columns, rows);
        if storm % 10 == 0 {
            eventually(format!("a frame of {columns}x{rows}"), || (pty.came() > came).then_some(()));
        } else {
            std::thread::yield_now();
        }
    }
    pty.look_again(120, 36);
    // What was on its way when the last size came is swept away by that size's first frame, and nothing draws it again.
    pty.until("the whole list", |text| {
        let row = |bot: &str| text.lines().any(|line| line.contains(&format!(" {bot} ")) && line.contains("RUNNING"));
        row("calm") && row("loud") && ["quote bid=", "Bots  2", "E-STOP"].iter().all(|part| text.contains(part))
    });
    eventually("borders where they belong", || crooked(&pty).is_empty().then_some(()));
    let text = pty.text();
    assert!(text.lines().nth(1).is_some_and(|line| line.starts_with("┌ 1 Bots  2") && line.ends_with('┐')), "{text}");
    let all = pty.raw_from(0);
    assert!(!all.windows(4).any(|bytes| bytes == b"\x1b[6n"), "the terminal is asked for nothing");
    assert_eq!(evidence(&desk), before, "a bot has noticed");
    pty.keys("q");
    pty.shows("ended with 0");
}

#[test]
fn a_screen_that_is_stopped_and_continued_gives_the_terminal_back_and_takes_it_again() {
    let (desk, before) = busy();
    let pty = Pty::open(&desk, (80, 24), "read -r go; \"$BOTWARDEN\"; echo \"ended with $?\"; exec sleep 600");
    let settings = pty.settings();
    pty.keys("\n");
    pty.shows("calm ");
    let taken = pty.settings();
    assert_ne!(taken, settings);
    let screen = pty.process();
    for _ in 0..3 {
        desk.signal(screen, Signal::from_number(20));
        eventually("it stands still", || (state(screen) == Some(b'T')).then_some(()));
        eventually("a terminal as before", || pty.left_wrong(&settings).is_empty().then_some(()));
        desk.signal(screen, Signal::CONT);
        pty.shows("calm ");
        assert!(pty.look(vt100::Screen::alternate_screen) && pty.look(vt100::Screen::bracketed_paste));
        assert_eq!(pty.settings(), taken);
    }
    assert_eq!(evidence(&desk), before, "a bot has noticed");
    pty.keys("q");
    pty.shows("ended with 0");
    assert_eq!(pty.left_wrong(&settings), Vec::<&str>::new());
}

#[test]
fn ctrl_z_goes_back_to_the_shell_and_fg_returns() {
    let (desk, before) = busy();
    let line = "set -m; read -r go; \"$BOTWARDEN\"; echo \"stopped with $?\"; read -r go; fg; echo \"ended with $?\"; \
                exec sleep 600";
    let pty = Pty::open(&desk, (80, 24), line);
    let settings = pty.settings();
    pty.keys("\n");
    pty.shows("calm ");
    pty.keys("\x1a");
    // It stops itself with SIGSTOP, once the terminal is as it was.
    pty.shows("stopped with 147");
    assert_eq!(pty.left_wrong(&settings), Vec::<&str>::new());
    pty.keys("\n");
    pty.shows("calm ");
    assert_eq!(evidence(&desk), before, "a bot has noticed");
    pty.keys("q");
    pty.shows("ended with 0");
    assert_eq!(pty.left_wrong(&settings), Vec::<&str>::new());
}

#[test]
fn a_screen_that_is_asked_to_end_gives_the_terminal_back_and_no_bot_notices() {
    let (desk, before) = busy();
    for number in [1, 2, 3, 15] {
        let pty = Pty::open(&desk, (80, 24), "read -r go; \"$BOTWARDEN\"; echo \"ended with $?\"; exec sleep 600");
        let settings = pty.settings();
        pty.keys("\n");
        pty.shows("calm ");
        desk.signal(pty.process(), Signal::from_number(number));
        pty.shows("ended with 10");
        assert!(pty.text().contains("2 bots keep running"), "{}", pty.text());
        assert_eq!(pty.left_wrong(&settings), Vec::<&str>::new());
    }
    assert_eq!(evidence(&desk), before, "a bot has noticed");
}

#[test]
fn a_terminal_that_goes_away_takes_the_screen_with_it_and_no_bot() {
    let (desk, before) = busy();
    let mut pty = Pty::screen(&desk, (80, 24), "", "calm ");
    let screen = pty.process();
    pty.hang_up();
    eventually("its end", || (!alive(screen)).then_some(()));
    assert_eq!(evidence(&desk), before, "a bot has noticed");
}

#[test]
fn a_frame_that_breaks_off_leaves_a_terminal_that_is_sane() {
    if !cfg!(debug_assertions) {
        return crate::harness::skipped("only a debug build breaks off when it is told to");
    }
    let (mut desk, before) = busy();
    let broken = desk.path("broken");
    desk = desk.with("BOTWARDEN_BREAK_DRAW", &broken.to_string_lossy());
    let pty = Pty::open(&desk, (80, 24), "read -r go; \"$BOTWARDEN\"; echo \"ended with $?\"; exec sleep 600");
    let settings = pty.settings();
    pty.keys("\n");
    pty.shows("calm ");
    desk.write("broken", "");
    let text = pty.shows("ended with");
    assert!(!text.contains("ended with 0"), "{text}");
    // Long lines wrap in a terminal.
    assert!(text.replace('\n', "").contains("this frame breaks off, as it was told to"), "{text}");
    assert_eq!(pty.left_wrong(&settings), Vec::<&str>::new());
    assert_eq!(evidence(&desk), before, "a bot has noticed");
}

#[test]
fn an_idle_screen_sends_a_little_and_nothing_is_left_behind_it() {
    let desk = Desk::new(
        "[bots.one]\ncommand = ['sleep', '600']\nmode = 'paper'\n[bots.two]\ncommand = ['sleep', '600']\n\
                          mode = 'live'\n",
    );
    desk.run(&["start", "--yes", "one", "two"]).expect(0);
    let pty = Pty::screen(&desk, (120, 36), "", "one ");
    pty.shows("RUNNING");
    let clock = || pty.text().lines().next().unwrap_or_default().chars().rev().take(14).collect::<String>();
    let tick = || {
        let before = clock();
        eventually("another second", || (clock() != before).then_some(()));
    };
    // Whatever comes late at first has come by then.
    tick();
    tick();
    let start = pty.came();
    (0..4).for_each(|_| tick());
    let idle = String::from_utf8_lossy(&pty.raw_from(start)).into_owned();
    for all in ["\x1b[2J", "\x1b[3J", "\x1b[J", "\x1b[0J", "\x1bc"] {
        assert!(!idle.contains(all), "{idle:?}");
    }
    for frame in idle.split("\x1b[?2026h").skip(1) {
        assert!(frame.len() < 120 * 36 / 4, "{} bytes: {frame:?}", frame.len());
    }
    pty.keys("q");
    pty.shows("ended with 0");
    let all = String::from_utf8_lossy(&pty.raw_from(0)).into_owned();
    let (_, after) = all.rsplit_once("\x1b[?1049l").expect("it has left");
    assert!(!after.replace("\x1b[?25h", "").contains('\x1b'), "{after:?}");
    assert!(after.contains("keep"), "{after:?}");
    let asks = regex::Regex::new("\x1b\\[[?>=]?[0-9;]*(n|c|u|\\$p)|\x1b[P\\]X^_]|\x1bZ|\x05").expect("a pattern");
    assert_eq!(asks.find(&all).map(|found| found.as_str().to_owned()), None, "the terminal is asked for nothing");
}

#[test]
fn whatever_a_bot_writes_stays_in_its_pane_and_is_obeyed_by_nobody() {
    let desk = Desk::new("[bots.rude]\ncommand = ['PYTHON', '-u', 'FOLDER/rude.py']\nmode = 'paper'\n");
    desk.write(
        "rude.py",
        "import sys, time\n\
         out = sys.stdout.buffer\n\
         lines = ['emoji \\U0001f680\\U0001f680 \\U0001f469\\u200d\\U0001f469\\u200d\\U0001f467 \\u2764\\ufe0f \\U0001f1e9\\U0001f1ea',\n\
         'cjk \\u65e5\\u672c\\u8a9e' + '\\u5168' * 90, 'marks e\\u0301 ' + 'a' + '\\u0300' * 60, 'rtl \\u202eabc\\u202c \\u05d0\\u05d1\\u05d2',\n\
         'tabs\\ta\\tb\\t\\tc', 'nul a\\0b\\0c bell\\x07 back\\x08\\x08', 'clip \\x1b]52;c;cHduZWQ=\\x07x', 'title \\x1b]0;owned\\x07x',\n\
         'st \\x1b]2;owned\\x1b\\\\x', 'clear \\x1b[2J\\x1b[Hx', 'dcs \\x1bPq#0;2;0;0;0\\x1b\\\\x', 'apc \\x1b_Gi=1\\x1b\\\\x',\n\
         'leave \\x1b[?1049l\\x1b[?25hx', 'ask \\x1b[6n\\x1b[c\\x1b[5nx', 'c1 \\x9b2J\\x9d52;c;QQ==\\x9cx', 'reset \\x1bcx', 'margins \\x1b[5;7rx',\n\
         'colour \\x1b[31mred\\x1b[0m']\n\
         out.write(b'long ' + b'x' * 1000000 + b'\\n')\n\
         for line in lines: out.write(line.encode('utf-8') + b'\\n')\n\
         out.write(b'bytes \\xff\\xfe\\x80\\xc3\\n')\n\
         out.write(b'that was all\\n')\n\
         out.flush()\n\
         time.sleep(600)\n",
    );
    desk.run(&["start", "rude"]).expect(0);
    let pty = Pty::screen(&desk, (120, 36), "", "rude ");
    pty.shows("that was all");
    assert_eq!(crooked(&pty), Vec::<String>::new());
    // Through all of it, zoomed, wrapped or not, and in the list of what is known of it.
    pty.keys("4z");
    pty.until("a zoomed log", |text| !text.contains("1 Bots") && text.contains("that was all"));
    pty.shows("emoji");
    assert_eq!(crooked(&pty), Vec::<String>::new());
    pty.keys("g");
    pty.keys("z1i");
    pty.until("what is known of it", |text| text.contains("keeper"));
    assert_eq!(crooked(&pty), Vec::<String>::new());
    pty.keys("i");
    pty.shows("1 Bots");
    pty.keys("q");
    pty.shows("ended with 0");
    let all = String::from_utf8_lossy(&pty.raw_from(0)).into_owned();
    for obeyed in [
        "\x1b]",
        "\x1bP",
        "\x1b_",
        "\x1b[6n",
        "\x1b[5n",
        "\x1b[c",
        "\x1bc",
        "\x1b[5;7r",
        "\u{9b}",
        "\u{9d}",
        "\0",
        "\x07",
    ] {
        assert!(!all.contains(obeyed), "{obeyed:?} has come through");
    }
    for once in ["\x1b[?1049h", "\x1b[?1049l", "\x1b[?25h"] {
        assert_eq!(all.matches(once).count(), 1, "{once:?}");
    }
}

#[test]
fn in_ascii_no_byte_is_beyond_it_in_any_pane() {
    let (desk, _) = busy();
    desk.write("loud.py", "import time\nprint('日本語 🚀 é · ─', flush=True)\ntime.sleep(600)\n");
    desk.run(&["restart", "loud"]).expect(0);
    let pty = Pty::screen(&desk, (120, 36), "--ascii", "loud ");
    pty.keys("j");
    for pane in ["2", "3", "4", "5", "6", "7", "1"] {
        pty.keys(pane);
        pty.keys("z");
        pty.keys("z");
    }
    pty.keys("?");
    pty.shows("Help");
    pty.keys("\x1b");
    pty.until("no help", |text| !text.contains("Help"));
    pty.keys("i");
    pty.shows("keeper");
    pty.keys("i");
    pty.shows("1 Bots");
    pty.keys(":");
    // While text is typed, this is the key of the emergency stop.
    pty.shows("Ctrl-X");
    pty.keys("\x1b");
    // Together with what follows it would be another key.
    pty.until("no palette", |text| !text.contains("Ctrl-X"));
    pty.keys("!");
    pty.shows("STOP EVERYTHING");
    pty.keys("\x1b");
    pty.until("no guard", |text| !text.contains("STOP EVERYTHING"));
    pty.keys("x");
    pty.shows("stopped loud");
    pty.resize(60, 15);
    pty.shows("loud ");
    pty.resize(20, 5);
    pty.shows("60x15");
    pty.resize(80, 24);
    pty.shows("loud ");
    pty.keys("q");
    pty.shows("ended with 0");
    let beyond: Vec<u8> = pty.raw_from(0).into_iter().filter(|byte| !byte.is_ascii()).collect();
    assert_eq!(String::from_utf8_lossy(&beyond), "");
}

#[test]
fn a_question_keeps_its_bot_when_the_list_is_sorted_anew_and_refuses_one_that_has_changed() {
    let desk = Desk::new(
        "[bots.first]\ncommand = ['sleep', '600']\nmode = 'live'\n\
         [bots.second]\ncommand = ['sleep', '600']\nmode = 'live'\nrestart = 'never'\n\
         [bots.third]\ncommand = ['sleep', '600']\nmode = 'live'\n",
    );
    for bot in ["first", "second", "third"] {
        desk.run(&["start", "--yes", bot]);
        desk.wait_for(bot, "running");
    }
    let pty = Pty::screen(&desk, (120, 36), "", "third ");
    pty.until("all three", |text| text.matches("RUNNING").count() >= 3);
    pty.keys("o");
    pty.shows("sort status");
    let row = |bot: &str| pty.text().lines().position(|line| line.contains(&format!(" {bot} ")));
    let third = row("third");
    pty.keys("G");
    pty.until("the cursor at the end", |text| text.lines().any(|line| line.contains("▸ third")));
    pty.keys("x");
    pty.shows("stop third?");
    desk.signal(desk.pid("second"), Signal::KILL);
    eventually("another order of rows", || (row("third") != third || row("first") > row("second")).then_some(()));
    pty.keys("y");
    desk.wait_for("third", "stopped");
    assert_eq!(desk.state("first"), "running");
    pty.until("no question", |text| !text.contains("stop third?"));
    // And one whose bot is not what it was.
    pty.keys("/first\r");
    pty.until("the cursor on another", |text| text.lines().any(|line| line.contains("▸ first")));
    pty.keys("x");
    pty.shows("stop first?");
    desk.run(&["restart", "--yes", "first"]).expect(0);
    let pid = desk.wait_for("first", "running")["pid"].clone();
    pty.keys("y");
    pty.shows("stop first refused: first");
    assert_eq!(desk.status("first")["pid"], pid);
}

/// The state of a process, as the kernel has it.
fn state(pid: i32) -> Option<u8> {
    botwarden::process::stat(pid).map(|stat| stat.state)
}

/// Rows of panes whose border is not where it belongs, in the last column.
fn crooked(pty: &Pty) -> Vec<String> {
    pty.look(|screen| {
        let (rows, columns) = screen.size();
        let is_border = |text: &str| matches!(text, "│" | "┐" | "┘" | "┤" | "|" | "+");
        (0..rows)
            .filter(|row| {
                let first = screen.cell(*row, 0).map_or("", |cell| cell.contents());
                let last = screen.cell(*row, columns - 1).map_or("", |cell| cell.contents());
                matches!(first, "│" | "┌" | "└") && !is_border(last)
            })
            .map(|row| screen.contents_between(row, 0, row, columns))
            .collect()
    })
}
