//! The one place where the command asks the system what time it is.

use std::time::SystemTime;

use crate::time::Instant;

use super::failure::Failure;

/// The current second, for commands that are not told another `--now`.
pub(crate) fn now() -> Result<Instant, Failure> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let seconds = since.ok().and_then(|since| i64::try_from(since.as_secs()).ok());
    let Some(seconds) = seconds else {
        return Err(Failure::text("the system clock is set before 1970: give the time with --now"));
    };
    Ok(Instant::from_secs(seconds)?)
}
