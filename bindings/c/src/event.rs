//! Events: what happens to a request. They are only ever added, and may arrive late and out of order.

use std::ffi::c_char;

use slaclock_core::model::EventTag;
use slaclock_core::{Event, EventFields, EventKind, Operation};

use crate::db::{self, slaclock_db};
use crate::document::{self, EventDoc};
use crate::error::slaclock_error;
use crate::facts::{self, slaclock_facts};
use crate::fault::Fault;
use crate::guard::guard;
use crate::input::{NTS, SLACLOCK_NONE, Sized32};
use crate::request::{one, slaclock_outcome};
use crate::status::slaclock_status;
use crate::text::{give_json, slaclock_text};
use crate::{input, output};

/// What happened.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum slaclock_event_kind {
    /// The request arrived. Recorded by `slaclock_submit`, never as an event of its own.
    Received = 0,
    /// Somebody confirmed to the customer that it arrived.
    Acknowledged = 1,
    /// A person answered the customer. Automatic replies are no replies.
    Replied = 2,
    /// The customer wrote again.
    CustomerReplied = 3,
    /// The customer was told the state of the request.
    Updated = 4,
    /// A person or group took it: carries `to`.
    Assigned = 5,
    /// Work stops: carries `reason`, like `waiting_customer`. A second pause with another reason replaces the first.
    Paused = 6,
    /// Work goes on, whatever the pause was for.
    Resumed = 7,
    /// A third party was contacted: carries `vendor`.
    VendorContacted = 8,
    /// The third party answered: carries `vendor`.
    VendorReplied = 9,
    /// The customer was promised an instant: carries `due_at`, later than the event's own.
    Promised = 10,
    /// Handled.
    Resolved = 11,
    /// Not handled after all.
    Reopened = 12,
    /// Withdrawn, merged or a mistake.
    Cancelled = 13,
    /// Facts changed: carries `facts`, the new values by name; an empty one removes a fact.
    Changed = 14,
    /// Something for the record: its `text`.
    Note = 15,
    /// The customer's crisis goes first: carries `by`.
    Expedited = 16,
    /// It was no crisis, the expedite is given back: carries `by`.
    ExpediteWithdrawn = 17,
    /// Somebody proposes to refuse the request: carries `by`, and `text` says why.
    RefusalProposed = 18,
    /// A second person agrees: carries `by`.
    RefusalApproved = 19,
    /// The proposal is off the table: carries `by`.
    RefusalWithdrawn = 20,
    /// A missed cycle of a clock is excused: carries `by`, `clock` and `cycle`, and `text` says why.
    Waived = 21,
    /// The excuse is taken back: carries `clock` and `cycle`.
    WaiverWithdrawn = 22,
    /// The request moved to another version of the policy. Recorded by `slaclock_migrate`, never as an event of its own.
    Migrated = 24,
    /// An entry of the FAQ answers it: carries `faq`.
    FaqLinked = 28,
    /// It does not after all: carries `faq`.
    FaqUnlinked = 29,
}

/// One thing that happened to a request. Set it up with `SLACLOCK_EVENT_INIT` or `slaclock_event_init`, which leave
/// everything out and take every text as ending with NUL; then set at least `kind`, `at` and what the kind carries.
///
/// Texts are (borrowed) UTF-8, each with its length in bytes or SLACLOCK_NTS; NULL leaves one out. They are read
/// during the call only.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct slaclock_event {
    /// Size of this struct in bytes.
    pub size: u32,
    /// One of `slaclock_event_kind`.
    pub kind: i32,
    /// When it happened: seconds since 1970-01-01T00:00:00Z, below 2100.
    pub at: i64,
    /// Who did it.
    pub by: *const c_char,
    /// Length of `by`.
    pub by_len: usize,
    /// The caller's idempotency key, unique within the request: the same event with the same key again changes nothing.
    pub key: *const c_char,
    /// Length of `key`.
    pub key_len: usize,
    /// Free text for the record.
    pub text: *const c_char,
    /// Length of `text`.
    pub text_len: usize,
    /// Of a pause.
    pub reason: *const c_char,
    /// Length of `reason`.
    pub reason_len: usize,
    /// Of an assignment.
    pub to: *const c_char,
    /// Length of `to`.
    pub to_len: usize,
    /// Of a contact with a third party.
    pub vendor: *const c_char,
    /// Length of `vendor`.
    pub vendor_len: usize,
    /// Of a promise; SLACLOCK_NONE for none.
    pub due_at: i64,
    /// Of a change; NULL for none.
    pub facts: *const slaclock_facts,
    /// Of an expedite: who allowed it beyond the quota.
    pub approved_by: *const c_char,
    /// Length of `approved_by`.
    pub approved_by_len: usize,
    /// Of a waiver: the clock whose miss is excused.
    pub clock: *const c_char,
    /// Length of `clock`.
    pub clock_len: usize,
    /// Of a waiver: number of the missed cycle, from 1; SLACLOCK_NONE for none.
    pub cycle: i64,
    /// Of a link to the FAQ: the entry's id.
    pub faq: *const c_char,
    /// Length of `faq`.
    pub faq_len: usize,
}

// SAFETY: integers and pointers only, the size first.
unsafe impl Sized32 for slaclock_event {
    const NAME: &'static str = "slaclock_event";
    const FIRST_SIZE: usize = size_of::<slaclock_event>();
}

const EMPTY: slaclock_event = slaclock_event {
    size: size_of::<slaclock_event>() as u32,
    kind: -1,
    at: SLACLOCK_NONE,
    by: std::ptr::null(),
    by_len: NTS,
    key: std::ptr::null(),
    key_len: NTS,
    text: std::ptr::null(),
    text_len: NTS,
    reason: std::ptr::null(),
    reason_len: NTS,
    to: std::ptr::null(),
    to_len: NTS,
    vendor: std::ptr::null(),
    vendor_len: NTS,
    due_at: SLACLOCK_NONE,
    facts: std::ptr::null(),
    approved_by: std::ptr::null(),
    approved_by_len: NTS,
    clock: std::ptr::null(),
    clock_len: NTS,
    cycle: SLACLOCK_NONE,
    faq: std::ptr::null(),
    faq_len: NTS,
};

/// The event that a struct of the caller's describes.
///
/// # Safety
/// As for [`input::sized`], and its texts as for [`input::text`].
pub(crate) unsafe fn read(event: *const slaclock_event) -> Result<Event, Fault> {
    // SAFETY: the same promise, for the struct and for each text.
    unsafe {
        let given = input::sized("event", event)?;
        let tag = u8::try_from(given.kind).ok().and_then(EventTag::from_code);
        let tag = tag.ok_or_else(|| {
            Fault::argument(format!("`event.kind` is {}: must be a slaclock_event_kind, 0 to 29", given.kind))
        })?;
        let optional = |name: &str, data: *const c_char, len: usize| {
            Ok::<_, Fault>(input::optional_text(name, data, len)?.map(str::to_owned))
        };
        let fields = EventFields {
            to: optional("event.to", given.to, given.to_len)?,
            reason: optional("event.reason", given.reason, given.reason_len)?,
            vendor: optional("event.vendor", given.vendor, given.vendor_len)?,
            due: input::optional_instant("event.due_at", given.due_at)?,
            facts: facts::pairs("event.facts", given.facts)?,
            approved_by: optional("event.approved_by", given.approved_by, given.approved_by_len)?,
            clock: optional("event.clock", given.clock, given.clock_len)?,
            cycle: match given.cycle {
                SLACLOCK_NONE => None,
                cycle => Some(u32::try_from(cycle).map_err(|_| {
                    Fault::argument(format!("`event.cycle` is {cycle}: cycles are counted from 1"))
                })?),
            },
            faq: optional("event.faq", given.faq, given.faq_len)?,
        };
        Ok(Event {
            kind: EventKind::from_fields(tag, fields)?,
            at: input::instant("event.at", given.at)?,
            by: optional("event.by", given.by, given.by_len)?,
            key: optional("event.key", given.key, given.key_len)?,
            text: optional("event.text", given.text, given.text_len)?,
        })
    }
}

/// Leaves everything in an event out, as `SLACLOCK_EVENT_INIT` does.
///
/// \param event (out)
/// \param size  `sizeof(slaclock_event)`
///
/// Errors: INVALID_ARGUMENT if `event` is NULL or `size` is not that of a header. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_event_init(
    event: *mut slaclock_event,
    size: usize,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        // SAFETY: docs/capi.md, structs with a size.
        unsafe { output::initialise("event", event, size, EMPTY) }
    })
}

/// Records an event on a request. Durable when the call returns (with safe durability).
///
/// Idempotent if the event has a key: the same event with the same key gives ALREADY_RECORDED.
///
/// \param db          (in)
/// \param id          (in) the request's id, UTF-8; `id_len` its length in bytes, or SLACLOCK_NTS
/// \param event       (in)
/// \param out_outcome (out) one of `slaclock_outcome`; NULL to decline
///
/// Errors: INVALID_ARGUMENT for an argument, an unknown kind; CLOSED; OUT_OF_RANGE for
/// an instant; NOT_FOUND if there is no such request; INVALID_EVENT for an event before the
/// receipt, one that lacks what its kind carries, or has what it does not;
/// CONFLICT if its key was used on this request with other content; QUOTA_EXCEEDED for an expedite beyond the customer's
/// quota; the errors of the file. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_record(
    db: *mut slaclock_db,
    id: *const c_char,
    id_len: usize,
    event: *const slaclock_event,
    out_outcome: *mut slaclock_outcome,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let db = db::get(db)?;
        // SAFETY: docs/capi.md, texts, structs with a size and out parameters.
        let (id, event, out) = unsafe {
            (input::text("id", id, id_len)?, read(event)?, output::optional_out("out_outcome", out_outcome)?)
        };
        let outcome = one(&db.db, Operation::Record { id: id.to_owned(), event })?;
        if let Some(out) = out {
            out.set(outcome);
        }
        Ok(())
    })
}

/// The same with JSON in and out, for languages in which structs are tedious.
///
/// \param db       (in)
/// \param id       (in) the request's id, UTF-8; `id_len` its length in bytes, or SLACLOCK_NTS
/// \param json     (in) an object of `event` (the word: `acknowledged`, `paused`, ...), `at` and, as wanted, `by`,
///                 `key`, `text` and what the kind carries: `reason`, `to`, `vendor`, `due`, `facts`, `approved_by`,
///                 `clock`, `cycle`, `faq`; `json_len` its length in bytes, or SLACLOCK_NTS
/// \param out_json (out, owned) `outcome` (`recorded`, `already_recorded`) and `clocks`, as in `slaclock_get_json`;
///                 free with `slaclock_text_free`; NULL to decline
///
/// Errors: as for `slaclock_record`. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slaclock_record_json(
    db: *mut slaclock_db,
    id: *const c_char,
    id_len: usize,
    json: *const c_char,
    json_len: usize,
    out_json: *mut *mut slaclock_text,
    error: *mut slaclock_error,
) -> slaclock_status {
    guard(error, || {
        let db = db::get(db)?;
        // SAFETY: docs/capi.md, texts and out parameters.
        let (id, json, out) = unsafe {
            (
                input::text("id", id, id_len)?,
                input::text("json", json, json_len)?,
                output::optional_out("out_json", out_json)?,
            )
        };
        let event = document::read::<EventDoc>("json", json)?.into_event()?;
        let recorded = db.db.record(id, event)?;
        out.map_or(Ok(()), |out| give_json(out, &recorded))
    })
}
