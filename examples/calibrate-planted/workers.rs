//! Many jobs side by side, each on one core.

use crate::training::Result;
use std::sync::Mutex;
use std::thread::{available_parallelism, scope};

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
