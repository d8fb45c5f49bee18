//! The reader: a process that reads orders and chunks for others, so that nobody else dies or hangs of a file.
//!
//! Questions come over stdin and answers go over stdout, one line of JSON each, in whatever order they are ready. It ends
//! when nobody asks any more, and takes the programs along that it runs.

use std::io::{BufRead, Read, Write};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use nix::unistd::{Gid, Uid, setgroups, setresgid, setresuid};

use crate::foreign::copy_folder;
use crate::orders::program;
use crate::readers::Answer;
use crate::readers::wire::{AS, Ask, HELLO, Tell};
use crate::sys::{self, Identity};
use crate::who;

/// No question is longer.
const LONGEST: u64 = 64 << 20;

/// Enough for SQLite; a hundred files may hang at once.
const STACK: usize = 1 << 20;

/// The whole life of a reader: `botwarden reader user=NAME`, or `-` for the user that we are.
pub fn run() -> ExitCode {
    sys::close_inherited();
    // Ctrl-C on the terminal is for whoever asks: we end with it, and not before.
    let _ = sys::lead_session();
    let user = std::env::args().nth(2).and_then(|who| who.strip_prefix(AS).map(str::to_owned));
    let _ = std::env::set_current_dir("/");
    let hindrance = user.and_then(|user| become_user(&user).err());
    let out = Arc::new(Mutex::new(std::io::stdout()));
    if write_line(&out, HELLO.as_bytes().to_vec()).is_err() {
        return ExitCode::FAILURE;
    }
    if hindrance.is_none() {
        // Nobody waits for it, and without a thread the next reader does it.
        let _ = std::thread::Builder::new().stack_size(STACK).spawn(copy_folder::remove_leftovers);
    }
    let mut input = std::io::stdin().lock();
    let mut line = Vec::new();
    loop {
        line.clear();
        match input.by_ref().take(LONGEST).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
        let Ok(ask) = serde_json::from_slice::<Ask>(&line) else { break };
        let number = ask.number;
        if let Some(why) = &hindrance {
            let _ = tell(&out, number, Answer::None(format!("{}: {why}", ask.question.place())));
            continue;
        }
        let says = Arc::clone(&out);
        let work = move || {
            // Nobody listens any more: the other thread sees the end of its questions too.
            let _ = tell(&says, number, ask.question.answer());
        };
        if let Err(error) = std::thread::Builder::new().stack_size(STACK).spawn(work) {
            let why = crate::paths::words(&error);
            let _ = tell(&out, number, Answer::None(format!("its reader has no thread for it: {why}")));
        }
    }
    program::end_all();
    copy_folder::remove_all();
    ExitCode::SUCCESS
}

/// Becomes another user for good, before there is a second thread.
fn become_user(name: &str) -> Result<(), String> {
    let Some(other) = who::to_become(name)? else { return Ok(()) };
    let Identity { uid, gid, groups } = other.identity;
    let groups: Vec<Gid> = groups.into_iter().map(Gid::from_raw).collect();
    let (user, group) = (Uid::from_raw(uid), Gid::from_raw(gid));
    setgroups(&groups)
        .and_then(|()| setresgid(group, group, group))
        .and_then(|()| setresuid(user, user, user))
        .map_err(|errno| format!("its reader cannot become {name}: {}", errno.desc()))
}

fn tell(out: &Mutex<std::io::Stdout>, number: u64, answer: Answer) -> std::io::Result<()> {
    // About what it takes: a text that grows by doubling is copied as often.
    let mut text = Vec::with_capacity(512 + answer.rows() * 192);
    serde_json::to_writer(&mut text, &Tell { number, answer })?;
    write_line(out, text)
}

/// In one piece: the lines of several threads must not mix, and whoever listens wakes once.
fn write_line(out: &Mutex<std::io::Stdout>, mut text: Vec<u8>) -> std::io::Result<()> {
    text.push(b'\n');
    let mut out = out.lock().unwrap_or_else(PoisonError::into_inner);
    out.write_all(&text)?;
    out.flush()
}
