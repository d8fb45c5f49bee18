//! Whether a file has what the configuration says.
