//! What an operator may ask for, on which bots, and what stands guard before it.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::core::bot::{BotName, BotSpec, Mode};
use crate::core::state::State;
use crate::core::status::{BotStatus, Stray};
use crate::core::words;

use super::orders::Count;
use super::theme;

/// What may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Start.
    Start,
    /// Stop by the ladder.
    Stop,
    /// Send the next signal of a stop at once.
    Climb,
    /// SIGKILL at once.
    Kill,
    /// Stop, then start.
    Restart,
    /// Put an orphan or a stray under a keeper.
    Adopt,
    /// Cancel orders, while the bot goes on.
    Cancel,
    /// Put chunks of a cluster back; asked of no bot.
    Requeue,
}

impl Deed {
    /// The verb.
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Climb => "hurry the stop of",
            Self::Kill => "kill",
            Self::Restart => "restart",
            Self::Adopt => "adopt",
            Self::Cancel => "cancel orders of",
            Self::Requeue => "requeue chunks of",
        }
    }

    /// Whether a bot runs by the configuration of now once it is done.
    pub const fn starts(self) -> bool {
        match self {
            Self::Start | Self::Restart => true,
            Self::Stop | Self::Climb | Self::Kill | Self::Adopt | Self::Cancel | Self::Requeue => false,
        }
    }

    /// Whether whoever carries it out needs the configuration's words.
    pub const fn needs_specs(self) -> bool {
        match self {
            Self::Start | Self::Restart | Self::Adopt => true,
            Self::Stop | Self::Climb | Self::Kill | Self::Cancel | Self::Requeue => false,
        }
    }

    /// Whether it is also about the strays beside a bot.
    const fn reaches_strays(self) -> bool {
        match self {
            Self::Start | Self::Stop | Self::Kill | Self::Restart | Self::Adopt => true,
            // What is hurried was asked for already, and orders are the bot's, whoever placed them.
            Self::Climb | Self::Cancel | Self::Requeue => false,
        }
    }

    /// Whether its course can be watched: it ends something, or cancels something.
    pub const fn is_watched(self) -> bool {
        match self {
            Self::Stop | Self::Climb | Self::Kill | Self::Restart | Self::Cancel | Self::Requeue => true,
            Self::Start | Self::Adopt => false,
        }
    }

    /// What it does, for the dialog.
    pub const fn story(self) -> &'static str {
        match self {
            Self::Start => "It will run with what the configuration says now.",
            Self::Stop => "It is asked to stop, by its ladder of signals. Open positions stay open.",
            Self::Climb => "The next signal of its ladder is sent now, without waiting.",
            Self::Kill => "SIGKILL to its whole tree, now. It can cancel no order and save nothing.",
            Self::Restart => "It is stopped by its ladder, and started once nothing of it is left.",
            Self::Adopt => "It gets a keeper and goes on running: it is not restarted, and nothing is sent to it.",
            Self::Requeue => "They become pending, and whoever works on the cluster takes them again.",
            Self::Cancel => "The bot goes on, and may place new ones. Open positions stay open.",
        }
    }
}

/// Which orders of a bot are to be canceled, and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meant {
    /// What they are called; empty if all are meant.
    pub keys: Vec<String>,
    /// The same for people: a line for every order that a key takes, and several may be called the same.
    pub names: Vec<String>,
    /// Where all are meant: those that were open when the question was asked, if anybody had read them.
    pub open: Option<BTreeSet<(String, u32)>>,
    /// How many of them guard a position.
    pub protective: u64,
    /// Who cancels them: a sentence.
    pub scope: String,
}

/// Orders of a bot that were chosen one by one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picked {
    /// What they are called.
    pub keys: Vec<String>,
    /// How many they were, several of which may be called the same.
    pub count: u64,
}

impl Meant {
    /// Those that were chosen one by one; nothing if all are meant.
    pub fn picked(&self) -> Option<Picked> {
        (!self.keys.is_empty()).then(|| Picked { keys: self.keys.clone(), count: self.names.len() as u64 })
    }
}

/// A bot as it was when a question about it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its name.
    pub name: BotName,
    /// Its mode; where it is to be started, live if either its run or the configuration is.
    pub mode: Option<Mode>,
    /// Its state.
    pub state: State,
    /// Its process.
    pub pid: Option<i32>,
    /// Its run.
    pub run: Option<String>,
    /// Its open orders, where somebody read them a moment ago.
    pub orders: Option<u64>,
    /// The same, and why nobody knows where nobody does.
    pub known: Count,
    /// How many of them guard a position.
    pub protective: u64,
    /// Where orders are to be canceled: which.
    pub meant: Option<Meant>,
    /// Its strays, where the deed is about those too.
    pub strays: Vec<Stray>,
}

impl Target {
    /// This bot, as this deed would find it.
    pub fn of(deed: Deed, bot: &BotStatus, spec: Option<&BotSpec>) -> Self {
        let mode = match spec.filter(|_| deed.starts()) {
            // What lives ends by a restart, so its money counts as much as that of the next run.
            Some(_) if !bot.state.is_at_rest() && bot.mode.is_none_or(|mode| mode == Mode::Live) => bot.mode,
            Some(spec) => Some(spec.mode),
            None => bot.mode,
        };
        Self {
            name: bot.name.clone(),
            mode,
            state: bot.state,
            pid: bot.pid,
            run: bot.run.clone(),
            orders: bot.orders_active,
            known: Count::NoSource,
            protective: 0,
            meant: None,
            strays: if deed.reaches_strays() { bot.strays.clone() } else { Vec::new() },
        }
    }

    /// Real money; a mode that could not be read may be.
    pub const fn is_live(&self) -> bool {
        match self.mode {
            Some(Mode::Live) | None => true,
            Some(Mode::Paper | Mode::DryRun) => false,
        }
    }

    /// Whether it may have orders open that nobody could read a moment ago.
    pub const fn may_have_orders(&self) -> bool {
        match self.known {
            Count::Unread | Count::Stale(_) => true,
            Count::NoSource | Count::Fresh(_) => false,
        }
    }

    /// What has changed since, as a sentence that follows its name; nothing if it is still the same.
    pub fn changed(&self, deed: Deed, now: Option<&Self>) -> Option<String> {
        let Some(now) = now else { return Some("is no longer there".to_owned()) };
        if deed == Deed::Cancel {
            // An order is there whatever becomes of its bot; only what it is worth may not have changed.
            return (now.mode != self.mode).then(|| format!("is {} now", theme::mode(now.mode, false)));
        }
        if now.state != self.state {
            return Some(format!("was {} and is {} now", theme::state(self.state).word, theme::state(now.state).word));
        }
        if now.mode != self.mode {
            return Some(format!("is {} now", theme::mode(now.mode, false)));
        }
        if now.run != self.run || now.pid != self.pid {
            return Some("is another run now".to_owned());
        }
        let missing =
            |these: &[Stray], those: &[Stray]| these.iter().find(|stray| !those.contains(stray)).map(|stray| stray.pid);
        if let Some(pid) = missing(&now.strays, &self.strays) {
            return Some(format!("has a stray more now, pid {pid}"));
        }
        // Who is to be ended and has ended meanwhile is no reason not to end the others.
        match missing(&self.strays, &now.strays) {
            Some(pid) if deed == Deed::Adopt => Some(format!("has lost its stray, pid {pid}")),
            Some(_) | None => None,
        }
    }

    /// A line of the dialog: name, mode, state, orders.
    pub fn line(&self) -> String {
        let mut line = format!("{}  {}  {}", self.name, theme::mode(self.mode, false), theme::state(self.state).word);
        if let Some(pid) = self.pid {
            let _ = write!(line, "  pid {pid}");
        }
        match self.orders {
            Some(1) => line.push_str("  1 open order"),
            Some(orders) => _ = write!(line, "  {orders} open orders"),
            None => match self.known {
                Count::Stale(orders) => _ = write!(line, "  open orders: unknown, {orders} when last read"),
                Count::NoSource | Count::Unread | Count::Fresh(_) => line.push_str("  open orders: unknown"),
            },
        }
        if self.orders.is_some() && self.protective > 0 {
            let _ = write!(line, " ({} protective)", self.protective);
        }
        line
    }

    /// Its orders that were chosen one by one; nothing if all are meant.
    pub fn picked(&self) -> Option<Picked> {
        self.meant.as_ref().and_then(Meant::picked)
    }

    /// How many orders of it are to be canceled, where that is known.
    pub fn to_cancel(&self) -> Option<u64> {
        let meant = self.meant.as_ref()?;
        if meant.keys.is_empty() { self.orders } else { Some(meant.names.len() as u64) }
    }
}

/// A line of the dialog for a stray: number, command, and how it was found.
pub fn stray_line(stray: &Stray) -> String {
    format!("stray pid {}  {}  {}", stray.pid, words::masked(&stray.command), words::found_by(stray))
}

/// What must be answered before something is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guard {
    /// `y`; everything else means No.
    YesNo,
    /// These very letters.
    Type(String),
}

/// What stands before this deed.
pub fn guard(deed: Deed, targets: &[Target]) -> Option<Guard> {
    let live = targets.iter().any(Target::is_live);
    // What was not started here may be anything, so it is named before it is ended; and whoever knows less of orders is
    // not asked less.
    let has_open = |target: &Target| target.orders.is_some_and(|orders| orders > 0) || target.may_have_orders();
    let open = targets.iter().any(|target| has_open(target) || !target.strays.is_empty());
    // Nobody said that there are none.
    let risky = targets.iter().any(|target| target.is_live() && target.orders != Some(0));
    let typed = || {
        Guard::Type(match targets {
            [only] => only.name.to_string(),
            [..] => "LIVE".to_owned(),
        })
    };
    match deed {
        Deed::Start if live => Some(typed()),
        Deed::Start => None,
        Deed::Stop if live || open => Some(Guard::YesNo),
        Deed::Stop => None,
        Deed::Climb => Some(Guard::YesNo),
        Deed::Kill if risky => Some(typed()),
        Deed::Kill | Deed::Adopt | Deed::Cancel | Deed::Requeue => Some(Guard::YesNo),
        // Both guards in one: who types the name has said yes to the stop as well.
        Deed::Restart if live => Some(typed()),
        Deed::Restart if open => Some(Guard::YesNo),
        Deed::Restart => None,
    }
}

/// These bots, as a sentence names them: `momentum`, or `3 bots`.
pub fn named(targets: &[Target]) -> String {
    match targets {
        [only] => only.name.to_string(),
        [..] => format!("{} bots", targets.len()),
    }
}
