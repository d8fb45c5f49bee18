//! The whole process table in one pass: what a search for a bot's processes needs to know of each, and no more.

use std::collections::HashSet;
use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};

use memchr::memmem;
use rustix::fs::{Mode, OFlags, RawDir, fstat, openat};
use rustix::io::{Errno, read};

use crate::core::protocol::{KEEPER_NAME, OUR_ROLES};
use crate::paths::words;
use crate::process::{MARK, Mark, Stat, parse_mark, parse_stat};

/// One living process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its number.
    pub pid: i32,
    /// A thread of it that lives: the first one, unless that has ended before the others.
    pub thread: i32,
    /// Its parent's number.
    pub parent: i32,
    /// Its session.
    pub session: i32,
    /// Clock ticks since boot.
    pub start_time: u64,
    /// Its effective user.
    pub uid: u32,
    /// The mark in its environment; nothing if it has none, or if we may not look.
    pub mark: Option<Mark>,
    /// The argument vector, every word followed by a NUL as the kernel has it.
    command: String,
}

impl Row {
    /// The words it was executed with; whoever has renamed itself says here what it wants.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        let text = self.command.strip_suffix('\0').unwrap_or(&self.command);
        text.split('\0').filter(|_| !self.command.is_empty())
    }

    /// The same on one line, harmless to a terminal and cut to a screen's width.
    pub fn text(&self) -> String {
        const LONGEST: usize = 200;
        let text = self.command.strip_suffix('\0').unwrap_or(&self.command);
        text.chars().take(LONGEST).map(|c| if c.is_control() { ' ' } else { c }).collect()
    }

    /// Whether it is a keeper, a stopper or a reader of orders. They are launched without a mark; whatever a bot may call itself, it has one.
    pub fn is_keeper(&self) -> bool {
        let mut words = self.words();
        words.next() == Some(KEEPER_NAME)
            && words.next().is_some_and(|role| OUR_ROLES.contains(&role))
            && self.mark.is_none()
    }

    /// The bot that a keeper keeps, as its command line has it.
    pub fn keeps(&self) -> Option<&str> {
        if self.is_keeper() { self.words().nth(2) } else { None }
    }
}

/// Every living process at one time, threads of the kernel left out.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// By number.
    rows: Vec<Row>,
    /// Parent and place in `rows`, by parent.
    by_parent: Vec<(i32, usize)>,
}

impl Table {
    /// Reads it.
    ///
    /// # Errors
    /// With a sentence, if not every process that we might see can be looked at.
    pub fn read() -> Result<Self, String> {
        let rows = look().map_err(|errno| format!("the process table cannot be read: {}", words(&errno.into())))?;
        let table = Self::of(rows);
        if table.get(std::process::id() as i32).is_none() {
            return Err("the process table cannot be read: /proc does not show even ourselves".into());
        }
        Ok(table)
    }

    fn of(mut rows: Vec<Row>) -> Self {
        rows.sort_unstable_by_key(|row| row.pid);
        let mut by_parent: Vec<_> = rows.iter().enumerate().map(|(at, row)| (row.parent, at)).collect();
        by_parent.sort_unstable();
        Self { rows, by_parent }
    }

    /// Every process, by number.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// One process.
    pub fn get(&self, pid: i32) -> Option<&Row> {
        self.rows.binary_search_by_key(&pid, |row| row.pid).ok().map(|at| &self.rows[at])
    }

    /// Those whose parent this is.
    pub fn children(&self, pid: i32) -> impl Iterator<Item = &Row> {
        let first = self.by_parent.partition_point(|(parent, _)| *parent < pid);
        self.by_parent[first..].iter().take_while(move |(parent, _)| *parent == pid).map(|(_, at)| &self.rows[*at])
    }

    /// Every descendant of a process, itself and other keepers with their bots not included.
    pub fn descendants(&self, root: i32) -> Vec<&Row> {
        let mut seen = HashSet::from([root]);
        let mut found = Vec::new();
        let mut next = vec![root];
        while let Some(pid) = next.pop() {
            for child in self.children(pid).filter(|child| !child.is_keeper()) {
                if seen.insert(child.pid) {
                    found.push(child);
                    next.push(child.pid);
                }
            }
        }
        found
    }

    /// Its parent, that one's parent, and so on.
    pub fn ancestors(&self, row: &Row) -> impl Iterator<Item = &Row> {
        let mut next = row.parent;
        // Rows are read one after the other: numbers that changed hands meanwhile could make a ring.
        (0..self.rows.len()).map_while(move |_| {
            let ancestor = self.get(next)?;
            next = ancestor.parent;
            Some(ancestor)
        })
    }
}

/// The table is listed again until nobody is new in it: the kernel hands out whole pages of numbers, and who forks and
/// ends between a page and the look at its number would be missed with all that descends from it. After so many
/// listings it is believed as it is: somebody forks faster than anybody can look.
const LISTINGS: usize = 16;

fn look() -> Result<Vec<Row>, Errno> {
    let mut reader = Reader::default();
    let mut rows = Vec::with_capacity(256);
    let mut listed = HashSet::with_capacity(256);
    for _ in 0..LISTINGS {
        if !list(&mut reader, &mut listed, &mut rows)? {
            break;
        }
    }
    Ok(rows)
}

/// Adds whoever was not listed before; whether there was anybody.
fn list(reader: &mut Reader, listed: &mut HashSet<i32>, rows: &mut Vec<Row>) -> Result<bool, Errno> {
    const LIST: usize = 32 << 10;
    let proc = open(rustix::fs::CWD, c"/proc", OFlags::DIRECTORY)?;
    let mut list = vec![MaybeUninit::uninit(); LIST];
    let mut entries = RawDir::new(&proc, &mut list);
    let before = listed.len();
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let name = entry.file_name();
        if let Some(pid) = number(name).filter(|pid| listed.insert(*pid)) {
            match reader.row(&proc, name, pid) {
                Ok(row) => rows.extend(row),
                Err(Errno::NOENT | Errno::SRCH | Errno::ACCESS | Errno::PERM) => {}
                Err(errno) => return Err(errno),
            }
        }
    }
    Ok(listed.len() > before)
}

fn number(name: &CStr) -> Option<i32> {
    // What is no process is left out without being read as a number.
    name.to_bytes().first().filter(|first| first.is_ascii_digit())?;
    name.to_str().ok()?.parse().ok()
}

fn open(folder: impl AsFd, name: &CStr, flags: OFlags) -> Result<OwnedFd, Errno> {
    openat(folder, name, OFlags::RDONLY | OFlags::CLOEXEC | flags, Mode::empty())
}

/// Reads processes one after the other into the same memory.
struct Reader {
    buffer: Vec<u8>,
    mark: memmem::Finder<'static>,
}

impl Default for Reader {
    fn default() -> Self {
        let [_, _, run] = MARK;
        Self { buffer: vec![0; 64 << 10], mark: memmem::Finder::new(run) }
    }
}

impl Reader {
    /// One process; nothing if it is dead or the kernel's.
    fn row(&mut self, proc: &OwnedFd, name: &CStr, pid: i32) -> Result<Option<Row>, Errno> {
        // What is read through this is said of one process, even if its number goes to another meanwhile.
        let mut folder = open(proc, name, OFlags::PATH | OFlags::DIRECTORY)?;
        let Some(stat) = parse_stat(self.read(&folder, c"stat")?) else { return Ok(None) };
        if stat.kernel || !stat.is_alive() {
            return Ok(None);
        }
        // The folder itself belongs to the effective user, whether or not the process may be traced.
        let uid = fstat(&folder)?.st_uid;
        let Stat { state, parent, session, start_time, .. } = stat;
        let mut thread = pid;
        if state == b'Z' {
            // Its first thread has ended, and with it what the folder says of its memory.
            (thread, folder) = other_thread(&folder, pid)?;
        }
        let command = String::from_utf8_lossy(self.read(&folder, c"cmdline")?).into_owned();
        let mark = match self.read_environment(&folder) {
            Ok(mark) => mark,
            Err(Errno::ACCESS | Errno::PERM) => None,
            Err(errno) => return Err(errno),
        };
        Ok(Some(Row { pid, thread, parent, session, start_time, uid, mark, command }))
    }

    fn read_environment(&mut self, folder: &OwnedFd) -> Result<Option<Mark>, Errno> {
        let filled = self.fill(folder, c"environ")?;
        let environment = &self.buffer[..filled];
        // Hardly any process has one.
        Ok(self.mark.find(environment).and_then(|_| parse_mark(environment)))
    }

    fn read(&mut self, folder: &OwnedFd, name: &CStr) -> Result<&[u8], Errno> {
        let filled = self.fill(folder, name)?;
        Ok(&self.buffer[..filled])
    }

    fn fill(&mut self, folder: &OwnedFd, name: &CStr) -> Result<usize, Errno> {
        let file = open(folder, name, OFlags::empty())?;
        let mut filled = 0;
        loop {
            if filled == self.buffer.len() {
                self.buffer.resize(2 * filled, 0);
            }
            match read(&file, &mut self.buffer[filled..]) {
                Ok(count) => filled += count,
                Err(Errno::INTR) => continue,
                Err(errno) => return Err(errno),
            }
            // These files give as much as there is room for: less is the end.
            if filled < self.buffer.len() {
                return Ok(filled);
            }
        }
    }
}

/// A thread besides the first, and its folder.
fn other_thread(folder: &OwnedFd, pid: i32) -> Result<(i32, OwnedFd), Errno> {
    let tasks = open(folder, c"task", OFlags::DIRECTORY)?;
    let mut list = [const { MaybeUninit::uninit() }; 1 << 10];
    let mut entries = RawDir::new(&tasks, &mut list);
    while let Some(entry) = entries.next() {
        let entry = entry?;
        if let Some(thread) = number(entry.file_name()).filter(|thread| *thread != pid) {
            return Ok((thread, open(&tasks, entry.file_name(), OFlags::PATH | OFlags::DIRECTORY)?));
        }
    }
    Err(Errno::SRCH)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::process::{Child, Command, Stdio};

    use super::*;

    /// A child that goes with the test.
    struct Own(Child);

    impl Drop for Own {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    fn row(pid: i32, parent: i32, command: &str) -> Row {
        let command = command.replace(' ', "\0");
        Row { pid, thread: pid, parent, session: 1, start_time: 1, uid: 0, mark: None, command }
    }

    fn pids(rows: &[&Row]) -> Vec<i32> {
        let mut pids: Vec<i32> = rows.iter().map(|row| row.pid).collect();
        pids.sort_unstable();
        pids
    }

    #[test]
    fn a_tree_is_followed_up_and_down_and_keepers_have_their_own() {
        let table = Table::of(vec![
            row(30, 20, "sh"),
            row(10, 1, "sh"),
            row(20, 10, "sh"),
            row(40, 20, "botwarden keep a"),
            row(41, 40, "a"),
        ]);
        assert_eq!(pids(&table.descendants(10)), [20, 30]);
        let ancestors: Vec<i32> =
            table.ancestors(table.get(30).expect("it is there")).map(|ancestor| ancestor.pid).collect();
        assert_eq!(ancestors, [20, 10]);
        assert_eq!(table.get(40).and_then(Row::keeps), Some("a"));
        assert_eq!(table.get(41).and_then(Row::keeps), None);
    }

    #[test]
    fn numbers_that_changed_hands_make_no_endless_ring() {
        let table = Table::of(vec![row(10, 11, "a"), row(11, 10, "b")]);
        assert!(table.ancestors(&table.rows()[0]).count() <= 2);
        assert_eq!(pids(&table.descendants(10)), [11]);
    }

    #[test]
    fn empty_words_are_words_and_no_command_has_none() {
        let words = |command: &str| -> Vec<String> {
            let row = Row { command: command.into(), ..row(1, 0, "") };
            row.words().map(str::to_owned).collect()
        };
        assert_eq!(words("a\0\0b\0"), ["a", "", "b"]);
        assert_eq!(words("renamed itself"), ["renamed itself"]);
        assert!(words("").is_empty());
    }

    #[test]
    fn a_child_is_in_it_with_its_words_and_its_mark() {
        let child = Command::new("/bin/sleep")
            .arg("600")
            .envs([("BOTWARDEN_HOME", "/desk"), ("BOTWARDEN_BOT", "a"), ("BOTWARDEN_RUN", "r1")])
            .spawn()
            .map(Own)
            .expect("a child");
        let pid = child.0.id() as i32;
        let table = Table::read().expect("a table");
        let row = table.get(pid).expect("it lives");
        assert_eq!(row.words().collect::<Vec<_>>(), ["/bin/sleep", "600"]);
        assert_eq!(row.mark.as_ref().map(|mark| mark.run.as_str()), Some("r1"));
        assert_eq!((row.parent, row.thread), (std::process::id() as i32, pid));
        assert_eq!(row.uid, rustix::process::geteuid().as_raw());
        assert!(table.children(row.parent).any(|child| child.pid == pid));
    }

    #[test]
    fn a_process_whose_first_thread_has_ended_is_in_it_with_its_words() {
        // The number of exit(2), which ends one thread, is that of the most common machines.
        const SCRIPT: &str = "import ctypes, threading, time\n\
            threading.Thread(target=lambda: (print('on', flush=True), time.sleep(600))).start()\n\
            ctypes.CDLL(None).syscall(60, 0)\n";
        if !cfg!(target_arch = "x86_64") {
            return eprintln!("skipped: the number of the system call is another one here");
        }
        let Ok(child) = Command::new("python3").args(["-c", SCRIPT]).stdout(Stdio::piped()).spawn() else {
            return eprintln!("skipped: no python3");
        };
        let mut child = Own(child);
        let pid = child.0.id() as i32;
        child.0.stdout.as_mut().expect("piped").read_exact(&mut [0; 3]).expect("it says that it goes on");
        while crate::process::stat(pid).expect("it is there").state != b'Z' {
            std::thread::yield_now();
        }
        assert!(crate::process::stat(pid).is_some_and(Stat::is_alive));
        let table = Table::read().expect("a table");
        let row = table.get(pid).expect("it lives");
        assert_ne!(row.thread, pid);
        assert_eq!(row.words().skip(1).collect::<Vec<_>>(), ["-c", SCRIPT]);
    }
}
