//! The socket a bot may tell us things on: the datagrams of `sd_notify(3)`, on an abstract address, so that a bot under
//! another user can reach it. Who sent what is the kernel's word, not the sender's.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use rustix::io::IoSliceMut;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg, sockopt};

/// Longer messages are cut; systemd's own limit is the size of a pipe's page.
const LONGEST: usize = 4096;

/// A bound notify socket.
#[derive(Debug)]
pub struct Notify {
    socket: UnixDatagram,
    address: String,
}

/// One datagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The process that sent it, as the kernel says.
    pub sender: i32,
    /// Its `NAME=value` lines.
    pub fields: Vec<(String, String)>,
}

impl Notify {
    /// Listens on a fresh address, or on one that a bot was given by an earlier keeper.
    ///
    /// # Errors
    /// If the address is taken or abstract sockets do not exist here.
    pub fn bind(earlier: Option<&str>) -> io::Result<Self> {
        let address = earlier
            .map_or_else(|| format!("botwarden-{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..)), str::to_owned);
        let socket = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&address)?)?;
        socket.set_nonblocking(true)?;
        sockopt::set_socket_passcred(&socket, true)?;
        Ok(Self { socket, address })
    }

    /// The address, without the `@` that stands for its leading NUL.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// What `NOTIFY_SOCKET` is set to.
    pub fn variable(&self) -> String {
        format!("@{}", self.address)
    }

    /// The next datagram; nothing if none waits. Descriptors that come along are closed: closing the one of
    /// `BARRIER=1` is the answer that its sender waits for.
    pub fn receive(&self) -> Option<Message> {
        let mut bytes = [0_u8; LONGEST];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4), ScmCredentials(1))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let received = recvmsg(
            &self.socket,
            &mut [IoSliceMut::new(&mut bytes)],
            &mut ancillary,
            RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC,
        )
        .ok()?;
        let mut sender = 0;
        for message in ancillary.drain() {
            match message {
                RecvAncillaryMessage::ScmCredentials(credentials) => sender = credentials.pid.as_raw_pid(),
                RecvAncillaryMessage::ScmRights(descriptors) => drop(descriptors.collect::<Vec<_>>()),
                _ => {}
            }
        }
        let text = String::from_utf8_lossy(&bytes[..received.bytes]).into_owned();
        let fields = text
            .lines()
            .filter_map(|line| line.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Some(Message { sender, fields })
    }

    /// The descriptor, readable when a datagram waits.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_process_says_arrives_with_its_real_number() {
        let notify = Notify::bind(None).expect("abstract sockets");
        let sender = UnixDatagram::unbound().expect("a socket");
        let address = SocketAddr::from_abstract_name(notify.address()).expect("an address");
        sender.send_to_addr(b"READY=1\nSTATUS=all = well\nnonsense", &address).expect("sent");
        let message = notify.receive().expect("it arrived");
        assert_eq!(message.sender, std::process::id() as i32);
        assert_eq!(message.fields, [("READY".into(), "1".into()), ("STATUS".into(), "all = well".into())]);
        assert_eq!(notify.receive(), None);
    }

    #[test]
    fn a_later_keeper_can_listen_where_an_earlier_one_did() {
        let address = Notify::bind(None).expect("abstract sockets").address().to_owned();
        let again = Notify::bind(Some(&address)).expect("it is free again");
        assert_eq!(again.address(), address);
        assert!(Notify::bind(Some(&address)).is_err());
    }
}
