//! What the screen knows of the emergency stop: whether it would work, whether it is latched, how the one that is under
//! way goes, or how the last one went. What is done to it by keys is in `emergency_keys`.

use std::time::Duration;

use jiff::Timestamp;

use crate::core::bot::BotName;
use crate::core::code::Code;
use crate::core::latch::LatchSeen;
use crate::core::moment::Moment;
use crate::core::overall::Overall;
use crate::core::progress::Standing;
use crate::core::readiness::{EstopSeen, EstopState};
use crate::core::report::{BotReport, Report};
use crate::core::stop::Stage;

use super::deed::Deed;
use super::guard::Armed;
use super::message::{EmergencyNews, StopNews};
use super::stops::StopBook;
use super::text;
use super::watched::Watched;

/// A check that is older than this says nothing of now.
pub const CHECK_HOLDS: Duration = Duration::from_mins(1);
/// A drill that is older than this should be repeated.
pub const DRILL_HOLDS: Duration = Duration::from_hours(24 * 30);
/// No rung waits longer where the configuration says nothing.
const CAP: Duration = Duration::from_secs(10);
/// What is seen of the bots is this much older than the message that brings it.
const SURVEY_LAG: Duration = Duration::from_secs(2);

/// How far one has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// It was fired from here, and nothing was heard of it yet.
    Asked,
    /// Whoever carries it out is heard.
    UnderWay,
    /// Somebody carries it out, and says nothing.
    Silent,
    /// Nobody carries it out any more, and it has not come to its end.
    Interrupted,
    /// Its last word was heard.
    Over,
}

/// One emergency stop, or drill, as far as it was heard.
#[derive(Clone, Debug)]
pub struct Seen {
    /// How far it has come.
    pub course: Course,
    /// What was last told of it as a whole.
    pub overall: Option<Overall>,
    /// When that was heard, or when it began.
    pub heard: Moment,
    /// Its bots.
    pub book: StopBook,
    /// Its last word.
    pub report: Option<Report>,
    /// When that was heard; nothing where it was read from a file.
    pub ended: Option<Moment>,
    /// Whether its latch was lifted since.
    pub lifted: bool,
    /// Its id, where it was read from a file.
    pub past: Option<String>,
}

impl Seen {
    fn new(course: Course, now: Moment) -> Self {
        let mut book = StopBook::default();
        book.begin(0, Deed::Stop, &[], now);
        Self { course, overall: None, heard: now, book, report: None, ended: None, lifted: false, past: None }
    }

    /// What it is known by.
    pub fn id(&self) -> Option<&String> {
        self.overall.as_ref().map(|overall| &overall.id).or(self.past.as_ref())
    }

    /// Whether it is a drill.
    pub fn is_drill(&self) -> bool {
        let told = self.overall.as_ref().map(|overall| overall.drill);
        told.or_else(|| self.report.as_ref().map(|report| report.action.contains("drill"))).unwrap_or(false)
    }

    /// Whether its end says that no latch could be made.
    pub fn has_no_latch(&self) -> bool {
        self.report.as_ref().is_some_and(|report| report.no_latch || report.exit_code == Code::NoLatch.number())
    }

    /// What went wrong with its latch, as far as it was told so far.
    pub fn lock_failed(&self) -> Option<&str> {
        let stages = self.overall.iter().flat_map(|overall| &overall.stages);
        let mut lock = stages.filter(|seen| seen.stage == Stage::Lock && seen.standing == Standing::Failed);
        lock.next().map(|seen| seen.text.as_str())
    }

    /// Whether somebody is at it, or was asked to be.
    pub const fn is_under_way(&self) -> bool {
        match self.course {
            Course::Asked | Course::UnderWay | Course::Silent => true,
            Course::Interrupted | Course::Over => false,
        }
    }

    /// How long it has taken so far.
    pub fn elapsed(&self, now: Moment) -> Duration {
        match (&self.report, &self.overall) {
            (Some(report), _) => Duration::from_millis(report.duration_ms),
            (None, Some(overall)) => Duration::from_millis(overall.elapsed_ms) + now.since(self.heard),
            (None, None) => now.since(self.heard),
        }
    }

    /// Who fired it.
    pub fn by(&self) -> Option<&str> {
        let told = self.overall.as_ref().map(|overall| overall.by.as_str());
        told.or_else(|| self.report.as_ref()?.by.as_deref())
    }

    fn hear(&mut self, news: StopNews, now: Moment) {
        let enlist = |book: &mut StopBook, name: &BotName| book.enlist(0, Deed::Stop, name, now);
        match &news {
            StopNews::Waiting(name, ..) => enlist(&mut self.book, name),
            StopNews::Progress(progress) => enlist(&mut self.book, &progress.bot),
            StopNews::Bot(report) => enlist(&mut self.book, &report.name),
            // It stands in what is told of the whole, and in the report.
            StopNews::Cluster(_) => {}
            StopNews::Overall(overall) => {
                overall.bots.iter().for_each(|name| enlist(&mut self.book, name));
                self.overall = Some(harmless(overall));
                self.heard = now;
            }
            StopNews::Over(report) => {
                report.bots.iter().for_each(|bot| enlist(&mut self.book, &bot.name));
                self.report = Some(Report {
                    errors: report.errors.iter().map(|error| text::harmless(&one_line(error))).collect(),
                    by: report.by.as_deref().map(text::harmless),
                    reason: report.reason.as_deref().map(text::harmless),
                    notes: report.notes.iter().map(|note| text::harmless(&one_line(note))).collect(),
                    // Those of single bots are in the book.
                    bots: Vec::new(),
                    ..(**report).clone()
                });
                self.ended = Some(now);
            }
        }
        self.course = if self.report.is_some() { Course::Over } else { Course::UnderWay };
        self.book.hear(0, news, now);
    }
}

/// What stood in the way of a reset, in its own words, those of single bots with their names; nothing if the latch was
/// lifted.
fn refusal(report: &Report) -> Vec<String> {
    if report.latched == Some(false) {
        return Vec::new();
    }
    let of_bots =
        report.bots.iter().flat_map(|bot| bot.errors.iter().map(move |error| format!("{}: {error}", bot.name)));
    let mut reasons: Vec<String> = Vec::new();
    for reason in of_bots.chain(report.errors.iter().cloned()) {
        let reason = text::harmless(&one_line(&reason));
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    if reasons.is_empty() {
        // One that was lifted, and one that stands, are told from each other by what was seen afterwards alone.
        let why = if report.exit_code == 0 { "it is latched all the same" } else { "its report does not say why" };
        reasons.push(format!("{why} (exit {}); botwarden doctor", report.exit_code));
    }
    reasons
}

fn one_line(text: &str) -> String {
    text.replace(['\r', '\n'], " ")
}

/// The same, harmless.
fn harmless(overall: &Overall) -> Overall {
    let clean = |text: &str| text::harmless(&one_line(text));
    let mut overall = overall.clone();
    overall.by = clean(&overall.by);
    overall.reason = overall.reason.as_deref().map(clean);
    overall.errors = overall.errors.iter().map(|error| clean(error)).collect();
    for stage in &mut overall.stages {
        stage.text = clean(&stage.text);
    }
    overall
}

/// What is shown of the emergency stop wherever there is room for a few words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// It was not examined yet.
    Checking,
    /// It would work.
    Ready,
    /// It might not.
    NotReady,
    /// It is being carried out.
    InProgress,
    /// It was being carried out, and nobody does any more.
    Interrupted,
    /// It was fired, and was not reset.
    Latched,
}

impl Word {
    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Checking => "CHECKING",
            Self::Ready => EstopState::Ready.words(),
            Self::NotReady => EstopState::NotReady.words(),
            Self::InProgress => EstopState::InProgress.words(),
            Self::Interrupted => "INTERRUPTED",
            Self::Latched => EstopState::Latched.words(),
        }
    }
}

/// Which part of the page of progress is scrolled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PagePart {
    /// The stages; of a result, all of it.
    #[default]
    Stages,
    /// The errors.
    Errors,
}

/// Everything that is known of it.
#[derive(Clone, Debug, Default)]
pub struct Emergency {
    /// What was last seen of the latch; nothing before the first look.
    pub latch: Option<LatchSeen>,
    /// What was found when it was last examined, and when.
    pub examined: Option<(EstopSeen, Moment)>,
    /// Since when somebody could have examined it.
    pub begun: Option<Moment>,
    /// The configuration's longest wait of a rung, where it is known.
    pub cap: Option<Duration>,
    /// The one that is under way, else the last one.
    pub seen: Option<Seen>,
    /// Why the last one could not be fired.
    pub not_fired: Option<String>,
    /// Whether it was seen not to be latched: then whatever is latched is news.
    pub was_free: bool,
    /// Whether its page is shown instead of the panes.
    pub shown: bool,
    /// Which part of the page is scrolled.
    pub part: PagePart,
    /// The first line of the stages, or of the result, and of the errors.
    pub tops: [usize; 2],
    /// The guard, if it was opened and nothing has closed it; time may have.
    pub armed: Option<Armed>,
    /// When the last key arrived.
    pub last_key: Option<Moment>,
    /// Whether a reset is being carried out.
    pub resetting: bool,
    /// What stood in the way of the last reset.
    pub in_the_way: Vec<String>,
}

impl Emergency {
    /// The guard, while it is open.
    pub fn guard(&self, now: Moment) -> Option<Armed> {
        self.armed.filter(|armed| armed.is_open(now))
    }

    /// Whether the real one is latched, by the last look.
    pub fn is_latched(&self) -> bool {
        self.latch.as_ref().is_some_and(|latch| latch.is_latched() && !latch.is_drill())
    }

    /// Whether one is under way.
    pub fn is_under_way(&self) -> bool {
        self.seen.as_ref().is_some_and(Seen::is_under_way)
    }

    /// Whether what is in progress, or latched, is a drill and nothing more.
    pub fn is_drill(&self) -> bool {
        match &self.seen {
            Some(seen) if seen.is_under_way() && seen.overall.is_some() => seen.is_drill(),
            Some(seen) if seen.course == Course::Asked => false,
            Some(_) | None => self.latch.as_ref().is_some_and(LatchSeen::is_drill),
        }
    }

    /// No rung of any ladder waits longer.
    pub fn cap(&self) -> Duration {
        self.cap.unwrap_or(CAP)
    }

    /// In a word.
    pub fn word(&self, now: Moment) -> Word {
        let interrupted = || self.seen.as_ref().is_some_and(|seen| seen.course == Course::Interrupted);
        if self.is_under_way() {
            return Word::InProgress;
        }
        if interrupted() {
            return Word::Interrupted;
        }
        if self.is_latched() {
            return Word::Latched;
        }
        match &self.examined {
            Some((_, at)) if now.since(*at) > CHECK_HOLDS => Word::NotReady,
            Some((seen, _)) => match seen.state {
                EstopState::Ready => Word::Ready,
                EstopState::NotReady => Word::NotReady,
                // It was examined while that was so.
                EstopState::InProgress | EstopState::Latched => Word::Checking,
            },
            None if self.begun.is_some_and(|begun| now.since(begun) > CHECK_HOLDS) => Word::NotReady,
            None => Word::Checking,
        }
    }

    /// Why it is not ready.
    pub fn problem(&self, now: Moment) -> Option<String> {
        if self.word(now) != Word::NotReady {
            return None;
        }
        match &self.examined {
            Some((_, at)) if now.since(*at) > CHECK_HOLDS => {
                Some(format!("the last check is old: {} ago", text::age(now.since(*at))))
            }
            Some((seen, _)) => Some(seen.problems.first().map_or_else(
                || "the check says so, and not why; botwarden doctor".to_owned(),
                |first| match seen.problems.len() {
                    1 => first.clone(),
                    many => format!("{first} (and {} more: botwarden doctor)", many - 1),
                },
            )),
            None => Some("it could not be checked".to_owned()),
        }
    }

    /// The last drill: how it is shown, and whether it should be repeated.
    pub fn drill(&self, now: Timestamp) -> (String, bool) {
        match self.examined.as_ref().and_then(|(seen, _)| seen.last_drill.as_ref()) {
            None => ("no drill yet".to_owned(), true),
            Some(drill) => {
                let age = Duration::try_from(now.duration_since(drill.at)).unwrap_or_default();
                let words = match age.as_secs() / 86_400 {
                    0 => "drill today".to_owned(),
                    days => format!("drill {days}d ago"),
                };
                (words, age > DRILL_HOLDS)
            }
        }
    }

    /// Whether what a survey tells now is younger than the end of the last one.
    pub fn has_settled(&self, seen_at: Option<Moment>) -> bool {
        let ended = self.seen.as_ref().and_then(|seen| seen.ended);
        !self.is_under_way()
            && match (ended, seen_at) {
                (_, None) => false,
                (None, Some(_)) => true,
                (Some(ended), Some(seen)) => seen.since(ended) >= SURVEY_LAG,
            }
    }

    /// What stands in the way of a reset, as far as anybody knows here: it looks afresh.
    pub fn blocked(&self) -> Vec<String> {
        if !self.in_the_way.is_empty() {
            return self.in_the_way.clone();
        }
        // The check reads the report itself, and names each bot: the same is not said twice.
        let ended = self.seen.as_ref().and_then(|seen| seen.ended);
        let checked = self.examined.iter().filter(|(seen, at)| {
            seen.state == EstopState::Latched && ended.is_none_or(|ended| *at >= ended) && !seen.problems.is_empty()
        });
        let mut problems: Vec<String> = checked.flat_map(|(seen, _)| seen.problems.clone()).collect();
        if !problems.is_empty() {
            return problems;
        }
        if let Some(seen) = &self.seen {
            let totals = seen.book.totals();
            match totals.unconfirmed {
                0 => {}
                1 => problems.push("1 order unconfirmed".to_owned()),
                open => problems.push(format!("{open} orders unconfirmed")),
            }
            let survived = |bot: &&Watched| bot.report.as_ref().is_some_and(BotReport::survived);
            problems
                .extend(seen.book.bots.iter().filter(survived).map(|bot| format!("something lives of {}", bot.name)));
            if seen.course == Course::Interrupted {
                problems.push("it did not come to its end".to_owned());
            }
        }
        problems
    }

    /// It was fired from here.
    pub fn fired(&mut self, now: Moment) {
        self.armed = None;
        self.not_fired = None;
        self.in_the_way.clear();
        // One that is under way is joined, and whoever carries on with a dead one knows more than that nothing is known. A
        // drill is neither.
        let goes_on = |seen: &Seen| seen.course != Course::Over && !seen.is_drill();
        match &mut self.seen {
            Some(seen) if goes_on(seen) => {
                if seen.course != Course::UnderWay {
                    seen.course = Course::Asked;
                }
            }
            Some(_) | None => self.begin(Course::Asked, now),
        }
    }

    fn begin(&mut self, course: Course, now: Moment) {
        self.seen = Some(Seen::new(course, now));
        self.part = PagePart::Stages;
        self.tops = [0, 0];
    }

    /// Takes in what is told. Says whether that was the first word of one that nobody here knew of: its page is opened.
    pub fn hear(&mut self, news: EmergencyNews, now: Moment) -> bool {
        match news {
            EmergencyNews::Latch(latch) => {
                if !latch.is_latched() {
                    self.was_free = true;
                    self.in_the_way.clear();
                    if self.is_latched()
                        && let Some(seen) = self.seen.as_mut().filter(|seen| seen.course == Course::Over)
                    {
                        seen.lifted = true;
                    }
                    // Whoever has lifted it has seen to what it was about.
                    self.seen.take_if(|seen| seen.course == Course::Interrupted);
                }
                self.latch = Some(match latch {
                    LatchSeen::Free => LatchSeen::Free,
                    LatchSeen::Unreadable(why) => LatchSeen::Unreadable(text::harmless(&one_line(&why))),
                    LatchSeen::Latched(mut latch) => {
                        latch.by = text::harmless(&latch.by);
                        latch.reason = latch.reason.as_deref().map(text::harmless);
                        LatchSeen::Latched(latch)
                    }
                });
                false
            }
            EmergencyNews::Examined(seen) => {
                let clean = |text: &String| text::harmless(&one_line(text));
                let problems = seen.problems.iter().map(clean).collect();
                self.examined = Some((EstopSeen { problems, ..*seen }, now));
                false
            }
            EmergencyNews::Cap(cap) => {
                self.cap = Some(cap);
                false
            }
            EmergencyNews::Word(word) => self.hear_word(word, now),
            EmergencyNews::Silent => {
                let is_new = !self.is_under_way();
                match &mut self.seen {
                    Some(seen) if seen.course != Course::Over => seen.course = Course::Silent,
                    Some(_) | None => self.begin(Course::Silent, now),
                }
                is_new
            }
            EmergencyNews::Lost => {
                if let Some(seen) = self.seen.as_mut().filter(|seen| seen.course != Course::Over) {
                    seen.course = Course::Interrupted;
                }
                false
            }
            EmergencyNews::Past { id, report } => self.hear_past(id, report, now),
            EmergencyNews::NotFired(why) => {
                self.seen.take_if(|seen| seen.course == Course::Asked);
                self.not_fired = Some(text::harmless(&one_line(&why)));
                false
            }
            EmergencyNews::Reset(report) => {
                self.resetting = false;
                if report.latched == Some(false) {
                    // It was looked at afterwards: whoever looks now and then need not be waited for.
                    self.hear(EmergencyNews::Latch(LatchSeen::Free), now);
                }
                self.in_the_way = refusal(&report);
                false
            }
        }
    }

    fn hear_word(&mut self, word: StopNews, now: Moment) -> bool {
        self.not_fired = None;
        let known = self.seen.as_ref().is_some_and(|seen| seen.course != Course::Over);
        let again = match (&self.seen, &word) {
            // What two have heard of one that is over begins no other.
            (Some(seen), StopNews::Overall(overall)) => {
                seen.overall.as_ref().is_some_and(|before| before.id == overall.id)
            }
            (Some(_), _) => true,
            (None, _) => false,
        };
        if !known {
            if again {
                return false;
            }
            self.begin(Course::UnderWay, now);
        } else if let (Some(seen), StopNews::Overall(overall)) = (&self.seen, &word)
            && seen.overall.as_ref().is_some_and(|before| before.drill != overall.drill)
        {
            // The real one follows on a drill that was under way.
            self.begin(Course::UnderWay, now);
        }
        if let Some(seen) = &mut self.seen {
            seen.hear(word, now);
        }
        !known
    }

    /// One that nobody here has heard, and that was quick: over before anybody could listen.
    fn hear_past(&mut self, id: String, report: Option<Box<Report>>, now: Moment) -> bool {
        let known = self.seen.as_ref().is_some_and(|seen| {
            seen.is_under_way() || (seen.course == Course::Over && (id.is_empty() || seen.id() == Some(&id)))
        });
        match report {
            _ if known => false,
            Some(report) => {
                self.begin(Course::Over, now);
                if let Some(seen) = &mut self.seen {
                    seen.past = Some(id);
                    seen.hear(StopNews::Over(report), now);
                    seen.ended = None;
                }
                std::mem::take(&mut self.was_free)
            }
            None if self.seen.is_none() => {
                self.begin(Course::Interrupted, now);
                std::mem::take(&mut self.was_free)
            }
            None => false,
        }
    }
}
