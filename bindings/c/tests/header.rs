//! The headers are what the source says. What could go wrong: a function is exported but not declared, a comment is changed
//! and the manual is not, a version is forgotten.
//!
//! `SLACLOCK_BLESS=1` writes them anew.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// What stands in the file must be `wanted`; with SLACLOCK_BLESS it is made so.
fn same(name: &str, wanted: &str) {
    let path = root().join("include").join(name);
    if std::env::var_os("SLACLOCK_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, wanted).unwrap();
        return;
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = found.lines().zip(wanted.lines()).enumerate().find(|(_, (found, wanted))| found != wanted);
    let at = differs.map_or(found.lines().count().min(wanted.lines().count()), |(line, _)| line) + 1;
    assert!(
        found == wanted,
        "{}:{at} is not what the source says; SLACLOCK_BLESS=1 cargo test -p slaclock-capi --test header writes it anew",
        path.display()
    );
}

#[test]
fn the_headers_are_what_the_source_says() {
    let header = header();
    same("slaclock.h", &header);
    same("slaclock_ffi.h", &declarations(&header));
}

fn header() -> String {
    let crate_dir = env!("CARGO_MANIFEST_DIR");
    let mut config = cbindgen::Config::from_file(Path::new(crate_dir).join("cbindgen.toml")).unwrap();
    config.header = Some(include_str!("../manual.txt").to_owned());
    config.after_includes = Some(format!("{}{}", versions(), include_str!("../prelude.txt")));
    config.trailer = Some(include_str!("../trailer.txt").to_owned());
    let bindings = cbindgen::Builder::new().with_crate(crate_dir).with_config(config).generate().unwrap();
    let mut bytes = Vec::new();
    bindings.write(&mut bytes);
    let text = String::from_utf8(bytes).unwrap();
    grouped(&tidied(&text))
}

/// What cbindgen has no option for: types by their short names, no comma after the last of an enum (C89), negative constants
/// in parentheses.
fn tidied(text: &str) -> String {
    let mut tidy = String::new();
    let mut inside = 0;
    for line in text.lines() {
        let mut line = line.to_owned();
        // Arguments stand below one another, also where the type before them became shorter.
        if inside > 0 && line.starts_with("    ") {
            line = format!("{}{}", " ".repeat(inside), line.trim_start());
        }
        if !line.starts_with("typedef enum") && !line.starts_with("typedef struct") {
            line = line.replace("enum slaclock_", "slaclock_").replace("struct slaclock_", "slaclock_");
        }
        line = line.replace("struct ArrowArrayStream *", "ArrowArrayStream *");
        line = line.replace("ArrowArrayStream *", "struct ArrowArrayStream *");
        if let Some((name, value)) = line.rsplit_once(' ').filter(|(name, _)| name.starts_with("#define"))
            && value.starts_with('-')
        {
            line = format!("{name} ({value})");
        }
        let opens = line.find('(').filter(|_| line.contains("slaclock_") && line.ends_with(','));
        inside = match opens {
            Some(at) if !line.starts_with(' ') && !line.starts_with('/') => at + 1,
            _ if line.ends_with(';') => 0,
            _ => inside,
        };
        tidy.push_str(line.trim_end());
        tidy.push('\n');
    }
    tidy.replace(",\n}", "\n}")
}

fn versions() -> String {
    let parts: Vec<&str> = VERSION.split('.').collect();
    format!(
        "\n/** The version of this header; compare with slaclock_version(). */\n\
         #define SLACLOCK_VERSION \"{VERSION}\"\n\
         #define SLACLOCK_VERSION_MAJOR {}\n\
         #define SLACLOCK_VERSION_MINOR {}\n\
         #define SLACLOCK_VERSION_PATCH {}\n",
        parts[0], parts[1], parts[2]
    )
}

/// Puts the introduction of each source file before its first function.
fn grouped(header: &str) -> String {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let lib = std::fs::read_to_string(src.join("lib.rs")).unwrap();
    let mut text = header.to_owned();
    for module in lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')) {
        let source = std::fs::read_to_string(src.join(format!("{module}.rs"))).unwrap();
        let Some(first) = source.split("extern \"C\" fn ").nth(1) else { continue };
        let function = first.split('(').next().unwrap();
        let mut banner = String::from("/*\n * ");
        banner.push_str(&"=".repeat(97));
        for line in source.lines().take_while(|line| line.starts_with("//!")) {
            let line = line.trim_start_matches("//!").trim_end();
            write!(banner, "\n *{}{line}", if line.is_empty() { "" } else { " " }).unwrap();
        }
        write!(banner, "\n * {}\n */\n\n", "=".repeat(97)).unwrap();
        let banner = banner.replace("\n *  ", "\n * ");
        let is_declared = |at: &usize| {
            let before: Vec<&str> = text[..*at].lines().rev().take(2).collect();
            before.iter().any(|line| line.starts_with("SLACLOCK_API"))
        };
        let at = text.match_indices(&format!("{function}(")).map(|(at, _)| at).find(is_declared);
        let at = at.unwrap_or_else(|| panic!("{function} is not declared"));
        let comment = text[..at].rfind("/**").unwrap_or_else(|| panic!("{function} has no comment"));
        text.insert_str(comment, &banner);
    }
    text
}

/// Declarations alone, for foreign function interfaces that read C but have no preprocessor.
fn declarations(header: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("slaclock.h");
    std::fs::write(&path, header).unwrap();
    let output = Command::new("cc").args(["-E", "-P", "-DSLACLOCK_FFI"]).arg(&path).output();
    let output = output.expect("a C compiler, `cc`");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let wide: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    format!("#define FFI_SCOPE \"slaclock\"\n#define FFI_LIB \"libslaclock.so.0\"\n{}\n", wide.join("\n"))
}

/// Every exported function is declared in the header with a comment, and says what threads may do.
#[test]
fn every_function_is_documented() {
    let header = std::fs::read_to_string(root().join("include/slaclock.h")).unwrap();
    let mut functions = 0;
    for (at, _) in header.match_indices("\nSLACLOCK_API") {
        let declaration: String = header[at..].chars().take_while(|letter| *letter != ';').collect();
        let begin = header[..at].rfind("/**").unwrap();
        let comment = &header[begin..at];
        assert!(comment.trim_end().ends_with("*/"), "{declaration}: has no comment right before it");
        let comment = comment.replace("\n * ", " ");
        let says = comment.contains("ny thread") || comment.contains("rguments and errors: as for");
        assert!(says, "{declaration}: does not say which threads may call it");
        functions += 1;
    }
    assert!(functions > 90, "only {functions} functions");
}

#[test]
fn every_status_has_its_constant() {
    let header = std::fs::read_to_string(root().join("include/slaclock.h")).unwrap();
    for kind in slaclock_core::ErrorKind::ALL {
        let mut name = String::from("SLACLOCK_STATUS");
        for letter in kind.name().chars() {
            if letter.is_uppercase() {
                name.push('_');
            }
            name.push(letter.to_ascii_uppercase());
        }
        let constant = format!("{name} = {}", kind.code());
        let declared = [",", "\n"].iter().any(|end| header.contains(&format!("{constant}{end}")));
        assert!(declared, "the header lacks {constant}");
    }
}
