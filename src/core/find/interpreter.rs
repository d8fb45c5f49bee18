//! Programs that execute a script, and how the script is found among their words.

use super::word::file_name;

/// What an option of an interpreter is followed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Takes {
    /// A value that says nothing about the script: the rest of the word, else the next word.
    Value,
    /// The same, but never the next word.
    Attached,
    /// The program itself: there is no script.
    Code,
    /// The name of a module, which is the script.
    Module,
    /// The script.
    Script,
}

use Takes::{Attached, Code, Module, Script, Value};

/// One family of interpreters.
#[derive(Debug)]
pub(super) struct Interpreter {
    /// What its members are called; a version may follow.
    names: &'static [&'static str],
    /// Options that are more than a switch. Single letters may be written as one word.
    options: &'static [(&'static str, Takes)],
    /// Whether one dash introduces a whole word, as with Java.
    long_only: bool,
    /// Words before the script that only say that it is to be executed.
    verbs: &'static [&'static str],
}

/// What an interpreter executes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Executes<'a> {
    /// A file.
    File(&'a str),
    /// A module.
    Module(&'a str),
}

const fn family(names: &'static [&'static str], options: &'static [(&'static str, Takes)]) -> Interpreter {
    Interpreter { names, options, long_only: false, verbs: &[] }
}

static INTERPRETERS: [Interpreter; 13] = [
    family(
        &["python", "pypy", "pythonw"],
        &[("-c", Code), ("-m", Module), ("-W", Value), ("-X", Value), ("--check-hash-based-pycs", Value)],
    ),
    family(
        &["node", "nodejs"],
        &[
            ("-e", Code),
            ("--eval", Code),
            ("-p", Code),
            ("--print", Code),
            ("-r", Value),
            ("--require", Value),
            ("--import", Value),
            ("--loader", Value),
            ("--experimental-loader", Value),
            ("-C", Value),
            ("--conditions", Value),
            ("--env-file", Value),
            ("--title", Value),
        ],
    ),
    Interpreter {
        verbs: &["run"],
        ..family(
            &["deno"],
            &[
                ("-c", Value),
                ("--config", Value),
                ("--import-map", Value),
                ("--lock", Value),
                ("--cert", Value),
                ("--seed", Value),
                ("--location", Value),
                ("-L", Value),
                ("--log-level", Value),
            ],
        )
    },
    Interpreter {
        verbs: &["run"],
        ..family(
            &["bun"],
            &[
                ("-e", Code),
                ("--eval", Code),
                ("-p", Code),
                ("--print", Code),
                ("-r", Value),
                ("--preload", Value),
                ("-c", Value),
                ("--config", Value),
                ("--cwd", Value),
                ("--env-file", Value),
            ],
        )
    },
    family(
        &["ruby", "jruby"],
        &[
            ("-e", Code),
            ("-I", Value),
            ("-r", Value),
            ("-C", Value),
            ("-E", Value),
            ("-F", Attached),
            ("-K", Attached),
            ("-T", Attached),
            ("-W", Attached),
            ("-i", Attached),
            ("-x", Attached),
        ],
    ),
    family(
        &["perl"],
        &[
            ("-e", Code),
            ("-E", Code),
            ("-I", Value),
            ("-M", Attached),
            ("-m", Attached),
            ("-C", Attached),
            ("-D", Attached),
            ("-F", Attached),
            ("-V", Attached),
            ("-d", Attached),
            ("-i", Attached),
            ("-x", Attached),
        ],
    ),
    family(
        &["php", "php-cli"],
        &[
            ("-r", Code),
            ("--run", Code),
            ("-B", Code),
            ("--process-begin", Code),
            ("-R", Code),
            ("--process-code", Code),
            ("-E", Code),
            ("--process-end", Code),
            ("-f", Script),
            ("--file", Script),
            ("-d", Value),
            ("--define", Value),
            ("-c", Value),
            ("--php-ini", Value),
            ("-z", Value),
            ("-S", Value),
            ("-t", Value),
        ],
    ),
    Interpreter {
        long_only: true,
        ..family(
            &["java"],
            &[
                ("-jar", Script),
                ("-m", Module),
                ("--module", Module),
                ("-cp", Value),
                ("-classpath", Value),
                ("--class-path", Value),
                ("-p", Value),
                ("--module-path", Value),
                ("--upgrade-module-path", Value),
                ("--add-modules", Value),
                ("--add-exports", Value),
                ("--add-opens", Value),
                ("--add-reads", Value),
                ("--limit-modules", Value),
                ("--source", Value),
            ],
        )
    },
    family(
        &["sh", "bash", "dash", "zsh", "ksh", "mksh", "ash"],
        &[("-c", Code), ("-s", Code), ("-o", Value), ("-O", Value), ("--rcfile", Value), ("--init-file", Value)],
    ),
    // Rscript becomes R, and says there what it executes.
    Interpreter {
        long_only: true,
        ..family(&["Rscript", "R"], &[("-e", Code), ("--file", Script), ("-f", Script), ("-g", Value), ("-d", Value)])
    },
    family(&["lua", "luajit"], &[("-e", Code), ("-l", Value), ("-j", Value), ("-O", Attached), ("-b", Attached)]),
    Interpreter {
        long_only: true,
        verbs: &["exec"],
        ..family(
            &["dotnet"],
            &[
                ("--roll-forward", Value),
                ("--fx-version", Value),
                ("--additionalprobingpath", Value),
                ("--additional-deps", Value),
                ("--depsfile", Value),
                ("--runtimeconfig", Value),
            ],
        )
    },
    family(
        &["julia"],
        &[
            ("-e", Code),
            ("--eval", Code),
            ("-E", Code),
            ("--print", Code),
            ("-p", Value),
            ("-t", Value),
            ("-L", Value),
            ("-J", Value),
            ("-C", Value),
            ("-H", Value),
            ("-O", Attached),
            ("-g", Attached),
        ],
    ),
];

impl PartialEq for Interpreter {
    fn eq(&self, other: &Self) -> bool {
        self.names == other.names
    }
}

impl Eq for Interpreter {}

impl Interpreter {
    /// The family of a program.
    pub(super) fn of(program: &str) -> Option<&'static Self> {
        // A login shell has a dash in front of its name.
        let name = file_name(program.strip_prefix('-').unwrap_or(program));
        let is_called = |known: &str| {
            name.strip_prefix(known)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(|c: char| c.is_ascii_digit()))
        };
        INTERPRETERS.iter().find(|interpreter| interpreter.names.iter().any(|known| is_called(known)))
    }

    /// What it executes, and the words that follow; nothing if that is code, its input, or a person's typing.
    pub(super) fn executes<'a, 'w>(&self, words: &'w [&'a str]) -> Option<(Executes<'a>, &'w [&'a str])> {
        let mut rest = words.iter();
        let mut verb = true;
        while let Some(&word) = rest.next() {
            if word == "--" {
                let file = rest.next()?;
                return Some((Executes::File(file), rest.as_slice()));
            }
            if !word.starts_with(['-', '+']) {
                if verb && self.verbs.contains(&word) {
                    verb = false;
                    continue;
                }
                return Some((Executes::File(word), rest.as_slice()));
            }
            if word == "-" {
                return None;
            }
            let Some((takes, attached)) = self.option(word) else { continue };
            match takes {
                Attached => {}
                Code => return None,
                Value if attached.is_some() => {}
                Value => drop(rest.next()),
                Module => {
                    let module = attached.or_else(|| rest.next().copied())?;
                    return Some((Executes::Module(module), rest.as_slice()));
                }
                Script => {
                    let file = attached.or_else(|| rest.next().copied())?;
                    return Some((Executes::File(file), rest.as_slice()));
                }
            }
        }
        None
    }

    /// What an option takes, and what of that stands in the same word; nothing if it is a switch.
    fn option<'a>(&self, word: &'a str) -> Option<(Takes, Option<&'a str>)> {
        if self.long_only || word.starts_with("--") {
            let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
            return self.takes(|option| option == name).map(|takes| (takes, value));
        }
        // The first letter that takes something takes all that follows it.
        word.char_indices().skip(1).find_map(|(at, letter)| {
            let takes = self.takes(|option| option.strip_prefix('-').is_some_and(|name| name.chars().eq([letter])))?;
            let rest = &word[at + letter.len_utf8()..];
            Some((takes, (!rest.is_empty()).then_some(rest)))
        })
    }

    fn takes(&self, is_it: impl Fn(&str) -> bool) -> Option<Takes> {
        self.options.iter().find(|(option, _)| is_it(option)).map(|(_, takes)| *takes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn executes(line: &str) -> Option<String> {
        let words: Vec<&str> = line.split(' ').collect();
        let interpreter = Interpreter::of(words[0]).expect(line);
        interpreter.executes(&words[1..]).map(|(executes, rest)| {
            let (kind, name) = match executes {
                Executes::File(name) => ("", name),
                Executes::Module(name) => ("-m ", name),
            };
            format!("{kind}{name} {}", rest.join(" ")).trim_end().to_owned()
        })
    }

    #[test]
    fn the_script_is_found_behind_every_kind_of_option() {
        for (line, script) in [
            ("python3 -u ./scripts/run_bot.py --x", "./scripts/run_bot.py --x"),
            ("python3.11 -W ignore -X dev -- run.py", "run.py"),
            ("python -Wignore -uX dev run.py -m y", "run.py -m y"),
            ("python -W ignore::Warning -OO run.py", "run.py"),
            ("python --check-hash-based-pycs never run.py", "run.py"),
            ("pypy3 run.py", "run.py"),
            ("python -m runner.main_loop --interval 60", "-m runner.main_loop --interval 60"),
            ("python -mrunner", "-m runner"),
            ("python -um runner", "-m runner"),
            ("node --max-old-space-size=4096 -r dotenv/config --inspect bot.js a", "bot.js a"),
            ("nodejs --require=x --import ./y.mjs --no-warnings bot.js", "bot.js"),
            ("deno run -A --allow-net=x bot.ts", "bot.ts"),
            ("deno -q bot.ts run", "bot.ts run"),
            ("bun run bot.ts", "bot.ts"),
            ("bun bot.ts", "bot.ts"),
            ("ruby -w -I lib -rjson -W0 bot.rb", "bot.rb"),
            ("perl -w -Ilib -MPOSIX=floor -i.bak bot.pl", "bot.pl"),
            ("perl5.36.0 -I lib bot.pl", "bot.pl"),
            ("php -d memory_limit=1G -f bot.php x", "bot.php x"),
            ("php8.2 bot.php", "bot.php"),
            ("java -Xmx1g -cp a.jar:b.jar -Dx=y com.example.Bot live", "com.example.Bot live"),
            ("java --class-path=a.jar -jar bot.jar live", "bot.jar live"),
            ("java -p mods -m desk/com.example.Bot", "-m desk/com.example.Bot"),
            ("bash -eu -o pipefail ./run.sh a", "./run.sh a"),
            ("bash -euo pipefail +x --norc run.sh", "run.sh"),
            ("-zsh run.sh", "run.sh"),
            ("sh run.sh", "run.sh"),
            ("Rscript --vanilla bot.R", "bot.R"),
            ("/usr/lib/R/bin/exec/R --no-echo --no-restore --file=bot.R --args x", "bot.R --args x"),
            ("lua5.4 -l socket bot.lua", "bot.lua"),
            ("luajit -O3 bot.lua", "bot.lua"),
            ("dotnet --roll-forward Major bot.dll x", "bot.dll x"),
            ("dotnet exec bot.dll", "bot.dll"),
            ("julia -O3 --project=. bot.jl", "bot.jl"),
        ] {
            assert_eq!(executes(line).as_deref(), Some(script), "{line}");
        }
    }

    #[test]
    fn code_is_no_script_and_nothing_is_none() {
        for line in [
            "python -c run.py",
            "python -uc pass run.py",
            "python -Ic pass",
            "python",
            "python -i",
            "python - run.py",
            "python -m",
            "python -W run.py",
            "node -e 1 bot.js",
            "node -pe 1",
            "node --eval=1 bot.js",
            "perl -we 1 bot.pl",
            "ruby -rjson -e 1",
            "php -r 1 bot.php",
            "bash -c run.sh",
            "bash -ec run.sh",
            "bash -s a b",
            "-bash",
            "lua -e 1",
            "Rscript -e 1",
            "java -version",
            "bash --",
        ] {
            assert_eq!(executes(line), None, "{line}");
        }
    }

    #[test]
    fn a_version_may_follow_a_name_and_nothing_else() {
        for program in ["python", "/usr/bin/python3.13t", "python3-dbg", "lua5.1", "dash", "-bash", "R", "pythonw"] {
            assert!(Interpreter::of(program).is_some(), "{program}");
        }
        for program in ["pythonista", "python-runner", "shred", "nodemon", "Rterm", "vim", "sleep", "", "ipython3"] {
            assert!(Interpreter::of(program).is_none(), "{program}");
        }
        assert_eq!(Interpreter::of("python3"), Interpreter::of("/opt/pypy"));
        assert_ne!(Interpreter::of("python3"), Interpreter::of("bash"));
    }
}
