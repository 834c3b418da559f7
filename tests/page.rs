//! The report as a page, in a real browser. What could go wrong: a customer's text that becomes markup, a link without its
//! target, something loaded from elsewhere, an error in the console, a page wider than a phone, a colour that nobody can
//! read, a table or plot that a screen reader cannot name.
#![cfg(all(feature = "html", feature = "cli"))]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use slaclock::attainment::IntoPeriod;
use slaclock::{Db, Event, EventKind, Instant, Month, Policy, Report, ReportQuery, Request, html};

const LOG: &str = "examples/data/uci498-incident-events-opened-to-2016-04-30.csv.gz";

/// What customers write when they mean harm.
const HOSTILE: &str =
    r#"<script>alert(1)</script><img src=http://evil.example/x onerror=alert(1)>"'&{{7*7}}</table>"#;

fn hostile() -> (Db, Policy) {
    let policy = Policy::load("examples/policies/promise.toml").unwrap();
    let db = Db::in_memory(&policy).unwrap();
    let received = Instant::parse("2026-03-02T10:00:00+03:00").unwrap();
    for n in 0..3 {
        let id = format!("{HOSTILE}{n}");
        let request = Request::new(&id, received).customer(HOSTILE).priority(HOSTILE).subject(HOSTILE);
        db.submit(&request.channel(HOSTILE).category(format!("</style>{HOSTILE}"))).unwrap();
        let reason = "waiting_customer".to_owned();
        let paused = Event::new(
            EventKind::Paused { reason },
            received.checked_add(slaclock::Span::from_hours(1)).unwrap(),
        );
        if n == 1 {
            db.record(&id, paused).unwrap();
        }
    }
    (db, policy)
}

fn hostile_page() -> String {
    let (db, policy) = hostile();
    let now = Instant::parse("2026-03-20T10:00:00+03:00").unwrap();
    let report = db.report(&ReportQuery::at(now, Month::of(2026, 3).period().unwrap())).unwrap();
    html::page(&report, &policy).unwrap()
}

/// The page of the ServiceNow log, written by the command.
fn real_page(folder: &Path) -> PathBuf {
    let (db, page) = (folder.join("care.slaclock"), folder.join("report.html"));
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_slaclock")).args(arguments).output().unwrap();
        assert!(output.status.code().unwrap() < 2, "{}", String::from_utf8_lossy(&output.stderr));
    };
    let db = db.to_str().unwrap();
    let (mapping, policy) = ("examples/mappings/servicenow.toml", "examples/policies/servicenow.toml");
    run(&["import", db, LOG, "--mapping", mapping, "--policy", policy, "--bulk"]);
    run(&["report", db, "--now", "2016-03-24 12:00", "--html", page.to_str().unwrap(), "--by", "location"]);
    page
}

/// All values of an attribute.
fn values<'a>(page: &'a str, attribute: &str) -> Vec<&'a str> {
    let pattern = format!(" {attribute}=\"");
    page.split(&pattern).skip(1).map(|rest| rest.split('"').next().unwrap()).collect()
}

#[test]
fn what_a_customer_writes_stays_text() {
    let page = hostile_page();
    assert!(!page.contains("<script") && !page.contains("<img") && !page.contains("</style>\u{0}"));
    assert_eq!(page.matches("</style>").count(), 1);
    assert!(!page.contains("49</table>"), "the text was taken for a template");
    assert!(page.matches("&lt;script&gt;").count() > 10);
    // Ids, customer, subject and priority are all shown.
    assert!(page.matches("{{7*7}}").count() > 10);
    check_shape(&page);
}

/// Links lead somewhere, nothing is loaded, everything has a name.
fn check_shape(page: &str) {
    let ids: Vec<&str> = values(page, "id");
    let known: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids.len(), known.len(), "an id is given twice");
    let links = values(page, "href");
    assert!(links.iter().all(|link| link.starts_with('#') || *link == "data:,"), "{links:?}");
    for anchor in links.iter().filter_map(|link| link.strip_prefix('#')) {
        assert!(known.contains(anchor), "nothing is at #{anchor}");
    }
    let named = values(page, "aria-labelledby");
    assert!(named.iter().flat_map(|names| names.split(' ')).all(|name| known.contains(name)), "{named:?}");
    for loading in ["<script", "<link rel=\"stylesheet", "<iframe", "<img", "@import", "@font-face", "url("] {
        assert!(!page.contains(loading), "{loading}");
    }
    assert_eq!(page.matches("<table").count(), page.matches("<caption").count());
    let plots = page.matches("<svg").count();
    let told = page.matches("role=\"img\"").count() + page.matches("aria-hidden=\"true\"").count();
    assert_eq!(plots, told);
    let cells = page.split("<th ").skip(1).all(|cell| cell.starts_with("scope=\""));
    assert!(cells, "a table head without scope");
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn every_list_states_what_it_leaves_out() {
    let folder = tempfile::tempdir().unwrap();
    let page = std::fs::read_to_string(real_page(folder.path())).unwrap();
    check_shape(&page);
    assert!(page.contains("By location") && page.contains("By customer"));
    for list in page.split("<div class=\"list\"").skip(1) {
        let list = list.split("</div>").next().unwrap();
        let listed = list.matches("<code>").count();
        let total: usize = {
            let text = list.split("<span class=\"note\">").nth(1).unwrap().split('<').next().unwrap();
            text.replace(',', "").parse().unwrap()
        };
        let more = list.split("and ").nth(1).map(|rest| rest.split(" more").next().unwrap().replace(',', ""));
        let more: usize =
            more.filter(|_| list.contains(" more</span>")).map_or(0, |more| more.parse().unwrap());
        assert!((1..=25).contains(&listed) && listed + more == total, "{list}");
    }
}

#[test]
fn a_report_read_from_a_document_gives_the_same_page() {
    let (db, policy) = hostile();
    let now = Instant::parse("2026-03-20T10:00:00+03:00").unwrap();
    let report = db.report(&ReportQuery::at(now, Month::of(2026, 3).period().unwrap())).unwrap();
    let again: Report = serde_json::from_str(&serde_json::to_string(&report).unwrap()).unwrap();
    assert_eq!(html::page(&again, &policy).unwrap(), html::page(&report, &policy).unwrap());
}

/// WCAG's contrast of two colours, times a hundred.
fn contrast(one: &str, other: &str) -> i64 {
    let luminance = |colour: &str| {
        let channel = |at: usize| {
            let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
            if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    };
    let (one, other) = (luminance(one), luminance(other));
    ((one.max(other) + 0.05) / (one.min(other) + 0.05) * 100.0) as i64
}

#[test]
fn texts_can_be_read_in_light_and_dark_and_on_paper() {
    let style = std::fs::read_to_string("src/html/report.css").unwrap();
    let themes: Vec<&str> =
        style.split(":root {").skip(1).map(|theme| theme.split('}').next().unwrap()).collect();
    assert_eq!(themes.len(), 3);
    for theme in themes {
        let colour =
            |name: &str| theme.split(&format!("--{name}: ")).nth(1).unwrap().split(';').next().unwrap();
        for text in ["ink", "soft", "good", "bad", "warn", "link", "accent"] {
            for ground in ["paper", "panel"] {
                let found = contrast(colour(text), colour(ground));
                assert!(found >= 450, "{text} on {ground}: {found} in {theme}");
            }
        }
        // The darkest cells of the heat maps: half tint, half ground.
        for tint in ["accent", "bad"] {
            let mix = |at: usize| {
                let part = |name: &str| u32::from_str_radix(&colour(name)[at..at + 2], 16).unwrap();
                (part(tint) + part("panel")) / 2
            };
            let cell = format!("#{:02x}{:02x}{:02x}", mix(1), mix(3), mix(5));
            let found = contrast(colour("ink"), &cell);
            assert!(found >= 450, "ink on half {tint}: {found} in {theme}");
        }
    }
}

/// Chromium without a window. What it says of the page it opened.
struct Browser {
    folder: tempfile::TempDir,
}

#[derive(Debug)]
struct Visit {
    /// The document after it was loaded.
    dom: String,
    /// Lines of the console.
    console: Vec<String>,
    /// Addresses that pages asked for, their own files left out.
    asked: Vec<String>,
}

impl Browser {
    fn new() -> Browser {
        let need = Command::new("scripts/need").args(["chromium", "chromium"]).status().unwrap();
        assert!(need.success(), "chromium is needed for this test");
        Browser { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, page: &Path, options: &[String]) -> std::process::Output {
        Command::new("timeout")
            .args(["180", "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .args(["--hide-scrollbars", "--allow-file-access-from-files", "--virtual-time-budget=5000"])
            // Whatever is asked for is recorded and goes nowhere.
            .args(["--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr"])
            .arg(format!("--user-data-dir={}", self.path("profile").display()))
            .args(options)
            .arg(format!("file://{}", page.display()))
            .output()
            .unwrap()
    }

    fn visit(&self, page: &Path) -> Visit {
        let record = self.path("net.json");
        let output = self.run(page, &["--dump-dom".into(), format!("--log-net-log={}", record.display())]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let said = String::from_utf8_lossy(&output.stderr);
        let console = said.lines().filter(|line| line.contains(":CONSOLE")).map(str::to_owned).collect();
        let record: serde_json::Value = serde_json::from_slice(&std::fs::read(record).unwrap()).unwrap();
        let start = &record["constants"]["logEventTypes"]["URL_REQUEST_START_JOB"];
        assert!(start.is_number(), "the record of requests has another form");
        let starts = record["events"].as_array().unwrap().iter().filter(|event| event["type"] == *start);
        // What the browser asks for on its own account has no origin.
        let of_pages = starts.filter(|event| event["params"]["initiator"].as_str() != Some("not an origin"));
        let asked = of_pages.filter_map(|event| event["params"]["url"].as_str()).map(str::to_owned).collect();
        Visit { dom: String::from_utf8(output.stdout).unwrap(), console, asked }
    }

    /// How wide the page is in a window of this width: of the window, and of what is in it.
    fn widths(&self, page: &Path, width: u32) -> (u64, u64) {
        let text = std::fs::read_to_string(page).unwrap();
        // The copy may run a script, which tells its frame's parent.
        let policy = text.lines().find(|line| line.contains("Content-Security-Policy")).unwrap();
        let told = "<script>addEventListener('load', () => parent.postMessage([innerWidth, \
                    document.documentElement.scrollWidth], '*'))</script></body>";
        std::fs::write(self.path("copy.html"), text.replace(policy, "").replace("</body>", told)).unwrap();
        let frame = format!(
            "<!DOCTYPE html><body><script>addEventListener('message', event => \
             document.body.dataset.widths = event.data.join())</script>\
             <iframe src=\"copy.html\" style=\"width:{width}px;height:800px;border:0\"></iframe></body>"
        );
        std::fs::write(self.path("frame.html"), frame).unwrap();
        let dom = self.visit(&self.path("frame.html")).dom;
        let widths =
            dom.split("data-widths=\"").nth(1).expect("the frame was measured").split('"').next().unwrap();
        let (window, content) = widths.split_once(',').unwrap();
        (window.parse().unwrap(), content.parse().unwrap())
    }

    /// A picture of the page, kept in the target folder for people to look at.
    fn picture(&self, page: &Path, name: &str, width: u32, dark: bool) -> PathBuf {
        let frame = format!(
            "<!DOCTYPE html><style>*{{margin:0}}iframe{{border:0;width:{width}px;height:6000px;display:block}}</style>\
             <iframe src=\"file://{}\"></iframe>",
            page.display()
        );
        std::fs::write(self.path("frame.html"), frame).unwrap();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
        std::fs::create_dir_all(&folder).unwrap();
        let picture = folder.join(name);
        let scheme = if dark { 0 } else { 1 };
        let options = [
            format!("--window-size={width},6000"),
            format!("--screenshot={}", picture.display()),
            format!("--blink-settings=preferredColorScheme={scheme}"),
        ];
        assert!(self.run(&self.path("frame.html"), &options).status.success());
        picture
    }
}

/// Width and height of a PNG.
fn size(picture: &Path) -> (u32, u32) {
    let bytes = std::fs::read(picture).unwrap();
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    assert_eq!(&bytes[1..4], b"PNG");
    (number(16), number(20))
}

#[test]
fn a_browser_shows_it_without_an_error_and_loads_nothing() {
    let browser = Browser::new();
    // The test notices what it is there to notice.
    let bad = browser.path("bad.html");
    let text = "<!DOCTYPE html><img src=\"http://evil.example/x.png\"><script>console.error('oh'); nosuch()</script>";
    std::fs::write(&bad, text).unwrap();
    let visit = browser.visit(&bad);
    assert_eq!(visit.console.len(), 2, "{visit:?}");
    assert_eq!(visit.asked, ["http://evil.example/x.png"]);

    let hostile = browser.path("hostile.html");
    std::fs::write(&hostile, hostile_page()).unwrap();
    let real = real_page(browser.folder.path());
    for page in [&hostile, &real] {
        let visit = browser.visit(page);
        assert!(visit.console.is_empty() && visit.asked.is_empty(), "{:?} {:?}", visit.console, visit.asked);
        assert!(visit.dom.contains("</footer>"));
        for width in [390, 1_280] {
            let (window, content) = browser.widths(page, width);
            assert_eq!(window, u64::from(width));
            assert!(content <= window, "{content} in a window of {window}: {}", page.display());
        }
    }
    let pictures = [("phone.png", 390, false), ("desk.png", 1_280, false), ("desk-dark.png", 1_280, true)];
    for (name, width, dark) in pictures {
        let picture = browser.picture(&real, name, width, dark);
        assert_eq!(size(&picture), (width, 6_000));
    }
    let bytes =
        |name: &str| std::fs::read(Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages").join(name)).unwrap();
    assert_ne!(bytes("desk.png"), bytes("desk-dark.png"), "the page does not follow the reader's preference");
}
