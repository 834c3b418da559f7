//! Care of the file: facts about it, proof that what is stored follows from the events, checking, compacting.

use std::ffi::c_char;

use serde_json::json;
use slaclock_core::db::Rebuild;
use slaclock_core::{Db, Info, SalvageOptions};

use crate::db::{self, slaclock_db};
use crate::error::slaclock_error;
use crate::fault::Fault;
use crate::guard::guard;
use crate::output::{Out, number};
use crate::policy::{self, slaclock_policy};
use crate::request::or_none;
use crate::status::slaclock_status;
use crate::text::{Text, give_json, slaclock_text};
use crate::{input, output};

/// Facts about a database.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct slaclock_db_info {
    /// The file format.
    pub format: i64,
    /// Requests.
    pub requests: i64,
    /// Events, the receipts not counted.
    pub events: i64,
    /// Clocks.
    pub clocks: i64,
    /// Notices so far.
    pub notices: i64,
    /// Up to where the feed was advanced; SLACLOCK_NONE if never.
    pub advanced_to: i64,
    /// The latest instant of any receipt or event; SLACLOCK_NONE in an empty database.
    pub latest_event_at: i64,
    /// Operations in the log that are not folded into the sealed values yet.
    pub unfolded: i64,
    /// Length of the file in bytes.
    pub file_bytes: i64,
    /// Memory of the indexes in bytes.
    pub index_bytes: i64,
}

impl From<Info> for slaclock_db_info {
    fn from(info: Info) -> slaclock_db_info {
        slaclock_db_info {
            format: number(u64::from(info.format)),
            requests: number(info.requests),
            events: number(info.events),
            clocks: number(info.clocks),
            notices: number(info.notices),
            advanced_to: or_none(info.advanced_to),
            latest_event_at: or_none(info.latest_event_at),
            unfolded: number(info.unfolded),
            file_bytes: number(info.file_bytes),
            index_bytes: number(info.index_bytes),
        }
    }
}

/// What was derived anew from the events, and what of it differs from what is stored.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct slaclock_rebuilt {
    /// Requests derived anew.
    pub requests: i64,
    /// Events they were derived from.
    pub events: i64,
    /// Clocks compared, byte by byte.
    pub clocks: i64,
    /// Index rows compared.
    pub index_rows: i64,
    /// Notices compared.
    pub notices: i64,
    /// Differences found; 0 if all is well.
    pub differing: i64,
    /// Requests whose stored state was replaced by what follows from their events; 0 but for `slaclock_rebuild`.
    pub repaired: i64,
}

impl From<&Rebuild> for slaclock_rebuilt {
    fn from(rebuild: &Rebuild) -> slaclock_rebuilt {
        slaclock_rebuilt {
            requests: number(rebuild.requests),
            events: number(rebuild.events),
            clocks: number(rebuild.clocks),
            index_rows: number(rebuild.index_rows),
            notices: number(rebuild.notices),
            differing: number(rebuild.differing),
            repaired: number(rebuild.repaired),
        }
    }
}

/// Facts about a database.
///
/// \param db       (in)
/// \param out_info (out)
///
/// Errors: INVALID_ARGUMENT, CLOSED; the errors of the file. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_info(
    db: *const slaclock_db,
    out_info: *mut slaclock_db_info,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let db = db::get(db)?;
        // SAFETY: docs/capi.md, out parameters.
        let out = unsafe { output::out("out_info", out_info) }?;
        out.set(db.db.info()?.into());
        Ok(())
    })
}

/// The same as JSON, with the library's version and that of its time zone data: `slaclock`, `tzdb` and the fields of
/// `slaclock_db_info`, null for what there is not.
///
/// \param db       (in)
/// \param out_json (out, owned) free with `slaclock_text_free`
///
/// Errors: INVALID_ARGUMENT, CLOSED; the errors of the file. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_info_json(
    db: *const slaclock_db,
    out_json: *mut *mut slaclock_text,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let db = db::get(db)?;
        // SAFETY: docs/capi.md, out parameters.
        let out = unsafe { output::out("out_json", out_json) }?;
        let mut info = json!({
            "slaclock": env!("CARGO_PKG_VERSION"),
            "tzdb": slaclock_core::zone::TzData::bundled().version(),
        });
        let wrong =
            |error: serde_json::Error| Fault::new(slaclock_core::ErrorKind::Internal, error.to_string());
        if let (Some(all), serde_json::Value::Object(fields)) =
            (info.as_object_mut(), serde_json::to_value(db.db.info()?).map_err(wrong)?)
        {
            all.extend(fields);
        }
        give_json(out, &info)
    })
}

/// The places for a rebuild's account.
struct Account<'a> {
    rebuilt: Option<Out<'a, slaclock_rebuilt>>,
    json: Option<Out<'a, *mut slaclock_text>>,
}

impl Account<'_> {
    /// # Safety
    /// As for [`output::out`].
    unsafe fn of(rebuilt: *mut slaclock_rebuilt, json: *mut *mut slaclock_text) -> Result<Self, Fault> {
        // SAFETY: the same promise.
        unsafe {
            Ok(Account {
                rebuilt: output::optional_out("out_rebuilt", rebuilt)?,
                json: output::optional_out("out_json", json)?,
            })
        }
    }

    fn give(self, rebuild: &Rebuild) -> Result<(), Fault> {
        if let Some(json) = self.json {
            let text = serde_json::to_string(rebuild)
                .map_err(|error| Fault::new(slaclock_core::ErrorKind::Internal, error.to_string()))?;
            json.set(Text::fresh(text)?.hand_over());
        }
        if let Some(out) = self.rebuilt {
            out.set(rebuild.into());
        }
        Ok(())
    }
}

/// Derives every request anew from its events and compares the result with what is stored, byte by byte, the indexes
/// and the notices included. Writes nothing.
///
/// \param db          (in)
/// \param out_rebuilt (out) the account; NULL to decline
/// \param out_json    (out, owned) the same with the first 100 `differences` (`place`, `text`); free with
///                    `slaclock_text_free`; NULL to decline
///
/// Errors: INVALID_ARGUMENT, CLOSED; the errors of the file. Differences are no error. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_verify(
    db: *const slaclock_db,
    out_rebuilt: *mut slaclock_rebuilt,
    out_json: *mut *mut slaclock_text,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let db = db::get(db)?;
        // SAFETY: docs/capi.md, out parameters.
        let account = unsafe { Account::of(out_rebuilt, out_json) }?;
        account.give(&db.db.verify()?)
    })
}

/// Verifies every page of the file, then as `slaclock_verify`.
///
/// Arguments: as for `slaclock_verify`.
///
/// Errors: the same; DAMAGED with the place if anything was changed by other hands than slaclock's; BUSY if readers
/// or writers do not pause within the busy timeout. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_check(
    db: *const slaclock_db,
    out_rebuilt: *mut slaclock_rebuilt,
    out_json: *mut *mut slaclock_text,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let db = db::get(db)?;
        // SAFETY: docs/capi.md, out parameters.
        let account = unsafe { Account::of(out_rebuilt, out_json) }?;
        account.give(&db.db.check()?)
    })
}

/// As `slaclock_verify`, then replaces the stored state of every differing request by what follows from its events,
/// 1,000 requests a transaction.
///
/// Arguments and errors: as for `slaclock_verify`. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_rebuild(
    db: *mut slaclock_db,
    out_rebuilt: *mut slaclock_rebuilt,
    out_json: *mut *mut slaclock_text,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let db = db::get(db)?;
        // SAFETY: docs/capi.md, out parameters.
        let account = unsafe { Account::of(out_rebuilt, out_json) }?;
        account.give(&db.db.rebuild()?)
    })
}

/// Folds the log into the sealed values and gives free space in the file back.
///
/// \param db         (in)
/// \param out_shrank (out) 1 if the file shrank, else 0; NULL to decline
///
/// Errors: INVALID_ARGUMENT, CLOSED; BUSY if readers or writers, here or in another process, do not pause within the
/// busy timeout; the errors of the file. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_compact(
    db: *mut slaclock_db,
    out_shrank: *mut i32,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let db = db::get(db)?;
        // SAFETY: docs/capi.md, out parameters.
        let out = unsafe { output::optional_out("out_shrank", out_shrank) }?;
        let shrank = db.db.compact()?;
        if let Some(out) = out {
            out.set(i32::from(shrank));
        }
        Ok(())
    })
}

/// Makes a new database from every request and event that can still be read of a damaged one, which is only read. Works
/// on files that `slaclock_open` refuses.
///
/// \param path      (in) of the damaged file: bytes of the path; `path_len` their number, or SLACLOCK_NTS
/// \param to        (in) of the new file, likewise; nothing may be there
/// \param policy    (in) for the case that none in the file can be read; NULL for none
/// \param stand_ins 1 to keep events whose request cannot be read under a request that stands in for it, else 0
/// \param out_json  (out, owned) the account: `requests`, `events`, `policies`, `lost_requests`, `lost_events` (null where
///                  the file does not say how many it had), `orphaned_events`, `stand_ins`, `unproven`, `repinned`,
///                  `feed_advanced_to`, `consumers`, `file_bytes`, `damaged_pages`, `unreadable`, and the first 100
///                  `places`; free with `slaclock_text_free`; NULL to decline
///
/// Errors: INVALID_ARGUMENT; NOT_FOUND; NOT_A_DATABASE if there is nothing of a database in the file; NEWER_FORMAT; DAMAGED
/// if no policy can be read and none is given; BUSY while the file is open anywhere; ALREADY_EXISTS if anything is at
/// `to`; IO, STORAGE_FULL. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_salvage(
    path: *const c_char,
    path_len: usize,
    to: *const c_char,
    to_len: usize,
    policy: *const slaclock_policy,
    stand_ins: i32,
    out_json: *mut *mut slaclock_text,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        // SAFETY: docs/capi.md, texts and out parameters.
        let (path, to, out) = unsafe {
            (
                input::path("path", path, path_len)?,
                input::path("to", to, to_len)?,
                output::optional_out("out_json", out_json)?,
            )
        };
        let mut options = SalvageOptions::default();
        if !policy.is_null() {
            options = options.policy((*policy::get(policy)?).clone());
        }
        if input::flag("stand_ins", stand_ins)? {
            options = options.stand_ins();
        }
        let saved = Db::salvage(path, to, &options)?;
        out.map_or(Ok(()), |out| give_json(out, &saved))
    })
}
