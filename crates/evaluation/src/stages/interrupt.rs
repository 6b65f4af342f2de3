//! Progress within a part, and the two ways in which it can end early.

use crate::EvaluationError;
use std::ops::ControlFlow;

/// A step that was completed.
pub(crate) enum Step<'a> {
    /// The model has answered this many more images.
    Answered(usize),
    /// An explainer has completed some of the passes for a batch.
    Explaining {
        /// The explainer's word.
        explainer: &'a str,
        /// Passes completed.
        done: usize,
        /// Passes of the batch.
        of: usize,
    },
}

/// Called after each step. Returning `Break` cancels the run.
pub(crate) type Listener<'t> = dyn FnMut(Step<'_>) -> ControlFlow<()> + 't;

/// Why a stage did not finish.
pub(crate) enum Interrupt {
    /// The listener asked to stop.
    Canceled,
    /// Something failed that concerns more than one sample.
    Failed(Box<EvaluationError>),
}

/// The result of a stage.
pub(crate) type Staged<T> = Result<T, Interrupt>;

impl<E: Into<EvaluationError>> From<E> for Interrupt {
    fn from(error: E) -> Self {
        Self::Failed(Box::new(error.into()))
    }
}

/// Passes a step on to the listener; fails if it cancels the run.
pub(crate) fn report(listener: &mut Listener<'_>, step: Step<'_>) -> Staged<()> {
    if listener(step).is_break() { Err(Interrupt::Canceled) } else { Ok(()) }
}
