//! Loops over columns, compiled once for every machine and once for machines with wide registers.
//!
//! The one place of the core that needs `unsafe`: the compiler cannot know that the machine has the instructions which a
//! function was compiled for, so it is asked first.
#![allow(unsafe_code, reason = "calling code compiled for the machine at hand")]

/// Items that a loop takes at once: enough for wide registers, few enough to stay in the nearest cache.
pub(crate) const BLOCK: usize = 64;

/// A loop over columns. `run` and all it calls must be `#[inline(always)]`, so that it is compiled with its caller.
pub(crate) trait Loop {
    /// What it comes to.
    type Outcome;
    /// Runs it.
    fn run(self) -> Self::Outcome;
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
    work.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2")]
fn with_avx2<L: Loop>(work: L) -> L::Outcome {
    work.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,avx512f,avx512bw,avx512dq,avx512vl")]
fn with_avx512<L: Loop>(work: L) -> L::Outcome {
    work.run()
}
