//! The latch of the emergency stop, as everything that can start something reads it.

use std::io;

use crate::paths::Home;

/// Whether the emergency stop is latched: one that is there counts, and so does one that cannot be looked for.
pub fn is_latched(home: &Home) -> bool {
    match std::fs::symlink_metadata(home.latch()) {
        Ok(_) => true,
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}
