//! What the policy language says of care, and what the linter makes of it. What could go wrong: a wrong table that loads, a
//! silence or a contradiction that nobody is told of.

use slaclock::policy::Lint;
use slaclock::{ErrorKind, Policy};

const HEAD: &str = r#"
    [policy]
    name = "care"
    version = 1
    [calendar.office]
    zone = "Europe/Moscow"
    hours = { mon-fri = "09:00-18:00" }
"#;

const RESOLUTION: &str = r#"
    [[clock]]
    name = "resolution"
    start = "received"
    stop = "resolved"
    target = { working = "8h" }
"#;

fn lints(text: &str) -> Vec<Lint> {
    Policy::from_toml(&format!("{HEAD}{text}")).unwrap().check("2026-03-02".parse().unwrap())
}

fn lint<'a>(lints: &'a [Lint], code: &str) -> Option<&'a str> {
    lints.iter().find(|lint| lint.code == code).map(|lint| lint.message.as_str())
}

#[test]
fn wrong_tables_are_refused_with_their_place() {
    let cases = [
        ("[expedites]\nper_month = -1", "0 to 10000"),
        ("[expedites]\nper_month = 10001", "0 to 10000"),
        ("[expedites]\napprovers = \"bob\"", "has no `per_month`"),
        ("[expedites]\nper_month = 2\ncalendar = \"offcie\"", "offcie"),
        ("[expedites]\nper_month = 2\napprovers = []", "names nobody"),
        ("[expedites]\nper_week = 2", "unknown key `per_week`"),
        ("[refusals]\napprovers = [\"bob\", \"bob\"]", "`bob` twice"),
        ("[waivers]\nby = []", "names nobody"),
        (
            "[[clock]]\nname = \"v\"\nstart = \"received\"\nstop = \"resolved\"\nvendor = \"acme\"\ntarget = { working = \"8h\" }",
            "`vendor` is for clocks",
        ),
        (
            "[[clock]]\nname = \"v\"\nstart = \"vendor_contacted\"\nstop = \"resolved\"\nvendor = []\ntarget = { working = \"8h\" }",
            "names no vendor",
        ),
        (
            "[[clock]]\nname = \"v\"\nstart = \"received\"\nstop = \"activity\"\nrestart = \"activity\"\ntarget = { working = \"8h\" }",
            "both a `stop` and a `restart`",
        ),
        (
            "[[clock]]\nname = \"v\"\nstart = \"activity\"\nstop = \"resolved\"\ntarget = { working = \"8h\" }",
            "activity",
        ),
    ];
    for (wrong, says) in cases {
        let error = Policy::from_toml(&format!("{HEAD}{RESOLUTION}{wrong}")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidPolicy, "{wrong}");
        assert!(error.to_string().contains(says) && error.position().is_some(), "{wrong}: {error}");
    }
}

#[test]
fn the_linter_names_what_is_not_said_and_what_has_no_effect() {
    let plain = lints(RESOLUTION);
    let silent = lint(&plain, "silent-on-care").unwrap();
    for what in ["expedites", "refusals", "waivers", "call-backs", "unattended", "readers"] {
        assert!(silent.contains(what), "{silent}");
    }
    let expedites = "[expedites]\nper_month = 2\n";
    let found = lints(&format!("{RESOLUTION}{expedites}"));
    assert!(lint(&found, "expedite-without-effect").is_some());
    assert!(!lint(&found, "silent-on-care").unwrap().contains("expedites"));
    let rule = "rules = [{ when = { expedite = \"yes\" }, target = { working = \"1h\" } }]\n";
    assert!(lint(&lints(&format!("{RESOLUTION}{rule}")), "expedite-without-quota").is_some());
    let both = lints(&format!("{RESOLUTION}{rule}{expedites}"));
    assert!(both.iter().all(|lint| !lint.code.starts_with("expedite")), "{both:?}");
    let odd = rule.replace("yes", "true");
    assert!(lint(&lints(&format!("{RESOLUTION}{odd}{expedites}")), "expedite-value").is_some());
}

#[test]
fn a_vendor_that_may_answer_too_late_is_named() {
    let vendor = |working: &str| {
        format!(
            "[[clock]]\nname = \"acme\"\nstart = \"vendor_contacted\"\nstop = \"vendor_replied\"\nvendor = \"ACME\"\ntarget = {{ working = \"{working}\" }}\n"
        )
    };
    let code = "vendor-beyond-promise";
    // Equal promises fit: a vendor contacted at once answers in time.
    assert_eq!(lint(&lints(&format!("{RESOLUTION}{}", vendor("8h"))), code), None);
    let found = lints(&format!("{RESOLUTION}{}", vendor("8h1s")));
    let message = lint(&found, code).unwrap();
    assert!(
        message.contains("vendor `ACME` may answer after") && message.contains("never fits"),
        "{message}"
    );
    // Where waiting for it stops the customer's clock, there is nothing to warn of.
    let pausing = format!("{RESOLUTION}pause = \"waiting_vendor\"\n{}", vendor("80h"));
    assert_eq!(lint(&lints(&pausing), code), None);
    // By the vendor's own hours it fits for some receipts only.
    let tokyo = "[calendar.tokyo]\nzone = \"Asia/Tokyo\"\nhours = { mon-fri = \"09:00-17:00\" }\n";
    let resolution = RESOLUTION.replace("start =", "calendar = \"office\"\nstart =");
    let own = vendor("4h").replace("start =", "calendar = \"tokyo\"\nstart =");
    let found = lints(&format!("{tokyo}{resolution}{own}"));
    let message = lint(&found, code).unwrap();
    assert!(message.contains("does not fit for") && message.contains("received and contacted"), "{message}");
}
