//! A client's side of `control.sock`.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use crate::clock;
use crate::core::protocol::{Answer, Hello, PROTOCOL, Request, Snapshot};
use crate::paths::BotHome;
use crate::socket;

/// A keeper that has not answered for this long counts as silent.
pub const PATIENCE: Duration = Duration::from_secs(1);

/// A conversation with a keeper.
#[derive(Debug)]
pub struct Client {
    stream: BufReader<UnixStream>,
    /// Snapshots that came while an answer was waited for.
    early: VecDeque<Snapshot>,
    /// What the keeper said first.
    pub hello: Hello,
}

/// Why a keeper could not be talked to; a phrase for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Nobody listens.
    Nobody(String),
    /// It did not answer in time.
    Silent,
    /// Its words are of another version, or none at all.
    Strange(String),
    /// It refused, and says why.
    Refused(String),
    /// It hung up.
    Gone,
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Nobody(why) => write!(f, "its keeper cannot be reached: {why}"),
            Self::Silent => f.write_str("its keeper does not answer"),
            Self::Strange(what) => write!(f, "its keeper cannot be understood: {what}"),
            Self::Refused(why) => write!(f, "its keeper refuses: {why}"),
            Self::Gone => f.write_str("its keeper hung up"),
        }
    }
}

impl Client {
    /// Calls a bot's keeper and hears its greeting.
    ///
    /// # Errors
    /// If nobody listens, answers in time, or speaks our language.
    pub fn call(bot: &BotHome) -> Result<Self, Trouble> {
        let stream =
            socket::call(bot.root(), BotHome::SOCKET).map_err(|error| Trouble::Nobody(crate::paths::words(&error)))?;
        let _ = stream.set_write_timeout(Some(PATIENCE));
        let mut stream = BufReader::new(stream);
        let hello: Hello = line(&mut stream, PATIENCE)?;
        if hello.botwarden != PROTOCOL {
            return Err(Trouble::Strange(format!(
                "it is of version {} and speaks protocol {}, we speak {PROTOCOL}",
                hello.version, hello.botwarden
            )));
        }
        Ok(Self { stream, early: VecDeque::new(), hello })
    }

    /// Asks for something and hears whether it is being done.
    ///
    /// # Errors
    /// If it is not.
    pub fn ask(&mut self, request: &Request) -> Result<(), Trouble> {
        self.send(request)?;
        loop {
            match line(&mut self.stream, PATIENCE)? {
                Answer::Accepted => return Ok(()),
                Answer::Refused(why) => return Err(Trouble::Refused(why)),
                Answer::Snapshot(snapshot) => self.early.push_back(*snapshot),
            }
        }
    }

    /// Asks how the bot is.
    ///
    /// # Errors
    /// If there is no answer in time.
    pub fn look(&mut self) -> Result<Snapshot, Trouble> {
        self.send(&Request::Look)?;
        self.next(PATIENCE)?.ok_or(Trouble::Silent)
    }

    /// Forgets what was said before the last answer.
    pub fn forget(&mut self) {
        self.early.clear();
    }

    /// From now on every change is told; [`Client::next`] hears it.
    ///
    /// # Errors
    /// If the keeper hung up.
    pub fn watch(&mut self) -> Result<(), Trouble> {
        self.send(&Request::Watch)
    }

    /// The next snapshot of a watched keeper; nothing if none comes within `time`.
    ///
    /// # Errors
    /// If the keeper hung up or said something else.
    pub fn next(&mut self, time: Duration) -> Result<Option<Snapshot>, Trouble> {
        if let Some(early) = self.early.pop_front() {
            return Ok(Some(early));
        }
        match line(&mut self.stream, time) {
            Ok(Answer::Snapshot(snapshot)) => Ok(Some(*snapshot)),
            Ok(Answer::Refused(why)) => Err(Trouble::Refused(why)),
            Ok(Answer::Accepted) | Err(Trouble::Silent) => Ok(None),
            Err(trouble) => Err(trouble),
        }
    }

    fn send(&mut self, request: &Request) -> Result<(), Trouble> {
        let mut text = serde_json::to_vec(request).map_err(|error| Trouble::Strange(error.to_string()))?;
        text.push(b'\n');
        self.stream.get_mut().write_all(&text).map_err(|_| Trouble::Gone)
    }
}

/// Asks a bot's keeper how it is.
///
/// # Errors
/// If it does not say.
pub fn voice(bot: &BotHome) -> Result<(Snapshot, Hello), Trouble> {
    let mut client = Client::call(bot)?;
    Ok((client.look()?, client.hello))
}

fn line<T: serde::de::DeserializeOwned>(stream: &mut BufReader<UnixStream>, time: Duration) -> Result<T, Trouble> {
    let deadline = clock::now().plus(time);
    let mut text = Vec::new();
    loop {
        let left = deadline.since(clock::now()).max(Duration::from_millis(1));
        let _ = stream.get_ref().set_read_timeout(Some(left));
        match stream.read_until(b'\n', &mut text) {
            Ok(0) => return Err(Trouble::Gone),
            Ok(_) if text.ends_with(b"\n") => break,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                // Half a line stays unread by nobody: a keeper writes its lines whole.
                return Err(Trouble::Silent);
            }
            Err(_) => return Err(Trouble::Gone),
        }
        if clock::now() >= deadline {
            return Err(Trouble::Silent);
        }
    }
    serde_json::from_slice(&text).map_err(|error| Trouble::Strange(error.to_string()))
}
