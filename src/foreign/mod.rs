//! Other people's files: what may be opened, how it is read without harm to whoever writes it, and what stands in it.

pub(crate) mod copy;
pub mod copy_folder;
pub(crate) mod file;
pub(crate) mod holders;
pub(crate) mod reading;
pub(crate) mod sqlite;
pub(crate) mod times;
pub(crate) mod turns;
