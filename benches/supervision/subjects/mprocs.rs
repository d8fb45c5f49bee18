//! mprocs: a program on a terminal, which here is one of `script`'s, and is told what to do over its remote control.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use serde_json::{Map, json};

use super::{Subject, programs, version_in};
use crate::hands::Hands;
use crate::place::{self, Place};

/// Its program, the one that gives it a terminal, and where its remote control listens.
pub struct Mprocs {
    program: PathBuf,
    script: PathBuf,
    port: AtomicU16,
}

impl Mprocs {
    /// If it is installed.
    pub fn find() -> Option<Box<dyn Subject>> {
        let [program, script] = programs(["mprocs", "script"])?;
        Some(Box::new(Self { program, script, port: AtomicU16::new(0) }))
    }

    fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port.load(Ordering::Relaxed))
    }

    /// One command that selects and tells each bot. It comes back when it has been heard, and knows nothing more.
    fn tell(&self, place: &Place, hands: &Hands, verb: &str, bots: &[String]) -> Result<(), String> {
        let commands: Vec<_> = bots
            .iter()
            .filter_map(|bot| place.bots.iter().position(|other| other == bot))
            .flat_map(|index| [json!({ "c": "select-proc", "index": index }), json!({ "c": verb })])
            .collect();
        let words = json!({ "c": "batch", "cmds": commands }).to_string();
        hands.run(Command::new(&self.program).args(["--server", &self.address(), "--ctl", &words])).map(drop)
    }
}

impl Subject for Mprocs {
    fn name(&self) -> &'static str {
        "mprocs"
    }

    fn version(&self, hands: &Hands) -> String {
        hands.ask(Command::new(&self.program).arg("--version")).map_or_else(|_| String::new(), |text| version_in(&text))
    }

    fn configure(&self, place: &Place) -> Result<(), String> {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
        self.port.store(free.map_err(|error| error.to_string())?.port(), Ordering::Relaxed);
        let bots: Map<_, _> = place
            .bots
            .iter()
            .map(|bot| {
                let described =
                    json!({ "cmd": place.command(bot), "autostart": place.plan.autostart, "autorestart": true });
                (bot.clone(), described)
            })
            .collect();
        // JSON is YAML.
        place::write(&place.at("mprocs.yaml"), &json!({ "server": self.address(), "procs": bots }).to_string())
    }

    fn launch(&self, place: &Place, hands: &Hands) -> Result<(), String> {
        // A terminal without a size ends mprocs with the first line that a bot writes.
        let inner = format!(
            "stty rows 40 cols 120; exec {} --config {} --log-dir {}",
            self.program.display(),
            place.at("mprocs.yaml").display(),
            place.at("log").display()
        );
        let mut command = Command::new(&self.script);
        command.args(["--quiet", "--return", "--command", &inner, "/dev/null"]);
        command.env("TERM", "xterm-256color").stdout(Stdio::null()).stderr(Stdio::null());
        hands.launch(&mut command).map(drop)
    }

    fn is_ready(&self, _: &Place, _: &Hands) -> bool {
        // Not by a connection: one that says nothing ends mprocs. The second field is the address, the fourth the state.
        let listens = format!("0100007F:{:04X}", self.port.load(Ordering::Relaxed));
        let sockets = fs::read_to_string("/proc/net/tcp").unwrap_or_default();
        sockets.lines().any(|line| {
            let mut fields = line.split_ascii_whitespace().skip(1);
            fields.next() == Some(&listens) && fields.nth(1) == Some("0A")
        })
    }

    fn start(&self, place: &Place, hands: &Hands, bots: &[String]) -> Result<(), String> {
        self.tell(place, hands, "start-proc", bots)
    }

    fn stop(&self, place: &Place, hands: &Hands, bots: &[String]) -> Result<(), String> {
        self.tell(place, hands, "term-proc", bots)
    }

    fn relaunch(&self, place: &Place, hands: &Hands) -> Result<(), String> {
        self.launch(place, hands)
    }

    fn log(&self, place: &Place, bot: &str) -> Result<Command, String> {
        let mut command = Command::new("cat");
        command.arg(place.at("log").join(format!("{bot}.log")));
        Ok(command)
    }

    fn apart(&self) -> &'static [&'static str] {
        &["script"]
    }
}
