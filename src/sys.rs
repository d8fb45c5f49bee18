//! The one file with `unsafe` in it: what Linux offers and no safe library does. Each function says what makes it sound.
#![allow(unsafe_code)]

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use rustix::pipe::{PipeFlags, pipe_with};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

use crate::core::exit::Exit;
use crate::core::signal::Signal;

/// The inherited lock gets a number from the first of these on that may be had: out of the way of shells and of programs
/// that count from 3, unless a low limit of descriptors leaves no room there.
const LOCK_FD_FROM: [i32; 3] = [100, 10, 3];

/// Everything a bot is executed with.
#[derive(Debug)]
pub struct Execution<'a> {
    /// Program and arguments.
    pub command: &'a [String],
    /// Where it runs.
    pub cwd: PathBuf,
    /// Variables to set on top of our own environment.
    pub env: Vec<(OsString, OsString)>,
    /// Variables that it must not inherit.
    pub env_remove: &'a [&'a str],
    /// Whom it runs as, if not as us.
    pub identity: Option<Identity>,
    /// Its stdout and stderr: the log itself.
    pub output: &'a File,
    /// Its lock, to be inherited.
    pub lock: &'a File,
    /// The folder of the control group that it is born in, if it has one of its own.
    pub group: Option<&'a OwnedFd>,
}

/// A user to become: ids looked up beforehand, because nothing may be looked up between fork and exec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// User id.
    pub uid: u32,
    /// Primary group.
    pub gid: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
}

/// Executes a bot in a session of its own, with default signal dispositions and an empty signal mask, and comes back
/// once it executes. The caller reaps it.
///
/// # Errors
/// If it cannot be executed; nothing is left behind then.
pub fn spawn(execution: &Execution<'_>) -> io::Result<i32> {
    let birth = Birth::new(execution)?;
    // Closed by the exec: nothing comes through it then.
    let (verdict, says) = pipe_with(PipeFlags::CLOEXEC)?;
    let pid = fork_into(execution.group)?;
    if pid == 0 {
        let errno = birth.execute().raw_os_error().unwrap_or(libc::EINVAL).to_ne_bytes();
        // SAFETY: a write from a buffer that outlives it, and the end of a process whose exit handlers are its parent's.
        unsafe {
            libc::write(says.as_raw_fd(), errno.as_ptr().cast(), errno.len());
            libc::_exit(127);
        }
    }
    drop(says);
    let mut errno = [0; 4];
    match io::Read::read_exact(&mut File::from(verdict), &mut errno) {
        // It executes.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(pid),
        result => {
            let child = rustix::process::Pid::from_raw(pid);
            while let Err(rustix::io::Errno::INTR) =
                rustix::process::waitpid(child, rustix::process::WaitOptions::empty())
            {}
            result.and(Err(io::Error::from_raw_os_error(i32::from_ne_bytes(errno))))
        }
    }
}

/// Everything that a bot needs between fork and exec, made before the fork: nothing can be allocated there.
struct Birth {
    image: Image,
    folder: CString,
    /// What becomes its stdin, stdout and stderr.
    streams: [OwnedFd; 3],
    lock: i32,
    identity: Option<Becoming>,
}

struct Becoming {
    user: rustix::process::Uid,
    group: rustix::process::Gid,
    groups: Vec<rustix::process::Gid>,
}

impl Birth {
    fn new(execution: &Execution<'_>) -> io::Result<Self> {
        let output = execution.output.as_fd();
        Ok(Self {
            image: Image::new(execution)?,
            folder: CString::new(execution.cwd.as_os_str().as_bytes())?,
            streams: [File::open("/dev/null")?.into(), output.try_clone_to_owned()?, output.try_clone_to_owned()?],
            lock: execution.lock.as_raw_fd(),
            identity: execution.identity.as_ref().map(|identity| Becoming {
                user: rustix::process::Uid::from_raw(identity.uid),
                group: rustix::process::Gid::from_raw(identity.gid),
                groups: identity.groups.iter().copied().map(rustix::process::Gid::from_raw).collect(),
            }),
        })
    }

    /// In the child: becomes the bot, and comes back only with what stands in the way.
    fn execute(&self) -> io::Error {
        match self.prepare() {
            Ok(()) => self.image.execute(),
            Err(error) => error,
        }
    }

    fn prepare(&self) -> io::Result<()> {
        for (number, stream) in self.streams.iter().enumerate() {
            // SAFETY: dup2 onto the three standard numbers, which nothing here owns. The originals are above them: a
            // keeper's own standard streams are open.
            check(unsafe { libc::dup2(stream.as_raw_fd(), number as i32) })?;
        }
        // SAFETY: between fork and exec only async-signal-safe calls are made (signal-safety(7): dup2, chdir, setsid,
        // signal, sigprocmask, fcntl, execve), and nothing is allocated.
        unsafe {
            check(libc::chdir(self.folder.as_ptr()))?;
            check(libc::setsid())?;
            for signal in 1..=64 {
                // Fails for SIGKILL, SIGSTOP and the two that the C library keeps; none of them can be ignored.
                libc::signal(signal, libc::SIG_DFL);
            }
            let mut none: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&raw mut none);
            check(libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut()))?;
        }
        inherit(self.lock)?;
        if let Some(Becoming { user, group, groups }) = &self.identity {
            // The system calls themselves: the C library's would tell every thread that its parent has.
            set_thread_groups(groups)?;
            set_thread_res_gid(*group, *group, *group)?;
            set_thread_res_uid(*user, *user, *user)?;
        }
        Ok(())
    }
}

/// `struct clone_args` of linux/sched.h up to the control group (clone(2)).
#[repr(C)]
#[derive(Default)]
struct CloneArgs {
    flags: u64,
    unused: [u64; 3],
    exit_signal: u64,
    unused_too: [u64; 5],
    cgroup: u64,
}

const CLONE_INTO_CGROUP: u64 = 1 << 33;

/// fork(2) into a control group, 0 in the child: where there is none, or it will not have the child, into our own.
///
/// A child that is born there (Linux 5.7) costs nothing more. One that writes itself into `cgroup.procs` waits 15 ms
/// for the kernel, and all who fork or end meanwhile wait with it.
fn fork_into(group: Option<&OwnedFd>) -> io::Result<i32> {
    if let Some(group) = group {
        let args = CloneArgs {
            flags: CLONE_INTO_CGROUP,
            exit_signal: libc::SIGCHLD as u64,
            cgroup: group.as_raw_fd() as u64,
            ..CloneArgs::default()
        };
        // SAFETY: without a stack and CLONE_VM it is a fork: the child is a copy, and makes only async-signal-safe calls
        // until it executes or ends. The C library does not know of it, so nothing that looks for threads is called.
        let pid = unsafe { libc::syscall(libc::SYS_clone3, &raw const args, size_of::<CloneArgs>()) };
        if pid >= 0 {
            return Ok(pid as i32);
        }
    }
    // SAFETY: as above.
    let pid = unsafe { libc::fork() };
    check(pid).map(|()| pid)
}

/// What execve(2) needs, made before the fork. The library's own way to search PATH hands a file that is no program to a
/// shell; a bot is never run by a shell that nobody named.
struct Image {
    candidates: Vec<CString>,
    /// The strings that the pointers point into.
    _strings: Vec<CString>,
    arguments: Pointers,
    environment: Pointers,
}

/// A list of strings as C has it, ended by a null pointer.
struct Pointers(Vec<*const libc::c_char>);

// SAFETY: they point into strings that the same `Image` owns and nobody changes.
unsafe impl Send for Pointers {}
// SAFETY: as above.
unsafe impl Sync for Pointers {}

impl Image {
    fn new(execution: &Execution<'_>) -> io::Result<Self> {
        let program = execution.command.first().filter(|program| !program.is_empty()).ok_or(io::ErrorKind::NotFound)?;
        let mut environment: BTreeMap<OsString, OsString> = std::env::vars_os().collect();
        environment.retain(|name, _| !execution.env_remove.iter().any(|removed| name == removed));
        environment.extend(execution.env.iter().cloned());
        let path =
            environment.get(OsStr::new("PATH")).cloned().unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
        let candidates = if program.contains('/') {
            vec![CString::new(program.as_str())?]
        } else {
            std::env::split_paths(&path)
                .map(|folder| CString::new(folder.join(program).into_os_string().into_vec()))
                .collect::<Result<_, _>>()?
        };
        let mut strings = Vec::new();
        for argument in execution.command {
            strings.push(CString::new(argument.as_str())?);
        }
        for (name, value) in environment {
            let mut entry = name.into_vec();
            entry.push(b'=');
            entry.extend(value.into_vec());
            strings.push(CString::new(entry)?);
        }
        let (arguments, environment) = strings.split_at(execution.command.len());
        let pointers =
            |list: &[CString]| Pointers(list.iter().map(|string| string.as_ptr()).chain([std::ptr::null()]).collect());
        Ok(Self { candidates, arguments: pointers(arguments), environment: pointers(environment), _strings: strings })
    }

    /// Becomes the program; comes back only if that is not possible. Allocates nothing.
    fn execute(&self) -> io::Error {
        let mut worst = libc::ENOENT;
        for candidate in &self.candidates {
            // SAFETY: all three are null-terminated lists of strings that outlive the call.
            unsafe { libc::execve(candidate.as_ptr(), self.arguments.0.as_ptr(), self.environment.0.as_ptr()) };
            match io::Error::last_os_error().raw_os_error() {
                Some(libc::ENOENT | libc::ENOTDIR) => {}
                // One that may not be executed does not hide a later one that may, as in execvp(3); and a folder that
                // may not be searched says nothing of what is in it.
                Some(libc::EACCES) if self.candidates.len() == 1 || is_there(candidate) => worst = libc::EACCES,
                Some(libc::EACCES) => {}
                Some(errno) => return io::Error::from_raw_os_error(errno),
                None => {}
            }
        }
        io::Error::from_raw_os_error(worst)
    }
}

/// Leaves the caller's process group, terminal and parent: goes on in a child that leads a session of its own, while
/// the process that was started ends with 0.
///
/// # Errors
/// If there can be no child; the caller goes on as it was.
pub fn detach() -> io::Result<()> {
    // SAFETY: called before the first thread exists, so the child is a whole copy; the parent leaves at once, without
    // running anybody's exit handlers twice.
    unsafe {
        match libc::fork() {
            -1 => return Err(io::Error::last_os_error()),
            0 => {}
            _ => libc::_exit(0),
        }
        check(libc::setsid())?;
    }
    Ok(())
}

/// Leaves the caller's process group, session and terminal, without a process in between. Whoever started us may go at
/// any time, and reaps us if it stays.
///
/// # Errors
/// If we lead a process group already.
pub fn lead_session() -> io::Result<()> {
    // SAFETY: a system call without arguments.
    check(unsafe { libc::setsid() }).map(|_| ())
}

/// Closes every descriptor but stdin, stdout and stderr. Whoever started us may have left others open to us by accident; a
/// bot that held on to one end of such a pipe would keep its other end waiting for as long as the bot lives.
pub fn close_inherited() {
    // SAFETY: called before this process has opened anything of its own, so no descriptor has an owner here.
    unsafe {
        if libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0) == 0 {
            return;
        }
    }
    // Before Linux 5.9: one by one. The list is read first: reading it has a descriptor of its own.
    let Ok(entries) = std::fs::read_dir("/proc/self/fd") else { return };
    let open: Vec<i32> =
        entries.flatten().filter_map(|entry| entry.file_name().to_str().and_then(|name| name.parse().ok())).collect();
    for descriptor in open.into_iter().filter(|descriptor| *descriptor > 2) {
        // SAFETY: as above; one that is closed already is an error without consequence.
        unsafe {
            libc::close(descriptor);
        }
    }
}

/// Points stdin, stdout and stderr at `/dev/null`.
///
/// # Errors
/// If it cannot be opened.
pub fn close_standard_streams() -> io::Result<()> {
    let null = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null")?;
    for stream in 0..=2 {
        // SAFETY: dup2 onto the three standard numbers, which nothing here owns.
        unsafe { check(libc::dup2(null.as_raw_fd(), stream))? };
    }
    Ok(())
}

/// Makes every thread use one heap: a keeper's short-lived threads would otherwise each dirty pages of their own.
pub fn use_one_heap() {
    #[cfg(target_env = "gnu")]
    // SAFETY: sets an option of the allocator before any thread exists (mallopt(3)).
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
    }
}

/// Sends a signal to the process behind a pidfd, real-time signals included (`pidfd_send_signal(2)`, Linux 5.1).
///
/// # Errors
/// `ESRCH` if it is gone, `EPERM` if it may not be signalled.
pub fn signal(process: BorrowedFd<'_>, signal: Signal) -> io::Result<()> {
    // SAFETY: a system call on a descriptor that outlives it; the null siginfo makes it behave as kill(2).
    let result = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            process.as_raw_fd(),
            signal.number(),
            std::ptr::null::<libc::siginfo_t>(),
            0,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// `struct pidfd_info` of linux/pidfd.h in its first version (64 bytes).
#[repr(C)]
#[derive(Default)]
struct PidfdInfo {
    mask: u64,
    cgroup: u64,
    ids: [u32; 11],
    exit_code: i32,
}

const PIDFD_GET_INFO: libc::c_ulong = 0xC040_FF0B;
const PIDFD_INFO_EXIT: u64 = 1 << 3;

/// How the process behind a pidfd ended, for those who are not its parent (`PIDFD_GET_INFO` with exit information,
/// Linux 6.15). Only after somebody has reaped it, and [`Exit::Unknown`] on kernels that do not tell.
pub fn exit_of(process: BorrowedFd<'_>) -> Exit {
    let mut info = PidfdInfo { mask: PIDFD_INFO_EXIT, ..PidfdInfo::default() };
    // SAFETY: the kernel writes at most the 64 bytes whose size the request number carries.
    let result = unsafe { libc::ioctl(process.as_fd().as_raw_fd(), PIDFD_GET_INFO, &raw mut info) };
    if result != 0 || info.mask & PIDFD_INFO_EXIT == 0 {
        return Exit::Unknown;
    }
    exit_from_status(info.exit_code)
}

/// What a wait status (wait(2)) says.
pub fn exit_from_status(status: i32) -> Exit {
    if libc::WIFSIGNALED(status) {
        Exit::Signal(Signal::from_number(libc::WTERMSIG(status)))
    } else {
        Exit::Code(libc::WEXITSTATUS(status))
    }
}

/// Every group of a user.
///
/// # Errors
/// If the user database cannot be asked.
pub fn groups_of(user: &str, gid: u32) -> io::Result<Vec<u32>> {
    let name = CString::new(user)?;
    let groups = nix::unistd::getgrouplist(&name, nix::unistd::Gid::from_raw(gid))?;
    Ok(groups.into_iter().map(nix::unistd::Gid::as_raw).collect())
}

/// Whether a file can be seen. Allocates nothing.
fn is_there(file: &CStr) -> bool {
    // SAFETY: a string that outlives the call.
    unsafe { libc::access(file.as_ptr(), libc::F_OK) == 0 }
}

/// Makes a copy of a descriptor that outlives the exec. Allocates nothing.
fn inherit(descriptor: i32) -> io::Result<()> {
    let mut result = Ok(());
    for from in LOCK_FD_FROM {
        // SAFETY: a new descriptor, which nobody owns but the program to come.
        result = check(unsafe { libc::fcntl(descriptor, libc::F_DUPFD, from) });
        if result.is_ok() {
            break;
        }
    }
    result
}

fn check(result: i32) -> io::Result<()> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
