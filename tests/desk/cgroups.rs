//! Each run has a control group of its own where groups are ours to make, and everything works where they are not.

use std::path::PathBuf;

use botwarden::core::signal::Signal;

use crate::harness::{Desk, alive, can, eventually, root, skipped};

const WORKER_PY: &str = "\
import os, signal, sys, time
told = 0
def hear(*_):
    global told
    told += 1
signal.signal(signal.SIGTERM, hear)
with open(sys.argv[1], 'w') as file: file.write(f'{os.getpid()}\\n')
while not told: time.sleep(0.005)
end = time.monotonic() + 0.2
while time.monotonic() < end: time.sleep(0.005)
with open(sys.argv[1], 'a') as file: file.write(f'told {told}\\n')
os._exit(0)
";

/// A desk with one bot that sleeps.
fn sleeper(more: &str) -> Desk {
    Desk::new(&format!("[bots.bot]\ncommand = ['sleep', '600']\nmode = 'paper'\nrestart = 'never'\n{more}\n"))
}

/// The group of a bot's run; none, out loud, where groups are not ours to make.
#[track_caller]
fn group(desk: &Desk, bot: &str) -> Option<PathBuf> {
    let path = desk.record(bot).cgroup;
    match &path {
        Some(path) => assert!(path.is_dir(), "{}", path.display()),
        None => skipped("no control group here is ours to make others in"),
    }
    path
}

fn pids(group: &std::path::Path) -> Vec<i32> {
    let text = std::fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
    text.lines().filter_map(|line| line.parse().ok()).collect()
}

#[track_caller]
fn number(desk: &Desk, file: &str) -> i32 {
    desk.wait_for_lines(file, 1)[0].parse().expect("a process")
}

#[test]
fn a_run_has_a_group_of_its_own_that_goes_with_it() {
    let desk = sleeper("");
    desk.run(&["start", "bot"]).expect(0);
    let Some(first) = group(&desk, "bot") else {
        // As before: the tree is walked.
        let pid = desk.pid("bot");
        desk.run(&["stop", "bot"]).expect(0);
        assert!(!alive(pid));
        return;
    };
    assert_eq!(pids(&first), [desk.pid("bot")], "the bot, and no keeper");
    desk.run(&["restart", "bot"]).expect(0);
    let Some(second) = group(&desk, "bot") else { panic!("the second run has none") };
    assert!(!first.exists());
    assert_eq!(pids(&second), [desk.pid("bot")]);
    desk.run(&["stop", "bot"]).expect(0);
    assert!(!second.exists());
    desk.run(&["start", "bot"]).expect(0);
    let Some(third) = group(&desk, "bot") else { panic!("the third run has none") };
    desk.signal(desk.pid("bot"), Signal::KILL);
    desk.wait_for("bot", "crashed");
    eventually("the end of the third group", || (!third.exists()).then_some(()));
}

#[test]
fn a_start_that_fails_leaves_no_group() {
    let desk = Desk::new("[bots.bot]\ncommand = ['FOLDER/nothing']\nmode = 'paper'\nrestart = 'never'\n");
    let said = desk.run(&["start", "bot"]).expect(1).said();
    assert!(said.contains("no such file"), "{said}");
    if let Some(group) = desk.record("bot").cgroup {
        eventually("the end of the group", || (!group.exists()).then_some(()));
    }
}

#[test]
fn what_left_everything_else_behind_is_found_in_its_group() {
    let desk = Desk::new("[bots.bot]\ncommand = ['PYTHON', '-S', 'bot.py']\nmode = 'paper'\nrestart = 'never'\n");
    desk.write("worker.py", WORKER_PY);
    desk.write(
        "bot.py",
        "import os, sys, time\n\
         if not os.fork():\n\
         \x20   os.setsid()\n\
         \x20   if os.fork(): os._exit(0)\n\
         \x20   os.closerange(0, 4096)\n\
         \x20   os.execve(sys.executable, ['sleeper', '-S', 'worker.py', 'hidden'], {})\n\
         while True: time.sleep(60)\n",
    );
    desk.run(&["start", "bot"]).expect(0);
    let (hidden, main) = (number(&desk, "hidden"), desk.pid("bot"));
    let Some(group) = group(&desk, "bot") else {
        // By nothing else could it be found once its keeper is gone.
        desk.run(&["stop", "bot"]).expect(0);
        assert!(!alive(hidden));
        return;
    };
    desk.kill_keeper("bot");
    desk.signal(main, Signal::KILL);
    eventually("the end of its main process", || (!alive(main)).then_some(()));
    assert!(desk.living().is_empty(), "it has no mark and no lock");
    let seen = desk.status("bot");
    assert_eq!((&seen["state"], &seen["pid"]), (&"orphaned".into(), &hidden.into()), "{seen}");
    desk.run(&["start", "bot"]).expect(1);
    assert!(alive(hidden));
    let report = desk.run(&["stop", "bot", "--json"]).expect(0).json();
    assert_eq!(report["bots"][0]["outcome"], "stopped");
    assert!(!alive(hidden), "{report}");
    assert_eq!(desk.read("hidden"), format!("{hidden}\ntold 1\n"));
    assert_eq!(desk.state("bot"), "stopped");
    assert!(!group.exists());
}

#[test]
fn somebody_in_the_group_who_is_no_descendant_is_of_the_tree() {
    let desk = sleeper("");
    desk.run(&["start", "bot"]).expect(0);
    let Some(group) = group(&desk, "bot") else { return };
    // In a group that the bot might have made.
    let inner = group.join("inner");
    std::fs::create_dir(&inner).expect("a group in it");
    let mut guest = std::process::Command::new("sleep").arg("600").spawn().expect("a child");
    std::fs::write(inner.join("cgroup.procs"), guest.id().to_string()).expect("moved");
    let report = desk.run(&["stop", "bot", "--json"]).expect(0).json();
    assert_eq!(report["bots"][0]["processes"].as_array().map(Vec::len), Some(2), "{report}");
    assert!(!alive(guest.id() as i32));
    let _ = guest.wait();
    assert!(!group.exists(), "with what was made in it");
}

#[test]
fn what_cgroup_kill_ends_is_said_to_have_been_ended_by_sigkill() {
    let desk = Desk::new(
        "[bots.bot]\ncommand = ['/bin/sh', '-c', 'sleep 600 & sleep 600 & echo up >up; wait']\nmode = 'paper'\n\
         restart = 'never'\n",
    );
    desk.run(&["start", "bot"]).expect(0);
    desk.wait_for_lines("up", 1);
    let group = group(&desk, "bot");
    let report = desk.run(&["kill", "bot", "--json"]).expect(0).json();
    let ended: Vec<&str> = report["bots"][0]["processes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|process| process["ended_by"].as_str())
        .collect();
    assert_eq!(ended, ["SIGKILL"; 3], "{report}");
    assert!(!group.is_some_and(|group| group.exists()));
}

#[test]
fn a_bot_that_starts_another_does_not_take_it_along() {
    let desk = Desk::new(
        "[bots.a]\ncommand = ['/bin/sh', '-c', '$BOTWARDEN start b && echo up >up; exec sleep 600']\nmode = 'paper'\n\
         restart = 'never'\n[bots.b]\ncommand = ['sleep', '600']\nmode = 'paper'\nrestart = 'never'\n",
    );
    for end in ["stop", "kill"] {
        let _ = std::fs::remove_file(desk.path("up"));
        desk.run(&["start", "a"]).expect(0);
        desk.wait_for_lines("up", 1);
        let (b, keeper) = (desk.pid("b"), desk.keeper("b"));
        if let (Some(of_a), Some(of_b)) = (group(&desk, "a"), group(&desk, "b")) {
            assert_eq!(of_a.parent(), of_b.parent(), "side by side");
            assert_eq!((pids(&of_a), pids(&of_b)), (vec![desk.pid("a")], vec![b]));
        }
        desk.run(&[end, "a"]).expect(0);
        assert!(alive(b) && !keeper.has_ended());
        assert_eq!(desk.state("b"), "running");
        desk.run(&["stop", "b"]).expect(0);
        assert!(!alive(b));
    }
    for bot in ["a", "b"] {
        assert!(!desk.record(bot).cgroup.is_some_and(|group| group.exists()));
    }
}

#[test]
fn a_keeper_that_cannot_leave_the_group_of_a_bot_is_not_killed_with_it() {
    if !root() {
        return skipped("only root can give a bot to somebody else");
    }
    let desk = Desk::new(
        "[bots.a]\ncommand = ['/bin/sh', 'a.sh']\nmode = 'paper'\nrestart = 'never'\nuser = 'nobody'\n\
         [bots.b]\ncommand = ['sleep', '600']\nmode = 'paper'\nrestart = 'never'\n",
    );
    if !can("setpriv --reuid nobody --clear-groups true")
        || !can(&format!("setpriv --reuid nobody --clear-groups {} --version", env!("CARGO_BIN_EXE_botwarden")))
    {
        return skipped("nobody else can execute the binary here");
    }
    assert!(can(&format!("chmod 755 {0} && mkdir {0}/theirs && chmod 777 {0}/theirs", desk.folder().display())));
    desk.write(
        "a.sh",
        "export HOME=$PWD/theirs BOTWARDEN_HOME=$PWD/theirs/home\n\
         $BOTWARDEN start b && echo up >theirs/up; exec sleep 600\n",
    );
    let theirs = |args: &str| {
        desk.shell(&format!(
            "BOTWARDEN_HOME=$PWD/theirs/home HOME=$PWD/theirs \
             exec setpriv --reuid nobody --regid nogroup --clear-groups $BOTWARDEN {args}"
        ))
    };
    desk.run(&["start", "a"]).expect(0);
    desk.wait_for_lines("theirs/up", 1);
    let state = || theirs("status --json").json()["bots"][1].clone();
    let seen = state();
    let b = seen["pid"].as_i64().expect("a process") as i32;
    assert_eq!(seen["state"], "running", "{seen}");
    let of_a = group(&desk, "a");
    if let Some(of_a) = &of_a {
        assert!(pids(of_a).contains(&b), "its keeper could make no other");
    }
    desk.run(&["kill", "a"]).expect(0);
    assert!(alive(b));
    assert_eq!(state()["state"], "running");
    theirs("stop b").expect(0);
    assert!(!alive(b));
    // Nobody was left to remove it: the next run does.
    desk.write("a.sh", "exec sleep 600\n");
    desk.run(&["start", "a"]).expect(0);
    assert!(!of_a.is_some_and(|group| group.exists()));
    desk.run(&["stop", "a"]).expect(0);
}

#[test]
fn the_group_of_a_run_whose_keeper_died_is_removed_by_the_next() {
    let desk = sleeper("");
    desk.run(&["start", "bot"]).expect(0);
    let Some(first) = group(&desk, "bot") else { return };
    let pid = desk.pid("bot");
    desk.kill_keeper("bot");
    desk.signal(pid, Signal::KILL);
    desk.wait_for("bot", "crashed");
    assert!(first.exists(), "who should have removed it?");
    desk.run(&["start", "bot"]).expect(0);
    assert!(!first.exists());
    desk.run(&["stop", "bot"]).expect(0);
}

#[test]
fn an_adopted_run_takes_its_group_with_it() {
    let desk = sleeper("");
    desk.run(&["start", "bot"]).expect(0);
    let Some(group) = group(&desk, "bot") else { return };
    desk.kill_keeper("bot");
    desk.run(&["up"]).expect(0);
    assert_eq!(pids(&group), [desk.pid("bot")]);
    desk.run(&["stop", "bot"]).expect(0);
    assert!(!group.exists());
}
