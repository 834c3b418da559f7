//! The fuzz target `calls`, its corpus and beyond, without a fuzzer. Here, since nothing outside can link this crate as Rust.

#[path = "../../../fuzz/capi/calls.rs"]
#[allow(unreachable_pub, reason = "a target of its own, too")]
mod calls;
#[path = "../../../fuzz/src/replay.rs"]
#[allow(unreachable_pub, clippy::print_stdout, reason = "a package of its own, which says what it tried")]
mod replay;

use std::path::Path;

#[test]
fn any_calls_are_answered() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    replay::replay(&folder, "calls", 300, calls::run);
}
