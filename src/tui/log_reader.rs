//! Reads the logs of one view: the window that the screen holds, the search in it, and how its sources stand.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use crate::core::status::RecordSeen;
use crate::core::words::NOT_OURS;
use crate::logs::pager::{Page, Pager};
use crate::logs::save;
use crate::logs::seek::{self, Next, Seek};
use crate::logs::well::{Place, Well};
use crate::paths::Home;
use crate::record;

use super::log_lines::{self, Owner};
use super::log_news::{Ends, Found, HELD, LogAsk, LogEvent, Sought, SourceSeen, View};

/// So many lines are read at once at the end.
const FIRST: usize = 1000;
/// So many lines stand above one that was searched for.
const ABOVE: u64 = 12;
/// Between looks at the records, and between two tellings of what changes all the time.
const RECORD: Duration = Duration::from_secs(1);
const TELLING: Duration = Duration::from_millis(400);
const COUNTING: Duration = Duration::from_millis(150);
/// More bots than these are looked after less often.
const MANY: usize = 8;

/// Where a log is.
#[derive(Clone, Debug)]
enum Origin {
    Output(PathBuf),
    File(PathBuf),
}

/// A source, as it was told last.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Told {
    seen: SourceSeen,
    written: Option<SystemTime>,
}

/// A search that stands.
struct Search {
    number: u64,
    seek: Seek,
    /// What was told, and when.
    told: Option<(Found, Instant)>,
    /// What stands below or above the reader, who wants to go on from there.
    step: Option<(Vec<Place>, bool)>,
    /// The line to which the window goes.
    going: Option<(usize, Place)>,
    /// Where the last step came to while not all was counted.
    uncounted: Option<(usize, Place)>,
}

/// Whoever reads one view.
pub(super) struct LogReader {
    home: Home,
    view: View,
    pager: Pager,
    origins: Vec<Origin>,
    owners: Vec<Owner>,
    search: Option<Search>,
    ends: Option<Ends>,
    told: Vec<Told>,
    told_at: Option<Instant>,
    records_at: Instant,
}

impl LogReader {
    /// Of this view, from its end.
    pub(super) fn new(home: Home, view: View) -> Self {
        let pager = Pager::new(Vec::new(), view.least, HELD);
        let mut reader = Self {
            home,
            view,
            pager,
            origins: Vec::new(),
            owners: Vec::new(),
            search: None,
            ends: None,
            told: Vec::new(),
            told_at: None,
            records_at: Instant::now(),
        };
        reader.look_at_records();
        reader.pager.last(FIRST);
        reader
    }

    /// The number of the view.
    pub(super) const fn number(&self) -> u64 {
        self.view.number
    }

    /// The folders in which changes are to be watched for.
    pub(super) fn folders(&self) -> Vec<PathBuf> {
        self.pager.lanes.iter().filter_map(|lane| lane.well.folder()).collect()
    }

    /// How long may pass between looks while no change is told of.
    pub(super) fn pace(&self) -> Duration {
        Duration::from_millis(if self.origins.len() > MANY { 1000 } else { 100 })
    }

    /// Adds what the records and the configuration say there is, unless it is read already.
    fn look_at_records(&mut self) {
        self.records_at = Instant::now();
        for (of, whose) in self.view.of.clone().into_iter().enumerate() {
            let bot = self.home.bot(&whose.bot);
            let (mut file, mut stray, zone) = (whose.file, None, whose.zone.as_deref());
            if let RecordSeen::Read(record) = record::read(&bot) {
                file = file.or(record.log_file);
                stray = record.stray.then_some(record.run);
            }
            let output = self.lane_of(of, false);
            match (output, stray) {
                (None, stray) => {
                    let folder = bot.log_dir();
                    self.add(of, Well::output(&folder, stray).in_zone(zone), Origin::Output(folder));
                }
                // What its earlier runs have written is not what this one writes.
                (Some(lane), Some(run)) => {
                    if let Some(lane) = self.pager.lanes.get_mut(lane) {
                        lane.well.only_after(&run);
                    }
                }
                (Some(_), None) => {}
            }
            if let Some(file) = file.filter(|_| self.lane_of(of, true).is_none()) {
                self.add(of, Well::file(file.clone()).in_zone(zone), Origin::File(file));
            }
        }
        self.name_files();
    }

    fn add(&mut self, of: usize, well: Well, origin: Origin) {
        self.pager.add(well);
        self.origins.push(origin);
        self.owners.push(Owner { of, file: None });
        if let (Some(search), Some(lane)) = (&mut self.search, self.pager.lanes.last_mut()) {
            search.seek.add(&mut lane.well);
        }
    }

    fn lane_of(&self, of: usize, file: bool) -> Option<usize> {
        let suits = |(owner, origin): (&Owner, &Origin)| owner.of == of && matches!(origin, Origin::File(_)) == file;
        self.owners.iter().zip(&self.origins).position(suits)
    }

    /// A file is named where the bot's output is shown, too.
    fn name_files(&mut self) {
        for of in 0..self.view.of.len() {
            let Some(file) = self.lane_of(of, true) else { continue };
            let output = self.lane_of(of, false).and_then(|lane| self.pager.lanes.get(lane));
            let both = output.is_some_and(|lane| lane.well.runs() > 0);
            let name = self.pager.lanes.get(file).and_then(|lane| lane.well.name()).filter(|_| both);
            if let Some(owner) = self.owners.get_mut(file)
                && owner.file.as_deref() != name.as_deref()
            {
                owner.file = name.map(Arc::from);
            }
        }
    }

    /// Does what is asked; `Open` and `Save` are for somebody else.
    pub(super) fn hear(&mut self, ask: LogAsk, news: &mut Vec<LogEvent>) {
        match ask {
            LogAsk::Open(_) | LogAsk::Save(_) => {}
            // The way to a match leads away from the end by itself.
            LogAsk::Hold(false) if self.search.as_ref().is_some_and(|search| search.going.is_some()) => {}
            LogAsk::Hold(hold) => {
                if !hold && !self.pager.follows() && self.pager.newer() > 0 {
                    self.interrupt(news);
                    self.pager.last(FIRST);
                }
                self.pager.hold(hold);
            }
            LogAsk::Before(lines) => {
                self.interrupt(news);
                self.pager.older(lines);
            }
            LogAsk::After(lines) => {
                self.interrupt(news);
                self.pager.newer_lines(lines);
            }
            LogAsk::First(lines) => {
                self.interrupt(news);
                self.pager.first(lines);
            }
            LogAsk::Last => {
                self.interrupt(news);
                self.pager.hold(false);
                self.pager.last(FIRST);
            }
            LogAsk::Search(number, sought) => {
                let sought = match sought {
                    Sought::Pattern(pattern) => seek::Sought::pattern(&pattern),
                    Sought::Errors => seek::Sought::errors(),
                };
                self.search = sought.map(|sought| Search {
                    number,
                    seek: Seek::new(sought, &mut self.pager),
                    told: None,
                    step: None,
                    going: None,
                    uncounted: None,
                });
            }
            LogAsk::Unsearch => self.search = None,
            LogAsk::Step { from, forward } => {
                self.interrupt(news);
                let cursors = self.pager.cursors(from, forward);
                if let Some(search) = &mut self.search {
                    search.seek.aim(&mut self.pager, forward);
                    search.step = Some((cursors, forward));
                    search.going = None;
                }
            }
        }
    }

    /// What writes everything that is shown into a file.
    pub(super) fn saving(&self, path: PathBuf) -> impl FnOnce() -> Result<(PathBuf, u64), String> + Send + 'static {
        let (origins, least) = (self.origins.clone(), self.view.least);
        let after = self.pager.lanes.iter().map(|lane| lane.well.after().map(str::to_owned)).collect::<Vec<_>>();
        let bot = |owner: &Owner| self.view.of.get(owner.of).map(|whose| whose.bot.to_string());
        let several = self.view.of.len() > 1;
        let names: Vec<String> = self.owners.iter().filter(|_| several).filter_map(bot).collect();
        let zone = |owner: &Owner| self.view.of.get(owner.of).and_then(|whose| whose.zone.clone());
        let zones: Vec<Option<String>> = self.owners.iter().map(zone).collect();
        move || {
            let wells = origins.into_iter().zip(after).zip(zones).map(|((origin, after), zone)| match origin {
                Origin::Output(folder) => Well::output(&folder, after).in_zone(zone.as_deref()),
                Origin::File(path) => Well::file(path).in_zone(zone.as_deref()),
            });
            save::save(wells.collect(), &names, least, &path)
        }
    }

    /// Whether there is something to do at once.
    pub(super) fn is_busy(&self) -> bool {
        let searches = |search: &Search| search.step.is_some() || !search.seek.is_done();
        self.pager.is_busy() || self.search.as_ref().is_some_and(searches)
    }

    /// Looks for what is new.
    pub(super) fn look(&mut self, news: &mut Vec<LogEvent>) {
        let often = if self.origins.len() > MANY { RECORD * 5 } else { RECORD };
        if self.records_at.elapsed() >= often {
            self.look_at_records();
        }
        if let Some(page) = self.pager.follow() {
            self.tell(page, news);
        }
        if let Some(search) = &mut self.search {
            search.seek.look_again();
        }
        self.tell_ends(news);
        self.tell_sources(news);
    }

    /// Does a part of what there is to do.
    pub(super) fn work(&mut self, news: &mut Vec<LogEvent>) {
        if self.pager.is_busy() {
            if let Some(page) = self.pager.step() {
                self.tell(page, news);
                self.arrive(news);
            }
            return;
        }
        self.go_on(news);
        if let Some(search) = &mut self.search
            && !self.pager.is_busy()
            && !search.seek.is_done()
            && let Err(error) = search.seek.step(&mut self.pager)
        {
            // A log that cannot be read is told of by its source; the search goes on in what was found.
            log::debug!("search: {error}");
            search.seek.give_up();
        }
        self.tell_count(news);
    }

    fn interrupt(&mut self, news: &mut Vec<LogEvent>) {
        if let Some(page) = self.pager.interrupt() {
            self.tell(page, news);
        }
    }

    fn tell(&mut self, page: Page, news: &mut Vec<LogEvent>) {
        self.name_files();
        let ends = Ends { at_start: self.pager.at_start(), newer: self.pager.newer() };
        self.ends = Some(ends);
        if self.told.is_empty() {
            // Who it is comes before what he says.
            self.tell_sources(news);
        }
        let shown = |lines| log_lines::shown(lines, &self.owners, &self.pager.stamps);
        news.push(match page {
            Page::Anew { first, lines, stand } => {
                let stand = stand.map(|line| line.saturating_sub(ABOVE).max(first));
                LogEvent::Anew { first, lines: shown(lines), ends, stand }
            }
            Page::Front(lines, cut) => LogEvent::Front { lines: shown(lines), cut, ends },
            Page::Back(lines, cut) => LogEvent::Back { lines: shown(lines), cut, ends },
        });
    }

    fn tell_ends(&mut self, news: &mut Vec<LogEvent>) {
        let ends = Ends { at_start: self.pager.at_start(), newer: self.pager.newer() };
        if !self.pager.is_busy() && self.ends != Some(ends) {
            self.ends = Some(ends);
            news.push(LogEvent::Ends(ends));
        }
    }

    fn tell_sources(&mut self, news: &mut Vec<LogEvent>) {
        let now: Vec<Told> = self.seen();
        let same = |one: &Told, other: &Told| {
            SourceSeen { quiet: None, ..one.seen.clone() } == SourceSeen { quiet: None, ..other.seen.clone() }
        };
        let differs = now.len() != self.told.len() || now.iter().zip(&self.told).any(|(one, other)| !same(one, other));
        let written = now.iter().zip(&self.told).any(|(one, other)| one.written != other.written);
        let due = self.told_at.is_none_or(|at| at.elapsed() >= TELLING);
        if differs || (written && due) {
            news.push(LogEvent::Sources(now.iter().map(|told| told.seen.clone()).collect()));
            self.told = now;
            self.told_at = Some(Instant::now());
        }
    }

    fn seen(&self) -> Vec<Told> {
        let lanes = self.pager.lanes.iter().zip(&self.owners);
        let mut seen = Vec::new();
        for (lane, owner) in lanes {
            let Some(whose) = self.view.of.get(owner.of) else { continue };
            let well = &lane.well;
            let mut trouble = well.trouble().map(str::to_owned);
            if well.is_elsewhere() {
                if self.lane_of(owner.of, true).is_some() {
                    continue;
                }
                trouble = Some(NOT_OURS.to_owned());
            }
            let written = well.written();
            let quiet = written.map(|written| written.elapsed().unwrap_or_default());
            let (bot, run) = (whose.bot.clone(), well.last_run().map(str::to_owned));
            seen.push(Told { seen: SourceSeen { bot, file: well.name(), run, quiet, trouble }, written });
        }
        seen
    }

    /// Goes on with a step, as far as it is known where to.
    fn go_on(&mut self, news: &mut Vec<LogEvent>) {
        let Some(search) = &mut self.search else { return };
        let Some((cursors, forward)) = search.step.clone() else { return };
        match search.seek.next(&mut self.pager, &cursors, forward) {
            Ok(Next::At(lane, place)) => {
                search.step = None;
                search.seek.arrive();
                search.going = Some((lane, place));
                if self.pager.number_of(lane, place).is_some() {
                    self.arrive(news);
                } else if let Err(error) = self.pager.around(lane, place) {
                    log::debug!("search: {error}");
                }
            }
            Ok(Next::None) | Err(_) => {
                search.step = None;
                search.seek.arrive();
            }
            Ok(Next::Unknown) => {}
        }
    }

    /// Tells of the line to which a step has come, if it is held now.
    fn arrive(&mut self, news: &mut Vec<LogEvent>) {
        let Some(search) = &mut self.search else { return };
        let Some((lane, place)) = search.going else { return };
        let Some(line) = self.pager.number_of(lane, place) else { return };
        search.going = None;
        let nth = search.seek.nth(&mut self.pager, lane, place).unwrap_or_default();
        search.uncounted = nth.is_none().then_some((lane, place));
        news.push(LogEvent::Stepped { line, nth });
    }

    fn tell_count(&mut self, news: &mut Vec<LogEvent>) {
        let Some(search) = &mut self.search else { return };
        let found = Found { search: search.number, total: search.seek.total(), done: search.seek.is_done() };
        let due = match &search.told {
            None => true,
            Some((told, at)) => *told != found && (found.done || at.elapsed() >= COUNTING),
        };
        if due {
            search.told = Some((found, Instant::now()));
            news.push(LogEvent::Found(found));
        }
        if found.done && search.going.is_none() && search.step.is_none() {
            search.going = search.uncounted.take();
            self.arrive(news);
            if let Some(search) = &mut self.search {
                search.going = None;
            }
        }
    }
}
