//! Processor time and priority of threads, as the kernel counts them.

use std::fs;
use std::process::{Command, Stdio};

/// Threads of a process whose names pass, with their ids.
pub fn threads(pid: u32, wanted: impl Fn(&str) -> bool) -> Vec<u32> {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let ids = tasks.flatten().filter_map(|task| task.file_name().to_str()?.parse().ok());
    ids.filter(|id: &u32| {
        fs::read_to_string(format!("/proc/{pid}/task/{id}/comm")).is_ok_and(|name| wanted(name.trim()))
    })
    .collect()
}

/// Microseconds on a processor of these threads so far.
pub fn spent_us(pid: u32, threads: &[u32]) -> f64 {
    let of = |id: &u32| {
        let line = fs::read_to_string(format!("/proc/{pid}/task/{id}/schedstat")).ok()?;
        line.split(' ').next()?.parse::<f64>().ok()
    };
    threads.iter().filter_map(of).sum::<f64>() / 1_000.0
}

/// Real-time priority, so that other work on this machine does not decide the result. False where it is not allowed.
pub fn raise(thread: u32) -> bool {
    let chrt =
        Command::new("chrt").args(["-f", "-p", "40", &thread.to_string()]).stderr(Stdio::null()).status();
    chrt.is_ok_and(|status| status.success())
}
