//! Plain system calls: epoll, eventfd, recvmmsg, sendmmsg, affinity.
#![expect(unsafe_code, reason = "system calls that the standard library does not wrap")]

use std::fs::File;
use std::io::{self, Read, Write};
use std::ops::Range;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

use super::addr::RawAddr;

/// Wakes a media thread from another thread: an eventfd the driver listens to.
#[derive(Debug)]
pub struct Wake {
    eventfd: File,
}

impl Wake {
    /// Makes one.
    pub fn new() -> io::Result<Self> {
        // SAFETY: no pointers; a negative result is turned into an error.
        let fd = check(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })?;
        // SAFETY: the descriptor is new and nobody else's.
        Ok(Self { eventfd: unsafe { File::from_raw_fd(fd) } })
    }
    /// Wakes the thread, now or at its next wait.
    pub fn wake(&self) {
        // It can only fail when the counter is full, and then the thread is awake already.
        (&self.eventfd).write_all(&1u64.to_ne_bytes()).ok();
    }
    pub(super) fn clear(&self) {
        (&self.eventfd).read_exact(&mut [0; 8]).ok();
    }
    pub(super) fn fd(&self) -> RawFd {
        self.eventfd.as_raw_fd()
    }
}

/// Keeps the calling thread on one core.
pub fn pin_to_core(core: usize) -> io::Result<()> {
    // SAFETY: an all-zero cpu_set_t is a valid, empty set; the set outlives the call.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        if core >= libc::CPU_SETSIZE as usize {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        libc::CPU_SET(core, &mut set);
        check(libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &set)).map(drop)
    }
}

/// The nice value of media threads. A thread of the ordinary value gets a tenth of the core beside one of this.
const FIRST: libc::c_int = -10;

/// Lets the calling thread go before others of this machine: who is late with a packet cannot make up for it. Not real-time
/// priority: a fault of ours must not take a core from the system.
///
/// # Errors
/// Without CAP_SYS_NICE, or an RLIMIT_NICE of 30 or more, the kernel refuses.
pub fn go_first() -> io::Result<()> {
    // SAFETY: no pointers; on Linux 0 is the calling thread.
    check(unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, FIRST) }).map(drop)
}

/// Octets of a cache line on the machines we know.
const CACHE_LINE: usize = 64;
/// Lines fetched ahead for one value at most; more would push each other out.
const LINES_MAX: usize = 32;

/// Asks the processor to fetch a part of a value, because it is needed soon. With hundreds of legs, each is cold when its packet
/// comes, and waiting for memory is most of what a packet costs in user space.
pub fn prefetch<T>(value: &T, octets: Range<usize>) {
    #[cfg(target_arch = "x86_64")]
    {
        let front = std::ptr::from_ref(value).cast::<i8>();
        let begin = front.wrapping_add(octets.start.min(size_of::<T>()));
        let end = front.wrapping_add(octets.end.min(size_of::<T>())).addr();
        // A value need not begin with a line, so the last line is found by address.
        let first = begin.map_addr(|at| at & !(CACHE_LINE - 1));
        for line in 0..end.saturating_sub(first.addr()).div_ceil(CACHE_LINE).min(LINES_MAX) {
            let at = first.wrapping_add(line * CACHE_LINE);
            // SAFETY: a prefetch reads nothing and faults nowhere; SSE is part of x86-64.
            unsafe { std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(at) };
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (value, octets);
}

/// Processor time this thread has used.
pub(super) fn thread_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel writes one timespec, which outlives the call. The clock exists on every Linux, so it cannot fail.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}

/// This thread's sleeps end at most this late; the system's default is 50 µs.
pub(super) fn sleep_exactly() {
    const SLACK_NS: libc::c_ulong = 1_000;
    // SAFETY: no pointers; where it is refused sleeps are a little longer.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, SLACK_NS) };
}

/// Readiness of many sockets.
#[derive(Debug)]
pub(super) struct Epoll {
    fd: OwnedFd,
}

impl Epoll {
    pub fn new() -> io::Result<Self> {
        // SAFETY: no pointers; a negative result is turned into an error.
        let fd = check(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        // SAFETY: the descriptor is new and nobody else's.
        Ok(Self { fd: unsafe { OwnedFd::from_raw_fd(fd) } })
    }
    /// Reports `key` whenever `fd` can be read.
    pub fn add(&self, fd: RawFd, key: u64) -> io::Result<()> {
        let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: key };
        // SAFETY: the event outlives the call; a bad descriptor is an error, not undefined.
        check(unsafe { libc::epoll_ctl(self.fd.as_raw_fd(), libc::EPOLL_CTL_ADD, fd, &mut event) }).map(drop)
    }
    pub fn remove(&self, fd: RawFd) {
        // SAFETY: for EPOLL_CTL_DEL the event is ignored and may be null.
        unsafe { libc::epoll_ctl(self.fd.as_raw_fd(), libc::EPOLL_CTL_DEL, fd, std::ptr::null_mut()) };
    }
    /// Waits; the keys that are ready are `events[..n]`.
    pub fn wait(&self, events: &mut [libc::epoll_event], wait: Duration) -> io::Result<usize> {
        let wait = libc::timespec { tv_sec: wait.as_secs() as i64, tv_nsec: i64::from(wait.subsec_nanos()) };
        let room = events.len().min(i32::MAX as usize) as i32;
        let fd = self.fd.as_raw_fd();
        // SAFETY: the kernel writes at most `room` events, which is the length of the slice; both outlive the call.
        let n = unsafe { libc::epoll_pwait2(fd, events.as_mut_ptr(), room, &wait, std::ptr::null()) };
        match check(n) {
            Ok(n) => Ok(n as usize),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => Ok(0),
            Err(e) => Err(e),
        }
    }
}

/// Vectors for one recvmmsg or sendmmsg, kept between calls.
pub(super) struct Batch {
    addrs: Vec<RawAddr>,
    iovecs: Vec<libc::iovec>,
    headers: Vec<libc::mmsghdr>,
    len: usize,
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Batch({} of {})", self.len, self.addrs.len())
    }
}

// SAFETY: the pointers inside are written anew before each system call and never followed in between.
unsafe impl Send for Batch {}

impl Batch {
    pub fn new(max: usize) -> Self {
        let iovec = libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 };
        // SAFETY: mmsghdr is plain numbers and pointers; all-zero is valid.
        let header: libc::mmsghdr = unsafe { std::mem::zeroed() };
        Self {
            addrs: vec![RawAddr::EMPTY; max],
            iovecs: vec![iovec; max],
            headers: vec![header; max],
            len: 0,
        }
    }
    pub const fn len(&self) -> usize {
        self.len
    }
    pub fn is_full(&self) -> bool {
        self.len == self.addrs.len()
    }
    pub fn clear(&mut self) {
        self.len = 0;
    }
    /// Adds a buffer to receive into, or to send to `to`. The caller keeps the buffer alive, and nobody else's, until the
    /// call that follows has returned.
    pub fn push(&mut self, at: *mut u8, len: usize, to: Option<RawAddr>) {
        let n = self.len;
        if self.is_full() {
            return;
        }
        self.addrs[n] = to.unwrap_or(RawAddr::EMPTY);
        self.iovecs[n] = libc::iovec { iov_base: at.cast(), iov_len: len };
        self.len += 1;
    }
    fn point(&mut self, receiving: bool) {
        for n in 0..self.len {
            let header = &mut self.headers[n];
            header.msg_len = 0;
            header.msg_hdr.msg_name = (&raw mut self.addrs[n].octets).cast();
            header.msg_hdr.msg_namelen =
                if receiving { super::addr::ADDR_LEN as u32 } else { self.addrs[n].len };
            header.msg_hdr.msg_iov = &raw mut self.iovecs[n];
            header.msg_hdr.msg_iovlen = 1;
            header.msg_hdr.msg_flags = 0;
        }
    }
    /// Receives up to [`Batch::len`] datagrams without waiting; says how many came.
    ///
    /// # Safety
    /// Every buffer pushed since [`Batch::clear`] must be writable for its length, and not referenced elsewhere.
    pub unsafe fn receive(&mut self, socket: RawFd) -> io::Result<usize> {
        self.point(true);
        // SAFETY: `len` headers were just pointed at live names and vectors of this value, and at the caller's buffers.
        let n = unsafe {
            libc::recvmmsg(
                socket,
                self.headers.as_mut_ptr(),
                self.len as u32,
                libc::MSG_DONTWAIT,
                std::ptr::null_mut(),
            )
        };
        check(n).map(|n| n as usize)
    }
    /// Sends the datagrams from `first` on without waiting; says how many the kernel took.
    ///
    /// # Safety
    /// Every buffer pushed since [`Batch::clear`] must be readable for its length.
    pub unsafe fn send(&mut self, socket: RawFd, first: usize) -> io::Result<usize> {
        self.point(false);
        let Some(headers) = self.headers.get_mut(first..self.len) else { return Ok(0) };
        // SAFETY: as in `receive`; the kernel only reads the buffers.
        let n =
            unsafe { libc::sendmmsg(socket, headers.as_mut_ptr(), headers.len() as u32, libc::MSG_DONTWAIT) };
        check(n).map(|n| n as usize)
    }
    /// Of the `n`th datagram received: its length, its sender (if of a family we know), and whether it was cut.
    pub fn received(&self, n: usize) -> Option<(usize, Option<std::net::SocketAddr>, bool)> {
        let header = self.headers.get(n)?;
        let cut = header.msg_hdr.msg_flags & libc::MSG_TRUNC != 0;
        Some((header.msg_len as usize, RawAddr::read(&self.addrs.get(n)?.octets), cut))
    }
}

fn check(result: i32) -> io::Result<i32> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
