//! Loops over columns, compiled once for every machine and once for machines with wide registers.
//!
//! The one place of the core that needs `unsafe`: the compiler cannot know that the machine has the instructions which a
//! function was compiled for, so it is asked first.
#![allow(unsafe_code, reason = "calling code compiled for the machine at hand, and writing past its caches")]

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

/// Writes a block past the caches, for columns that are too long to be kept in them: the memory is then not read
/// before it is written.
#[inline(always)]
pub(crate) fn store_past_caches(out: &mut [i64; BLOCK], block: &[i64; BLOCK]) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{__m128i, _mm_stream_si128};
        if out.as_ptr().addr().is_multiple_of(size_of::<__m128i>()) {
            let (out, block) = (out.as_mut_ptr().cast::<__m128i>(), block.as_ptr().cast::<__m128i>());
            for at in 0..BLOCK / 2 {
                // SAFETY: both blocks have room for 32 pairs, `out` is aligned to one, and every x86-64 has SSE2. Plain
                // loads and stores of the same thread see these stores; `fence` orders them for others.
                unsafe { _mm_stream_si128(out.add(at), block.add(at).read_unaligned()) };
            }
            return;
        }
    }
    *out = *block;
}

/// After [`store_past_caches`]: what was written is there for every thread that hears of it.
pub(crate) fn fence() {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every x86-64 has SSE.
    unsafe {
        std::arch::x86_64::_mm_sfence();
    }
}
