//! The policy of the histories, in four versions, with every kind of threshold.

use std::sync::OnceLock;

use slaclock::Policy;

/// Version `version`, from 1 to 4; each promises an hour more.
pub(crate) fn policy(version: usize) -> &'static Policy {
    static POLICIES: OnceLock<Vec<Policy>> = OnceLock::new();
    &POLICIES.get_or_init(|| (1..=4).map(compiled).collect())[version - 1]
}

/// How many versions there are.
pub(crate) const VERSIONS: usize = 4;

fn compiled(version: usize) -> Policy {
    let hours = 7 + version;
    let text = format!(
        r#"
        [policy]
        name = "care"
        version = {version}
        statement = "Handled within {hours} working hours."

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
        rules = [
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
