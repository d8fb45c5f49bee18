//! Runs a program on a bot's behalf: one that tells of its orders, or one that cancels them. Whatever it does, we are back
//! when its time is over, and nothing that it has started in its process group is left behind.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Gid, Pid, PidfdFlags, Signal as Kill, Uid, kill_process_group, pidfd_open};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

use crate::clock;
use crate::config::{duration_text, visible};
use crate::core::moment::Moment;
use crate::core::signal::Signal;
use crate::paths::words;
use crate::sys::Identity;

use super::Surroundings;
use super::surroundings::is_of_the_tree;

/// No program that tells of orders has more to say.
pub const MOST_OUTPUT: usize = 64 << 20;

/// So much of what it says last on its stderr is kept.
const STDERR_KEPT: usize = 4096;

/// A line of stderr in an error is no longer than this.
const LINE_SHOWN: usize = 200;

/// What a program that ended with 0 has printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// All of its stdout.
    pub stdout: Vec<u8>,
}

/// A program that could not be run to a good end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trouble {
    /// A sentence that names the program and the cause, harmless to a terminal.
    pub why: String,
    /// What it had printed until then.
    pub stdout: Vec<u8>,
}

/// Runs a program in the folder, with the environment and as the user of a bot, hands it `input` on stdin and listens to
/// it until it ends, `within` at the longest. Its stdout counts as far as it was written when the program itself ended:
/// whoever it leaves behind with the same stdout is ended, not waited for.
///
/// # Errors
/// If it cannot be executed, does not end in time, prints too much, or ends with anything but 0.
pub fn run(command: &[String], surroundings: &Surroundings, input: &[u8], within: Duration) -> Result<Output, Trouble> {
    let until = clock::now().plus(within);
    let name = visible(command.first().map_or("", String::as_str)).into_owned();
    let trouble = |why: String, stdout: Vec<u8>| Trouble { why: format!("{name} {why}"), stdout };
    let child = spawn(command, surroundings).map_err(|why| trouble(why, Vec::new()))?;
    let mut talk = Talk::new(Running::new(child), input).map_err(|why| trouble(why, Vec::new()))?;
    let end = talk.listen(until);
    // Ended before it is reaped: as long as it is not, its number and its group's are nobody else's.
    let status = talk.running.end();
    let stdout = std::mem::take(&mut talk.stdout);
    match end {
        End::Late => Err(trouble(format!("did not end within {}{}", duration_text(within), talk.last_line()), stdout)),
        End::Flooded => Err(trouble(format!("printed more than {} MiB", MOST_OUTPUT >> 20), stdout)),
        End::Ended => match status {
            Ok(status) if status.success() => Ok(Output { stdout }),
            Ok(status) => Err(trouble(format!("{}{}", how(status), talk.last_line()), stdout)),
            Err(error) => Err(trouble(format!("cannot be waited for: {}", words(&error)), stdout)),
        },
    }
}

/// Ends every program that runs for this process, with its group: for a process that is about to end itself.
pub fn end_all() {
    let running = running();
    for pid in running.iter().copied().filter_map(Pid::from_raw) {
        let _ = kill_process_group(pid, Kill::KILL);
    }
}

fn running() -> std::sync::MutexGuard<'static, BTreeSet<i32>> {
    static RUNNING: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

fn spawn(command: &[String], surroundings: &Surroundings) -> Result<Child, String> {
    let (env, identity) = surroundings.environment().map_err(|why| format!("cannot be run: {}", visible(&why)))?;
    let Some((program, arguments)) = command.split_first().filter(|(program, _)| !program.is_empty()) else {
        return Err("cannot be run: there is no program".into());
    };
    let ours: Vec<(OsString, OsString)> = std::env::vars_os().chain(env).collect();
    let mut child = Command::new(program);
    child
        .args(arguments)
        .current_dir(&surroundings.cwd)
        .env_clear()
        .envs(ours.into_iter().filter(|(name, _)| !is_of_the_tree(name)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A group of its own: what it starts ends with it.
        .process_group(0);
    let spawned = match identity {
        None => child.spawn(),
        Some(identity) => spawn_as(child, identity),
    };
    spawned.map_err(|error| {
        let folder = if surroundings.cwd.is_dir() {
            String::new()
        } else {
            format!(" (there is no folder {})", visible(&surroundings.cwd.display().to_string()))
        };
        format!("cannot be executed: {}{folder}", words(&error))
    })
}

/// As another user, all its groups included: by a thread that becomes the user, spawns, and ends.
fn spawn_as(mut child: Command, identity: Identity) -> io::Result<Child> {
    let thread = std::thread::Builder::new().name("as another user".into()).spawn(move || {
        become_on_this_thread(&identity)?;
        child.spawn()
    })?;
    thread.join().unwrap_or_else(|_| Err(io::Error::other("the thread that was to spawn it has ended")))
}

/// Makes this one thread, and whatever it starts from now on, another user's: on Linux every thread has ids of its own.
///
/// # Errors
/// If we may not.
pub fn become_on_this_thread(identity: &Identity) -> io::Result<()> {
    let groups: Vec<Gid> = identity.groups.iter().copied().map(Gid::from_raw).collect();
    let (user, group) = (Uid::from_raw(identity.uid), Gid::from_raw(identity.gid));
    set_thread_groups(&groups)?;
    set_thread_res_gid(group, group, group)?;
    set_thread_res_uid(user, user, user)?;
    Ok(())
}

fn how(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with {code}"),
        (None, Some(number)) => format!("was ended by {}", Signal::from_number(number)),
        (None, None) => "ended, and nobody knows how".into(),
    }
}

/// A process that leads its group, and goes with all of it.
struct Running {
    child: Child,
    reaped: bool,
}

impl Running {
    fn new(child: Child) -> Self {
        running().insert(child.id() as i32);
        Self { child, reaped: false }
    }

    fn end(&mut self) -> io::Result<ExitStatus> {
        let pid = self.child.id() as i32;
        if !self.reaped {
            // Registered until its group is ended, and not a moment longer: then its number may be another's.
            let mut running = running();
            if let Some(pid) = Pid::from_raw(pid) {
                let _ = kill_process_group(pid, Kill::KILL);
            }
            running.remove(&pid);
        }
        self.reaped = true;
        self.child.wait()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

enum End {
    Ended,
    Late,
    Flooded,
}

/// What is said to it and by it.
struct Talk<'a> {
    running: Running,
    ended: OwnedFd,
    input: &'a [u8],
    stdin: Option<ChildStdin>,
    stdout_pipe: Option<ChildStdout>,
    stderr_pipe: Option<ChildStderr>,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    chunk: Box<[u8]>,
}

impl<'a> Talk<'a> {
    fn new(mut running: Running, input: &'a [u8]) -> Result<Self, String> {
        let (stdin, stdout_pipe, stderr_pipe) =
            (running.child.stdin.take(), running.child.stdout.take(), running.child.stderr.take());
        let fds = [
            stdin.as_ref().map(AsFd::as_fd),
            stdout_pipe.as_ref().map(AsFd::as_fd),
            stderr_pipe.as_ref().map(AsFd::as_fd),
        ];
        let ready = fds.into_iter().flatten().try_for_each(|fd| rustix::io::ioctl_fionbio(fd, true));
        let pid = Pid::from_child(&running.child);
        let ended = ready.and_then(|()| pidfd_open(pid, PidfdFlags::empty()));
        let ended = ended.map_err(|errno| format!("cannot be watched: {}", words(&errno.into())))?;
        // Without input it sees the end of it at once.
        let stdin = stdin.filter(|_| !input.is_empty());
        let chunk = vec![0; 1 << 16].into_boxed_slice();
        Ok(Self {
            running,
            ended,
            input,
            stdin,
            stdout_pipe,
            stderr_pipe,
            stdout: Vec::new(),
            stderr: Vec::new(),
            chunk,
        })
    }

    /// Until the program itself has ended, its time is over, or it has printed too much.
    fn listen(&mut self, until: Moment) -> End {
        loop {
            let left = until.since(clock::now());
            if left.is_zero() {
                return End::Late;
            }
            let ended = self.wait(left);
            // What was written before the end is in the pipes by now.
            self.read_errors();
            if !self.read_output() {
                return End::Flooded;
            }
            if ended {
                return End::Ended;
            }
            self.write();
        }
    }

    /// Waits until there is something to do; says whether the program has ended.
    fn wait(&self, left: Duration) -> bool {
        let mut fds = vec![PollFd::new(&self.ended, PollFlags::IN)];
        let pipes: [(Option<BorrowedFd<'_>>, PollFlags); 3] = [
            (self.stdout_pipe.as_ref().map(AsFd::as_fd), PollFlags::IN),
            (self.stderr_pipe.as_ref().map(AsFd::as_fd), PollFlags::IN),
            (self.stdin.as_ref().map(AsFd::as_fd), PollFlags::OUT),
        ];
        fds.extend(pipes.into_iter().filter_map(|(fd, flags)| Some(PollFd::from_borrowed_fd(fd?, flags))));
        let time = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: i64::from(left.subsec_nanos()) };
        poll(&mut fds, Some(&time)).is_ok() && !fds[0].revents().is_empty()
    }

    fn write(&mut self) {
        let Some(stdin) = &mut self.stdin else { return };
        match stdin.write(self.input) {
            Ok(count) => self.input = &self.input[count..],
            Err(error) if is_not_yet(&error) => return,
            // It does not want to hear more, which is its business.
            Err(_) => self.input = &[],
        }
        if self.input.is_empty() {
            self.stdin = None;
        }
    }

    /// Says false if it was too much.
    fn read_output(&mut self) -> bool {
        while let Some(pipe) = &mut self.stdout_pipe {
            match pipe.read(&mut self.chunk) {
                Ok(0) => self.stdout_pipe = None,
                Ok(count) => {
                    let room = MOST_OUTPUT - self.stdout.len();
                    self.stdout.extend_from_slice(&self.chunk[..count.min(room)]);
                    if count > room {
                        return false;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if is_not_yet(&error) => break,
                Err(_) => self.stdout_pipe = None,
            }
        }
        true
    }

    fn read_errors(&mut self) {
        // So much at a time: one that writes without end to its stderr must not keep us from its end.
        for _ in 0..16 {
            let Some(pipe) = &mut self.stderr_pipe else { return };
            match pipe.read(&mut self.chunk) {
                Ok(0) => self.stderr_pipe = None,
                Ok(count) => {
                    self.stderr.extend_from_slice(&self.chunk[..count]);
                    let surplus = self.stderr.len().saturating_sub(STDERR_KEPT);
                    self.stderr.drain(..surplus);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if is_not_yet(&error) => return,
                Err(_) => self.stderr_pipe = None,
            }
        }
    }

    /// The last line of its stderr that says something, as the end of a sentence.
    fn last_line(&self) -> String {
        let text = String::from_utf8_lossy(&self.stderr);
        let Some(line) = text.lines().map(str::trim).rfind(|line| !line.is_empty()) else { return String::new() };
        let shown: String = line.chars().take(LINE_SHOWN).collect();
        let rest = if line.chars().nth(LINE_SHOWN).is_some() { "..." } else { "" };
        format!(": {}{rest}", visible(&shown))
    }
}

fn is_not_yet(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}

#[cfg(test)]
mod tests;
