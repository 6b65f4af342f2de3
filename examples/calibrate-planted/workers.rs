//! Many jobs side by side, each on one core.

use crate::training::Result;
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::thread::{available_parallelism, scope};

/// Runs this program again with candle and its allocator set up for [`each`]; `None` if it is that run already.
///
/// candle's own threads wait for each other by spinning and serve one caller at a time, so networks side by side would
/// stand in each other's way. And glibc would give every large tensor back to the system, to ask for it anew a moment
/// later, which takes a quarter of the time here. Both can be told so by the environment only, before they begin.
pub(crate) fn set_up() -> Result<Option<ExitCode>> {
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

/// Does all jobs, as many at a time as there are cores, and stops at the first that fails.
///
/// The networks here are so small that two of them, each on a core of its own, are done sooner than one on both. A job
/// works in a thread pool of one, so that it does not wait for another one's pieces.
pub(crate) fn each<T: Sync>(jobs: &[T], work: impl Fn(&T) -> Result<()> + Sync) -> Result<()> {
    let (queue, failure) = (Mutex::new(jobs.iter()), Mutex::new(None));
    let next = || queue.lock().ok()?.next();
    let work_off = || -> Result<()> {
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
                if let Err(error) = work_off()
                    && let Ok(mut failure) = failure.lock()
                {
                    failure.get_or_insert(error);
                }
            });
        }
    });
    failure.into_inner().map_err(|_| "a worker panicked")?.map_or(Ok(()), Err)
}
