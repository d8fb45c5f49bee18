//! Hands each command to its file.

use crate::core::code::Code;
use crate::core::stop::Wish;
use crate::paths::words;

use super::args::{Args, ClusterDeed, Command, EstopDeed};
use super::desk::{Place, find_desk, open_desk};
use super::output::{Output, refusal, wants_color};
use super::{
    cancel, check, cluster, completions, doctor, estop, events, logs_command, orders, reset, start, status, stop,
};

/// Runs one command.
pub fn run(args: &Args, command: &Command) -> Code {
    let output = Output { json: args.json, color: wants_color(args) };
    output.end(carry_out(args, command, output))
}

/// Tells what clap has to say about words that it could not make a command of, or that ask for help.
pub fn misused(error: &clap::Error) -> Code {
    let printed = error.print();
    if error.use_stderr() {
        // There are no arguments yet: only their words.
        let json = std::env::args_os().skip(1).take_while(|word| word != "--").any(|word| word == "--json");
        let text = error.render().to_string();
        let why = text.split("\n\n").next().unwrap_or(&text).trim();
        let why = why.strip_prefix("error: ").unwrap_or(why);
        let output = Output { json, color: false };
        output.object(&refusal(None, Code::Usage, why));
        return output.end(Code::Usage);
    }
    match printed {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Output { json: false, color: false }.complain(&format!("the output cannot be written: {}", words(&error)));
            Code::Failed
        }
        Ok(()) | Err(_) => Code::Done,
    }
}

fn carry_out(args: &Args, command: &Command, output: Output) -> Code {
    if let Command::Check = command {
        return check::run(args, output);
    }
    if let Command::Completions { shell } = command {
        return completions::run(*shell, output);
    }
    // None of these waits for a configuration, or can be kept from its work by one.
    if let Command::Doctor = command {
        return at_the_desk(args, command, output, |place| doctor::run(place, output));
    }
    if let Command::Estop { deed, reason, drill } = command {
        return at_the_desk(args, command, output, |place| match deed {
            None => estop::fire(place, reason.as_deref(), *drill, output),
            Some(EstopDeed::Status) => estop::status(place, output),
            Some(EstopDeed::Reset { host, reason, waive }) => reset::run(place, host, reason, waive.as_deref(), output),
        });
    }
    let desk = match open_desk(args) {
        Ok(desk) => desk,
        Err(why) => return output.refuse(word(command), Code::Usage, &why),
    };
    if let Some(trouble) = &desk.trouble {
        // What lives can be looked at and stopped from a home that cannot be written.
        let starts = matches!(
            command,
            Command::Start(_)
                | Command::Adopt(_)
                | Command::Up
                | Command::Restart(_)
                | Command::Cluster { deed: ClusterDeed::Start(_) }
        );
        if starts {
            return output.refuse(word(command), trouble.code(), &trouble.why);
        }
        output.complain(&trouble.why);
    }
    match command {
        Command::Demo
        | Command::Check
        | Command::Estop { .. }
        | Command::Doctor
        | Command::Completions { .. }
        | Command::Man => Code::Done,
        Command::Up => start::up(&desk, output),
        Command::Adopt(scope) => start::adopt(&desk, scope, output),
        Command::Start(scope) => start::start(&desk, scope, output),
        Command::Stop(scope) => stop::stop(&desk, scope, Wish::Stop, output),
        Command::Kill(scope) => stop::stop(&desk, scope, Wish::Kill, output),
        Command::Restart(scope) => stop::restart(&desk, scope, output),
        Command::Status { bots } => status::run(&desk, bots, output),
        Command::Orders { bots } => orders::run(&desk, bots, output),
        Command::Cancel { scope, orders } => cancel::run(&desk, scope, orders, output),
        Command::Cluster { deed } => cluster::run(&desk, deed, output),
        Command::Logs(which) => logs_command::run(&desk, which, output),
        Command::Events { count, bots } => events::run(&desk, *count, bots, output),
    }
}

/// Finds the desk, without its configuration.
fn at_the_desk(args: &Args, command: &Command, output: Output, work: impl FnOnce(&Place) -> Code) -> Code {
    match find_desk(args) {
        Ok(place) => work(&place),
        Err(why) => output.refuse(word(command), Code::Usage, &why),
    }
}

fn word(command: &Command) -> &'static str {
    match command {
        Command::Demo => "demo",
        Command::Check => "check",
        Command::Up => "up",
        Command::Adopt(_) => "adopt",
        Command::Start(_) => "start",
        Command::Stop(_) => "stop",
        Command::Restart(_) => "restart",
        Command::Kill(_) => "kill",
        Command::Status { .. } => "status",
        Command::Orders { .. } => "orders",
        Command::Cancel { .. } => "cancel",
        Command::Estop { deed: None, .. } => "estop",
        Command::Estop { deed: Some(EstopDeed::Status), .. } => "estop status",
        Command::Estop { deed: Some(EstopDeed::Reset { .. }), .. } => "estop reset",
        Command::Doctor => "doctor",
        Command::Cluster { deed } => cluster::word(deed),
        Command::Logs(_) => "logs",
        Command::Events { .. } => "events",
        Command::Completions { .. } => "completions",
        Command::Man => "man",
    }
}
