//! s6: s6-svscan, and for each bot a s6-supervise with another one for its s6-log.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::{Subject, cat, packaged_version, programs, rotated};
use crate::hands::Hands;
use crate::place::{self, Place};

/// Its programs.
pub struct S6 {
    scan: PathBuf,
    tell: PathBuf,
    wait: PathBuf,
    log: PathBuf,
}

impl S6 {
    /// If it is installed.
    pub fn find() -> Option<Box<dyn Subject>> {
        let [scan, tell, wait, log] = programs(["s6-svscan", "s6-svc", "s6-svwait", "s6-log"])?;
        Some(Box::new(Self { scan, tell, wait, log }))
    }

    /// One bot is told and waited for by one command. Of many, which that command does not take, each is told first and
    /// all are waited for then.
    fn command(&self, place: &Place, bots: &[String], told: &str, waited: &str) -> Command {
        let services = bots.iter().map(|bot| place.at("service").join(bot));
        if bots.len() == 1 {
            let mut command = Command::new(&self.tell);
            command.arg(format!("-w{waited}")).args(["-T", "60000"]).arg(format!("-{told}")).args(services);
            return command;
        }
        let script = format!(
            "for bot; do {} -{told} \"$bot\"; done; exec {} -{waited} -t 60000 \"$@\"",
            self.tell.display(),
            self.wait.display()
        );
        let mut command = Command::new("sh");
        command.args(["-c", &script, "sh"]).args(services);
        command
    }
}

impl Subject for S6 {
    fn name(&self) -> &'static str {
        "s6"
    }

    fn version(&self, hands: &Hands) -> String {
        packaged_version(hands, "s6")
    }

    fn configure(&self, place: &Place) -> Result<(), String> {
        for bot in &place.bots {
            let service = place.at("service").join(bot);
            place::script(&service.join("run"), &format!("exec {} 2>&1", place.command(bot).join(" ")))?;
            place::script(&service.join("log/run"), &format!("exec {} n100000 s16777216 ./main", self.log.display()))?;
            if !place.plan.autostart {
                place::write(&service.join("down"), "")?;
            }
        }
        Ok(())
    }

    fn launch(&self, place: &Place, hands: &Hands) -> Result<(), String> {
        let mut command = Command::new(&self.scan);
        command.args(["-c", "1000"]).arg(place.at("service")).stdout(Stdio::null()).stderr(Stdio::null());
        hands.launch(&mut command).map(drop)
    }

    fn is_ready(&self, place: &Place, _: &Hands) -> bool {
        let is_up = |folder: PathBuf| folder.join("supervise/status").exists();
        place.bots.iter().map(|bot| place.at("service").join(bot)).all(|bot| is_up(bot.join("log")) && is_up(bot))
    }

    fn start(&self, place: &Place, hands: &Hands, bots: &[String]) -> Result<(), String> {
        hands.run(&mut self.command(place, bots, "u", "u")).map(drop)
    }

    fn stop(&self, place: &Place, hands: &Hands, bots: &[String]) -> Result<(), String> {
        hands.run(&mut self.command(place, bots, "d", "D")).map(drop)
    }

    fn relaunch(&self, _: &Place, _: &Hands) -> Result<(), String> {
        // s6-svscan starts another s6-supervise by itself.
        Ok(())
    }

    fn log(&self, place: &Place, bot: &str) -> Result<Command, String> {
        cat(&place.at("service").join(bot).join("log/main"), rotated)
    }
}
