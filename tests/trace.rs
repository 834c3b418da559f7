mod support;
use serde_json::json;
use slaclock::target::*;
#[test]
fn show() {
    let p = json!({"calendar":{"office":{"zone":"Europe/Moscow","hours":{"mon-fri":"09:00-18:00"},"holidays":[{"on":"2026-03-09","name":"Women's Day"}],
     "closures":[{"on":"2026-03-12","from":"13:00","to":"24:00","name":"Half day"}]}},
    "clock":[{"name":"resolution","target":[{"received_before":"14:00","due":"same day, close"},{"due":"next day, 11:00"}],"backstop":{"working_days":3}},
      {"name":"nod","target":{"cutoff":[{"received_before":"14:00","due":"same day, close"},{"due":"next day, 11:00"}],"closed_day":"next_open_day"}},
      {"name":"same","target":[{"received_before":"10:00","due":"same day, 12:00"},{"due":"same day, close"}]},
      {"name":"work","target":{"working":"20h"},"backstop":{"elapsed":"200h"}},
      {"name":"long","target":{"working":"200h"},"backstop":{"working_days":30,"at":"same time"}},
      {"name":"cal","target":{"calendar_days":3,"at":"12:00"},"roll_forward":true},
      {"name":"both","target":{"earliest":[{"working":"9h"},{"elapsed":"24h"},"promised"]}},
      {"name":"el","target":{"elapsed":"72h"}},
      {"name":"never","target":{"working":"2000000h"}},
      {"name":"boston","receipt":[{"on":"closed day","counts_as":"next working day, same time"},{"from":"17:00","counts_as":"next working day, 08:30"}],"target":{"working_days":2,"at":"same time"}}
    ]});
    for (clock, received) in [
        ("resolution", "2026-03-06 15:00"),
        ("resolution", "2026-03-06 10:00"),
        ("resolution", "2026-03-07 10:00"),
        ("resolution", "2026-03-12 13:30"),
        ("resolution", "2026-03-09 10:00"),
        ("nod", "2026-03-07 10:00"),
        ("same", "2026-03-06 18:00"),
        ("same", "2026-03-07 18:00"),
        ("work", "2026-03-06 15:00"),
        ("long", "2026-03-06 15:00:05"),
        ("cal", "2026-03-04 10:00"),
        ("both", "2026-03-06 15:00"),
        ("el", "2026-03-06 15:00"),
        ("never", "2026-03-06 15:00"),
        ("boston", "2026-03-07 18:00"),
    ] {
        let rule = support::rule_of(&p, clock);
        let t = support::instant(&rule.calendar, received);
        println!("--- {clock}\n{}", rule.trace(t, &[], None).of_policy("customer-care", 1));
    }
    let rule = support::rule_of(&p, "work");
    let at = |x: &str| support::instant(&rule.calendar, x);
    let pauses = vec![
        (at("2026-03-06 16:00"), Some(at("2026-03-06 17:30")), "waiting_customer".to_owned()),
        (at("2026-03-10 10:00"), Some(at("2026-03-10 11:00")), "waiting_vendor".to_owned()),
        (at("2026-03-30 10:00"), None, "waiting_vendor".to_owned()),
    ];
    println!("--- paused\n{}", rule.trace(at("2026-03-06 15:00"), &pauses, None));
    println!(
        "--- stopped\n{}",
        rule.trace(
            at("2026-03-06 15:00"),
            &[(at("2026-03-10 10:00"), None, "waiting_vendor".to_owned())],
            None
        )
    );
    let rule = support::rule_of(&p, "resolution");
    println!("{}", serde_json::to_string_pretty(&rule.trace(at("2026-03-06 15:00"), &pauses, None)).unwrap());
}
