//! What is measured. Each topic takes one subject through it and gives the figures of its rows.

mod chunks;
mod cold;
mod estop;
mod flood;
mod idle;
mod memory;
mod orders;
mod orphan;
mod restart;
mod screen;
mod start;
mod stop;

use crate::hands::Hands;
use crate::options::Options;
use crate::rows::{Cell, Row};
use crate::subjects::{Role, Subject};

/// What a topic comes to for one subject.
pub type Figures = Vec<(Row, Cell)>;

/// Something to be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// What supervision occupies.
    Memory,
    /// What it uses while nothing happens.
    Idle,
    /// How fast one bot starts.
    Start,
    /// How fast a hundred do.
    Cold,
    /// How fast one that died is there again.
    Restart,
    /// How fast bots are stopped.
    Stop,
    /// What a bot that writes a lot can write.
    Flood,
    /// What becomes of a bot whose parent is killed.
    Orphan,
    /// What a full look at everybody's orders costs.
    Orders,
    /// How fast everything is stopped at once.
    Estop,
    /// What a look at a cluster's database costs, and whom.
    Chunks,
    /// How fast the screen is, and what it costs.
    Screen,
}

impl Topic {
    /// Every topic, in the order of the table.
    pub const ALL: [Self; 12] = [
        Self::Memory,
        Self::Idle,
        Self::Start,
        Self::Cold,
        Self::Restart,
        Self::Stop,
        Self::Flood,
        Self::Orphan,
        Self::Orders,
        Self::Estop,
        Self::Chunks,
        Self::Screen,
    ];

    /// What it is called on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Idle => "idle",
            Self::Start => "start",
            Self::Cold => "cold",
            Self::Restart => "restart",
            Self::Stop => "stop",
            Self::Flood => "flood",
            Self::Orphan => "orphan",
            Self::Orders => "orders",
            Self::Estop => "estop",
            Self::Chunks => "chunks",
            Self::Screen => "screen",
        }
    }

    /// Its rows.
    pub fn rows(self) -> Vec<Row> {
        Row::ALL.into_iter().filter(|row| row.description().topic == self).collect()
    }

    /// How often it is measured: often enough for a median that means something. Peers have one round: what is repeated
    /// is repeated ten times in it, and a stop of a hundred takes one of them a quarter of a minute.
    pub fn rounds(self, role: Role, quick: bool) -> usize {
        match (self, role) {
            _ if quick => 1,
            (_, Role::Peer)
            | (Self::Memory | Self::Idle | Self::Orphan | Self::Orders | Self::Chunks | Self::Screen, _) => 1,
            (Self::Start | Self::Restart | Self::Flood, Role::Floor | Role::Ours) => 3,
            (Self::Cold | Self::Stop | Self::Estop, Role::Floor | Role::Ours) => 5,
        }
    }

    /// Measures it once for one subject.
    pub fn measure(self, hands: &Hands, subject: &dyn Subject, options: &Options) -> Result<Figures, String> {
        // Where there is no supervision, there is nothing of it to be measured.
        if subject.role() == Role::Floor && matches!(self, Self::Memory | Self::Idle | Self::Restart | Self::Orphan) {
            return Ok(Vec::new());
        }
        // Nobody else reads orders or chunks, has an emergency stop, or this screen.
        if matches!(self, Self::Orders | Self::Estop | Self::Chunks | Self::Screen) && subject.role() != Role::Ours {
            return Ok(Vec::new());
        }
        match self {
            Self::Memory => memory::measure(hands, subject),
            Self::Idle => idle::measure(hands, subject, options),
            Self::Start => start::measure(hands, subject),
            Self::Cold => cold::measure(hands, subject),
            Self::Restart => restart::measure(hands, subject),
            Self::Stop => stop::measure(hands, subject),
            Self::Flood => flood::measure(hands, subject, options),
            Self::Orphan => orphan::measure(hands, subject),
            Self::Orders => orders::measure(hands, options.quick),
            Self::Estop => estop::measure(hands, subject),
            Self::Chunks => chunks::measure(hands, options.quick),
            Self::Screen => screen::measure(hands, subject, options.quick),
        }
    }
}
