//! What supervision costs and how fast it is: botwarden beside a floor without any supervisor, and beside other
//! supervisors that are installed. `just bench` runs it; docs/BENCHMARKS.md says what each row means.

mod bot;
mod clock;
mod ears;
mod hands;
mod options;
mod place;
mod proc;
mod rows;
mod sample;
mod session;
mod subjects;
mod table;
mod terminal;
mod topics;

use std::io::{self, Write};
use std::process::ExitCode;

use hands::Hands;
use options::{Options, Wish};
use rows::Cell;
use subjects::Role;
use table::Table;

fn main() -> ExitCode {
    // First of all: in the role of a bot this is what is measured.
    let executing = clock::now();
    let mut arguments = std::env::args().skip(1).peekable();
    if arguments.next_if(|first| first == bot::ROLE).is_some() {
        return bot::run(executing, arguments);
    }
    match Options::read(arguments) {
        Ok(Wish::Measure(options)) => measure(&options),
        Ok(Wish::Nothing) => say("benchmarks are run by `just bench`", ExitCode::SUCCESS),
        Ok(Wish::Help) => say(&options::help(), ExitCode::SUCCESS),
        Err(why) => complain(&why, ExitCode::from(2)),
    }
}

/// Measures everything that was asked for, and prints it. It is a failure only if something of our own could not be
/// measured: figures are not tests.
fn measure(options: &Options) -> ExitCode {
    let hands = match Hands::new() {
        Ok(hands) => hands,
        Err(why) => return complain(&why, ExitCode::FAILURE),
    };
    let (subjects, missing) = subjects::found(options.peers.as_deref());
    let mut table = Table::new(&subjects, &missing, options, &hands);
    let mut code = ExitCode::SUCCESS;
    for topic in &options.topics {
        // Round by round, so that what else the machine does strikes all of them alike: most goals are ratios.
        let rounds = |role| topic.rounds(role, options.quick);
        for round in 0..rounds(Role::Ours) {
            for subject in subjects.iter().filter(|subject| round < rounds(subject.role())) {
                progress(&format!("{} {}: {}", topic.name(), round + 1, subject.name()));
                match topic.measure(&hands, subject.as_ref(), options) {
                    Ok(figures) => table.enter(subject.name(), figures),
                    Err(why) => {
                        progress(&format!("{}: {}: could not be measured: {why}", topic.name(), subject.name()));
                        if subject.role() == Role::Ours {
                            code = ExitCode::FAILURE;
                        }
                        let failed = topic.rows().iter().map(|row| (*row, Cell::word("failed"))).collect();
                        table.enter(subject.name(), failed);
                    }
                }
                hands::end_everything();
            }
        }
    }
    say(&table.text(&options.topics), code)
}

fn say(text: &str, code: ExitCode) -> ExitCode {
    // Whoever reads it may have gone.
    let _ = writeln!(io::stdout(), "{text}");
    code
}

fn progress(text: &str) {
    let _ = writeln!(io::stderr(), "  {text}");
}

fn complain(why: &str, code: ExitCode) -> ExitCode {
    let _ = writeln!(io::stderr(), "bench: {why}");
    code
}
