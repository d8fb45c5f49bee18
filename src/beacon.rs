//! The beacon of a desk's emergency stop: an abstract socket that whoever carries it out holds and tells every watcher
//! over. There is one of a desk, it goes with its holder however that dies, and it needs neither room on a disk nor a home
//! that can be written: where a lock file and a progress file could not be made, it works all the same (unix(7), "abstract").
//!
//! An abstract address has no owner: whoever speaks on the other side is told apart by the kernel's word
//! (`SO_PEERCRED`). Another user may hold the address before us; then nothing is told to watchers, and nothing else changes.

use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::net::sockopt::socket_peercred;
use rustix::net::{
    AddressFamily, Shutdown, SocketAddrUnix, SocketFlags, SocketType, bind, connect, listen, shutdown, socket_with,
};

use crate::clock;
use crate::paths::Home;

/// Whoever has not said anything for this long does not answer.
const PATIENCE: Duration = Duration::from_secs(1);
/// So long the last words may take to reach whoever watches.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// Whoever is so many bytes behind listens no more.
const BEHIND: usize = 32 << 20;

/// The address is held, and nobody is told anything: no emergency stop can be under way.
#[derive(Debug)]
pub struct Held(OwnedFd);

/// The address is held, and watchers are told.
#[derive(Clone, Debug)]
pub struct Beacon(Arc<Mutex<Shared>>);

#[derive(Debug, Default)]
struct Shared {
    /// What a watcher that comes late is told first: the last line of each key, the oldest key first.
    history: Vec<(String, Vec<u8>)>,
    watchers: Vec<Watcher>,
    listens: Option<Listens>,
}

/// Whoever waits for callers.
#[derive(Debug)]
struct Listens {
    socket: OwnedFd,
    thread: JoinHandle<()>,
}

#[derive(Debug)]
struct Watcher {
    lines: Sender<Vec<u8>>,
    unsent: Arc<AtomicUsize>,
}

/// The address of a desk: that of its folder, whatever its path is called.
fn address(home: &Home) -> io::Result<SocketAddrUnix> {
    Ok(SocketAddrUnix::new_abstract_name(name(home)?.as_bytes())?)
}

fn name(home: &Home) -> io::Result<String> {
    let about = std::fs::metadata(home.root())?;
    Ok(format!("botwarden-estop-{:x}-{:x}", about.dev(), about.ino()))
}

/// Whether somebody has the address, as the kernel's list of sockets tells (`/proc/net/unix`): nobody is in the way of
/// whoever takes it meanwhile, as [`hold`] would be.
///
/// # Errors
/// If the home is not there, or the list cannot be read.
pub fn is_held(home: &Home) -> io::Result<bool> {
    Ok(lists(&std::fs::read(SOCKETS)?, &name(home)?))
}

/// Where the kernel lists the sockets of this machine (proc(5)): the last field of a line is the address, which begins with
/// `@` where it is an abstract one.
const SOCKETS: &str = "/proc/net/unix";

fn lists(sockets: &[u8], name: &str) -> bool {
    sockets.split(|byte| *byte == b'\n').any(|line| {
        let address = line.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
        address.strip_prefix(b"@").is_some_and(|address| address == name.as_bytes())
    })
}

fn socket() -> io::Result<OwnedFd> {
    Ok(socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?)
}

/// Connects without ever waiting: somebody who accepts nobody has a queue that is full one day, and connecting to that
/// waits for ever (connect(2), `EAGAIN` for sockets that do not).
fn connect_at_once(home: &Home) -> io::Result<UnixStream> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    connect(&socket, &address(home)?)?;
    let stream = UnixStream::from(socket);
    stream.set_nonblocking(false)?;
    Ok(stream)
}

/// Takes the address without listening on it: whoever calls finds nobody.
///
/// # Errors
/// `AddrInUse` if somebody has it; others where there is none.
pub fn hold(home: &Home) -> io::Result<Held> {
    let socket = socket()?;
    bind(&socket, &address(home)?)?;
    Ok(Held(socket))
}

/// Takes the address, and tells whoever calls; this line first.
///
/// # Errors
/// `AddrInUse` if somebody has it; others where there is none.
pub fn light(home: &Home, key: &str, line: &[u8]) -> io::Result<Beacon> {
    let Held(socket) = hold(home)?;
    let beacon = Beacon(Arc::default());
    beacon.say(key, line);
    listen(&socket, 64)?;
    let (listener, shared, owner) = (UnixListener::from(socket.try_clone()?), beacon.clone(), owner(home));
    let thread = std::thread::Builder::new().spawn(move || {
        for stream in listener.incoming() {
            match stream {
                Ok(stream) if may_speak(&stream, owner).is_some() => shared.welcome(stream),
                Ok(_) => {}
                // Nobody can call any more.
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => break,
                // No room for another descriptor, for now.
                Err(_) => std::thread::sleep(Duration::from_millis(10)),
            }
        }
    })?;
    beacon.lock().listens = Some(Listens { socket, thread });
    Ok(beacon)
}

/// What came of a call.
#[derive(Debug)]
pub enum Call {
    /// Somebody carries out an emergency stop; this is what is said, from the beginning, JSON lines until its end.
    Answered(BufReader<UnixStream>),
    /// Somebody has the address, and says nothing; the process of this number, where that could be found out.
    Silent(Option<i32>),
    /// Nobody does; or only somebody whom we do not trust.
    Nobody,
}

/// Calls whoever carries out an emergency stop of this desk.
pub fn call(home: &Home) -> Call {
    let stream = match connect_at_once(home) {
        Ok(stream) => stream,
        // Whoever has it accepts nobody.
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Call::Silent(None),
        Err(_) => return Call::Nobody,
    };
    let Some(pid) = may_speak(&stream, owner(home)) else { return Call::Nobody };
    let _ = stream.set_read_timeout(Some(PATIENCE));
    let mut stream = BufReader::new(stream);
    let answer = stream.fill_buf().map(<[u8]>::len);
    let _ = stream.get_ref().set_read_timeout(None);
    match answer {
        Ok(0) => Call::Nobody,
        Ok(_) => Call::Answered(stream),
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
            Call::Silent(Some(pid))
        }
        Err(_) => Call::Nobody,
    }
}

/// The first line that was said.
pub fn first_line(mut said: BufReader<UnixStream>) -> Option<String> {
    let _ = said.get_ref().set_read_timeout(Some(PATIENCE));
    let mut line = String::new();
    said.read_line(&mut line).ok().filter(|read| *read > 0).map(|_| line)
}

/// The process that has the address, and listens.
pub fn holder(home: &Home) -> Option<i32> {
    may_speak(&connect_at_once(home).ok()?, owner(home))
}

fn owner(home: &Home) -> Option<u32> {
    std::fs::metadata(home.root()).ok().map(|about| about.uid())
}

/// The process on the other side, if it is ours, root's, or that of the desk's owner.
fn may_speak(stream: &UnixStream, owner: Option<u32>) -> Option<i32> {
    let peer = socket_peercred(stream.as_fd()).ok()?;
    let uid = peer.uid.as_raw();
    let ours = uid == 0 || uid == rustix::process::geteuid().as_raw() || Some(uid) == owner;
    ours.then(|| peer.pid.as_raw_pid())
}

impl Beacon {
    /// Tells every watcher this line. Whoever comes late is told the last line of each key.
    pub fn say(&self, key: &str, line: &[u8]) {
        let mut shared = self.lock();
        shared.history.retain(|(known, _)| known != key);
        shared.history.push((key.to_owned(), line.to_vec()));
        shared.watchers.retain(|watcher| watcher.tell(line));
    }

    /// Nobody is told of this key any more.
    pub fn forget(&self, key: &str) {
        self.lock().history.retain(|(known, _)| known != key);
    }

    /// Waits a moment until everybody has heard everything, and lets go of the address: where this process lives on, nobody
    /// is to believe that anything is under way.
    pub fn end(self) {
        let until = clock::now().plus(LAST_WORDS);
        while clock::now() < until && self.lock().watchers.iter().any(Watcher::is_behind) {
            std::thread::sleep(Duration::from_millis(2));
        }
        let listens = self.lock().listens.take();
        if let Some(Listens { socket, thread }) = listens {
            // It wakes up, and finds that it cannot listen any more (unix(7): accept fails with EINVAL then).
            if shutdown(&socket, Shutdown::Both).is_ok() {
                let _ = thread.join();
            }
        }
        self.lock().watchers.clear();
    }

    fn welcome(&self, mut stream: UnixStream) {
        let (lines, told) = channel::<Vec<u8>>();
        let unsent = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&unsent);
        let speaks = std::thread::Builder::new().spawn(move || {
            for line in told {
                let sent = stream.write_all(&line);
                counted.fetch_sub(line.len(), Ordering::Relaxed);
                if sent.is_err() {
                    break;
                }
            }
        });
        if speaks.is_err() {
            return;
        }
        let watcher = Watcher { lines, unsent };
        let mut shared = self.lock();
        if shared.history.iter().all(|(_, line)| watcher.tell(line)) {
            shared.watchers.push(watcher);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watcher {
    /// Whether it listens still.
    fn tell(&self, line: &[u8]) -> bool {
        if self.unsent.fetch_add(line.len(), Ordering::Relaxed) > BEHIND {
            return false;
        }
        self.lines.send(line.to_vec()).is_ok()
    }

    fn is_behind(&self) -> bool {
        self.unsent.load(Ordering::Relaxed) > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_list_tells_who_has_an_address() {
        let list = b"Num       RefCount Protocol Flags    Type St Inode Path\n\
            0000000000000000: 00000002 00000000 00010000 0001 01 12345 @botwarden-estop-1-2\n\
            0000000000000000: 00000003 00000000 00000000 0001 03 12346\n\
            0000000000000000: 00000002 00000000 00010000 0001 01 12347 /run/botwarden-estop-1-3\n";
        assert!(lists(list, "botwarden-estop-1-2"));
        assert!(!lists(list, "botwarden-estop-1") && !lists(list, "botwarden-estop-1-3") && !lists(b"", "x"));
    }

    #[test]
    fn an_address_that_is_held_is_seen_to_be_until_it_is_let_go() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::at(folder.path().to_owned());
        assert!(!is_held(&home).expect("a list"));
        let held = hold(&home).expect("nobody has it");
        assert!(is_held(&home).expect("a list"));
        assert!(hold(&home).is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse));
        assert!(matches!(call(&home), Call::Nobody));
        drop(held);
        assert!(!is_held(&home).expect("a list"));
    }

    #[test]
    fn one_that_has_ended_is_heard_of_no_more_by_whoever_lives_on() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::at(folder.path().to_owned());
        let beacon = light(&home, "a", b"first\n").expect("nobody has it");
        beacon.say("b", b"second\n");
        let Call::Answered(mut words) = call(&home) else { panic!("nobody answers") };
        let mut heard = String::new();
        words.read_line(&mut heard).expect("a word");
        words.read_line(&mut heard).expect("a word");
        assert_eq!(heard, "first\nsecond\n");
        beacon.end();
        assert_eq!(words.read_line(&mut heard).expect("its end"), 0);
        drop(words);
        assert!(matches!(call(&home), Call::Nobody));
        assert!(light(&home, "a", b"again\n").is_ok());
    }
}
