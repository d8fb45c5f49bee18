//! Programs that only execute another one: what they execute is what matters.

/// How the command line of a wrapper is read.
struct Wrapper {
    name: &'static str,
    /// Options whose value is the next word, or the rest of the same one.
    values: &'static [&'static str],
    /// Words after the options that are not the program yet.
    before: usize,
}

const fn wrapper(name: &'static str, values: &'static [&'static str], before: usize) -> Wrapper {
    Wrapper { name, values, before }
}

const ENV: &str = "env";

const WRAPPERS: [Wrapper; 11] = [
    wrapper(ENV, &["-u", "--unset", "-C", "--chdir", "-a", "--argv0"], 0),
    wrapper("nohup", &[], 0),
    wrapper("nice", &["-n", "--adjustment"], 0),
    wrapper("ionice", &["-c", "--class", "-n", "--classdata"], 0),
    wrapper("setsid", &[], 0),
    wrapper("stdbuf", &["-i", "--input", "-o", "--output", "-e", "--error"], 0),
    wrapper("timeout", &["-k", "--kill-after", "-s", "--signal"], 1),
    wrapper("chrt", &["-T", "--sched-runtime", "-P", "--sched-period", "-D", "--sched-deadline"], 1),
    // A mask or a list of processors.
    wrapper("taskset", &[], 1),
    wrapper("tini", &["-p", "-e"], 0),
    wrapper("dumb-init", &["-r", "--rewrite"], 0),
];

/// The command line without the wrappers in front of it.
pub(super) fn unwrapped(mut words: Vec<&str>) -> Vec<&str> {
    while let Some(wrapper) = words.first().and_then(|program| find(program)) {
        words = wrapper.inner(&words[1..]);
    }
    words
}

fn find(program: &str) -> Option<&'static Wrapper> {
    let name = super::word::file_name(program);
    WRAPPERS.iter().find(|wrapper| wrapper.name == name)
}

impl Wrapper {
    fn inner<'a>(&self, words: &[&'a str]) -> Vec<&'a str> {
        let mut at = 0;
        while let Some(word) = words.get(at).filter(|word| word.starts_with('-')) {
            at += 1;
            if *word == "--" {
                break;
            }
            if self.name == ENV
                && let Some((text, used)) = split_string(word, words.get(at).copied())
            {
                // What is in it is read like the rest of the line, as env does.
                let rest = words.get(at + used..).unwrap_or_default();
                return [ENV].into_iter().chain(text.split_ascii_whitespace()).chain(rest.iter().copied()).collect();
            }
            at += usize::from(self.takes_the_next(word));
        }
        let rest = words.get(at..).unwrap_or_default();
        let assignments = if self.name == ENV { rest.iter().take_while(|word| word.contains('=')).count() } else { 0 };
        rest.iter().skip(assignments + self.before).copied().collect()
    }

    fn takes_the_next(&self, option: &str) -> bool {
        if option.starts_with("--") {
            return self.values.contains(&option);
        }
        // Of several letters, the first that has a value takes all that follows; if nothing does, the next word.
        let has_a_value = |letter: char| {
            self.values.iter().any(|value| value.strip_prefix('-').is_some_and(|value| value.chars().eq([letter])))
        };
        option.find(has_a_value).is_some_and(|at| at + 1 == option.len())
    }
}

/// The text that `env -S` splits, and how many further words it took.
fn split_string<'a>(word: &'a str, next: Option<&'a str>) -> Option<(&'a str, usize)> {
    if matches!(word, "-S" | "--split-string") {
        return next.map(|next| (next, 1));
    }
    word.strip_prefix("--split-string=").or_else(|| word.strip_prefix("-S")).map(|text| (text, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_wrapper_executes_is_what_is_left() {
        for line in [
            "env bot x",
            "/usr/bin/env -i -u NAME A=1 B=2 bot x",
            "env -uNAME --unset=OTHER - bot x",
            "env --unset NAME -C / -- A=1 bot x",
            "nohup bot x",
            "nice bot x",
            "nice -n 10 bot x",
            "nice -n10 bot x",
            "nice -10 bot x",
            "nice --adjustment=5 bot x",
            "ionice -c 2 -n7 bot x",
            "setsid -fw bot x",
            "stdbuf -oL -e 0 bot x",
            "timeout 60 bot x",
            "timeout -k 5 --signal=INT --foreground 1h bot x",
            "timeout -vs INT 60 bot x",
            "chrt -f 10 bot x",
            "taskset -c 0,1 bot x",
            "taskset 0x3 bot x",
            "tini -g -- bot x",
            "nohup nice -n 5 env A=1 timeout 5 bot x",
        ] {
            assert_eq!(unwrapped(line.split(' ').collect()), ["bot", "x"], "{line}");
        }
        assert_eq!(unwrapped(vec!["env", "-S", "A=1 bot", "x"]), ["bot", "x"]);
        assert_eq!(unwrapped(vec!["env", "-Sbot x"]), ["bot", "x"]);
    }

    #[test]
    fn a_wrapper_that_executes_nothing_leaves_nothing() {
        for line in ["env", "nice -n", "timeout 60", "timeout", "env A=1", "nohup --"] {
            assert_eq!(unwrapped(line.split(' ').collect()), [""; 0], "{line}");
        }
    }
}
