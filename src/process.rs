//! The process table: who is who, who belongs to whom, and signals that cannot hit the wrong one.

use std::collections::{BTreeMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::core::bot::BotName;
use crate::core::exit::Exit;
use crate::core::protocol::{KEEPER_NAME, OUR_ROLES};
use crate::core::record::ProcessId;
use crate::core::signal::Signal;
use crate::sys;

/// What `/proc/PID/stat` says (`proc_pid_stat(5)`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// One letter; `Z` and `X` are dead.
    pub state: u8,
    /// The parent.
    pub parent: i32,
    /// The session.
    pub session: i32,
    /// Whether it is a thread of the kernel's own, which has no program.
    pub kernel: bool,
    /// How many threads it has.
    pub threads: u32,
    /// Clock ticks since boot.
    pub start_time: u64,
}

impl Stat {
    /// Whether it still executes: a zombie does not, unless only its first thread has ended and others go on.
    pub fn is_alive(self) -> bool {
        match self.state {
            b'Z' => self.threads > 1,
            b'X' => false,
            _ => true,
        }
    }
}

/// The mark that every process of a bot's tree inherits in its environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The desk.
    pub home: PathBuf,
    /// The bot.
    pub bot: BotName,
    /// The run.
    pub run: String,
}

/// The variables that carry the mark.
pub const MARK: [&str; 3] = ["BOTWARDEN_HOME", "BOTWARDEN_BOT", "BOTWARDEN_RUN"];

/// A process that is held on to: its number cannot be given to another while this exists.
#[derive(Debug)]
pub struct Held {
    pid: i32,
    fd: OwnedFd,
}

impl Held {
    /// Holds on to a process, if it is still the one that was meant.
    pub fn open(id: &ProcessId) -> Option<Self> {
        if id.boot_id != boot_id() || id.pid_namespace != pid_namespace() {
            return None;
        }
        Self::open_started_at(id.pid, id.start_time)
    }

    /// Holds on to the process of this number that was started at this tick, if it is there and can be held.
    pub fn open_started_at(pid: i32, start_time: u64) -> Option<Self> {
        Self::try_open(pid, start_time).ok().flatten()
    }

    /// The same; one that is gone is no error.
    ///
    /// # Errors
    /// If there is no descriptor to be had.
    pub fn try_open(pid: i32, start_time: u64) -> io::Result<Option<Self>> {
        let Some(number) = Pid::from_raw(pid) else { return Ok(None) };
        let fd = match pidfd_open(number, PidfdFlags::empty()) {
            Ok(fd) => fd,
            Err(rustix::io::Errno::SRCH) => return Ok(None),
            Err(errno) => return Err(errno.into()),
        };
        // Asked after the descriptor is there: what it says now is said of the process behind it.
        let same = stat(pid).is_some_and(|stat| stat.start_time == start_time);
        Ok(same.then_some(Self { pid, fd }))
    }

    /// Its number.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// `EPERM` if it may not be signalled. One that is gone already is no error.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        match sys::signal(self.fd.as_fd(), signal) {
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Ok(()),
            result => result,
        }
    }

    /// Whether it has ended (it may still be a zombie).
    pub fn has_ended(&self) -> bool {
        self.wait(std::time::Duration::ZERO)
    }

    /// Waits for its end; false if it still lives after `time`.
    pub fn wait(&self, time: std::time::Duration) -> bool {
        let mut fds = [PollFd::new(&self.fd, PollFlags::IN)];
        let time = Timespec { tv_sec: time.as_secs() as i64, tv_nsec: i64::from(time.subsec_nanos()) };
        matches!(poll(&mut fds, Some(&time)), Ok(count) if count > 0)
    }

    /// How it ended, where the kernel tells those who are not its parent: through the descriptor once its parent has
    /// reaped it, and from the process table while nobody has.
    pub fn exit(&self) -> Exit {
        match zombie_exit(self.pid) {
            // Held on to, so the number is still its own.
            Some(exit) => exit,
            None => sys::exit_of(self.fd.as_fd()),
        }
    }

    /// The descriptor, readable once the process has ended.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// This boot's id; empty if the kernel does not say.
pub fn boot_id() -> &'static str {
    static ID: OnceLock<String> = OnceLock::new();
    ID.get_or_init(|| {
        fs::read_to_string("/proc/sys/kernel/random/boot_id").map(|id| id.trim().to_owned()).unwrap_or_default()
    })
}

/// The PID namespace that our numbers belong to.
pub fn pid_namespace() -> &'static str {
    static NAMESPACE: OnceLock<String> = OnceLock::new();
    NAMESPACE.get_or_init(|| {
        fs::read_link("/proc/self/ns/pid").map(|link| link.to_string_lossy().into_owned()).unwrap_or_default()
    })
}

/// Who has this number now; nothing if nobody has.
pub fn identify(pid: i32) -> Option<ProcessId> {
    let stat = stat(pid)?;
    Some(ProcessId {
        pid,
        start_time: stat.start_time,
        boot_id: boot_id().to_owned(),
        pid_namespace: pid_namespace().to_owned(),
    })
}

/// Whether this very process executes.
pub fn is_alive(id: &ProcessId) -> bool {
    id.boot_id == boot_id()
        && id.pid_namespace == pid_namespace()
        && stat(id.pid).is_some_and(|stat| stat.is_alive() && stat.start_time == id.start_time)
}

/// What the kernel says of a process.
pub fn stat(pid: i32) -> Option<Stat> {
    parse_stat(&fs::read(format!("/proc/{pid}/stat")).ok()?)
}

/// How a process that nobody has reaped yet ended: the last field of its stat, for those who may trace it.
fn zombie_exit(pid: i32) -> Option<Exit> {
    parse_zombie(&fs::read(format!("/proc/{pid}/stat")).ok()?)
}

fn parse_zombie(bytes: &[u8]) -> Option<Exit> {
    parse_stat(bytes).filter(|stat| stat.state == b'Z' && !stat.is_alive())?;
    let text = std::str::from_utf8(bytes.rsplit(|byte| *byte == b')').next()?).ok()?;
    // Field 52, counted from the state, which is the third.
    let status: i32 = text.split_ascii_whitespace().nth(49)?.parse().ok()?;
    Some(sys::exit_from_status(status))
}

/// Reads the text of a `stat` file.
pub fn parse_stat(bytes: &[u8]) -> Option<Stat> {
    const KERNEL_THREAD: u32 = 0x0020_0000;
    // The name stands in parentheses and may have any character in it, parentheses too.
    let after_name = bytes.iter().rposition(|byte| *byte == b')')? + 2;
    let rest = std::str::from_utf8(bytes.get(after_name..)?).ok()?;
    let mut fields = rest.split_ascii_whitespace();
    let state = *fields.next()?.as_bytes().first()?;
    let parent = fields.next()?.parse().ok()?;
    let session = fields.nth(1)?.parse().ok()?;
    let flags: u32 = fields.nth(2)?.parse().ok()?;
    let threads = fields.nth(10)?.parse().ok()?;
    let start_time = fields.nth(1)?.parse().ok()?;
    Some(Stat { state, parent, session, kernel: flags & KERNEL_THREAD != 0, threads, start_time })
}

/// The living children of a process, in no order. May miss one that is born meanwhile.
pub fn children(pid: i32) -> Vec<i32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let mut children = Vec::new();
    for thread in threads.flatten() {
        match fs::read_to_string(thread.path().join("children")) {
            Ok(list) => children.extend(list.split_ascii_whitespace().filter_map(|pid| pid.parse::<i32>().ok())),
            // A kernel without CONFIG_PROC_CHILDREN: the long way.
            Err(error) if error.kind() == io::ErrorKind::NotFound && thread.path().exists() => {
                return all().filter(|other| stat(*other).is_some_and(|stat| stat.parent == pid)).collect();
            }
            Err(_) => {}
        }
    }
    children
}

/// Every living descendant of a process, itself and other keepers with their bots not included.
pub fn descendants(root: i32) -> Vec<i32> {
    let mut seen = HashSet::from([root]);
    let mut found = Vec::new();
    let mut next = vec![root];
    while let Some(pid) = next.pop() {
        for child in children(pid) {
            if seen.insert(child) && !is_keeper(child) {
                found.push(child);
                next.push(child);
            }
        }
    }
    found
}

/// Every process number in use.
pub fn all() -> impl Iterator<Item = i32> {
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str().and_then(|name| name.parse().ok()))
}

/// Takes as many descriptors as the system lets us have: what has to look at a hundred bots at once must not fail for a
/// limit that was meant for a shell (setrlimit(2)).
pub fn take_all_descriptors() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        limit.current = limit.maximum;
        // Where that is refused, we go on with what there is.
        let _ = setrlimit(Resource::Nofile, limit);
    }
}

/// The mark of a process; nothing if it has none, or if we may not look.
pub fn mark(pid: i32) -> Option<Mark> {
    parse_mark(&fs::read(format!("/proc/{pid}/environ")).ok()?)
}

/// Reads the mark from the text of an `environ` file.
pub fn parse_mark(environment: &[u8]) -> Option<Mark> {
    use std::os::unix::ffi::OsStrExt;
    let value = |name: &str| {
        environment.split(|byte| *byte == 0).find_map(|entry| entry.strip_prefix(name.as_bytes())?.strip_prefix(b"="))
    };
    let [home, bot, run] = MARK;
    // The run first: hardly any process has one, and the search reads every environment there is.
    let run = value(run)?;
    Some(Mark {
        home: PathBuf::from(OsStr::from_bytes(value(home)?)),
        bot: std::str::from_utf8(value(bot)?).ok()?.parse().ok()?,
        run: String::from_utf8_lossy(run).into_owned(),
    })
}

/// Whether a process is a keeper, a stopper or a reader of orders: one that a bot started (by calling us) becomes a child of that bot's own keeper, and is
/// no part of its tree all the same.
pub fn is_keeper(pid: i32) -> bool {
    let Ok(arguments) = fs::read(format!("/proc/{pid}/cmdline")) else { return false };
    let mut arguments = arguments.split(|byte| *byte == 0);
    arguments.next() == Some(KEEPER_NAME.as_bytes())
        && arguments.next().is_some_and(|role| OUR_ROLES.iter().any(|ours| role == ours.as_bytes()))
        // Keepers are launched without a mark; whatever a bot may call itself, it has one.
        && mark(pid).is_none()
}

/// Every living process that carries a mark of this desk, by bot.
pub fn marked(home: &Path) -> BTreeMap<BotName, Vec<(i32, String)>> {
    let mut found: BTreeMap<BotName, Vec<(i32, String)>> = BTreeMap::new();
    for pid in all() {
        if let Some(mark) = mark(pid)
            && mark.home == home
            && stat(pid).is_some_and(Stat::is_alive)
        {
            found.entry(mark.bot).or_default().push((pid, mark.run));
        }
    }
    found
}

/// Living processes that hold a lock on this file. Whoever only looks at the lock has the file open for a moment too; where
/// the kernel does not say which of them holds it, all of them may.
pub fn holders(file: &Path) -> Vec<i32> {
    let (mut open, mut holding) = (Vec::new(), Vec::new());
    for pid in all() {
        for descriptor in descriptors_of(pid, file) {
            open.push(pid);
            if has_lock(pid, &descriptor) {
                holding.push(pid);
            }
        }
    }
    let mut holders = if holding.is_empty() { open } else { holding };
    holders.dedup();
    holders
}

/// The numbers under which a process has this file open.
fn descriptors_of(pid: i32, file: &Path) -> Vec<OsString> {
    let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else { return Vec::new() };
    let is_it = |entry: &fs::DirEntry| fs::read_link(entry.path()).is_ok_and(|target| target == file);
    descriptors.flatten().filter(is_it).map(|entry| entry.file_name()).collect()
}

/// Whether a lock stands on an open file (`lock:` in `/proc/PID/fdinfo/N`, `proc_pid_fdinfo(5)`): one that was inherited
/// counts, for it is the same open file.
fn has_lock(pid: i32, descriptor: &OsStr) -> bool {
    let about = fs::read_to_string(Path::new(&format!("/proc/{pid}/fdinfo")).join(descriptor)).unwrap_or_default();
    about.lines().any(|line| line.starts_with("lock:"))
}

/// Whether a process has a handler for this signal (`SigCgt` in `/proc/PID/status`).
pub fn catches(pid: i32, signal: Signal) -> bool {
    let Ok(status) = fs::read_to_string(format!("/proc/{pid}/status")) else { return false };
    status
        .lines()
        .find_map(|line| line.strip_prefix("SigCgt:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & (1 << (signal.number() - 1)) != 0)
}

/// The folder a process is in.
pub fn folder(pid: i32) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{pid}/cwd")).ok()
}

/// A process's short name, at most 15 bytes.
pub fn short_name(pid: i32) -> Option<String> {
    fs::read_to_string(format!("/proc/{pid}/comm")).ok().map(|name| name.trim_end().to_owned())
}

/// The argument vector of a process; empty if it has none, or if we may not look.
pub fn arguments(pid: i32) -> Vec<String> {
    let raw = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let text = String::from_utf8_lossy(raw.strip_suffix(b"\0").unwrap_or(&raw)).into_owned();
    if text.is_empty() { Vec::new() } else { text.split('\0').map(str::to_owned).collect() }
}

/// When a process was started that was started at this tick, on the wall clock as it is set now.
pub fn started_at(start_time: u64) -> jiff::Timestamp {
    let ticks = rustix::param::clock_ticks_per_second().max(1);
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let since_boot = std::time::Duration::new(now.tv_sec as u64, now.tv_nsec as u32);
    let nanos = (start_time % ticks) * (1_000_000_000 / ticks);
    let started = std::time::Duration::new(start_time / ticks, nanos as u32);
    crate::clock::wall_before(since_boot.saturating_sub(started))
}

/// The command line of a process, on one line and cut to a screen's width; its short name where it has none.
pub fn command_line(pid: i32) -> String {
    const LONGEST: usize = 200;
    let raw = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    if raw.is_empty() {
        return short_name(pid).map(|name| format!("[{name}]")).unwrap_or_default();
    }
    let text = String::from_utf8_lossy(&raw);
    let line: String = text
        .trim_end_matches('\0')
        .chars()
        .take(LONGEST)
        .map(|c| if c == '\0' || c.is_control() { ' ' } else { c })
        .collect();
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_and_blanks_does_not_shift_the_fields() {
        let line = b"123 (a) b (c) S 7 8 9 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1 2";
        let stat = Stat { state: b'S', parent: 7, session: 9, kernel: false, threads: 1, start_time: 987_654 };
        assert_eq!(parse_stat(line), Some(stat));
        let of_the_kernel = b"2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 1 0 0";
        assert!(parse_stat(of_the_kernel).is_some_and(|stat| stat.kernel));
    }

    #[test]
    fn whoever_only_looks_at_a_lock_is_no_holder_of_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().canonicalize().expect("its name").join("lock");
        let _held = crate::lock::Lock::take(&path).expect("room").expect("nobody has it");
        let looking = Child(
            std::process::Command::new("/bin/sleep")
                .arg("60")
                .stdin(fs::File::open(&path).expect("it is there"))
                .spawn()
                .expect("it executes"),
        );
        let looks = || descriptors_of(looking.0.id() as i32, &path);
        while looks().is_empty() {
            std::thread::yield_now();
        }
        assert_eq!(holders(&path), [std::process::id() as i32]);
    }

    struct Child(std::process::Child);

    impl Drop for Child {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    #[test]
    fn a_process_whose_first_thread_has_ended_lives_while_another_goes_on() {
        let alive = |state: u8, threads: u32| {
            Stat { state, parent: 1, session: 1, kernel: false, threads, start_time: 1 }.is_alive()
        };
        assert!(alive(b'Z', 2) && alive(b'S', 1));
        assert!(!alive(b'Z', 1) && !alive(b'Z', 0) && !alive(b'X', 2));
    }

    #[test]
    fn a_zombie_says_how_it_ended() {
        let line = |state: &str, status: i32| {
            format!(
                "27330 (sh) {state} 1 27330 27330 0 -1 4228108 112 279 0 0 0 0 0 0 20 0 1 0 358920 0 0 \
                 18446744073709551615 0 0 0 0 0 0 0 0 65538 1 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 {status}\n"
            )
            .into_bytes()
        };
        assert_eq!(parse_zombie(&line("Z", 9)), Some(Exit::Signal(Signal::KILL)));
        assert_eq!(parse_zombie(&line("Z", 3 << 8)), Some(Exit::Code(3)));
        assert_eq!(parse_zombie(&line("S", 0)), None);
    }

    #[test]
    fn we_are_alive_and_a_later_process_with_our_number_is_not_us() {
        let me = identify(std::process::id() as i32).expect("we are there");
        assert!(is_alive(&me) && Held::open(&me).is_some());
        let other = ProcessId { start_time: me.start_time + 1, ..me.clone() };
        assert!(!is_alive(&other) && Held::open(&other).is_none());
        let before_reboot = ProcessId { boot_id: "another".into(), ..me };
        assert!(!is_alive(&before_reboot) && Held::open(&before_reboot).is_none());
    }

    #[test]
    fn a_child_is_found_and_its_end_is_seen() {
        let mut child = std::process::Command::new("/bin/sh").args(["-c", "exec sleep 60"]).spawn().expect("a child");
        let pid = child.id() as i32;
        assert!(descendants(std::process::id() as i32).contains(&pid));
        let held = Held::open(&identify(pid).expect("it lives")).expect("it lives");
        assert!(!held.has_ended());
        held.signal(Signal::KILL).expect("it is ours");
        assert!(held.wait(std::time::Duration::from_mins(1)));
        let status = child.wait().expect("its end");
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(libc::SIGKILL));
        match held.exit() {
            Exit::Unknown => eprintln!("skipped: this kernel does not tell others how a process ended"),
            exit @ (Exit::Code(_) | Exit::Signal(_) | Exit::NotStarted(_)) => {
                assert_eq!(exit, Exit::Signal(Signal::KILL));
            }
        }
        held.signal(Signal::TERM).expect("one that is gone is no error");
    }
}
