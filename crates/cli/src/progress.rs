//! Progress of long operations on standard error: a bar in a terminal, occasional lines in a log.

use crate::findings;
use hard_imagenet::evaluation::{Event, Phase};
use indicatif::{HumanDuration, ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Time between two lines of a log.
const EVERY: Duration = Duration::from_secs(15);

pub(crate) struct Progress {
    label: String,
    bar: Option<ProgressBar>,
    last_line: Instant,
}

impl Progress {
    pub(crate) fn new(label: impl Into<String>) -> Self {
        let label = label.into();
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{prefix} {bar:32} {pos}/{len} {msg}")
                .expect("the template is valid")
                .progress_chars("━╸ ");
            ProgressBar::new(0).with_style(style).with_prefix(label.clone())
        });
        Self { label, bar, last_line: Instant::now() }
    }

    /// Shows one event of a run.
    pub(crate) fn show(&mut self, event: &Event<'_>) {
        match event {
            Event::Progress { phase: Phase::Evaluate, done, total, resumed, elapsed } => {
                self.advance(*done, *total, left(*done, *total, *resumed, *elapsed));
            }
            Event::Progress { phase: Phase::Verify, done, total, .. } => {
                self.detail(&format!("comparing files with an earlier run: {done}/{total}"));
            }
            Event::Progress { .. } => {}
            Event::Finding(finding) => {
                findings::lines(&self.label, finding).iter().for_each(|line| self.say_line(line))
            }
            Event::Explaining { explainer, done, of } => self.detail(&format!("{explainer} {done}/{of}")),
            Event::DamagedPart { path, reason } => {
                self.say(&format!("{} is damaged ({reason}) and will be recomputed", path.display()));
            }
            Event::BadSample { sample, error } => self.say(&format!("{sample} is skipped: {error}")),
            _ => {}
        }
    }

    /// Shows how many of `total` steps are done.
    pub(crate) fn count(&mut self, done: usize, total: usize) {
        self.advance(done, total, String::new());
    }

    /// Shows a training step with its loss and the time left.
    pub(crate) fn step(&mut self, done: usize, total: usize, loss: f64, elapsed: Duration) {
        self.advance(done, total, format!("loss {loss:.4} {}", left(done, total, 0, elapsed)));
    }

    /// Prints a line that stays on the screen.
    pub(crate) fn line(&self, text: &str) {
        self.say(text);
    }

    /// Shows the stage that is running.
    fn detail(&mut self, text: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(text.to_owned());
        } else if self.last_line.elapsed() >= EVERY {
            self.last_line = Instant::now();
            eprintln!("{}: {text}", self.label);
        }
    }

    fn advance(&mut self, done: usize, total: usize, left: String) {
        if let Some(bar) = &self.bar {
            bar.set_length(total as u64);
            bar.set_position(done as u64);
            bar.set_message(left);
        } else if self.last_line.elapsed() >= EVERY {
            self.last_line = Instant::now();
            eprintln!("{}: {done}/{total} {left}", self.label);
        }
    }

    /// Removes the bar.
    pub(crate) fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }

    fn say(&self, text: &str) {
        self.say_line(&format!("{}: {text}", self.label));
    }

    /// Prints a line as it is.
    fn say_line(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{line}")),
            None => eprintln!("{line}"),
        }
    }
}

/// Returns a function that shows how much of a model's weights has arrived, given (bytes done, bytes in total).
pub(crate) fn download(model: String) -> impl Fn(u64, u64) + Send + Sync {
    let bar = OnceLock::new();
    move |done, total| {
        let bar = bar.get_or_init(|| {
            eprintln!("{model}: downloading weights from the Hugging Face hub");
            let style = ProgressStyle::with_template("{bar:32} {bytes}/{total_bytes} {eta}")
                .expect("the template is valid")
                .progress_chars("━╸ ");
            // Draws nothing if standard error is not a terminal.
            ProgressBar::new(total).with_style(style)
        });
        bar.set_position(done);
        if done == total {
            bar.finish_and_clear();
        }
    }
}

/// Formats the time left ("about 3 minutes left"), from the rate since this process started.
fn left(done: usize, total: usize, resumed: usize, elapsed: Duration) -> String {
    let new = done.saturating_sub(resumed);
    if new == 0 || done >= total {
        return String::new();
    }
    let seconds = elapsed.as_secs_f64() / new as f64 * (total - done) as f64;
    format!("about {} left", HumanDuration(Duration::from_secs_f64(seconds.ceil())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_estimate_ignores_resumed_work() {
        let ten = Duration::from_secs(10);
        assert_eq!(left(60, 100, 40, ten), "about 20 seconds left");
        assert_eq!(left(40, 100, 40, ten), "");
        assert_eq!(left(100, 100, 40, ten), "");
    }
}
