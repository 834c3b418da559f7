//! The pages about care beyond deadlines, history and presets, run as a reader would: what could go wrong is a page that shows
//! what the program does not do. `SLACLOCK_BLESS=1` writes the outputs anew.
#![cfg(feature = "cli")]

use std::path::Path;
use std::process::Command;

/// Runs a command in a folder where `slaclock` is the built program.
fn run(command: &str, folder: &Path) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_slaclock"));
    let path = std::env::join_paths(
        std::iter::once(program.parent().unwrap().to_path_buf())
            .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    );
    let output = Command::new("bash")
        .args(["-c", &format!("{command} 2>&1")])
        .current_dir(folder)
        .env("PATH", path.unwrap())
        .env_remove("CLICOLOR_FORCE")
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_page_on_care_shows_what_the_program_says() {
    shows_what_the_program_says("docs/care.md", 21);
}

#[test]
fn the_page_on_history_shows_what_the_program_says() {
    shows_what_the_program_says("docs/history.md", 21);
}

#[test]
fn the_page_on_presets_shows_what_the_program_says() {
    shows_what_the_program_says("docs/presets.md", 4);
}

fn shows_what_the_program_says(path: &str, at_least: usize) {
    let folder = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    std::os::unix::fs::symlink(root.join("examples"), folder.path().join("examples")).unwrap();
    let page = std::fs::read_to_string(path).unwrap();
    let (mut told, mut inside, mut ran) = (String::new(), false, 0);
    for line in page.lines() {
        match (inside, line) {
            (false, "```console") => inside = true,
            (true, "```") => inside = false,
            // What a command printed before is written anew.
            (true, line) if !line.starts_with("$ ") => continue,
            _ => {}
        }
        told.push_str(line);
        told.push('\n');
        if let (true, Some(command)) = (inside, line.strip_prefix("$ ")) {
            told.push_str(&run(command, folder.path()));
            ran += 1;
        }
    }
    assert!(ran >= at_least, "{ran} commands");
    if std::env::var_os("SLACLOCK_BLESS").is_some() {
        std::fs::write(path, told).unwrap();
        return;
    }
    let differs = page.lines().zip(told.lines()).find(|(page, told)| page != told);
    assert!(page == told, "{path}: {differs:?}; SLACLOCK_BLESS=1 cargo test --test care_docs writes it anew");
}
