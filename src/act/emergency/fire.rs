//! Firing: a process of its own is started, and carries everything out whatever becomes of whoever fired.

use crate::act::procedure::{EmergencyOrder, StopWord};
use crate::core::report::Report;

/// What came of firing.
#[derive(Debug)]
pub enum Fire {
    /// The last word of whoever carried it out.
    Over(Box<Report>),
    /// No process could be started: whoever fired becomes one, or does it himself.
    NoRoom(String),
}

/// Fires: latches, stops everything, and hears how it goes. One that is under way already is joined; one whose stopper
/// died is carried on with. `tell` hears every word.
pub fn fire(_order: &EmergencyOrder, _tell: &mut (dyn FnMut(&StopWord) + Send)) -> Fire {
    Fire::NoRoom("not yet".into())
}
