//! A desk with a cluster: its database, its bots, and what stands in the one while the others are stopped.

use rusqlite::Connection;
use serde_json::Value;

use crate::harness::{Desk, name};

/// Bots that work on nothing, and a cluster of them.
pub const SWEEP: &str = "\
[bots.coord]\ncommand = ['sleep', '600']\nmode = 'paper'\nrestart = 'never'\n\
[bots.hand]\ncommand = ['sleep', '601']\nmode = 'paper'\ninstances = 2\nrestart = 'never'\n\
[bots.other]\ncommand = ['sleep', '602']\nmode = 'paper'\nrestart = 'never'\n\
[clusters.sweep]\ndatabase = 'sweep.db'\ncoordinator = 'coord'\nworkers = ['hand']\n";

/// The table that a configuration has when it says nothing, and a column that is nobody's business.
pub const TABLE: &str = "create table chunks (id integer primary key, status text not null, assigned_worker text, \
     started_at text, note text default 'kept')";

/// What every script of a worker begins with: its chunk is the one with its own name on it.
pub const WORKER_PY: &str = "\
import os, signal, sqlite3, sys, time\n\
name = os.environ['BOTWARDEN_BOT']\n\
def say(file, text):\n    with open(file, 'a') as out: out.write(text + '\\n')\n\
def db(): return sqlite3.connect('sweep.db', timeout=30, isolation_level=None)\n\
def claim(id): db().execute(\"update chunks set status='running', assigned_worker=?, started_at=datetime('now') where id=?\", (name, id))\n";

/// A database with these chunks: what each is, and who has it.
pub fn fill(desk: &Desk, file: &str, chunks: &[(&str, Option<&str>)]) {
    let database = Connection::open(desk.path(file)).expect("a database");
    database.execute_batch(TABLE).expect("a table");
    for (status, worker) in chunks {
        let started = worker.map(|_| "2026-01-01 00:00:00");
        database
            .execute(
                "insert into chunks (status, assigned_worker, started_at) values (?, ?, ?)",
                (status, worker, started),
            )
            .expect("a chunk");
    }
}

/// Every chunk: what it is, and who has it.
pub fn chunks(desk: &Desk, file: &str) -> Vec<(String, Option<String>)> {
    let database = Connection::open(desk.path(file)).expect("a database");
    database.busy_timeout(std::time::Duration::from_secs(30)).expect("its time");
    let mut rows = database.prepare("select status, assigned_worker from chunks order by id").expect("a table");
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("chunks");
    rows.collect::<Result<_, _>>().expect("rows")
}

/// How many chunks are in each state.
pub fn count(desk: &Desk, file: &str, status: &str) -> usize {
    chunks(desk, file).iter().filter(|(is, _)| is == status).count()
}

/// One cluster's part of a report.
#[track_caller]
pub fn cluster<'a>(report: &'a Value, cluster: &str) -> &'a Value {
    let clusters = report["clusters"].as_array().expect("clusters");
    clusters.iter().find(|seen| seen["name"] == cluster).unwrap_or_else(|| panic!("no {cluster} in {report}"))
}

/// What the desk's events say of clusters.
pub fn remembered(desk: &Desk) -> Vec<Value> {
    let done = desk.run(&["events", "-n", "1000", "--json"]).json();
    let events = done["events"].as_array().cloned().unwrap_or_default();
    events.into_iter().filter(|event| event["kind"] == "cluster").collect()
}

/// The configuration of a desk, as it is read.
pub fn config(desk: &Desk) -> botwarden::config::Config {
    botwarden::config::read(&desk.path("botwarden.toml")).expect("a configuration")
}

/// Starts the sweep; its bots have to be running already where a keeper would be launched, which is not done from here.
pub fn start(desk: &Desk) -> Value {
    let config = config(desk);
    let readers = botwarden::readers::Readers::through(env!("CARGO_BIN_EXE_botwarden").into());
    let home = botwarden::paths::Home::at(desk.home_folder().to_owned());
    let wait = std::time::Duration::from_secs(30);
    let report =
        botwarden::act::cluster::start_through(&readers, &home, &config.clusters, &config.bots, "tester", wait);
    serde_json::to_value(&report).expect("a report")
}

/// Asks for chunks of the sweep to be put back.
pub fn requeue(desk: &Desk, wanted: botwarden::act::cluster::Wanted, unverified: bool) -> Value {
    use botwarden::act::cluster::{Requeue, requeue_through};
    let config = config(desk);
    let readers = botwarden::readers::Readers::through(env!("CARGO_BIN_EXE_botwarden").into());
    let home = botwarden::paths::Home::at(desk.home_folder().to_owned());
    let asked = Requeue { wanted: vec![(name("sweep"), wanted)], unverified, by: "tester".into(), tty: None };
    let report = requeue_through(&readers, &home, &config.clusters, &config.bots, &asked);
    serde_json::to_value(&report).expect("a report")
}
