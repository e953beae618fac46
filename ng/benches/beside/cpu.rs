//! Processor time, memory and priority of a process, as the kernel counts them.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

/// The threads of a process.
pub fn threads(pid: u32) -> Vec<u32> {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    tasks.flatten().filter_map(|task| task.file_name().to_str()?.parse().ok()).collect()
}

/// Microseconds on a processor so far, of all threads of a process that live.
pub fn spent_us(pid: u32) -> f64 {
    let of = |id: u32| {
        let line = fs::read_to_string(format!("/proc/{pid}/task/{id}/schedstat")).ok()?;
        line.split(' ').next()?.parse::<f64>().ok()
    };
    threads(pid).into_iter().filter_map(of).sum::<f64>() / 1_000.0
}

/// The kernel's threads that take over when packets are too many for whoever caused them.
pub fn kernel_threads() -> Vec<u32> {
    let Ok(all) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = all.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let is_one = |pid: &u32| {
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        ["ksoftirqd/", "napi/"].iter().any(|kind| name.starts_with(kind))
    };
    pids.filter(is_one).collect()
}

/// Nanoseconds and runs of the busiest BPF program that a process has open, while the kernel keeps statistics of them.
pub fn bpf_runs(pid: u32) -> Option<(f64, f64)> {
    let mut sums: Option<(f64, f64)> = None;
    for entry in fs::read_dir(format!("/proc/{pid}/fdinfo")).ok()?.flatten() {
        let text = fs::read_to_string(entry.path()).unwrap_or_default();
        let number =
            |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok());
        // The way from the program to an interface tells the same numbers again.
        if let (Some(ns), Some(runs), None) = (number("run_time_ns:"), number("run_cnt:"), number("link_id:"))
        {
            // A program may be open twice.
            sums = Some(sums.map_or((ns, runs), |sums| (sums.0.max(ns), sums.1.max(runs))));
        }
    }
    sums
}

/// Waits until a process does hardly anything, half a minute at most.
pub fn await_rest(pid: u32) {
    const LOOK: Duration = Duration::from_millis(100);
    for _ in 0..300 {
        let before = spent_us(pid);
        std::thread::sleep(LOOK);
        if spent_us(pid) - before < LOOK.as_micros() as f64 / 20.0 {
            break;
        }
    }
}

/// The same of ourselves, with threads that have ended; to 10 ms.
pub fn own_us() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // After the name, which may hold anything, in brackets: user and system time are the 12th and 13th.
    let rest = stat.rsplit(')').next().unwrap_or_default();
    let ticks: f64 =
        rest.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    ticks * 10_000.0
}

/// Microseconds that all processors of the machine were not idle; to 10 ms.
pub fn machine_us() -> f64 {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let line = stat.lines().next().unwrap_or_default();
    // user nice system idle iowait irq softirq steal
    let fields = line.split_whitespace().skip(1).take(8).enumerate();
    let busy =
        fields.filter(|(at, _)| !matches!(at, 3 | 4)).filter_map(|(_, field)| field.parse::<f64>().ok());
    busy.sum::<f64>() * 10_000.0
}

/// Resident memory in KiB.
pub fn resident_kib(pid: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.split_whitespace().next()?.parse().ok()
}

/// Real-time priority for all threads, so that other work on this machine does not decide the result. False where it is not
/// allowed.
pub fn raise(pid: u32) -> bool {
    let chrt = Command::new("chrt")
        .args(["-f", "-a", "-p", "40", &pid.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    chrt.is_ok_and(|status| status.success())
}
