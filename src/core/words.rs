//! What there is to say about a bot and what can be done about it, in the words of whoever shows it: the screen names
//! keys, the command line names commands.

use super::bot::BotName;
use super::state::State;
use super::status::{BotStatus, MAIN_GONE, Stray};

/// What there is to say where lines would be shown of a bot that was adopted and has no `log_file`.
pub const NOT_OURS: &str =
    "it was not started by botwarden, so its output goes elsewhere; log_file can name a log that it writes";

/// Whose hands can do something about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hands {
    /// Somebody at the screen, with its keys.
    Keys,
    /// Somebody at a shell, with commands.
    Commands,
}

impl Hands {
    const fn adopts(self) -> &'static str {
        match self {
            Self::Keys => "A adopts",
            Self::Commands => "'adopt' keeps it",
        }
    }

    const fn stops(self) -> &'static str {
        match self {
            Self::Keys => "x stops",
            Self::Commands => "'stop' ends it",
        }
    }

    const fn stops_all(self) -> &'static str {
        match self {
            Self::Keys => "x stops all of it",
            Self::Commands => "'stop' ends all of it",
        }
    }
}

/// The note of a bot with its strays, and with what can be done about a stray or an orphan.
pub fn whole_note(bot: &BotStatus, hands: Hands) -> String {
    put_together(bot, strays_beside(&bot.strays), hands)
}

/// The same where there is little room: strays are counted, not named.
pub fn brief_note(bot: &BotStatus, hands: Hands) -> String {
    let strays = (!bot.strays.is_empty()).then(|| count(bot.strays.len()));
    put_together(bot, strays, hands)
}

/// What matters most comes first, since the end is what may be cut off: who lives, and what can be done about it.
fn put_together(bot: &BotStatus, strays: Option<String>, hands: Hands) -> String {
    let note = (!bot.note.is_empty()).then(|| bot.note.clone());
    let parts = if matches!(bot.state, State::Orphaned | State::Unknown) {
        [note, strays, remedy(bot, hands)]
    } else {
        [strays, remedy(bot, hands), note]
    };
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn count(strays: usize) -> String {
    if strays == 1 { "1 stray".to_owned() } else { format!("{strays} strays") }
}

/// What can be done about a bot of which something lives that nobody keeps; nothing if there is none.
pub fn remedy(bot: &BotStatus, hands: Hands) -> Option<String> {
    if let Some(others) = shared(bot) {
        return Some(format!("may be that of {others} as well: stop them together"));
    }
    match (bot.state, bot.strays.is_empty()) {
        // A keeper that finds no main process ends the rest.
        (State::Orphaned, true) if bot.note.contains(MAIN_GONE) => Some(hands.stops().to_owned()),
        (State::Orphaned, true) => Some(format!("{}, {}", hands.adopts(), hands.stops())),
        (_, true) => None,
        // It runs once: of several none is the one.
        (State::Stopped | State::Exited | State::Crashed | State::Failed, false) if bot.strays.len() > 1 => {
            Some(hands.stops_all().to_owned())
        }
        (State::Stopped | State::Exited | State::Crashed | State::Failed, false) => {
            Some(format!("{}, {}", hands.adopts(), hands.stops()))
        }
        (State::Orphaned, false) => Some(format!("{}, {}", hands.adopts(), hands.stops_all())),
        (State::Starting | State::Running | State::Stopping | State::Backoff | State::Unknown, false) => {
            Some(hands.stops_all().to_owned())
        }
    }
}

/// The other bots that one of its strays may belong to as well.
fn shared(bot: &BotStatus) -> Option<String> {
    let others: Vec<&str> = bot.strays.iter().flat_map(|stray| &stray.shared_with).map(BotName::as_str).collect();
    (!others.is_empty()).then(|| others.join(", "))
}

/// `1 stray beside it: pid 4711 python3 run_bot.py (found by search)`; nothing where there is none.
pub fn strays_beside(strays: &[Stray]) -> Option<String> {
    let (first, others) = strays.split_first()?;
    let count = count(strays.len());
    let more = if others.is_empty() { String::new() } else { format!(" and {} more", others.len()) };
    let command = shortened(&masked(&first.command));
    Some(format!("{count} beside it: pid {} {command} ({}){more}", first.pid, found_by(first)))
}

/// How a stray was found, in words.
pub fn found_by(stray: &Stray) -> String {
    match stray.found_by.as_str() {
        "search" => "found by search".to_owned(),
        "pid_file" => "from its PID file".to_owned(),
        other => format!("found by {other}"),
    }
}

/// A command line that leaves room for the rest of a sentence.
fn shortened(command: &str) -> String {
    const LONGEST: usize = 48;
    if command.chars().count() <= LONGEST {
        return command.to_owned();
    }
    let kept: String = command.chars().take(LONGEST - 3).collect();
    format!("{}...", kept.trim_end())
}

/// What stands where a secret stood.
const HIDDEN: &str = "***";

/// A command line without what looks like a secret: `--api-key=***`, `--password ***`, `https://***@host`.
pub fn masked(command: &str) -> String {
    let mut out: Vec<String> = Vec::new();
    let mut hide_next = false;
    for word in command.split(' ') {
        if std::mem::take(&mut hide_next) && !word.starts_with('-') {
            out.push(HIDDEN.to_owned());
            continue;
        }
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (word, None),
        };
        match value {
            Some(value) if is_secret(name) && !value.is_empty() => out.push(format!("{name}={HIDDEN}")),
            Some(_) => out.push(without_user(word)),
            None => {
                hide_next = word.starts_with('-') && is_secret(word);
                out.push(without_user(word));
            }
        }
    }
    out.join(" ")
}

/// A text without any of these secrets, wherever they stand in it.
pub fn without(text: &str, secrets: &[String]) -> String {
    secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), HIDDEN))
}

/// Whether an option or a variable by this name holds something that is nobody's business.
pub fn is_secret(name: &str) -> bool {
    const WORDS: [&str; 8] =
        ["secret", "passw", "passphrase", "token", "apikey", "privatekey", "credential", "mnemonic"];
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    plain == "key" || WORDS.iter().any(|word| plain.contains(word))
}

/// A web address without the user and password in it.
fn without_user(word: &str) -> String {
    let Some((scheme, rest)) = word.split_once("://") else { return word.to_owned() };
    let end = rest.find('/').unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://{HIDDEN}{}", &rest[at..]),
        None => word.to_owned(),
    }
}

/// A time span in at most five columns: `4s`, `12m`, `6h11m`, `2d04h`, `412d`.
pub fn span(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m"),
        (0, _, _) => format!("{hours}h{:02}m", minutes % 60),
        (1..=99, _, _) => format!("{days}d{:02}h", hours % 24),
        (100..=9999, _, _) => format!("{days}d"),
        (_, _, _) => format!("{}y", days / 365),
    }
}

/// An amount of output: `812K`, `1.4M`.
pub fn amount(bytes: u64) -> String {
    const MIB: u64 = 1 << 20;
    match bytes {
        0..MIB => format!("{}K", bytes.div_ceil(1 << 10)),
        _ => format!("{}.{}M", bytes / MIB, bytes % MIB * 10 / MIB),
    }
}

/// A count with its thousands set apart: `5,213`.
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        for (count, shown) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(count), shown);
        }
    }

    fn stray(pid: i32, found_by: &str) -> Stray {
        Stray { pid, command: "python3 run_bot.py".into(), found_by: found_by.into(), shared_with: Vec::new() }
    }

    fn bot(state: State, note: &str, strays: Vec<Stray>) -> BotStatus {
        BotStatus {
            name: "momentum".parse().expect("a name"),
            groups: vec![],
            mode: None,
            state,
            was: None,
            since: None,
            pid: None,
            keeper_pid: None,
            started_at: None,
            uptime_s: None,
            restarts: None,
            failures: None,
            next_try_at: None,
            last_exit: None,
            heartbeat_age_s: None,
            cpu_percent: None,
            memory_bytes: None,
            processes: None,
            orders_active: None,
            orders_read_at: None,
            strays,
            note: note.into(),
            configured: true,
            give_up_after: 5,
            run: None,
        }
    }

    #[test]
    fn a_note_says_what_can_be_done_about_what_nobody_keeps() {
        let one = || vec![stray(4711, "search")];
        let two = || vec![stray(12, "pid_file"), stray(4711, "search")];
        let beside = "1 stray beside it: pid 4711 python3 run_bot.py (found by search)";
        for (state, note, strays, keys, commands) in [
            (State::Running, "", vec![], String::new(), String::new()),
            (State::Failed, "breaker open", vec![], "breaker open".into(), "breaker open".into()),
            (
                State::Running,
                "",
                one(),
                format!("{beside}; x stops all of it"),
                format!("{beside}; 'stop' ends all of it"),
            ),
            (
                State::Stopped,
                "stopped by ana",
                one(),
                format!("{beside}; A adopts, x stops; stopped by ana"),
                format!("{beside}; 'adopt' keeps it, 'stop' ends it; stopped by ana"),
            ),
            (
                State::Crashed,
                "",
                two(),
                "2 strays beside it: pid 12 python3 run_bot.py (from its PID file) and 1 more; x stops all of it"
                    .into(),
                "2 strays beside it: pid 12 python3 run_bot.py (from its PID file) and 1 more; 'stop' ends all of it"
                    .into(),
            ),
            (
                State::Orphaned,
                "no keeper",
                vec![],
                "no keeper; A adopts, x stops".into(),
                "no keeper; 'adopt' keeps it, 'stop' ends it".into(),
            ),
            (
                State::Orphaned,
                "no keeper; its main process is gone, pid 5 lives on",
                vec![],
                "no keeper; its main process is gone, pid 5 lives on; x stops".into(),
                "no keeper; its main process is gone, pid 5 lives on; 'stop' ends it".into(),
            ),
            (
                State::Orphaned,
                "no keeper",
                one(),
                format!("no keeper; {beside}; A adopts, x stops all of it"),
                format!("no keeper; {beside}; 'adopt' keeps it, 'stop' ends all of it"),
            ),
            (
                State::Unknown,
                "silent",
                one(),
                format!("silent; {beside}; x stops all of it"),
                format!("silent; {beside}; 'stop' ends all of it"),
            ),
        ] {
            let bot = bot(state, note, strays);
            assert_eq!(whole_note(&bot, Hands::Keys), keys, "{state}");
            assert_eq!(whole_note(&bot, Hands::Commands), commands, "{state}");
        }
    }

    #[test]
    fn a_brief_note_counts_what_the_whole_one_names() {
        for (state, note, strays, said) in [
            (State::Stopped, "stopped by ana", 1, "1 stray; A adopts, x stops; stopped by ana"),
            (State::Running, "", 2, "2 strays; x stops all of it"),
            (State::Orphaned, "no keeper", 1, "no keeper; 1 stray; A adopts, x stops all of it"),
            (State::Orphaned, "no keeper", 0, "no keeper; A adopts, x stops"),
            (State::Failed, "breaker open", 0, "breaker open"),
        ] {
            let strays = (0..strays).map(|pid| stray(pid, "search")).collect();
            assert_eq!(brief_note(&bot(state, note, strays), Hands::Keys), said);
        }
    }

    #[test]
    fn a_long_command_leaves_room_for_the_sentence() {
        let long = Stray { command: format!("python3 {}", "x".repeat(400)), ..stray(1, "search") };
        let said = strays_beside(&[long]).expect("a stray");
        assert!(said.len() < 100 && said.contains("xxx... (found by search)"), "{said}");
    }

    #[test]
    fn what_looks_like_a_secret_is_not_shown() {
        for (command, shown) in [
            ("python3 run_bot.py --pair BTC/USD", "python3 run_bot.py --pair BTC/USD"),
            ("bot --api-key=abc --level=info", "bot --api-key=*** --level=info"),
            ("bot --API_SECRET abc --x", "bot --API_SECRET *** --x"),
            ("bot --token -v", "bot --token -v"),
            ("env EXCHANGE_PASSWORD=abc bot", "env EXCHANGE_PASSWORD=*** bot"),
            ("bot --url https://ana:pw@host:1/x?y", "bot --url https://***@host:1/x?y"),
            ("bot --url=https://ana:pw@host", "bot --url=https://***@host"),
            ("bot mail@host", "bot mail@host"),
        ] {
            assert_eq!(masked(command), shown);
        }
    }
}
