//! The C functions as a script: bytes choose functions and what they are given: good, NULL, stale, foreign and invented
//! handles, texts of all kinds, wild numbers. Pointers to memory are good or NULL: the others are the caller's own duty.
//! Columns and structs lie in allocations of exactly their size, so that the address sanitizer sees one byte too many.
//! No call may crash, hang or answer `INTERNAL`; what a text handle gives is readable to its last byte.
#![allow(unsafe_code, reason = "it calls a C interface")]
#![allow(non_snake_case, reason = "a macro names arguments after their types")]

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ffi::{c_char, c_void};
use std::path::PathBuf;
use std::sync::Once;

use arbitrary::Unstructured;
use slaclock_capi::arrow::ArrowArrayStream;
use slaclock_capi::batch::slaclock_batch;
use slaclock_capi::calendar::slaclock_calendar;
use slaclock_capi::db::{slaclock_db, slaclock_options};
use slaclock_capi::error::slaclock_error;
use slaclock_capi::event::slaclock_event;
use slaclock_capi::facts::slaclock_facts;
use slaclock_capi::import::slaclock_import_options;
use slaclock_capi::policy::slaclock_policy;
use slaclock_capi::report::slaclock_attainment_query;
use slaclock_capi::request::slaclock_request;
use slaclock_capi::rule::slaclock_rule;
use slaclock_capi::scan::slaclock_query;
use slaclock_capi::status::slaclock_status;
use slaclock_capi::text::{self, slaclock_text};

const POLICY: &str = include_str!("../../examples/care/desk.toml");
const MAPPING: &str = include_str!("../../examples/care/mapping.toml");
const LOG: &str = include_str!("../../examples/care/requests.csv");
const NOW: i64 = 1_772_442_000;

/// Texts that some function makes sense of.
const TEXTS: [&str; 42] = [
    POLICY,
    MAPPING,
    "CASE-1",
    "CASE-2",
    "acme",
    "resolution",
    "call_back",
    "hosting",
    "office",
    "high",
    "priority",
    "waiting_customer",
    "ann",
    "bob",
    "mail",
    "why",
    "2026-03",
    "2026-Q1",
    "2026",
    "UTC",
    "Europe/Moscow",
    "a.slaclock",
    "b.slaclock",
    "policy.toml",
    "log.csv",
    "mapping.toml",
    "",
    "help-desk",
    r#"{"id":"CASE-1","received_at":1772442000,"customer":"acme"}"#,
    r#"{"id":"CASE-3","received_at":"2026-03-02T09:00:00+03:00","attributes":{"type":"pump"}}"#,
    r#"{"kind":"resolved","at":1772452000,"by":"ann","key":"k1"}"#,
    r#"{"kind":"promised","at":1772452000,"due":1772462000}"#,
    r#"{"now":1772542000}"#,
    "vpn",
    r#"{"id":"vpn","question":"Why does it drop?","answer":"Restart it.","request":"CASE-1"}"#,
    r#"{"id":"vpn","answer":"Wait."}"#,
    r#"{"words":"restart","customer":"acme"}"#,
    r#"{"now":1772542000,"period":"2026-03","clock":"resolution"}"#,
    r#"{"priority":"high","customer":"acme"}"#,
    r#"[{"submit":{"id":"CASE-4","received_at":1772442000}},{"record":{"id":"CASE-4","kind":"resolved","at":1772443000}}]"#,
    r#"{"declare":{"category":"power","scope":"all","from":1772442000}}"#,
    r#"{"version":1,"duty":"reading","by":"ann","at":1772542000}"#,
];

/// What the calls of one input have made and may use.
struct Script<'a> {
    input: Unstructured<'a>,
    /// Handles by kind: policies, rules, calendars, facts, databases, texts, batches. Stale ones stay among them.
    handles: [Vec<usize>; 7],
    /// Out places for handles, with the kind; looked at after the call.
    places: Vec<(usize, *mut usize)>,
    streams: Vec<*mut Stream>,
    memory: Vec<(*mut u8, Layout)>,
    /// Entries of every column of the call.
    columns: usize,
    /// What the next length must be.
    length: Option<Length>,
}

#[derive(Clone, Copy)]
enum Length {
    Text(usize),
    Columns,
    Struct,
}

/// The stream of the Arrow C stream interface.
#[repr(C)]
struct Stream {
    get_schema: Option<unsafe extern "C" fn(*mut Stream, *mut c_void) -> i32>,
    get_next: Option<unsafe extern "C" fn(*mut Stream, *mut c_void) -> i32>,
    get_last_error: Option<unsafe extern "C" fn(*mut Stream) -> *const c_char>,
    release: Option<unsafe extern "C" fn(*mut Stream)>,
    private: *mut c_void,
}

impl<'a> Script<'a> {
    fn below(&mut self, end: usize) -> usize {
        self.input.int_in_range(0..=end.max(1) - 1).unwrap_or(0)
    }

    fn number(&mut self) -> i64 {
        const ODD: [i64; 12] =
            [0, 1, -1, i64::MAX, i64::MIN, 4_102_444_799, 4_102_444_800, 20_514, 47_481, 47_482, 86_400, 255];
        match self.below(8) {
            0 => self.input.arbitrary().unwrap_or(0),
            1 | 2 => ODD[self.below(ODD.len())],
            3 => self.below(4) as i64,
            _ => NOW + self.below(1_000_000) as i64,
        }
    }

    /// Zeroed memory of exactly this size, until the script ends.
    fn room(&mut self, layout: Layout) -> *mut u8 {
        assert!(layout.size() > 0);
        // SAFETY: the size is not 0.
        let place = unsafe { alloc_zeroed(layout) };
        assert!(!place.is_null());
        self.memory.push((place, layout));
        place
    }

    fn bytes(&mut self) -> Vec<u8> {
        match self.below(8) {
            0 => {
                let count = self.below(24);
                let mut bytes = self.input.bytes(count.min(self.input.len())).unwrap_or_default().to_vec();
                // Files are made only in the folder of the script.
                bytes
                    .iter_mut()
                    .for_each(|byte| *byte = if matches!(byte, b'/' | b'.') { b'_' } else { *byte });
                bytes
            }
            1 => {
                let mut bytes = TEXTS[self.below(TEXTS.len())].as_bytes().to_vec();
                let at = self.below(bytes.len());
                let with = self.input.arbitrary().unwrap_or(b' ');
                if let Some(byte) = bytes.get_mut(at).filter(|_| !matches!(with, b'/' | b'.')) {
                    *byte = with;
                }
                bytes
            }
            _ => TEXTS[self.below(TEXTS.len())].as_bytes().to_vec(),
        }
    }

    /// A text without a NUL after it, and its length; now and then NULL.
    fn text(&mut self) -> (*const c_char, usize) {
        if self.below(8) == 0 {
            return (std::ptr::null(), self.below(2));
        }
        let bytes = self.bytes();
        if bytes.is_empty() {
            return (std::ptr::dangling(), 0);
        }
        let place = self.room(Layout::array::<u8>(bytes.len()).expect("small"));
        // SAFETY: fresh memory of that length.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), place, bytes.len()) };
        (place.cast(), bytes.len())
    }

    fn handle(&mut self, kind: usize) -> usize {
        match self.below(16) {
            0 => 0,
            1 => self.input.arbitrary().unwrap_or(1),
            2 => {
                let other = self.below(7);
                let at = self.below(self.handles[other].len());
                self.handles[other].get(at).copied().unwrap_or(7)
            }
            3 => {
                let at = self.below(self.handles[kind].len());
                self.handles[kind].get(at).copied().unwrap_or(0)
            }
            _ => self.handles[kind].last().copied().unwrap_or(0),
        }
    }

    /// After a call: what it gave is kept, texts are read to their last byte.
    fn gather(&mut self) {
        for (kind, place) in std::mem::take(&mut self.places) {
            // SAFETY: memory of the script's own.
            let handle = unsafe { place.read() };
            if handle == 0 {
                continue;
            }
            self.handles[kind].push(handle);
            if kind == TEXT {
                let handle = std::ptr::without_provenance::<slaclock_text>(handle);
                // SAFETY: a handle just given; its bytes are there until it is freed.
                let bytes = unsafe {
                    let (data, length) = (text::slaclock_text_data(handle), text::slaclock_text_len(handle));
                    std::slice::from_raw_parts(data.cast::<u8>(), length + 1)
                };
                assert!(bytes.ends_with(&[0]) && std::str::from_utf8(bytes).is_ok());
            }
        }
        self.length = None;
    }

    /// Gives everything back.
    fn end(&mut self) {
        let all = std::mem::take(&mut self.handles);
        for (kind, handle) in
            all.iter().enumerate().flat_map(|(kind, all)| all.iter().map(move |one| (kind, *one)))
        {
            // SAFETY: handles are looked up, not followed; stale ones are told and nothing more.
            unsafe {
                match kind {
                    POLICY_KIND => {
                        slaclock_capi::policy::slaclock_policy_free(std::ptr::without_provenance_mut(handle))
                    }
                    RULE => slaclock_capi::rule::slaclock_rule_free(std::ptr::without_provenance_mut(handle)),
                    CALENDAR => slaclock_capi::calendar::slaclock_calendar_free(
                        std::ptr::without_provenance_mut(handle),
                    ),
                    FACTS => {
                        slaclock_capi::facts::slaclock_facts_free(std::ptr::without_provenance_mut(handle))
                    }
                    DB => {
                        let db = std::ptr::without_provenance_mut(handle);
                        let _ = slaclock_capi::db::slaclock_close(db, std::ptr::null_mut());
                    }
                    TEXT => slaclock_capi::text::slaclock_text_free(std::ptr::without_provenance_mut(handle)),
                    _ => slaclock_capi::batch::slaclock_batch_free(std::ptr::without_provenance_mut(handle)),
                }
            }
        }
        for stream in std::mem::take(&mut self.streams) {
            // SAFETY: a place of the script's own; what a call put there is released once.
            unsafe {
                if let Some(release) = (*stream).release {
                    release(stream);
                }
            }
        }
        // SAFETY: nobody keeps what is in files or memory of this script.
        unsafe { slaclock_capi::db::slaclock_shutdown(std::ptr::null_mut()) };
        for (place, layout) in std::mem::take(&mut self.memory) {
            // SAFETY: allocated with this layout, freed once.
            unsafe { dealloc(place, layout) };
        }
    }
}

const POLICY_KIND: usize = 0;
const RULE: usize = 1;
const CALENDAR: usize = 2;
const FACTS: usize = 3;
const DB: usize = 4;
const TEXT: usize = 5;
const BATCH: usize = 6;

/// What a call can be given.
trait Argument {
    fn draw(script: &mut Script<'_>) -> Self;
}

impl Argument for i64 {
    fn draw(script: &mut Script<'_>) -> i64 {
        script.number()
    }
}

impl Argument for i32 {
    fn draw(script: &mut Script<'_>) -> i32 {
        if script.below(8) == 0 { script.number() as i32 } else { script.below(5) as i32 }
    }
}

impl Argument for usize {
    fn draw(script: &mut Script<'_>) -> usize {
        match script.length.take() {
            Some(Length::Text(length)) => length,
            Some(Length::Columns) => script.columns,
            // Refused above 4,096, and there is room for so much.
            Some(Length::Struct) => [0, 1, 4, 16, 64, 260, 4_096, usize::MAX][script.below(8)],
            None => script.number() as usize,
        }
    }
}

impl Argument for *const c_char {
    fn draw(script: &mut Script<'_>) -> *const c_char {
        let (text, length) = script.text();
        script.length = Some(Length::Text(length));
        text
    }
}

macro_rules! handles {
    ($($marker:ty = $kind:expr;)*) => {$(
        impl Argument for *const $marker {
            fn draw(script: &mut Script<'_>) -> Self {
                std::ptr::without_provenance(script.handle($kind))
            }
        }
        impl Argument for *mut $marker {
            fn draw(script: &mut Script<'_>) -> Self {
                std::ptr::without_provenance_mut(script.handle($kind))
            }
        }
        impl Argument for *mut *mut $marker {
            fn draw(script: &mut Script<'_>) -> Self {
                if script.below(12) == 0 {
                    return std::ptr::null_mut();
                }
                let place = script.room(Layout::new::<usize>());
                script.places.push(($kind, place.cast()));
                place.cast()
            }
        }
    )*};
}

handles! {
    slaclock_policy = POLICY_KIND;
    slaclock_rule = RULE;
    slaclock_calendar = CALENDAR;
    slaclock_facts = FACTS;
    slaclock_db = DB;
    slaclock_text = TEXT;
    slaclock_batch = BATCH;
}

/// Columns and single results: room for as many entries as the call's columns have, one at least.
fn column<T>(script: &mut Script<'_>) -> *mut T {
    script.length = Some(Length::Columns);
    if script.below(16) == 0 {
        return std::ptr::null_mut();
    }
    script.room(Layout::array::<T>(script.columns.max(1)).expect("small")).cast()
}

impl Argument for *const i64 {
    fn draw(script: &mut Script<'_>) -> *const i64 {
        let place = column::<i64>(script);
        if !place.is_null() {
            for at in 0..script.columns {
                let number = script.number();
                // SAFETY: within the room just made.
                unsafe { place.add(at).write(number) };
            }
        }
        place
    }
}

/// Policies side by side: good handles, others, and none.
impl Argument for *const *const slaclock_policy {
    fn draw(script: &mut Script<'_>) -> Self {
        let place = column::<usize>(script);
        if !place.is_null() {
            for at in 0..script.columns {
                let handle = script.handle(POLICY_KIND);
                // SAFETY: within the room just made.
                unsafe { place.add(at).write(handle) };
            }
        }
        place.cast_const().cast()
    }
}

macro_rules! results {
    ($($result:ty),*) => {$(
        impl Argument for *mut $result {
            fn draw(script: &mut Script<'_>) -> Self {
                column(script)
            }
        }
    )*};
}

results!(
    i64,
    i32,
    usize,
    slaclock_capi::arrow::slaclock_written,
    slaclock_capi::care::slaclock_db_info,
    slaclock_capi::care::slaclock_rebuilt,
    slaclock_capi::feed::slaclock_notice,
    slaclock_capi::report::slaclock_attainment_row,
    slaclock_capi::request::slaclock_clock_status,
    slaclock_capi::request::slaclock_outcome,
    slaclock_capi::scan::slaclock_row,
    slaclock_capi::scan::slaclock_stage_counts
);

impl Argument for *mut slaclock_error {
    fn draw(script: &mut Script<'_>) -> Self {
        if script.below(4) == 0 {
            std::ptr::null_mut()
        } else {
            script.room(Layout::new::<slaclock_error>()).cast()
        }
    }
}

impl Argument for *mut ArrowArrayStream {
    fn draw(script: &mut Script<'_>) -> Self {
        match script.below(8) {
            0 => return std::ptr::null_mut(),
            // One that a call gave before, for a call that takes one; it may be taken already.
            1..=3 if !script.streams.is_empty() => {
                let at = script.below(script.streams.len());
                return script.streams[at].cast();
            }
            _ => {}
        }
        let place = script.room(Layout::new::<Stream>()).cast::<Stream>();
        script.streams.push(place);
        place.cast()
    }
}

impl Argument for Option<unsafe extern "C" fn(*mut c_void, i32, *const c_char, usize)> {
    fn draw(script: &mut Script<'_>) -> Self {
        unsafe extern "C" fn listen(_: *mut c_void, _: i32, text: *const c_char, length: usize) {
            // SAFETY: the library's promise.
            assert!(unsafe { std::slice::from_raw_parts(text.cast::<u8>(), length + 1) }.ends_with(&[0]));
        }
        (script.below(2) == 0).then_some(listen as _)
    }
}

impl Argument for *mut c_void {
    fn draw(_: &mut Script<'_>) -> Self {
        std::ptr::null_mut()
    }
}

/// Structs with a size that go in: of this header, of another, or NULL; and places for `_init`.
macro_rules! structs {
    ($($name:ident { $($field:ident $(, $length:ident)?;)* })*) => {$(
        impl Argument for *const $name {
            fn draw(script: &mut Script<'_>) -> Self {
                if script.below(16) == 0 {
                    return std::ptr::null();
                }
                let place = script.room(Layout::new::<$name>()).cast::<$name>();
                let size = match script.below(12) {
                    0 => script.below(size_of::<$name>() + 1) as u32,
                    _ => size_of::<$name>() as u32,
                };
                // SAFETY: zeroed memory, which is a value of these structs, filled field by field.
                let given = unsafe { &mut *place };
                given.size = size;
                $(structs!(@ script, given, $field $(, $length)?);)*
                place
            }
        }
        impl Argument for *mut $name {
            fn draw(script: &mut Script<'_>) -> Self {
                script.length = Some(Length::Struct);
                if script.below(8) == 0 {
                    return std::ptr::null_mut();
                }
                script.room(Layout::from_size_align(4_096, 16).expect("small")).cast()
            }
        }
    )*};
    (@ $script:ident, $given:ident, $field:ident) => {
        if $script.below(2) == 0 {
            $given.$field = Argument::draw($script);
        }
    };
    (@ $script:ident, $given:ident, $field:ident, $length:ident) => {
        if $script.below(2) == 0 {
            ($given.$field, $given.$length) = $script.text();
        }
    };
}

structs! {
    slaclock_options { mode; durability; read_only; verify; share; bulk_every_rows; }
    slaclock_request {
        id, id_len; received_at; customer, customer_len; priority, priority_len; category, category_len;
        channel, channel_len; subject, subject_len; attributes;
    }
    slaclock_event {
        kind; at; by, by_len; key, key_len; text, text_len; reason, reason_len; to, to_len; vendor, vendor_len; due_at;
        facts; approved_by, approved_by_len; clock, clock_len; cycle;
    }
    slaclock_query { stages; now; since; until; clock, clock_len; }
    slaclock_attainment_query { per; now; period, period_len; clock, clock_len; by, by_len; }
    slaclock_import_options { on_bad_row; keep_oddities; }
}

/// What a call may answer.
trait Answer {
    fn check(self, name: &str);
}

impl Answer for slaclock_status {
    fn check(self, name: &str) {
        // The log has the panic's text.
        assert_ne!(self as i32, slaclock_status::Internal as i32, "{name} met a defect");
    }
}

macro_rules! plain {
    ($($answer:ty),*) => {$(impl Answer for $answer { fn check(self, _: &str) {} })*};
}
plain!((), usize, i32, *const c_char);

trait Call {
    fn call(self, name: &str, script: &mut Script<'_>);
}

macro_rules! arities {
    ($(($($argument:ident)*))*) => {$(
        impl<$($argument: Argument,)* R: Answer> Call for unsafe extern "C" fn($($argument),*) -> R {
            fn call(self, name: &str, script: &mut Script<'_>) {
                script.columns = if script.below(6) == 0 { 0 } else { script.below(9) };
                $(let $argument = $argument::draw(script);)*
                // SAFETY: every pointer is NULL or good for what docs/capi.md asks; handles are any numbers.
                let answer = unsafe { self($($argument),*) };
                answer.check(name);
                script.gather();
            }
        }
    )*};
}

arities! {
    () (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H) (A B C D E F G H I)
    (A B C D E F G H I J) (A B C D E F G H I J K)
}

type Run = fn(&mut Script<'_>);

macro_rules! functions {
    ($($module:ident::$name:ident($($argument:tt),*);)*) => {
        /// Every function of the header.
        const FUNCTIONS: &[(&str, Run)] = &[$((stringify!($name), |script| {
            let function: unsafe extern "C" fn($($argument),*) -> _ = slaclock_capi::$module::$name;
            Call::call(function, stringify!($name), script);
        }),)*];
    };
}

functions! {
    agreement::slaclock_outlook_json(_, _, _, _, _);
    agreement::slaclock_interrupt(_, _, _, _, _, _, _, _, _, _, _);
    agreement::slaclock_interruptions_json(_, _, _);
    agreement::slaclock_migrate(_, _, _, _, _, _, _, _, _, _);
    agreement::slaclock_retz(_, _, _, _, _, _, _, _, _);
    agreement::slaclock_fork(_, _, _, _, _);
    arrow::slaclock_scan_arrow(_, _, _, _);
    arrow::slaclock_pending_arrow(_, _, _, _, _, _);
    arrow::slaclock_attainment_arrow(_, _, _, _);
    arrow::slaclock_waiting_arrow(_, _, _, _, _, _);
    arrow::slaclock_submit_arrow(_, _, _, _, _, _, _, _);
    arrow::slaclock_record_arrow(_, _, _, _, _, _, _, _);
    batch::slaclock_batch_new(_, _);
    batch::slaclock_batch_submit(_, _, _);
    batch::slaclock_batch_record(_, _, _, _, _);
    batch::slaclock_batch_len(_);
    batch::slaclock_batch_clear(_, _);
    batch::slaclock_batch_free(_);
    batch::slaclock_apply(_, _, _, _, _, _, _, _);
    batch::slaclock_apply_json(_, _, _, _, _, _);
    calendar::slaclock_calendar_zone(_, _, _);
    calendar::slaclock_calendar_is_open(_, _, _, _);
    calendar::slaclock_calendar_next_open(_, _, _, _);
    calendar::slaclock_calendar_next_close(_, _, _, _);
    calendar::slaclock_calendar_working_time(_, _, _, _, _);
    calendar::slaclock_calendar_working_time_many(_, _, _, _, _, _);
    calendar::slaclock_calendar_add_working_time(_, _, _, _, _);
    calendar::slaclock_calendar_sub_working_time(_, _, _, _, _);
    calendar::slaclock_calendar_is_working_day(_, _, _, _);
    calendar::slaclock_calendar_add_working_days(_, _, _, _, _);
    calendar::slaclock_calendar_working_days(_, _, _, _, _);
    calendar::slaclock_calendar_local(_, _, _, _, _);
    calendar::slaclock_calendar_instant(_, _, _, _, _, _);
    calendar::slaclock_calendar_hours(_, _, _, _, _);
    calendar::slaclock_calendar_intervals(_, _, _, _, _, _, _, _);
    calendar::slaclock_calendar_free(_);
    care::slaclock_info(_, _, _);
    care::slaclock_info_json(_, _, _);
    care::slaclock_verify(_, _, _, _);
    care::slaclock_check(_, _, _, _);
    care::slaclock_rebuild(_, _, _, _);
    care::slaclock_compact(_, _, _);
    care::slaclock_salvage(_, _, _, _, _, _, _, _);
    db::slaclock_options_init(_, _, _);
    db::slaclock_create(_, _, _, _, _, _);
    db::slaclock_in_memory(_, _, _);
    db::slaclock_open(_, _, _, _, _);
    db::slaclock_close(_, _);
    db::slaclock_shutdown(_);
    db::slaclock_flush(_, _);
    db::slaclock_cancel(_, _, _);
    db::slaclock_install(_, _, _, _);
    db::slaclock_db_policy(_, _, _);
    db::slaclock_policies_json(_, _, _);
    desk::slaclock_expedite_quota_json(_, _, _, _, _, _);
    desk::slaclock_expedites_json(_, _, _, _, _);
    desk::slaclock_waits_json(_, _, _, _, _, _);
    desk::slaclock_judged_json(_, _, _, _);
    desk::slaclock_acknowledge_policy(_, _, _, _, _);
    desk::slaclock_acknowledgements_json(_, _, _);
    desk::slaclock_refusals_json(_, _, _, _);
    desk::slaclock_reminders_json(_, _, _, _);
    error::slaclock_last_error();
    event::slaclock_event_init(_, _, _);
    event::slaclock_record(_, _, _, _, _, _);
    event::slaclock_record_json(_, _, _, _, _, _, _);
    explain::slaclock_explain(_, _, _, _, _, _, _, _, _);
    facts::slaclock_facts_new(_, _);
    facts::slaclock_facts_from_json(_, _, _, _);
    facts::slaclock_facts_set(_, _, _, _, _, _);
    facts::slaclock_facts_free(_);
    feed::slaclock_advance(_, _, _, _);
    feed::slaclock_pending(_, _, _, _, _, _, _);
    feed::slaclock_pending_json(_, _, _, _, _, _);
    feed::slaclock_acknowledge(_, _, _, _, _);
    feed::slaclock_acknowledged(_, _, _, _, _);
    figures::slaclock_report_json(_, _, _, _, _);
    figures::slaclock_fairness_json(_, _, _, _);
    figures::slaclock_report_html(_, _, _, _, _);
    figures::slaclock_simulate_json(_, _, _, _, _, _);
    history::slaclock_history_json(_, _, _, _, _, _, _);
    history::slaclock_faq_requests_json(_, _, _, _, _, _, _);
    history::slaclock_faq_publish(_, _, _, _, _, _, _, _);
    history::slaclock_faq_amend(_, _, _, _, _, _, _, _);
    history::slaclock_faq_withdraw(_, _, _, _, _, _, _, _);
    history::slaclock_faq_link(_, _, _, _, _, _, _, _, _, _);
    history::slaclock_faq_unlink(_, _, _, _, _, _, _, _, _, _);
    history::slaclock_faq_json(_, _, _, _);
    history::slaclock_faq_entry_json(_, _, _, _, _);
    history::slaclock_faq_markdown(_, _, _, _, _);
    history::slaclock_search_json(_, _, _, _, _);
    import::slaclock_import_options_init(_, _, _);
    import::slaclock_import(_, _, _, _, _, _, _, _);
    log::slaclock_set_log(_, _, _);
    policy::slaclock_policy_load(_, _, _, _);
    policy::slaclock_policy_from_text(_, _, _, _);
    policy::slaclock_policy_source(_, _, _);
    policy::slaclock_policy_json(_, _, _);
    policy::slaclock_policy_lint(_, _, _, _, _);
    policy::slaclock_policy_schema(_, _);
    policy::slaclock_policy_due(_, _, _, _, _, _, _);
    policy::slaclock_policy_limit(_, _, _, _, _, _, _);
    policy::slaclock_policy_due_many(_, _, _, _, _, _, _, _);
    policy::slaclock_policy_rule(_, _, _, _, _, _);
    policy::slaclock_policy_calendar(_, _, _, _, _);
    policy::slaclock_policy_explain(_, _, _, _, _, _, _, _);
    policy::slaclock_policy_free(_);
    report::slaclock_attainment_query_init(_, _, _);
    report::slaclock_attainment(_, _, _, _, _, _);
    report::slaclock_attainment_json(_, _, _, _);
    report::slaclock_waiting_json(_, _, _, _, _, _);
    request::slaclock_request_init(_, _, _);
    request::slaclock_submit(_, _, _, _);
    request::slaclock_submit_json(_, _, _, _, _);
    request::slaclock_clocks(_, _, _, _, _, _, _, _);
    request::slaclock_get_json(_, _, _, _, _, _);
    rule::slaclock_rule_due(_, _, _, _);
    rule::slaclock_rule_limit(_, _, _, _);
    rule::slaclock_rule_due_many(_, _, _, _, _);
    rule::slaclock_rule_due_paused(_, _, _, _, _, _, _);
    rule::slaclock_rule_paused(_, _, _, _, _, _, _);
    rule::slaclock_rule_calendar(_, _, _);
    rule::slaclock_rule_free(_);
    scan::slaclock_query_init(_, _, _);
    scan::slaclock_scan(_, _, _, _, _, _, _, _);
    scan::slaclock_scan_json(_, _, _, _, _, _);
    scan::slaclock_late(_, _, _, _, _, _, _, _);
    scan::slaclock_breached(_, _, _, _, _, _, _, _);
    scan::slaclock_at_risk(_, _, _, _, _, _, _, _);
    scan::slaclock_due_before(_, _, _, _, _, _, _, _);
    scan::slaclock_newly_late(_, _, _, _, _, _, _, _, _);
    scan::slaclock_next_due(_, _, _, _, _);
    scan::slaclock_counts(_, _, _, _);
    status::slaclock_status_name(_);
    status::slaclock_status_text(_);
    text::slaclock_text_data(_);
    text::slaclock_text_len(_);
    text::slaclock_text_free(_);
    version::slaclock_version();
    version::slaclock_abi_version();
    version::slaclock_tzdb_version(_, _);
}

/// A working directory of the script's own; the one before and nothing of the script's is left at its end.
struct Desk {
    before: PathBuf,
    _folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Desk {
        let before = std::env::current_dir().expect("a working directory");
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a folder");
        for (name, text) in [("policy.toml", POLICY), ("log.csv", LOG), ("mapping.toml", MAPPING)] {
            std::fs::write(folder.path().join(name), text).expect("room in memory");
        }
        std::env::set_current_dir(folder.path()).expect("a folder");
        Desk { before, _folder: folder }
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = std::env::set_current_dir(&self.before);
    }
}

/// Tries one input. It changes the working directory while it runs.
pub fn run(bytes: &[u8]) {
    static EVERY: Once = Once::new();
    EVERY.call_once(|| {
        let listed = include_str!("../../bindings/c/tests/symbols.txt");
        let tried = |name: &str| FUNCTIONS.iter().any(|(known, _)| *known == name);
        assert!(listed.lines().all(tried), "a function is not tried");
    });
    let _desk = Desk::new();
    let mut script = Script {
        input: Unstructured::new(bytes),
        handles: Default::default(),
        places: Vec::new(),
        streams: Vec::new(),
        memory: Vec::new(),
        columns: 0,
        length: None,
    };
    // A policy and a database to begin with: most calls need one.
    let mut policy = std::ptr::null_mut::<slaclock_policy>();
    let mut db = std::ptr::null_mut::<slaclock_db>();
    // SAFETY: good pointers.
    unsafe {
        let text = POLICY.as_ptr().cast();
        let made = slaclock_capi::policy::slaclock_policy_from_text(
            text,
            POLICY.len(),
            &mut policy,
            std::ptr::null_mut(),
        );
        assert_eq!(made as i32, 0);
        assert_eq!(slaclock_capi::db::slaclock_in_memory(policy, &mut db, std::ptr::null_mut()) as i32, 0);
    }
    script.handles[POLICY_KIND].push(policy.addr());
    script.handles[DB].push(db.addr());
    for _ in 0..48 {
        if script.input.is_empty() {
            break;
        }
        let at = script.below(FUNCTIONS.len());
        FUNCTIONS[at].1(&mut script);
    }
    script.end();
}
