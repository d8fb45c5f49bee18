//! Programs that only execute another one: what they execute is what matters.

/// How the command line of a wrapper is read. Where it holds an option that is not listed, nobody can say which word is
/// the program, and it executes nothing that is known.
struct Wrapper {
    /// What it is called, with a blank between.
    names: &'static str,
    /// Single letters, as for `getopt`: a colon behind those with a value, two where it has to stand in the same word.
    letters: &'static str,
    /// Long options, with a blank between, and a colon behind those whose value may be the next word.
    long: &'static str,
    /// Words after the options that are not the program yet.
    before: usize,
    /// The subcommands of a tool, one of which stands before the program, with a blank between.
    verbs: &'static str,
    /// Options without one of which it executes no program.
    needs: &'static [&'static str],
}

const fn wrapper(names: &'static str, letters: &'static str, long: &'static str, before: usize) -> Wrapper {
    Wrapper { names, letters, long, before, verbs: "", needs: &[] }
}

const fn tool(names: &'static str, verbs: &'static str, letters: &'static str, long: &'static str) -> Wrapper {
    Wrapper { verbs, ..wrapper(names, letters, long, 0) }
}

const ENV: &str = "env";
const SUDO: &str = "sudo";
const UV: &str = "uv";

const UV_LETTERS: &str = "vqnUp:i:f:P:C:w:";
const UV_LONG: &str = "from: with: with-editable: with-requirements: extra: no-extra: group: no-group: only-group: \
    env-file: python: python-platform: index: default-index: index-url: extra-index-url: find-links: upgrade-package: \
    reinstall-package: refresh-package: index-strategy: keyring-provider: resolution: prerelease: fork-strategy: \
    exclude-newer: exclude-newer-package: config-setting: config-settings: config-settings-package: \
    no-build-isolation-package: no-build-package: no-binary-package: link-mode: package: cache-dir: color: \
    allow-insecure-host: trusted-host: project: directory: config-file: python-preference: python-fetch: constraints: \
    overrides: build-constraints: upgrade-group: verbose quiet no-cache no-cache-dir upgrade reinstall refresh \
    all-extras no-dev dev only-dev no-default-groups all-groups no-editable inexact exact no-env-file isolated active \
    no-active no-sync locked frozen no-index no-sources no-build no-binary no-build-isolation compile-bytecode \
    all-packages no-project no-config offline no-offline native-tls no-native-tls system-certs no-progress \
    managed-python no-managed-python no-python-downloads preview no-preview show-resolution";

const WRAPPERS: [Wrapper; 54] = [
    wrapper(
        ENV,
        "i0vu:C:a:",
        "ignore-environment null debug unset: chdir: argv0: block-signal default-signal ignore-signal \
         list-signal-handling",
        0,
    ),
    wrapper("nohup setsid", "cfw", "ctty fork wait", 0),
    wrapper("nice", "n:0::1::2::3::4::5::6::7::8::9::", "adjustment:", 0),
    wrapper("ionice", "c:n:t", "class: classdata: ignore", 0),
    wrapper("stdbuf", "i:o:e:", "input: output: error:", 0),
    wrapper("timeout", "k:s:vfp", "kill-after: signal: verbose foreground preserve-status", 1),
    wrapper(
        "chrt",
        "abdfioervRT:P:D:",
        "batch deadline ext fifo idle other rr reset-on-fork sched-runtime: sched-period: sched-deadline: all-tasks \
         verbose",
        1,
    ),
    // A mask or a list of processors.
    wrapper("taskset", "ac", "all-tasks cpu-list", 1),
    wrapper("tini tini-static docker-init", "svwglp:e:", "", 0),
    wrapper("dumb-init", "cvr:", "single-child verbose rewrite:", 0),
    wrapper("time", "apvqf:o:", "append portability verbose quiet format: output:", 0),
    // The lock file. Behind it `-c` may stand, which is no program.
    wrapper(
        "flock",
        "sxenuoFw:E:",
        "shared exclusive unlock nonblock nb close no-fork fcntl verbose timeout: wait: conflict-exit-code: start: \
         length:",
        1,
    ),
    wrapper("setlock", "nNxX", "", 1),
    wrapper(
        SUDO,
        "ABbEHiknNPsSC:D:g:h:p:R:r:t:T:u:",
        "askpass bell background preserve-env set-home login reset-timestamp non-interactive no-update \
         preserve-groups shell stdin close-from: chdir: group: host: prompt: chroot: role: type: command-timeout: user:",
        0,
    ),
    wrapper("doas", "nsa:u:", "", 0),
    wrapper("pkexec", "u:", "user: disable-internal-agent keep-cwd", 0),
    // Without a user as an option it is like `su`: the words are a user and what is handed to his shell.
    Wrapper {
        needs: &["-u", "--user"],
        ..wrapper(
            "runuser",
            "flmpPTu:g:G:s:w:",
            "fast login preserve-environment pty no-pty user: group: supp-group: shell: whitelist-environment:",
            0,
        )
    },
    // What these execute is code, or a person's typing.
    wrapper("su script screen SCREEN tmux", "", "", usize::MAX),
    wrapper("su-exec gosu setuidgid s6-setuidgid envuidgid s6-envuidgid envdir s6-envdir", "", "", 1),
    wrapper("softlimit s6-softlimit", "a:c:d:f:l:m:o:p:r:s:t:", "", 0),
    wrapper("chpst", "vP012u:U:b:e:/:C:n:l:L:m:d:o:p:f:c:r:t:", "", 0),
    wrapper(
        "setpriv",
        "",
        "clear-groups keep-groups init-groups groups: inh-caps: ambient-caps: bounding-set: nnp no-new-privs rgid: \
         egid: regid: ruid: euid: reuid: securebits: pdeathsig: ptracer: selinux-label: apparmor-profile: reset-env \
         landlock-access: landlock-rule: seccomp-filter:",
        0,
    ),
    wrapper(
        "prlimit",
        "c::d::e::f::i::l::m::n::q::r::s::t::u::v::x::y::o:",
        "core data nice fsize sigpending memlock rss nofile msgqueue rtprio stack cpu nproc as locks rttime output: \
         noheadings raw verbose",
        0,
    ),
    wrapper(
        "numactl",
        "aklbi:w:N:C:m:p:P:",
        "all balancing localalloc interleave: weighted-interleave: cpunodebind: physcpubind: membind: preferred: \
         preferred-many:",
        0,
    ),
    wrapper(
        "strace",
        "ACcdDFfhiknNqrtTvwxyYzZa:b:e:E:I:o:O:P:s:S:u:U:X:",
        "summary summary-only follow-forks output-separately debug instruction-pointer stack-traces successful-only \
         failed-only no-abbrev quiet output-append-mode columns: detach-on: env: interruptible: output: string-limit: \
         summary-sort-by: summary-columns: trace: trace-path: user: const-print-style: seccomp-bpf decode-fds \
         decode-pids relative-timestamps absolute-timestamps timestamps syscall-times strings-in-hex daemonize",
        0,
    ),
    wrapper(
        "ltrace",
        "bcCfiLrStTa:A:D:e:F:l:n:o:s:u:w:x:",
        "align: demangle output: library: where: indent: config: no-signals",
        0,
    ),
    wrapper("unbuffer", "p", "", 0),
    wrapper("catchsegv", "", "", 0),
    wrapper(
        "xvfb-run",
        "adle:f:n:p:s:w:",
        "auto-servernum auto-display listen-tcp error-file: auth-file: server-num: xauth-protocol: server-args: wait:",
        0,
    ),
    wrapper("dbus-run-session", "", "config-file: dbus-daemon:", 0),
    wrapper(
        "systemd-run",
        "rdtPSqGvH:M:u:p:E:C:",
        "user system scope remain-after-exit send-sighup no-block wait same-dir pty pty-late pipe shell quiet collect \
         no-ask-password slice-inherit ignore-failure verbose expand-environment: host: machine: unit: property: \
         description: slice: setenv: uid: gid: nice: working-directory: service-type: background: capsule: job-mode:",
        0,
    ),
    wrapper("systemd-inhibit", "", "what: who: why: mode: no-ask-password no-legend no-pager", 0),
    wrapper(
        "unshare",
        "muinpUCTfrcR:w:S:G:",
        "mount uts ipc net pid user cgroup time fork map-user: map-group: map-root-user map-current-user map-auto \
         map-users: map-groups: kill-child mount-proc propagation: setgroups: keep-caps root: wd: setuid: setgid: \
         monotonic: boottime:",
        0,
    ),
    wrapper(
        "nsenter",
        "aeFZm::u::i::n::p::C::U::T::r::w::t:S:G:W:N:",
        "all target: mount uts ipc net pid cgroup user time setuid: setgid: preserve-credentials root wd wdns: env \
         no-fork follow-context net-socket: user-parent join-cgroup",
        0,
    ),
    wrapper("chroot", "", "userspec: groups: skip-chdir", 1),
    tool(UV, "run", UV_LETTERS, UV_LONG),
    wrapper("uvx", UV_LETTERS, UV_LONG, 0),
    tool(
        "poetry",
        "run",
        "vqnC:P:",
        "verbose quiet no-interaction no-plugins no-cache ansi no-ansi directory: project:",
    ),
    tool("pipenv", "run", "vqd", "verbose quiet python: pypi-mirror: site-packages clear system"),
    tool(
        "pdm",
        "run",
        "vqgsISc:p:",
        "verbose quiet global site-packages ignore-python no-skip recreate env-file: project: config: venv:",
    ),
    tool("rye", "run", "vq", "verbose quiet pyproject:"),
    tool(
        "hatch",
        "run",
        "vqe:p:",
        "verbose quiet color no-color interactive no-interactive env: project: data-dir: \
         cache-dir: config:",
    ),
    tool(
        "conda mamba",
        "run",
        "vsn:p:",
        "verbose dev debug-wrapper-scripts no-capture-output live-stream name: prefix: cwd:",
    ),
    tool(
        "micromamba",
        "run",
        "dvqn:p:r:a:e:",
        "detach clean-env verbose quiet name: prefix: root-prefix: attach: env: cwd: label:",
    ),
    tool("pixi", "run", "vqe:", "verbose quiet environment: manifest-path: frozen locked no-install clean-env"),
    wrapper("npx bunx", "yqp:w:", "yes no no-install ignore-existing quiet bun package: workspace: prefix:", 0),
    // What `run` and `start` execute stands in a file.
    tool("npm", "exec x", "yw:C:", "yes no package: workspace: prefix: silent"),
    tool("pnpm", "exec", "rF:C:", "recursive parallel filter: dir: silent"),
    tool("yarn", "exec", "s", "silent cwd:"),
    tool("bundle bundler", "exec", "", "keep-file-descriptors no-keep-file-descriptors gemfile: verbose no-color"),
    tool("pyenv rbenv nodenv asdf", "exec", "", ""),
    wrapper("linux32 linux64 setarch", "", "", usize::MAX),
    wrapper("faketime", "fm", "exclude-monotonic", 1),
    wrapper("cpulimit", "", "", usize::MAX),
];

/// The command line without the wrappers in front of it; nothing if what they execute cannot be said.
pub(super) fn unwrapped(mut words: Vec<&str>) -> Vec<&str> {
    while let Some(wrapper) = words.first().and_then(|program| find(program)) {
        words = wrapper.inner(&words[1..]).unwrap_or_default();
    }
    words
}

fn find(program: &str) -> Option<&'static Wrapper> {
    let name = super::word::file_name(program);
    // `./script` is somebody's own, `.venv/bin/poetry` is not.
    let folder = program.strip_suffix(name).unwrap_or_default().trim_end_matches('/');
    if folder.starts_with('.') && super::word::file_name(folder) != "bin" {
        return None;
    }
    WRAPPERS.iter().find(|wrapper| wrapper.is(name))
}

fn is_among(names: &str, name: &str) -> bool {
    names.split_ascii_whitespace().any(|known| known == name)
}

/// How an option is followed by its value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Value {
    /// It is complete as it stands.
    Complete,
    /// The next word is its value.
    Next,
}

/// What `uv run` says about the program.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Python {
    Module,
    Script,
}

impl Wrapper {
    fn is(&self, name: &str) -> bool {
        is_among(self.names, name)
    }

    fn inner<'a>(&self, words: &[&'a str]) -> Option<Vec<&'a str>> {
        let mut rest = words;
        let mut verb_is_due = !self.verbs.is_empty();
        let mut has_what_it_needs = self.needs.is_empty();
        let mut python = None;
        while let Some((&word, after)) = rest.split_first() {
            if word == "--" && !verb_is_due {
                rest = after;
                break;
            }
            if self.is(ENV)
                && let Some((text, used)) = split_string(word, after.first().copied())
            {
                // What is in it is read like the rest of the line, as env does.
                let after = &after[used..];
                return Some(
                    [ENV].into_iter().chain(text.split_ascii_whitespace()).chain(after.iter().copied()).collect(),
                );
            }
            if !word.starts_with('-') {
                if !verb_is_due {
                    break;
                }
                verb_is_due = false;
                if !is_among(self.verbs, word) {
                    return None;
                }
                rest = after;
                continue;
            }
            if let Some(kind) = self.python(word) {
                python = Some(kind);
                rest = after;
                continue;
            }
            has_what_it_needs |= self.needs.iter().any(|needed| word.starts_with(needed));
            rest = match self.value(word)? {
                Value::Complete => after,
                Value::Next => after.get(1..)?,
            };
        }
        if verb_is_due || !has_what_it_needs {
            return None;
        }
        if self.is(ENV) || self.is(SUDO) {
            let assignments = rest.iter().take_while(|word| word.contains('=')).count();
            rest = &rest[assignments..];
        }
        let rest = rest.get(self.before..)?;
        let program = rest.first()?;
        // An option that stands behind the words it should stand before; or an environment's or a file's name with more.
        if program.starts_with(['-', '+']) || (!self.verbs.is_empty() && program.contains(':')) {
            return None;
        }
        let is_python = self.is(UV) && has_extension(program, &["py", "pyw"]);
        let before: &[&str] = match python {
            Some(Python::Module) => &["python", "-m"],
            Some(Python::Script) => &["python"],
            None if is_python => &["python"],
            None => &[],
        };
        Some(before.iter().chain(rest).copied().collect())
    }

    fn python(&self, option: &str) -> Option<Python> {
        match option {
            "-m" | "--module" if self.is(UV) => Some(Python::Module),
            "-s" | "--script" | "--gui-script" if self.is(UV) => Some(Python::Script),
            _ => None,
        }
    }

    /// Nothing if the option is not known.
    fn value(&self, option: &str) -> Option<Value> {
        if let Some(option) = option.strip_prefix("--") {
            let (name, value) = option.split_once('=').map_or((option, None), |(name, value)| (name, Some(value)));
            let known = self.long.split_ascii_whitespace().find(|known| known.trim_end_matches(':') == name)?;
            return Some(if value.is_none() && known.ends_with(':') { Value::Next } else { Value::Complete });
        }
        let letters = option.strip_prefix('-')?;
        if letters.is_empty() {
            // A dash alone is `-i` for env, and standard input or a login elsewhere.
            return self.is(ENV).then_some(Value::Complete);
        }
        // Of several letters, the first that has a value takes all that follows; if nothing does, the next word.
        for (at, letter) in letters.char_indices() {
            let known = self.letters.find(letter).filter(|_| letter != ':')?;
            let takes = &self.letters[known + letter.len_utf8()..];
            if takes.starts_with("::") {
                return Some(Value::Complete);
            }
            if takes.starts_with(':') {
                let is_last = at + letter.len_utf8() == letters.len();
                return Some(if is_last { Value::Next } else { Value::Complete });
            }
        }
        Some(Value::Complete)
    }
}

fn has_extension(name: &str, extensions: &[&str]) -> bool {
    name.rsplit_once('.').is_some_and(|(_, it)| extensions.iter().any(|known| known.eq_ignore_ascii_case(it)))
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
            "flock -n x.lock bot x",
            "flock -w 5 --conflict-exit-code 3 x.lock bot x",
            "flock --timeout=5 -xo x.lock bot x",
            "sudo bot x",
            "sudo -u nobody bot x",
            "sudo -nu nobody -- bot x",
            "sudo -EHunobody --group=x A=1 B=2 bot x",
            "sudo --preserve-env=A --user nobody bot x",
            "sudo -i bot x",
            "doas -n -u nobody bot x",
            "runuser -u nobody bot x",
            "runuser --user=nobody -g x -- bot x",
            "runuser -unobody -- bot x",
            "su-exec nobody:x bot x",
            "gosu nobody bot x",
            "setpriv --reuid=1 --regid 1 --clear-groups --no-new-privs bot x",
            "setpriv --reuid 1 --init-groups -- bot x",
            "chpst -u nobody -e ./env -P bot x",
            "setuidgid nobody bot x",
            "envdir ./env bot x",
            "softlimit -m 1000 -o20 bot x",
            "prlimit --nofile=1024:2048 -c0 bot x",
            "numactl -N 0 --membind=0 bot x",
            "taskset --cpu-list 0 bot x",
            "strace -ff -o x.log -e trace=open bot x",
            "ltrace -S -o x.log bot x",
            "unbuffer -p bot x",
            "xvfb-run -a -s -x bot x",
            "systemd-run --user --scope -p MemoryMax=1G --unit x bot x",
            "catchsegv bot x",
            "dbus-run-session -- bot x",
            "unshare -rn --map-user=1 bot x",
            "nsenter -t 1 -m -n/x bot x",
            "chroot --userspec=nobody /srv bot x",
            "time -f %e bot x",
            "uv run bot x",
            "uv --project /x run --with y -p 3.12 --frozen -- bot x",
            "poetry run bot x",
            "poetry -C /x --no-plugins run bot x",
            "pipenv run bot x",
            "pdm run -p /x bot x",
            "rye run bot x",
            "hatch -e x run bot x",
            "conda run -n x --no-capture-output bot x",
            "mamba run --prefix /x bot x",
            "npx --yes -p y bot x",
            "npm exec -- bot x",
            "pnpm exec bot x",
            "bundle exec bot x",
            "pyenv exec bot x",
            "sudo -u nobody flock -n x.lock env A=1 poetry run bot x",
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

    #[test]
    fn where_the_program_cannot_be_told_nothing_is_left() {
        for line in [
            "flock 9",
            "flock -n x.lock",
            "flock x.lock -c bot",
            "flock -c bot x.lock",
            "flock --new-option 5 x.lock bot",
            "sudo",
            "sudo -i",
            "sudo -s",
            "sudo -l bot",
            "sudo -e bot",
            "sudo -v",
            "sudo -u",
            "sudo -u nobody",
            "sudo A=1 -u nobody bot",
            "doas -C x bot",
            "su -c bot",
            "su nobody bot",
            "su - nobody -c bot",
            "runuser nobody bot",
            "runuser - nobody -c bot",
            "runuser -u nobody -c bot",
            "script -c bot x",
            "screen -dmS x bot",
            "tmux new bot",
            "taskset -p 1",
            "ionice -p 1",
            "prlimit -p 1",
            "strace -p 1",
            "nice --what 5 bot",
            "uv",
            "uv pip install bot",
            "uv --what x run bot",
            "uv run",
            "uv run - x",
            "uv run https://x/bot.py",
            "uv run --what bot",
            "poetry install",
            "poetry shell",
            "poetry -- run bot",
            "hatch run x:bot",
            "hatch run +py=3 bot",
            "conda activate x",
            "npm run bot",
            "npm start",
            "yarn run bot",
            "npx -c bot",
            "bundle install",
        ] {
            assert_eq!(unwrapped(line.split(' ').collect()), [""; 0], "{line}");
        }
    }

    #[test]
    fn a_python_file_that_uv_runs_is_a_script() {
        for (line, inner) in [
            ("uv run run_bot.py x", "python run_bot.py x"),
            ("uv run -q --with rich ./src/run_bot.PY", "python ./src/run_bot.PY"),
            ("uv run -m bot.main x", "python -m bot.main x"),
            ("uv run -s run_bot x", "python run_bot x"),
            ("uv run python run_bot.py", "python run_bot.py"),
            ("uv run pytest", "pytest"),
            ("poetry run python -u run_bot.py", "python -u run_bot.py"),
        ] {
            assert_eq!(unwrapped(line.split(' ').collect()).join(" "), inner, "{line}");
        }
    }

    #[test]
    fn a_file_of_the_folder_is_no_wrapper_by_its_name() {
        assert_eq!(unwrapped(vec!["./script", "x"]), ["./script", "x"]);
        assert_eq!(unwrapped(vec![".venv/bin/poetry", "run", "bot"]), ["bot"]);
    }

    #[test]
    fn every_wrapper_is_listed_once() {
        let mut names: Vec<&str> = WRAPPERS.iter().flat_map(|wrapper| wrapper.names.split(' ')).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
