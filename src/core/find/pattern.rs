//! By what a bot's processes are recognised: `find` of the configuration, else its command.

use super::glob;
use super::interpreter::{Executes, Interpreter};
use super::line::Line;
use super::word::{file_name, is_option};

/// What a command line has to look like to be a bot's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    /// An interpreter of this family with this script; of the words after it only the subcommand matters.
    Script(&'static Interpreter, Name, Option<String>),
    /// This program, or a script of this name under any interpreter.
    Program(String, Subcommand),
    /// Globs for the program, then the script, then further words.
    Find(String, Vec<String>),
}

/// What is known of a program's subcommand.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Subcommand {
    Unknown,
    /// The first word.
    First(String),
    /// It stands behind options: one of these words, as some may be the value of an option.
    OneOf(Vec<String>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Name {
    /// The file name of a script.
    File(String),
    /// The whole name of a module.
    Module(String),
}

impl Pattern {
    /// The pattern of a bot with this `find` and this command; nothing if neither says what to look for.
    pub fn new(find: Option<&[String]>, command: &[String]) -> Option<Self> {
        if let Some(find) = find {
            let (program, words) = find.split_first()?;
            return Some(Self(Kind::Find(program.clone(), words.to_vec())));
        }
        let line = Line::read(command.iter().map(String::as_str))?;
        Some(Self(match line.script {
            Some(script) => {
                let subcommand = first(&line).filter(|word| looks_like_a_subcommand(word));
                Kind::Script(script.by, Name::of(script.what), subcommand.map(str::to_owned))
            }
            // A launcher that is not known: what it launches is the bot, and it launches other things, too.
            None if launches_a_script(&line) => return None,
            None => Kind::Program(file_name(line.program).to_owned(), Subcommand::of(&line)),
        }))
    }

    /// Whether a process with this command line may be the bot's.
    pub fn matches(&self, line: &Line<'_>) -> bool {
        match &self.0 {
            Kind::Script(by, name, subcommand) => {
                line.script.is_some_and(|script| script.by == *by && name.is(script.what))
                    && subcommand.as_deref().is_none_or(|wanted| {
                        let (words, _) = subcommands(line);
                        words.is_empty() || words.contains(&wanted)
                    })
            }
            Kind::Program(name, subcommand) => {
                let is_it = match line.script.map(|script| script.what) {
                    None => file_name(line.program) == name,
                    Some(Executes::File(file)) => file_name(file) == name,
                    Some(Executes::Module(_)) => false,
                };
                is_it && subcommand.may_be_that_of(line)
            }
            Kind::Find(program, words) => finds(program, words, line),
        }
    }

    /// Whether it names a script. A program may be none and installed for everybody, so that where its file lies says
    /// nothing about whose process it is; if it is one, only its process shows it.
    pub fn names_a_script(&self) -> bool {
        match &self.0 {
            Kind::Script(_, _, _) => true,
            Kind::Program(_, _) => false,
            Kind::Find(_, words) => !words.is_empty(),
        }
    }
}

impl Name {
    fn of(what: Executes<'_>) -> Self {
        match what {
            Executes::File(file) => Self::File(file_name(file).to_owned()),
            Executes::Module(module) => Self::Module(module.to_owned()),
        }
    }

    fn is(&self, what: Executes<'_>) -> bool {
        match (self, what) {
            (Self::File(name), Executes::File(file)) => file_name(file) == name,
            (Self::Module(name), Executes::Module(module)) => module == name,
            (Self::File(_), Executes::Module(_)) | (Self::Module(_), Executes::File(_)) => false,
        }
    }
}

impl Subcommand {
    fn of(line: &Line<'_>) -> Self {
        if let Some(first) = first(line) {
            return Self::First(first.to_owned());
        }
        match subcommands(line) {
            (words, true) => Self::OneOf(words.into_iter().map(str::to_owned).collect()),
            (_, false) => Self::Unknown,
        }
    }

    fn may_be_that_of(&self, line: &Line<'_>) -> bool {
        match self {
            Self::Unknown => true,
            // Options may stand before a subcommand, and which of them take a value nobody knows here.
            Self::First(wanted) => match first(line) {
                Some(first) => first == wanted,
                None => line.rest.iter().all(|word| is_option(word)) || line.rest.contains(&wanted.as_str()),
            },
            Self::OneOf(wanted) => {
                let (words, has_one) = subcommands(line);
                !has_one || words.iter().any(|word| wanted.iter().any(|wanted| wanted == word))
            }
        }
    }
}

/// The word right after the script or the program, if that is no option.
fn first<'a>(line: &Line<'a>) -> Option<&'a str> {
    line.rest.first().copied().filter(|word| !is_option(word))
}

fn looks_like_a_subcommand(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_lowercase())
        && word.chars().all(|c| c.is_ascii_lowercase() || matches!(c, '-' | '_'))
}

/// The words that may be the subcommand: the first that is neither an option nor right behind one, and those before that
/// may be values of options; and whether that first one is there and looks like a subcommand.
fn subcommands<'a>(line: &Line<'a>) -> (Vec<&'a str>, bool) {
    let mut found = Vec::new();
    let mut behind_an_option = false;
    for &word in &line.rest {
        if is_option(word) {
            behind_an_option = word != "--" && !word.contains('=');
            continue;
        }
        let looks_like_one = looks_like_a_subcommand(word);
        found.extend(Some(word).filter(|_| looks_like_one));
        if !behind_an_option {
            return (found, looks_like_one);
        }
        behind_an_option = false;
    }
    (found, false)
}

/// Whether among the words of a program there is an interpreter with its script.
fn launches_a_script(line: &Line<'_>) -> bool {
    (0..line.rest.len()).any(|at| {
        Interpreter::of(line.rest[at]).is_some_and(|interpreter| interpreter.executes(&line.rest[at + 1..]).is_some())
    })
}

fn finds(program: &str, words: &[String], line: &Line<'_>) -> bool {
    let is_called = |name: &str| glob::matches(program, name);
    // A program that may have any name is any interpreter: else an editor would be the bot whose script it shows.
    let is_the_program = |name: &str| glob::is_specific(program) && is_called(name);
    let Some(script) = line.script else {
        return is_the_program(file_name(line.program)) && follow(words, &line.rest);
    };
    let name = match script.what {
        Executes::File(file) => file,
        Executes::Module(module) => module,
    };
    let by_interpreter = is_called(file_name(line.program))
        && words.split_first().is_none_or(|(wanted, words)| is_word(wanted, name) && follow(words, &line.rest));
    // A program that is a script shows as its interpreter.
    by_interpreter || (line.file().is_some() && is_the_program(file_name(name)) && follow(words, &line.rest))
}

/// Whether these words stand in the line in this order, whatever stands between them.
fn follow(wanted: &[String], words: &[&str]) -> bool {
    let mut words = words.iter().filter(|word| !is_option(word));
    wanted.iter().all(|wanted| words.any(|word| is_word(wanted, word)))
}

fn is_word(wanted: &str, word: &str) -> bool {
    glob::matches(wanted, file_name(word)) || glob::matches(wanted, word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    fn matches(pattern: &Pattern, line: &str) -> bool {
        Line::read(line.split(' ')).is_some_and(|line| pattern.matches(&line))
    }

    #[track_caller]
    fn check(pattern: &Pattern, found: &[&str], not: &[&str]) {
        for line in found {
            assert!(matches(pattern, line), "is found: {line}");
        }
        for line in not {
            assert!(!matches(pattern, line), "is not found: {line}");
        }
    }

    fn by_command(command: &str) -> Pattern {
        Pattern::new(None, &words(command)).expect(command)
    }

    fn by_find(find: &str) -> Pattern {
        Pattern::new(Some(&words(find)), &words("./start.sh")).expect(find)
    }

    #[test]
    fn a_script_is_found_however_it_was_started_and_never_in_other_programs() {
        check(
            &by_command("python3 -u run_bot.py"),
            &[
                "python3 -u ./scripts/run_bot.py --x",
                "/usr/bin/python3 run_bot.py",
                "env X=1 python run_bot.py",
                "/venv/bin/python3.11 -W ignore run_bot.py --live",
                "timeout 60 python run_bot.py",
                "pypy3 run_bot.py",
                "sudo python3 run_bot.py",
                "flock -n x.lock python3 run_bot.py",
                "uv run run_bot.py",
                "uv run python run_bot.py",
            ],
            &[
                "vim run_bot.py",
                "tail -f run_bot.py.log",
                "tail -f run_bot.py",
                "less run_bot.py",
                "grep run_bot.py",
                "grep -r python run_bot.py",
                "python3 other.py run_bot.py",
                "python -m run_bot.py",
                "python -m pdb run_bot.py",
                "python -c run_bot.py",
                "python -ic pass run_bot.py",
                "python3 -W run_bot.py",
                "python3 not_run_bot.py",
                "python3 run_bot.py.bak",
                "bash run_bot.py",
                "python3",
                "run_bot.py",
            ],
        );
        let code = ["bash", "-c", "python run_bot.py"];
        assert_eq!(Line::read(code), None);
    }

    #[test]
    fn a_module_is_compared_whole() {
        check(
            &by_command("python -m runner.main_loop --interval 60"),
            &["python3 -m runner.main_loop", "python -umrunner.main_loop --interval 5"],
            &[
                "python -m main_loop",
                "python runner.main_loop",
                "python -m runner",
                "python -m pytest runner.main_loop",
            ],
        );
    }

    #[test]
    fn wrappers_are_no_part_of_a_pattern() {
        assert_eq!(by_command("env A=1 nice -n 5 python bot.py"), by_command("python3 -u ./bot.py --x"));
    }

    #[test]
    fn a_program_may_be_a_script_that_shows_as_its_interpreter() {
        check(
            &by_command("./run_bot.py --paper"),
            &["./run_bot.py", "/usr/bin/python3 ./run_bot.py --paper", "bash /srv/run_bot.py"],
            &["vim ./run_bot.py", "python3 other.py ./run_bot.py", "python3 -m run_bot.py"],
        );
    }

    #[test]
    fn what_the_first_line_of_a_script_hands_to_its_interpreter_is_one_word_and_no_script() {
        let pattern = by_command("/s/bot.py solo x");
        for line in [
            &["/opt/python3", "-ES", "/s/bot.py", "solo", "x"][..],
            &["/opt/python3", "-u -W ignore", "./bot.py", "solo"],
            &["/opt/python3", "-E -X dev", "./bot.py", "solo"],
            &["/usr/bin/env", "-S python3 -u", "/s/bot.py", "solo"],
            &["/usr/bin/env", "-S -i A=1 python3 -ES", "/s/bot.py", "solo"],
            &["/usr/bin/env", "python3", "/s/bot.py", "solo"],
            &["/bin/bash", "-eu -o pipefail", "/s/bot.py", "solo"],
        ] {
            let line = Line::read(line.iter().copied()).expect("it executes a script");
            assert!(pattern.matches(&line) && line.is_interpreted(), "{line:?}");
            assert_eq!(line.file().map(file_name), Some("bot.py"));
        }
    }

    #[test]
    fn a_subcommand_tells_one_process_of_a_program_from_another() {
        check(
            &by_command("freqtrade trade --config a.json"),
            &[
                "freqtrade trade",
                "python3 /venv/bin/freqtrade trade --config b.json",
                "/venv/bin/python /venv/bin/freqtrade trade",
                "freqtrade",
                "freqtrade -v trade",
                "freqtrade -c a.json trade",
            ],
            &[
                "freqtrade webserver",
                "python3 /venv/bin/freqtrade backtesting",
                "freqtrade -c a.json backtesting",
                "vim freqtrade trade",
            ],
        );
        check(&by_command("sleep 600"), &["/bin/sleep 600", "sleep"], &["sleep 5"]);
        check(&by_command("/opt/bot --live"), &["bot", "/srv/bot --paper", "bot trade"], &["bot2"]);
    }

    #[test]
    fn a_launcher_is_never_the_bot() {
        for command in [
            "flock -n x.lock python3 run_bot.py",
            "sudo -u nobody python3 run_bot.py",
            "uv run run_bot.py",
            "uv run -- python run_bot.py",
            "poetry run python run_bot.py",
            "runuser -u nobody -- python3 run_bot.py",
            "conda run -n x --no-capture-output python run_bot.py",
        ] {
            let pattern = by_command(command);
            assert_eq!(pattern, by_command("python3 run_bot.py"), "{command}");
            check(
                &pattern,
                &["python3 run_bot.py", "flock -n y.lock python3 run_bot.py", "uv run run_bot.py", command],
                &[
                    "flock -n other.lock python3 other_bot.py",
                    "flock -n x.lock",
                    "flock x.lock -c run_bot.py",
                    "sudo -i",
                    "sudo -u nobody bash",
                    "su -c run_bot.py",
                    "uv run pytest",
                    "uv pip install run_bot.py",
                    "poetry run pytest run_bot.py",
                    "poetry shell",
                ],
            );
        }
        check(&by_command("uv run pytest"), &["pytest", "uv run pytest"], &["uv run ruff", "uv run run_bot.py"]);
        check(&by_command("sudo /opt/bot --live"), &["/opt/bot", "sudo bot"], &["sudo -i", "sudo", "sudo sleep 5"]);
    }

    #[test]
    fn another_subcommand_of_a_script_is_another_thing() {
        check(
            &by_command("python3 manage.py runbot --live"),
            &[
                "python3 manage.py runbot",
                "python3 manage.py",
                "python3 manage.py --live",
                "python3 manage.py /tmp/x shell",
                "python3 manage.py 5",
                "python3 manage.py BTC/USD",
                "python3 manage.py --settings prod runbot",
                "python3 manage.py --settings=prod runbot",
                "python3 manage.py -v runbot",
            ],
            &[
                "python3 manage.py shell",
                "python3 manage.py run-bot",
                "python3 manage.py -v shell",
                "python3 manage.py --settings=prod shell",
                "python3 manage.py --settings prod shell",
                "uv run manage.py shell",
            ],
        );
        check(
            &by_command("python -m freqtrade trade -c a.json"),
            &["python3 -m freqtrade trade", "python -m freqtrade", "python -m freqtrade -c a.json trade"],
            &["python -m freqtrade backtesting", "python -m freqtrade -c a.json backtesting"],
        );
        for command in ["python3 run_bot.py /tmp/this", "python3 run_bot.py 5", "python3 run_bot.py BTC/USD"] {
            check(
                &by_command(command),
                &["python3 run_bot.py /tmp/other", "python3 run_bot.py", "python3 run_bot.py trade"],
                &["python3 other.py /tmp/this"],
            );
        }
    }

    #[test]
    fn a_subcommand_may_stand_behind_options() {
        for command in
            ["freqtrade -c a.json trade", "freqtrade --config=a.json trade --x y", "freqtrade -s my -c a.b trade"]
        {
            check(
                &by_command(command),
                &[
                    "freqtrade trade",
                    "freqtrade -c b.json trade",
                    "freqtrade -v trade",
                    "freqtrade",
                    "freqtrade -c b.json",
                ],
                &["freqtrade backtesting -c a.json", "freqtrade hyperopt", "freqtrade -c a.json hyperopt"],
            );
        }
        // Whether it is the value of the option nobody knows.
        for command in ["bot --mode paper", "bot -v trade", "bot --live", "bot -v x /tmp/trade"] {
            check(&by_command(command), &["bot", "bot backtesting", "bot --mode live"], &["bot2"]);
        }
    }

    #[test]
    fn what_names_nothing_to_look_for_gives_no_pattern() {
        for command in [
            "python3",
            "python3 -i",
            "python -c pass",
            "bash -c ./run.sh",
            "env A=1",
            "timeout 60",
            "",
            "sudo -i",
            "su -c run_bot.py",
            "flock x.lock -c run_bot.py",
            "sudo --what x python3 run_bot.py",
            "unknown-launcher -x 5 python3 run_bot.py",
            "docker run --rm image python3 run_bot.py",
            "npm run bot",
        ] {
            assert_eq!(Pattern::new(None, &words(command)), None, "{command}");
        }
        assert_eq!(Pattern::new(None, &[]), None);
        assert_eq!(Pattern::new(Some(&[]), &words("bot")), None);
    }

    #[test]
    fn find_counts_instead_of_the_command() {
        check(
            &by_find("python* run_*.py"),
            &["python3 -u scripts/run_bot.py", "/usr/bin/python3.11 run_x.py --live"],
            &["start.sh", "bash start.sh", "pypy run_bot.py", "vim run_bot.py", "python3 other.py run_bot.py"],
        );
        check(
            &by_find("python* runner.main_loop"),
            &["python -m runner.main_loop --interval 60"],
            &["python -m main_loop", "python -m other runner.main_loop"],
        );
        check(
            &by_find("freqtrade trade"),
            &["freqtrade -v trade", "python3 /venv/bin/freqtrade trade"],
            &["freqtrade webserver", "python3 -m freqtrade trade"],
        );
        check(
            &by_find("node bot.js btc"),
            &["node bot.js --paper btc", "node --inspect /srv/bot.js eth btc"],
            &["node bot.js eth", "node btc bot.js", "node -e 1 bot.js btc"],
        );
        check(&by_find("python*"), &["python3 anything.py"], &["python3", "python -c pass"]);
    }

    #[test]
    fn a_program_of_any_name_is_any_interpreter_and_no_editor() {
        check(
            &by_find("* run_bot.py"),
            &["python3 run_bot.py", "bash ./run_bot.py"],
            &["vim run_bot.py", "tail -f run_bot.py", "grep x run_bot.py"],
        );
    }
}
