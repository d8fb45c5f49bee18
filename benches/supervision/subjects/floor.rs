//! The floor: fork and exec with no supervisor, and a shell that sends signals.

use std::collections::HashMap;
use std::fs::OpenOptions;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use super::{Role, Subject};
use crate::hands::Hands;
use crate::place::Place;

/// Nobody; but it knows which processes it has started.
#[derive(Debug, Default)]
pub struct Floor(Mutex<HashMap<String, i32>>);

impl Subject for Floor {
    fn name(&self) -> &'static str {
        "floor"
    }

    fn role(&self) -> Role {
        Role::Floor
    }

    fn version(&self, _: &Hands) -> String {
        String::new()
    }

    fn configure(&self, _: &Place) -> Result<(), String> {
        Ok(())
    }

    fn launch(&self, place: &Place, hands: &Hands) -> Result<(), String> {
        if place.plan.autostart { self.start(place, hands, &place.bots) } else { Ok(()) }
    }

    fn is_ready(&self, _: &Place, _: &Hands) -> bool {
        true
    }

    fn start(&self, place: &Place, hands: &Hands, bots: &[String]) -> Result<(), String> {
        for bot in bots {
            let log = OpenOptions::new()
                .create(true)
                .append(true)
                .open(place.at(bot))
                .map_err(|error| format!("{bot}: {error}"))?;
            let command = place.command(bot);
            let pid = hands.launch(Command::new(&command[0]).args(&command[1..]).stdout(log))?;
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(bot.clone(), pid);
        }
        Ok(())
    }

    fn stop(&self, _: &Place, hands: &Hands, bots: &[String]) -> Result<(), String> {
        let started = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let numbers: Vec<String> = bots.iter().filter_map(|bot| Some(started.get(bot)?.to_string())).collect();
        let script = format!("kill -TERM {}", numbers.join(" "));
        hands.run(Command::new("sh").args(["-c", &script])).map(drop)
    }

    fn relaunch(&self, _: &Place, _: &Hands) -> Result<(), String> {
        Err("there is nobody to be killed".into())
    }

    fn log(&self, place: &Place, bot: &str) -> Result<Command, String> {
        let mut command = Command::new("cat");
        command.arg(place.at(bot));
        Ok(command)
    }
}
