//! The documented example is the reader's own account of itself.

use std::path::Path;

use regex::Regex;

use super::{Config, EXAMPLE, EstopSettings, last_good};
use crate::core::bot::{Backoff, Claims, Ladder, LogLimits, OrderSource, Protective, Ready, RestartPolicy};
use crate::core::cluster::{ChunkColumns, ChunkValues, ClusterSpec};
use crate::core::ui::UiSettings;

fn example() -> Config {
    super::parse(Path::new("/desk/botwarden.toml"), EXAMPLE).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"))
}

#[test]
fn the_example_has_every_key_that_the_reader_knows() {
    let tables = [
        super::desk::FILE,
        super::bot::BOT,
        super::bot::LOG,
        super::stop::BACKOFF,
        super::stop::RUNG,
        super::orders::ORDERS,
        super::orders::API,
        super::orders::CANCEL,
        super::claims::CLAIMS,
        super::cluster::CLUSTER,
        super::cluster::COLUMNS,
        super::cluster::VALUES,
        super::cluster::COMBINATIONS,
        super::settings::ESTOP,
        super::settings::UI,
    ];
    for key in tables.into_iter().flatten() {
        let there = Regex::new(&format!(r"(?m)\b{key} = |^\[(.*\.)?{key}(\..*)?\]")).expect("a pattern");
        assert!(there.is_match(EXAMPLE), "the example lacks {key}");
    }
}

#[test]
fn where_the_example_shows_a_default_it_is_the_default() {
    let config = example();
    let bot = config.named("momentum")[0];
    assert_eq!(bot.restart, RestartPolicy::OnFailure);
    assert_eq!(bot.backoff, Backoff::default());
    assert_eq!(bot.stop, Ladder::default());
    assert_eq!(bot.log, LogLimits::default());
    let cancel = bot.cancel.as_ref().expect("a cancel command");
    assert_eq!(cancel.protective, Protective::Cancel);
    assert_eq!(config.estop, EstopSettings::default());
    assert_eq!(config.ui, UiSettings::default());
    let cluster = config.cluster("sweep").expect("a cluster");
    assert_eq!(cluster.table, ClusterSpec::TABLE);
    assert_eq!(cluster.columns, ChunkColumns::default());
    assert_eq!(cluster.values, ChunkValues::default());
    assert_eq!(cluster.lease, ClusterSpec::LEASE);
}

#[test]
fn a_bot_that_says_little_gets_the_documented_defaults() {
    let text = "[bots.a]\ncommand = [\"a\"]\nmode = \"live\"\ncancel.command = [\"c\"]\norders = { source = \"command\", command = [\"o\"] }\n";
    let config = super::parse(Path::new("/desk/x.toml"), text).expect("good");
    let bot = &config.bots[0];
    assert_eq!((bot.name.as_str(), bot.cwd.as_path()), ("a", Path::new("/desk")));
    assert_eq!((bot.backoff.clone(), bot.stop.clone(), bot.log), Default::default());
    assert_eq!((bot.restart, bot.ready, bot.autostart), (RestartPolicy::OnFailure, Ready::Executing, false));
    assert_eq!(bot.cancel.as_ref().map(|cancel| cancel.timeout.as_secs()), Some(15));
    assert!(matches!(&bot.orders, Some(OrderSource::Command { timeout, .. }) if timeout.as_secs() == 15));
    assert!(bot.groups.is_empty() && bot.env.is_empty() && bot.find.is_none() && bot.state_file.is_none());
}

#[test]
fn instances_are_bots_of_their_own_and_one_name_means_them_all() {
    let config = example();
    let names: Vec<&str> = config.bots.iter().map(|bot| bot.name.as_str()).collect();
    assert_eq!(names, ["momentum", "grid", "maker", "sweep-coordinator", "sweep-worker@1", "sweep-worker@2"]);
    assert_eq!(config.named("sweep-worker").len(), 2);
    assert_eq!(config.named("sweep-worker@2").len(), 1);
    assert!(config.named("sweep-worker@3").is_empty() && config.named("momentum@1").is_empty());
    let cluster = config.cluster("sweep").expect("a cluster");
    let bots: Vec<&str> = cluster.bots().map(crate::core::bot::BotName::as_str).collect();
    assert_eq!(bots, ["sweep-coordinator", "sweep-worker@1", "sweep-worker@2"]);
    assert_eq!(config.groups(), ["crypto", "desk"]);
    assert_eq!(config.group("crypto").len(), 1);
    assert_eq!(config.nearest_bot("momentun"), Some("momentum"));
}

#[test]
fn defaults_stand_where_a_bot_is_silent_and_some_tables_are_joined() {
    let text = r#"
[defaults]
mode = "paper"
env = { A = "1", B = "2" }
backoff = { first = "2s" }
log = { keep = 3 }
cancel = { timeout = "9s" }
stop = [{ signal = "SIGINT", wait = "1s" }]
groups = ["all"]
[bots.a]
command = ["a"]
env = { B = "3" }
backoff = { max = "5s" }
[bots.b]
command = ["b"]
mode = "live"
groups = []
cancel = { command = ["c"] }
orders = { source = "state-json", path = "s.json" }
[bots.c]
command = ["c"]
cancel.command = ["x"]
"#;
    let config = super::parse(Path::new("/d/x.toml"), text).expect("good");
    let [a, b, c] = config.bots.as_slice() else { panic!("three bots") };
    assert_eq!(a.env, [("A", "1"), ("B", "3")].map(|(k, v)| (k.to_owned(), v.to_owned())).into());
    assert_eq!((a.backoff.first.as_secs(), a.backoff.max.as_secs()), (2, 5));
    assert_eq!((c.backoff.first.as_secs(), c.backoff.max.as_secs()), (2, 60));
    assert_eq!((a.log.keep, a.log.max_size), (3, LogLimits::default().max_size));
    assert_eq!((a.mode.word(), b.mode.word()), ("paper", "live"));
    assert_eq!((a.groups.len(), b.groups.len()), (1, 0));
    assert_eq!(a.stop.0.len(), 1);
    // A default for the time of cancel commands gives no bot one.
    assert!(a.cancel.is_none());
    assert_eq!(b.cancel.as_ref().map(|cancel| cancel.timeout.as_secs()), Some(9));
    assert_eq!(b.state_file.as_deref(), Some(Path::new("/d/s.json")));
}

#[test]
fn what_is_written_down_reads_back_as_itself() {
    let mut config = example();
    config.bots[1].claims = Some(Claims::Patterns {
        orders_canceled: None,
        cancel_errors: Some("(\"'\\d+')\n\t".to_owned()),
        state_flushed: None,
    });
    config.bots[2].env.insert("a b.\"c".to_owned(), "'''\"\"\"\u{1b}\r\n".to_owned());
    config.bots[2].user = Some("someone".to_owned());
    config.bots[2].ready = Ready::Alive(std::time::Duration::from_millis(1500));
    let text = last_good::text(&config).expect("every path is text");
    let again = super::parse(&config.file, &text).unwrap_or_else(|mistakes| panic!("{mistakes:#?}\n{text}"));
    assert_eq!(again, config, "{text}");
}
