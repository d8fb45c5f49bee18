//! The emergency stop, with real bots: whatever state they are in, whatever is wrong with the desk, everything stops, and
//! nothing is started again.

use std::process::Stdio;

use botwarden::core::signal::Signal;
use botwarden::process::{self, Held};
use serde_json::Value;

use crate::harness::{Desk, alive, can, eventually, has, root, skipped};
use crate::homes::elsewhere;

/// Bots in every state that a bot can be in.
const ALL_KINDS: &str = "[bots.runs]\ncommand = ['sleep', '600']\nmode = 'live'\n\
    [bots.backs-off]\ncommand = ['/bin/sh', '-c', 'echo x >> tried; exit 3']\nmode = 'paper'\nrestart = 'always'\n\
    backoff = { first = '1h', max = '1h', give_up_after = 0 }\n\
    [bots.starts]\ncommand = ['sleep', '600']\nmode = 'paper'\nready = 'notify'\n\
    [bots.orphan]\ncommand = ['sleep', '600']\nmode = 'live'\n\
    [bots.hangs]\ncommand = ['sleep', '600']\nmode = 'live'\n\
    [bots.breaks]\ncommand = ['/bin/sh', '-c', 'exit 3']\nmode = 'paper'\nrestart = 'never'\n\
    [bots.rests]\ncommand = ['sleep', '600']\nmode = 'dry-run'\nautostart = true\n\
    [bots.stray]\ncommand = ['/bin/sh', './stray.sh']\nmode = 'live'\nfind = ['sh', 'stray.sh']\n";

fn signal(name: &str) -> Signal {
    name.parse().expect("a signal")
}

/// A desk whose emergency stop waits no longer than this on a rung.
pub fn desk(wait: &str, bots: &str) -> Desk {
    Desk::new(&format!("[estop]\nwait = '{wait}'\n{bots}"))
}

/// Fires from the command line, and hands over the report.
#[track_caller]
pub fn fire(desk: &Desk, code: i32) -> Value {
    let report = desk.run(&["estop", "--json"]).expect(code).json();
    assert_eq!((&report["exit_code"], &report["ok"]), (&code.into(), &(code == 0).into()), "{report}");
    report
}

/// One bot's part of a report.
#[track_caller]
pub fn part<'a>(report: &'a Value, bot: &str) -> &'a Value {
    let bots = report["bots"].as_array().expect("bots");
    bots.iter().find(|seen| seen["name"] == bot).unwrap_or_else(|| panic!("no {bot} in {report}"))
}

/// The desk's own events about the emergency stop: what was done.
pub fn audited(desk: &Desk) -> Vec<String> {
    let done = desk.run(&["events", "-n", "1000", "--json"]);
    let events = done.json()["events"].as_array().cloned().unwrap_or_default();
    let of_it = events.iter().filter(|event| event["kind"] == "estop");
    of_it.map(|event| event["action"].as_str().unwrap_or_default().to_owned()).collect()
}

/// Who has fired is written down beside everything else: a stopper that is killed before may leave nothing of it.
#[track_caller]
fn fired_is_on_record(desk: &Desk) {
    eventually("that it was fired", || (audited(desk) == ["fired"]).then_some(()));
}

/// Lifts the latch as somebody with a hammer would.
pub fn force_open(desk: &Desk) {
    std::fs::remove_file(desk.home_folder().join("estop.json")).expect("it is latched");
}

/// A script of the desk that somebody else starts.
fn by_hand(desk: &Desk, script: &str) -> std::process::Child {
    let mut command = std::process::Command::new("/bin/sh");
    desk.dress(&mut command);
    let command = command.env_remove("BOTWARDEN_HOME").arg(script).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("it executes")
}

/// The process that carries out an emergency stop of this desk, once there is one.
#[track_caller]
pub fn stopper(desk: &Desk) -> Held {
    let home = botwarden::paths::Home::at(desk.home_folder().to_owned());
    eventually("a stopper", || {
        let pid = botwarden::beacon::holder(&home)?;
        process::identify(pid).and_then(|id| Held::open(&id))
    })
}

/// The same, once it has made sure of the latch and works in its folder: what is done to it from then on is done to one that
/// is under way.
#[track_caller]
pub fn stopper_at_work(desk: &Desk) -> Held {
    let stopper = stopper(desk);
    let home = botwarden::paths::Home::at(desk.home_folder().to_owned());
    eventually("its lock", || {
        let folders = std::fs::read_dir(home.stops()).ok()?.flatten();
        folders.map(|folder| folder.path().join("lock")).find(|lock| process::holders(lock).contains(&stopper.pid()))
    });
    stopper
}

#[test]
fn whatever_state_a_bot_is_in_it_is_stopped_and_nothing_starts_any_more() {
    let desk = desk("2s", ALL_KINDS);
    desk.write("stray.sh", "sleep 600 & wait $!\n");
    desk.run(&["start", "--yes", "runs", "orphan", "hangs"]).expect(0);
    desk.run(&["start", "--yes", "backs-off", "breaks"]);
    let mut starting = desk.command(&["start", "starts"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    desk.wait_for("starts", "starting");
    desk.wait_for("backs-off", "backoff");
    let orphan = desk.pid("orphan");
    desk.kill_keeper("orphan");
    let hung = desk.keeper("hangs");
    hung.signal(signal("SIGSTOP")).expect("it is ours");
    let mut stray = by_hand(&desk, "./stray.sh");
    let pids = [orphan, desk.pid("runs"), desk.pid("hangs"), desk.pid("starts")];
    let report = fire(&desk, 0);
    for pid in &pids {
        assert!(!alive(*pid), "{pid} lives: {report}");
    }
    assert!(stray.try_wait().expect("it is ours").is_some(), "the stray lives: {report}");
    for bot in ["runs", "orphan", "hangs", "starts", "stray"] {
        assert_eq!(part(&report, bot)["outcome"], "stopped", "{report}");
    }
    for bot in ["backs-off", "breaks", "rests"] {
        assert_eq!(part(&report, bot)["outcome"], "not_running", "{report}");
    }
    assert_eq!((&report["latched"], report["scope"].as_str()), (&true.into(), Some("everything")), "{report}");
    let _ = hung.signal(Signal::CONT);
    assert_ne!(starting.wait().expect("it ends").code(), Some(0), "a start that was refused, or ended");
    assert_eq!(desk.read("tried").lines().count(), 1);
    assert!(desk.living().is_empty());
    // Nothing brings anything back, and every one of them says why.
    for args in [&["start", "--yes", "--all"][..], &["restart", "--yes", "runs"], &["adopt", "runs"], &["up"]] {
        let done = desk.run(args).expect(75);
        assert!(done.stderr.contains("latched"), "{}", done.said());
    }
    // What only ends something is allowed.
    desk.run(&["stop", "--all"]).expect(0);
    assert!(desk.living().is_empty());
    assert_eq!(desk.run(&["status", "--json"]).json()["estop"]["state"], "latched");
    assert_eq!(audited(&desk), ["fired"]);
    assert_eq!(desk.events("runs").iter().filter(|kind| *kind == "report").count(), 2);
}

#[test]
fn a_second_call_joins_the_first_and_both_say_the_same() {
    let desk = desk(
        "3s",
        "[bots.deaf]\ncommand = ['/bin/sh', '-c', \"trap '' TERM; echo up > up; while :; do sleep 0.1; done\"]\nmode = 'live'\n",
    );
    desk.run(&["start", "--yes", "deaf"]).expect(0);
    desk.wait_for_lines("up", 1);
    let first = desk.command(&["estop", "--json", "--reason", "first"]).stdout(Stdio::piped()).spawn().unwrap();
    let carries_it_out = stopper(&desk);
    let second = fire(&desk, 0);
    // It has things of its own to see to after its last word.
    eventually("the end of the only one", || carries_it_out.has_ended().then_some(()));
    let first: Value = serde_json::from_slice(&first.wait_with_output().expect("it ends").stdout).expect("a report");
    assert_eq!(first, second);
    assert_eq!(part(&first, "deaf")["processes"][0]["ended_by"], "SIGKILL");
    let mut audited = audited(&desk);
    audited.sort();
    assert_eq!(audited, ["fired", "joined"]);
    // One more under the same latch finds nothing to do, and is another one.
    let third = fire(&desk, 0);
    assert_eq!(part(&third, "deaf")["outcome"], "not_running");
    let latch: Value =
        serde_json::from_str(&std::fs::read_to_string(desk.home_folder().join("estop.json")).unwrap()).unwrap();
    assert_eq!(latch["reason"], "first");
}

#[test]
fn whoever_fired_may_be_killed_and_it_goes_on() {
    let desk = desk(
        "1s",
        "[bots.deaf]\ncommand = ['/bin/sh', '-c', \"trap '' TERM; echo up > up; while :; do sleep 0.1; done\"]\nmode = 'live'\n",
    );
    for _ in 0..10 {
        desk.run(&["start", "--yes", "deaf"]).expect(0);
        let pid = desk.pid("deaf");
        let mut fired = desk.command(&["estop"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // The very moment that there is a latch.
        let latch = desk.home_folder().join("estop.json");
        while !latch.exists() {
            std::hint::spin_loop();
        }
        fired.kill().expect("it is ours");
        fired.wait().expect("it ends");
        eventually("the end of the bot", || (!alive(pid)).then_some(()));
        eventually("its report", || report_of(&desk));
        force_open(&desk);
    }
}

/// The report of the emergency stop that the latch names.
fn report_of(desk: &Desk) -> Option<Value> {
    let latch = std::fs::read_to_string(desk.home_folder().join("estop.json")).ok()?;
    let latch: Value = serde_json::from_str(&latch).ok()?;
    let folder = desk.home_folder().join("stops").join(latch["id"].as_str()?);
    serde_json::from_str(&std::fs::read_to_string(folder.join("report.json")).ok()?).ok()
}

#[test]
fn where_its_stopper_was_killed_the_next_carries_on() {
    let desk = desk(
        "2s",
        "[bots.quick]\ncommand = ['sleep', '600']\nmode = 'live'\n\
         [bots.deaf]\ncommand = ['/bin/sh', '-c', \"trap '' TERM; echo up > up; while :; do sleep 0.1; done\"]\nmode = 'live'\n",
    );
    desk.run(&["start", "--yes", "quick", "deaf"]).expect(0);
    desk.wait_for_lines("up", 1);
    let (quick, deaf) = (desk.pid("quick"), desk.pid("deaf"));
    let mut fired = desk.command(&["estop"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let carries_it_out = stopper(&desk);
    // What became of the first bot is on record already.
    let home = desk.home_folder().to_owned();
    eventually("the first bot's report", || {
        let told = std::fs::read_dir(home.join("stops")).ok()?.flatten().next()?.path().join("told");
        std::fs::read_to_string(told).ok().filter(|told| told.contains("quick"))
    });
    fired_is_on_record(&desk);
    // Whoever watches would start another one.
    fired.kill().expect("it is ours");
    fired.wait().expect("it ends");
    carries_it_out.signal(Signal::KILL).expect("it is ours");
    eventually("its end", || carries_it_out.has_ended().then_some(()));
    let seen = desk.run(&["estop", "status", "--json"]).expect(3).json();
    assert_eq!((seen["estop"]["state"].as_str(), &seen["report"]), (Some("latched"), &Value::Null), "{seen}");
    assert!(seen["estop"]["problems"].to_string().contains("carries on"), "{seen}");
    let report = fire(&desk, 0);
    assert!(!alive(quick) && !alive(deaf));
    assert_eq!(part(&report, "quick")["outcome"], "stopped", "what the first one did is not lost: {report}");
    assert_eq!(part(&report, "quick")["processes"][0]["ended_by"], "SIGTERM", "{report}");
    assert_eq!(part(&report, "deaf")["outcome"], "stopped", "{report}");
    assert_eq!(audited(&desk), ["fired", "carried on"]);
    assert_eq!(std::fs::read_dir(home.join("stops")).expect("stops").count(), 1, "it is the same one");
}

#[test]
fn whoever_watches_starts_another_stopper_when_one_dies() {
    let desk = desk(
        "1s",
        "[bots.deaf]\ncommand = ['/bin/sh', '-c', \"trap '' TERM; echo up > up; while :; do sleep 0.1; done\"]\nmode = 'live'\n",
    );
    desk.run(&["start", "--yes", "deaf"]).expect(0);
    desk.wait_for_lines("up", 1);
    let fired = desk.command(&["estop", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    let first = stopper(&desk);
    fired_is_on_record(&desk);
    first.signal(Signal::KILL).expect("it is ours");
    let done = fired.wait_with_output().expect("it ends");
    assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stdout));
    assert!(desk.living().is_empty());
    assert_eq!(audited(&desk), ["fired", "carried on"]);
}

#[test]
fn a_stopper_that_hangs_gives_way() {
    for is_watched in [false, true] {
        let desk = desk(
            "1s",
            "[bots.deaf]\ncommand = ['/bin/sh', '-c', \"trap '' TERM; echo up > up; while :; do sleep 0.1; done\"]\nmode = 'live'\n",
        );
        desk.run(&["start", "--yes", "deaf"]).expect(0);
        desk.wait_for_lines("up", 1);
        let mut first = desk.command(&["estop"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let hung = stopper(&desk);
        hung.signal(signal("SIGSTOP")).expect("it is ours");
        if !is_watched {
            first.kill().expect("it is ours");
            first.wait().expect("it ends");
        }
        let report = fire(&desk, 0);
        assert!(desk.living().is_empty(), "{report}");
        eventually("the end of the one that hung", || hung.has_ended().then_some(()));
        let _ = first.wait();
        // Whoever watched it starts another one as soon as it is ended, which may be quicker than the one who has ended it:
        // that one joins, and what it did stands in the desk's events.
        let mut told = report["notes"].to_string();
        if is_watched {
            told += &desk.run(&["events", "-n", "100"]).said();
        }
        assert!(told.contains("did not answer"), "{report}\n{told}");
    }
}

#[test]
fn a_keeper_that_hangs_and_goes_on_later_finds_its_bot_dead_and_leaves_it_so() {
    let desk = desk(
        "1s",
        "[bots.a]\ncommand = ['sleep', '600']\nmode = 'live'\nrestart = 'always'\nbackoff = { first = '0ms', give_up_after = 0 }\n",
    );
    desk.run(&["start", "--yes", "a"]).expect(0);
    let (pid, keeper) = (desk.pid("a"), desk.keeper("a"));
    keeper.signal(signal("SIGSTOP")).expect("it is ours");
    let report = fire(&desk, 0);
    assert!(!alive(pid), "{report}");
    let _ = keeper.signal(Signal::CONT);
    eventually("nothing that lives", || desk.living().is_empty().then_some(()));
    assert_eq!(desk.state("a"), "stopped");
}

#[test]
fn nobody_waits_longer_than_the_cap_on_any_rung_and_sigkill_is_the_last_word() {
    let deaf = |name: &str, stop: &str| {
        format!(
            "[bots.{name}]\ncommand = ['/bin/sh', '-c', \"trap '' TERM INT; echo up > {name}; while :; do sleep 0.1; done\"]\nmode = 'live'\nstop = {stop}\n"
        )
    };
    let desk = desk(
        "300ms",
        &[
            deaf("patient", "[{ signal = 'SIGTERM', wait = '1h' }, { signal = 'SIGKILL', wait = '5s' }]"),
            deaf("mild", "[{ signal = 'SIGINT', wait = '1h' }, { signal = 'SIGTERM', wait = '1h' }]"),
            deaf("orphan", "[{ signal = 'SIGTERM', wait = '1h' }]"),
            deaf("stopping", "[{ signal = 'SIGTERM', wait = '1h' }]"),
        ]
        .concat(),
    );
    desk.run(&["start", "--yes", "--all"]).expect(0);
    for bot in ["patient", "mild", "orphan", "stopping"] {
        desk.wait_for_lines(bot, 1);
    }
    desk.kill_keeper("orphan");
    let mut stop = desk.command(&["stop", "stopping"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    desk.wait_for("stopping", "stopping");
    let report = fire(&desk, 0);
    for bot in ["patient", "mild", "orphan", "stopping"] {
        assert_eq!(part(&report, bot)["processes"][0]["ended_by"], "SIGKILL", "{report}");
    }
    assert_eq!(stop.wait().expect("it ends").code(), Some(0), "a stop that was under way hears the same end");
    assert!(desk.living().is_empty());
}

#[test]
fn a_latch_of_which_only_the_name_could_be_made_is_a_latch() {
    let desk = desk(
        "1s",
        "[bots.a]\ncommand = ['sleep', '600']\nmode = 'paper'\nrestart = 'always'\nbackoff = { first = '0ms', give_up_after = 0 }\nautostart = true\n",
    );
    desk.run(&["start", "a"]).expect(0);
    // Once its process is on record its keeper has looked for a latch again: one that comes before that has it killed.
    let pid = desk.pid("a");
    std::fs::write(desk.home_folder().join("estop.json"), "").expect("written");
    for args in [&["start", "a"][..], &["up"], &["restart", "a"]] {
        desk.run(args).expect(75);
    }
    let seen = desk.run(&["estop", "status", "--json"]).expect(3).json();
    assert_eq!(seen["estop"]["state"], "latched", "{seen}");
    // Its keeper, which was born before it, brings nothing back either.
    desk.signal(pid, Signal::KILL);
    eventually("nothing that lives", || desk.living().is_empty().then_some(()));
    assert!(desk.events("a").contains(&"refused".to_owned()), "{:?}", desk.events("a"));
    // An emergency stop under it works as any other, and gives it contents.
    fire(&desk, 0);
    assert!(std::fs::read_to_string(desk.home_folder().join("estop.json")).unwrap().contains("\"by\""));
}

#[test]
fn a_broken_or_missing_configuration_keeps_nothing_from_being_stopped() {
    for broken in [Some("[bots.\n"), None] {
        let desk = desk("1s", ALL_KINDS);
        desk.write("stray.sh", "sleep 600 & wait $!\n");
        desk.run(&["start", "--yes", "runs", "orphan"]).expect(0);
        let pids = [desk.pid("runs"), desk.pid("orphan")];
        desk.kill_keeper("orphan");
        let mut stray = by_hand(&desk, "./stray.sh");
        match broken {
            Some(text) => _ = desk.write("botwarden.toml", text),
            None => std::fs::remove_file(desk.path("botwarden.toml")).expect("it is there"),
        }
        let report = fire(&desk, 0);
        assert!(pids.iter().all(|pid| !alive(*pid)), "{report}");
        assert!(stray.try_wait().expect("it is ours").is_some(), "known from the last good one: {report}");
        assert!(report["notes"].to_string().contains("last good"), "{report}");
        // Without the last good one too, what has run here is known.
        force_open(&desk);
        std::fs::remove_file(desk.home_folder().join("last-good.toml")).expect("it is there");
        let report = fire(&desk, 1);
        assert!(report["errors"].to_string().contains("last good"), "{report}");
        assert_eq!(report["bots"].as_array().map(|bots| bots.len() >= 2), Some(true), "{report}");
    }
}

#[test]
fn a_history_database_that_is_damaged_locked_or_gone_is_nobodys_business() {
    let desk = desk("1s", "[bots.a]\ncommand = ['sleep', '600']\nmode = 'live'\n");
    desk.run(&["start", "--yes", "a"]).expect(0);
    let file = desk.home_folder().join("botwarden.db");
    let held = rusqlite::Connection::open(&file).expect("a database");
    held.execute_batch("CREATE TABLE events (a); BEGIN EXCLUSIVE; INSERT INTO events VALUES (1)").expect("locked");
    fire(&desk, 0);
    assert!(desk.living().is_empty());
    drop(held);
    force_open(&desk);
    desk.run(&["start", "--yes", "a"]).expect(0);
    std::fs::write(&file, b"SQLite format 3\0 and then nonsense").expect("written");
    fire(&desk, 0);
    force_open(&desk);
    std::fs::remove_file(&file).expect("it is there");
    desk.run(&["start", "--yes", "a"]).expect(0);
    fire(&desk, 0);
    assert!(desk.living().is_empty());
}

#[test]
fn on_a_full_disk_everything_stops_and_what_could_not_be_recorded_is_said() {
    if !root() || !has("unshare") || !can("unshare -m true") {
        return skipped("a mount namespace cannot be made here");
    }
    let desk = desk(
        "1s",
        "[bots.a]\ncommand = ['sleep', '600']\nmode = 'live'\n[bots.deaf]\ncommand = ['/bin/sh', '-c', \"trap '' TERM; while :; do sleep 0.1; done\"]\nmode = 'live'\n",
    );
    let tmpfs = "mkdir -p \"$DESK_HOME\"\nmount -t tmpfs -o size=2m,mode=0700 tmpfs \"$DESK_HOME\"";
    let line = "\"$BOTWARDEN\" start --yes a deaf\n\
                cat /dev/zero > \"$DESK_HOME/ballast\" 2> no-room || true\n\
                set +e\n\
                \"$BOTWARDEN\" estop --json > report; echo estop ended with $?\n\
                ls -s \"$DESK_HOME\" > seen\n\
                \"$BOTWARDEN\" start --yes a 2> refused; echo start ended with $?\n\
                \"$BOTWARDEN\" estop status --json > status; echo status ended with $?\n";
    let done = elsewhere(&desk, tmpfs, line);
    let report: Value = serde_json::from_str(&desk.read("report")).unwrap_or_else(|_| panic!("{}", done.said()));
    assert!(done.stdout.contains("estop ended with 1\n"), "{}\n{report}", done.said());
    assert!(desk.read("seen").contains("estop.json"), "{}", desk.read("seen"));
    assert_eq!(part(&report, "a")["outcome"], "stopped", "{report}");
    assert_eq!(part(&report, "deaf")["outcome"], "stopped", "{report}");
    assert!(report.to_string().contains("no space left"), "{report}");
    assert!(done.stdout.contains("start ended with 75\n"), "{}", done.said());
    assert!(done.stdout.contains("status ended with 3\n"), "{}\n{}", done.said(), desk.read("status"));
    eventually("an empty desk", || desk.living().is_empty().then_some(()));
}

#[test]
fn without_a_latch_everything_stops_all_the_same_and_the_code_is_15() {
    if !root() || !has("unshare") || !can("unshare -m true") {
        return skipped("a mount namespace cannot be made here");
    }
    let desk = desk(
        "1s",
        "[bots.a]\ncommand = ['sleep', '600']\nmode = 'live'\n[bots.orphan]\ncommand = ['sleep', '600']\nmode = 'paper'\n",
    );
    desk.run(&["start", "--yes", "a", "orphan"]).expect(0);
    let pids = [desk.pid("a"), desk.pid("orphan")];
    desk.kill_keeper("orphan");
    let read_only = "mount --bind \"$DESK_HOME\" \"$DESK_HOME\"\nmount -o remount,bind,ro \"$DESK_HOME\"";
    let before = std::time::Instant::now();
    let done = elsewhere(&desk, read_only, "set +e\n\"$BOTWARDEN\" estop --json > report 2> said; exit $?");
    let report: Value = serde_json::from_str(&desk.read("report")).unwrap_or_else(|_| panic!("{}", done.said()));
    assert_eq!((done.code, &report["exit_code"]), (15, &15.into()), "{report}");
    assert!(pids.iter().all(|pid| !alive(*pid)), "{report}");
    assert!(desk.read("said").contains("THE LATCH COULD NOT BE WRITTEN"), "{}", desk.read("said"));
    assert!(report["errors"].to_string().contains("THE LATCH COULD NOT BE WRITTEN"), "{report}");
    assert_eq!(
        (&report["latched"], part(&report, "a")["outcome"].as_str()),
        (&false.into(), Some("stopped")),
        "{report}"
    );
    assert!(before.elapsed().as_secs() >= 60, "what is started behind it is looked for, for a minute");
}

#[test]
fn after_a_reboot_it_is_still_latched_and_nothing_comes_up() {
    let desk = desk(
        "1s",
        "[bots.a]\ncommand = ['/bin/sh', '-c', 'echo x >> ran; exec sleep 600']\nmode = 'live'\nautostart = true\n",
    );
    desk.run(&["up"]).expect(0);
    desk.wait_for_lines("ran", 1);
    fire(&desk, 0);
    // Nothing that ran then runs now, and the kernel is another one.
    let record = desk.bot_folder("a").join("run.json");
    let boot = process::boot_id();
    let text =
        std::fs::read_to_string(&record).expect("a record").replace(boot, "00000000-dead-beef-0000-000000000000");
    std::fs::write(&record, text).expect("written");
    assert!(desk.living().is_empty());
    let up = desk.run(&["up"]).expect(75);
    assert!(up.stderr.contains("latched"), "{}", up.said());
    let host = botwarden::who::host();
    desk.run(&["estop", "reset", "--host", &host, "--reason", "looked at everything"]).expect(0);
    assert!(desk.living().is_empty(), "a reset starts nothing");
    desk.run(&["up"]).expect(0);
    assert_eq!(desk.state("a"), "stopped", "each is started by hand");
    desk.run(&["start", "--yes", "a"]).expect(0);
    desk.wait_for_lines("ran", 2);
    assert_eq!(audited(&desk), ["fired", "reset"]);
}

#[test]
fn ctrl_c_leaves_with_10_and_it_goes_on() {
    let desk = desk(
        "2s",
        "[bots.deaf]\ncommand = ['/bin/sh', '-c', \"trap '' TERM; echo up > up; while :; do sleep 0.1; done\"]\nmode = 'live'\n",
    );
    desk.run(&["start", "--yes", "deaf"]).expect(0);
    desk.wait_for_lines("up", 1);
    let pid = desk.pid("deaf");
    let fired = desk.command(&["estop", "--json"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    stopper(&desk);
    // It watches by now, or is about to: whatever comes before its handlers ends it by the signal itself.
    eventually("its handlers", || process::catches(fired.id() as i32, signal("SIGINT")).then_some(()));
    desk.signal(fired.id() as i32, signal("SIGINT"));
    let left = fired.wait_with_output().expect("it ends");
    assert_eq!(left.status.code(), Some(10));
    assert!(String::from_utf8_lossy(&left.stderr).contains("goes on"));
    eventually("the end of the bot", || (!alive(pid)).then_some(()));
    eventually("its report", || report_of(&desk));
}

#[test]
fn a_start_at_the_same_moment_is_refused_or_ended_a_hundred_times() {
    interleave(
        100,
        "[bots.a]\ncommand = ['sleep', '600']\nmode = 'paper'\n[bots.b]\ncommand = ['sleep', '600']\nmode = 'live'\n",
        &[&["start", "--yes", "a", "b"], &["start", "a"]],
    );
}

#[test]
fn a_keepers_own_restart_at_the_same_moment_brings_nothing_back_a_hundred_times() {
    interleave(
        100,
        "[bots.a]\ncommand = ['/bin/sh', '-c', 'exit 1']\nmode = 'paper'\nrestart = 'always'\nbackoff = { first = '1ms', max = '3ms', give_up_after = 0 }\n\
         [bots.b]\ncommand = ['/bin/sh', '-c', 'sleep 0.002; exit 0']\nmode = 'live'\nrestart = 'always'\nbackoff = { first = '0ms', max = '0ms', give_up_after = 0 }\n",
        &[&["restart", "--yes", "a"], &["start", "--yes", "--all"]],
    );
}

/// So often: bots run, these commands are given, and at a random moment beside them everything is stopped.
fn interleave(times: usize, bots: &str, commands: &[&[&str]]) {
    let desk = desk("1s", bots);
    for round in 0..times {
        if round % 2 == 0 {
            let _ = desk.run(&["start", "--yes", "--all"]);
        }
        let mut others: Vec<_> = commands
            .iter()
            .map(|args| desk.command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts"))
            .collect();
        std::thread::sleep(std::time::Duration::from_micros(fastrand::u64(..40_000)));
        let report = desk.run(&["estop", "--json"]).json();
        for other in &mut others {
            other.wait().expect("it ends");
        }
        // A start that came too late to be seen has launched a keeper that is about to find the latch.
        eventually("nothing that lives", || desk.living().is_empty().then_some(()));
        assert!([0, 1].contains(&report["exit_code"].as_i64().expect("a code")), "{report}");
        force_open(&desk);
    }
}

#[test]
fn a_command_line_without_a_home_says_so_and_one_that_is_misused_does_nothing() {
    let desk = desk("1s", "[bots.a]\ncommand = ['sleep', '600']\nmode = 'paper'\n");
    desk.run(&["start", "a"]).expect(0);
    desk.run(&["estop", "everything"]).expect(2);
    desk.run(&["estop", "--reason"]).expect(2);
    assert_eq!(desk.state("a"), "running");
}
