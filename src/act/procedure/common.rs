//! What all bots of one order have in common.

use crate::core::bot::BotSpec;
use crate::core::moment::Moment;
use crate::paths::Home;
use crate::readers::Readers;

use super::chunks::Chunks;
use super::order::{StopOrder, StopWord};
use super::passes::Passes;
use super::roll::Roll;
use super::setting::Places;

/// The desk, what is asked for, and what is made once for everybody.
pub(super) struct Common<'a> {
    pub(super) home: &'a Home,
    /// Every bot of the configuration.
    pub(super) specs: &'a [BotSpec],
    pub(super) order: &'a StopOrder,
    pub(super) passes: &'a Passes<'a>,
    pub(super) readers: &'a Readers,
    pub(super) places: &'a Places,
    /// When it began.
    pub(super) begun: Moment,
    /// Who was told of all that are to be; only an emergency stop calls it.
    pub(super) roll: &'a Roll,
    /// The chunks that are put back before their bots are told.
    pub(super) chunks: &'a Chunks<'a>,
    pub(super) say: &'a (dyn Fn(&StopWord) + Sync),
}
