//! What comes with the library: what could go wrong is a dependency under a licence that its users cannot take, from a place
//! that is no registry, or one more than they should have to trust.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Direct dependencies of the library without features, and with all of them.
const MOST: (usize, usize) = (15, 31);
/// Packages that a program without features links, the library's own not counted.
const MOST_LINKED: usize = 44;
/// What is linked for a feature alone: nobody who does without the feature trusts it.
const OF_FEATURES: [(&str, &str); 3] = [("tantivy", "search"), ("plotters", "html"), ("clap", "cli")];
/// Of a choice (`A OR B`) one of these is enough; of a union (`A AND B`) all must be.
const LICENCES: [&str; 12] = [
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// What cargo says of this workspace, as it is locked.
fn cargo(arguments: &[&str]) -> String {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let mut command = Command::new(cargo);
    command.args(arguments).args(["--locked", "--offline", "--manifest-path"]).arg(manifest);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn metadata(arguments: &[&str]) -> Value {
    let told = cargo(&[&["metadata", "--format-version", "1"], arguments].concat());
    serde_json::from_str(&told).unwrap()
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

fn is_free(licence: &str) -> bool {
    let licence = licence.replace('/', " OR ").replace(['(', ')'], "");
    // An `AND` binds closer than an `OR`.
    licence.split(" OR ").any(|choice| {
        let choice = choice.trim();
        LICENCES.contains(&choice) || choice.split(" AND ").all(|part| LICENCES.contains(&part.trim()))
    })
}

/// The ids of what the library links, without what only builds or tests need.
fn linked(metadata: &Value) -> BTreeSet<&str> {
    let nodes = list(&metadata["resolve"], "nodes");
    let is_ours = |node: &&Value| {
        let id = text(node, "id");
        list(metadata, "packages")
            .iter()
            .any(|package| text(package, "id") == id && text(package, "name") == "slaclock")
    };
    let root = text(nodes.iter().find(is_ours).expect("the library itself"), "id");
    let (mut found, mut open) = (BTreeSet::from([root]), vec![root]);
    while let Some(id) = open.pop() {
        let node = nodes.iter().find(|node| text(node, "id") == id).expect("every package is resolved");
        for dependency in list(node, "deps") {
            let is_linked = list(dependency, "dep_kinds").iter().any(|kind| kind["kind"].is_null());
            let id = text(dependency, "pkg");
            if is_linked && found.insert(id) {
                open.push(id);
            }
        }
    }
    found.remove(root);
    found
}

#[test]
fn every_package_is_free_and_from_the_registry() {
    let all = metadata(&["--all-features"]);
    let packages = list(&all, "packages");
    let linked = linked(&all);
    assert!(packages.len() > 50 && linked.len() > 50);
    for package in packages {
        let (name, source, licence) =
            (text(package, "name"), text(package, "source"), text(package, "license"));
        if package["source"].is_null() {
            continue;
        }
        assert!(source.starts_with("registry+"), "{name} comes from {source}");
        // What only builds, tests and measures is no part of what is handed on; MPL-2.0 does for that.
        let is_linked = linked.contains(text(package, "id"));
        assert!(
            is_free(licence) || !is_linked && is_free(&licence.replace("MPL-2.0", "MIT")),
            "{name}: `{licence}`"
        );
    }
    assert!(is_free("MIT OR GPL-3.0") && is_free("(MIT OR Apache-2.0) AND Unicode-3.0"));
    assert!(!is_free("GPL-3.0") && !is_free("MIT AND GPL-3.0") && !is_free(""));
}

/// The library and the packages that it links with these features, as name and version.
fn tree(features: &[&str]) -> BTreeSet<String> {
    let told = cargo(&[&["tree", "-p", "slaclock", "-e", "normal", "--prefix", "none"], features].concat());
    told.lines().map(|line| line.trim_end_matches(" (*)").to_owned()).collect()
}

#[test]
fn few_packages_must_be_trusted() {
    let own = metadata(&["--no-deps"]);
    let library = list(&own, "packages").iter().find(|package| text(package, "name") == "slaclock").unwrap();
    let direct: Vec<&Value> =
        list(library, "dependencies").iter().filter(|dependency| dependency["kind"].is_null()).collect();
    let without = direct.iter().filter(|dependency| dependency["optional"] == false).count();
    assert!(
        without <= MOST.0 && direct.len() <= MOST.1,
        "{without} direct dependencies, {} with all features",
        direct.len()
    );
    // The engine and the codec of the file are one very release.
    for name in ["redb", "bincode"] {
        let pinned = direct.iter().find(|dependency| text(dependency, "name") == name).unwrap();
        assert!(text(pinned, "req").starts_with('='), "{name} {}", text(pinned, "req"));
    }
    let linked = tree(&["--no-default-features"]);
    assert!(
        linked.len() > 20 && linked.len() <= MOST_LINKED,
        "{} packages are linked: {linked:#?}",
        linked.len()
    );
    for (name, feature) in OF_FEATURES {
        let has =
            |linked: &BTreeSet<String>| linked.iter().any(|package| package.split(' ').next() == Some(name));
        assert!(
            !has(&linked) && !has(&tree(&["--features", "import,arrow"])),
            "{name} is linked without `{feature}`"
        );
        assert!(has(&tree(&["--features", feature])), "{name} is not linked with `{feature}`");
    }
}
