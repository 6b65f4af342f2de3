//! Progress of long work on standard error: a bar in a terminal, a line now and then in a log.

use hard_imagenet::evaluation::{Event, Phase};
use indicatif::{HumanDuration, ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// How often a log gets a line.
const EVERY: Duration = Duration::from_secs(15);

pub(crate) struct Progress {
    label: String,
    bar: Option<ProgressBar>,
    spoke: Instant,
}

impl Progress {
    pub(crate) fn new(label: impl Into<String>) -> Self {
        let label = label.into();
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{prefix} {bar:32} {pos}/{len} {msg}")
                .expect("the template is right")
                .progress_chars("━╸ ");
            ProgressBar::new(0).with_style(style).with_prefix(label.clone())
        });
        Self { label, bar, spoke: Instant::now() }
    }

    /// Shows one event of a run.
    pub(crate) fn show(&mut self, event: &Event<'_>) {
        match event {
            Event::Progress { phase: Phase::Evaluate, done, total, resumed, elapsed } => {
                self.advance(*done, *total, left(*done, *total, *resumed, *elapsed));
            }
            Event::Progress { .. } => {}
            Event::Explaining { explainer, done, of } => self.detail(&format!("{explainer} {done}/{of}")),
            Event::DamagedPart { path, reason } => {
                self.say(&format!("{} is damaged ({reason}); it is computed again", path.display()));
            }
            Event::BadSample { sample, error } => self.say(&format!("{sample} is left out: {error}")),
            _ => {}
        }
    }

    /// Shows how much of something simpler than a run is done.
    pub(crate) fn count(&mut self, done: usize, total: usize) {
        self.advance(done, total, String::new());
    }

    /// Shows the steps of a training.
    pub(crate) fn step(&mut self, done: usize, total: usize, loss: f64, elapsed: Duration) {
        self.advance(done, total, format!("loss {loss:.4} {}", left(done, total, 0, elapsed)));
    }

    /// A line that stays.
    pub(crate) fn line(&self, text: &str) {
        self.say(text);
    }

    /// Shows what part of the work takes long.
    fn detail(&mut self, text: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(text.to_owned());
        } else if self.spoke.elapsed() >= EVERY {
            self.spoke = Instant::now();
            eprintln!("{}: {text}", self.label);
        }
    }

    fn advance(&mut self, done: usize, total: usize, left: String) {
        if let Some(bar) = &self.bar {
            bar.set_length(total as u64);
            bar.set_position(done as u64);
            bar.set_message(left);
        } else if self.spoke.elapsed() >= EVERY {
            self.spoke = Instant::now();
            eprintln!("{}: {done}/{total} {left}", self.label);
        }
    }

    /// The run has ended: leaves the screen to what follows.
    pub(crate) fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }

    fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{}: {line}", self.label)),
            None => eprintln!("{}: {line}", self.label),
        }
    }
}

/// Shows how much of a model's weights has arrived, as (bytes done, bytes in all).
pub(crate) fn download(model: String) -> impl Fn(u64, u64) + Send + Sync {
    let bar = OnceLock::new();
    move |done, total| {
        let bar = bar.get_or_init(|| {
            eprintln!("{model}: fetching its weights from the Hugging Face hub");
            let style = ProgressStyle::with_template("{bar:32} {bytes}/{total_bytes} {eta}")
                .expect("the template is right")
                .progress_chars("━╸ ");
            // Draws nothing where standard error is not a terminal.
            ProgressBar::new(total).with_style(style)
        });
        bar.set_position(done);
        if done == total {
            bar.finish_and_clear();
        }
    }
}

/// "about 3 minutes left", by the rate of this run alone.
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
    fn the_estimate_counts_only_what_this_run_did() {
        let ten = Duration::from_secs(10);
        assert_eq!(left(60, 100, 40, ten), "about 20 seconds left");
        assert_eq!(left(40, 100, 40, ten), "");
        assert_eq!(left(100, 100, 40, ten), "");
    }
}
