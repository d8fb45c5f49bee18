//! The orders of one bot during a stop or a cancelation: which there were, which are still open, and what was said of
//! each. The figures of a report come from here, and only from readings: what a command says of an order is kept beside
//! them, and never makes an order count as canceled that its source still lists.

use std::collections::HashMap;

use jiff::Timestamp;

use super::bot::{Mode, Protective};
use super::order::{Fate, Order, Reading};
use super::report::{CancelResult, OrderResult, OrdersReport};

/// For so few orders, all that are known are gone through; for more, they are looked up.
const FEW: usize = 8;

/// What somebody said of the cancelation of one order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// What the order was called.
    pub order: String,
    /// What became of it.
    pub result: CancelResult,
    /// In words.
    pub message: Option<String>,
}

/// Which orders are to be canceled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// All of them.
    All,
    /// Those that are called so.
    These(Vec<String>),
}

#[derive(Clone, Debug)]
struct Entry {
    order: Order,
    open: bool,
    fate: Option<Fate>,
    attempts: u32,
    said: Option<(CancelResult, Option<String>)>,
}

/// The orders of one bot.
#[derive(Clone, Debug)]
pub struct Ledger {
    mode: Option<Mode>,
    protective: Protective,
    which: Which,
    entries: Vec<Entry>,
    before: Option<u64>,
    read_at: Option<Timestamp>,
    /// Whether it is too late to tell how many there were before.
    late: bool,
    /// Whether the last attempt to read succeeded.
    current: bool,
}

impl Ledger {
    /// A ledger in which nothing stands.
    pub fn new(mode: Option<Mode>, protective: Protective, which: Which) -> Self {
        Self { mode, protective, which, entries: Vec::new(), before: None, read_at: None, late: false, current: false }
    }

    /// Takes a reading in. The first one tells how many there were before.
    pub fn take_in(&mut self, reading: &Reading) {
        let by_id = Ids::of(&self.entries);
        for entry in &mut self.entries {
            entry.open = false;
        }
        for order in &reading.orders {
            // Two orders that nothing tells apart are still two: whoever was met already is somebody else.
            // A venue's ids may be unique for each symbol only: the same symbol comes first.
            let same = |at: &usize| self.entries.get(*at).is_some_and(|entry| entry.order.symbol == order.symbol);
            let may: Vec<usize> =
                by_id.all(order).filter(|at| self.entries.get(*at).is_some_and(|entry| !entry.open)).collect();
            let known = may.iter().find(|at| same(at)).or(may.first()).copied();
            if let Some(entry) = known.and_then(|at| self.entries.get_mut(at)) {
                entry.open = true;
                entry.fate = None;
                entry.order.clone_from(order);
            } else {
                self.entries.push(Entry { order: order.clone(), open: true, fate: None, attempts: 0, said: None });
            }
        }
        let gone = Ids::of(&self.entries);
        for ended in &reading.ended {
            let at = [&ended.order_id, &ended.client_order_id].into_iter().flatten().find_map(|id| gone.named(id));
            if let Some(entry) = at.and_then(|at| self.entries.get_mut(at)).filter(|entry| !entry.open) {
                entry.fate = Some(ended.fate);
            }
        }
        if self.read_at.is_none() && !self.late {
            self.before = Some(self.count(|_| true));
        }
        self.read_at = Some(reading.at);
        self.current = true;
    }

    /// The bot is told to stop now: what is read for the first time from now on is not how it was before.
    pub const fn too_late(&mut self) {
        self.late = true;
    }

    /// Whether it was read before the bot was told.
    pub const fn knows_before(&self) -> bool {
        self.before.is_some()
    }

    /// Orders that are left open by the bot's policy.
    pub fn kept(&self) -> impl Iterator<Item = &Order> {
        let kept = |entry: &&Entry| self.cancels() && entry.open && self.is_chosen(entry) && !self.is_meant(entry);
        self.entries.iter().filter(kept).map(|entry| &entry.order)
    }

    /// The source could not be read: what is known is not of now any more.
    pub const fn missed(&mut self) {
        self.current = false;
    }

    /// What was said of orders that somebody tried to cancel. Orders that nobody knows are passed over.
    pub fn hear(&mut self, tried: &[Order], said: &[Said]) {
        let ids = (tried.len() + said.len() > FEW).then(|| Ids::of(&self.entries));
        for order in tried {
            let at = match &ids {
                Some(ids) => ids.all(order).find(|at| self.entries[*at].order.symbol == order.symbol),
                None => self.entries.iter().position(|entry| entry.order == *order),
            };
            if let Some(entry) = at.and_then(|at| self.entries.get_mut(at)) {
                entry.attempts += 1;
                entry.said = Some((CancelResult::Unknown, None));
            }
        }
        for said in said {
            // Of several orders by one name, it is about those that were tried.
            let was_tried = |entry: &Entry| tried.contains(&entry.order);
            let by_looking = || {
                let called = |entry: &&Entry| entry.order.is_called(&said.order);
                let tried = self.entries.iter().position(|entry| called(&entry) && was_tried(entry));
                tried.or_else(|| self.entries.iter().position(|entry| called(&entry)))
            };
            let at = ids.as_ref().map_or_else(by_looking, |ids| ids.named(&said.order));
            if let Some(entry) = at.and_then(|at| self.entries.get_mut(at)) {
                entry.said = Some((said.result, said.message.clone()));
            }
        }
    }

    /// Whether anybody is to cancel anything: not in dry-run.
    pub fn cancels(&self) -> bool {
        self.mode != Some(Mode::DryRun)
    }

    /// The open orders that are to be canceled.
    pub fn to_cancel(&self) -> Vec<Order> {
        let wanted = self.entries.iter().filter(|entry| self.cancels() && entry.open && self.is_meant(entry));
        wanted.map(|entry| entry.order.clone()).collect()
    }

    /// Of those: the ones of which nobody said last that they are done with.
    pub fn unsettled(&self) -> Vec<Order> {
        let settled = |entry: &Entry| {
            let said = entry.said.as_ref().map(|(result, _)| *result);
            matches!(said, Some(CancelResult::Canceled | CancelResult::Filled | CancelResult::Gone))
        };
        let wanted = self.entries.iter().filter(|entry| self.cancels() && entry.open && self.is_meant(entry));
        wanted.filter(|entry| !settled(entry)).map(|entry| entry.order.clone()).collect()
    }

    /// How many are open, whatever is to become of them.
    pub fn open(&self) -> u64 {
        self.count(|entry| entry.open)
    }

    /// How many of those that were ever seen are gone.
    pub fn gone(&self) -> u64 {
        self.count(|entry| !entry.open)
    }

    /// Whether the source was ever read.
    pub const fn is_known(&self) -> bool {
        self.read_at.is_some()
    }

    /// Whether what is known is what the last reading showed.
    pub const fn is_current(&self) -> bool {
        self.current
    }

    /// Every id of every order that was seen: what became of them is of interest.
    pub fn of_interest(&self) -> Vec<String> {
        let ids = self.entries.iter().flat_map(|entry| [&entry.order.order_id, &entry.order.client_order_id]);
        ids.flatten().cloned().collect()
    }

    /// Names that were chosen and that no order has.
    pub fn nobody_is_called(&self) -> Vec<&str> {
        match &self.which {
            Which::All => Vec::new(),
            Which::These(names) => {
                let is_known = |name: &&String| self.entries.iter().any(|entry| entry.order.is_called(name));
                names.iter().filter(|name| !is_known(name)).map(String::as_str).collect()
            }
        }
    }

    /// Orders that have no id of the venue.
    pub fn without_id(&self) -> impl Iterator<Item = &Order> {
        self.entries
            .iter()
            .filter(|entry| self.is_chosen(entry))
            .map(|entry| &entry.order)
            .filter(|order| order.order_id.is_none())
    }

    /// The figures as they are now; nothing where the source was never read. `verified`: it was read when it counts.
    pub fn report(&self, verified: bool) -> Option<OrdersReport> {
        self.figures(verified, usize::MAX)
    }

    /// The same, but no more than so many orders are listed one by one.
    pub fn figures(&self, verified: bool, most: usize) -> Option<OrdersReport> {
        self.read_at?;
        let mut figures = OrdersReport {
            before: self.before,
            verified: verified && self.current,
            read_at: self.read_at,
            others: self.entries.iter().filter(|entry| entry.open && !self.is_chosen(entry)).count() as u64,
            ..OrdersReport::default()
        };
        for entry in self.entries.iter().filter(|entry| self.is_chosen(entry)) {
            figures.without_id += u64::from(entry.order.order_id.is_none());
            let became = became(entry);
            if entry.open && figures.open.len() < most {
                figures.open.push(entry.order.clone());
            }
            if self.cancels() && self.is_meant(entry) && figures.results.len() < most {
                figures.results.push(result(entry));
            }
            let figure = match (entry.open, self.cancels(), self.is_meant(entry)) {
                (false, _, _) if became == CancelResult::Filled => &mut figures.filled,
                (false, _, _) => &mut figures.canceled,
                (true, false, _) => &mut figures.skipped,
                (true, true, false) => &mut figures.kept,
                (true, true, true) => &mut figures.unconfirmed,
            };
            *figure += 1;
            let said = entry.said.as_ref().map(|(result, _)| *result);
            if entry.open && matches!(said, Some(CancelResult::Refused | CancelResult::Unknown)) {
                figures.errors += 1;
            }
        }
        Some(figures)
    }

    fn count(&self, what: impl Fn(&Entry) -> bool) -> u64 {
        self.entries.iter().filter(|entry| self.is_chosen(entry) && what(entry)).count() as u64
    }

    fn is_chosen(&self, entry: &Entry) -> bool {
        match &self.which {
            Which::All => true,
            Which::These(names) => names.iter().any(|name| self.is_meant_by(name, entry)),
        }
    }

    /// The venue's ids come first: another order that the bot itself calls so is not meant.
    fn is_meant_by(&self, name: &str, entry: &Entry) -> bool {
        let by_the_venue = |entry: &Entry| entry.order.order_id.as_deref() == Some(name);
        by_the_venue(entry) || (entry.order.is_called(name) && !self.entries.iter().any(by_the_venue))
    }

    /// Whoever names a protective order means it; else the policy says what becomes of it.
    fn is_meant(&self, entry: &Entry) -> bool {
        let kept = entry.order.protective && self.protective == Protective::Keep;
        self.is_chosen(entry) && (!kept || matches!(self.which, Which::These(_)))
    }
}

fn became(entry: &Entry) -> CancelResult {
    let said = entry.said.as_ref().map(|(result, _)| *result);
    match (entry.open, entry.fate, said) {
        (false, Some(Fate::Filled), _) | (false, None, Some(CancelResult::Filled)) => CancelResult::Filled,
        (false, Some(Fate::Canceled), _) | (false, None, Some(CancelResult::Canceled)) => CancelResult::Canceled,
        (false, None, Some(CancelResult::Gone | CancelResult::Refused | CancelResult::Unknown) | None) => {
            CancelResult::Gone
        }
        (true, _, Some(CancelResult::Refused)) => CancelResult::Refused,
        // Whatever was said of it: it is still listed.
        (true, _, _) => CancelResult::Unknown,
    }
}

fn result(entry: &Entry) -> OrderResult {
    OrderResult {
        order_id: entry.order.order_id.clone(),
        client_order_id: entry.order.client_order_id.clone(),
        result: became(entry),
        attempts: entry.attempts,
        message: entry.said.as_ref().and_then(|(_, message)| message.clone()),
    }
}

/// Where each order stands, by every id that it has.
struct Ids(HashMap<String, Vec<usize>>);

impl Ids {
    fn of(entries: &[Entry]) -> Self {
        let mut ids: HashMap<String, Vec<usize>> = HashMap::with_capacity(entries.len());
        for (at, entry) in entries.iter().enumerate() {
            for id in names(&entry.order) {
                ids.entry(id).or_default().push(at);
            }
        }
        Self(ids)
    }

    fn named(&self, id: &str) -> Option<usize> {
        self.0.get(id)?.first().copied()
    }

    fn all(&self, order: &Order) -> impl Iterator<Item = usize> {
        names(order).into_iter().filter_map(|id| self.0.get(&id)).flatten().copied()
    }
}

fn names(order: &Order) -> Vec<String> {
    let ids: Vec<String> = [&order.order_id, &order.client_order_id].into_iter().flatten().cloned().collect();
    if ids.is_empty() { vec![order.key()] } else { ids }
}

#[cfg(test)]
mod tests;
