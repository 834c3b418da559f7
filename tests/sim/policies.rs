//! The policy of the histories, in four versions, with every kind of threshold.

use std::path::Path;
use std::sync::OnceLock;

use slaclock::Policy;
use slaclock::zone::TzData;

/// Version `version`, from 1 to 4; each promises an hour more.
pub(crate) fn policy(version: usize) -> &'static Policy {
    static POLICIES: OnceLock<Vec<Policy>> = OnceLock::new();
    &POLICIES.get_or_init(|| (1..=4).map(compiled).collect())[version - 1]
}

/// How many versions there are.
pub(crate) const VERSIONS: usize = 4;

/// Zone data: the bundled ones for 0; for 1 others, in which New York's clocks never change, as Panama's.
pub(crate) fn zones(which: usize) -> &'static TzData {
    static ZONES: OnceLock<[TzData; 2]> = OnceLock::new();
    &ZONES.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("zones-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("America")).expect("a folder for zone data");
        let panama = TzData::bundled().zone("America/Panama").expect("a zone");
        std::fs::write(folder.join("America/New_York"), panama.data()).expect("room for zone data");
        let others = TzData::folder(&folder).expect("zone data");
        // Read now: whoever ends this process need not know of the folder.
        others.zone("America/New_York").expect("a zone");
        [TzData::bundled(), others]
    })[which]
}

fn compiled(version: usize) -> Policy {
    let hours = 7 + version;
    let text = format!(
        r#"
        [policy]
        name = "care"
        version = {version}
        statement = "Handled within {hours} working hours."
        review_at = 2026-03-05
        readers = ["ann", "bob"]
        read_by = 2026-03-04

        [interruptions]
        power = "stop"
        internet_telecom = "extend"
        personnel = "record"

        [expedites]
        per_month = 2
        approvers = ["bob"]

        [refusals]
        approvers = ["ann", "bob"]

        [waivers]
        by = ["bob"]

        [calendar.office]
        zone = "America/New_York"
        hours = {{ mon-fri = ["09:00-12:30", "13:30-17:30"], sat = "10:00-13:00" }}

        [[clock]]
        name = "first_response"
        start = "received"
        stop = ["replied", "resolved"]
        target = {{ working = "1h" }}
        warn_at = ["50 %"]
        reopen = "none"

        [[clock]]
        name = "resolution"
        start = "received"
        stop = "resolved"
        pause = ["waiting_customer"]
        warn_at = ["50 %", "75 %"]
        backstop = {{ working_days = 3 }}
        attainment = {{ share = "80 %", per = "month" }}
        rules = [
            {{ when = {{ expedite = "yes" }}, target = {{ working = "1h" }} }},
            {{ when = {{ priority = "high" }}, target = {{ working = "2h" }} }},
            {{ when = {{ priority = "low" }}, target = "none" }},
        ]
        target = {{ working = "{hours}h" }}

        [[clock]]
        name = "update"
        start = "resolution.late"
        restart = "updated"
        stop = "resolved"
        target = {{ working_days = 1, at = "same time" }}

        [[clock]]
        name = "next_response"
        start = "customer_replied"
        stop = "replied"
        target = {{ elapsed = "4h" }}
        reopen = "none"

        [[clock]]
        name = "promise"
        start = "promised"
        stop = "resolved"
        target = "promised"
        "#
    );
    Policy::from_toml(&text).expect("the policy of the histories is right")
}
