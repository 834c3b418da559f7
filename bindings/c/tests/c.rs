//! The C programs of tests/c, and tables of calls made from the header.
//!
//! What could go wrong: a function crashes on what C can pass, leaks, reads what was freed, lets a panic through, answers
//! differently from Rust, or is exported without being declared.
#![allow(clippy::print_stdout, reason = "what a program says is for whoever runs the test")]

mod support;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::process::Command;

use support::{Function, Program, functions, has, library, root, succeeds};

#[test]
fn every_function_does_what_it_says() {
    println!("{}", Program::build("life.c", &[]).passes_in_folder());
}

#[test]
fn an_agreement_is_lived_with() {
    println!("{}", Program::build("agreement.c", &[]).passes_in_folder());
}

#[test]
fn what_was_asked_before_is_told() {
    println!("{}", Program::build("history.c", &[]).passes(&[]));
}

#[test]
fn wrong_arguments_are_explained() {
    println!("{}", Program::build("misuse.c", &[]).passes(&[]));
}

#[test]
fn eight_threads_share_everything() {
    println!("{}", Program::build("threads.c", &[]).passes_in_folder());
}

#[test]
fn a_week_of_notices_comes_exactly_once() {
    println!("{}", Program::build("week.c", &[]).passes_in_folder());
}

#[test]
fn programs_link_with_the_archive_too() {
    let archive = library().join("libslaclock.a");
    let flags = ["-DSLACLOCK_STATIC"];
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("program");
    let mut cc = Command::new("cc");
    cc.args(["-std=gnu11"]).args(flags).arg("-I").arg(root().join("include"));
    cc.arg(root().join("bindings/c/tests/c/misuse.c")).arg(archive).arg("-o").arg(&program);
    succeeds(cc.args(["-lpthread", "-ldl", "-lm"]));
    succeeds(&mut Command::new(program));
}

/// Sanitizers see what C and the allocator do; nothing may be leaked or read after it is freed.
#[test]
fn nothing_leaks_under_the_address_sanitizer() {
    let programs = [
        ("life.c", true),
        ("agreement.c", true),
        ("history.c", false),
        ("misuse.c", false),
        ("threads.c", true),
        ("week.c", true),
    ];
    for (source, in_folder) in programs {
        let program = Program::build(source, &["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]);
        let folder = tempfile::tempdir().unwrap();
        let mut command = program.command();
        command.env("ASAN_OPTIONS", "detect_leaks=1:abort_on_error=0:exitcode=99");
        if in_folder {
            command.arg(folder.path());
        }
        succeeds(&mut command);
    }
}

/// Valgrind sees Rust's side too: a write past a buffer of the caller's, a value that was never set.
#[test]
fn valgrind_finds_nothing() {
    need("valgrind", &["valgrind"]);
    for (source, in_folder) in
        [("misuse.c", false), ("life.c", true), ("agreement.c", true), ("history.c", false)]
    {
        let program = Program::build(source, &[]);
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("valgrind");
        command.args([
            "--quiet",
            "--error-exitcode=99",
            "--leak-check=full",
            "--errors-for-leak-kinds=definite,indirect",
        ]);
        command
            .args(["--show-leak-kinds=definite,indirect", "--child-silent-after-fork=yes"])
            .arg(&program.path);
        if in_folder {
            command.arg(folder.path());
        }
        succeeds(&mut command);
    }
}

/// A tool that a check cannot do without.
fn need(program: &str, packages: &[&str]) {
    if !has(program) {
        succeeds(Command::new(root().join("scripts/need")).arg(program).args(packages));
    }
}

#[test]
fn the_header_is_good_c_and_cplusplus() {
    need("clang", &["clang"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("all.c");
    let text = "#include <slaclock.h>\n\
                slaclock_error e = SLACLOCK_ERROR_INIT;\nslaclock_options o = SLACLOCK_OPTIONS_INIT;\n\
                slaclock_request r = SLACLOCK_REQUEST_INIT;\nslaclock_event v = SLACLOCK_EVENT_INIT;\n\
                slaclock_query q = SLACLOCK_QUERY_INIT;\n\
                slaclock_attainment_query a = SLACLOCK_ATTAINMENT_QUERY_INIT;\n\
                slaclock_import_options i = SLACLOCK_IMPORT_OPTIONS_INIT;\n";
    std::fs::write(&file, text).unwrap();
    let c = ["c99", "c11", "c17"].map(|standard| (standard, "c"));
    let cplusplus = ["c++11", "c++14", "c++17", "c++20"].map(|standard| (standard, "c++"));
    for (standard, language) in c.into_iter().chain(cplusplus) {
        for compiler in ["gcc", "clang"] {
            let mut command = Command::new(compiler);
            command.arg(format!("-std={standard}")).args(["-x", language, "-fsyntax-only"]);
            command.args(["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-I"]).arg(root().join("include"));
            succeeds(command.arg(&file));
        }
    }
}

#[test]
fn the_library_exports_what_the_header_declares() {
    let output =
        succeeds(Command::new("nm").args(["-D", "--defined-only"]).arg(library().join("libslaclock.so")));
    let text = String::from_utf8(output.stdout).unwrap();
    let exported: BTreeSet<&str> = text.lines().filter_map(|line| line.split(' ').nth(2)).collect();
    let functions = functions();
    let declared: BTreeSet<&str> = functions.iter().map(|function| function.name.as_str()).collect();
    assert_eq!(exported, declared);
    // The golden list: a name that is once in a release stays.
    let golden = root().join("bindings/c/tests/symbols.txt");
    let listed = declared.iter().fold(String::new(), |text, name| text + name + "\n");
    if std::env::var_os("SLACLOCK_BLESS").is_some() {
        std::fs::write(&golden, &listed).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&golden).unwrap(), listed, "SLACLOCK_BLESS=1 writes the list anew");
}

/// Pages are drawn with the mathematics library; that the library as it is shipped does without, `scripts/test-c-install` checks.
#[test]
fn the_library_needs_libc_and_nothing_else() {
    let output = succeeds(Command::new("readelf").arg("-d").arg(library().join("libslaclock.so")));
    let text = String::from_utf8(output.stdout).unwrap();
    let header = std::fs::read_to_string(root().join("include/slaclock.h")).unwrap();
    let number = header.split("#define SLACLOCK_ABI_VERSION ").nth(1).unwrap().lines().next().unwrap();
    assert!(text.contains(&format!("Library soname: [libslaclock.so.{number}]")), "{text}");
    assert!(text.contains("NODELETE"), "{text}");
    for line in text.lines().filter(|line| line.contains("(NEEDED)")) {
        let allowed =
            ["libc.so.6", "libm.so.6", "libgcc_s.so.1", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"];
        assert!(allowed.iter().any(|name| line.contains(&format!("[{name}]"))), "{line}");
    }
}

/// life.c, agreement.c and history.c call every function.
#[test]
fn no_function_is_left_untried() {
    let folder = root().join("bindings/c/tests/c");
    let life = ["life.c", "agreement.c", "history.c"]
        .map(|name| std::fs::read_to_string(folder.join(name)).unwrap())
        .concat();
    let check = std::fs::read_to_string(folder.join("check.h")).unwrap();
    let untried: Vec<String> = functions()
        .into_iter()
        .map(|function| function.name)
        .filter(|name| !life.contains(&format!("{name}(")) && !check.contains(&format!("{name}(")))
        .collect();
    assert_eq!(untried, Vec::<String>::new());
}

/// Every status is expected somewhere in the programs, or cannot come about in a C program at will.
#[test]
fn every_status_is_met() {
    const NOT_AT_WILL: [(&str, &str); 2] = [
        (
            "PAUSED",
            "the core reports a paused clock as a value, remaining_s, in every answer; no call of C asks for more",
        ),
        ("STORAGE_FULL", "needs a full disk; tests of the store fill one up below the library"),
    ];
    let folder = root().join("bindings/c/tests/c");
    let sources = ["life.c", "agreement.c", "history.c", "misuse.c"]
        .map(|name| std::fs::read_to_string(folder.join(name)).unwrap())
        .concat();
    for kind in slaclock_core::ErrorKind::ALL {
        let mut name = String::new();
        for letter in kind.name().chars() {
            if letter.is_uppercase() && !name.is_empty() {
                name.push('_');
            }
            name.push(letter.to_ascii_uppercase());
        }
        let met = sources.contains(&format!("SLACLOCK_STATUS_{name}")) || name == "INTERNAL";
        let excused = NOT_AT_WILL.iter().any(|(status, _)| *status == name);
        assert!(met != excused, "status {name}: met {met}, excused {excused}");
    }
}

/// The start of a generated program.
const PROLOGUE: &str = "#include \"check.h\"\n\
    static unsigned char room[1 << 20];\n\
    static void fresh(void) { memset(room, 0xa5, sizeof room); }\n\
    static int untouched(void) { for (size_t i = 0; i < sizeof room; i++) if (room[i] != 0xa5) return 0; return 1; }\n";

/// Functions that return their value instead of a status, or that take NULL as it is.
fn returns_status(function: &Function) -> bool {
    function.returns == "slaclock_status"
}

/// Zeros everywhere: a status and a sentence, and whatever a panic can reach is behind the guard.
fn zeros(function: &Function) -> String {
    format!("{}({})", function.name, vec!["0"; function.arguments.len()].join(", "))
}

#[test]
fn null_is_explained_by_every_function() {
    // Nothing to close, no callback wanted, nothing to shut down.
    const FINE: [&str; 3] = ["slaclock_close", "slaclock_set_log", "slaclock_shutdown"];
    let mut source = format!("{PROLOGUE}int main(void) {{\n(void)fresh; (void)untouched;\n");
    for function in functions() {
        let call = zeros(&function);
        if !returns_status(&function) {
            writeln!(source, "(void){call};").unwrap();
            continue;
        }
        // The last argument is where the error goes.
        let call = call.replace(", 0)", ", &error)").replace("(0)", "(&error)");
        let fine = FINE.contains(&function.name.as_str());
        writeln!(source, "GIVES({}, {call});", if fine { 0 } else { 3 }).unwrap();
    }
    source.push_str("return check_end();\n}\n");
    // Replaces only the last zero of a call.
    Program::build(&last_zero_only(&source), &["-Wno-unused-value"]).passes(&[]);
}

/// `f(&error, &error, &error)` back to `f(0, 0, &error)`.
fn last_zero_only(source: &str) -> String {
    let mut text = String::new();
    for line in source.lines() {
        let many = line.matches("&error").count();
        let line = if many > 1 { line.replacen("&error", "0", many - 1) } else { line.to_owned() };
        writeln!(text, "{line}").unwrap();
    }
    text
}

/// Stale, foreign and mistaken handles, in every function that takes one first; outputs stay as they were.
#[test]
fn bad_handles_are_explained_by_every_function() {
    let mut source = format!("{PROLOGUE}int main(void) {{\nslaclock_policy *policy = check_policy();\n");
    source.push_str(
        "slaclock_rule *rule; slaclock_calendar *calendar; slaclock_facts *facts; slaclock_db *db; slaclock_batch *batch;\n\
         OK(slaclock_policy_rule(policy, \"resolution\", NTS, NULL, &rule, &error));\n\
         OK(slaclock_policy_calendar(policy, \"office\", NTS, &calendar, &error));\n\
         OK(slaclock_facts_new(&facts, &error));\nOK(slaclock_batch_new(&batch, &error));\n\
         OK(slaclock_in_memory(policy, &db, &error));\nOK(slaclock_close(db, &error));\n\
         slaclock_rule_free(rule); slaclock_calendar_free(calendar); slaclock_facts_free(facts); slaclock_batch_free(batch);\n\
         slaclock_policy *stale_policy = check_policy(); slaclock_policy_free(stale_policy);\n\
         void *invented[4] = {(void *)(uintptr_t)0x7fff12345678, (void *)(uintptr_t)-1, (void *)room, (void *)1};\n",
    );
    let mut tried = 0;
    for function in functions() {
        let Some((kind, _)) = function.arguments.first() else { continue };
        let kinds = ["policy", "rule", "calendar", "facts", "db", "batch"];
        let named =
            kinds.iter().find(|name| kind.trim_start_matches("const ") == format!("slaclock_{name} *"));
        let (Some(named), true) = (named, returns_status(&function)) else { continue };
        tried += 1;
        let stale = if *named == "policy" { "stale_policy" } else { named };
        let other = if *named == "policy" { "rule" } else { "policy" };
        let rest: Vec<String> = function.arguments[1..]
            .iter()
            .map(|(kind, name)| match name.as_str() {
                "error" => ", &error".to_owned(),
                _ if name.starts_with("out_") => format!(", ({kind})(void *)room"),
                _ => ", 0".to_owned(),
            })
            .collect();
        let call = |handle: &str| format!("{}((void *){handle}{})", function.name, rest.concat());
        writeln!(source, "fresh();\nGIVES(14, {});", call(stale)).unwrap();
        writeln!(source, "GIVES(3, {});", call(other)).unwrap();
        writeln!(source, "for (int i = 0; i < 4; i++) GIVES(3, {});", call("invented[i]")).unwrap();
        writeln!(source, "CHECK(untouched());").unwrap();
    }
    source.push_str("slaclock_policy_free(policy);\nreturn check_end();\n}\n");
    assert!(tried > 75, "only {tried} functions take a handle first");
    Program::build(&source, &[]).passes(&[]);
}

/// With a panic forced inside each call, each call comes back: with INTERNAL and the panic's text, which the log is told.
#[test]
fn no_panic_crosses() {
    let mut source = format!(
        "{PROLOGUE}static int logged;\n\
         static void count(void *user, int32_t level, const char *text, size_t length) {{\n\
         (void)user; (void)length; if (level == SLACLOCK_LOG_LEVEL_ERROR && strstr(text, \"FORCE_PANIC\") != NULL) logged++; }}\n\
         int main(void) {{\n(void)fresh; (void)untouched;\n\
         OK(slaclock_set_log(count, NULL, &error));\n"
    );
    let mut calls = 0;
    for function in functions() {
        // It only gives the address of the thread's buffer, which it is read through below.
        if function.name == "slaclock_last_error" {
            continue;
        }
        calls += 1;
        let call = zeros(&function);
        if returns_status(&function) {
            let call = call.replace(", 0)", ", &error)").replace("(0)", "(&error)");
            writeln!(source, "GIVES(25, {call});").unwrap();
        } else {
            writeln!(source, "(void){call};\nCHECK(strstr(slaclock_last_error(), \"FORCE_PANIC\") != NULL);")
                .unwrap();
        }
        writeln!(
            source,
            "if (logged != {calls}) {{ printf(\"{}: %d logged\\n\", logged); return 1; }}",
            function.name
        )
        .unwrap();
    }
    source.push_str("return check_end();\n}\n");
    let program = Program::build(&last_zero_only(&source), &["-Wno-unused-value"]);
    // The first call sets the log.
    succeeds(program.command().env("SLACLOCK_FORCE_PANIC", "1"));
}

/// Eight processes write and read, 25 more are killed, handles are inherited, twelve create one file at once.
#[test]
fn many_processes_share_one_file() {
    let program = Program::build("processes.c", &[]);
    let folder = tempfile::tempdir().unwrap();
    println!("{}", program.passes(&[folder.path().to_str().unwrap(), "3"]));
}

#[test]
fn the_example_runs() {
    let program = Program::build(root().join("examples/c/quickstart.c").to_str().unwrap(), &[]);
    let policy = root().join("examples/policies/promise.toml");
    let said = program.passes(&[policy.to_str().unwrap(), "care.slaclock"]);
    for line in ["due 1773043200", "late CASE-1041 resolution", "notice 3 CASE-1041 resolution"] {
        assert!(said.contains(line), "{line}: {said}");
    }
}
