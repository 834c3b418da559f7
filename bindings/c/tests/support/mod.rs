//! Building the library as C programs see it, and C programs against it.
#![allow(dead_code, reason = "each test program uses its own part")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The folder of libslaclock.so and libslaclock.a with search and pages, which Cargo does not build for tests of its own
/// accord. Packages, features and a test target are those of `make test`, so that all it depends on is there already; the
/// Python package has no part in that. `scripts/test-c-install` tries the library as it is shipped.
pub(crate) fn library() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--workspace", "--exclude", "slaclock-python", "--all-features"]);
        cargo.args(["--lib", "--test", "c", "--locked", "--target-dir"]).arg(target);
        succeeds(cargo.current_dir(root()));
        target.join("debug")
    })
}

/// Runs a command, which must succeed.
#[track_caller]
pub(crate) fn succeeds(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

pub(crate) fn has(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// A C program, built.
pub(crate) struct Program {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) path: PathBuf,
}

impl Program {
    /// Builds `source`, a file in tests/c or the text of a program.
    #[track_caller]
    pub(crate) fn build(source: &str, flags: &[&str]) -> Program {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("program");
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/c");
        let file = if source.contains('\n') {
            let file = folder.path().join("generated.c");
            std::fs::write(&file, source).unwrap();
            file
        } else {
            tests.join(source)
        };
        let mut cc = Command::new("cc");
        cc.args(["-std=gnu11", "-g", "-O1", "-Wall", "-Wextra", "-Werror", "-pthread"]).args(flags);
        cc.arg("-I").arg(root().join("include")).arg("-I").arg(tests).arg(file).arg("-o").arg(&path);
        cc.arg("-L").arg(library()).arg("-lslaclock").arg(format!("-Wl,-rpath,{}", library().display()));
        succeeds(&mut cc);
        // The name that programs are bound to.
        let name = library().join("libslaclock.so.0");
        let _ = std::os::unix::fs::symlink("libslaclock.so", name);
        Program { folder, path }
    }

    pub(crate) fn command(&self) -> Command {
        Command::new(&self.path)
    }

    /// Runs it in a folder of its own; it must find nothing wrong.
    #[track_caller]
    pub(crate) fn passes(&self, arguments: &[&str]) -> String {
        let output = succeeds(self.command().args(arguments).current_dir(self.folder.path()));
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "nothing is ever printed by the library");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The same with a folder for its files as the argument.
    #[track_caller]
    pub(crate) fn passes_in_folder(&self) -> String {
        let folder = tempfile::tempdir().unwrap();
        self.passes(&[folder.path().to_str().unwrap()])
    }
}

/// A function of the header.
pub(crate) struct Function {
    pub(crate) returns: String,
    pub(crate) name: String,
    pub(crate) arguments: Vec<(String, String)>,
}

/// Every function that the header declares.
pub(crate) fn functions() -> Vec<Function> {
    let text = std::fs::read_to_string(root().join("include/slaclock_ffi.h")).unwrap();
    let body: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let mut functions = Vec::new();
    for statement in body.join(" ").split(';') {
        // What is left of an enum or a struct before it.
        let statement = statement.rsplit('}').next().unwrap().trim();
        let Some((head, rest)) = statement.split_once('(') else { continue };
        let Some(arguments) = rest.strip_suffix(')') else { continue };
        if head.starts_with("typedef") || !head.contains("slaclock_") {
            continue;
        }
        let split = |text: &str| {
            let at = text.rfind([' ', '*']).map_or(0, |at| at + 1);
            (text[..at].trim().to_owned(), text[at..].to_owned())
        };
        let (returns, name) = split(head.trim());
        let arguments = arguments.split(',').map(str::trim).filter(|one| *one != "void").map(split).collect();
        functions.push(Function { returns, name, arguments });
    }
    functions
}
