//! The command line's grammar.

use std::path::PathBuf;

use clap::{Args as Group, Parser, Subcommand};

/// A keyboard-driven terminal supervisor for trading bots.
#[derive(Debug, Parser)]
#[command(name = "botwarden", version, about, disable_help_subcommand = true)]
pub struct Args {
    /// The configuration file [else `$BOTWARDEN_CONFIG`, ./botwarden.toml, then the user's configuration folder, then
    /// /etc/botwarden]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The desk's home [else `$BOTWARDEN_HOME`, then the user's state folder]
    #[arg(long, global = true, value_name = "DIR")]
    pub home: Option<PathBuf>,
    /// Print one JSON object on standard output
    #[arg(long, global = true)]
    pub json: bool,
    /// No colours (also: `NO_COLOR`)
    #[arg(long, global = true)]
    pub no_color: bool,
    /// Plain ASCII on the screen
    #[arg(long, global = true)]
    pub ascii: bool,
    /// The screen looks, and does nothing to bots
    #[arg(long, global = true)]
    pub read_only: bool,
    /// Ask no questions
    #[arg(long, global = true)]
    pub yes: bool,
    /// What to do; without it, the screen
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// A paper desk in its own temporary home, and the screen on it
    Demo,
    /// Read the configuration and report every mistake
    Check,
    /// Start what should be running, and take orphans back
    Up,
    /// Take bots that live without a keeper under one, without restarting them
    Adopt(Scope),
    /// Start bots
    Start(Scope),
    /// Stop bots, by their ladders, and see that nothing of them lives
    Stop(Scope),
    /// Stop bots and start them anew
    Restart(Scope),
    /// Stop bots with SIGKILL at once
    Kill(Scope),
    /// How the bots are
    Status {
        /// Only these
        #[arg(value_name = "BOT")]
        bots: Vec<String>,
    },
    /// Which orders are open
    Orders {
        /// Only of these
        #[arg(value_name = "BOT")]
        bots: Vec<String>,
    },
    /// Cancel orders, all of a bot or those that are named, and see that they are gone
    Cancel {
        /// Whose
        #[command(flatten)]
        scope: Scope,
        /// Only the order of this id, of the venue or of the bot; may be given several times
        #[arg(long = "order", value_name = "ID")]
        orders: Vec<String>,
    },
    /// What bots wrote
    Logs(LogArgs),
    /// What happened
    Events {
        /// The last so many
        #[arg(short = 'n', value_name = "N", default_value_t = 50)]
        count: usize,
        /// Only of these
        #[arg(value_name = "BOT")]
        bots: Vec<String>,
    },
}

/// Which bots.
#[derive(Clone, Debug, Default, Group)]
pub struct Scope {
    /// Bots by name; a name with instances means all of them
    #[arg(value_name = "BOT", required_unless_present_any = ["group", "all"])]
    pub bots: Vec<String>,
    /// Every bot of a group
    #[arg(long, value_name = "GROUP", conflicts_with = "all")]
    pub group: Vec<String>,
    /// Every bot
    #[arg(long, conflicts_with = "bots")]
    pub all: bool,
}

/// Which lines.
#[derive(Clone, Debug, Group)]
pub struct LogArgs {
    /// Whose
    #[arg(value_name = "BOT", required = true)]
    pub bots: Vec<String>,
    /// The last so many lines
    #[arg(short = 'n', value_name = "N")]
    pub lines: Option<u64>,
    /// Go on as more is written
    #[arg(short = 'f', long)]
    pub follow: bool,
    /// Lines that match
    #[arg(long, value_name = "REGEX")]
    pub grep: Option<String>,
    /// Lines not older than this: 500ms, 30s, 5m, 2h
    #[arg(long, value_name = "DURATION")]
    pub since: Option<String>,
}
