//! Data and peers that the benchmarks share.
