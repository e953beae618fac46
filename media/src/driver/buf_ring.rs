//! The ring through which the kernel is given buffers to receive into (io_uring_register_buf_ring(3)).
#![expect(unsafe_code, reason = "a ring shared with the kernel is written through raw pointers")]

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::io;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU16, Ordering};

use io_uring::IoUring;
use io_uring::types::BufRingEntry;

/// Buffers offered to the kernel; what it fills comes back by number in a completion.
#[derive(Debug)]
pub(super) struct BufRing {
    base: NonNull<BufRingEntry>,
    layout: Layout,
    mask: u16,
    tail: u16,
}

// SAFETY: the ring's memory belongs to this value alone (and to the kernel, which follows its own protocol).
unsafe impl Send for BufRing {}

impl BufRing {
    /// Makes a ring of `entries` (a power of two) and registers it under `group`. It must be dropped after `ring`.
    pub fn register(ring: &IoUring, entries: u16, group: u16) -> io::Result<Self> {
        if !entries.is_power_of_two() || entries > 32_768 {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "receive buffers must be a power of two",
            ));
        }
        let layout = Layout::array::<BufRingEntry>(usize::from(entries))
            .and_then(|layout| layout.align_to(4096))
            .map_err(io::Error::other)?;
        // SAFETY: the layout has a size: at least one entry.
        let base = NonNull::new(unsafe { alloc_zeroed(layout) }).ok_or(io::ErrorKind::OutOfMemory)?.cast();
        let this = Self { base, layout, mask: entries - 1, tail: 0 };
        // SAFETY: the memory is page-aligned, long enough for `entries`, and lives until this value is dropped, which the
        // owner does after the ring is closed.
        unsafe { ring.submitter().register_buf_ring_with_flags(base.as_ptr() as u64, entries, group, 0)? };
        Ok(this)
    }

    /// Offers a buffer. The kernel sees it after [`BufRing::publish`].
    ///
    /// # Safety
    /// The buffer must be writable for `len` and not referenced until its number comes back in a completion.
    pub unsafe fn offer(&mut self, at: *mut u8, len: u32, number: u16) {
        // SAFETY: the masked index lies within the ring. The kernel reads an entry only below the published tail.
        let entry = unsafe { &mut *self.base.as_ptr().add(usize::from(self.tail & self.mask)) };
        entry.set_addr(at as u64);
        entry.set_len(len);
        entry.set_bid(number);
        self.tail = self.tail.wrapping_add(1);
    }

    /// Shows the kernel what was offered.
    pub fn publish(&mut self) {
        // SAFETY: the tail lies in the first entry of the ring, which is initialised; the kernel reads it atomically.
        unsafe {
            let tail = BufRingEntry::tail(self.base.as_ptr()).cast_mut();
            AtomicU16::from_ptr(tail).store(self.tail, Ordering::Release);
        }
    }
}

impl Drop for BufRing {
    fn drop(&mut self) {
        // SAFETY: `base` came from `alloc_zeroed` with this layout; the kernel let go of it when the ring was closed.
        unsafe { dealloc(self.base.as_ptr().cast(), self.layout) }
    }
}
