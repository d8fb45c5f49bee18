//! Botwarden itself, by its command line.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use botwarden::cgroup::Group;
use botwarden::core::status::RecordSeen;
use botwarden::paths::Home;
use botwarden::record;
use serde_json::Value;

use super::{Role, Subject, version_in};
use crate::bot::Behaviour;
use crate::hands::Hands;
use crate::place::{self, Place};

/// The binary of this very build.
pub const BINARY: &str = env!("CARGO_BIN_EXE_botwarden");

/// Ourselves.
pub struct Botwarden;

/// A command of ours, for the desk in this place.
pub fn botwarden(place: &Place, words: &[&str]) -> Command {
    let mut command = Command::new(Path::new(BINARY));
    command.arg("--config").arg(place.at("botwarden.toml")).arg("--home").arg(place.at("home")).args(words);
    // Whoever measures may be running a desk of their own.
    for name in ["BOTWARDEN_CONFIG", "BOTWARDEN_HOME", "BOTWARDEN_BOT", "BOTWARDEN_RUN", "NOTIFY_SOCKET"] {
        command.env_remove(name);
    }
    command
}

/// `--all` where that is what is meant: a command line of a hundred names is not what anybody types.
fn scope<'a>(place: &Place, verb: &'a str, bots: &'a [String]) -> Vec<&'a str> {
    let mut words = vec![verb];
    if bots.len() > 1 && bots.len() == place.bots.len() {
        words.push("--all");
    } else {
        words.extend(bots.iter().map(String::as_str));
    }
    words
}

impl Subject for Botwarden {
    fn name(&self) -> &'static str {
        "botwarden"
    }

    fn role(&self) -> Role {
        Role::Ours
    }

    fn version(&self, hands: &Hands) -> String {
        hands.ask(Command::new(BINARY).arg("--version")).map_or_else(|_| String::new(), |text| version_in(&text))
    }

    fn configure(&self, place: &Place) -> Result<(), String> {
        let plan = place.plan;
        let mut text = format!(
            "[defaults]\nmode = \"paper\"\nrestart = \"{}\"\nautostart = {}\n\
             backoff = {{ first = \"0ms\", give_up_after = 0 }}\nlog = {{ max_size = \"16MiB\", keep = 100000 }}\n",
            if plan.restart { "always" } else { "never" },
            plan.autostart
        );
        for bot in &place.bots {
            // Written as an array of strings, JSON is TOML.
            let command = serde_json::to_string(&place.command(bot)).map_err(|error| error.to_string())?;
            let _ = write!(text, "\n[bots.{bot}]\ncommand = {command}\n");
            if plan.behaviour == Behaviour::Trader {
                let cancel = place.words(bot, Behaviour::Cancel);
                let cancel = serde_json::to_string(&cancel).map_err(|error| error.to_string())?;
                let orders = place.at(format!("{bot}.orders"));
                let _ = write!(
                    text,
                    "orders = {{ source = \"state-json\", path = \"{}\" }}\ncancel = {{ command = {cancel} }}\n",
                    orders.display()
                );
            }
        }
        place::write(&place.at("botwarden.toml"), &text)
    }

    fn launch(&self, place: &Place, hands: &Hands) -> Result<(), String> {
        if !place.plan.autostart {
            return Ok(());
        }
        hands.run(&mut botwarden(place, &scope(place, "start", &place.bots))).map(drop)
    }

    fn is_ready(&self, _: &Place, _: &Hands) -> bool {
        true
    }

    fn start(&self, place: &Place, hands: &Hands, bots: &[String]) -> Result<(), String> {
        hands.run(&mut botwarden(place, &scope(place, "start", bots))).map(drop)
    }

    fn stop(&self, place: &Place, hands: &Hands, bots: &[String]) -> Result<(), String> {
        hands.run(&mut botwarden(place, &scope(place, "stop", bots))).map(drop)
    }

    fn tidy(&self, place: &Place) {
        // Its keepers would have done it; nobody else knows of the control groups of their bots.
        let home = Home::at(place.at("home"));
        for bot in home.recorded().unwrap_or_default() {
            if let RecordSeen::Read(record) = record::read(&home.bot(&bot)) {
                let _ = Group::of(&record).map(|group| group.remove());
            }
        }
    }

    fn relaunch(&self, place: &Place, hands: &Hands) -> Result<(), String> {
        hands.run(&mut botwarden(place, &["up"])).map(drop)
    }

    fn log(&self, place: &Place, bot: &str) -> Result<Command, String> {
        Ok(botwarden(place, &["logs", bot]))
    }

    fn reported_exit(&self, place: &Place, hands: &Hands, bot: &str) -> Option<i64> {
        let text = hands.ask(&mut botwarden(place, &["--json", "status", bot])).ok()?;
        let status: Value = serde_json::from_str(&text).ok()?;
        status["bots"][0]["last_exit"]["code"].as_i64()
    }
}
