//! Ctrl-C: the first asks a run to end after its current step, the second ends the program at once.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

static ASKED: AtomicBool = AtomicBool::new(false);

/// Makes Ctrl-C a request from now on. Where no handler can be installed, Ctrl-C ends the program as usual.
pub(crate) fn listen() {
    let _ = ctrlc::set_handler(|| {
        if ASKED.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
        eprintln!("ending after the current step; press Ctrl-C again to end at once");
    });
}

/// Returns whether the work should continue.
pub(crate) fn flow() -> ControlFlow<()> {
    if ASKED.load(Ordering::SeqCst) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

/// Returns whether Ctrl-C was pressed.
pub(crate) fn was_asked() -> bool {
    flow().is_break()
}
