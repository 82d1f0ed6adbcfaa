//! What a process uses, as Linux tells it.

use std::fs;

use anyhow::Context;

/// Ticks of the clock in a second; fixed by the kernel's interface to programs on all common machines.
const TICKS: f64 = 100.0;

/// The resident memory of a process in bytes.
pub fn resident(pid: u32) -> anyhow::Result<u64> {
    let path = format!("/proc/{pid}/status");
    let text = fs::read_to_string(&path).with_context(|| format!("{path} cannot be read; this needs Linux"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib * 1024)
}

/// The same of a process and its children.
pub fn resident_with_children(pid: u32) -> anyhow::Result<u64> {
    // A process that ends while we look is not an error.
    Ok(resident(pid)? + children(pid)?.into_iter().filter_map(|child| resident(child).ok()).sum::<u64>())
}

fn children(pid: u32) -> anyhow::Result<Vec<u32>> {
    let processes = fs::read_dir("/proc")?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let is_child = |process: &u32| {
        // A process that ends while we look is not an error.
        let fields = stat(*process).unwrap_or_default();
        fields.get(1).and_then(|parent| parent.parse::<u32>().ok()) == Some(pid)
    };
    Ok(processes.filter(is_child).collect())
}

/// The fields of `/proc/PID/stat` behind the name, which may hold spaces.
fn stat(pid: u32) -> anyhow::Result<Vec<String>> {
    let path = format!("/proc/{pid}/stat");
    let text = fs::read_to_string(&path).with_context(|| format!("{path} cannot be read; this needs Linux"))?;
    let (_, rest) = text.rsplit_once(')').context("an unknown form of stat")?;
    Ok(rest.split_whitespace().map(str::to_owned).collect())
}

/// Seconds that a process has computed, its threads included.
pub fn computed(pid: u32) -> anyhow::Result<f64> {
    let fields = stat(pid)?;
    // User and system time are fields 14 and 15; two of them are before our first.
    let ticks = |at: usize| -> anyhow::Result<f64> { Ok(fields.get(at).context("a short stat")?.parse()?) };
    Ok((ticks(11)? + ticks(12)?) / TICKS)
}

/// The same with the children that it has waited for.
pub fn computed_with_ended(pid: u32) -> anyhow::Result<f64> {
    let fields = stat(pid)?;
    let ticks = |at: usize| -> anyhow::Result<f64> { Ok(fields.get(at).context("a short stat")?.parse()?) };
    Ok(computed(pid)? + (ticks(13)? + ticks(14)?) / TICKS)
}

/// Seconds that a process and its children have computed. Of children that ended meanwhile nothing is counted.
pub fn computed_with_children(pid: u32) -> anyhow::Result<f64> {
    Ok(computed(pid)? + children(pid)?.into_iter().filter_map(|child| computed(child).ok()).sum::<f64>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_something() {
        let pid = std::process::id();
        assert!(resident(pid).expect("Linux") > 100_000);
        assert!(computed(pid).expect("Linux") >= 0.0);
        assert!(computed_with_ended(pid).expect("Linux") >= computed(pid).expect("Linux"));
        assert!(computed_with_children(pid).expect("Linux") >= 0.0);
        assert!(resident_with_children(pid).expect("Linux") > 100_000);
        assert!(resident(0).is_err());
    }
}
