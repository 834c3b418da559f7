//! Loops over columns, compiled once for every machine and once for machines with wide registers.
//!
//! The one place of the core that needs `unsafe`: the compiler cannot know that the machine has the instructions which a
//! function was compiled for, so it is asked first.
#![allow(unsafe_code, reason = "calling code compiled for the machine at hand")]

/// Items that a loop takes at once: enough for wide registers, few enough to stay in the nearest cache.
pub(crate) const BLOCK: usize = 64;

/// The UTC day of an instant, of which the last 32 bits count: seconds since 1970-01-01.
#[inline(always)]
pub(crate) fn day_of(at: u64) -> u64 {
    /// 2^37 / 675, rounded up: a day is 128 times 675 seconds.
    const PER_675: u64 = (1 << 37) / 675 + 1;
    (((at >> 7) & 0x1ff_ffff) * PER_675) >> 37
}

/// Places that hold nothing yet. A large piece of memory costs no more than what is touched of it.
pub(crate) fn zeros<T: Clone + Default, const LENGTH: usize>() -> Option<Box<[T; LENGTH]>> {
    vec![T::default(); LENGTH].into_boxed_slice().try_into().ok()
}

/// Divides seconds of a day by a unit of a minute or more, in floating point, which wide registers are quick at.
///
/// Exact: half a second is much more than what the 24 bits of a number leave out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Units {
    per_unit: f32,
}

impl Units {
    /// Added to a small number, it leaves the nearest whole number in the last bits.
    const WHOLE: f32 = 12_582_912.0;

    pub(crate) fn of(unit_s: u32) -> Units {
        Units { per_unit: 1.0 / unit_s as f32 }
    }

    /// Whole units in less than so many seconds, in the last 16 bits.
    #[inline(always)]
    pub(crate) fn down(self, of_day: u32) -> u32 {
        (self.parts(of_day) - self.margin() + Units::WHOLE).to_bits()
    }

    /// The same, rounded up.
    #[inline(always)]
    pub(crate) fn up(self, of_day: u32) -> u32 {
        (self.parts(of_day) + self.margin() + Units::WHOLE).to_bits()
    }

    #[inline(always)]
    fn parts(self, of_day: u32) -> f32 {
        of_day as i32 as f32 * self.per_unit
    }

    #[inline(always)]
    fn margin(self) -> f32 {
        0.5 - 0.5 * self.per_unit
    }
}

/// A loop over columns. `run` and all it calls must be `#[inline(always)]`, so that it is compiled with its caller.
pub(crate) trait Loop {
    /// What it comes to.
    type Outcome;
    /// Runs it, on a machine that loads many places of a table at once or on another.
    fn run<const GATHERS: bool>(self) -> Self::Outcome;
}

/// Runs a loop in the best form that the machine has.
pub(crate) fn run<L: Loop>(work: L) -> L::Outcome {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
        {
            // SAFETY: the machine has just said that it knows these instructions.
            return unsafe { with_avx512(work) };
        }
        if is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
        {
            // SAFETY: as above.
            return unsafe { with_avx2(work) };
        }
    }
    work.run::<false>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2")]
fn with_avx2<L: Loop>(work: L) -> L::Outcome {
    work.run::<false>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,avx512f,avx512bw,avx512dq,avx512vl")]
fn with_avx512<L: Loop>(work: L) -> L::Outcome {
    work.run::<true>()
}

#[cfg(test)]
mod tests {
    use super::Units;

    #[test]
    fn every_second_of_every_grid_has_its_unit() {
        const DAY_S: u32 = 86_400;
        for unit_s in (60..=DAY_S / 2).filter(|unit_s| DAY_S.is_multiple_of(*unit_s)) {
            let units = Units::of(unit_s);
            for of_day in 0..DAY_S {
                assert_eq!(units.down(of_day) & 0xffff, of_day / unit_s, "{of_day} by {unit_s}");
                assert_eq!(units.up(of_day) & 0xffff, of_day.div_ceil(unit_s), "{of_day} by {unit_s}");
            }
        }
    }
}
