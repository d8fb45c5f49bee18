//! The last configuration that was read without a mistake, written down so that it reads back as itself: what the
//! emergency stop falls back on when the real one is gone or broken. Every path in it is absolute; `env_file` stays a
//! path, so no secret is copied.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::desk::{Config, read_alone};
use super::mistake::Mistake;
use super::values::duration_text;
use crate::core::bot::{BotSpec, Claims, OrderSource, Protective, Ready, RestartPolicy};
use crate::core::cluster::ClusterSpec;
use crate::paths::Home;

/// Reads what [`keep`] wrote, without a look at any other file: an emergency stop needs no environment.
///
/// # Errors
/// As [`super::read`].
pub fn read(home: &Home) -> Result<Config, Vec<Mistake>> {
    read_alone(&path(home))
}

/// Where it lies in a home.
pub fn path(home: &Home) -> PathBuf {
    home.root().join("last-good.toml")
}

/// Writes a configuration down unless it already stands there, whole or not at all, for its owner alone.
///
/// # Errors
/// If it cannot be written, or has a path that is no text.
pub fn keep(home: &Home, config: &Config) -> io::Result<()> {
    let text = text(config)?;
    let file = path(home);
    if std::fs::read(&file).is_ok_and(|there| there == text.as_bytes()) {
        return Ok(());
    }
    // By its own name for each process: two that write at once must not write into one file.
    let next = home.root().join(format!("last-good.toml.{}", std::process::id()));
    let written = write(&next, text.as_bytes()).and_then(|()| std::fs::rename(&next, &file));
    if written.is_err() {
        let _ = std::fs::remove_file(&next);
        return written;
    }
    File::open(home.root())?.sync_all()
}

fn write(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let _ = std::fs::remove_file(file);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// A configuration as TOML that reads back as an equal one, its own path excepted.
///
/// # Errors
/// If a path in it is no text.
pub fn text(config: &Config) -> io::Result<String> {
    let mut file = Table::new();
    file.insert("estop".to_owned(), table([("wait", time(config.estop.wait))]));
    file.insert(
        "ui".to_owned(),
        table([("theme", word(config.ui.theme.word())), ("timestamps", word(config.ui.timestamps.word()))]),
    );
    let mut bots = Table::new();
    for spec in &config.bots {
        if !bots.contains_key(spec.name.base()) {
            let instances = config.bots.iter().filter(|other| other.name.base() == spec.name.base()).count();
            bots.insert(spec.name.base().to_owned(), bot(spec, instances)?);
        }
    }
    file.insert("bots".to_owned(), Value::Table(bots));
    let mut clusters = Table::new();
    for spec in &config.clusters {
        clusters.insert(spec.name.as_str().to_owned(), cluster(spec)?);
    }
    file.insert("clusters".to_owned(), Value::Table(clusters));
    let text = toml::to_string(&file).map_err(io::Error::other)?;
    Ok(format!(
        "# Written by botwarden, from {:?}. What the emergency stop falls back on; not to be edited.\n\n{text}",
        config.file.to_string_lossy()
    ))
}

fn bot(spec: &BotSpec, instances: usize) -> io::Result<Value> {
    let BotSpec {
        name: _,
        command,
        cwd,
        mode,
        groups,
        autostart,
        env,
        env_file,
        user,
        restart,
        backoff,
        stop,
        ready,
        pid_file,
        find,
        log_file,
        state_file,
        log,
        orders,
        cancel,
        claims,
    } = spec;
    let restart = match restart {
        RestartPolicy::Never => "never",
        RestartPolicy::OnFailure => "on-failure",
        RestartPolicy::Always => "always",
    };
    let ready = match ready {
        Ready::Executing => None,
        Ready::Notify => Some(word("notify")),
        Ready::Alive(span) => Some(time(*span)),
    };
    let rungs =
        stop.0.iter().map(|rung| table([("signal", word(&rung.signal.to_string())), ("wait", time(rung.wait))]));
    let optional = |path: &Option<PathBuf>| path.as_deref().map(file).transpose();
    let mut keys = vec![
        ("command", Some(list(command))),
        ("cwd", Some(file(cwd)?)),
        ("mode", Some(word(mode.word()))),
        ("groups", Some(list(groups))),
        ("autostart", Some(Value::Boolean(*autostart))),
        ("instances", Some(Value::Integer(i64::try_from(instances).unwrap_or(i64::MAX)))),
        ("env_file", optional(env_file)?),
        ("user", user.as_deref().map(word)),
        ("restart", Some(word(restart))),
        ("stop", Some(Value::Array(rungs.collect()))),
        ("ready", ready),
        ("pid_file", optional(pid_file)?),
        ("find", find.as_deref().map(list)),
        ("log_file", optional(log_file)?),
        ("state_file", optional(state_file)?),
    ];
    if let Some(Claims::Preset(name)) = claims {
        keys.push(("claims", Some(word(name))));
    }
    // Tables stand below everything else: a key after one would be the table's.
    keys.push(("env", Some(Value::Table(env.iter().map(|(name, value)| (name.clone(), word(value))).collect()))));
    keys.push((
        "backoff",
        Some(table([
            ("first", time(backoff.first)),
            ("max", time(backoff.max)),
            ("reset_after", time(backoff.reset_after)),
            ("give_up_after", Value::Integer(backoff.give_up_after.into())),
        ])),
    ));
    keys.push((
        "log",
        Some(table([("max_size", word(&format!("{}B", log.max_size))), ("keep", Value::Integer(log.keep.into()))])),
    ));
    if let Some(source) = orders {
        keys.push(("orders", Some(orders_table(source)?)));
    }
    if let Some(cancel) = cancel {
        let protective = match cancel.protective {
            Protective::Cancel => "cancel",
            Protective::Keep => "keep",
        };
        keys.push((
            "cancel",
            Some(table([
                ("command", list(&cancel.command)),
                ("timeout", time(cancel.timeout)),
                ("protective", word(protective)),
            ])),
        ));
    }
    if let Some(Claims::Patterns { orders_canceled, cancel_errors, state_flushed }) = claims {
        keys.push((
            "claims",
            Some(some_table([
                ("orders_canceled", orders_canceled.as_deref().map(word)),
                ("cancel_errors", cancel_errors.as_deref().map(word)),
                ("state_flushed", state_flushed.as_deref().map(word)),
            ])),
        ));
    }
    Ok(some_table(keys))
}

fn orders_table(source: &OrderSource) -> io::Result<Value> {
    Ok(match source {
        OrderSource::Freqtrade { path, api } => some_table([
            ("source", Some(word("freqtrade"))),
            ("path", Some(file(path)?)),
            (
                "api",
                api.as_ref().map(|api| {
                    table([
                        ("url", word(&api.url)),
                        ("username", word(&api.username)),
                        ("password_env", word(&api.password_env)),
                    ])
                }),
            ),
        ]),
        OrderSource::Hummingbot { path } => table([("source", word("hummingbot")), ("path", file(path)?)]),
        OrderSource::StateJson { path } => table([("source", word("state-json")), ("path", file(path)?)]),
        OrderSource::Sql { path, query } => {
            table([("source", word("sql")), ("path", file(path)?), ("query", word(query))])
        }
        OrderSource::Command { command, timeout } => {
            table([("source", word("command")), ("command", list(command)), ("timeout", time(*timeout))])
        }
    })
}

fn cluster(spec: &ClusterSpec) -> io::Result<Value> {
    let ClusterSpec { name: _, database, table: chunks, columns, values, combinations, coordinator, workers, lease } =
        spec;
    let workers: Vec<String> = workers.iter().map(ToString::to_string).collect();
    Ok(some_table([
        ("database", Some(file(database)?)),
        ("table", Some(word(chunks))),
        ("coordinator", coordinator.as_ref().map(|name| word(name.as_str()))),
        ("workers", Some(list(&workers))),
        ("lease", Some(time(*lease))),
        (
            "columns",
            Some(some_table([
                ("id", Some(word(&columns.id))),
                ("status", Some(word(&columns.status))),
                ("worker", Some(word(&columns.worker))),
                ("started_at", Some(word(&columns.started_at))),
                ("heartbeat", columns.heartbeat.as_deref().map(word)),
            ])),
        ),
        (
            "values",
            Some(table([
                ("pending", word(&values.pending)),
                ("running", word(&values.running)),
                ("completed", word(&values.completed)),
                ("failed", word(&values.failed)),
            ])),
        ),
        (
            "combinations",
            Some(some_table([
                ("total", combinations.total.as_deref().map(word)),
                ("tested", combinations.tested.as_deref().map(word)),
            ])),
        ),
    ]))
}

fn some_table<'k>(keys: impl IntoIterator<Item = (&'k str, Option<Value>)>) -> Value {
    Value::Table(keys.into_iter().filter_map(|(key, value)| value.map(|value| (key.to_owned(), value))).collect())
}

fn table<const N: usize>(keys: [(&str, Value); N]) -> Value {
    some_table(keys.map(|(key, value)| (key, Some(value))))
}

fn word(text: &str) -> Value {
    Value::String(text.to_owned())
}

fn list(words: &[String]) -> Value {
    Value::Array(words.iter().map(|text| word(text)).collect())
}

fn time(span: std::time::Duration) -> Value {
    word(&duration_text(span))
}

fn file(path: &Path) -> io::Result<Value> {
    let text = path.to_str().ok_or_else(|| io::Error::other(format!("the path {} is no text", path.display())))?;
    Ok(word(text))
}
