//! A client's side of `control.sock`.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use crate::clock;
use crate::core::protocol::{Answer, Hello, PROTOCOL, Request, Snapshot};
use crate::core::state::State;
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
    /// What was asked by a [`Call`] was accepted, and nobody has asked whether it was.
    accepted: bool,
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
        let hello = ours(line(&mut stream, PATIENCE)?)?;
        Ok(Self { stream, early: VecDeque::new(), accepted: false, hello })
    }

    /// Asks for something and hears whether it is being done.
    ///
    /// # Errors
    /// If it is not.
    pub fn ask(&mut self, request: &Request) -> Result<(), Trouble> {
        self.send(request)?;
        self.accepted()
    }

    /// Hears whether what was asked already is being done.
    ///
    /// # Errors
    /// If it is not.
    pub fn accepted(&mut self) -> Result<(), Trouble> {
        if std::mem::take(&mut self.accepted) {
            return Ok(());
        }
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
        self.stream.get_mut().write_all(&text(request)?).map_err(|_| Trouble::Gone)
    }
}

/// A call to a keeper on which nobody waits for anything: one hand can have many. What is said is taken in as it comes.
#[derive(Debug)]
pub struct Call {
    stream: BufReader<UnixStream>,
    /// The beginning of a line.
    text: Vec<u8>,
    hello: Option<Hello>,
    told: bool,
    accepted: bool,
    gone: bool,
    early: VecDeque<Snapshot>,
}

impl Call {
    /// Calls a bot's keeper.
    ///
    /// # Errors
    /// If nobody listens.
    pub fn begin(bot: &BotHome) -> Result<Self, Trouble> {
        let stream = socket::call(bot.root(), BotHome::SOCKET)
            .and_then(|stream| stream.set_nonblocking(true).map(|()| stream))
            .map_err(|error| Trouble::Nobody(crate::paths::words(&error)))?;
        Ok(Self {
            stream: BufReader::new(stream),
            text: Vec::new(),
            hello: None,
            told: false,
            accepted: false,
            gone: false,
            early: VecDeque::new(),
        })
    }

    /// Takes in what was said by now.
    ///
    /// # Errors
    /// If it cannot be understood, or says no.
    pub fn hear(&mut self) -> Result<(), Trouble> {
        while !self.gone {
            match self.stream.read_until(b'\n', &mut self.text) {
                Ok(_) if self.text.ends_with(b"\n") => {
                    let text = std::mem::take(&mut self.text);
                    self.take_in(&text)?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Ok(_) | Err(_) => self.gone = true,
            }
        }
        Ok(())
    }

    fn take_in(&mut self, text: &[u8]) -> Result<(), Trouble> {
        if self.hello.is_none() {
            self.hello = Some(ours(parsed(text)?)?);
            return Ok(());
        }
        match parsed(text)? {
            Answer::Accepted => self.accepted = true,
            Answer::Refused(why) => return Err(Trouble::Refused(why)),
            Answer::Snapshot(snapshot) => self.early.push_back(*snapshot),
        }
        Ok(())
    }

    /// Whether the keeper has said who it is, and speaks our language.
    pub const fn is_greeted(&self) -> bool {
        self.hello.is_some()
    }

    /// Asks to be told of every change, and for this.
    ///
    /// # Errors
    /// If it did not go out as a whole.
    pub fn tell(&mut self, request: &Request) -> Result<(), Trouble> {
        let lines = [text(&Request::Watch)?, text(request)?].concat();
        match self.stream.get_mut().write(&lines) {
            Ok(count) if count == lines.len() => self.told = true,
            Ok(_) | Err(_) => return Err(Trouble::Gone),
        }
        Ok(())
    }

    /// Whether it was told.
    pub const fn is_told(&self) -> bool {
        self.told
    }

    /// Whether it is seen to have done what it was told, or has nothing more to say.
    pub fn is_done(&self) -> bool {
        self.gone || (self.accepted && self.early.back().is_some_and(is_ending))
    }

    /// The conversation as it goes on, with everything that was said; nothing where nothing was asked.
    pub fn into_client(self) -> Option<Client> {
        let hello = self.hello.filter(|_| self.told && self.text.is_empty())?;
        let stream = self.stream.get_ref();
        stream.set_nonblocking(false).and_then(|()| stream.set_write_timeout(Some(PATIENCE))).ok()?;
        Some(Client { stream: self.stream, early: self.early, accepted: self.accepted, hello })
    }
}

impl AsFd for Call {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.get_ref().as_fd()
    }
}

fn is_ending(snapshot: &Snapshot) -> bool {
    snapshot.state == State::Stopping || snapshot.state.is_at_rest()
}

fn text(request: &Request) -> Result<Vec<u8>, Trouble> {
    let mut text = serde_json::to_vec(request).map_err(|error| Trouble::Strange(error.to_string()))?;
    text.push(b'\n');
    Ok(text)
}

fn parsed<T: serde::de::DeserializeOwned>(text: &[u8]) -> Result<T, Trouble> {
    serde_json::from_slice(text).map_err(|error| Trouble::Strange(error.to_string()))
}

/// A greeting, if it is in our language.
fn ours(hello: Hello) -> Result<Hello, Trouble> {
    if hello.botwarden == PROTOCOL {
        return Ok(hello);
    }
    let Hello { version, botwarden, .. } = hello;
    Err(Trouble::Strange(format!("it is of version {version} and speaks protocol {botwarden}, we speak {PROTOCOL}")))
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
    parsed(&text)
}
