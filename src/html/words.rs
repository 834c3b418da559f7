//! Numbers, times and spans as people read them.

use chrono::{NaiveDate, Timelike};

use crate::attainment::{Grouped, Percent, Share, Standing};
use crate::calendar::Calendar;
use crate::policy::Policy;
use crate::time::{Instant, Span};

/// `1,234`
pub(super) fn count(number: u64) -> String {
    Grouped(number).to_string()
}

/// `1 request`, `1,000 requests`.
pub(super) fn counted(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(number), if number == 1 { "" } else { "s" })
}

/// `95.1 %`, or a dash.
pub(super) fn percent(bp: Option<u32>) -> String {
    bp.map_or_else(|| "–".to_owned(), |bp| Percent(bp).to_string())
}

/// `80.25 to 91.4 %`
pub(super) fn range(range: Option<(u32, u32)>) -> String {
    range.map_or_else(String::new, |(low, high)| {
        let low = Percent(low).to_string();
        format!("{} to {}", low.trim_end_matches(" %"), Percent(high))
    })
}

/// `−7.21 to −2.3`, in percentage points.
pub(super) fn points((low, high): (i32, i32)) -> String {
    let point = |bp: i32| {
        let sign = if bp < 0 { "−" } else { "+" };
        format!("{sign}{}", Percent(bp.unsigned_abs()).to_string().trim_end_matches(" %"))
    };
    format!("{} to {}", point(low), point(high))
}

pub(super) fn share(share: Share) -> String {
    percent(share.bp())
}

/// How a group fares, in words and with a sign, so that colour is not needed to read it.
pub(super) fn standing(standing: Standing, better: &str, worse: &str) -> String {
    match standing {
        Standing::Better => format!("▲ {better}"),
        Standing::Worse => format!("▼ {worse}"),
        Standing::Noise => "no clear difference".to_owned(),
    }
}

/// `4 min`, `3 h 20 min`, `2 d 5 h`: the two largest units.
pub(super) fn span(span: Span) -> String {
    let length = span.as_secs().unsigned_abs();
    let sign = if span.as_secs() < 0 { "−" } else { "" };
    let (days, hours, minutes) = (length / 86_400, length / 3_600 % 24, length / 60 % 60);
    let two = |large: u64, unit: &str, small: u64, part: &str| match small {
        0 => format!("{large} {unit}"),
        _ => format!("{large} {unit} {small} {part}"),
    };
    let text = match (days, hours, minutes) {
        (0, 0, 0) => format!("{length} s"),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => two(hours, "h", minutes, "min"),
        (days, hours, _) if days < 100 => two(days, "d", hours, "h"),
        (days, ..) => format!("{} d", count(days)),
    };
    format!("{sign}{text}")
}

/// `4 March`
pub(super) fn day(date: NaiveDate) -> String {
    date.format("%-d %B").to_string()
}

/// `4 Mar`
pub(super) fn short_day(date: NaiveDate) -> String {
    date.format("%-d %b").to_string()
}

/// The zones that times are shown in: each clock's own.
pub(super) struct Zones<'a> {
    policy: &'a Policy,
}

impl<'a> Zones<'a> {
    pub(super) fn of(policy: &'a Policy) -> Zones<'a> {
        Zones { policy }
    }

    fn calendar(&self, clock: Option<&str>) -> Option<&'a Calendar> {
        let named = self.policy.clocks().iter().find(|own| Some(own.name.as_str()) == clock);
        let clock = named.or_else(|| self.policy.clocks().first());
        clock.and_then(|clock| clock.rules.first()).map(|rule| rule.calendar.as_ref())
    }

    /// `Thu 2016-03-10 18:00`, with seconds only where there are some.
    pub(super) fn show(&self, clock: Option<&str>, at: Instant) -> String {
        let local = self.calendar(clock).map_or_else(|| at.to_utc(), |calendar| calendar.local(at));
        let format = if local.second() == 0 { "%a %Y-%m-%d %H:%M" } else { "%a %Y-%m-%d %H:%M:%S" };
        local.format(format).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_told_in_their_two_largest_units() {
        let told = |seconds| span(Span::from_secs(seconds));
        let cases = [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3_599, "59 min"),
            (3_600, "1 h"),
            (3_660, "1 h 1 min"),
            (86_399, "23 h 59 min"),
            (86_400, "1 d"),
            (180_000, "2 d 2 h"),
            (8_640_000, "100 d"),
            (-90, "−1 min"),
        ];
        for (seconds, text) in cases {
            assert_eq!(told(seconds), text, "{seconds}");
        }
    }

    #[test]
    fn differences_carry_their_signs() {
        assert_eq!(points((-721, 230)), "−7.21 to +2.3");
        assert_eq!(points((0, 10_000)), "+0 to +100");
    }
}
