//! One process that reads: what is put into its hands, and what becomes of it.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, WaitId, WaitIdOptions, pidfd_open, waitid};

use crate::clock;
use crate::core::moment::Moment;
use crate::core::protocol::{KEEPER_NAME, READER_ROLE};
use crate::core::signal::Signal;
use crate::orders::is_of_the_tree;
use crate::process::{self, Held};
use crate::who::Other;

use super::waiting::Waiting;
use super::wire::{AS, Ask, HELLO, INSIDE, Tell};

/// How long a process may take to end once nobody asks it any more, before it is killed; and after that, before it counts
/// as one that hangs.
const PATIENCE: Duration = Duration::from_secs(1);

/// What the asking threads and the one that listens have in common.
#[derive(Debug)]
pub(super) struct Hand {
    pid: i32,
    /// Written to wake the one that listens.
    wake: OwnedFd,
    desk: Mutex<Desk>,
}

#[derive(Debug, Default)]
struct Desk {
    outbox: Vec<u8>,
    waiting: BTreeMap<u64, Waiting>,
    /// No more questions are taken.
    full: bool,
    /// It is to end, whatever waits.
    closed: bool,
}

/// A process that was started, in the hands of the one thread that listens to it.
pub(super) struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: ChildStdout,
    ended: OwnedFd,
}

/// How it ended, with the questions that it has not answered.
pub(super) enum End {
    /// It was told to.
    Closed(Vec<Waiting>),
    /// By itself.
    Died(Vec<Waiting>, String),
    /// Before it had said what it is; and whether it said something else, so that it never will.
    NeverRead(Vec<Waiting>, bool),
}

impl Hand {
    pub(super) fn pid(&self) -> i32 {
        self.pid
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts one more question into its hands; gives it back if it takes no more.
    pub(super) fn put(&self, number: u64, waiting: Waiting) -> Result<(), Box<Waiting>> {
        // A little less than there is, so that what it has to say of its time being over comes before we say so.
        let left = waiting.until.since(clock::now());
        let time = left.saturating_sub((left / 5).min(Duration::from_millis(250)));
        let ask = Ask { number, question: waiting.question.clone().with_time(time) };
        let mut desk = self.desk();
        if desk.full {
            return Err(Box::new(waiting));
        }
        match serde_json::to_writer(&mut desk.outbox, &ask) {
            Ok(()) => desk.outbox.push(b'\n'),
            Err(error) => {
                desk.outbox.clear();
                waiting.fail(&error.to_string());
                return Ok(());
            }
        }
        desk.waiting.insert(number, waiting);
        drop(desk);
        self.wake();
        Ok(())
    }

    /// Lets it end once it has answered.
    pub(super) fn expect_no_more(&self) {
        self.desk().full = true;
        self.wake();
    }

    /// Lets it end now.
    pub(super) fn close(&self) {
        let mut desk = self.desk();
        desk.full = true;
        desk.closed = true;
        drop(desk);
        self.wake();
    }

    fn wake(&self) {
        let _ = rustix::io::write(&self.wake, &1_u64.to_ne_bytes());
    }

    fn take_all(&self) -> Vec<Waiting> {
        let mut desk = self.desk();
        desk.full = true;
        std::mem::take(&mut desk.waiting).into_values().collect()
    }
}

impl Process {
    /// Starts one, without the mark of a bot that may have called us.
    pub(super) fn start(program: &Path, other: Option<&Other>, user: Option<&str>) -> io::Result<(Self, Hand)> {
        let mut command = Command::new(program);
        let who = user.map_or_else(|| "-".to_owned(), |user| format!("{AS}{user}"));
        command.arg0(KEEPER_NAME).args([READER_ROLE, &who]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        for (name, _) in std::env::vars_os().filter(|(name, _)| is_of_the_tree(name)) {
            command.env_remove(name);
        }
        command.env(INSIDE, "1");
        // It becomes that user itself, and its programs are to find themselves at home.
        command.envs(other.iter().flat_map(|other| other.env.iter().map(|(name, value)| (name, value))));
        let mut child = command.spawn()?;
        match watch(&mut child) {
            Ok((stdin, stdout, ended, wake)) => {
                let hand = Hand { pid: child.id() as i32, wake, desk: Mutex::default() };
                Ok((Self { child, stdin: Some(stdin), stdout, ended }, hand))
            }
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(error)
            }
        }
    }
}

fn watch(child: &mut Child) -> io::Result<(ChildStdin, ChildStdout, OwnedFd, OwnedFd)> {
    let ended = pidfd_open(Pid::from_child(child), PidfdFlags::empty())?;
    let wake = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
    let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(io::ErrorKind::BrokenPipe.into());
    };
    // Answers are long: without this, writer and reader take turns every 64 KiB. What is not given is not needed.
    let _ = rustix::pipe::fcntl_setpipe_size(&stdout, 1 << 20);
    rustix::io::ioctl_fionbio(&stdin, true)?;
    rustix::io::ioctl_fionbio(&stdout, true)?;
    Ok((stdin, stdout, ended, wake))
}

/// Listens to a process until it ends or is not needed any more.
pub(super) fn serve(hand: &Hand, mut process: Process, stuck: &AtomicUsize) -> End {
    let mut ears = Ears::default();
    let mut sending = Sending::default();
    let why = loop {
        let (closed, idle, next) = {
            let mut desk = hand.desk();
            sending.add(&mut desk.outbox);
            let next = desk.waiting.values().map(|waiting| waiting.until).min();
            (desk.closed, desk.full && desk.waiting.is_empty(), next)
        };
        if closed || idle {
            break Stop::Told;
        }
        sending.write(&mut process.stdin);
        wait(hand, &process, !sending.is_empty(), next);
        let heard = ears.listen(&process.stdout, |line, is_first| take(hand, line, is_first));
        expire(hand);
        match heard {
            Heard::More => {}
            Heard::End => break Stop::Died,
            Heard::Nonsense => break Stop::Nonsense,
        }
    };
    let said_hello = ears.lines > 0;
    let status = end(process, matches!(why, Stop::Died), stuck);
    let left = hand.take_all();
    match why {
        Stop::Told => End::Closed(left),
        Stop::Nonsense if !said_hello => End::NeverRead(left, true),
        Stop::Died if !said_hello => End::NeverRead(left, false),
        Stop::Nonsense => End::Died(left, "said what nobody understands".into()),
        Stop::Died => End::Died(left, how(status)),
    }
}

enum Stop {
    Told,
    Died,
    Nonsense,
}

/// Waits for words, for questions, for room to ask, or for the time when a question is over.
fn wait(hand: &Hand, process: &Process, wants_to_write: bool, next: Option<Moment>) {
    let mut fds = vec![PollFd::new(&process.stdout, PollFlags::IN), PollFd::new(&hand.wake, PollFlags::IN)];
    if let Some(stdin) = process.stdin.as_ref().filter(|_| wants_to_write) {
        fds.push(PollFd::from_borrowed_fd(stdin.as_fd(), PollFlags::OUT));
    }
    let time = next.map(|next| timespec(next.since(clock::now())));
    let _ = poll(&mut fds, time.as_ref());
    let _ = rustix::io::read(&hand.wake, &mut [0_u8; 8]);
}

fn timespec(time: Duration) -> Timespec {
    Timespec { tv_sec: time.as_secs() as i64, tv_nsec: i64::from(time.subsec_nanos()) }
}

/// What is asked and not yet written.
#[derive(Default)]
struct Sending {
    bytes: Vec<u8>,
    at: usize,
}

impl Sending {
    fn add(&mut self, outbox: &mut Vec<u8>) {
        if self.is_empty() {
            self.bytes.clear();
            self.at = 0;
            std::mem::swap(&mut self.bytes, outbox);
        }
    }

    fn is_empty(&self) -> bool {
        self.at == self.bytes.len()
    }

    fn write(&mut self, stdin: &mut Option<ChildStdin>) {
        while let Some(pipe) = stdin.as_mut().filter(|_| !self.is_empty()) {
            match pipe.write(&self.bytes[self.at..]) {
                Ok(count) => self.at += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // It is dead, and its stdout will say so.
                Err(_) => self.at = self.bytes.len(),
            }
        }
    }
}

/// Lines, as they come out of a pipe piece by piece.
#[derive(Default)]
struct Ears {
    bytes: Vec<u8>,
    lines: u64,
}

enum Heard {
    More,
    End,
    Nonsense,
}

impl Ears {
    fn listen(&mut self, stdout: &ChildStdout, mut take: impl FnMut(&[u8], bool) -> bool) -> Heard {
        loop {
            let old = self.bytes.len();
            self.bytes.reserve(1 << 16);
            // Into what is reserved, without writing zeros there first.
            match rustix::io::read(stdout, spare_capacity(&mut self.bytes)) {
                Ok(0) => return Heard::End,
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => return Heard::More,
                Err(_) => return Heard::End,
            }
            let mut start = 0;
            for end in memchr::memchr_iter(b'\n', &self.bytes[old..]).map(|at| old + at) {
                if !take(&self.bytes[start..end], self.lines == 0) {
                    return Heard::Nonsense;
                }
                self.lines += 1;
                start = end + 1;
            }
            self.bytes.drain(..start);
        }
    }
}

/// Hands an answer to whoever waits for it. Says false if it is none.
fn take(hand: &Hand, line: &[u8], is_first: bool) -> bool {
    if is_first {
        return line == HELLO.as_bytes();
    }
    // Looked through once as a whole, and not word by word.
    let Ok(line) = std::str::from_utf8(line) else { return false };
    let Ok(Tell { number, answer }) = serde_json::from_str(line) else { return false };
    // One that was given up is not waited for any more.
    let waiting = hand.desk().waiting.remove(&number);
    if let Some(waiting) = waiting {
        waiting.answer(answer);
    }
    true
}

/// Gives up what is late, and with it the process: whatever hangs in it would stay there. The others that wait for it have
/// their time.
fn expire(hand: &Hand) {
    let now = clock::now();
    let mut desk = hand.desk();
    let late: Vec<u64> =
        desk.waiting.iter().filter(|(_, waiting)| waiting.until <= now).map(|(number, _)| *number).collect();
    for number in late {
        desk.full = true;
        if let Some(waiting) = desk.waiting.remove(&number) {
            waiting.fail_late();
        }
    }
}

/// Ends a process, reaps it, and ends what it has left behind.
fn end(mut process: Process, died: bool, stuck: &AtomicUsize) -> io::Result<ExitStatus> {
    drop(process.stdin.take());
    let has_ended = |time: Duration| {
        let mut fds = [PollFd::new(&process.ended, PollFlags::IN)];
        matches!(poll(&mut fds, Some(&timespec(time))), Ok(count) if count > 0)
    };
    let itself = has_ended(PATIENCE);
    if !itself {
        let _ = process.child.kill();
    }
    let hangs = !itself && !has_ended(PATIENCE);
    if hangs {
        stuck.fetch_add(1, Ordering::Relaxed);
    }
    if died || !itself {
        // Not reaped yet, so that its session's number is nobody else's.
        let pid = process.child.id();
        if let Some(number) = Pid::from_raw(pid as i32) {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while let Err(Errno::INTR) = waitid(WaitId::Pid(number), options) {}
        }
        end_session(pid as i32);
    }
    let status = process.child.wait();
    if hangs {
        stuck.fetch_sub(1, Ordering::Relaxed);
    }
    status
}

/// Ends the programs that a reader was running when it died: they are in its session.
fn end_session(reader: i32) {
    for pid in process::all().filter(|pid| *pid != reader) {
        if let Some(stat) = process::stat(pid)
            && stat.session == reader
            && let Some(held) = Held::open_started_at(pid, stat.start_time)
        {
            let _ = held.signal(Signal::KILL);
        }
    }
}

fn how(status: io::Result<ExitStatus>) -> String {
    let status = status.ok();
    match (status.and_then(|status| status.signal()), status.and_then(|status| status.code())) {
        (Some(number), _) => format!("was killed by {}", Signal::from_number(number)),
        (None, Some(code)) => format!("ended with {code}"),
        (None, None) => "has ended".into(),
    }
}
