//! A command line, read for what it executes.

use super::interpreter::{Executes, Interpreter};
use super::wrapper::unwrapped;

/// What a command line executes, wrappers such as `env` and `timeout` left aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// The program, as written.
    pub(super) program: &'a str,
    /// What the program executes, if it is an interpreter.
    pub(super) script: Option<Interpreted<'a>>,
    /// The words after the script, else after the program.
    pub(super) rest: Vec<&'a str>,
}

/// A script, and who executes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Interpreted<'a> {
    pub(super) by: &'static Interpreter,
    pub(super) what: Executes<'a>,
}

impl<'a> Line<'a> {
    /// Reads it; nothing if it executes nothing, or code that it was handed instead of a script.
    pub fn read(words: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let words = unwrapped(words.into_iter().collect());
        let (program, words) = words.split_first().filter(|(program, _)| !program.is_empty())?;
        let Some(by) = Interpreter::of(program) else {
            return Some(Self { program, script: None, rest: words.to_vec() });
        };
        let (what, rest) = by.executes(words)?;
        Some(Self { program, script: Some(Interpreted { by, what }), rest: rest.to_vec() })
    }

    /// The word that names the file it executes: the script, or the program itself. A module is no file.
    pub fn file(&self) -> Option<&'a str> {
        match self.script.map(|script| script.what) {
            None => Some(self.program),
            Some(Executes::File(file)) => Some(file),
            Some(Executes::Module(_)) => None,
        }
    }

    /// Whether it is a script.
    pub fn is_interpreted(&self) -> bool {
        self.script.is_some()
    }

    /// The words that follow it.
    pub fn rest(&self) -> &[&'a str] {
        &self.rest
    }
}
