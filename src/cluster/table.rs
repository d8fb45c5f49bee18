//! The names of a table, made safe for a statement.
