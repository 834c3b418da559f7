//! The machine that a report was made on.

use std::process::Command;

/// Processor, cores, memory, system and compiler, in one line.
#[must_use]
pub fn facts() -> String {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let cpu = line_of("/proc/cpuinfo", "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let memory = line_of("/proc/meminfo", "MemTotal")
        .and_then(|text| text.trim_end_matches(" kB").parse::<u64>().ok())
        .map_or(String::new(), |kib| format!(", {} GiB of memory", kib >> 20));
    let system = std::fs::read_to_string("/proc/sys/kernel/osrelease");
    let system = system.map_or(String::new(), |release| format!(" {}", release.trim()));
    let rustc = Command::new("rustc").arg("--version").output();
    let rustc = rustc.ok().and_then(|output| String::from_utf8(output.stdout).ok()).unwrap_or_default();
    format!(
        "{cpu}, {cores} cores{}{memory}; {}{system}; {}; slaclock {}; {}.",
        extensions(),
        std::env::consts::OS,
        rustc.trim(),
        env!("CARGO_PKG_VERSION"),
        load()
    )
}

/// How busy the machine is.
#[must_use]
pub fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    match text.split(' ').next() {
        Some(load) if !load.is_empty() => format!("load average {load}"),
        _ => "load unknown".to_owned(),
    }
}

fn extensions() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        return " with AVX2";
    }
    ""
}

fn line_of(file: &str, key: &str) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(key))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
