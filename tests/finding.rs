//! Finds real processes: strays, marked ones, and those that a PID file names.

#![allow(clippy::expect_used)] // What helps a test may fail like one.

use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use botwarden::core::bot::BotName;
use botwarden::core::report::Tier;
use botwarden::paths::Home;
use botwarden::process;
use botwarden::search::{Findings, How, Kept, Search, Wanted};
use botwarden::table::Table;
use tempfile::TempDir;

/// A child that goes with the test, once it has said that it executes.
struct Own(Child);

impl Own {
    fn pid(&self) -> i32 {
        self.0.id() as i32
    }

    fn id(&self) -> (i32, u64) {
        (self.pid(), process::stat(self.pid()).expect("it lives").start_time)
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        // Whoever waits for its input ends with it, children included.
        drop(self.0.stdin.take());
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A home, and folders of bots that have nothing but a script in them.
struct Desk {
    folder: TempDir,
    home: Home,
}

impl Desk {
    fn new(bots: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let desk = Self { home: Home::at(folder.path().join("home")), folder };
        for bot in bots {
            let cwd = desk.cwd(bot);
            fs::create_dir(&cwd).expect("made");
            fs::write(cwd.join("run_bot.sh"), "echo on\nread end\n").expect("written");
        }
        desk
    }

    fn cwd(&self, bot: &str) -> PathBuf {
        self.folder.path().join(bot)
    }

    fn script(&self, bot: &str) -> String {
        self.cwd(bot).join("run_bot.sh").display().to_string()
    }

    /// A bot whose PID file is `bot.pid`.
    fn wanted(&self, name: &str) -> Wanted {
        Wanted {
            name: self::name(name),
            command: vec!["/bin/sh".into(), "run_bot.sh".into()],
            find: None,
            cwd: self.cwd(name),
            user: None,
            pid_file: Some(self.cwd(name).join("bot.pid")),
        }
    }

    fn search(&self, wanted: &[Wanted]) -> Search {
        Search::new(&self.home, &Table::read().expect("a table"), wanted, &[])
    }

    fn search_for(&self, wanted: &Wanted) -> Findings {
        self.search(std::slice::from_ref(wanted)).of(&wanted.name).clone()
    }

    fn write_pid(&self, bot: &str, text: &str) {
        fs::write(self.cwd(bot).join("bot.pid"), text).expect("written");
    }

    /// Executes this in a bot's folder, and comes back once it says something.
    fn run(&self, bot: &str, line: &str) -> Own {
        start(&mut self.command(bot, line))
    }

    fn command(&self, bot: &str, line: &str) -> Command {
        let mut words = line.split(' ');
        let mut command = Command::new(words.next().expect("a program"));
        command.args(words).current_dir(self.cwd(bot));
        command
    }

    fn marks(&self, bot: &str) -> [(&'static str, String); 3] {
        marks(self.home.root(), bot)
    }
}

fn marks(home: &Path, bot: &str) -> [(&'static str, String); 3] {
    let [home_key, bot_key, run_key] = process::MARK;
    [(home_key, home.display().to_string()), (bot_key, bot.to_owned()), (run_key, "run-1".to_owned())]
}

fn start(command: &mut Command) -> Own {
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it executes");
    let mut own = Own(child);
    own.0.stdout.as_mut().expect("piped").read_exact(&mut [0; 3]).expect("it says that it is on");
    own
}

fn name(text: &str) -> BotName {
    text.parse().expect("a name")
}

fn pids(findings: &Findings) -> Vec<i32> {
    findings.found.iter().map(|found| found.pid).collect()
}

#[test]
fn a_stray_is_found_by_what_it_executes_and_where() {
    let desk = Desk::new(&["a", "b", "c"]);
    let [a, b] = [desk.wanted("a"), desk.wanted("b")];
    let in_a = desk.run("a", "/bin/sh ./run_bot.sh --x");
    let from_afar = desk.run("c", &format!("bash {}", desk.script("a")));
    let in_b = desk.run("b", "env X=1 nice -n 1 sh -u ./run_bot.sh");
    let elsewhere = desk.run("c", "/bin/sh run_bot.sh");
    let search = desk.search(&[a.clone(), b.clone()]);
    let mut expected = vec![in_a.pid(), from_afar.pid()];
    expected.sort_unstable();
    assert_eq!(pids(search.of(&a.name)), expected);
    assert_eq!(pids(search.of(&b.name)), [in_b.pid()]);
    let found = &search.of(&b.name).found[0];
    assert_eq!((found.pid, found.start_time), in_b.id());
    assert_eq!((found.tier, &found.how), (Tier::Search, &How::Pattern));
    assert_eq!(found.command, "sh -u ./run_bot.sh");
    assert!(found.shared_with.is_empty());
    assert!(!pids(search.of(&a.name)).contains(&elsewhere.pid()));
    assert_eq!(search.of(&name("nobody")), &Findings::default());
}

#[test]
fn whoever_only_mentions_the_script_is_left_alone() {
    let desk = Desk::new(&["a"]);
    let a = desk.wanted("a");
    fs::write(desk.cwd("a").join("other.sh"), "echo on\nread end\n").expect("written");
    let mut code = desk.command("a", "/bin/sh -c");
    let others = [
        desk.run("a", "tail -f run_bot.sh"),
        desk.run("a", "/bin/sh other.sh run_bot.sh"),
        start(code.args(["echo on; read end", "run_bot.sh"])),
    ];
    let findings = desk.search_for(&a);
    assert_eq!(findings, Findings::default(), "{} are none of it", others.len());
}

#[test]
fn a_wrapper_is_the_head_of_what_it_executes() {
    let desk = Desk::new(&["a"]);
    let head = desk.run("a", "timeout 600 /bin/sh run_bot.sh");
    assert_eq!(pids(&desk.search_for(&desk.wanted("a"))), [head.pid()]);
}

#[test]
fn a_mark_proves_a_process_and_another_mark_clears_it() {
    let desk = Desk::new(&["a", "b"]);
    let [a, b] = [desk.wanted("a"), desk.wanted("b")];
    let own = start(desk.command("b", "tail -f run_bot.sh").envs(desk.marks("a")));
    let of_b = start(desk.command("a", "/bin/sh run_bot.sh").envs(desk.marks("b")));
    let _of_another_desk = start(desk.command("a", "/bin/sh run_bot.sh").envs(marks(Path::new("/other"), "a")));
    let search = desk.search(&[a.clone(), b.clone()]);
    assert_eq!(pids(search.of(&a.name)), [own.pid()]);
    assert_eq!(search.of(&a.name).found[0].how, How::Mark("run-1".into()));
    assert_eq!(pids(search.of(&b.name)), [of_b.pid()]);
}

#[test]
fn what_is_below_a_keeper_or_in_hand_already_is_not_found() {
    let desk = Desk::new(&["a"]);
    let a = desk.wanted("a");
    fs::write(desk.cwd("a").join("keep"), "/bin/sh run_bot.sh\n:\n").expect("written");
    let keeper = start(desk.command("a", "/bin/sh keep a").arg0("botwarden"));
    assert_eq!(desk.search_for(&a), Findings::default());
    drop(keeper);

    let adopted = desk.run("a", "/bin/sh run_bot.sh");
    let fled = start(desk.command("a", "tail -f run_bot.sh").envs(desk.marks("a")));
    let stray = desk.run("a", "/bin/sh run_bot.sh");
    let kept = Kept { name: a.name.clone(), processes: vec![adopted.id()], run: Some("run-1".into()) };
    desk.write_pid("a", &fled.pid().to_string());
    let search = Search::new(
        &desk.home,
        &Table::read().expect("a table"),
        std::slice::from_ref(&a),
        std::slice::from_ref(&kept),
    );
    assert_eq!(pids(search.of(&a.name)), [stray.pid()]);
    assert!(search.of(&a.name).notes.is_empty());
    let another_life = Kept { processes: vec![(adopted.pid(), 1)], ..kept };
    let search = Search::new(
        &desk.home,
        &Table::read().expect("a table"),
        std::slice::from_ref(&a),
        std::slice::from_ref(&another_life),
    );
    assert!(pids(search.of(&a.name)).contains(&adopted.pid()), "a number alone says nothing");
}

#[test]
fn what_may_be_several_bots_is_shown_under_each() {
    let desk = Desk::new(&["m"]);
    let [first, second] = ["m@1", "m@2"].map(|name| Wanted { name: self::name(name), ..desk.wanted("m") });
    let stray = desk.run("m", "/bin/sh run_bot.sh");
    let search = desk.search(&[first.clone(), second.clone()]);
    for (of, other) in [(&first, &second), (&second, &first)] {
        assert_eq!(pids(search.of(&of.name)), [stray.pid()]);
        assert_eq!(search.of(&of.name).found[0].shared_with, std::slice::from_ref(&other.name));
    }
    let eth = Wanted { command: vec!["/bin/sh".into(), "run_bot.sh".into(), "eth".into()], ..second };
    let search = desk.search(&[first.clone(), eth.clone()]);
    assert_eq!(pids(search.of(&first.name)), [stray.pid()], "the same words decide");
    assert!(search.of(&eth.name).found.is_empty());
}

#[test]
fn a_pid_file_proves_a_daemon_wherever_it_is() {
    let desk = Desk::new(&["a"]);
    let a = desk.wanted("a");
    let mut daemon = desk.command("a", "/bin/sh");
    let daemon = start(daemon.arg(desk.script("a")).current_dir("/"));
    desk.write_pid("a", &format!(" {}\n", daemon.pid()));
    let findings = desk.search_for(&a);
    assert_eq!(pids(&findings), [daemon.pid()]);
    assert_eq!(findings.found[0].tier, Tier::PidFile);
    assert!(matches!(&findings.found[0].how, How::PidFile(file) if !file.is_empty()));
    assert_eq!((findings.notes.len(), findings.errors.len()), (0, 0));

    let by_find = Wanted { command: vec!["launch".into()], find: Some(vec!["sh".into(), "run_*.sh".into()]), ..a };
    assert_eq!(desk.search_for(&by_find).found[0].tier, Tier::PidFile);
}

#[test]
fn a_pid_file_that_proves_nothing_is_a_note_and_never_a_finding() {
    let desk = Desk::new(&["a", "b"]);
    let a = desk.wanted("a");
    let stranger = desk.run("b", "tail -f run_bot.sh");
    let namesake = desk.run("b", "/bin/sh run_bot.sh");
    let of_b = start(desk.command("a", "/bin/sh run_bot.sh").envs(desk.marks("b")));
    let note = |text: &str| {
        desk.write_pid("a", text);
        let findings = desk.search_for(&a);
        assert_eq!((findings.found.len(), findings.errors.len()), (0, 0), "{text}");
        assert!(findings.notes.len() < 2, "{:?}", findings.notes);
        findings.notes.into_iter().next().unwrap_or_default()
    };
    let of = |pid: i32, end: &str| {
        assert_eq!(note(&pid.to_string()), format!("pid {pid} in bot.pid {end}"));
    };
    assert_eq!(note(""), "bot.pid is empty");
    for text in ["hello", "-1", "0", "1", "99999999999"] {
        assert_eq!(note(text), format!("bot.pid holds no process number: {text:?}"));
    }
    of(i32::MAX, "is gone");
    of(std::process::id() as i32, "is botwarden itself: left alone");
    of(stranger.pid(), "is another program (tail): left alone");
    let folder = desk.cwd("b").canonicalize().expect("it is there");
    let same = format!("runs the same script in another folder ({}): left alone", folder.display());
    of(namesake.pid(), &same);
    of(of_b.pid(), "is of bot b: left alone");
}

#[test]
fn a_file_older_than_the_process_it_names_proves_nothing() {
    let desk = Desk::new(&["a", "b"]);
    let a = desk.wanted("a");
    let later = start(desk.command("b", "/bin/sh").arg(desk.script("a")));
    let outside = Wanted { pid_file: Some(desk.cwd("b").join("bot.pid")), ..a };
    desk.write_pid("b", &later.pid().to_string());
    let file = File::options().write(true).open(desk.cwd("b").join("bot.pid")).expect("it is there");
    file.set_modified(SystemTime::now() - Duration::from_mins(10)).expect("touched");
    let findings = desk.search_for(&outside);
    assert_eq!(findings.notes, [""; 0], "it is not left alone");
    assert_eq!(findings.found.first().map(|found| found.tier), Some(Tier::Search), "what it executes proves it");
}

#[test]
fn a_pid_file_that_cannot_be_read_is_an_error() {
    let desk = Desk::new(&["a"]);
    let a = desk.wanted("a");
    assert_eq!(desk.search_for(&a), Findings::default(), "none is nothing to speak of");
    let path = desk.cwd("a").join("bot.pid");
    fs::create_dir(&path).expect("made");
    assert_eq!(desk.search_for(&a).errors, ["bot.pid is a folder"]);
    fs::remove_dir(&path).expect("removed");
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).expect("made");
    assert_eq!(desk.search_for(&a).errors, ["bot.pid is no regular file"]);
}

#[test]
fn a_user_that_nobody_knows_is_an_error() {
    let desk = Desk::new(&["a"]);
    let a = Wanted { user: Some("nobody-of-this-name".into()), ..desk.wanted("a") };
    assert_eq!(
        desk.search_for(&a).errors,
        ["there is no user nobody-of-this-name: its processes cannot be recognised"]
    );
}
