//! Looks at the bots and at the configuration, again and again.

use std::fs;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant, SystemTime};

use log::warn;

use crate::config::{self, last_good};
use crate::core::bot::BotSpec;
use crate::core::cluster::ClusterSpec;
use crate::core::ui::UiSettings;
use crate::paths::Home;
use crate::survey::Surveyor;
use crate::tui::message::{Configured, EmergencyNews, Msg, Ticket};

/// Between looks when nothing happens, and when something does.
pub(super) const CALM: Duration = Duration::from_secs(1);
const HURRIED: Duration = Duration::from_millis(200);

/// What whoever looks is asked.
pub(super) enum Look {
    Now(Ticket),
    Hurry(bool),
}

/// The configuration, as a file that others may change at any time.
#[derive(Clone, Debug)]
pub struct Source {
    home: Home,
    pub(super) file: Option<PathBuf>,
    /// As it was last read, mistakes and all.
    said: Configured,
    /// The bots of the last time that it was without a mistake.
    specs: Vec<BotSpec>,
    stamp: Option<Stamp>,
    /// Whether the screen was told what this one says.
    told: bool,
    /// The longest wait of a rung in an emergency stop, if that is news.
    wait: Option<Duration>,
    /// Every cluster of the last time that it was without a mistake; none before that.
    clusters: Option<Vec<ClusterSpec>>,
    /// Whether those are news.
    clusters_changed: bool,
    /// How the screen is to look, if that is news.
    ui: Option<UiSettings>,
    /// The same, as it was last told.
    ui_told: Option<UiSettings>,
}

/// What changes when a file is written.
type Stamp = (Option<SystemTime>, u64);

impl Source {
    /// What was read of this file already.
    pub fn new(home: Home, file: Option<PathBuf>, said: Configured) -> Self {
        let specs = said.clone().unwrap_or_default();
        Self {
            home,
            file,
            said,
            specs,
            stamp: None,
            told: false,
            wait: None,
            clusters: None,
            clusters_changed: false,
            ui: None,
            ui_told: None,
        }
    }

    /// Reads the file again, if it must be or seems to have changed. What it says, if that is news.
    fn news(&mut self, must: bool) -> Option<Configured> {
        let file = self.file.as_ref()?;
        let stamp = fs::metadata(file).ok().map(|about| (about.modified().ok(), about.len()));
        if !must && self.told && stamp == self.stamp {
            return None;
        }
        // Taken before the reading: what is written meanwhile is read the next time.
        self.stamp = stamp;
        let said = match config::read(file) {
            Ok(config) => {
                let others = self.clusters.as_ref().is_some_and(|before| *before != config.clusters);
                if (others || self.said.as_ref() != Ok(&config.bots))
                    && let Err(error) = last_good::keep(&self.home, &config)
                {
                    warn!("cannot keep a copy of the configuration: {error}");
                }
                self.wait = Some(config.estop.wait);
                if self.ui_told.replace(config.ui) != Some(config.ui) {
                    self.ui = Some(config.ui);
                }
                self.clusters_changed |= others || self.clusters.is_none();
                self.clusters = Some(config.clusters);
                Ok(config.bots)
            }
            Err(mistakes) => Err(mistakes.first().map(ToString::to_string).unwrap_or_default()),
        };
        if self.told && said == self.said {
            return None;
        }
        self.told = true;
        if let Ok(specs) = &said {
            self.specs.clone_from(specs);
        }
        self.said.clone_from(&said);
        Some(said)
    }
}

/// Looks until nobody listens any more.
pub(super) fn look_on(mut surveyor: Surveyor, mut source: Source, asked: &Receiver<Look>, tell: &Sender<Msg>) {
    let mut pace = CALM;
    let mut tickets: Vec<Ticket> = Vec::new();
    loop {
        let began = Instant::now();
        // Before the bots: what is seen of them is seen by what the file says.
        if let Some(news) = source.news(!tickets.is_empty())
            && tell.send(Msg::Configuration(news)).is_err()
        {
            return;
        }
        if let Some(wait) = source.wait.take()
            && tell.send(Msg::Emergency(EmergencyNews::Cap(wait))).is_err()
        {
            return;
        }
        if let Some(ui) = source.ui.take()
            && tell.send(Msg::Ui(ui)).is_err()
        {
            return;
        }
        if std::mem::take(&mut source.clusters_changed)
            && tell.send(Msg::Clusters(source.clusters.clone().unwrap_or_default())).is_err()
        {
            return;
        }
        let sent = tell.send(Msg::Survey(surveyor.look(&source.specs)));
        if sent.is_err() || tickets.drain(..).any(|ticket| tell.send(Msg::Fresh(ticket)).is_err()) {
            return;
        }
        // What arrives while a look is under way is answered by the next one, which begins after the asking.
        loop {
            match asked.recv_timeout(pace.saturating_sub(began.elapsed())) {
                Ok(Look::Hurry(hurried)) => pace = if hurried { HURRIED } else { CALM },
                Ok(Look::Now(ticket)) => {
                    tickets.push(ticket);
                    break;
                }
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ui::Theme;

    #[test]
    fn how_the_screen_is_to_look_is_news_when_it_changed_and_mistakes_change_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("botwarden.toml");
        let write = |text: &str| fs::write(&file, text).expect("written");
        let mut source = Source::new(Home::at(folder.path().to_owned()), Some(file.clone()), Ok(vec![]));
        let mut told = |text: &str| {
            write(&format!("{text}[bots.a]\ncommand = [\"/bin/sleep\"]\nmode = \"paper\"\n"));
            source.news(true);
            source.ui.take().map(|ui| ui.theme)
        };
        assert_eq!(told("[ui]\ntheme = \"light\"\n"), Some(Theme::Light));
        assert_eq!(told("[ui]\ntheme = \"light\"\n"), None);
        assert_eq!(told("[ui]\ntheme = \"pink\"\n"), None);
        assert_eq!(told(""), Some(Theme::Dark));
    }

    #[test]
    fn a_file_that_changed_is_news_and_one_with_mistakes_takes_no_bot_away() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("botwarden.toml");
        let write = |text: &str| fs::write(&file, text).expect("written");
        let bots = |text: &str| {
            write(text);
            config::read(&file).expect("no mistake").bots
        };
        let paper = bots("[bots.a]\ncommand = [\"/bin/sleep\"]\nmode = \"paper\"\n");
        let home = Home::at(folder.path().to_owned());
        let mut source = Source::new(home, Some(file.clone()), Ok(paper.clone()));
        assert_eq!(source.news(false), Some(Ok(paper.clone())), "whoever looks anew says what it starts from");
        assert_eq!((source.news(false), source.news(true)), (None, None));
        let live = bots("[bots.a]\ncommand = [\"/bin/sleep\"]\nmode = \"live\"\n");
        assert_eq!(source.news(false), Some(Ok(live.clone())));
        write("[bots.a]\nmode = 7\n");
        assert!(matches!(source.news(false), Some(Err(why)) if why.contains("botwarden.toml:")));
        assert_eq!((source.news(true), &source.specs), (None, &live));
        fs::remove_file(&file).expect("removed");
        assert!(matches!(source.news(false), Some(Err(_))));
        bots("[bots.a]\ncommand = [\"/bin/sleep\"]\nmode = \"paper\"\n");
        assert_eq!(source.news(true), Some(Ok(paper)));
    }
}
