//! The policy language: one type per table, one field per key. This file is its only home; the reader, the messages
//! and the JSON Schema all follow from it.

#[cfg(test)]
use schemars::JsonSchema;

use super::forms::{At as TimeAt, CountsAs, DateText, Due, Hours, Received, Stretch};
use super::read::{
    Count, Date, Days, Length, Many, Map, Name, Percent, Read, Share, Time, Version, choice, table, tag,
};
use super::text::{Fault, Kind, Node};

/// A value with its place.
pub(super) type At<T> = super::read::At<T>;

table! {
    /// A policy: the written agreement about how soon requests are handled.
    PolicyDoc("policy") {
        /// Name, version and plain words.
        policy: HeaderDoc,
        /// Working hours by name.
        calendar: Map<At<CalendarDoc>>,
        /// The promises.
        clock: Vec<At<ClockDoc>>,
        /// What each foreseeable interruption does to the clocks.
        interruptions: Option<InterruptionsDoc>,
        /// How many requests of a customer may go first each month.
        expedites: Option<At<ExpeditesDoc>>,
        /// Who may approve the refusal of a request.
        refusals: Option<At<RefusalsDoc>>,
        /// Who may excuse a miss.
        waivers: Option<At<WaiversDoc>>,
        /// Worked examples, checked whenever the policy is read.
        example: Option<Vec<At<ExampleDoc>>>,
        /// The text of holiday files; written by slaclock when it stores a policy.
        attached: Option<Vec<AttachedDoc>>,
    }
}

table! {
    /// What the agreement is called and says.
    HeaderDoc("table `policy`") {
        /// Name of the policy.
        name: At<Name>,
        /// Version, from 1; rises with each change.
        version: At<Version>,
        /// The promise in plain words.
        statement: Option<At<String>>,
        /// When somebody should read it again.
        review_at: Option<At<Date>>,
        /// Who must have read this version.
        readers: Option<At<Many<At<Name>>>>,
        /// Until when; required with `readers`.
        read_by: Option<At<Date>>,
    }
}

table! {
    /// Working hours in a time zone.
    CalendarDoc("calendar") {
        /// IANA time zone, like `Europe/Moscow`. Required unless the calendar extends another.
        zone: Option<At<Name>>,
        /// The calendar it begins as. Its own hours replace the other's; its own dates are added to the other's.
        extends: Option<At<Name>>,
        /// What opens on which weekday.
        hours: Option<At<Hours>>,
        /// Dates on which nothing opens.
        holidays: Option<Vec<At<HolidayDoc>>>,
        /// Dates that the holiday rules name but on which the calendar opens.
        not_holidays: Option<Vec<At<Date>>>,
        /// iCalendar files with holidays, relative to the policy file.
        holiday_files: Option<Many<At<Name>>>,
        /// Last date up to which the holidays are known.
        holidays_known_until: Option<At<Date>>,
        /// Part-day closures.
        closures: Option<Vec<At<ClosureDoc>>>,
        /// Other hours between two dates; of several for one date the last counts.
        exceptions: Option<Vec<At<ExceptionDoc>>>,
        /// Single dates with hours of their own, whatever the weekday.
        extra_days: Option<Vec<At<ExtraDayDoc>>>,
        /// Counts at its edges as another product does.
        preset: Option<PresetWord>,
    }
}

choice! {
    /// A product whose conventions a calendar follows where working time ends at a closing and where the clock changes.
    PresetWord {
        /// Zendesk's biz, and so Zammad.
        Biz = "biz",
        /// Request Tracker, by Business::Hours.
        Rt = "rt",
        /// pandas' CustomBusinessHour.
        Pandas = "pandas",
        /// GLPI.
        Glpi = "glpi",
        /// The Ruby library business_time.
        BusinessTime = "business_time",
    }
}

/// A holiday: its dates, or a table with more about it.
#[derive(Clone, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(untagged))]
pub(super) enum HolidayDoc {
    /// Its dates.
    Dates(DateText),
    /// With name and rule for weekends.
    Table(HolidayTable),
}

impl Read for HolidayDoc {
    fn read(node: &Node) -> Result<Self, Fault> {
        match node.kind {
            Kind::Table(_) => HolidayTable::read(node).map(HolidayDoc::Table),
            _ => DateText::read(node).map(HolidayDoc::Dates),
        }
    }
}

table! {
    /// A holiday with name and rule for weekends.
    HolidayTable("holiday") {
        /// Its dates.
        on: Many<DateText>,
        /// For people.
        name: Option<Name>,
        /// Where it goes when it falls on a Saturday or Sunday; stays by default.
        observed: Option<ObservedWord>,
    }
}

choice! {
    /// Where a holiday goes that falls on a Saturday or Sunday.
    ObservedWord {
        /// It stays.
        SameDate = "same date",
        /// Sunday's goes to Monday, Saturday's stays.
        SundayToMonday = "sunday to monday",
        /// Saturday's goes to Friday, Sunday's to Monday.
        Nearest = "nearest",
        /// Both go to Monday.
        Monday = "monday",
    }
}

table! {
    /// A part of a date on which the calendar is closed.
    ClosureDoc("closure") {
        /// Its dates.
        on: Many<DateText>,
        /// Closed from here; from the start of the day by default.
        from: Option<At<Time>>,
        /// Closed up to here; up to the end of the day by default.
        to: Option<At<Time>>,
        /// For people.
        name: Option<Name>,
    }
}

table! {
    /// Other hours between two dates.
    ExceptionDoc("exception") {
        /// A date, or two with `..` between them.
        on: At<DateText>,
        /// What opens on which weekday.
        hours: At<Hours>,
        /// For people.
        name: Option<Name>,
    }
}

table! {
    /// A date with hours of its own: a make-up working day.
    ExtraDayDoc("extra day") {
        /// The date.
        on: At<Date>,
        /// What opens on it.
        hours: At<Many<Stretch>>,
    }
}

table! {
    /// A promise: when its time starts and ends, and what is due by when.
    ClockDoc("clock") {
        /// Name, unique in the policy.
        name: At<Name>,
        /// Its calendar; may be left out where the policy has only one.
        calendar: Option<At<Name>>,
        /// Events that start it: `received`, `customer_replied`, `promised`, … or `other.late`, `other.breached`.
        start: Many<At<Name>>,
        /// Events that finish it.
        stop: Option<Many<At<Name>>>,
        /// Events that finish it and start it again.
        restart: Option<Many<At<Name>>>,
        /// Vendor events count only if they are about this vendor, or one of these.
        vendor: Option<At<Many<At<Name>>>>,
        /// Reasons of `paused` events that stop its time.
        pause: Option<Many<At<Name>>>,
        /// What happens when a finished request is reopened: the time that remained by default.
        reopen: Option<ReopenWord>,
        /// When it is due.
        target: Option<At<TargetDoc>>,
        /// The outer limit for requests that miss the target.
        backstop: Option<At<TargetDoc>>,
        /// Receipts that count from another time.
        receipt: Option<Vec<At<ReceiptDoc>>>,
        /// A due time outside working hours moves to the next opening.
        roll_forward: Option<bool>,
        /// Warnings, as percentages of the target's time.
        warn_at: Option<Many<At<Percent>>>,
        /// The share of requests that must meet the target.
        attainment: Option<AttainmentDoc>,
        /// Other targets for some requests; the first whose conditions hold counts, else the clock's own.
        rules: Option<Vec<At<RuleDoc>>>,
    }
}

choice! {
    /// What happens to a finished clock on reopening.
    ReopenWord {
        /// A new cycle with the time that remained; nothing after a miss.
        Remaining = "remaining",
        /// A new cycle with the full time.
        Full = "full",
        /// Nothing.
        None = "none",
    }
}

table! {
    /// The share of requests received in a period that must meet the target.
    AttainmentDoc("attainment") {
        /// The share.
        share: At<Share>,
        /// The period.
        per: PeriodWord,
    }
}

choice! {
    /// A period of the calendar.
    PeriodWord {
        /// A calendar month.
        Month = "month",
        /// A calendar quarter.
        Quarter = "quarter",
        /// A calendar year.
        Year = "year",
    }
}

table! {
    /// A rule for some requests. What it leaves out it takes from its clock.
    RuleDoc("rule") {
        /// Facts and their allowed values; all must hold.
        when: Option<At<Map<Many<At<Value>>>>>,
        /// When it is due.
        target: Option<At<TargetDoc>>,
        /// The outer limit; `"none"` for none.
        backstop: Option<At<TargetDoc>>,
        /// Its calendar.
        calendar: Option<At<Name>>,
        /// Receipts that count from another time.
        receipt: Option<Vec<At<ReceiptDoc>>>,
        /// A due time outside working hours moves to the next opening.
        roll_forward: Option<bool>,
        /// Warnings, as percentages of the target's time.
        warn_at: Option<Many<At<Percent>>>,
    }
}

/// A value of a fact: text, compared exactly.
#[derive(Clone, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(transparent))]
pub(super) struct Value(pub(super) String);

impl Read for Value {
    fn read(node: &Node) -> Result<Self, Fault> {
        match &node.kind {
            Kind::Text(text) if !text.is_empty() => Ok(Value(text.clone())),
            _ => Err(Fault::unexpected(
                node,
                "a text that is not empty, or a list of such (facts are text, numbers too)",
            )),
        }
    }
}

/// When something is due.
#[derive(Clone, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(untagged))]
pub(super) enum TargetDoc {
    /// `"none"` or `"promised"`.
    Word(TargetWord),
    /// Branches by the time of day of the receipt; short for `cutoff`.
    Branches(Vec<At<BranchDoc>>),
    /// Wall-clock time.
    Elapsed(ElapsedDoc),
    /// Working time.
    Working(WorkingDoc),
    /// Working days.
    WorkingDays(WorkingDaysDoc),
    /// Calendar days.
    CalendarDays(CalendarDaysDoc),
    /// Branches by the time of day of the receipt.
    Cutoff(CutoffDoc),
    /// The earliest of several.
    Earliest(EarliestDoc),
    /// The latest of several.
    Latest(LatestDoc),
}

impl Read for TargetDoc {
    fn read(node: &Node) -> Result<Self, Fault> {
        const TAGS: [&str; 7] =
            ["elapsed", "working", "working_days", "calendar_days", "cutoff", "earliest", "latest"];
        const FORMS: &str = "a table like { working = \"8h\" }, a list of branches, \"promised\" or \"none\"";
        let forms: Vec<&str> = TAGS.into_iter().filter(|form| tag(node, &[*form]).is_some()).collect();
        if let [first, second, ..] = forms.as_slice() {
            let message =
                format!("has both `{first}` and `{second}`; `earliest` or `latest` takes several targets");
            return Err(Fault::predicate(node.at, message));
        }
        match (&node.kind, forms.first().copied()) {
            (Kind::Text(_), _) => {
                TargetWord::read(node).map(TargetDoc::Word).map_err(|_| Fault::unexpected(node, FORMS))
            }
            (Kind::List(_), _) => Vec::read(node).map(TargetDoc::Branches),
            (_, Some("elapsed")) => ElapsedDoc::read(node).map(TargetDoc::Elapsed),
            (_, Some("working")) => WorkingDoc::read(node).map(TargetDoc::Working),
            (_, Some("working_days")) => WorkingDaysDoc::read(node).map(TargetDoc::WorkingDays),
            (_, Some("calendar_days")) => CalendarDaysDoc::read(node).map(TargetDoc::CalendarDays),
            (_, Some("cutoff")) => CutoffDoc::read(node).map(TargetDoc::Cutoff),
            (_, Some("earliest")) => EarliestDoc::read(node).map(TargetDoc::Earliest),
            (_, Some("latest")) => LatestDoc::read(node).map(TargetDoc::Latest),
            (Kind::Table(entries), _) => Err(match entries.first() {
                // Reading it as a table of all the forms words the fault: the key is unknown, the allowed ones are…
                Some(_) => match super::read::Table::of(node, "target", &TAGS) {
                    Err(fault) => fault,
                    Ok(_) => Fault::unexpected(node, "a target"),
                },
                None => {
                    Fault::predicate(node.at, format!("must say when: one of {}", super::words::list(&TAGS)))
                }
            }),
            _ => Err(Fault::unexpected(node, FORMS)),
        }
    }
}

choice! {
    /// A target in a word.
    TargetWord {
        /// Nothing is promised.
        None = "none",
        /// The instant that a `promised` event carries.
        Promised = "promised",
    }
}

table! {
    /// Wall-clock time after the receipt.
    ElapsedDoc("target") {
        /// How long.
        elapsed: At<Length>,
    }
}

table! {
    /// Working time after the receipt.
    WorkingDoc("target") {
        /// How long.
        working: At<Length>,
    }
}

table! {
    /// The nth working day after the day of the receipt.
    WorkingDaysDoc("target") {
        /// How many.
        working_days: At<Days>,
        /// The time on that day; the close by default.
        at: Option<At<TimeAt>>,
    }
}

table! {
    /// The nth date after the day of the receipt.
    CalendarDaysDoc("target") {
        /// How many.
        calendar_days: At<Days>,
        /// The time on that date; the close by default.
        at: Option<At<TimeAt>>,
    }
}

table! {
    /// By the time of day of the receipt.
    CutoffDoc("target") {
        /// The branches; the first whose time is later than the receipt's counts.
        cutoff: Vec<At<BranchDoc>>,
        /// What a receipt on a closed date means; the last branch by default.
        closed_day: Option<ClosedDayWord>,
    }
}

table! {
    /// A branch of a cut-off target.
    BranchDoc("branch") {
        /// Taken by receipts strictly before this time of day; the last branch leaves it out.
        received_before: Option<At<Time>>,
        /// When it is due.
        due: At<Due>,
    }
}

choice! {
    /// What a receipt on a closed date means to a cut-off target.
    ClosedDayWord {
        /// The last branch, counted from the date of the receipt.
        Otherwise = "otherwise",
        /// As if received at the first opening of the next working day.
        NextOpenDay = "next_open_day",
        /// As if received on the next working day at the same time of day.
        NextOpenDaySameTime = "next_open_day_same_time",
    }
}

table! {
    /// The earliest of several targets.
    EarliestDoc("target") {
        /// The targets.
        earliest: Vec<At<TargetDoc>>,
    }
}

table! {
    /// The latest of several targets.
    LatestDoc("target") {
        /// The targets.
        latest: Vec<At<TargetDoc>>,
    }
}

/// A receipt that counts from another time: exactly one of `on`, `from`, `before`, `outside`.
#[derive(Clone, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(untagged))]
pub(super) enum ReceiptDoc {
    /// On a closed day.
    On(ReceiptOnDoc),
    /// From a time of day on.
    From(ReceiptFromDoc),
    /// Before a time of day.
    Before(ReceiptBeforeDoc),
    /// Outside working hours.
    Outside(ReceiptOutsideDoc),
}

impl Read for ReceiptDoc {
    fn read(node: &Node) -> Result<Self, Fault> {
        match tag(node, &["on", "from", "before", "outside"]) {
            Some("on") => ReceiptOnDoc::read(node).map(ReceiptDoc::On),
            Some("from") => ReceiptFromDoc::read(node).map(ReceiptDoc::From),
            Some("before") => ReceiptBeforeDoc::read(node).map(ReceiptDoc::Before),
            Some(_) => ReceiptOutsideDoc::read(node).map(ReceiptDoc::Outside),
            None => Err(Fault::predicate(
                node.at,
                "must be a list of tables, each with one of `on`, `from`, `before`, `outside`, and \
                 `counts_as`",
            )),
        }
    }
}

table! {
    /// Receipts on a closed day.
    ReceiptOnDoc("receipt rule") {
        /// When it applies.
        on: Received,
        /// What the receipt counts as.
        counts_as: At<CountsAs>,
    }
}

table! {
    /// Receipts at or after a time of day.
    ReceiptFromDoc("receipt rule") {
        /// When it applies.
        from: At<Time>,
        /// What the receipt counts as.
        counts_as: At<CountsAs>,
    }
}

table! {
    /// Receipts before a time of day.
    ReceiptBeforeDoc("receipt rule") {
        /// When it applies.
        before: At<Time>,
        /// What the receipt counts as.
        counts_as: At<CountsAs>,
    }
}

table! {
    /// Receipts outside working hours.
    ReceiptOutsideDoc("receipt rule") {
        /// When it applies.
        outside: OutsideWord,
        /// What the receipt counts as.
        counts_as: At<CountsAs>,
    }
}

choice! {
    /// What a receipt is outside of.
    OutsideWord {
        /// Working hours.
        Hours = "hours",
    }
}

table! {
    /// What interruptions do, by kind.
    InterruptionsDoc("table `interruptions`") {
        /// Illness, strike, loss of key people.
        personnel: Option<HandlingWord>,
        /// Buildings and workplaces.
        facilities: Option<HandlingWord>,
        /// Electric power.
        power: Option<HandlingWord>,
        /// Internet and telecommunication.
        internet_telecom: Option<HandlingWord>,
        /// A merger or an acquisition.
        merger_acquisition: Option<HandlingWord>,
        /// Fire, flood and other disasters.
        disaster: Option<HandlingWord>,
        /// Any kind of the agreement's own.
        own: Option<HandlingWord>,
    }
}

choice! {
    /// What an interruption does to the clocks in its scope.
    HandlingWord {
        /// They stop while it lasts.
        Stop = "stop",
        /// Their deadlines move by its length.
        Extend = "extend",
        /// It is only recorded.
        Record = "record",
    }
}

table! {
    /// How many requests of a customer may go first each month. An expedited request has the fact `expedite` with the
    /// value `yes`, so that rules can promise it more.
    ExpeditesDoc("table `expedites`") {
        /// How many of each customer's in a calendar month; more need the approval of a second person.
        per_month: At<Count>,
        /// The calendar in whose zone months begin; the first calendar by default.
        calendar: Option<At<Name>>,
        /// Who may approve more; anybody but the one who asks by default.
        approvers: Option<At<Many<At<Name>>>>,
    }
}

table! {
    /// Who may approve the refusal of a request that somebody else proposed.
    RefusalsDoc("table `refusals`") {
        /// Their names; anybody but the one who proposed it by default.
        approvers: Option<At<Many<At<Name>>>>,
    }
}

table! {
    /// Who may excuse a miss. Without this table nobody may.
    WaiversDoc("table `waivers`") {
        /// Their names; anybody by default.
        by: Option<At<Many<At<Name>>>>,
    }
}

table! {
    /// A worked example.
    ExampleDoc("example") {
        /// For people.
        name: Option<Name>,
        /// When the request is received: `2026-03-06 15:00` in the calendar's zone, or with an offset.
        received: At<MomentText>,
        /// The calendar in whose zone times are written; the first calendar by default.
        calendar: Option<At<Name>>,
        /// Facts of the request.
        when: Option<Map<At<Value>>>,
        /// By clock: when it is due, or `none`.
        due: Option<Map<At<MomentText>>>,
        /// By clock: its limit, or `none`.
        limit: Option<Map<At<MomentText>>>,
    }
}

/// An instant as written: `2026-03-06 15:00`, `2026-03-06T12:00:00Z`, or `none`.
#[derive(Clone, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(transparent))]
pub(super) struct MomentText(pub(super) String);

impl Read for MomentText {
    fn read(node: &Node) -> Result<Self, Fault> {
        let allowed = "a time like \"2026-03-06 15:00\"";
        super::read::text_or_date(node, allowed).map(|text| MomentText(text.to_owned()))
    }
}

table! {
    /// The text of a holiday file.
    AttachedDoc("attached file") {
        /// The file's name, as in `holiday_files`.
        name: Name,
        /// Its text.
        text: String,
    }
}
