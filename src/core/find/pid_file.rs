//! What may be said of the PID file of a bot.
