//! Whose a process is, where several bots may look alike.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::line::Line;
use super::pattern::Pattern;
use crate::core::bot::BotName;

/// A bot, as far as it matters for what belongs to it. Every path is the canonical one.
#[derive(Clone, Debug)]
pub struct Claimant {
    /// Its name.
    pub name: BotName,
    /// The folder it runs in, if there is such a folder.
    pub cwd: Option<PathBuf>,
    /// The file that its command executes, if there is such a file.
    pub file: Option<PathBuf>,
    /// What its processes look like, if its command or the configuration says.
    pub pattern: Option<Pattern>,
    /// The user it runs as; nothing if there is none of that name.
    pub uid: Option<u32>,
    /// The words that follow the script in its command.
    pub words: Vec<String>,
}

/// A process. Every path is the canonical one.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Its effective user.
    pub uid: u32,
    /// The folder it is in, if we may know.
    pub cwd: Option<&'a Path>,
    /// The file it executes, if there is such a file.
    pub file: Option<&'a Path>,
    /// Its command line.
    pub line: &'a Line<'a>,
}

/// Whose a process is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// No bot's.
    Nobody,
    /// This bot's.
    One(BotName),
    /// It cannot be said which of these; never fewer than two.
    Several(Vec<BotName>),
}

impl Claimant {
    /// Whether a process of this user may be its own. `ours` is who we are.
    pub fn may_run_as(&self, uid: u32, ours: u32) -> bool {
        uid == ours || self.uid == Some(uid)
    }

    /// Whether a process with this command line looks like it.
    pub fn looks_like(&self, line: &Line<'_>) -> bool {
        self.pattern.as_ref().is_some_and(|pattern| pattern.matches(line))
    }

    /// Whether a process in this folder is where it runs.
    pub fn is_in(&self, cwd: Option<&Path>) -> bool {
        cwd.is_some() && self.cwd.as_deref() == cwd
    }

    /// Whether this file, which a process that looks like it executes, is what it executes itself. `find` may name
    /// another script than the command does: one that lies right in the bot's folder.
    pub fn executes(&self, file: &Path) -> bool {
        self.file.as_deref() == Some(file) || (self.cwd.is_some() && file.parent() == self.cwd.as_deref())
    }

    /// Whether that makes it the bot's wherever it runs. A program may be installed for everybody: unless it is a script of
    /// somebody's own, it is the bot's only if it lies in the bot's folder.
    fn is_its_own(&self, file: &Path, line: &Line<'_>) -> bool {
        // A command that is a script does not say so: only the process does, as the kernel put its interpreter in front.
        let is_a_script = || line.is_interpreted() && !is_installed(file);
        self.executes(file)
            && (self.pattern.as_ref().is_some_and(Pattern::names_a_script)
                || is_a_script()
                || self.cwd.as_deref().is_some_and(|cwd| file.starts_with(cwd)))
    }

    fn claims(&self, process: &Candidate<'_>, ours: u32) -> bool {
        self.may_run_as(process.uid, ours)
            && self.looks_like(process.line)
            && (self.is_in(process.cwd) || process.file.is_some_and(|file| self.is_its_own(file, process.line)))
    }
}

/// Whose a process is, of all bots of a desk. `ours` is who we are.
pub fn owner(process: &Candidate<'_>, bots: &[Claimant], ours: u32) -> Owner {
    let claims: Vec<&Claimant> = bots.iter().filter(|bot| bot.claims(process, ours)).collect();
    let claims = narrowed(claims, |bot| bot.is_in(process.cwd));
    let claims = narrowed(claims, |bot| bot.words.iter().map(String::as_str).eq(process.line.rest().iter().copied()));
    match claims.as_slice() {
        [] => Owner::Nobody,
        [bot] => Owner::One(bot.name.clone()),
        bots => Owner::Several(bots.iter().map(|bot| bot.name.clone()).collect()),
    }
}

/// Whether this script is the launcher of a package, such as `/venv/bin/freqtrade`: one file for whoever uses the package.
fn is_installed(file: &Path) -> bool {
    let is_one_of = |name: &OsStr, folders: &[&str]| folders.iter().any(|folder| name == *folder);
    let folder = file.parent().and_then(Path::file_name);
    (file.extension().is_none() && folder.is_some_and(|name| is_one_of(name, &["bin", "sbin"])))
        || file.iter().any(|name| is_one_of(name, &["site-packages", "dist-packages", "node_modules"]))
}

/// Those for whom more speaks, if there are any.
fn narrowed(claims: Vec<&Claimant>, speaks_for: impl Fn(&Claimant) -> bool) -> Vec<&Claimant> {
    let better: Vec<_> = claims.iter().copied().filter(|bot| speaks_for(bot)).collect();
    if better.is_empty() { claims } else { better }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: u32 = 1000;
    const TRADER: u32 = 2000;
    const STRANGER: u32 = 3000;

    /// A bot in this folder, with this command; its script lies at this path.
    fn bot(name: &str, cwd: &str, file: &str, command: &str) -> Claimant {
        let command: Vec<String> = command.split(' ').map(str::to_owned).collect();
        let line = Line::read(command.iter().map(String::as_str)).expect("it executes something");
        Claimant {
            name: name.parse().expect("a name"),
            cwd: Some(cwd.into()),
            file: (!file.is_empty()).then(|| file.into()),
            pattern: Pattern::new(None, &command),
            uid: Some(OURS),
            words: line.rest().iter().map(|word| (*word).to_owned()).collect(),
        }
    }

    /// Whose it is: names with a blank between, nothing if nobody's.
    fn whose(bots: &[Claimant], uid: u32, cwd: &str, file: &str, command: &str) -> String {
        let line = Line::read(command.split(' ')).expect("it executes something");
        let path = |text: &'static str| Some(Path::new(text)).filter(|_| !text.is_empty());
        let (cwd, file) = (cwd.to_owned().leak(), file.to_owned().leak());
        let process = Candidate { uid, cwd: path(cwd), file: path(file), line: &line };
        match owner(&process, bots, OURS) {
            Owner::Nobody => String::new(),
            Owner::One(name) => name.to_string(),
            Owner::Several(names) => names.iter().map(BotName::as_str).collect::<Vec<_>>().join(" "),
        }
    }

    #[test]
    fn a_process_is_a_bots_in_its_folder_or_with_its_very_script() {
        let bots = [bot("a", "/a", "/a/run.py", "python run.py")];
        for (cwd, file, command, owner) in [
            ("/a", "/a/run.py", "python3 run.py", "a"),
            ("/a", "/a/run.py", "python3 -u run.py --live", "a"),
            ("/a", "", "python run.py", "a"),
            ("/", "/a/run.py", "python /a/run.py", "a"),
            ("", "/a/run.py", "python /a/run.py", "a"),
            ("/a", "/b/run.py", "python ../b/run.py", "a"),
            ("/b", "/b/run.py", "python run.py", ""),
            ("/b", "", "python run.py", ""),
            ("", "", "python run.py", ""),
            ("/a", "/a/run.py", "vim run.py", ""),
            ("/a", "/a/other.py", "python other.py", ""),
        ] {
            assert_eq!(whose(&bots, OURS, cwd, file, command), owner, "{command} in {cwd}");
        }
    }

    #[test]
    fn another_users_process_is_nobodys() {
        let trader = Claimant { uid: Some(TRADER), ..bot("a", "/a", "/a/run.py", "python run.py") };
        let unknown = Claimant { uid: None, ..trader.clone() };
        for (bot, uid, owner) in [
            (&trader, TRADER, "a"),
            (&trader, OURS, "a"),
            (&trader, STRANGER, ""),
            (&unknown, TRADER, ""),
            (&unknown, OURS, "a"),
        ] {
            let bots = std::slice::from_ref(bot);
            assert_eq!(whose(bots, uid, "/a", "/a/run.py", "python run.py"), owner, "{uid}");
        }
    }

    #[test]
    fn the_same_script_in_another_folder_is_another_bots() {
        let bots =
            [bot("a", "/a", "/a/run.py", "python run.py"), bot("b", "/b", "/b/run.py", "python run.py --config x")];
        assert_eq!(whose(&bots, OURS, "/a", "/a/run.py", "python run.py --config x"), "a");
        assert_eq!(whose(&bots, OURS, "/b", "/b/run.py", "python run.py"), "b");
        assert_eq!(whose(&bots, OURS, "/", "/b/run.py", "python /b/run.py"), "b");
        assert_eq!(whose(&bots, OURS, "/c", "/c/run.py", "python run.py"), "");
    }

    #[test]
    fn where_several_share_a_script_the_folder_decides_then_the_words() {
        let shared = "/opt/run.py";
        let bots = [
            bot("a", "/a", shared, "python /opt/run.py"),
            bot("b", "/b", shared, "python /opt/run.py eth"),
            bot("c", "/b", shared, "python /opt/run.py btc"),
        ];
        let whose = |cwd: &str, command: &str| whose(&bots, OURS, cwd, shared, command);
        assert_eq!(whose("/a", "python /opt/run.py eth"), "a");
        assert_eq!(whose("/b", "python /opt/run.py btc"), "c");
        assert_eq!(whose("/b", "python /opt/run.py"), "b c");
        assert_eq!(whose("/", "python /opt/run.py eth"), "b");
        assert_eq!(whose("/", "python /opt/run.py /doge"), "a b c");
        assert_eq!(whose("/", "python /opt/run.py doge"), "a");
    }

    #[test]
    fn instances_of_one_bot_look_alike() {
        let bots = [bot("m@1", "/m", "/m/run.py", "python run.py"), bot("m@2", "/m", "/m/run.py", "python run.py")];
        assert_eq!(whose(&bots, OURS, "/m", "/m/run.py", "python run.py"), "m@1 m@2");
    }

    #[test]
    fn a_program_of_the_system_counts_only_in_the_bots_folder_and_what_lies_there_everywhere() {
        let system = [bot("a", "/a", "/bin/sleep", "/bin/sleep 600")];
        assert_eq!(whose(&system, OURS, "/a", "/bin/sleep", "/bin/sleep 600"), "a");
        assert_eq!(whose(&system, OURS, "/b", "/bin/sleep", "/bin/sleep 600"), "");
        let find = ["*sh".to_owned(), "run_*.sh".to_owned()];
        let found = [Claimant { pattern: Pattern::new(Some(&find), &[]), ..bot("a", "/a", "", "start") }];
        assert_eq!(whose(&found, OURS, "/b", "/a/run_x.sh", "sh /a/run_x.sh"), "a");
        assert_eq!(whose(&found, OURS, "/b", "/b/run_x.sh", "sh run_x.sh"), "");
        let own = [bot("a", "/a", "/a/bin/bot", "bin/bot")];
        assert_eq!(whose(&own, OURS, "/b", "/a/bin/bot", "/a/bin/bot --live"), "a");
    }

    #[test]
    fn a_command_that_is_a_script_is_a_script_wherever_its_process_runs() {
        let bots = [
            bot("solo", "/a", "/s/bot.py", "/s/bot.py solo x"),
            bot("grid", "/g", "/s/bot.py", "/s/bot.py grid stubborn"),
        ];
        for (cwd, file, command, owner) in [
            // As the kernel executes it, whatever the first line of the script says.
            ("/tmp", "/s/bot.py", "/opt/python3 -ES /s/bot.py solo x", "solo"),
            ("/tmp", "/s/bot.py", "/opt/python3 /s/bot.py solo x", "solo"),
            ("/tmp", "/s/bot.py", "/opt/python3 -uX dev -W ignore /s/bot.py solo x", "solo"),
            ("/tmp", "/s/bot.py", "python3 -u /s/bot.py solo x", "solo"),
            ("/tmp", "/s/bot.py", "/usr/bin/env python3 /s/bot.py solo x", "solo"),
            ("/tmp", "/s/bot.py", "timeout 60 /opt/python3 -ES /s/bot.py solo x", "solo"),
            ("", "/s/bot.py", "/opt/python3 -ES /s/bot.py solo x", "solo"),
            ("/s", "/s/bot.py", "/opt/python3 -ES ./bot.py grid stubborn", "grid"),
            ("/s/x", "/s/bot.py", "/opt/python3 -ES ../bot.py grid stubborn", "grid"),
            ("/a", "/s/bot.py", "/opt/python3 -ES ../s/bot.py solo x", "solo"),
            // Another thing that it does, another file, or none that can be known.
            ("/tmp", "/s/bot.py", "/opt/python3 -ES /s/bot.py report", ""),
            ("/tmp", "/tmp/bot.py", "/opt/python3 -ES ./bot.py solo x", ""),
            ("/tmp", "", "/opt/python3 -ES ./bot.py solo x", ""),
            ("/tmp", "", "/opt/python3 -m bot.py solo x", ""),
            // What only mentions it.
            ("/tmp", "/usr/bin/vim", "vim /s/bot.py solo x", ""),
            ("/tmp", "/usr/bin/less", "less /s/bot.py", ""),
            ("/tmp", "/usr/bin/grep", "grep solo /s/bot.py", ""),
            ("/tmp", "/usr/bin/tail", "tail -f /s/bot.py", ""),
            ("/tmp", "/s/other.py", "/opt/python3 -ES /s/other.py /s/bot.py solo x", ""),
            ("/tmp", "/usr/bin/which", "sh /usr/bin/which /s/bot.py", ""),
        ] {
            assert_eq!(whose(&bots, OURS, cwd, file, command), owner, "{command} in {cwd}");
        }
        let alike = [bot("a", "/a", "/s/bot.py", "/s/bot.py"), bot("b", "/b", "/s/bot.py", "/s/bot.py")];
        assert_eq!(whose(&alike, OURS, "/tmp", "/s/bot.py", "python3 /s/bot.py"), "a b");
        assert_eq!(whose(&alike, OURS, "/b", "/s/bot.py", "python3 /s/bot.py"), "b");
        let find = ["bot.*".to_owned()];
        let found = [Claimant { pattern: Pattern::new(Some(&find), &[]), ..bots[0].clone() }];
        assert_eq!(whose(&found, OURS, "/tmp", "/s/bot.py", "python3 -ES /s/bot.py solo x"), "solo");
        assert_eq!(whose(&found, OURS, "/tmp", "/t/bot.py", "python3 -ES /t/bot.py solo x"), "");
    }

    #[test]
    fn the_launcher_of_a_package_counts_only_in_the_bots_folder() {
        for (file, everywhere) in [
            ("/venv/bin/freqtrade", false),
            ("/usr/sbin/freqtrade", false),
            ("/usr/lib/node_modules/freqtrade/freqtrade.js", false),
            ("/venv/lib/python3/site-packages/freqtrade/main.py", false),
            ("/home/u/bin/freqtrade.py", true),
            ("/home/u/bots/freqtrade", true),
            ("/a/.venv/bin/freqtrade", true),
        ] {
            let command = format!("{file} trade -c config.json");
            let bots = [bot("a", "/a", file, &command)];
            let process = format!("/opt/python3 {command}");
            assert_eq!(whose(&bots, OURS, "/a", file, &process), "a", "{file}");
            assert_eq!(whose(&bots, OURS, "/b", file, &process), if everywhere { "a" } else { "" }, "{file}");
        }
    }
}
