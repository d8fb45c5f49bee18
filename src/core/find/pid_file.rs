//! What may be said of a PID file that a bot, or somebody else's launcher, has written.

use crate::core::words::masked;

/// What stands in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// The number of a process.
    Pid(i32),
    /// Nothing.
    Empty,
    /// Something that is no process number; the first line, cut short.
    Text(String),
}

/// Reads the first line. A file that is longer than what was read is read no further.
pub fn content(bytes: &[u8]) -> Content {
    const LONGEST: usize = 32;
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim();
    let line = text.lines().next().unwrap_or_default().trim_end();
    match line.parse::<i32>() {
        _ if line.is_empty() => Content::Empty,
        // Process 1 is nobody's bot, and the negative ones would be whole groups.
        Ok(pid) if pid > 1 => Content::Pid(pid),
        Ok(_) | Err(_) => Content::Text(line.chars().take(LONGEST).collect()),
    }
}

/// What was seen of the process whose number stands in a PID file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Suspect {
    /// There is none.
    Gone,
    /// It came to life while we looked.
    New,
    /// It is one of botwarden's own.
    Botwarden,
    /// It carries the bot's mark, or is in the tree of its keeper: it is the bot's whatever the file says.
    Marked,
    /// It is in the tree of another bot, or of another desk's: the text says whose.
    Kept(String),
    /// It is any other process.
    Other {
        /// What it is called.
        name: String,
        /// Whether a user runs it as whom the bot might run.
        user: bool,
        /// Whether it looks like the bot: its command line, and where its script lies.
        alike: bool,
        /// The folder of what it executes, if that is called as the bot's is and is another file.
        elsewhere: Option<String>,
        /// The other bot that it belongs to by what it looks like.
        belongs_to: Option<String>,
        /// Whether it was started after the file was written.
        later: bool,
    },
}

/// What is to be made of a PID file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It names a process of the bot's.
    Proven,
    /// It names none; the sentence says why.
    Note(String),
}

/// The sentence on a file without a process number; nothing if it has one.
pub fn note_on_content(file: &str, content: &Content) -> Option<String> {
    match content {
        Content::Pid(_) => None,
        Content::Empty => Some(format!("{file} is empty")),
        Content::Text(text) => Some(format!("{file} holds no process number: {text:?}")),
    }
}

/// What is to be made of the process that a file names.
pub fn judge(file: &str, pid: i32, suspect: &Suspect) -> Judgement {
    let who = format!("pid {pid} in {file}");
    Judgement::Note(match suspect {
        Suspect::Marked => return Judgement::Proven,
        Suspect::Gone => format!("{who} is gone"),
        Suspect::New => format!("{who} was started while we looked: not looked at"),
        Suspect::Botwarden => format!("{who} is botwarden itself: left alone"),
        Suspect::Kept(whose) => format!("{who} is of {whose}: left alone"),
        Suspect::Other { elsewhere: Some(folder), .. } => {
            format!("{who} runs the same script in another folder ({folder}): left alone")
        }
        Suspect::Other { name, alike: false, .. } => format!("{who} is another program ({}): left alone", masked(name)),
        Suspect::Other { name, user: false, .. } => format!("{who} is another user's ({}): left alone", masked(name)),
        Suspect::Other { belongs_to: Some(bot), .. } => format!("{who} looks like one of {bot}'s: left alone"),
        Suspect::Other { later: true, .. } => format!("{who} was started after the file was written: left alone"),
        Suspect::Other { .. } => return Judgement::Proven,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_counts_and_blanks_do_not() {
        let text = |text: &str| Content::Text(text.to_owned());
        for (bytes, expected) in [
            (&b"12345\n"[..], Content::Pid(12345)),
            (b"12345", Content::Pid(12345)),
            (b"  12345 \r\nsecond line", Content::Pid(12345)),
            (b"\n12345\n", Content::Pid(12345)),
            (b"2147483647", Content::Pid(i32::MAX)),
            (b"", Content::Empty),
            (b" \n\n", Content::Empty),
            (b"hello", text("hello")),
            (b"12345 67", text("12345 67")),
            (b"0", text("0")),
            (b"1\n", text("1")),
            (b"-12345", text("-12345")),
            (b"99999999999999999999", text("99999999999999999999")),
            (b"2147483648", text("2147483648")),
            (b"12.5", text("12.5")),
            (b"\xff\xfe", text("\u{fffd}\u{fffd}")),
        ] {
            assert_eq!(content(bytes), expected, "{:?}", String::from_utf8_lossy(bytes));
        }
        assert_eq!(content(&[b'x'; 64]), text(&"x".repeat(32)));
    }

    #[test]
    fn what_is_no_number_is_said_with_the_files_name() {
        let note = |bytes: &[u8]| note_on_content("data/bot.pid", &content(bytes));
        assert_eq!(note(b"hello").as_deref(), Some("data/bot.pid holds no process number: \"hello\""));
        assert_eq!(note(b"\x1b[2J").as_deref(), Some("data/bot.pid holds no process number: \"\\u{1b}[2J\""));
        assert_eq!(note(b"").as_deref(), Some("data/bot.pid is empty"));
        assert_eq!(note(b"12"), None);
    }

    #[test]
    fn only_what_is_proven_is_the_bots() {
        let other = |alike, user, belongs_to: Option<&str>, later| Suspect::Other {
            name: "vim".into(),
            user,
            alike,
            elsewhere: None,
            belongs_to: belongs_to.map(str::to_owned),
            later,
        };
        for (suspect, note) in [
            (Suspect::Gone, "is gone"),
            (Suspect::New, "was started while we looked: not looked at"),
            (Suspect::Botwarden, "is botwarden itself: left alone"),
            (Suspect::Kept("bot b".into()), "is of bot b: left alone"),
            (other(false, true, None, false), "is another program (vim): left alone"),
            (other(false, false, None, true), "is another program (vim): left alone"),
            (other(true, false, None, false), "is another user's (vim): left alone"),
            (other(true, true, Some("b"), false), "looks like one of b's: left alone"),
            (other(true, true, None, true), "was started after the file was written: left alone"),
        ] {
            let expected = Judgement::Note(format!("pid 4711 in data/bot.pid {note}"));
            assert_eq!(judge("data/bot.pid", 4711, &suspect), expected);
        }
        let elsewhere = Suspect::Other {
            name: "python3".into(),
            user: true,
            alike: false,
            elsewhere: Some("/srv/releases/1".into()),
            belongs_to: None,
            later: false,
        };
        let note = "pid 4711 in data/bot.pid runs the same script in another folder (/srv/releases/1): left alone";
        assert_eq!(judge("data/bot.pid", 4711, &elsewhere), Judgement::Note(note.into()));
        for suspect in [Suspect::Marked, other(true, true, None, false)] {
            assert_eq!(judge("data/bot.pid", 4711, &suspect), Judgement::Proven);
        }
    }
}
