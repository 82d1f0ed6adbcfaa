//! What an input takes to be read: its memory and its time are held to a bound, as its output is.

use std::{
    fs,
    time::{Duration, Instant},
};

/// Inputs are at most 64 KiB, and what they unpack to is bounded by `LIMITS`. A sanitiser needs a multiple of what the program does.
const MOST_BYTES: u64 = 384 << 20;
const MOST_TIME: Duration = Duration::from_secs(10);

/// Resident memory of this process in bytes, now and at most so far. `None` where the system does not say.
fn resident() -> Option<(u64, u64)> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let of = |name: &str| -> Option<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        Some(line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()? * 1024)
    };
    Some((of("VmRSS:")?, of("VmHWM:")?))
}

/// Ends the run where reading took more memory or time than an input may.
pub fn must_be_cheap<T>(read: impl FnOnce() -> T) -> T {
    let (before, began) = (resident(), Instant::now());
    let result = read();
    let took = began.elapsed();
    assert!(took <= MOST_TIME, "an input took {took:?}; {MOST_TIME:?} are the most");
    // The most so far is the most of this input where it grew.
    if let (Some((now, most)), Some((_, after))) = (before, resident())
        && after > most
    {
        let needed = after.saturating_sub(now);
        assert!(needed <= MOST_BYTES, "an input needed {} MiB; {} are the most", needed >> 20, MOST_BYTES >> 20);
    }
    result
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;

    use super::*;

    #[test]
    fn cheap_work_passes() {
        assert_eq!(must_be_cheap(|| black_box(vec![1_u8; 1 << 20]).len()), 1 << 20);
    }

    #[test]
    #[should_panic(expected = "an input needed")]
    fn what_needs_too_much_ends_the_run() {
        must_be_cheap(|| black_box(vec![1_u8; 400 << 20]).len());
    }
}
