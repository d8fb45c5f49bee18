//! Where lines come from: what a bot wrote to its output, or a log file that it writes by itself.

use std::io;

use super::file::LogFile;
use super::line::run_start;
use super::read::{Position, Read, Reader};

use jiff::Timestamp;

/// One of the two.
#[derive(Debug)]
pub enum Source {
    /// Its output, as its keepers caught it.
    Output(Box<Reader>),
    /// A file of its own.
    File(Box<LogFile>),
}

impl Source {
    /// The next thing in it.
    ///
    /// # Errors
    /// If a piece of the output cannot be read, with a sentence that names it. A file's trouble is no error.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<Read> {
        match self {
            Self::Output(reader) => reader.read(buffer),
            Self::File(file) => Ok(file.read(buffer)),
        }
    }

    /// The bytes that come next, without moving on.
    ///
    /// # Errors
    /// If a piece of the output cannot be read, with a sentence that names it.
    pub fn peek(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Output(reader) => reader.peek(buffer),
            Self::File(file) => Ok(file.peek(buffer)),
        }
    }

    /// When what is read here was begun, if that is known and this is its beginning.
    pub fn began(&self) -> Option<Timestamp> {
        let Self::Output(reader) = self else { return None };
        let Position { run, offset } = reader.position();
        // In the middle of a run the first lines may belong to one that was skipped as too old.
        if *offset == 0 { run_start(run) } else { None }
    }
}
