//! The paper desk, with real processes: it comes to life, it shows what it promises to show, and nothing of it is left.

#![allow(clippy::expect_used)] // What helps a test may fail like one.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use botwarden::act;
use botwarden::act::procedure::{Errand, StopOrder};
use botwarden::config;
use botwarden::core::bot::{BotName, Mode};
use botwarden::core::signal::Signal;
use botwarden::core::state::State;
use botwarden::core::status::BotStatus;
use botwarden::core::stop::Wish;
use botwarden::demo::{PaperDesk, Setup, TEXT};
use botwarden::paths::Home;
use botwarden::process;
use botwarden::survey::Surveyor;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_botwarden");
/// Far more than anything here takes; only a failure waits for it.
const DEADLINE: Duration = Duration::from_secs(90);

/// A desk in a folder of its own, with bots that waste less time than a newcomer's. It is killed when it is dropped.
struct Stage {
    desk: PaperDesk,
    folder: TempDir,
}

fn hasty() -> String {
    TEXT.replace("\"flaky\"]", "\"flaky\", \"--life\", \"300ms\"]")
        .replace("\"--warmup\", \"8s\"", "\"--warmup\", \"400ms\"")
        .replace("\"--pause\", \"2s\"", "\"--pause\", \"700ms\"")
        .replace("wait = \"3s\"", "wait = \"300ms\"")
        .replace("timeout = \"3s\"", "timeout = \"1500ms\"")
}

fn setup(parent: &Path) -> Setup {
    Setup { parent: parent.to_owned(), program: PROGRAM.into(), text: hasty() }
}

impl Stage {
    fn open() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let desk = PaperDesk::open_with(&setup(folder.path())).expect("a desk");
        Self { desk, folder }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(PROGRAM)
            .arg("--home")
            .arg(self.desk.home().root())
            .arg("--config")
            .arg(self.desk.config_file())
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .expect("botwarden")
    }

    /// Through the command line, because a keeper is the program that starts it.
    fn start(&self, bots: &[&str]) {
        let output = self.run(&[&["start"], bots].concat());
        assert!(output.status.success(), "{output:?}");
    }

    fn look(&self) -> Vec<BotStatus> {
        Surveyor::new(self.desk.home().clone()).look(self.desk.specs())
    }

    fn state(&self, name: &str) -> State {
        self.look().into_iter().find(|bot| bot.name.as_str() == name).expect("a bot").state
    }

    fn log(&self, name: &str) -> String {
        String::from_utf8(self.run(&["logs", name, "-n", "200"]).stdout).expect("text")
    }

    /// Stops one bot, which comes to this exit code; its part of the report.
    fn stop(&self, name: &str, code: i32) -> Value {
        let output = self.run(&["--json", "stop", name]);
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
        assert_eq!(report["exit_code"], code, "{report}");
        let bot = report["bots"][0].clone();
        assert_eq!((&bot["name"], &bot["outcome"]), (&name.into(), &"stopped".into()), "{report}");
        bot
    }

    /// Stops one bot as a stopper does, and listens to it: how many orders were gone each time that it said something of
    /// them, and the report.
    fn watch(&self, name: &str) -> (Vec<u64>, Value) {
        let names = [name.parse::<BotName>().expect("a name")];
        let order = StopOrder::new(self.desk.home(), Wish::Stop, &names, Some(self.desk.specs()), "a test");
        let mut command = Command::new(PROGRAM);
        command.args(["stopper", &order.id]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut stopper = command.spawn().expect("botwarden");
        let order = serde_json::to_vec(&Errand::Stop(Box::new(order))).expect("JSON");
        stopper.stdin.take().expect("its stdin").write_all(&order).expect("read");
        let words = BufReader::new(stopper.stdout.take().expect("its stdout"));
        let (mut gone, mut last) = (Vec::new(), Value::Null);
        for line in words.lines() {
            let word: Value = serde_json::from_str(&line.expect("a line")).expect("JSON");
            gone.extend(word["progress"]["orders"]["canceled"].as_u64());
            last = word["over"].clone();
        }
        stopper.wait().expect("its end");
        (gone, last)
    }

    fn work(&self, file: &str) -> PathBuf {
        self.desk.home().root().join("work").join(file)
    }
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < DEADLINE, "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn opened(file: &Path) -> Connection {
    // A bot that was killed in the middle of a change leaves a journal, and only who may write can take that change back.
    let open = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE).expect("an order file");
    open.busy_timeout(Duration::from_secs(10)).expect("patience");
    open
}

/// The words of every order in a file like 247trader's.
fn states(file: &Path) -> Vec<String> {
    let payload: String =
        opened(file).query_row("SELECT payload FROM state_store", [], |row| row.get(0)).expect("its state");
    let state: Value = serde_json::from_str(&payload).expect("JSON");
    let orders = state["open_orders"].as_object().expect("orders");
    orders.values().map(|order| order["status"].as_str().expect("a word").to_owned()).collect()
}

fn open_orders(file: &Path) -> usize {
    states(file).iter().filter(|state| matches!(state.as_str(), "new" | "open" | "partial_fill")).count()
}

fn open_trades(file: &Path) -> i64 {
    opened(file)
        .query_row(
            "SELECT count(*) FROM orders JOIN trades ON orders.ft_trade_id = trades.id WHERE orders.ft_is_open = 1",
            [],
            |row| row.get(0),
        )
        .expect("freqtrade's tables")
}

/// Verified: how many were open before, and of them and later ones how many are canceled and how many unconfirmed.
fn figures(bot: &Value) -> [u64; 3] {
    ["before", "canceled", "unconfirmed"].map(|figure| bot["orders"][figure].as_u64().expect("a figure"))
}

/// Claimed: orders canceled, cancel errors, state flushed.
fn claims(bot: &Value) -> (Option<u64>, Option<u64>, Option<bool>) {
    let claims = &bot["claims"];
    (claims["orders_canceled"].as_u64(), claims["cancel_errors"].as_u64(), claims["state_flushed"].as_bool())
}

fn errors(bot: &Value) -> String {
    let errors = bot["errors"].as_array().expect("errors").iter();
    errors.filter_map(Value::as_str).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_embedded_configuration_reads_without_a_mistake() {
    let config = config::parse(Path::new("/nowhere/demo.toml"), TEXT).expect("no mistake");
    assert_eq!((config.bots.len(), config.clusters.len()), (12, 1));
    assert!(config.bots.iter().all(|bot| bot.mode != Mode::Live), "a newcomer places no live orders");
    assert!(config.bots.iter().all(|bot| bot.command[..2] == ["botwarden", "paper-bot"]));
    assert_ne!(hasty(), TEXT);

    let stage = Stage::open();
    let found = stage.run(&["--json", "check"]);
    let found: Value = serde_json::from_slice(&found.stdout).expect("JSON");
    assert_eq!(found["ok"], true, "{found}");
    assert!(stage.desk.specs().iter().all(|bot| bot.command[0] == PROGRAM));
}

#[test]
fn everything_comes_to_life_and_nothing_of_it_is_left() {
    use std::os::unix::fs::PermissionsExt;
    let mut stage = Stage::open();
    let root = stage.desk.home().root().to_owned();
    assert_eq!(root.metadata().expect("a home").permissions().mode() & 0o777, 0o700);
    stage.start(&["--all"]);
    until("all of them run", || {
        stage.look().iter().all(|bot| bot.state == State::Running || bot.name.as_str() == "flaky")
    });
    assert_eq!(open_orders(&stage.work("maker/data/state.db")), 4);
    assert_eq!(open_orders(&stage.work("slow-stop/data/state.db")), 4);
    assert_eq!(open_orders(&stage.work("refuser/data/state.db")), 3);
    assert_eq!(open_orders(&stage.work("stubborn/data/state.db")), 2);
    assert_eq!(open_orders(&stage.work("liar/data/state.db")), 2);
    assert_eq!(open_trades(&stage.work("trend/tradesv3.dryrun.sqlite")), 2);
    until("a heartbeat", || {
        stage.look().iter().any(|bot| bot.name.as_str() == "maker" && bot.heartbeat_age_s.is_some())
    });

    let closing = stage.desk.close();
    assert!(closing.is_clean(), "{closing:?}");
    let told = closing.lines.join("\n");
    let line = |name: &str| closing.lines.iter().find(|line| line.starts_with(name)).expect(&told);
    let cluster = ["sweep-coordinator", "sweep-worker@1", "sweep-worker@2"];
    for name in ["maker", "trend", "arb", "slow-start", "slow-stop"].into_iter().chain(cluster) {
        assert!(line(name).contains("stopped, exited with 0"), "{told}");
    }
    assert!(line("stubborn").contains("stopped, was ended by SIGKILL"), "{told}");
    // Their simulated orders stay open, and that keeps nobody here: they go with the home.
    for (name, left) in [("refuser", "1 simulated order was left open"), ("liar", "2 simulated orders were left open")]
    {
        assert!(line(name).contains("stopped, exited with 0") && line(name).contains(left), "{told}");
    }
    assert!(!told.contains("check at the venue"), "{told}");
    assert!(told.contains(&format!("{} is removed", root.display())), "{told}");
    assert!(!root.exists());
    assert!(process::marked(&root).is_empty());
    assert_eq!(stage.desk.close(), closing, "a second time is no mistake");
    assert_eq!(stage.folder.path().read_dir().expect("the folder").count(), 0);
}

#[test]
fn the_well_behaved_take_their_orders_back_and_say_so() {
    let stage = Stage::open();
    stage.start(&["maker", "trend", "arb", "slow-stop"]);
    let maker = stage.stop("maker", 0);
    assert_eq!((figures(&maker), claims(&maker)), ([4, 4, 0], (Some(4), Some(0), Some(true))), "{maker}");
    assert_eq!((&maker["orders"]["verified"], &maker["state_flushed"]), (&true.into(), &true.into()), "{maker}");
    let trend = stage.stop("trend", 0);
    assert_eq!((figures(&trend), claims(&trend).0), ([2, 2, 0], Some(2)), "{trend}");
    assert_eq!((&trend["state_flushed"], &trend["state_written"]), (&true.into(), &true.into()), "{trend}");
    let arb = stage.stop("arb", 0);
    assert_eq!((&arb["mode"], figures(&arb)), (&"dry-run".into(), [0, 0, 0]), "{arb}");
    let (seen, slow) = stage.watch("slow-stop");
    assert!(seen.len() > 2 && seen.is_sorted() && seen.iter().any(|gone| (1..4).contains(gone)), "{seen:?}");
    assert_eq!((slow["exit_code"].as_u64(), figures(&slow["bots"][0])), (Some(0), [4, 4, 0]), "{slow}");
    assert_eq!(open_orders(&stage.work("maker/data/state.db")), 0);
    assert_eq!(states(&stage.work("maker/data/state.db")).iter().filter(|state| *state == "canceled").count(), 4);
    assert_eq!(open_orders(&stage.work("slow-stop/data/state.db")), 0);
    assert_eq!(open_trades(&stage.work("trend/tradesv3.dryrun.sqlite")), 0);

    let log = stage.log("maker");
    let mut rest = log.as_str();
    for words in [
        " INFO maker: order ack id=",
        " WARNING __main__: SHUTDOWN SIGNAL RECEIVED - Initiating graceful shutdown\n",
        " INFO __main__: Step 1: Canceling active orders...\n",
        " INFO __main__: Found 4 active orders to cancel\n",
        " INFO __main__:   - ETH/USD ",
        " INFO __main__: Batch canceled 4 orders\n",
        " INFO __main__: Step 2: Flushing StateStore to disk...\n",
        " INFO __main__: GRACEFUL SHUTDOWN COMPLETE\n",
        " INFO __main__:   Orders canceled: 4\n",
        " INFO __main__:   Cancel errors: 0\n",
        " INFO __main__:   State flushed: True\n",
    ] {
        let at = rest.find(words).unwrap_or_else(|| panic!("{words:?} is missing, or not in its place:\n{log}"));
        rest = &rest[at + words.len()..];
    }
    assert!(stage.log("slow-stop").contains("(4 of 4)"));
    let quiet = stage.log("arb");
    assert!(quiet.contains("DRY_RUN mode - skipping order cancellation") && !quiet.contains("COMPLETE"), "{quiet}");
}

#[test]
fn orders_of_a_killed_run_are_found_by_the_next_one() {
    let stage = Stage::open();
    stage.start(&["maker", "trend"]);
    let output = stage.run(&["kill", "maker", "trend", "--yes"]);
    // They are gone, and nobody but themselves could have canceled what they left open.
    assert_eq!(output.status.code(), Some(11), "{output:?}");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(told.matches("not confirmed canceled: ").count(), 6, "{told}");
    assert_eq!(open_orders(&stage.work("maker/data/state.db")), 4, "nobody canceled them");
    assert_eq!(open_trades(&stage.work("trend/tradesv3.dryrun.sqlite")), 2);
    stage.start(&["maker", "trend"]);
    assert!(stage.log("maker").contains("4 orders of the last run were still open, canceled"));
    assert!(stage.log("trend").contains("2 orders of the last run were still open, canceled"));
}

/// Runs the cancel command as a stop would: in the bot's folder, without anything that marks a bot's tree.
fn cancel(folder: &Path, asked: &str) -> Output {
    let mut command = Command::new(PROGRAM);
    command.args(["paper-bot", "cancel"]).current_dir(folder).env_remove("BOTWARDEN_HOME");
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("botwarden");
    // One that refuses to begin reads nothing.
    let _ = child.stdin.take().expect("its stdin").write_all(asked.as_bytes());
    child.wait_with_output().expect("its words")
}

/// The contract's question about every order in a bot's file, by the venue's ids.
fn every_order(file: &Path) -> String {
    let payload: String =
        opened(file).query_row("SELECT payload FROM state_store", [], |row| row.get(0)).expect("its state");
    let state: Value = serde_json::from_str(&payload).expect("JSON");
    let orders: Vec<Value> = state["open_orders"]
        .as_object()
        .expect("orders")
        .values()
        .map(|order| serde_json::json!({ "order_id": order["order_id"] }))
        .collect();
    serde_json::json!({ "bot": "x", "mode": "paper", "orders": orders, "deadline_ms": 1000 }).to_string()
}

fn results(output: &Output) -> Vec<String> {
    let text = String::from_utf8_lossy(&output.stdout);
    let word = |line: &str| serde_json::from_str::<Value>(line).expect("JSON")["result"].as_str().map(str::to_owned);
    text.lines().map(|line| word(line).expect("a word")).collect()
}

#[test]
fn what_a_killed_bot_leaves_is_canceled_by_its_command() {
    let stage = Stage::open();
    stage.start(&["stubborn"]);
    let file = stage.work("stubborn/data/state.db");
    let asked = every_order(&file);
    let stubborn = stage.stop("stubborn", 0);
    assert_eq!((figures(&stubborn), claims(&stubborn)), ([2, 2, 0], (None, None, None)), "{stubborn}");
    assert_eq!(stubborn["exit"]["signal"], "SIGKILL", "{stubborn}");
    let by_command = |result: &Value| result["result"] == "canceled" && result["attempts"] == 1;
    assert!(stubborn["orders"]["results"].as_array().expect("results").iter().all(by_command), "{stubborn}");
    let again = cancel(&stage.work("stubborn"), &asked);
    assert!(again.status.success(), "{again:?}");
    assert_eq!(results(&again), ["gone", "gone"], "the stop has done it");
    assert_eq!(open_orders(&file), 0);
}

#[test]
fn what_is_canceled_while_a_bot_lives_does_not_come_back() {
    let stage = Stage::open();
    stage.start(&["slow-stop", "refuser"]);
    let output = stage.run(&["cancel", "slow-stop"]);
    assert!(output.status.success(), "{output:?}");
    let output = stage.run(&["cancel", "refuser"]);
    assert_eq!(output.status.code(), Some(11), "{output:?}");
    assert_eq!((stage.state("slow-stop"), open_orders(&stage.work("slow-stop/data/state.db"))), (State::Running, 0));
    let slow = stage.stop("slow-stop", 0);
    assert_eq!((figures(&slow), claims(&slow).0), ([0, 0, 0], Some(0)), "{slow}");
    let refuser = stage.stop("refuser", 11);
    assert_eq!((figures(&refuser), claims(&refuser).0), ([1, 0, 1], Some(0)), "{refuser}");
    assert!(!errors(&refuser).contains("it says that"), "it does not lie: {refuser}");
}

#[test]
fn a_venue_that_refuses_is_asked_again_and_one_order_stays() {
    let stage = Stage::open();
    stage.start(&["refuser"]);
    let (file, folder) = (stage.work("refuser/data/state.db"), stage.work("refuser"));
    assert_eq!(open_orders(&file), 3);
    // Behind the back of a bot that lives: what a stop does meets the same venue.
    let asked = every_order(&file);
    let mut first = results(&cancel(&folder, &asked));
    first.sort_unstable();
    assert_eq!(first, ["canceled", "refused", "refused"]);
    let mut second = results(&cancel(&folder, &asked));
    second.sort_unstable();
    assert_eq!(second, ["canceled", "gone", "refused"]);
    let mut third = results(&cancel(&folder, &asked));
    third.sort_unstable();
    assert_eq!(third, ["gone", "gone", "refused"]);
    assert_eq!(open_orders(&file), 1);
    let odd = r#"{"orders":[{"order_id":null},{"order_id":"nobody's"}]}"#;
    assert_eq!(results(&cancel(&folder, odd)), ["unknown", "gone"]);
    for wrong in ["", "[]", "{\"orders\":7}"] {
        let output = cancel(&folder, wrong);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{output:?}");
    }
    let output = cancel(stage.folder.path(), &asked);
    assert!(String::from_utf8_lossy(&output.stderr).contains("only on a paper desk"), "{output:?}");
}

#[test]
fn the_refuser_and_the_liar_say_what_they_are_here_to_say() {
    let stage = Stage::open();
    stage.start(&["refuser", "liar"]);
    let before = open_orders(&stage.work("liar/data/state.db"));
    let written = |stage: &Stage| std::fs::metadata(stage.work("liar/data/state.db")).and_then(|file| file.modified());
    let then = written(&stage).expect("its file");
    // One is canceled by the bot, one by its command when that tries again, and one by nobody.
    let report = stage.stop("refuser", 11);
    assert_eq!((figures(&report), claims(&report)), ([3, 2, 1], (Some(1), Some(2), Some(true))), "{report}");
    let results = report["orders"]["results"].as_array().expect("results");
    let mut words: Vec<_> = results.iter().filter_map(|result| result["result"].as_str()).collect();
    words.sort_unstable();
    assert_eq!(words, ["canceled", "canceled", "refused"], "{report}");
    let why = errors(&report);
    assert!(why.contains("not confirmed canceled: LINK-USD") && why.contains("refused"), "{why}");
    let refuser = stage.log("refuser");
    assert_eq!(refuser.matches("Failed to cancel order PX-").count(), 2, "{refuser}");
    assert!(refuser.contains("429 Too Many Requests") && refuser.contains("Orders canceled: 1\n"), "{refuser}");
    assert!(refuser.contains("Cancel errors: 2\n") && refuser.contains("State flushed: True\n"), "{refuser}");
    let report = stage.stop("liar", 11);
    assert_eq!((figures(&report), claims(&report)), ([2, 0, 2], (Some(2), Some(0), Some(true))), "{report}");
    assert_eq!((&report["state_flushed"], &report["state_written"]), (&false.into(), &false.into()), "{report}");
    let why = errors(&report);
    assert!(why.contains("it says that it canceled 2 orders, and 2 are still open"), "{why}");
    assert!(
        why.contains("it says that its state is flushed, and ") && why.contains("state.db was not written"),
        "{why}"
    );
    let liar = stage.log("liar");
    for claim in ["Orders canceled: 2\n", "Cancel errors: 0\n", "State flushed: True\n", "GRACEFUL SHUTDOWN COMPLETE"] {
        assert!(liar.contains(claim), "{liar}");
    }
    assert_eq!((before, open_orders(&stage.work("liar/data/state.db"))), (2, 2));
    assert_eq!(written(&stage).expect("its file"), then);
}

#[test]
fn the_flaky_one_crashes_and_backs_off() {
    let stage = Stage::open();
    stage.start(&["flaky"]);
    until("it backs off", || stage.state("flaky") == State::Backoff);
    let log = stage.log("flaky");
    assert!(log.contains("Traceback (most recent call last):") && log.contains("flaky.venue.VenueError"), "{log}");
    until("it was tried again", || {
        stage.look().iter().any(|bot| bot.name.as_str() == "flaky" && bot.restarts.is_some_and(|times| times > 0))
    });
    let bots = stage.look();
    let flaky = bots.iter().find(|bot| bot.name.as_str() == "flaky").expect("it");
    assert_eq!(flaky.last_exit.as_ref().and_then(|exit| exit.code), Some(1));
}

/// How many chunks of the cluster say this of themselves.
fn chunks(stage: &Stage, status: &str) -> i64 {
    opened(&stage.work("sweep/exploration.db"))
        .query_row("SELECT count(*) FROM chunks WHERE status = ?1", [status], |row| row.get(0))
        .expect("a table of chunks")
}

/// What `cluster status` says of it.
fn cluster(stage: &Stage) -> Value {
    let output = stage.run(&["--json", "cluster", "status", "sweep"]);
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice::<Value>(&output.stdout).expect("JSON")["clusters"][0].clone()
}

#[test]
fn the_cluster_really_works_through_its_chunks() {
    let stage = Stage::open();
    stage.start(&["--group", "sweep"]);
    let before = chunks(&stage, "completed");
    assert!(before > 0, "a newcomer sees a sweep in the middle");
    until("chunks are completed", || chunks(&stage, "completed") > before + 1);
    until("both workers have one", || chunks(&stage, "running") == 2);
    let seen = cluster(&stage);
    assert_eq!((&seen["workers_alive"], &seen["coordinator_alive"]), (&2.into(), &true.into()), "{seen}");
    assert!(seen["combinations"]["tested"].as_u64().is_some_and(|tested| tested > 0), "{seen}");
    assert_eq!((&seen["total"], &seen["stale"]), (&60.into(), &0.into()), "{seen}");
    let log = stage.log("sweep-worker@1");
    assert!(log.contains(" INFO worker: chunk ") && log.contains(" completed, best Sharpe "), "{log}");
}

#[test]
fn a_worker_that_is_killed_leaves_a_stale_chunk_and_a_stop_puts_it_back() {
    let stage = Stage::open();
    stage.start(&["--group", "sweep"]);
    let in_the_middle = || {
        let found: i64 = opened(&stage.work("sweep/exploration.db"))
            .query_row(
                "SELECT count(*) FROM chunks
                 WHERE status = 'running' AND assigned_worker = 'sweep-worker@1' AND done > 0 AND done < n",
                [],
                |row| row.get(0),
            )
            .expect("a table of chunks");
        found == 1
    };
    until("a worker is in the middle of a chunk", in_the_middle);
    let pid = stage.look().iter().find(|bot| bot.name.as_str() == "sweep-worker@1").and_then(|bot| bot.pid);
    let id = process::identify(pid.expect("its process")).expect("it lives");
    process::Held::open(&id).expect("it lives").signal(Signal::KILL).expect("it is ours");
    until("it is stale", || cluster(&stage)["state"] == "stale");
    let seen = cluster(&stage);
    assert_eq!((&seen["stale"], &seen["workers_alive"]), (&1.into(), &1.into()), "{seen}");
    assert!(seen["note"].as_str().is_some_and(|note| note.contains("sweep-worker@1 does not live")), "{seen}");

    let output = stage.run(&["--json", "cluster", "stop"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
    assert!(report["clusters"][0]["reset"].as_u64().is_some_and(|count| count > 0), "{report}");
    assert_eq!((chunks(&stage, "running"), &report["clusters"][0]["running"]), (0, &0.into()), "{report}");
    let again = stage.run(&["cluster", "stop"]);
    assert_eq!(again.status.code(), Some(0), "{again:?}");
    let told = String::from_utf8_lossy(&again.stdout);
    assert!(told.contains("sweep  nothing to kill (already stopped), 0 chunks put back, "), "{told}");
}

#[test]
fn a_desk_that_is_dropped_takes_its_bots_along() {
    let stage = Stage::open();
    stage.start(&["stubborn", "arb"]);
    let Stage { desk, folder } = stage;
    let root = desk.home().root().to_owned();
    assert_eq!(process::marked(&root).len(), 2);
    drop(desk);
    assert!(process::marked(&root).is_empty());
    assert!(!root.exists());
    assert_eq!(folder.path().read_dir().expect("the folder").count(), 0);
}

#[test]
fn only_real_homes_of_ours_are_cleared_away() {
    let folder = tempfile::tempdir().expect("a folder");
    let elsewhere = folder.path().join("precious");
    std::fs::create_dir(&elsewhere).expect("a folder");
    std::fs::write(elsewhere.join("demo.lock"), "").expect("a file");
    std::os::unix::fs::symlink(&elsewhere, folder.path().join("botwarden-demo-1-a")).expect("a link");
    let without_lock = folder.path().join("botwarden-demo-2-b");
    std::fs::create_dir(&without_lock).expect("a folder");
    let first = PaperDesk::open_with(&setup(folder.path())).expect("a desk");
    let second = PaperDesk::open_with(&setup(folder.path())).expect("another desk");
    assert!(first.notes().is_empty() && second.notes().is_empty(), "{:?} {:?}", first.notes(), second.notes());
    assert!(first.home().root().exists(), "a demo that lives is left alone");
    assert!(elsewhere.join("demo.lock").exists() && without_lock.exists());
}

#[test]
fn a_simulated_bot_does_not_run_in_the_folder_of_a_real_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(PROGRAM);
    command.args(["paper-bot", "maker"]).current_dir(folder.path());
    for home in ["", "/nowhere"] {
        let output = command.env("BOTWARDEN_HOME", home).output().expect("botwarden");
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("only on a paper desk"), "{output:?}");
    }
    assert_eq!(folder.path().read_dir().expect("the folder").count(), 0);
}

/// `botwarden demo` in a pipe.
struct Demo {
    child: Child,
    words: BufReader<std::process::ChildStdout>,
    folder: TempDir,
}

impl Demo {
    fn run() -> Self {
        Self::run_in(tempfile::tempdir().expect("a folder"))
    }

    fn run_in(folder: TempDir) -> Self {
        let mut child = Command::new(PROGRAM)
            .arg("demo")
            .env("TMPDIR", folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("botwarden");
        let words = BufReader::new(child.stdout.take().expect("its stdout"));
        Self { child, words, folder }
    }

    /// Everything up to the line that has this in it.
    fn hear(&mut self, what: &str) -> String {
        let mut heard = String::new();
        loop {
            let mut line = String::new();
            let bytes = self.words.read_line(&mut line).expect("text");
            heard.push_str(&line);
            assert!(bytes > 0, "{what:?} was never said:\n{heard}");
            if line.contains(what) {
                return heard;
            }
        }
    }

    fn homes(&self) -> Vec<PathBuf> {
        let root = std::fs::canonicalize(self.folder.path()).expect("the folder");
        root.read_dir().expect("the folder").map(|entry| entry.expect("an entry").path()).collect()
    }

    fn signal(&self, signal: Signal) {
        let id = process::identify(self.child.id() as i32).expect("it lives");
        process::Held::open(&id).expect("it lives").signal(signal).expect("it is ours");
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        for root in self.homes() {
            let home = Home::at(root);
            let names: Vec<BotName> = home.recorded().unwrap_or_default();
            act::stop(&StopOrder::new(&home, Wish::Kill, &names, None, "a test"), &mut |_| {});
        }
    }
}

#[test]
fn a_demo_that_is_told_to_end_closes_first() {
    let mut demo = Demo::run();
    let before = demo.hear("stubborn           running");
    assert!(before.contains(PaperDesk::LEAVE_NOTE), "{before}");
    let homes = demo.homes();
    assert_eq!(homes.len(), 1);
    demo.signal(Signal::TERM);
    let mut after = String::new();
    demo.words.read_to_string(&mut after).expect("text");
    assert!(after.contains("A signal asks us to leave."), "{after}");
    assert_eq!(demo.child.wait().expect("its end").code(), Some(0), "{before}{after}");
    assert!(process::marked(&homes[0]).is_empty() && demo.homes().is_empty(), "{after}");
}

#[test]
fn what_a_killed_demo_leaves_is_cleared_by_the_next_one() {
    let mut demo = Demo::run();
    demo.hear("stubborn           running");
    let left = demo.homes().remove(0);
    demo.signal(Signal::KILL);
    demo.child.wait().expect("its end");
    assert_eq!(process::marked(&left).len(), 10, "bots outlive whoever started them");

    let next = PaperDesk::open_with(&setup(demo.folder.path())).expect("a desk");
    let notes = next.notes().join("\n");
    assert!(notes.contains("An earlier demo was killed") && notes.contains(&left.display().to_string()), "{notes}");
    assert!(notes.contains("its 10 bots"), "{notes}");
    assert!(!left.exists() && process::marked(&left).is_empty());
}

#[test]
fn a_demo_that_nobody_listens_to_still_closes() {
    let mut demo = Demo::run();
    demo.hear("stubborn           running");
    let home = demo.homes().remove(0);
    // A closed pipe, as of a terminal that is gone, and then the hangup.
    demo.words = BufReader::new(silent());
    demo.signal("SIGHUP".parse().expect("a signal"));
    assert_eq!(demo.child.wait().expect("its end").code(), Some(0));
    assert!(process::marked(&home).is_empty() && demo.homes().is_empty());
}

/// The stdout of a program that says nothing.
fn silent() -> std::process::ChildStdout {
    let mut child = Command::new("true").stdout(Stdio::piped()).spawn().expect("true");
    child.wait().expect("its end");
    child.stdout.take().expect("its stdout")
}
