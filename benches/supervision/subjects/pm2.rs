//! pm2: one daemon in Node.js.

use std::path::PathBuf;
use std::process::Command;

use serde_json::json;

use super::{Subject, programs};
use crate::hands::{self, Hands};
use crate::place::{self, Place};

/// Its program.
pub struct Pm2(PathBuf);

impl Pm2 {
    /// If it is installed.
    pub fn find() -> Option<Box<dyn Subject>> {
        let [pm2, _] = programs(["pm2", "node"])?;
        Some(Box::new(Self(pm2)))
    }

    fn tell(&self, place: &Place, words: &[&str]) -> Command {
        let mut command = Command::new(&self.0);
        command.args(words).env("PM2_HOME", place.at("pm2")).env("PM2_DISCRETE_MODE", "true").current_dir(place.at(""));
        command
    }
}

impl Subject for Pm2 {
    fn name(&self) -> &'static str {
        "pm2"
    }

    fn version(&self, hands: &Hands) -> String {
        let Ok(home) = tempfile::tempdir() else { return String::new() };
        let mut command = Command::new(&self.0);
        command.arg("--version").env("PM2_HOME", home.path()).env("PM2_DISCRETE_MODE", "true");
        // A new home is welcomed with a page of text and a daemon, which goes with everything else.
        let text = hands.ask(&mut command).unwrap_or_default();
        hands::end_everything();
        text.split_whitespace().last().unwrap_or_default().to_owned()
    }

    fn configure(&self, place: &Place) -> Result<(), String> {
        let apps: Vec<_> = place
            .bots
            .iter()
            .map(|bot| {
                let command = place.command(bot);
                let log = place.at(format!("{bot}.log"));
                json!({
                    "name": bot, "script": command[0], "args": command[1..], "interpreter": "none", "exec_mode": "fork",
                    "autorestart": true, "out_file": log, "error_file": log, "merge_logs": true, "vizion": false,
                })
            })
            .collect();
        place::write(&place.at("ecosystem.json"), &json!({ "apps": apps }).to_string())
    }

    fn launch(&self, place: &Place, hands: &Hands) -> Result<(), String> {
        let words: &[&str] = if place.plan.autostart { &["start", "ecosystem.json"] } else { &["ping"] };
        hands.run(&mut self.tell(place, words)).map(drop)
    }

    fn is_ready(&self, _: &Place, _: &Hands) -> bool {
        // The command that launches it waits for that.
        true
    }

    fn start(&self, place: &Place, hands: &Hands, bots: &[String]) -> Result<(), String> {
        hands.run(&mut self.tell(place, &["start", "ecosystem.json", "--only", &bots.join(",")])).map(drop)
    }

    fn stop(&self, place: &Place, hands: &Hands, bots: &[String]) -> Result<(), String> {
        let mut command = self.tell(place, &["stop"]);
        if bots.len() == place.bots.len() {
            command.arg("all");
        } else {
            command.args(bots);
        }
        hands.run(&mut command).map(drop)
    }

    fn relaunch(&self, place: &Place, hands: &Hands) -> Result<(), String> {
        hands.run(&mut self.tell(place, &["start", "ecosystem.json"])).map(drop)
    }

    fn log(&self, place: &Place, bot: &str) -> Result<Command, String> {
        let mut command = Command::new("cat");
        command.arg(place.at(format!("{bot}.log")));
        Ok(command)
    }
}
