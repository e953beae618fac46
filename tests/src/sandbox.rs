//! What a container's sandbox refuses, refused to programs that a test starts.

/// Runs `what` where io_uring is refused with EPERM, as the default profiles of container engines do: on a thread of its own, under
/// a seccomp filter that the programs started there inherit.
pub fn without_io_uring<R: Send>(what: impl FnOnce() -> R + Send) -> R {
    std::thread::scope(|scope| {
        let inside = scope.spawn(|| {
            refuse_io_uring();
            what()
        });
        inside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Of this thread, for good.
fn refuse_io_uring() {
    // io_uring_setup, io_uring_enter, io_uring_register: the same numbers on every architecture.
    const FIRST: u32 = 425;
    const LAST: u32 = 427;
    let step = |code: u32, jt: u8, jf: u8, k: u32| libc::sock_filter { code: code as u16, jt, jf, k };
    let mut steps = [
        // The number of the system call is the first word of what is judged.
        step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0),
        step(libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K, 0, 2, FIRST),
        step(libc::BPF_JMP | libc::BPF_JGT | libc::BPF_K, 1, 0, LAST),
        step(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ERRNO | libc::EPERM.cast_unsigned()),
        step(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog { len: steps.len() as u16, filter: steps.as_mut_ptr() };
    // SAFETY: numbers, and a pointer to a program that lives during the call, which copies it.
    let done = unsafe {
        (
            libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
            libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program),
        )
    };
    assert_eq!(done, (0, 0), "seccomp: {}", std::io::Error::last_os_error());
}
