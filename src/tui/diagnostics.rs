//! Takes in what botwarden says through `log`, for the pane of diagnostics. tui-logger keeps the lines; we move them ourselves
//! when there are some, instead of letting its thread wake up a hundred times a second.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::mpsc::Sender;

use log::{LevelFilter, Log, Metadata, Record};

use super::message::Msg;

/// Who is told that there is something new: the screen that is open.
static LISTENER: Mutex<Option<Sender<Msg>>> = Mutex::new(None);

struct Tap;

impl Log for Tap {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        tui_logger::Drain::new().log(record);
        let listener = LISTENER.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(listener) = listener.as_ref() {
            let _ = listener.send(Msg::Diagnostic(record.level(), record.args().to_string()));
        }
    }

    fn flush(&self) {}
}

/// Sends every line to the pane of diagnostics from now on. A logger that somebody else has set stays.
pub fn listen(tell: &Sender<Msg>) {
    *LISTENER.lock().unwrap_or_else(PoisonError::into_inner) = Some(tell.clone());
    tui_logger::set_default_level(LevelFilter::Info);
    if log::set_logger(&Tap).is_ok() {
        log::set_max_level(LevelFilter::Info);
    }
}

/// Nobody is to be told any more.
pub fn unlisten() {
    *LISTENER.lock().unwrap_or_else(PoisonError::into_inner) = None;
}

/// Makes lines that have come since the last time visible.
pub fn gather() {
    tui_logger::move_events();
}
