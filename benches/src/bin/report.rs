//! Writes `target/bench-report.md` from what benches have reported so far, those in other languages included.

fn main() {
    slaclock_benches::report::write();
}
