//! A calendar written back in the policy language.

use chrono::Weekday;
use serde_json::{Map, Value, json};
use slaclock::calendar::{CalendarSpec, DateRule, Hours, Observed, Preset};

const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// The calendar with the keys of the policy language, and its name.
///
/// # Errors
/// A sentence, for a rule that the language has no words for.
pub(crate) fn written(spec: &CalendarSpec) -> Result<Value, String> {
    let mut keys = Map::new();
    keys.insert("name".into(), json!(spec.name));
    keys.insert("zone".into(), json!(spec.zone));
    keys.insert("hours".into(), week(&spec.week));
    let mut add = |key: &str, list: Vec<Value>| {
        if !list.is_empty() {
            keys.insert(key.into(), Value::Array(list));
        }
    };
    let holidays = spec.holidays.iter().map(|holiday| {
        let mut entry = Map::new();
        entry.insert("on".into(), json!(dates(holiday.on)?));
        named(&mut entry, holiday.name.as_deref());
        let observed = match holiday.observed {
            Observed::SameDate => None,
            Observed::SundayToMonday => Some("sunday to monday"),
            Observed::Nearest => Some("nearest"),
            Observed::Monday => Some("monday"),
        };
        observed.map(|observed| entry.insert("observed".into(), json!(observed)));
        Ok(Value::Object(entry))
    });
    add("holidays", holidays.collect::<Result<_, String>>()?);
    add("not_holidays", spec.not_holidays.iter().map(|date| json!(date.to_string())).collect());
    let closures = spec.closures.iter().map(|closure| {
        let mut entry = Map::new();
        entry.insert("on".into(), json!(dates(closure.on)?));
        entry.insert("from".into(), json!(closure.from.to_string()));
        entry.insert("to".into(), json!(closure.to.to_string()));
        named(&mut entry, closure.name.as_deref());
        Ok(Value::Object(entry))
    });
    add("closures", closures.collect::<Result<_, String>>()?);
    let exceptions = spec.exceptions.iter().map(|exception| {
        let mut entry = Map::new();
        entry.insert("on".into(), json!(format!("{}..{}", exception.first, exception.last)));
        entry.insert("hours".into(), week(&exception.week));
        named(&mut entry, exception.name.as_deref());
        Value::Object(entry)
    });
    add("exceptions", exceptions.collect());
    let extra_days = spec
        .extra_days
        .iter()
        .map(|extra| json!({ "on": extra.date.to_string(), "hours": stretches(&extra.hours) }));
    add("extra_days", extra_days.collect());
    if let Some(until) = spec.holidays_known_until {
        keys.insert("holidays_known_until".into(), json!(until.to_string()));
    }
    if let Some(conventions) = spec.conventions {
        let is_it = |preset: &Preset| preset.conventions() == conventions;
        let preset = Preset::ALL.into_iter().find(is_it);
        let preset =
            preset.ok_or("conventions that no preset has: the policy language has no words for them")?;
        keys.insert("preset".into(), json!(preset.word()));
    }
    Ok(Value::Object(keys))
}

fn named(entry: &mut Map<String, Value>, name: Option<&str>) {
    name.map(|name| entry.insert("name".into(), json!(name)));
}

fn week(week: &[Vec<Hours>; 7]) -> Value {
    let open = WEEKDAYS.iter().zip(week).filter(|(_, hours)| !hours.is_empty());
    let days: Map<String, Value> =
        open.map(|(day, hours)| ((*day).to_owned(), json!(stretches(hours)))).collect();
    if days.is_empty() { json!("closed") } else { Value::Object(days) }
}

fn stretches(hours: &[Hours]) -> Vec<String> {
    hours.iter().map(|hours| format!("{}-{}", hours.opens, hours.closes)).collect()
}

fn dates(rule: DateRule) -> Result<String, String> {
    let offset = |days: i32| if days == 0 { String::new() } else { format!(" {days:+}") };
    Ok(match rule {
        DateRule::On(date) => date.to_string(),
        DateRule::Between(first, last) => format!("{first}..{last}"),
        DateRule::Yearly { month, day } => format!("{month:02}-{day:02}"),
        DateRule::YearlyBetween { first, last } => {
            format!("{:02}-{:02}..{:02}-{:02}", first.0, first.1, last.0, last.1)
        }
        DateRule::Easter { offset_days } => format!("easter{}", offset(offset_days)),
        DateRule::NthWeekday { month, nth, weekday, offset_days } => {
            let nth = match nth {
                1 => "1st",
                2 => "2nd",
                3 => "3rd",
                4 => "4th",
                5 => "5th",
                -1 => "last",
                _ => {
                    return Err(format!(
                        "weekday number {nth} of a month: the policy language has no words for it"
                    ));
                }
            };
            let month = MONTHS.get(month.saturating_sub(1) as usize).copied().unwrap_or_default();
            format!("{nth} {} of {month}{}", weekday_name(weekday), offset(offset_days))
        }
    })
}

fn weekday_name(weekday: Weekday) -> &'static str {
    match weekday {
        Weekday::Mon => "monday",
        Weekday::Tue => "tuesday",
        Weekday::Wed => "wednesday",
        Weekday::Thu => "thursday",
        Weekday::Fri => "friday",
        Weekday::Sat => "saturday",
        Weekday::Sun => "sunday",
    }
}
