//! Resource use of this process, as counted by the operating system.

use std::{fs, time::Duration};

use nix::sys::{
    resource::{UsageWho, getrusage},
    time::TimeVal,
};

/// Returns the processor time of all threads so far, in user and system mode.
pub(crate) fn cpu() -> anyhow::Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let duration = |time: TimeVal| -> anyhow::Result<Duration> {
        Ok(Duration::new(u64::try_from(time.tv_sec())?, u32::try_from(time.tv_usec() * 1000)?))
    };
    Ok(duration(usage.user_time())? + duration(usage.system_time())?)
}

/// Returns the peak resident memory in KiB, if `/proc` is available. (The peak of `getrusage` is at least that of the
/// parent process.)
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

/// Returns the number of open sockets, if `/proc` is available.
pub(crate) fn sockets() -> Option<usize> {
    let open = fs::read_dir("/proc/self/fd").ok()?.filter_map(Result::ok);
    let is_socket = |path| fs::read_link(path).is_ok_and(|to| to.to_string_lossy().starts_with("socket:"));
    Some(open.filter(|entry| is_socket(entry.path())).count())
}

/// Returns the number of threads, if `/proc` is available.
pub(crate) fn threads() -> Option<usize> {
    Some(fs::read_dir("/proc/self/task").ok()?.count())
}
