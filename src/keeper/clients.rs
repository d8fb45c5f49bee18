//! The keeper's side of its control socket: any number of clients, none of which it ever waits for.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::{UnixListener, UnixStream};

use rustix::net::sockopt::socket_peercred;

use crate::core::protocol::{Answer, Hello, Request, Snapshot};

/// Where there are more clients than this, the one that has been there longest is hung up on: it will call again.
const MOST: usize = 256;
/// A client that sends a longer line, or leaves this much unread, is hung up on.
const LONGEST: usize = 1 << 20;

/// The listening socket and everybody who has called.
pub(super) struct Clients {
    listener: UnixListener,
    hello: Vec<u8>,
    connections: Vec<Connection>,
}

struct Connection {
    stream: UnixStream,
    input: Vec<u8>,
    output: Vec<u8>,
    watches: bool,
    gone: bool,
}

impl Clients {
    /// Nobody has called yet.
    pub(super) fn new(listener: UnixListener, hello: &Hello) -> Self {
        Self { listener, hello: line(hello), connections: Vec::new() }
    }

    /// Everything to wait for: the listener first, then a descriptor a client, and whether it has unsent output.
    pub(super) fn fds(&self) -> impl Iterator<Item = (BorrowedFd<'_>, bool)> {
        std::iter::once((self.listener.as_fd(), false))
            .chain(self.connections.iter().map(|connection| (connection.stream.as_fd(), !connection.output.is_empty())))
    }

    /// Takes every call that waits.
    pub(super) fn accept(&mut self) {
        while let Ok((stream, _)) = self.listener.accept() {
            let allowed =
                socket_peercred(&stream).is_ok_and(|peer| peer.uid.is_root() || peer.uid == rustix::process::geteuid());
            if !allowed || stream.set_nonblocking(true).is_err() {
                continue;
            }
            if self.connections.len() >= MOST {
                self.connections.remove(0);
            }
            let mut connection =
                Connection { stream, input: Vec::new(), output: self.hello.clone(), watches: false, gone: false };
            connection.flush();
            self.connections.push(connection);
        }
    }

    /// Reads what clients have sent; the requests come with the number of the client that made them.
    pub(super) fn requests(&mut self) -> Vec<(usize, Result<Request, String>)> {
        let mut requests = Vec::new();
        for (number, connection) in self.connections.iter_mut().enumerate() {
            connection.read();
            while let Some(end) = connection.input.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = connection.input.drain(..=end).collect();
                requests.push((number, serde_json::from_slice(&line).map_err(|error| error.to_string())));
            }
        }
        requests
    }

    /// Answers one client.
    pub(super) fn answer(&mut self, number: usize, answer: &Answer) {
        if let Some(connection) = self.connections.get_mut(number) {
            connection.send(&line(answer));
        }
    }

    /// From now on this client gets every snapshot.
    pub(super) fn watch(&mut self, number: usize) {
        if let Some(connection) = self.connections.get_mut(number) {
            connection.watches = true;
        }
    }

    /// Whether anybody watches.
    pub(super) fn watched(&self) -> bool {
        self.connections.iter().any(|connection| connection.watches)
    }

    /// Sends a snapshot to all who watch.
    pub(super) fn tell(&mut self, snapshot: Snapshot) {
        let text = line(&Answer::Snapshot(Box::new(snapshot)));
        for connection in self.connections.iter_mut().filter(|connection| connection.watches) {
            connection.send(&text);
        }
    }

    /// Sends what could not be sent before, and hangs up on who is gone.
    pub(super) fn tidy(&mut self) {
        for connection in &mut self.connections {
            connection.flush();
        }
        self.connections.retain(|connection| !connection.gone);
    }
}

impl Connection {
    fn read(&mut self) {
        let mut block = [0_u8; 4096];
        loop {
            match self.stream.read(&mut block) {
                Ok(0) => {
                    self.gone = true;
                    return;
                }
                Ok(count) => self.input.extend_from_slice(&block[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.gone |= error.kind() != io::ErrorKind::WouldBlock;
                    return;
                }
            }
            if self.input.len() > LONGEST {
                self.gone = true;
                return;
            }
        }
    }

    fn send(&mut self, text: &[u8]) {
        self.output.extend_from_slice(text);
        self.gone |= self.output.len() > LONGEST;
        self.flush();
    }

    fn flush(&mut self) {
        while !self.output.is_empty() && !self.gone {
            match self.stream.write(&self.output) {
                Ok(count) => drop(self.output.drain(..count)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.gone |= error.kind() != io::ErrorKind::WouldBlock;
                    return;
                }
            }
        }
        if self.output.is_empty() {
            self.output = Vec::new();
        }
    }
}

fn line<T: serde::Serialize>(value: &T) -> Vec<u8> {
    // Our own types always serialize; an empty line would be read as nonsense, which is what it would be.
    let mut text = serde_json::to_vec(value).unwrap_or_default();
    text.push(b'\n');
    text
}
