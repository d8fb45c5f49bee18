//! Unix sockets in a home whose path may be longer than the 107 bytes of an address (unix(7)): the folder is opened
//! first, and the address goes through its descriptor.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};

/// Listens in this folder. What is left of an earlier socket is removed; the caller holds the folder's lock.
///
/// # Errors
/// If no socket can be made there.
pub fn listen(folder: &Path, name: &str) -> io::Result<UnixListener> {
    let folder = File::open(folder)?;
    let path = through(&folder, name);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Connects to a socket in this folder, without ever waiting: a listener whose queue is full is an error.
///
/// # Errors
/// If nobody listens there, or nobody takes the call.
pub fn call(folder: &Path, name: &str) -> io::Result<UnixStream> {
    let folder = File::open(folder)?;
    let address = SocketAddrUnix::new(through(&folder, name))?;
    let socket =
        socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)?;
    connect(&socket, &address)?;
    let stream = UnixStream::from(socket);
    stream.set_nonblocking(false)?;
    Ok(stream)
}

fn through(folder: &File, name: &str) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}/{name}", folder.as_raw_fd()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_no_address_could_hold_works_all_the_same() {
        let folder = tempfile::tempdir().expect("a folder");
        let deep = folder.path().join("d".repeat(100)).join("e".repeat(100));
        std::fs::create_dir_all(&deep).expect("room");
        assert!(call(&deep, "s.sock").is_err());
        let listener = listen(&deep, "s.sock").expect("a listener");
        let _stream = call(&deep, "s.sock").expect("a call");
        listener.accept().expect("it arrived");
        drop(listener);
        listen(&deep, "s.sock").expect("what is left of an earlier one is no obstacle");
    }
}
