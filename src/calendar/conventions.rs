//! Conventions in which other products differ, and named sets of them.

use serde::{Deserialize, Serialize};

/// How a calendar counts at its edges. The default is slaclock's own way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Conventions {
    /// When working time is up that ends exactly where a stretch closes.
    pub exact_fit: ExactFit,
    /// When no working time at all is up.
    pub no_time: NoTime,
    /// What an opening or closing is that the clock skips or repeats.
    pub clock_change: ClockChange,
    /// What makes an instant open.
    pub open: OpenWhen,
}

/// When working time is up that ends exactly where a stretch closes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExactFit {
    /// At that closing: the earliest instant by which so much has passed.
    #[default]
    Closing,
    /// At the next opening: the latest such instant.
    NextOpening,
}

/// When no working time at all is up, from an instant at which the calendar is closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoTime {
    /// At once.
    #[default]
    Start,
    /// At the next opening.
    NextOpening,
}

/// What an opening or closing is that the clock skips or repeats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockChange {
    /// Skipped: the instant of the change. Repeated: an opening is the first, a closing the second, so that nobody
    /// loses more than the hour that did not exist.
    #[default]
    Outer,
    /// Skipped: later by the hour that was skipped. Repeated: the first.
    First,
    /// Skipped: later by the hour that was skipped. Repeated: the second.
    Second,
}

/// What makes an instant open. The two differ in the hours around a clock change only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpenWhen {
    /// It lies in working time: what is open counts.
    #[default]
    WorkingTime,
    /// The clock on the wall shows a time within the hours, even where sums do not count it. Only
    /// [`Calendar::is_open`](super::Calendar::is_open) goes by it: sums, openings and deadlines do not.
    WallClock,
}

/// A product whose conventions are known from its own answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// Zendesk's `biz`, and so Zammad.
    Biz,
    /// Request Tracker, by `Business::Hours`.
    Rt,
    /// pandas' `CustomBusinessHour`.
    Pandas,
    /// GLPI.
    Glpi,
    /// The Ruby library `business_time`.
    BusinessTime,
}

impl Preset {
    /// Every preset, in the order above.
    pub const ALL: [Preset; 5] =
        [Preset::Biz, Preset::Rt, Preset::Pandas, Preset::Glpi, Preset::BusinessTime];

    /// The word for it in policies and every language.
    pub const fn word(self) -> &'static str {
        match self {
            Preset::Biz => "biz",
            Preset::Rt => "rt",
            Preset::Pandas => "pandas",
            Preset::Glpi => "glpi",
            Preset::BusinessTime => "business_time",
        }
    }

    /// The preset with this word.
    pub fn from_word(word: &str) -> Option<Preset> {
        Preset::ALL.into_iter().find(|preset| preset.word() == word)
    }

    /// What it stands for.
    pub const fn conventions(self) -> Conventions {
        let (exact_fit, no_time) = match self {
            Preset::Biz | Preset::Rt | Preset::Pandas | Preset::Glpi => {
                (ExactFit::NextOpening, NoTime::NextOpening)
            }
            Preset::BusinessTime => (ExactFit::Closing, NoTime::NextOpening),
        };
        let clock_change = match self {
            Preset::Biz | Preset::Rt | Preset::Glpi | Preset::BusinessTime => ClockChange::First,
            Preset::Pandas => ClockChange::Second,
        };
        let open = match self {
            Preset::Biz | Preset::Pandas | Preset::BusinessTime => OpenWhen::WallClock,
            Preset::Rt | Preset::Glpi => OpenWhen::WorkingTime,
        };
        Conventions { exact_fit, no_time, clock_change, open }
    }
}
