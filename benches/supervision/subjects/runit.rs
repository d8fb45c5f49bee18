//! runit: runsvdir, and for each bot a runsv with a svlogd.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::{Subject, cat, packaged_version, programs, rotated};
use crate::hands::Hands;
use crate::place::{self, Place};

/// Its programs.
pub struct Runit {
    runsvdir: PathBuf,
    sv: PathBuf,
    svlogd: PathBuf,
}

impl Runit {
    /// If it is installed.
    pub fn find() -> Option<Box<dyn Subject>> {
        let [runsvdir, sv, svlogd, _] = programs(["runsvdir", "sv", "svlogd", "runsv"])?;
        Some(Box::new(Self { runsvdir, sv, svlogd }))
    }

    fn tell(&self, place: &Place, hands: &Hands, verb: &str, bots: &[String]) -> Result<(), String> {
        let services = bots.iter().map(|bot| place.at("service").join(bot));
        hands.run(Command::new(&self.sv).args(["-w", "60", verb]).args(services)).map(drop)
    }
}

impl Subject for Runit {
    fn name(&self) -> &'static str {
        "runit"
    }

    fn version(&self, hands: &Hands) -> String {
        packaged_version(hands, "runit")
    }

    fn configure(&self, place: &Place) -> Result<(), String> {
        for bot in &place.bots {
            let service = place.at("service").join(bot);
            place::script(&service.join("run"), &format!("exec {} 2>&1", place.command(bot).join(" ")))?;
            place::script(&service.join("log/run"), &format!("exec {} ./main", self.svlogd.display()))?;
            place::write(&service.join("log/main/config"), "s16777216\nn0\n")?;
            if !place.plan.autostart {
                place::write(&service.join("down"), "")?;
            }
        }
        Ok(())
    }

    fn launch(&self, place: &Place, hands: &Hands) -> Result<(), String> {
        let mut command = Command::new(&self.runsvdir);
        hands.launch(command.arg(place.at("service")).stdout(Stdio::null()).stderr(Stdio::null())).map(drop)
    }

    fn is_ready(&self, place: &Place, _: &Hands) -> bool {
        let is_up = |folder: PathBuf| folder.join("supervise/ok").exists();
        place.bots.iter().map(|bot| place.at("service").join(bot)).all(|bot| is_up(bot.join("log")) && is_up(bot))
    }

    fn start(&self, place: &Place, hands: &Hands, bots: &[String]) -> Result<(), String> {
        self.tell(place, hands, "start", bots)
    }

    fn stop(&self, place: &Place, hands: &Hands, bots: &[String]) -> Result<(), String> {
        self.tell(place, hands, "stop", bots)
    }

    fn relaunch(&self, _: &Place, _: &Hands) -> Result<(), String> {
        // runsvdir starts another runsv by itself.
        Ok(())
    }

    fn log(&self, place: &Place, bot: &str) -> Result<Command, String> {
        cat(&place.at("service").join(bot).join("log/main"), rotated)
    }
}
