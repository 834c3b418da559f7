//! The report as data. What could go wrong: a figure that does not add up to the tally beside it, a request counted to the
//! wrong day or hour of the local calendar, ids without bound or of the wrong requests, a difference between groups called
//! real that is chance, a query beyond its limits that is quietly cut.

use chrono::NaiveDate;
use slaclock::attainment::{IntoPeriod, Standing};
use slaclock::report::{BurnDay, Ids, Side};
use slaclock::{
    AttainmentQuery, Db, ErrorKind, Event, EventKind, Instant, Month, OnError, Operation, Policy, Report,
    ReportQuery, Request,
};

const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;
/// Monday 2026-03-02 09:00 in Moscow, 06:00 in UTC.
const MONDAY: i64 = 1_772_431_200;

fn policy(goal: &str) -> Policy {
    Policy::from_toml(&format!(
        r#"
        [policy]
        name = "care"
        version = 1
        statement = "Handled within eight working hours."
        [calendar.office]
        zone = "Europe/Moscow"
        hours = {{ mon-fri = "09:00-18:00" }}
        [[clock]]
        name = "resolution"
        start = "received"
        stop = "resolved"
        pause = ["waiting_customer"]
        target = {{ working = "8h" }}
        backstop = {{ working_days = 3 }}
        {goal}
        "#
    ))
    .unwrap()
}

fn promised() -> Policy {
    policy(r#"attainment = { share = "50 %", per = "month" }"#)
}

fn at(seconds: i64) -> Instant {
    Instant::from_secs(seconds).unwrap()
}

fn date(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 3, day).unwrap()
}

fn march(now: i64) -> ReportQuery {
    ReportQuery::at(at(now), Month::of(2026, 3).period().unwrap())
}

/// One request a weekday of the first two weeks, received at 09:00 on the dot; each third is handled a day late, the
/// others after an hour; the last is never handled. The second waits two hours for its customer.
fn ten() -> Db {
    let db = Db::in_memory(&promised()).unwrap();
    let mut operations = Vec::new();
    for n in 0..10_i64 {
        let received = MONDAY + (n / 5 * 7 + n % 5) * DAY;
        let id = format!("R{n}");
        let request = Request::new(&id, at(received)).customer(if n % 3 == 2 { "globex" } else { "acme" });
        operations.push(Operation::Submit(request.subject("It leaks")));
        let mut record =
            |kind, at| operations.push(Operation::Record { id: id.clone(), event: Event::new(kind, at) });
        if n == 1 {
            record(EventKind::Paused { reason: "waiting_customer".into() }, at(received + 600));
            record(EventKind::Resumed, at(received + 600 + 2 * HOUR));
        }
        if n < 9 {
            record(EventKind::Resolved, at(received + if n % 3 == 2 { DAY + 9 * HOUR } else { 3 * HOUR }));
        }
    }
    db.apply(&operations, OnError::Abort).unwrap();
    db
}

fn total(ids: &Ids) -> u64 {
    assert!(ids.first.len() as u64 <= ids.total);
    ids.total
}

#[test]
fn every_figure_follows_from_the_requests() {
    let db = ten();
    // Saturday 2026-03-14 12:00: the last request, of Friday 09:00, has been late since 17:00.
    let report = db.report(&march(MONDAY + 12 * DAY + 3 * HOUR)).unwrap();
    assert_eq!((report.policy.as_str(), report.zone.as_str()), ("care v1", "Europe/Moscow"));
    let clock = &report.clocks[0];
    let tally = clock.attainment.tally;
    assert_eq!((tally.met, tally.missed, tally.undecided), (6, 4, 0));
    assert_eq!(clock.ids.missed.first, ["R2", "R5", "R8", "R9"]);
    assert_eq!(clock.ids.met.first, ["R0", "R1", "R3", "R4", "R6", "R7"]);
    assert_eq!((total(&clock.ids.within_limit), total(&clock.ids.limit_open)), (3, 1));

    // Received on a Monday to Friday at nine, in Moscow and not in UTC.
    let arrivals: Vec<_> =
        clock.arrivals.cells.iter().map(|cell| (cell.weekday, cell.hour, cell.ids.total)).collect();
    assert_eq!(arrivals, (0..5).map(|weekday| (weekday, 9, 2)).collect::<Vec<_>>());
    assert_eq!(clock.misses.get(4, 9).unwrap().first, ["R9"]);
    assert_eq!(clock.misses.get(1, 9), None);

    // Three missed on the day after their receipt, each at 17:00 of the day of receipt.
    let budget = &clock.burndown[0];
    let day = |day: u32| budget.days.iter().find(|own| own.date == date(day)).unwrap();
    assert_eq!((budget.days[0].date, budget.days.last().unwrap().date), (date(1), date(14)));
    assert_eq!((day(1).received, day(2).received, day(6).received, day(13).received), (0, 1, 5, 10));
    let missed = [3, 4, 8, 9, 12, 13].map(|on| day(on).missed);
    assert_eq!(missed, [0, 1, 1, 2, 3, 4]);
    assert_eq!(day(2).received_on.first, ["R0"]);
    assert_eq!([4, 9, 12].map(|on| day(on).missed_on.first.join(" ")), ["R2", "R5", "R8"]);
    // Five of ten may be missed.
    assert_eq!((day(3).left, day(13).left), (5, 1));
    assert_eq!(budget.days.last().unwrap().left, tally.budget_left(&clock.attainment.goal.unwrap()));

    let bins = |side: Side| clock.handling.bins.iter().filter(move |bin| bin.side == side);
    assert_eq!(bins(Side::Early).map(|bin| total(&bin.ids)).sum::<u64>(), tally.met);
    assert_eq!(bins(Side::Late).map(|bin| total(&bin.ids)).sum::<u64>(), 3);
    assert_eq!(clock.handling.open_late.first, ["R9"]);
    // Due at 17:00, handled at 18:00 of the next day: 25 hours late.
    let late = bins(Side::Late).find(|bin| bin.ids.total == 3).unwrap();
    assert_eq!((late.from.as_secs(), late.to.unwrap().as_secs()), (DAY, 2 * DAY));
    assert_eq!(clock.handling.elapsed.median.as_secs(), 3 * HOUR);
    assert_eq!(clock.handling.elapsed.longest.as_secs(), DAY + 9 * HOUR);
    assert_eq!(clock.handling.working.longest.as_secs(), 18 * HOUR);

    // All three are 25 hours late, the open one 19: in the order of submission.
    let latest: Vec<_> =
        clock.latest.iter().map(|late| (late.request.as_str(), late.late_by.as_secs())).collect();
    assert_eq!(latest, [("R2", 25 * HOUR), ("R5", 25 * HOUR), ("R8", 25 * HOUR), ("R9", 19 * HOUR)]);
    assert_eq!(clock.latest[3].handled_at, None);
    assert_eq!(clock.latest[0].subject.as_deref(), Some("It leaks"));

    let waiting = &report.waiting[0];
    assert_eq!((waiting.waiting.reason.as_str(), waiting.waiting.requests), ("waiting_customer", 1));
    assert_eq!(
        (waiting.waiting.elapsed.as_secs(), waiting.ids.first.as_slice()),
        (2 * HOUR, &["R1".to_owned()][..])
    );

    // By customer only: nobody gave a priority, a channel or a category.
    let facts: Vec<_> = clock.fairness.iter().map(|fairness| fairness.by.join(",")).collect();
    assert_eq!(facts, ["customer"]);
}

#[test]
fn lists_are_bounded_and_say_what_is_left_out() {
    let db = ten();
    let mut query = march(MONDAY + 12 * DAY);
    (query.most_ids, query.most_rows, query.most_groups) = (2, 1, 1);
    let clock = &db.report(&query).unwrap().clocks[0];
    assert_eq!((clock.ids.met.total, clock.ids.met.first.len(), clock.ids.met.unlisted()), (6, 2, 4));
    assert_eq!(clock.latest.len(), 1);
    assert_eq!((clock.fairness[0].groups.len(), clock.fairness[0].groups_total), (1, 2));
    query.most_ids = 0;
    query.most_rows = 0;
    let clock = &db.report(&query).unwrap().clocks[0];
    assert_eq!((clock.ids.met.total, clock.ids.met.first.len()), (6, 0));
    assert!(clock.latest.is_empty() && clock.nearest.is_empty());
}

#[test]
fn the_nearest_are_those_still_to_be_kept() {
    let db = ten();
    // Friday 2026-03-13 12:00: only the last is open and due at 17:00.
    let report = db.report(&march(MONDAY + 11 * DAY + 3 * HOUR)).unwrap();
    let nearest: Vec<_> = report.clocks[0].nearest.iter().map(|row| row.request.as_str()).collect();
    assert_eq!(nearest, ["R9"]);
    assert_eq!(report.clocks[0].attainment.tally.undecided, 1);
}

#[test]
fn a_period_without_requests_has_empty_figures() {
    let db = ten();
    let mut query = march(MONDAY + 90 * DAY);
    query.period = "2026-05".period().unwrap();
    let report = db.report(&query).unwrap();
    let clock = &report.clocks[0];
    assert_eq!(clock.attainment.tally.counted(), 0);
    assert!(clock.arrivals.cells.is_empty() && clock.burndown.is_empty() && clock.fairness.is_empty());
    assert!(report.waiting.is_empty());
}

#[test]
fn several_months_have_a_budget_each() {
    let db = ten();
    db.submit(&Request::new("A1", at(MONDAY + 35 * DAY))).unwrap();
    let mut query = march(MONDAY + 60 * DAY);
    query.period = "2026-Q2".period().unwrap();
    assert_eq!(db.report(&query).unwrap().clocks[0].burndown.len(), 1);
    query.period = "2026".period().unwrap();
    let clock = &db.report(&query).unwrap().clocks[0];
    let periods: Vec<_> = clock.burndown.iter().map(|own| own.attainment.period.to_string()).collect();
    assert_eq!(periods, ["March 2026", "April 2026"]);
    assert_eq!(clock.burndown[1].missed.first, ["A1"]);
    assert_eq!(clock.burndown.iter().map(|own| own.attainment.tally.missed).sum::<u64>(), 5);
}

#[test]
fn queries_beyond_their_limits_are_refused_by_name() {
    let db = ten();
    let asked = |change: &dyn Fn(&mut ReportQuery)| {
        let mut query = march(MONDAY);
        change(&mut query);
        let error = db.report(&query).unwrap_err();
        (error.kind(), error.message().to_owned())
    };
    type Change = dyn Fn(&mut ReportQuery);
    let cases: [(&Change, ErrorKind, &str); 6] = [
        (&|query| query.most_ids = 1_001, ErrorKind::OutOfRange, "most_ids 1001: must be 0 to 1000"),
        (&|query| query.most_groups = 0, ErrorKind::OutOfRange, "most_groups 0: must be 1 to 10000"),
        (&|query| query.most_rows = 1_001, ErrorKind::OutOfRange, "most_rows 1001: must be 0 to 1000"),
        (&|query| query.by = vec!["a".into(); 2], ErrorKind::InvalidArgument, "report by `a`: named twice"),
        (
            &|query| query.by = (0..17).map(|n| n.to_string()).collect(),
            ErrorKind::OutOfRange,
            "report by 17 facts: at most 16 are allowed",
        ),
        (&|query| query.clock = Some("resolutoin".into()), ErrorKind::NotFound, "resolutoin"),
    ];
    for (change, kind, text) in cases {
        let (found, message) = asked(change);
        assert_eq!(found, kind, "{text}");
        assert!(message.contains(text), "{message}");
    }
    let none = Db::in_memory(&policy("")).unwrap();
    assert_eq!(none.report(&march(MONDAY)).unwrap_err().kind(), ErrorKind::NotFound);
    let mut named = march(MONDAY);
    named.clock = Some("resolution".into());
    assert!(none.report(&named).unwrap().clocks[0].burndown.is_empty());
}

#[test]
fn queries_and_reports_travel_as_documents() {
    let text = r#"{ "now_at": 1773000000, "period": "2026-03" }"#;
    let query: ReportQuery = serde_json::from_str(text).unwrap();
    assert_eq!(query, march(1_773_000_000));
    for wrong in [
        r#"{ "now_at": 1773000000 }"#,
        r#"{ "now_at": 1773000000, "period": "2026-13" }"#,
        r#"{ "now_at": -1, "period": "2026-03" }"#,
        r#"{ "now_at": 1, "period": "2026-03", "most_id": 3 }"#,
        r#"{ "now_at": 1, "period": { "first": "2026-03-02", "last": "2026-03-01" } }"#,
    ] {
        assert!(serde_json::from_str::<ReportQuery>(wrong).is_err(), "{wrong}");
    }
    let report = ten().report(&march(MONDAY + 12 * DAY)).unwrap();
    let written = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&written).unwrap(), report);
    assert!(written.contains(r#""date":"2026-03-01""#));
}

/// `groups` of requests: name, how many were handled in time (after an hour), how many late (after two days).
fn groups(groups: &[(&str, i64, i64)]) -> Db {
    let db = Db::in_memory(&promised()).unwrap();
    let mut operations = Vec::new();
    for (name, met, missed) in groups {
        for n in 0..met + missed {
            let id = format!("{name}-{n}");
            operations.push(Operation::Submit(Request::new(&id, at(MONDAY)).priority(*name)));
            let after = if n < *met { HOUR } else { 2 * DAY };
            let event = Event::new(EventKind::Resolved, at(MONDAY + after));
            operations.push(Operation::Record { id, event });
        }
    }
    db.apply(&operations, OnError::Abort).unwrap();
    db
}

#[test]
fn a_group_is_compared_with_all_others() {
    let query = AttainmentQuery::at(at(MONDAY + 30 * DAY)).by("priority");
    // The numbers of the comparison's own test at its edge, as two groups: two comparisons share the confidence.
    for (better, worse, standing) in [(41, 31, Standing::Noise), (43, 30, Standing::Better)] {
        let db = groups(&[("high", better, 50 - better), ("low", worse, 50 - worse)]);
        let fairness = &db.fairness(&query).unwrap()[0];
        assert_eq!(
            (fairness.clock.as_str(), fairness.by.join(","), fairness.groups_total),
            ("resolution", "priority".to_owned(), 2)
        );
        let high = &fairness.groups[0];
        assert_eq!(high.values, [Some("high".to_owned())]);
        let compared = high.attainment.unwrap();
        assert_eq!((compared.rest.part, compared.rest.whole), (worse as u64, 50));
        assert_eq!(compared.standing, standing, "{better} {worse}");
        assert_eq!(high.share_interval_bp, high.tally.share_interval_bp());
        assert_eq!(high.missed.total, high.tally.missed);
        // Whoever is handled in time is handled sooner here.
        assert_eq!(high.within_median, better as u64);
        assert_eq!(high.speed.unwrap().standing, standing);
    }
}

#[test]
fn alone_a_group_is_compared_with_nothing() {
    let db = groups(&[("high", 3, 1)]);
    let query = AttainmentQuery::at(at(MONDAY + 30 * DAY)).by("priority");
    let fairness = &db.fairness(&query).unwrap()[0];
    assert_eq!((fairness.groups[0].attainment, fairness.groups[0].speed), (None, None));
    assert_eq!(fairness.groups[0].handled.count, 4);
}

#[test]
fn fairness_by_nothing_or_by_what_nobody_has_is_refused() {
    let db = groups(&[("high", 3, 1)]);
    let query = AttainmentQuery::at(at(MONDAY + 30 * DAY));
    let error = db.fairness(&query).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    let error = db.fairness(&query.clone().by("priorty")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(
        error.message().contains("`priorty`") && error.message().contains("there are: priority"),
        "{error}"
    );
    // Nothing received yet is no mistake.
    assert!(db.fairness(&AttainmentQuery::at(at(MONDAY - DAY)).by("priorty")).unwrap().is_empty());
}

/// The figures of a real log against the reports that are counted in other ways.
#[cfg(feature = "import")]
#[test]
fn the_figures_of_a_real_log_agree_with_each_other() {
    use slaclock::import::{ImportOptions, Mapping, import};
    let mapping = Mapping::load("examples/mappings/servicenow.toml").unwrap();
    let policy = Policy::load("examples/policies/servicenow.toml").unwrap();
    let db = Db::in_memory(&policy).unwrap();
    let log = "examples/data/uci498-incident-events-opened-to-2016-04-30.csv.gz";
    import(&mapping, log, &mut &db, ImportOptions::default()).unwrap();
    for now in ["2017-03-01T15:00:00Z", "2016-03-10T15:00:00Z"] {
        let now = Instant::parse(now).unwrap();
        let period = Month::of(2016, 3).period().unwrap();
        let mut query = ReportQuery::at(now, period);
        query.most_groups = 10_000;
        let report = db.report(&query).unwrap();
        let clock = &report.clocks[0];
        let tally = clock.attainment.tally;
        assert_eq!(vec![clock.attainment.clone()], db.attainment(period, now).unwrap());
        let ids = &clock.ids;
        let counted = [&ids.met, &ids.missed, &ids.undecided, &ids.excluded].map(total);
        assert_eq!(counted, [tally.met, tally.missed, tally.undecided, tally.excluded()]);
        let sum = |heat: &slaclock::report::Heat| heat.cells.iter().map(|cell| total(&cell.ids)).sum::<u64>();
        assert_eq!(
            (sum(&clock.arrivals), sum(&clock.misses)),
            (tally.counted() + tally.excluded(), tally.missed)
        );
        let last = clock.burndown[0].days.last().unwrap();
        assert_eq!((last.received, last.missed), (tally.counted(), tally.missed));
        let days = &clock.burndown[0].days;
        let of_days = |own: fn(&BurnDay) -> &Ids| days.iter().map(|day| total(own(day))).sum::<u64>();
        assert_eq!(of_days(|day| &day.received_on), tally.counted());
        assert_eq!(of_days(|day| &day.missed_on), tally.missed);
        let bins: u64 = clock.handling.bins.iter().map(|bin| total(&bin.ids)).sum();
        assert_eq!(
            bins + clock.handling.on_hold.total,
            tally.cycles_met + tally.cycles_missed - open_late(clock)
        );
        let waiting = db.waiting(Some(period), now).unwrap();
        assert_eq!(report.waiting.iter().map(|own| own.waiting.clone()).collect::<Vec<_>>(), waiting);
        for fairness in &clock.fairness {
            let mut all = slaclock::Tally::default();
            fairness.groups.iter().for_each(|group| all.merge(&group.tally));
            assert_eq!(all, tally, "{:?}", fairness.by);
            let groups =
                db.attainment_by(&AttainmentQuery::at(now).period(period).by(&fairness.by[0])).unwrap();
            assert_eq!(groups.len() as u64, fairness.groups_total);
        }
    }

    fn open_late(clock: &slaclock::report::ClockReport) -> u64 {
        clock.handling.open_late.total
    }
}
