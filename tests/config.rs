//! Whatever somebody writes into a configuration, every mistake is told at once, with its place and a way out; and
//! nothing that somebody writes makes the reader fall over.
//!
//! Each `tests/config/bad/NAME.toml` has a `NAME.expected` beside it. `BOTWARDEN_BLESS=1 cargo test --test config`
//! writes what is told now; read the difference before it is committed.

#![allow(clippy::expect_used)] // What helps a test may fail like one.

use std::fmt::Write as _;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use botwarden::config::{self, Mistake, last_good};
use botwarden::core::bot::OrderSource;
use botwarden::paths::Home;

fn bad_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config/bad")
}

fn told(mistakes: &[Mistake]) -> String {
    mistakes.iter().fold(String::new(), |mut text, mistake| {
        let Mistake { file: _, line, column, key, message } = mistake;
        let _ = writeln!(text, "{line}:{column} [{key}] {message}");
        text
    })
}

fn write(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let file = folder.join(name);
    std::fs::write(&file, bytes).expect("written");
    file
}

const SMALL: &str = "[bots.a]\ncommand = [\"a\"]\nmode = \"paper\"\n";

#[test]
fn every_bad_file_is_told_as_expected() {
    let bless = std::env::var_os("BOTWARDEN_BLESS").is_some();
    let mut wrong = String::new();
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(bad_folder()).expect("the folder").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    for file in &files {
        if file.extension().is_some_and(|extension| extension == "expected") {
            assert!(file.with_extension("toml").exists(), "{} belongs to nothing", file.display());
            continue;
        }
        let now = told(&config::read(file).expect_err(&file.display().to_string()));
        let expected = file.with_extension("expected");
        if bless {
            std::fs::write(&expected, &now).expect("written");
        }
        let then = std::fs::read_to_string(&expected).unwrap_or_default();
        if now != then {
            let _ = writeln!(wrong, "{}", file.display());
            for line in then.lines().filter(|line| !now.lines().any(|other| other == *line)) {
                let _ = writeln!(wrong, "  - {line}");
            }
            for line in now.lines().filter(|line| !then.lines().any(|other| other == *line)) {
                let _ = writeln!(wrong, "  + {line}");
            }
        }
    }
    assert!(files.len() > 20, "the bad files are gone");
    assert!(wrong.is_empty(), "told otherwise than expected:\n{wrong}");
}

#[test]
fn the_example_reads_without_a_mistake() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/botwarden.example.toml");
    let config = config::read(&file).unwrap_or_else(|mistakes| panic!("{}", told(&mistakes)));
    let folder = file.parent().expect("a folder");
    let bot = config.named("momentum")[0];
    assert_eq!(bot.cwd, folder);
    assert_eq!(bot.env_file.as_deref(), Some(folder.join("momentum.env").as_path()));
    let Some(OrderSource::Freqtrade { path, .. }) = &bot.orders else { panic!("freqtrade") };
    assert!(path.is_absolute());
}

#[test]
fn a_mistake_is_shown_as_editors_expect_it_and_without_a_place_where_there_is_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = write(folder.path(), "x.toml", "[bots.a]\ncommand = [\"a\"]\nmode = \"papr\"\n");
    let mistakes = config::read(&file).expect_err("a bad mode");
    let expected = format!("{}:3:8: unknown mode \"papr\", did you mean \"paper\"?", file.display());
    assert_eq!(mistakes.iter().map(ToString::to_string).collect::<Vec<_>>(), [expected]);

    let gone = folder.path().join("gone.toml");
    let mistakes = config::read(&gone).expect_err("no file");
    let expected = format!("{}: cannot be read: no such file or directory", gone.display());
    assert_eq!(mistakes.iter().map(ToString::to_string).collect::<Vec<_>>(), [expected]);
    assert_eq!((mistakes[0].line, mistakes[0].column), (0, 0));
}

#[test]
fn what_is_no_small_file_is_refused_before_it_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let one = |path: &Path| {
        let mistakes = config::read(path).expect_err("no configuration");
        assert_eq!(mistakes.len(), 1);
        mistakes[0].message.clone()
    };
    assert_eq!(one(folder.path()), "is a folder, not a file");
    assert_eq!(one(Path::new("/dev/null")), "is not a regular file");
    let huge = folder.path().join("huge.toml");
    std::fs::File::create(&huge).and_then(|file| file.set_len(1 << 40)).expect("a sparse file");
    assert!(one(&huge).starts_with("is larger than 1 MiB"));
    let pipe = folder.path().join("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    assert_eq!(one(&pipe), "is not a regular file");
}

#[test]
fn a_file_that_may_not_be_read_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = write(folder.path(), "x.toml", SMALL);
    std::fs::set_permissions(&file, Permissions::from_mode(0o000)).expect("closed");
    if nix::unistd::geteuid().is_root() {
        eprintln!("skipped: root reads every file");
        return;
    }
    let mistakes = config::read(&file).expect_err("may not be read");
    assert_eq!(told(&mistakes), "0:0 [] cannot be read: permission denied\n");
}

#[test]
fn line_ends_and_a_byte_order_mark_change_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let plain = config::read(&write(folder.path(), "x.toml", SMALL)).expect("good");
    let text = format!("\u{feff}{}", SMALL.replace('\n', "\r\n"));
    assert_eq!(config::read(&write(folder.path(), "x.toml", &text)).expect("good"), plain);

    let text = text.replace("mode", "mdoe");
    let mistakes = config::read(&write(folder.path(), "x.toml", &text)).expect_err("mdoe");
    assert!(
        told(&mistakes).contains("3:1 [bots.a.mdoe] unknown key `mdoe`, did you mean `mode`?"),
        "{}",
        told(&mistakes)
    );
    let mistakes = config::read(&write(folder.path(), "x.toml", "\u{feff}x = 1\n")).expect_err("x");
    assert!(told(&mistakes).contains("1:1 [x]"), "{}", told(&mistakes));
}

#[test]
fn an_env_file_that_others_may_use_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = write(folder.path(), "x.toml", format!("{SMALL}env_file = \"s.env\"\n"));
    assert!(config::read(&file).is_ok(), "one that is not there yet is a warning only");
    let secrets = write(folder.path(), "s.env", "KEY=hunter2\n");
    for (mode, good) in [(0o600, true), (0o640, true), (0o644, false), (0o602, false)] {
        std::fs::set_permissions(&secrets, Permissions::from_mode(mode)).expect("set");
        let read = config::read(&file);
        assert_eq!(read.is_ok(), good, "{mode:o}");
        assert_eq!(config::env_file::read(&secrets).is_ok(), good, "{mode:o}");
        if let Err(mistakes) = read {
            let told = told(&mistakes);
            assert!(told.starts_with("4:12 [bots.a.env_file]") && told.contains("chmod 600"), "{told}");
        }
    }
    std::fs::set_permissions(&secrets, Permissions::from_mode(0o600)).expect("set");
    assert_eq!(config::env_file::read(&secrets), Ok(vec![("KEY".to_owned(), "hunter2".to_owned())]));
    write(folder.path(), "s.env", "A=1\nhunter2\n");
    let error = config::env_file::read(&secrets).expect_err("no '='");
    assert_eq!(error, format!("{}:2: has no '='; write NAME=VALUE", secrets.display()));
}

#[test]
fn what_the_machine_lacks_is_a_warning() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = r#"
[bots.a]
command = ["no-such-program-here"]
cwd = "gone"
mode = "paper"
env_file = "gone.env"
user = "no-such-user-here"
stop = [{ signal = "SIGTERM", wait = "1s" }]
pid_file = "bot.pid"
cancel = { command = ["./cancel.sh"] }
[bots.b]
command = ["sh", "-c", "exit"]
mode = "paper"
instances = 2
pid_file = "bot.pid"
[clusters.c]
database = "gone.db"
"#;
    let config = config::read(&write(folder.path(), "x.toml", text)).expect("no mistake");
    let warnings = config::outside_warnings(&config);
    let keys: Vec<&str> = warnings.iter().map(|warning| warning.key.as_str()).collect();
    let expected = [
        "bots.a.cwd",
        "bots.a.command",
        "bots.a.env_file",
        "bots.a.user",
        "bots.a.stop",
        "bots.a.cancel.command",
        "bots.a.pid_file",
        "bots.b.pid_file",
        "clusters.c.database",
        "clusters.c.workers",
    ];
    assert_eq!(keys, expected, "{warnings:#?}");
}

#[test]
fn a_good_configuration_is_kept_for_its_owner_and_written_only_when_it_changed() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::at(folder.path().join("home"));
    home.make().expect("a home");
    let mut config = config::parse(&folder.path().join("botwarden.toml"), config::EXAMPLE).expect("good");
    last_good::keep(&home, &config).expect("kept");
    let file = last_good::path(&home);
    let about = || std::fs::metadata(&file).expect("there");
    assert_eq!(about().permissions().mode() & 0o777, 0o600);
    let first = std::os::unix::fs::MetadataExt::ino(&about());
    last_good::keep(&home, &config).expect("kept");
    assert_eq!(std::os::unix::fs::MetadataExt::ino(&about()), first, "nothing changed, and it was written");
    config.bots.pop();
    config.clusters.clear();
    last_good::keep(&home, &config).expect("kept");
    assert_ne!(std::os::unix::fs::MetadataExt::ino(&about()), first);
    let names: Vec<_> = std::fs::read_dir(home.root()).expect("a folder").flatten().map(|e| e.file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    let again = last_good::read(&home).unwrap_or_else(|mistakes| panic!("{}", told(&mistakes)));
    config.file = file;
    // One instance of two is gone: the other has lost its number, as in the file.
    assert_eq!(again.bots.len(), config.bots.len());
    assert_eq!((again.estop, again.ui, again.clusters), (config.estop, config.ui, config.clusters));
    assert_eq!(again.bots[..4], config.bots[..4]);
}

#[test]
fn nothing_that_is_written_makes_the_reader_fall_over() {
    let seeds = if std::env::var_os("CI_LONG").is_some() { 20_000 } else { 1_000 };
    let file = Path::new("/desk/botwarden.toml");
    let mut texts: Vec<Vec<u8>> = vec![config::EXAMPLE.as_bytes().to_vec()];
    for entry in std::fs::read_dir(bad_folder()).expect("the folder").flatten() {
        if entry.path().extension().is_some_and(|extension| extension == "toml") {
            texts.push(std::fs::read(entry.path()).expect("read"));
        }
    }
    texts.sort();
    for seed in 0..seeds {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut bytes = texts[random.usize(..texts.len())].clone();
        for _ in 0..random.usize(1..8) {
            mutate(&mut bytes, &mut random);
        }
        let text = String::from_utf8_lossy(&bytes);
        let lines = text.matches('\n').count() + 1;
        match config::parse(file, &text) {
            Ok(config) => {
                let written = last_good::text(&config).expect("every path is text");
                let again = config::parse(file, &written).unwrap_or_else(|m| panic!("seed {seed}: {}", told(&m)));
                assert_eq!(again, config, "seed {seed}");
            }
            Err(mistakes) => {
                assert!(!mistakes.is_empty());
                for mistake in mistakes {
                    assert!((1..=lines).contains(&mistake.line) && mistake.column > 0, "seed {seed}: {mistake}");
                    assert!(!mistake.message.contains('\n'), "seed {seed}: {mistake}");
                }
            }
        }
    }
}

fn mutate(bytes: &mut Vec<u8>, random: &mut fastrand::Rng) {
    const PIECES: [&str; 16] = [
        "[",
        "]",
        "[[",
        "{",
        "}",
        "\"",
        "'''",
        "=",
        "\n",
        "\\u0000",
        "@",
        "-1",
        ".",
        "[bots.momentum]\n",
        "\u{fffd}",
        "#",
    ];
    let at = random.usize(..=bytes.len());
    let end = (at + random.usize(..40)).min(bytes.len());
    match random.u8(..5) {
        0 => drop(bytes.drain(at..end)),
        1 => drop(bytes.splice(at..at, PIECES[random.usize(..PIECES.len())].bytes())),
        2 if end > at => bytes[at] = random.u8(..),
        3 => {
            let copied = bytes[at..end].to_vec();
            let to = random.usize(..=bytes.len());
            drop(bytes.splice(to..to, copied));
        }
        _ => bytes.truncate(at.max(bytes.len() / 2)),
    }
}
