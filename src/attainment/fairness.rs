//! Fairness: whether a group fares otherwise than the rest by more than chance would have it.

use serde::{Deserialize, Serialize};

/// How a group fares beside the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Better than the rest, by more than chance.
    Better,
    /// Worse than the rest, by more than chance.
    Worse,
    /// No difference that chance would not make.
    Noise,
}

impl Standing {
    /// The word for it in every language and in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Standing::Better => "better",
            Standing::Worse => "worse",
            Standing::Noise => "noise",
        }
    }
}

/// So many of so many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Those that did.
    pub part: u64,
    /// All that are decided; not less than `part`.
    pub whole: u64,
}

impl Share {
    /// The share in hundredths of a percent, rounded down; `None` of nothing.
    pub fn bp(self) -> Option<u32> {
        let bp = (u128::from(self.part) * 10_000).checked_div(u128::from(self.whole))?;
        u32::try_from(bp).ok()
    }

    /// What remains of this share when a group of it is taken away.
    #[must_use]
    pub fn without(self, group: Share) -> Share {
        Share { part: self.part.saturating_sub(group.part), whole: self.whole.saturating_sub(group.whole) }
    }
}

/// A group's share beside that of all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// The others' share.
    pub rest: Share,
    /// Where the true difference (group less rest) lies, lowest and highest, in hundredths of a percent, rounded
    /// outwards: Newcombe's interval at 95 %, shared among all groups compared at once.
    pub difference_bp: (i32, i32),
    /// Better or worse iff the interval does not contain zero.
    pub standing: Standing,
}

impl Comparison {
    /// Compares two shares that have no request in common; `None` if nothing of one is decided.
    ///
    /// The interval is R. G. Newcombe's hybrid of two Wilson score intervals (1998, method 10), in whole numbers.
    /// `at_once` is how many such comparisons are made together: each gets the confidence 1 − 5 % / `at_once`
    /// (Bonferroni), so that among groups that fare alike not one in twenty reports shows a difference.
    pub fn of(group: Share, rest: Share, at_once: usize) -> Option<Comparison> {
        if group.whole == 0 || rest.whole == 0 {
            return None;
        }
        let z = z_shared(at_once);
        let (group_range, rest_range) = (Range::of(group, z), Range::of(rest, z));
        let down = square(group_range.up - group_range.low) + square(rest_range.high - rest_range.down);
        let up = square(group_range.high - group_range.down) + square(rest_range.up - rest_range.low);
        let low = group_range.down - rest_range.up - root_up(down);
        let high = group_range.up - rest_range.down + root_up(up);
        let standing = if low > 0 {
            Standing::Better
        } else if high < 0 {
            Standing::Worse
        } else {
            Standing::Noise
        };
        let unit = SCALE / 10_000;
        // Rounded outwards: the floor, and the ceiling as the floor of the negative.
        let difference_bp =
            (i32::try_from(low.div_euclid(unit)).ok()?, i32::try_from(-(-high).div_euclid(unit)).ok()?);
        Some(Comparison { rest, difference_bp, standing })
    }
}

/// The unit in which shares are compared: a billionth.
const SCALE: i128 = 1_000_000_000;

/// The normal quantile, in ten-thousandths, that leaves 2.5 % / n above it, by rising n.
const QUANTILES: [(usize, i128); 22] = [
    (1, 19_600),
    (2, 22_414),
    (3, 23_940),
    (4, 24_977),
    (5, 25_758),
    (6, 26_383),
    (8, 27_344),
    (10, 28_070),
    (15, 29_352),
    (20, 30_233),
    (30, 31_440),
    (50, 32_905),
    (100, 34_808),
    (150, 35_879),
    (200, 36_623),
    (500, 38_906),
    (1_000, 40_556),
    (2_000, 42_148),
    (5_000, 44_172),
    (10_000, 45_648),
    (100_000, 50_263),
    (1_000_000, 54_513),
];

/// The quantile for so many comparisons at once: that of the next number in the table, so rather too careful.
fn z_shared(at_once: usize) -> i128 {
    /// For a thousand million, more than a database holds.
    const MOST: i128 = 65_709;
    QUANTILES.iter().find(|(most, _)| at_once <= *most).map_or(MOST, |(_, z)| *z)
}

/// A share and its Wilson score interval in billionths: rounded down and up, lowest and highest.
struct Range {
    down: i128,
    up: i128,
    low: i128,
    high: i128,
}

impl Range {
    /// With z in ten-thousandths, everything in units of z²: middle x + z²/2, reach z √(x (n − x) / n + z²/4), both over
    /// n + z².
    fn of(share: Share, z: i128) -> Range {
        /// Squares the unit of z.
        const UNIT: i128 = 100_000_000;
        let (mut x, mut n) = (i128::from(share.part), i128::from(share.whole));
        // More than any database holds; beyond it the interval has no width worth a digit, and products stay in range.
        while n > i128::from(u32::MAX) {
            (x, n) = (x / 2, n / 2);
        }
        let divisor = n * UNIT + z * z;
        let middle = x * UNIT + z * z / 2;
        let spread = ceil(x * (n - x) * UNIT, n) + ceil(z * z, 4);
        let reach = root_up(z * z * spread);
        Range {
            down: x * SCALE / n,
            up: ceil(x * SCALE, n),
            low: ((middle - reach) * SCALE).div_euclid(divisor).max(0),
            high: ceil((middle + reach) * SCALE, divisor).min(SCALE),
        }
    }
}

fn square(value: i128) -> i128 {
    value * value
}

/// The quotient of two numbers that are not negative, rounded up.
fn ceil(number: i128, divisor: i128) -> i128 {
    (number + divisor - 1) / divisor
}

/// The square root of a number that is not negative, rounded up.
fn root_up(number: i128) -> i128 {
    let root = number.isqrt();
    root + i128::from(root * root < number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(part: u64, whole: u64) -> Share {
        Share { part, whole }
    }

    /// The same in floating point.
    fn by_floats(group: Share, rest: Share, z: f64) -> (f64, f64) {
        let wilson = |share: Share| {
            let (x, n) = (share.part as f64, share.whole as f64);
            let p = x / n;
            let middle = (p + z * z / (2.0 * n)) / (1.0 + z * z / n);
            let reach = z / (1.0 + z * z / n) * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
            (p, (middle - reach).max(0.0), (middle + reach).min(1.0))
        };
        let ((p, l, u), (q, m, v)) = (wilson(group), wilson(rest));
        (
            p - q - ((p - l).powi(2) + (v - q).powi(2)).sqrt(),
            p - q + ((u - p).powi(2) + (q - m).powi(2)).sqrt(),
        )
    }

    #[test]
    fn the_interval_is_newcombes() {
        // His own worked case (1998, table II, a): 56/70 against 48/80 gives 0.0524 to 0.3339.
        let found = Comparison::of(share(56, 70), share(48, 80), 1).unwrap();
        assert_eq!(found.difference_bp, (524, 3_339));
        assert_eq!(found.standing, Standing::Better);
        let sizes = [1, 2, 7, 20, 137, 10_000];
        for (n, m) in sizes.into_iter().flat_map(|n| sizes.map(|m| (n, m))) {
            for (x, y) in [0, 1, n / 3, n / 2, n].into_iter().flat_map(|x| [0, 1, m / 2, m].map(|y| (x, y))) {
                let (group, rest) = (share(x, n), share(y, m));
                let found = Comparison::of(group, rest, 1).unwrap();
                let (low, high) = by_floats(group, rest, 1.96);
                let (low, high) = (low * 1e4, high * 1e4);
                let (from, to) = (f64::from(found.difference_bp.0), f64::from(found.difference_bp.1));
                assert!(from <= low + 1e-4 && from > low - 1.01, "{x}/{n} {y}/{m}: {from} {low}");
                assert!(to >= high - 1e-4 && to < high + 1.01, "{x}/{n} {y}/{m}: {to} {high}");
                let back = Comparison::of(rest, group, 1).unwrap();
                assert_eq!(back.difference_bp, (-found.difference_bp.1, -found.difference_bp.0));
            }
        }
    }

    #[test]
    fn a_difference_is_told_from_noise_at_its_edge() {
        // Of 50 each: 40 against 32 may be chance, 41 against 31 may not.
        let standing = |x, y| Comparison::of(share(x, 50), share(y, 50), 1).unwrap().standing;
        assert_eq!((standing(40, 32), standing(41, 31)), (Standing::Noise, Standing::Better));
        assert_eq!((standing(32, 40), standing(31, 41)), (Standing::Noise, Standing::Worse));
        // The same difference among ten groups is no news any more.
        assert_eq!(Comparison::of(share(41, 50), share(31, 50), 10).unwrap().standing, Standing::Noise);
    }

    #[test]
    fn nothing_decided_compares_with_nothing_and_much_overflows_nothing() {
        assert_eq!(Comparison::of(share(0, 0), share(1, 2), 1), None);
        assert_eq!(Comparison::of(share(1, 2), share(0, 0), 1), None);
        let all = share(u64::MAX, u64::MAX);
        let found = Comparison::of(all, share(0, u64::MAX), usize::MAX).unwrap();
        assert_eq!(found.standing, Standing::Better);
    }

    #[test]
    fn quantiles_rise_and_leave_what_they_say() {
        assert!(QUANTILES.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 < pair[1].1));
        // The upper tail of the normal distribution by Laplace's continued fraction.
        for (n, z) in QUANTILES {
            let z = z as f64 / 1e4;
            let fraction = (1..200).rev().fold(0.0, |sum, k| f64::from(k) / (z + sum));
            let tail = (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt() / (z + fraction);
            assert!((tail * n as f64 / 0.025 - 1.0).abs() < 1e-3, "{n}: {tail}");
        }
    }
}
