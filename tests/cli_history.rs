//! History, FAQ and search on the command line: JSON, mistakes, files. The page docs/history.md shows the rest, and is run
//! by `care_docs`.
//!
//! What could go wrong: an option that is misread, a mistake that does something else instead of being refused, JSON that
//! loses what the library said, a page that is half written.
#![cfg(feature = "cli")]

use std::fmt::Write;
use std::process::Command;

use serde_json::Value;

struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Desk {
        let desk = Desk(tempfile::tempdir().unwrap());
        let policy = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/policies/promise.toml");
        desk.ok(&["create", "care.db", "--policy", policy]);
        for (id, received, customer, subject) in [
            ("C-1", "2026-03-02 10:00", "acme", "VPN drops"),
            ("C-2", "2026-03-03 10:00", "acme", "Printer <jams>"),
            ("C-3", "2026-03-04 10:00", "zenith", "No VPN"),
        ] {
            let received = ["--received", received, "--customer", customer, "--subject", subject];
            desk.ok(&[&["submit", "care.db", id][..], &received].concat());
        }
        let said = ["--at", "2026-03-02 11:00", "--by", "ann", "--text", "Reinstall the client."];
        desk.ok(&[&["event", "care.db", "C-1", "replied"][..], &said].concat());
        desk
    }

    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_slaclock"))
            .args(arguments)
            .current_dir(self.0.path())
            .env_remove("CLICOLOR_FORCE")
            .env("COLUMNS", "100")
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    fn ok(&self, arguments: &[&str]) -> String {
        let (code, out, err) = self.run(arguments);
        assert_eq!((code, err.as_str()), (0, ""), "{arguments:?}");
        out
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.ok(&[&["--json"], arguments].concat())).unwrap()
    }
}

const PUBLISH: [&str; 9] =
    ["faq", "publish", "care.db", "vpn", "--request", "C-1", "--by=ann", "--at", "2026-03-05 10:00"];

#[test]
fn json_says_all_that_is_known() {
    let desk = Desk::new();
    let history = desk.json(&["history", "care.db", "acme", "--limit", "1"]);
    assert_eq!(
        (&history["rows"][0]["request"], &history["rows"][0]["state"]),
        (&"C-2".into(), &"open".into())
    );
    assert_eq!(history["rows"][0]["received"], "2026-03-03T10:00:00+03:00");
    let next = history["next"].as_u64().unwrap().to_string();
    let history = desk.json(&["history", "care.db", "acme", "--after", &next]);
    assert_eq!((&history["rows"][0]["request"], &history["next"]), (&"C-1".into(), &Value::Null));
    assert_eq!(history["rows"][0]["answers"][0]["to_customer"], true);

    let published = desk.json(&PUBLISH);
    assert_eq!(
        (&published["outcome"], &published["entry"]["question"]),
        (&"recorded".into(), &"VPN drops".into())
    );
    assert_eq!(desk.json(&PUBLISH)["outcome"], "already_recorded");
    desk.ok(&["faq", "link", "care.db", "C-3", "vpn", "--by", "ann", "--at", "2026-03-05 11:00"]);
    desk.ok(&["event", "care.db", "C-2", "faq_linked", "--faq", "vpn", "--at", "2026-03-05 12:00"]);
    assert_eq!(desk.json(&["faq", "list", "care.db"])["entries"][0]["uses"], 2);
    desk.ok(&["faq", "unlink", "care.db", "C-2", "vpn", "--by", "ann", "--at", "2026-03-05 13:00"]);
    let linked = desk.json(&["history", "care.db", "--faq", "vpn"]);
    assert_eq!((linked["rows"].as_array().unwrap().len(), &linked["rows"][0]["request"]), (1, &"C-3".into()));
    let told = desk.json(&["faq", "show", "care.db", "vpn"]);
    assert_eq!((&told["entry"]["uses"], &told["records"][0]["act"]), (&1.into(), &"published".into()));

    let found = desk.json(&["search", "care.db", "vpn", "client"]);
    assert_eq!((&found["matches"], &found["complete"]), (&3.into(), &true.into()));
    let kinds: Vec<&Value> = found["hits"].as_array().unwrap().iter().map(|hit| &hit["kind"]).collect();
    assert!(kinds.contains(&&"faq".into()) && kinds.contains(&&"request".into()));
    let only = ["--customer", "zenith", "--from", "2026-03-04 00:00", "--kind", "request"];
    let found = desk.json(&[&["search", "care.db", "vpn", "--index", "elsewhere"][..], &only].concat());
    assert_eq!((&found["matches"], &found["hits"][0]["id"]), (&1.into(), &"C-3".into()));
    assert!(desk.0.path().join("elsewhere").is_dir() && desk.0.path().join("care.db.search").is_dir());
}

#[test]
fn exports_are_whole_and_escaped() {
    let desk = Desk::new();
    desk.ok(&[
        "faq",
        "publish",
        "care.db",
        "jam",
        "--request",
        "C-2",
        "--answer",
        "Pull & <push>.",
        "--by",
        "ann",
    ]);
    for (file, format, escaped) in [
        ("faq.html", None, "Printer &lt;jams&gt;"),
        ("faq.md", None, "Pull &amp; &lt;push&gt;."),
        ("faq", Some("markdown"), "## Printer &lt;jams&gt;"),
    ] {
        let format = format.map_or(vec![], |format| vec!["--format", format]);
        let told =
            desk.json(&[&["faq", "export", "care.db", file, "--title", "A & B"][..], &format].concat());
        let page = std::fs::read_to_string(desk.0.path().join(file)).unwrap();
        assert_eq!((&told["entries"], &told["bytes"]), (&1.into(), &page.len().into()));
        assert!(page.contains(escaped) && page.contains("A &amp; B"), "{page}");
    }
    assert_eq!(std::fs::read_dir(desk.0.path()).unwrap().count(), 4, "no half pages are left");
}

#[test]
fn mistakes_are_refused_by_name() {
    let desk = Desk::new();
    desk.ok(&PUBLISH);
    let mut told = String::new();
    for arguments in [
        &["history", "care.db"][..],
        &["history", "care.db", "acme", "--faq", "vpn"],
        &["history", "care.db", "acme", "--limit", "0"],
        &["history", "care.db", "--faq", "none"],
        &["faq", "publish", "care.db", "new", "--by", "ann"],
        &["faq", "publish", "care.db", "new", "--request", "C-9", "--by", "ann"],
        &["faq", "publish", "care.db", "new", "--request", "C-2", "--by", "ann"],
        &[
            "faq",
            "publish",
            "care.db",
            "vpn",
            "--question",
            "q",
            "--answer",
            "a",
            "--by",
            "ann",
            "--at",
            "2026-03-06 10:00",
        ],
        &["faq", "amend", "care.db", "vpn", "--by", "ann"],
        &["faq", "amend", "care.db", "vpn", "--answer", "b", "--by", "ann", "--at", "2026-03-04 10:00"],
        &["faq", "link", "care.db", "C-1", "none", "--by", "ann", "--at", "2026-03-06 10:00"],
        &["faq", "unlink", "care.db", "C-1", "vpn", "--by", "ann", "--at", "2026-03-06 10:00"],
        &["faq", "show", "care.db", "none"],
        &["faq", "export", "care.db", "faq.pdf"],
        &["event", "care.db", "C-1", "note", "--faq", "vpn"],
        &["event", "care.db", "C-1", "faq_linked"],
        &["search", "care.db"],
        &["search", "care.db", "?!"],
        &["search", "care.db", "vpn", "--limit", "1001"],
        &["search", "none.db", "vpn"],
    ] {
        let (code, out, err) = desk.run(arguments);
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}");
        let first = err.lines().next().unwrap();
        writeln!(told, "$ slaclock {}\n{first}\n", arguments.join(" ")).unwrap();
    }
    insta::assert_snapshot!(told);
    assert!(!desk.0.path().join("faq.pdf").exists() && !desk.0.path().join("none.db.search").exists());
}
