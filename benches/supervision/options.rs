//! What is to be measured.

use crate::subjects::peers;
use crate::topics::Topic;

/// What somebody asked for.
#[derive(Debug)]
pub enum Wish {
    /// Figures.
    Measure(Options),
    /// An explanation.
    Help,
    /// Nothing: `cargo test --all-targets` runs benchmarks as if they were tests.
    Nothing,
}

/// What is to be measured, and how often.
#[derive(Debug)]
pub struct Options {
    /// These.
    pub topics: Vec<Topic>,
    /// Fewer repetitions, shorter looks.
    pub quick: bool,
    /// Only these other supervisors; nothing means all that are installed.
    pub peers: Option<Vec<String>>,
}

/// What can be asked for.
pub fn help() -> String {
    let topics: Vec<&str> = Topic::ALL.into_iter().map(Topic::name).collect();
    format!(
        "just bench [--quick] [--alone | --peers NAME,NAME] [TOPIC...]\n\n\
         Topics: {}; all of them if none is named.\n\
         --quick  fewer repetitions: to see that it works, not to compare\n\
         --alone  botwarden and the floor only\n\
         --peers  these beside them, if they are installed: {}",
        topics.join(", "),
        peers().collect::<Vec<_>>().join(", ")
    )
}

impl Options {
    /// Reads a command line.
    pub fn read(mut arguments: impl Iterator<Item = String>) -> Result<Wish, String> {
        let mut options = Self { topics: Vec::new(), quick: false, peers: None };
        let mut is_bench = false;
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                // What `cargo bench` says to every benchmark, and `cargo test` does not.
                "--bench" => is_bench = true,
                "--quick" => options.quick = true,
                "--alone" => options.peers = Some(Vec::new()),
                "--peers" => {
                    let names = arguments.next().unwrap_or_default();
                    let names: Vec<String> = names.split(',').map(str::to_owned).collect();
                    if let Some(unknown) = names.iter().find(|name| !peers().any(|peer| peer == name.as_str())) {
                        return Err(format!("no peer is called \"{unknown}\"\n\n{}", help()));
                    }
                    options.peers = Some(names);
                }
                "--help" | "-h" => return Ok(Wish::Help),
                name => match Topic::ALL.into_iter().find(|topic| topic.name() == name) {
                    Some(topic) => options.topics.push(topic),
                    None => return Err(format!("nothing called \"{name}\" is measured here\n\n{}", help())),
                },
            }
        }
        if options.topics.is_empty() {
            options.topics = Topic::ALL.to_vec();
        }
        Ok(if is_bench { Wish::Measure(options) } else { Wish::Nothing })
    }
}
