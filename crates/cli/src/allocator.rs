//! Memory that was let go of stays with the program.
//!
//! Every operation of a network makes a new tensor, many of megabytes, and lets it go soon after. By its usual settings
//! glibc gives such memory back to the system, which clears new pages for the next tensor: a sixth of the processor's time
//! of evaluating ResNet-50 on two cores.

/// Sets it for the whole process; call first. Does nothing where the C library is another.
pub(crate) fn keep_pages() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        let settings = [
            // Nothing gets a mapping of its own, which would end with it.
            (libc::M_MMAP_MAX, 0),
            // The top of the heap is never given back.
            (libc::M_TRIM_THRESHOLD, -1),
            // It grows by many pages at a time.
            (libc::M_TOP_PAD, 64 << 20),
        ];
        for (name, value) in settings {
            // SAFETY: it takes two numbers, changes settings of the allocator under its lock, and answers 0 for what it
            // does not know.
            #[expect(unsafe_code, reason = "the C library offers it in no other way")]
            unsafe {
                libc::mallopt(name, value);
            }
        }
    }
}
