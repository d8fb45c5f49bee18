//! The command line's grammar.

use std::path::PathBuf;

use clap::{Args as Group, Parser, Subcommand, ValueHint};

/// A keyboard-driven terminal supervisor for trading bots.
#[derive(Debug, Parser)]
#[command(name = "botwarden", version, about, disable_help_subcommand = true)]
pub struct Args {
    /// The configuration file [else `$BOTWARDEN_CONFIG`, ./botwarden.toml, then the user's configuration folder, then
    /// /etc/botwarden]
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// The desk's home [else `$BOTWARDEN_HOME`, then the user's state folder]
    #[arg(long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
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
    /// The screen looks, and does nothing to bots but the emergency stop
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
        #[arg(value_name = "BOT", value_hint = ValueHint::Other)]
        bots: Vec<String>,
    },
    /// Which orders are open
    Orders {
        /// Only of these
        #[arg(value_name = "BOT", value_hint = ValueHint::Other)]
        bots: Vec<String>,
    },
    /// Cancel orders, all of a bot or those that are named, and see that they are gone
    Cancel {
        /// Whose
        #[command(flatten)]
        scope: Scope,
        /// Only the order of this id, of the venue or of the bot; may be given several times
        #[arg(long = "order", value_name = "ID", value_hint = ValueHint::Other)]
        orders: Vec<String>,
    },
    /// Stop everything, now: every bot, every process of it, every order; and let nothing start until it is reset
    #[command(args_conflicts_with_subcommands = true)]
    Estop {
        /// What else can be done about it
        #[command(subcommand)]
        deed: Option<EstopDeed>,
        /// Why
        #[arg(long, value_name = "TEXT", value_hint = ValueHint::Other)]
        reason: Option<String>,
        /// Try the whole of it on bots in dry-run and paper mode, and only list what it would do to live ones
        #[arg(long)]
        drill: bool,
    },
    /// Whether this machine is ready for an emergency stop: one line a check
    Doctor,
    /// Clusters: bots that work through chunks in somebody's database
    Cluster {
        /// What is to be done
        #[command(subcommand)]
        deed: ClusterDeed,
    },
    /// What bots wrote
    Logs(LogArgs),
    /// What happened
    Events {
        /// The last so many
        #[arg(short = 'n', value_name = "N", value_hint = ValueHint::Other, default_value_t = 50)]
        count: usize,
        /// Only of these
        #[arg(value_name = "BOT", value_hint = ValueHint::Other)]
        bots: Vec<String>,
    },
    /// What a shell needs to complete these commands
    Completions {
        /// Which shell
        #[arg(value_name = "SHELL")]
        shell: clap_complete::Shell,
    },
    /// The page of the manual, for man(1)
    Man,
}

/// What can be done about an emergency stop beside firing it.
#[derive(Debug, Subcommand)]
pub enum EstopDeed {
    /// Whether it is ready, latched or in progress, and what became of the last one
    Status,
    /// Lift the latch, after everything was looked at afresh; nothing is started by that
    Reset {
        /// The name of this machine, as a sign that it is meant
        #[arg(long, value_name = "HOST", value_hint = ValueHint::Other)]
        host: String,
        /// Why
        #[arg(long, value_name = "TEXT", value_hint = ValueHint::Other)]
        reason: String,
        /// Lift it although something stands in the way, with a note of why that is right
        #[arg(long, value_name = "NOTE", value_hint = ValueHint::Other)]
        waive: Option<String>,
    },
}

/// What can be done with clusters.
#[derive(Debug, Subcommand)]
pub enum ClusterDeed {
    /// How they come along, and what of "running" is so
    Status(Clusters),
    /// Put stale chunks back, then start the workers and the coordinator
    Start(Clusters),
    /// Put running chunks back to pending, then stop every bot of it, and put back what was claimed meanwhile
    Stop(Clusters),
    /// Put stale or failed chunks back to pending; never one that a live worker holds
    Requeue(Requeue),
}

/// Which clusters.
#[derive(Clone, Debug, Default, Group)]
pub struct Clusters {
    /// Clusters by name; without one, all
    #[arg(value_name = "CLUSTER", value_hint = ValueHint::Other)]
    pub names: Vec<String>,
}

/// Which chunks of which clusters.
#[derive(Clone, Debug, Default, Group)]
pub struct Requeue {
    /// Which clusters
    #[command(flatten)]
    pub clusters: Clusters,
    /// Stale chunks; so it is where nothing else is said
    #[arg(long)]
    pub stale: bool,
    /// Failed chunks
    #[arg(long)]
    pub failed: bool,
    /// Stale and failed chunks
    #[arg(long)]
    pub all: bool,
    /// Only the chunk of this id; may be given several times
    #[arg(long = "chunk", value_name = "ID", value_hint = ValueHint::Other, conflicts_with_all = ["stale", "failed", "all"])]
    pub chunks: Vec<String>,
    /// Those too whose worker is not known on this machine, although their lease is good
    #[arg(long)]
    pub unverified: bool,
}

/// Which bots.
#[derive(Clone, Debug, Default, Group)]
pub struct Scope {
    /// Bots by name; a name with instances means all of them
    #[arg(value_name = "BOT", value_hint = ValueHint::Other, required_unless_present_any = ["group", "all"])]
    pub bots: Vec<String>,
    /// Every bot of a group
    #[arg(long, value_name = "GROUP", value_hint = ValueHint::Other, conflicts_with = "all")]
    pub group: Vec<String>,
    /// Every bot
    #[arg(long, conflicts_with = "bots")]
    pub all: bool,
}

/// Which lines.
#[derive(Clone, Debug, Group)]
pub struct LogArgs {
    /// Whose
    #[arg(value_name = "BOT", value_hint = ValueHint::Other, required = true)]
    pub bots: Vec<String>,
    /// The last so many lines
    #[arg(short = 'n', value_name = "N", value_hint = ValueHint::Other)]
    pub lines: Option<u64>,
    /// Go on as more is written
    #[arg(short = 'f', long)]
    pub follow: bool,
    /// Lines that match
    #[arg(long, value_name = "REGEX", value_hint = ValueHint::Other)]
    pub grep: Option<String>,
    /// Lines not older than this: 500ms, 30s, 5m, 2h
    #[arg(long, value_name = "DURATION", value_hint = ValueHint::Other)]
    pub since: Option<String>,
}
