//! A desk of its own for each test, and the evidence of what became of its bots.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use botwarden::beacon;
use botwarden::cgroup::Group;
use botwarden::core::bot::BotName;
use botwarden::core::record::RunRecord;
use botwarden::core::signal::Signal;
use botwarden::core::status::RecordSeen;
use botwarden::paths::Home;
use botwarden::process::{self, Held};
use botwarden::record;
use serde_json::Value;
use tempfile::TempDir;

/// No evidence is waited for any longer. Far more than anything here takes: a machine may be busy.
const PATIENCE: Duration = Duration::from_mins(1);

/// What a command came to.
#[derive(Debug)]
pub struct Done {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Done {
    /// Fails the test unless the command ended with this code.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// Its standard output as the one JSON object that it is to be.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: stdout: {}\nstderr: {}", self.stdout, self.stderr))
    }

    /// Everything it said.
    pub fn said(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

/// A folder with a configuration, scripts and a home; all of its processes go with it.
pub struct Desk {
    folder: TempDir,
    home: PathBuf,
    binary: PathBuf,
    also: Vec<(String, String)>,
}

impl Desk {
    /// A desk with this configuration.
    pub fn new(config: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("desk").tempdir().expect("a folder");
        let real = folder.path().canonicalize().expect("a real name");
        let desk = Self {
            home: real.join("home"),
            folder,
            binary: PathBuf::from(env!("CARGO_BIN_EXE_botwarden")),
            also: Vec::new(),
        };
        desk.configure(config);
        desk
    }

    /// The same, but its home is somewhere else.
    pub fn at_home(mut self, home: &Path) -> Self {
        home.clone_into(&mut self.home);
        self
    }

    /// From now on commands are run from another copy of the binary.
    pub fn use_binary(&mut self, binary: &Path) {
        binary.clone_into(&mut self.binary);
    }

    /// From now on commands have this variable too.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.also.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Writes the configuration. The word `PYTHON` in quotes is the interpreter, `FOLDER` the folder of the configuration.
    pub fn configure(&self, config: &str) {
        self.write("botwarden.toml", &self.fill_in(config));
    }

    fn fill_in(&self, text: &str) -> String {
        text.replace("'PYTHON'", &format!("'{}'", python()))
            .replace("\"PYTHON\"", &format!("\"{}\"", python()))
            .replace("FOLDER", &self.folder().to_string_lossy())
    }

    /// The folder of the configuration and the scripts.
    pub fn folder(&self) -> PathBuf {
        self.folder.path().canonicalize().expect("a real name")
    }

    /// A file in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// Writes a file in it.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).expect("written");
        path
    }

    /// Writes a script in it that can be executed.
    pub fn script(&self, name: &str, text: &str) -> PathBuf {
        let path = self.write(name, &self.fill_in(text));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("its mode");
        path
    }

    /// What a file in it says; nothing while it is not there.
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// The home folder.
    pub fn home_folder(&self) -> &Path {
        &self.home
    }

    /// A bot's folder in the home.
    pub fn bot_folder(&self, bot: &str) -> PathBuf {
        self.home.join("bots").join(bot)
    }

    /// The command, ready to run: with a clean environment, and without a terminal.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        self.dress(&mut command);
        command.args(args);
        command
    }

    /// Gives another command the environment that ours are run with.
    pub fn dress(&self, command: &mut Command) {
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .env("BOTWARDEN_HOME", &self.home)
            .env("BOTWARDEN_CONFIG", self.path("botwarden.toml"))
            .env("BOTWARDEN", &self.binary)
            .envs(self.also.iter().map(|(name, value)| (name, value)))
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
    }

    /// Runs a command to its end.
    pub fn run(&self, args: &[&str]) -> Done {
        finish(&mut self.command(args))
    }

    /// Runs a line of shell in which `$BOTWARDEN` is the binary.
    pub fn shell(&self, line: &str) -> Done {
        let mut command = Command::new("/bin/sh");
        self.dress(&mut command);
        finish(command.args(["-c", line]))
    }

    /// What `status` says of one bot.
    #[track_caller]
    pub fn status(&self, bot: &str) -> Value {
        let done = self.run(&["status", "--json"]);
        let found =
            done.json()["bots"].as_array().and_then(|bots| bots.iter().find(|seen| seen["name"] == bot).cloned());
        found.unwrap_or_else(|| panic!("no {bot} in {}", done.stdout))
    }

    /// The state that `status` says a bot is in.
    #[track_caller]
    pub fn state(&self, bot: &str) -> String {
        self.status(bot)["state"].as_str().expect("a word").to_owned()
    }

    /// Waits until a bot is in this state.
    #[track_caller]
    pub fn wait_for(&self, bot: &str, state: &str) -> Value {
        let mut last = Value::Null;
        let found = within(PATIENCE, || {
            last = self.status(bot);
            (last["state"] == state).then(|| last.clone())
        });
        found.unwrap_or_else(|| panic!("{bot} did not come to be {state}: {last}\n{}", self.story(bot)))
    }

    /// Waits until what `status` says of a bot is as wanted.
    #[track_caller]
    pub fn wait_until(&self, bot: &str, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        let found = within(PATIENCE, || {
            last = self.status(bot);
            wanted(&last).then(|| last.clone())
        });
        found.unwrap_or_else(|| panic!("{bot}: not {what}: {last}\n{}", self.story(bot)))
    }

    /// Waits until a file in the folder has this many whole lines, and hands them over.
    #[track_caller]
    pub fn wait_for_lines(&self, name: &str, count: usize) -> Vec<String> {
        let lines = || -> Vec<String> {
            let text = self.read(name);
            let whole = text.rfind('\n').map_or("", |end| &text[..end]);
            whole.lines().map(str::to_owned).collect()
        };
        eventually(format!("{count} lines in {name}"), || (lines().len() >= count).then(&lines))
    }

    /// Everything a bot wrote, as `logs` shows it.
    #[track_caller]
    pub fn logs(&self, bot: &str) -> String {
        self.run(&["logs", "-n", "1000000000", bot]).expect(0).stdout
    }

    /// Waits until a bot has written this.
    #[track_caller]
    pub fn wait_for_log(&self, bot: &str, text: &str) {
        eventually(format!("{text:?} in the log of {bot}"), || self.logs(bot).contains(text).then_some(()));
    }

    /// The run record of a bot.
    #[track_caller]
    pub fn record(&self, bot: &str) -> RunRecord {
        match record::read(&Home::at(self.home.clone()).bot(&name(bot))) {
            RecordSeen::Read(record) => *record,
            seen @ (RecordSeen::None | RecordSeen::Unreadable(_)) => panic!("no record of {bot}: {seen:?}"),
        }
    }

    /// The main process of a bot, as its record says.
    #[track_caller]
    pub fn pid(&self, bot: &str) -> i32 {
        eventually(format!("a process in the record of {bot}"), || self.record(bot).process).pid
    }

    /// The living keeper of a bot, as its record says.
    #[track_caller]
    pub fn keeper(&self, bot: &str) -> Held {
        Held::open(&self.record(bot).keeper.expect("a keeper in the record")).expect("a living keeper")
    }

    /// Ends a bot's keeper with SIGKILL, and waits until it is gone.
    #[track_caller]
    pub fn kill_keeper(&self, bot: &str) {
        let keeper = self.keeper(bot);
        keeper.signal(Signal::KILL).expect("it is ours");
        assert!(keeper.wait(PATIENCE), "a keeper outlived SIGKILL");
    }

    /// Sends a signal to a process of this desk.
    #[track_caller]
    #[allow(clippy::unused_self)]
    pub fn signal(&self, pid: i32, signal: Signal) {
        let held = process::identify(pid).and_then(|id| Held::open(&id)).expect("it lives");
        held.signal(signal).expect("it is ours");
    }

    /// The kinds of a bot's events, oldest first.
    #[track_caller]
    pub fn events(&self, bot: &str) -> Vec<String> {
        let done = self.run(&["events", "-n", "1000", "--json", bot]).expect(0);
        let events = done.json()["events"].as_array().cloned().unwrap_or_default();
        events.iter().map(|event| event["kind"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// What is known of a bot, for the message of a test that failed.
    pub fn story(&self, bot: &str) -> String {
        let events = self.run(&["events", "-n", "30", bot]).said();
        format!("{events}\n{}", self.run(&["status"]).said())
    }

    /// Living processes of this desk: keepers, and whatever carries its mark.
    pub fn living(&self) -> BTreeSet<i32> {
        let marked = process::marked(&self.home).into_values().flatten().map(|(pid, _)| pid);
        marked.chain(self.keepers()).filter(|pid| alive(*pid)).collect()
    }

    /// An emergency stop is known by the number of its home, which the file system gives to the next folder: the screen of
    /// another desk would hear the last word of this one's.
    fn wait_for_the_beacon(&self) {
        let home = Home::at(self.home.clone());
        let holder = || beacon::holder(&home).filter(|pid| *pid != std::process::id() as i32);
        if within(Duration::from_secs(10), || holder().is_none().then_some(())).is_none()
            && let Some(held) = holder().and_then(process::identify).and_then(|id| Held::open(&id))
        {
            let _ = held.signal(Signal::KILL);
            held.wait(Duration::from_secs(1));
        }
    }

    /// What has to be killed removes no control group.
    fn sweep(&self) {
        let home = Home::at(self.home.clone());
        for bot in home.recorded().unwrap_or_default() {
            if let RecordSeen::Read(record) = record::read(&home.bot(&bot)) {
                let _ = Group::of(&record).map(|group| group.remove());
            }
        }
    }

    /// Whoever merely looks at a lock has its file open too, for a moment: a command, for one.
    fn keepers(&self) -> Vec<i32> {
        let home = Home::at(self.home.clone());
        let bots = home.recorded().unwrap_or_default();
        let locks: Vec<PathBuf> = bots.iter().map(|bot| home.bot(bot).keeper_lock()).collect();
        locks.iter().flat_map(|lock| process::holders(lock)).filter(|pid| process::is_keeper(*pid)).collect()
    }
}

impl Drop for Desk {
    /// Keepers first, so that nothing is started again; then everything that carries the mark of this home.
    fn drop(&mut self) {
        for _ in 0..200 {
            let keepers = self.keepers();
            let living = if keepers.is_empty() { self.living() } else { keepers.into_iter().collect() };
            if living.is_empty() {
                self.wait_for_the_beacon();
                return self.sweep();
            }
            for pid in living {
                let Some(held) = process::identify(pid).and_then(|id| Held::open(&id)) else { continue };
                // Held now, so that its number stays its own: is it still one of ours?
                if self.living().contains(&pid) {
                    let _ = held.signal(Signal::KILL);
                    let _ = held.signal(Signal::CONT);
                    held.wait(Duration::from_secs(1));
                }
            }
        }
        eprintln!("left behind in {}: {:?}", self.home.display(), self.living());
    }
}

/// A name that is one.
pub fn name(text: &str) -> BotName {
    text.parse().expect("a good name")
}

/// Whether a process executes.
pub fn alive(pid: i32) -> bool {
    process::stat(pid).is_some_and(process::Stat::is_alive)
}

/// Whether we are root.
pub fn root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Says that a test could not be made, and why.
pub fn skipped(why: impl Display) {
    eprintln!("skipped: {why}");
}

/// Runs a command to its end.
pub fn finish(command: &mut Command) -> Done {
    let output = command.output().expect("it executes");
    Done {
        code: output.status.code().unwrap_or_else(|| 1000 + output.status.signal().unwrap_or_default()),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Looks again and again until there is something to see.
#[track_caller]
pub fn eventually<T>(what: impl Display, look: impl FnMut() -> Option<T>) -> T {
    within(PATIENCE, look).unwrap_or_else(|| panic!("waited in vain for {what}"))
}

fn within<T>(time: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let until = Instant::now() + time;
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if Instant::now() >= until {
            return None;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The Python interpreter itself: what stands in PATH may be a script that looks for it.
pub fn python() -> &'static str {
    static PYTHON: OnceLock<String> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let output = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output();
        output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).expect("python3")
    })
}

/// Whether this program is installed.
pub fn has(program: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}

/// Whether a line of shell can be carried out here; what it needs root or a newer kernel for, for example.
pub fn can(line: &str) -> bool {
    Command::new("/bin/sh")
        .args(["-c", line])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Whether this kernel tells others than the parent how a process ended (Linux 6.15).
pub fn kernel_tells_exits() -> bool {
    let mut child = Command::new("/bin/sh").args(["-c", "exit 7"]).stdin(Stdio::piped()).spawn().expect("a child");
    let held = process::identify(child.id() as i32).and_then(|id| Held::open(&id));
    let _ = child.wait();
    held.is_some_and(|held| held.exit() != botwarden::core::exit::Exit::Unknown)
}
