//! The command `slaclock`.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(slaclock::cli::run(std::env::args_os()))
}
