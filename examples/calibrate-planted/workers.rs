//! Runs many jobs in parallel, each on one core.

use crate::training::Result;
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::thread::{available_parallelism, scope};

/// Starts this program again with candle and the allocator configured for [`for_each`], and returns its exit code. Returns `None`
/// if this process is already configured.
///
/// candle's own threads spin while they wait and serve one caller at a time, so networks that run in parallel would block each
/// other. glibc would return every large tensor to the system and ask for the memory again a moment later, which takes a
/// quarter of the time here. Both read their settings from the environment only, before they start.
pub(crate) fn restart_configured() -> Result<Option<ExitCode>> {
    const SETTINGS: [(&str, &str); 4] = [
        ("CANDLE_NUM_THREADS", "1"),
        ("RAYON_NUM_THREADS", "1"),
        ("MALLOC_MMAP_THRESHOLD_", "33554432"),
        ("MALLOC_TRIM_THRESHOLD_", "4294967296"),
    ];
    if SETTINGS.iter().all(|(name, value)| std::env::var(name).is_ok_and(|set| set == *value)) {
        return Ok(None);
    }
    let status = Command::new(std::env::current_exe()?).args(std::env::args_os().skip(1)).envs(SETTINGS).status()?;
    Ok(Some(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }))
}

/// Runs all jobs, as many at a time as there are cores, and stops at the first that fails.
///
/// The networks here are so small that two of them on one core each finish sooner than one after the other on both. A job runs
/// in a thread pool of one thread, so that it does not wait for pieces of another job.
pub(crate) fn for_each<T: Sync>(jobs: &[T], work: impl Fn(&T) -> Result<()> + Sync) -> Result<()> {
    let (queue, failure) = (Mutex::new(jobs.iter()), Mutex::new(None));
    let next = || queue.lock().ok()?.next();
    let drain_queue = || -> Result<()> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
        while let Some(job) = next() {
            if failure.lock().is_ok_and(|failure| failure.is_some()) {
                break;
            }
            pool.install(|| work(job))?;
        }
        Ok(())
    };
    scope(|threads| {
        for _ in 0..available_parallelism().map_or(1, usize::from).min(jobs.len()) {
            threads.spawn(|| {
                if let Err(error) = drain_queue()
                    && let Ok(mut failure) = failure.lock()
                {
                    failure.get_or_insert(error);
                }
            });
        }
    });
    failure.into_inner().map_err(|_| "a worker panicked")?.map_or(Ok(()), Err)
}
