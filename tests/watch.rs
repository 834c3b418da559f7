//! The live queue. What could go wrong: a terminal left in raw mode or on its second screen, a key that does not end it, a
//! screen that is wider than the terminal, a pipe that gets control characters, changes of other processes not seen.
#![cfg(feature = "cli")]

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};

use slaclock::{Db, Event, EventKind, Instant, Options, Policy, Request};

const HOUR: i64 = 3_600;
/// Monday 2026-03-02 09:00 in Moscow.
const MONDAY: i64 = 1_772_431_200;
/// The same as the command line reads it.
const NINE: &str = "2026-03-02 09:00";

fn at(seconds: i64) -> Instant {
    Instant::from_secs(seconds).unwrap()
}

/// Three requests: long late, due on Monday evening, on hold.
fn desk(folder: &std::path::Path) -> (String, Db) {
    let path = folder.join("care.slaclock");
    let db = Db::create(&path, &Policy::load("examples/policies/promise.toml").unwrap(), Options::default())
        .unwrap();
    db.submit(&Request::new("OLD", at(MONDAY - 10 * 24 * HOUR))).unwrap();
    db.submit(&Request::new("NEW", at(MONDAY - HOUR))).unwrap();
    db.submit(&Request::new("HELD", at(MONDAY - HOUR))).unwrap();
    let reason = "waiting_customer".to_owned();
    db.record("HELD", Event::new(EventKind::Paused { reason }, at(MONDAY - 60))).unwrap();
    (path.to_str().unwrap().to_owned(), db)
}

fn watch(arguments: &[&str]) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_slaclock")).arg("watch").args(arguments).output().unwrap()
}

#[test]
fn a_pipe_gets_plain_lines() {
    let folder = tempfile::tempdir().unwrap();
    let (db, _open) = desk(folder.path());
    let output = watch(&[&db, "--now", NINE, "--times", "1"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(!text.contains('\x1b'), "{text:?}");
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("Mon 2026-03-02 09:00"), "{text}");
    assert!(lines[0].contains("1 paused"), "{text}");
    let row = |of: &str, clock: &str| {
        let found = lines.iter().find(|line| line.starts_with(of) && line.contains(clock));
        (*found.unwrap_or_else(|| panic!("no {of} {clock} in {text}"))).to_owned()
    };
    assert!(row("NEW", "resolution").contains("in 9 h"), "{text}");
    assert!(row("OLD", "resolution").ends_with("ago"), "{text}");
    assert!(!lines.iter().any(|line| line.starts_with("HELD")), "{text}");
}

#[test]
fn changes_of_others_are_seen_and_what_stays_is_not_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let (path, db) = desk(folder.path());
    let mut child = Command::new(env!("CARGO_BIN_EXE_slaclock"))
        .args(["watch", &path, "--now", NINE, "--every", "1", "--json", "--clock", "resolution"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || serde_json::from_str::<serde_json::Value>(&lines.next().unwrap().unwrap()).unwrap();
    let first = next();
    assert_eq!(first["next"][0]["request"], "NEW");
    db.record("NEW", Event::new(EventKind::Resolved, at(MONDAY))).unwrap();
    let second = next();
    assert_eq!(second["next"].as_array().unwrap().len(), 0, "{second}");
    assert_eq!(second["counts"]["met"], 1);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn what_cannot_be_watched_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (db, _open) = desk(folder.path());
    let refused = |arguments: &[&str], text: &str| {
        let output = watch(arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(text), "{said}");
    };
    refused(&[&db, "--clock", "resolutoin"], "resolution");
    refused(&[&db, "--every", "0"], "1..=3600");
    refused(&[&db, "--times", "0"], "1..=1000000");
    refused(&[&db, "--now", "soon"], "--now `soon`");
    refused(&["nowhere.slaclock"], "nowhere.slaclock");
}

/// On a terminal, which `script` plays.
fn on_terminal(keys: &[u8]) -> (String, Option<i32>) {
    let folder = tempfile::tempdir().unwrap();
    let (db, _open) = desk(folder.path());
    let program = env!("CARGO_BIN_EXE_slaclock");
    let command = format!("stty cols 60 rows 24; {program} watch {db} --now '{NINE}' --every 3600");
    let mut child = Command::new("script")
        .args(["--quiet", "--return", "--command", &command, "/dev/null"])
        .env("TERM", "xterm-256color")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = child.stdout.take().unwrap();
    let mut seen = Vec::new();
    let mut buffer = [0; 4_096];
    // The keys come when the first frame stands.
    while !String::from_utf8_lossy(&seen).contains("q quit") {
        let read = output.read(&mut buffer).unwrap();
        assert!(read > 0, "{}", String::from_utf8_lossy(&seen));
        seen.extend_from_slice(&buffer[..read]);
    }
    child.stdin.as_mut().unwrap().write_all(keys).unwrap();
    output.read_to_end(&mut seen).unwrap();
    (String::from_utf8_lossy(&seen).into_owned(), child.wait().unwrap().code())
}

#[test]
fn a_terminal_gets_a_screen_and_has_its_own_back() {
    for keys in [&b"xq"[..], b"\x03", b"Q"] {
        let (seen, code) = on_terminal(keys);
        assert_eq!(code, Some(1), "{seen}");
        assert_eq!(
            (seen.matches("\x1b[?1049h").count(), seen.matches("\x1b[?1049l").count()),
            (1, 1),
            "{seen:?}"
        );
        let last =
            |sequence: &str| seen.rfind(sequence).unwrap_or_else(|| panic!("{sequence:?} in {seen:?}"));
        assert!(last("\x1b[?25h") > last("\x1b[?25l"), "the cursor stays hidden");
        assert!(last("\x1b[?7h") > last("\x1b[?7l"), "lines stay unwrapped");
        for text in ["Due next", "Late for longest", "NEW", "OLD", "1 paused"] {
            assert!(seen.contains(text), "{text} in {seen:?}");
        }
    }
}
