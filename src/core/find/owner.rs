//! Whose a process is.
