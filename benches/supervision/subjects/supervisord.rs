//! supervisord: one daemon in Python that reads every bot's output and writes it down.

use std::cmp::Reverse;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::{Subject, cat, programs, version_in};
use crate::hands::Hands;
use crate::place::{self, Place};

/// Its programs.
pub struct Supervisord {
    daemon: PathBuf,
    control: PathBuf,
}

impl Supervisord {
    /// If it is installed.
    pub fn find() -> Option<Box<dyn Subject>> {
        let [daemon, control] = programs(["supervisord", "supervisorctl"])?;
        Some(Box::new(Self { daemon, control }))
    }

    fn tell(&self, place: &Place, words: &[&str], bots: &[String]) -> Command {
        let mut command = Command::new(&self.control);
        command.arg("-c").arg(place.at("supervisord.conf")).args(words);
        if bots.len() > 1 && bots.len() == place.bots.len() {
            command.arg("all");
        } else {
            command.args(bots);
        }
        command
    }
}

impl Subject for Supervisord {
    fn name(&self) -> &'static str {
        "supervisord"
    }

    fn version(&self, hands: &Hands) -> String {
        hands.ask(Command::new(&self.daemon).arg("--version")).map_or_else(|_| String::new(), |text| version_in(&text))
    }

    fn configure(&self, place: &Place) -> Result<(), String> {
        let at = |name: &str| place.at(name).display().to_string();
        let mut text = format!(
            "[supervisord]\nnodaemon=true\nlogfile={}\npidfile={}\nchildlogdir={}\nminfds=4096\n\
             [unix_http_server]\nfile={}\n\
             [rpcinterface:supervisor]\n\
             supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n\
             [supervisorctl]\nserverurl=unix://{}\n",
            at("supervisord.log"),
            at("supervisord.pid"),
            at(""),
            at("socket"),
            at("socket")
        );
        for bot in &place.bots {
            // Without `startsecs=0` every start would wait for a second: that is a time to be alive, no time to start.
            let _ = write!(
                text,
                "[program:{bot}]\ncommand={}\nautostart={}\nautorestart=true\nstartsecs=0\nstartretries=1000\n\
                 redirect_stderr=true\nstdout_logfile={}\nstdout_logfile_maxbytes=16MB\nstdout_logfile_backups=1000\n",
                place.command(bot).join(" "),
                place.plan.autostart,
                at(&format!("log/{bot}"))
            );
        }
        place::write(&place.at("log/.keep"), "")?;
        place::write(&place.at("supervisord.conf"), &text)
    }

    fn launch(&self, place: &Place, hands: &Hands) -> Result<(), String> {
        let mut command = Command::new(&self.daemon);
        command.arg("-c").arg(place.at("supervisord.conf")).stdout(Stdio::null()).stderr(Stdio::null());
        hands.launch(&mut command).map(drop)
    }

    fn is_ready(&self, place: &Place, hands: &Hands) -> bool {
        hands.run(&mut self.tell(place, &["pid"], &[])).is_ok()
    }

    fn start(&self, place: &Place, hands: &Hands, bots: &[String]) -> Result<(), String> {
        hands.run(&mut self.tell(place, &["start"], bots)).map(drop)
    }

    fn stop(&self, place: &Place, hands: &Hands, bots: &[String]) -> Result<(), String> {
        hands.run(&mut self.tell(place, &["stop"], bots)).map(drop)
    }

    fn relaunch(&self, place: &Place, hands: &Hands) -> Result<(), String> {
        self.launch(place, hands)
    }

    fn log(&self, place: &Place, bot: &str) -> Result<Command, String> {
        // NAME is the newest, NAME.1 the one before it.
        cat(&place.at("log"), |name| match name.strip_prefix(bot)? {
            "" => Some(Reverse(0)),
            older => Some(Reverse(older.strip_prefix('.')?.parse::<u32>().ok()?)),
        })
    }
}
