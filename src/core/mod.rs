//! The pure core: what a bot is, what may be said of it, and what is to be done. It reads no clock, touches nothing
//! outside, and cannot fail: everything comes in as data, and decisions go out as data.

pub mod archive;
pub mod bot;
pub mod cancel;
pub mod carried;
pub mod claims;
pub mod climb;
pub mod cluster;
pub mod code;
pub mod decimal;
pub mod emergency;
pub mod event;
pub mod exit;
pub mod find;
pub mod kin;
pub mod latch;
pub mod ledger;
pub mod lifecycle;
pub mod moment;
pub mod order;
pub mod overall;
pub mod progress;
pub mod protocol;
pub mod readiness;
pub mod record;
pub mod report;
pub mod signal;
pub mod state;
pub mod status;
pub mod stop;
pub mod story;
pub mod summary;
pub mod tree;
pub mod words;
