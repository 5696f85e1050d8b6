//! What the operating system counts of this process.

use std::{fs, time::Duration};

use nix::sys::{
    resource::{UsageWho, getrusage},
    time::TimeVal,
};

/// Time spent on processors so far, in user and system mode, by all threads.
pub(crate) fn cpu() -> anyhow::Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let duration = |time: TimeVal| -> anyhow::Result<Duration> {
        Ok(Duration::new(u64::try_from(time.tv_sec())?, u32::try_from(time.tv_usec() * 1000)?))
    };
    Ok(duration(usage.user_time())? + duration(usage.system_time())?)
}

/// The most memory that was ever resident, in KiB, where `/proc` says so. (The peak of `getrusage` is no less than that of
/// the process that started this one.)
pub(crate) fn peak_kib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?
        .trim()
        .strip_suffix("kB")?
        .trim()
        .parse()
        .ok()
}

/// Open sockets, where `/proc` says so.
pub(crate) fn sockets() -> Option<usize> {
    let open = fs::read_dir("/proc/self/fd").ok()?.filter_map(Result::ok);
    let is_socket = |path| fs::read_link(path).is_ok_and(|to| to.to_string_lossy().starts_with("socket:"));
    Some(open.filter(|entry| is_socket(entry.path())).count())
}

/// Threads, where `/proc` tells.
pub(crate) fn threads() -> Option<usize> {
    Some(fs::read_dir("/proc/self/task").ok()?.count())
}
