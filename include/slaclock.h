/*
 * slaclock: an embedded database library for promises to customers.
 *
 * This header is generated from the documented source and is the manual of the C interface. The rules that hold for
 * every function stand at length in docs/capi.md; the policy language in docs/policy.md.
 *
 * CAVEATS FIRST
 *
 *  - Times are whole seconds since 1970-01-01T00:00:00Z (time_t), below 2100. The library never reads a clock: `now`
 *    is always an argument. SLACLOCK_NONE stands for an instant that is not there.
 *  - Texts in are UTF-8 with their length in bytes; SLACLOCK_NTS for a length means "ends with NUL". A path is its
 *    bytes. Where NULL is allowed, the parameter says so.
 *  - Results come through out_ parameters. They are written only if the call succeeds, and are untouched otherwise.
 *  - A slaclock_error is written only if the call fails.
 *  - What a call marks (out, owned) is yours: give it back once, to the function named there. Freed, foreign and invented
 *    handles are found out and answered with an error; they do no harm.
 *  - What is marked (borrowed) belongs to somebody else and is valid as long as the text there says.
 *  - A database handle does not survive fork(): the child opens its own. Every other handle does.
 *  - Enums come in as plain int32_t and are checked; later releases may add values to those that come out.
 *  - Structs that begin with a size are set up by their _INIT macro or _init function, so that a program keeps working
 *    with a later library. Other structs never change.
 *
 * THREADS
 *
 *  Every function may be called from any thread at any time, also with the same handle on several threads at once, also
 *  while another thread frees it. Only the memory that you pass is yours to keep still during a call.
 *
 * ERRORS
 *
 *  A call returns a slaclock_status, 0 for success. Arguments are checked from left to right, handles and texts before
 *  numbers that need the object; the errors listed with a function are in the order in which they win. Any function may
 *  return SLACLOCK_STATUS_INTERNAL, which is a defect of the library, and which the library survives. The functions that
 *  return their value (…_data, …_len, …_version) return NULL, 0 or -1 instead. Nothing is ever printed, no signal is
 *  handled, no panic or exception leaves the library.
 *
 * QUICK START
 *
 *      slaclock_error error = SLACLOCK_ERROR_INIT;
 *      slaclock_policy *policy = NULL;
 *      if (slaclock_policy_load("promise.toml", SLACLOCK_NTS, &policy, &error) != SLACLOCK_STATUS_OK)
 *          return fprintf(stderr, "%s\n", error.message), 1;
 *
 *      int64_t due_at;
 *      slaclock_policy_due(policy, "resolution", SLACLOCK_NTS, received_at, NULL, &due_at, &error);
 *
 *      slaclock_db *db = NULL;
 *      slaclock_create("care.slaclock", SLACLOCK_NTS, policy, NULL, &db, &error);
 *
 *      slaclock_request request = SLACLOCK_REQUEST_INIT;
 *      request.id = "CASE-1041";
 *      request.received_at = received_at;
 *      request.priority = "high";
 *      slaclock_submit(db, &request, NULL, &error);
 *
 *      slaclock_event event = SLACLOCK_EVENT_INIT;
 *      event.kind = SLACLOCK_EVENT_KIND_PAUSED;
 *      event.at = paused_at;
 *      event.reason = "waiting_customer";
 *      slaclock_record(db, "CASE-1041", SLACLOCK_NTS, &event, NULL, &error);
 *
 *      slaclock_row rows[100];
 *      size_t filled = 0;
 *      slaclock_late(db, now, SLACLOCK_PAGE_FIRST, rows, 100, &filled, NULL, &error);
 *
 *      slaclock_close(db, NULL);
 *      slaclock_policy_free(policy);
 */


#ifndef SLACLOCK_H
#define SLACLOCK_H


/** The version of this header; compare with slaclock_version(). */
#define SLACLOCK_VERSION "0.1.0"
#define SLACLOCK_VERSION_MAJOR 0
#define SLACLOCK_VERSION_MINOR 1
#define SLACLOCK_VERSION_PATCH 0

#ifndef SLACLOCK_FFI
#include <stddef.h>
#include <stdint.h>
#endif

/* Define SLACLOCK_STATIC where libslaclock.a is linked. */
#if defined(_WIN32) && !defined(SLACLOCK_STATIC)
#define SLACLOCK_API __declspec(dllimport)
#else
#define SLACLOCK_API
#endif

/** For the length of a text: it ends with NUL. */
#define SLACLOCK_NTS ((size_t)-1)

/** Stands for an instant that is not given, or that there is not. */
#define SLACLOCK_NONE ((int64_t)(-9223372036854775807LL - 1))

/* The Arrow C data interface, as in https://arrow.apache.org/docs/format/CDataInterface.html */
#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE
#ifdef __cplusplus
extern "C" {
#endif
struct ArrowSchema {
    const char *format;
    const char *name;
    const char *metadata;
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema **children;
    struct ArrowSchema *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};
struct ArrowArray {
    int64_t length;
    int64_t null_count;
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};
#ifdef __cplusplus
}
#endif
#endif

/* The Arrow C stream interface, as in https://arrow.apache.org/docs/format/CStreamInterface.html */
#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE
#ifdef __cplusplus
extern "C" {
#endif
struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *out);
    int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *out);
    const char *(*get_last_error)(struct ArrowArrayStream *);
    void (*release)(struct ArrowArrayStream *);
    void *private_data;
};
#ifdef __cplusplus
}
#endif
#endif


/**
 * Bytes of a message in a `slaclock_error`, the NUL at its end included.
 */
#define SLACLOCK_MESSAGE_SIZE 240

/**
 * Number of this interface. Functions are only ever added to it, and structs with a size only ever grow; whatever
 * would break a program gets another number and another file name (`libslaclock.so.0`).
 */
#define SLACLOCK_ABI_VERSION 0

/**
 * Bytes of an id or a name in a struct, the NUL at its end included.
 */
#define SLACLOCK_NAME_SIZE 256

/**
 * The place before the first page.
 */
#define SLACLOCK_PAGE_FIRST (-1)

/**
 * The place after the last page.
 */
#define SLACLOCK_PAGE_END (-2)

/**
 * Most rows that one call gives; a larger capacity is not an error.
 */
#define SLACLOCK_MAX_PAGE 10000

/**
 * Most notices that one call gives; a larger capacity is not an error.
 */
#define SLACLOCK_MAX_NOTICES 10000

/**
 * Bytes of a period's text, the NUL at its end included.
 */
#define SLACLOCK_PERIOD_SIZE 24

/**
 * What a call came to.
 */
typedef enum slaclock_status {
    /**
     * Success.
     */
    SLACLOCK_STATUS_OK = 0,
    /**
     * No such request, clock, calendar, policy version or file.
     */
    SLACLOCK_STATUS_NOT_FOUND = 1,
    /**
     * An instant, span or limit lies outside the supported range.
     */
    SLACLOCK_STATUS_OUT_OF_RANGE = 2,
    /**
     * An argument is malformed: NULL, no handle of this library, not UTF-8, an unknown number; the message says which.
     */
    SLACLOCK_STATUS_INVALID_ARGUMENT = 3,
    /**
     * The policy text is wrong; the error carries line and column.
     */
    SLACLOCK_STATUS_INVALID_POLICY = 4,
    /**
     * A calendar is wrong: overlapping hours, an unknown rule, a bad holiday file.
     */
    SLACLOCK_STATUS_INVALID_CALENDAR = 5,
    /**
     * The time zone name is not in the time zone data.
     */
    SLACLOCK_STATUS_UNKNOWN_ZONE = 6,
    /**
     * The event cannot be recorded on this request as written.
     */
    SLACLOCK_STATUS_INVALID_EVENT = 7,
    /**
     * The same key was used before with other content.
     */
    SLACLOCK_STATUS_CONFLICT = 8,
    /**
     * There is no deadline; the error's `reason` says why.
     */
    SLACLOCK_STATUS_NO_DEADLINE = 9,
    /**
     * The clock is paused: it has remaining time, but no due instant.
     */
    SLACLOCK_STATUS_PAUSED = 10,
    /**
     * `slaclock_create` found something at the path.
     */
    SLACLOCK_STATUS_ALREADY_EXISTS = 11,
    /**
     * Another process held the file for longer than the busy timeout.
     */
    SLACLOCK_STATUS_BUSY = 12,
    /**
     * The handle was inherited through `fork`; the child must open its own.
     */
    SLACLOCK_STATUS_FORKED_HANDLE = 13,
    /**
     * The handle was freed or closed.
     */
    SLACLOCK_STATUS_CLOSED = 14,
    /**
     * The handle cannot write: it was opened read-only, or a write failed and it must be reopened.
     */
    SLACLOCK_STATUS_READ_ONLY = 15,
    /**
     * The file is damaged; the message names the place.
     */
    SLACLOCK_STATUS_DAMAGED = 16,
    /**
     * The file is not a slaclock database.
     */
    SLACLOCK_STATUS_NOT_A_DATABASE = 17,
    /**
     * The file was written by a newer release.
     */
    SLACLOCK_STATUS_NEWER_FORMAT = 18,
    /**
     * The operating system reported an input or output error.
     */
    SLACLOCK_STATUS_IO = 19,
    /**
     * The disk or quota is full.
     */
    SLACLOCK_STATUS_STORAGE_FULL = 20,
    /**
     * A mapping file is wrong; the error carries line and column.
     */
    SLACLOCK_STATUS_INVALID_MAPPING = 21,
    /**
     * A row of an imported file is wrong; the message carries its line.
     */
    SLACLOCK_STATUS_INVALID_ROW = 22,
    /**
     * The call was cancelled by the caller.
     */
    SLACLOCK_STATUS_CANCELLED = 23,
    /**
     * The call is not possible in the mode the database was opened in, or this library is older than the header that
     * the program was built with.
     */
    SLACLOCK_STATUS_UNSUPPORTED = 24,
    /**
     * A defect in slaclock itself. Please report it.
     */
    SLACLOCK_STATUS_INTERNAL = 25,
    /**
     * The customer's expedites of the month are used up; the text says how many, and when one is free again.
     */
    SLACLOCK_STATUS_QUOTA_EXCEEDED = 26
} slaclock_status;

/**
 * What became of something to be written.
 */
typedef enum slaclock_outcome {
    /**
     * Nothing: the row of a batch is wrong, and its status says why.
     */
    SLACLOCK_OUTCOME_REFUSED = 0,
    /**
     * It is written.
     */
    SLACLOCK_OUTCOME_RECORDED = 1,
    /**
     * The same content was there already, under the same id or key; nothing changed.
     */
    SLACLOCK_OUTCOME_ALREADY_RECORDED = 2
} slaclock_outcome;

/**
 * Where a clock stands.
 */
typedef enum slaclock_stage {
    /**
     * Has not started, or has no deadline.
     */
    SLACLOCK_STAGE_IDLE = 0,
    /**
     * Running, no warning threshold has passed.
     */
    SLACLOCK_STAGE_ON_TRACK = 1,
    /**
     * Running, a warning threshold has passed.
     */
    SLACLOCK_STAGE_AT_RISK = 2,
    /**
     * Running, due has passed, the limit has not: spends error budget.
     */
    SLACLOCK_STAGE_LATE = 3,
    /**
     * Running, the promise is broken: the limit has passed, or due where there is no backstop.
     */
    SLACLOCK_STAGE_BREACHED = 4,
    /**
     * Stopped by a pause: has remaining time, but no due instant.
     */
    SLACLOCK_STAGE_PAUSED = 5,
    /**
     * Finished at or before due.
     */
    SLACLOCK_STAGE_MET = 6,
    /**
     * Finished after due.
     */
    SLACLOCK_STAGE_MISSED = 7,
    /**
     * Withdrawn before due.
     */
    SLACLOCK_STAGE_CANCELLED = 8
} slaclock_stage;

/**
 * What a clock crossed.
 */
typedef enum slaclock_threshold {
    /**
     * A share of the target's own time was used up: the notice's `percent`.
     */
    SLACLOCK_THRESHOLD_WARNING = 1,
    /**
     * The due instant passed unmet.
     */
    SLACLOCK_THRESHOLD_LATE = 2,
    /**
     * The limit passed unmet (or due, where there is no backstop: then there is no `LATE` of its own).
     */
    SLACLOCK_THRESHOLD_BREACHED = 3,
    /**
     * Somebody excused the miss; `at` is when.
     */
    SLACLOCK_THRESHOLD_WAIVED = 4,
    /**
     * Nobody reviewed the policy by its review date. About no request: its id and the clock's name are empty.
     */
    SLACLOCK_THRESHOLD_REVIEW = 5,
    /**
     * A reader did not read the policy in time. About no request, likewise.
     */
    SLACLOCK_THRESHOLD_READING = 6,
    /**
     * Of the misses that a promised share allows, none was left any more. About no request, but the notice's `period`.
     */
    SLACLOCK_THRESHOLD_BUDGET_EXHAUSTED = 7,
    /**
     * A promised share was missed for certain. About the notice's `period`, likewise.
     */
    SLACLOCK_THRESHOLD_PERIOD_BREACHED = 8
} slaclock_threshold;

/**
 * Whether a promised share is kept.
 */
typedef enum slaclock_goal_verdict {
    /**
     * No share was promised.
     */
    SLACLOCK_GOAL_VERDICT_NONE = 0,
    /**
     * Yes, however the undecided ones end.
     */
    SLACLOCK_GOAL_VERDICT_KEPT = 1,
    /**
     * Not decided yet.
     */
    SLACLOCK_GOAL_VERDICT_OPEN = 2,
    /**
     * No, however the undecided ones end.
     */
    SLACLOCK_GOAL_VERDICT_BROKEN = 3
} slaclock_goal_verdict;

/**
 * Why there is no deadline. Found in the `reason` of a `slaclock_error` with status `SLACLOCK_STATUS_NO_DEADLINE`.
 */
typedef enum slaclock_no_deadline {
    /**
     * The calendar has no working time after the receipt.
     */
    SLACLOCK_NO_DEADLINE_NEVER_OPEN = 1,
    /**
     * The target lies in 2100 or later.
     */
    SLACLOCK_NO_DEADLINE_BEYOND_RANGE = 2,
    /**
     * No branch of a cut-off target gives an instant after the receipt.
     */
    SLACLOCK_NO_DEADLINE_NO_BRANCH = 3,
    /**
     * The policy says `none`: nothing is promised.
     */
    SLACLOCK_NO_DEADLINE_NO_TARGET = 4,
    /**
     * No rule of the clock matches the request.
     */
    SLACLOCK_NO_DEADLINE_NO_RULE = 5,
    /**
     * The clock waits for a promised instant, and none was promised.
     */
    SLACLOCK_NO_DEADLINE_NOT_PROMISED = 6
} slaclock_no_deadline;

/**
 * How much a log message matters.
 */
typedef enum slaclock_log_level {
    /**
     * A defect of the library.
     */
    SLACLOCK_LOG_LEVEL_ERROR = 1,
    /**
     * A misuse by the program, or something somebody should look at.
     */
    SLACLOCK_LOG_LEVEL_WARNING = 2
} slaclock_log_level;

/**
 * Which of two instants a civil time means that comes twice, as clocks are set back. One that does not come at all, as
 * they are set forward, is the instant of the change either way.
 */
typedef enum slaclock_edge {
    /**
     * The first: what an opening, a cut-off or a due time means.
     */
    SLACLOCK_EDGE_FIRST = 0,
    /**
     * The second: what a closing means.
     */
    SLACLOCK_EDGE_SECOND = 1
} slaclock_edge;

/**
 * Who may use the file at the same time. Every program that opens a file must agree on it.
 */
typedef enum slaclock_mode {
    /**
     * Any number of processes on this machine, one writing at a time. The default.
     */
    SLACLOCK_MODE_SHARED = 0,
    /**
     * This handle only; others get BUSY. Faster, for servers that are one process.
     */
    SLACLOCK_MODE_EXCLUSIVE = 1
} slaclock_mode;

/**
 * When a commit is on the disk.
 */
typedef enum slaclock_durability {
    /**
     * When the call returns: a power cut afterwards does not lose it. The default.
     */
    SLACLOCK_DURABILITY_SAFE = 0,
    /**
     * For loading much at once: commits become durable together, and at `slaclock_flush` and `slaclock_close`. A crash
     * loses what was written since, whole calls only. Needs `SLACLOCK_MODE_EXCLUSIVE`.
     */
    SLACLOCK_DURABILITY_BULK = 1
} slaclock_durability;

/**
 * When opening verifies every page of the file.
 */
typedef enum slaclock_verify_when {
    /**
     * When the file was not closed cleanly and has at most 16 MiB. The default.
     */
    SLACLOCK_VERIFY_WHEN_AUTO = 0,
    /**
     * Always.
     */
    SLACLOCK_VERIFY_WHEN_ALWAYS = 1,
    /**
     * Never.
     */
    SLACLOCK_VERIFY_WHEN_NEVER = 2
} slaclock_verify_when;

/**
 * What happened.
 */
typedef enum slaclock_event_kind {
    /**
     * The request arrived. Recorded by `slaclock_submit`, never as an event of its own.
     */
    SLACLOCK_EVENT_KIND_RECEIVED = 0,
    /**
     * Somebody confirmed to the customer that it arrived.
     */
    SLACLOCK_EVENT_KIND_ACKNOWLEDGED = 1,
    /**
     * A person answered the customer. Automatic replies are no replies.
     */
    SLACLOCK_EVENT_KIND_REPLIED = 2,
    /**
     * The customer wrote again.
     */
    SLACLOCK_EVENT_KIND_CUSTOMER_REPLIED = 3,
    /**
     * The customer was told the state of the request.
     */
    SLACLOCK_EVENT_KIND_UPDATED = 4,
    /**
     * A person or group took it: carries `to`.
     */
    SLACLOCK_EVENT_KIND_ASSIGNED = 5,
    /**
     * Work stops: carries `reason`, like `waiting_customer`. A second pause with another reason replaces the first.
     */
    SLACLOCK_EVENT_KIND_PAUSED = 6,
    /**
     * Work goes on, whatever the pause was for.
     */
    SLACLOCK_EVENT_KIND_RESUMED = 7,
    /**
     * A third party was contacted: carries `vendor`.
     */
    SLACLOCK_EVENT_KIND_VENDOR_CONTACTED = 8,
    /**
     * The third party answered: carries `vendor`.
     */
    SLACLOCK_EVENT_KIND_VENDOR_REPLIED = 9,
    /**
     * The customer was promised an instant: carries `due_at`, later than the event's own.
     */
    SLACLOCK_EVENT_KIND_PROMISED = 10,
    /**
     * Handled.
     */
    SLACLOCK_EVENT_KIND_RESOLVED = 11,
    /**
     * Not handled after all.
     */
    SLACLOCK_EVENT_KIND_REOPENED = 12,
    /**
     * Withdrawn, merged or a mistake.
     */
    SLACLOCK_EVENT_KIND_CANCELLED = 13,
    /**
     * Facts changed: carries `facts`, the new values by name; an empty one removes a fact.
     */
    SLACLOCK_EVENT_KIND_CHANGED = 14,
    /**
     * Something for the record: its `text`.
     */
    SLACLOCK_EVENT_KIND_NOTE = 15,
    /**
     * The customer's crisis goes first: carries `by`.
     */
    SLACLOCK_EVENT_KIND_EXPEDITED = 16,
    /**
     * It was no crisis, the expedite is given back: carries `by`.
     */
    SLACLOCK_EVENT_KIND_EXPEDITE_WITHDRAWN = 17,
    /**
     * Somebody proposes to refuse the request: carries `by`, and `text` says why.
     */
    SLACLOCK_EVENT_KIND_REFUSAL_PROPOSED = 18,
    /**
     * A second person agrees: carries `by`.
     */
    SLACLOCK_EVENT_KIND_REFUSAL_APPROVED = 19,
    /**
     * The proposal is off the table: carries `by`.
     */
    SLACLOCK_EVENT_KIND_REFUSAL_WITHDRAWN = 20,
    /**
     * A missed cycle of a clock is excused: carries `by`, `clock` and `cycle`, and `text` says why.
     */
    SLACLOCK_EVENT_KIND_WAIVED = 21,
    /**
     * The excuse is taken back: carries `clock` and `cycle`.
     */
    SLACLOCK_EVENT_KIND_WAIVER_WITHDRAWN = 22,
    /**
     * The request moved to another version of the policy. Recorded by `slaclock_migrate`, never as an event of its own.
     */
    SLACLOCK_EVENT_KIND_MIGRATED = 24,
    /**
     * An entry of the FAQ answers it: carries `faq`.
     */
    SLACLOCK_EVENT_KIND_FAQ_LINKED = 28,
    /**
     * It does not after all: carries `faq`.
     */
    SLACLOCK_EVENT_KIND_FAQ_UNLINKED = 29
} slaclock_event_kind;

/**
 * What a batch does with a row that is wrong.
 */
typedef enum slaclock_on_error {
    /**
     * Nothing of the batch is written; the error names the row.
     */
    SLACLOCK_ON_ERROR_ABORT = 0,
    /**
     * The row is left out and reported; the others are written.
     */
    SLACLOCK_ON_ERROR_SKIP = 1
} slaclock_on_error;

/**
 * How a report is cut into periods.
 */
typedef enum slaclock_per {
    /**
     * One period: the one asked for, or all of time.
     */
    SLACLOCK_PER_WHOLE = 0,
    /**
     * Calendar months.
     */
    SLACLOCK_PER_MONTH = 1,
    /**
     * Calendar quarters.
     */
    SLACLOCK_PER_QUARTER = 2,
    /**
     * Calendar years.
     */
    SLACLOCK_PER_YEAR = 3
} slaclock_per;

/**
 * What an import does with a row that cannot be used.
 */
typedef enum slaclock_on_bad_row {
    /**
     * Reports it and goes on. The default.
     */
    SLACLOCK_ON_BAD_ROW_SKIP = 0,
    /**
     * Stops with INVALID_ROW. What was written before stays; the chunk with the row is not written.
     */
    SLACLOCK_ON_BAD_ROW_ABORT = 1
} slaclock_on_bad_row;

/**
 * Rows to be written together.
 */
typedef struct slaclock_batch slaclock_batch;

/**
 * A calendar.
 */
typedef struct slaclock_calendar slaclock_calendar;

/**
 * An open database.
 */
typedef struct slaclock_db slaclock_db;

/**
 * Facts by name. Where a call takes facts, NULL stands for none.
 */
typedef struct slaclock_facts slaclock_facts;

/**
 * A policy.
 */
typedef struct slaclock_policy slaclock_policy;

/**
 * A rule of a clock.
 */
typedef struct slaclock_rule slaclock_rule;

/**
 * A text made by the library.
 */
typedef struct slaclock_text slaclock_text;

/**
 * What went wrong. Set it up with `SLACLOCK_ERROR_INIT`, or with zeros.
 */
typedef struct slaclock_error {
    /**
     * Size of this struct in bytes, set by the caller.
     */
    uint32_t size;
    /**
     * The status that the call returned.
     */
    int32_t code;
    /**
     * For `SLACLOCK_STATUS_NO_DEADLINE` one of `slaclock_no_deadline`, else 0.
     */
    int32_t reason;
    /**
     * Line of the policy or mapping that is wrong, from 1; 0 where the trouble is not in a text.
     */
    int32_t line;
    /**
     * Column in that line, from 1, in characters; 0 likewise.
     */
    int32_t column;
    /**
     * What was asked, found and allowed, for people: UTF-8, ends with NUL. One that is too long ends with `...`;
     * `slaclock_last_error` has up to 2,047 bytes of it.
     */
    char message[SLACLOCK_MESSAGE_SIZE];
} slaclock_error;

/**
 * Takes a log message: `user` as given to `slaclock_set_log`, one of `slaclock_log_level`, and `message_len` bytes of
 * UTF-8 at `message`, which end with a NUL not counted in it and are valid during the call only.
 *
 * It may be called on any thread, also on several at once. It must return, and must not call this library.
 */
typedef void (*slaclock_log_fn)(void *user, int32_t level, const char *message, size_t message_len);

/**
 * How a database is opened. Set it up with `SLACLOCK_OPTIONS_INIT` or `slaclock_options_init`, which give the
 * defaults.
 */
typedef struct slaclock_options {
    /**
     * Size of this struct in bytes.
     */
    uint32_t size;
    /**
     * One of `slaclock_mode`.
     */
    int32_t mode;
    /**
     * One of `slaclock_durability`.
     */
    int32_t durability;
    /**
     * One of `slaclock_verify_when`.
     */
    int32_t verify;
    /**
     * 1 opens for reading only, beside writers; 0 is the default. Not for `slaclock_create`.
     */
    int32_t read_only;
    /**
     * 1, the default, lets `slaclock_open` hand out the handle that this process has or had lately on the same file
     * with the same options, which takes microseconds. 0 opens one of its own.
     */
    int32_t share;
    /**
     * Memory for pages of the file, in bytes; 64 MiB by default.
     */
    int64_t cache_bytes;
    /**
     * How long a call waits for other writers before BUSY, in milliseconds; 5000 by default.
     */
    int64_t busy_timeout_ms;
    /**
     * For bulk durability: the longest time between durable commits, in milliseconds; 1000 by default.
     */
    int64_t bulk_every_ms;
    /**
     * For bulk durability: the most rows between durable commits; 100000 by default.
     */
    int64_t bulk_every_rows;
} slaclock_options;

/**
 * What a customer asked. Set it up with `SLACLOCK_REQUEST_INIT` or `slaclock_request_init`, which leave everything
 * out and take every text as ending with NUL; then set at least `id` and `received_at`.
 *
 * Texts are (borrowed) UTF-8, each with its length in bytes or SLACLOCK_NTS; NULL leaves one out. They are read
 * during the call only.
 */
typedef struct slaclock_request {
    /**
     * Size of this struct in bytes.
     */
    uint32_t size;
    /**
     * The CRM's own key: 1 to 255 bytes without control characters, unique in a database.
     */
    const char *id;
    /**
     * Length of `id`.
     */
    size_t id_len;
    /**
     * When it was received: seconds since 1970-01-01T00:00:00Z, below 2100.
     */
    int64_t received_at;
    /**
     * Who asked.
     */
    const char *customer;
    /**
     * Length of `customer`.
     */
    size_t customer_len;
    /**
     * The CRM's own priority, like `high`, `P1`.
     */
    const char *priority;
    /**
     * Length of `priority`.
     */
    size_t priority_len;
    /**
     * What it is about.
     */
    const char *category;
    /**
     * Length of `category`.
     */
    size_t category_len;
    /**
     * How it arrived, like `phone`, `email`.
     */
    const char *channel;
    /**
     * Length of `channel`.
     */
    size_t channel_len;
    /**
     * One line for people.
     */
    const char *subject;
    /**
     * Length of `subject`.
     */
    size_t subject_len;
    /**
     * Anything else that policies match on; NULL for nothing.
     */
    const slaclock_facts *attributes;
} slaclock_request;

/**
 * One clock of a request.
 */
typedef struct slaclock_clock_status {
    /**
     * Number of the latest cycle; 0 if it has not started.
     */
    int64_t cycle;
    /**
     * When that cycle started, or will if nothing happens before; SLACLOCK_NONE if not.
     */
    int64_t started_at;
    /**
     * When it is due; SLACLOCK_NONE while paused, without deadline, or not started.
     */
    int64_t due_at;
    /**
     * When it breaches; SLACLOCK_NONE without backstop.
     */
    int64_t limit_at;
    /**
     * When it finished; SLACLOCK_NONE if it has not.
     */
    int64_t finished_at;
    /**
     * What is left of the target while paused, in seconds of its own time; SLACLOCK_NONE if not paused.
     */
    int64_t remaining_s;
    /**
     * Where it stands.
     */
    slaclock_stage stage;
    /**
     * 1 if the deadline counts past the last date up to which the holidays are known, else 0.
     */
    int32_t beyond_known_holidays;
    /**
     * The clock's name; ends with NUL.
     */
    char clock[SLACLOCK_NAME_SIZE];
    /**
     * Why there is no deadline, for people; empty if there is one. Ends with NUL.
     */
    char no_deadline[SLACLOCK_NAME_SIZE];
} slaclock_clock_status;

/**
 * One thing that happened to a request. Set it up with `SLACLOCK_EVENT_INIT` or `slaclock_event_init`, which leave
 * everything out and take every text as ending with NUL; then set at least `kind`, `at` and what the kind carries.
 *
 * Texts are (borrowed) UTF-8, each with its length in bytes or SLACLOCK_NTS; NULL leaves one out. They are read
 * during the call only.
 */
typedef struct slaclock_event {
    /**
     * Size of this struct in bytes.
     */
    uint32_t size;
    /**
     * One of `slaclock_event_kind`.
     */
    int32_t kind;
    /**
     * When it happened: seconds since 1970-01-01T00:00:00Z, below 2100.
     */
    int64_t at;
    /**
     * Who did it.
     */
    const char *by;
    /**
     * Length of `by`.
     */
    size_t by_len;
    /**
     * The caller's idempotency key, unique within the request: the same event with the same key again changes nothing.
     */
    const char *key;
    /**
     * Length of `key`.
     */
    size_t key_len;
    /**
     * Free text for the record.
     */
    const char *text;
    /**
     * Length of `text`.
     */
    size_t text_len;
    /**
     * Of a pause.
     */
    const char *reason;
    /**
     * Length of `reason`.
     */
    size_t reason_len;
    /**
     * Of an assignment.
     */
    const char *to;
    /**
     * Length of `to`.
     */
    size_t to_len;
    /**
     * Of a contact with a third party.
     */
    const char *vendor;
    /**
     * Length of `vendor`.
     */
    size_t vendor_len;
    /**
     * Of a promise; SLACLOCK_NONE for none.
     */
    int64_t due_at;
    /**
     * Of a change; NULL for none.
     */
    const slaclock_facts *facts;
    /**
     * Of an expedite: who allowed it beyond the quota.
     */
    const char *approved_by;
    /**
     * Length of `approved_by`.
     */
    size_t approved_by_len;
    /**
     * Of a waiver: the clock whose miss is excused.
     */
    const char *clock;
    /**
     * Length of `clock`.
     */
    size_t clock_len;
    /**
     * Of a waiver: number of the missed cycle, from 1; SLACLOCK_NONE for none.
     */
    int64_t cycle;
    /**
     * Of a link to the FAQ: the entry's id.
     */
    const char *faq;
    /**
     * Length of `faq`.
     */
    size_t faq_len;
} slaclock_event;

/**
 * What a scan looks for. Set it up with `SLACLOCK_QUERY_INIT` or `slaclock_query_init`, which ask for every running
 * clock; then set `now`.
 */
typedef struct slaclock_query {
    /**
     * Size of this struct in bytes.
     */
    uint32_t size;
    /**
     * Only clocks in one of these stages: the sum of `1 << SLACLOCK_STAGE_...`; 0 for all running ones.
     */
    int32_t stages;
    /**
     * The instant to judge by: seconds since 1970-01-01T00:00:00Z, below 2100.
     */
    int64_t now;
    /**
     * Only clocks due at or after this instant; SLACLOCK_NONE for any.
     */
    int64_t since;
    /**
     * Only clocks due before this instant; SLACLOCK_NONE for any.
     */
    int64_t until;
    /**
     * Only clocks of this name: (borrowed) UTF-8; NULL for any.
     */
    const char *clock;
    /**
     * Length of `clock` in bytes, or SLACLOCK_NTS.
     */
    size_t clock_len;
} slaclock_query;

/**
 * A running clock.
 */
typedef struct slaclock_row {
    /**
     * When it is due.
     */
    int64_t due_at;
    /**
     * When it breaches; SLACLOCK_NONE without backstop.
     */
    int64_t limit_at;
    /**
     * When its cycle started.
     */
    int64_t started_at;
    /**
     * Number of its cycle, from 1.
     */
    int64_t cycle;
    /**
     * Where it stands.
     */
    slaclock_stage stage;
    /**
     * The request's id; ends with NUL.
     */
    char request[SLACLOCK_NAME_SIZE];
    /**
     * The clock's name; ends with NUL.
     */
    char clock[SLACLOCK_NAME_SIZE];
} slaclock_row;

/**
 * Clocks by stage.
 */
typedef struct slaclock_stage_counts {
    /**
     * Running, no warning threshold has passed.
     */
    int64_t on_track;
    /**
     * Running, a warning threshold has passed.
     */
    int64_t at_risk;
    /**
     * Running, due has passed, the limit has not.
     */
    int64_t late;
    /**
     * Running, the promise is broken.
     */
    int64_t breached;
    /**
     * Stopped by a pause.
     */
    int64_t paused;
    /**
     * Not started, or without deadline.
     */
    int64_t idle;
    /**
     * Latest cycle finished in time.
     */
    int64_t met;
    /**
     * Latest cycle finished late.
     */
    int64_t missed;
    /**
     * Latest cycle withdrawn.
     */
    int64_t cancelled;
} slaclock_stage_counts;

/**
 * One crossing of a threshold.
 */
typedef struct slaclock_notice {
    /**
     * Its number, from 1, without gaps, in the order in which they became known.
     */
    int64_t number;
    /**
     * The instant it is about: when the warning, due or limit instant was, or when the change was made that put it
     * into the past. Not the instant of the scan.
     */
    int64_t at;
    /**
     * Number of the clock's cycle, from 1.
     */
    int64_t cycle;
    /**
     * What was crossed.
     */
    slaclock_threshold threshold;
    /**
     * Of a warning, 1 to 99; else 0.
     */
    int32_t percent;
    /**
     * 1 if a change of facts, not the passing of time, put it into the past, else 0.
     */
    int32_t by_change;
    /**
     * 1 if the same notice was given before and turned out not to be true, else 0.
     */
    int32_t retracted;
    /**
     * The request's id; ends with NUL.
     */
    char request[SLACLOCK_NAME_SIZE];
    /**
     * The clock's name; ends with NUL.
     */
    char clock[SLACLOCK_NAME_SIZE];
    /**
     * The period that `BUDGET_EXHAUSTED` and `PERIOD_BREACHED` are about, such as `2026-03`, `2026-Q1` or `2026`, as
     * queries take it; else empty. Ends with NUL.
     */
    char period[SLACLOCK_PERIOD_SIZE];
} slaclock_notice;

/**
 * What to report. Set it up with `SLACLOCK_ATTAINMENT_QUERY_INIT` or `slaclock_attainment_query_init`, which ask for
 * everything received so far and all clocks that promise a share; then set `now`.
 */
typedef struct slaclock_attainment_query {
    /**
     * Size of this struct in bytes.
     */
    uint32_t size;
    /**
     * One of `slaclock_per`.
     */
    int32_t per;
    /**
     * The instant to judge by: seconds since 1970-01-01T00:00:00Z, below 2100.
     */
    int64_t now;
    /**
     * Only what was received in this period: a month `2026-03`, a quarter `2026-Q1`, a year `2026`, a date
     * `2026-03-01` or a range of dates `2026-03-01..2026-03-15`, its last date included. (borrowed) UTF-8; NULL for
     * all.
     */
    const char *period;
    /**
     * Length of `period` in bytes, or SLACLOCK_NTS.
     */
    size_t period_len;
    /**
     * Only the clock of this name, whether it promises a share or not. (borrowed) UTF-8; NULL for those that promise
     * one.
     */
    const char *clock;
    /**
     * Length of `clock` in bytes, or SLACLOCK_NTS.
     */
    size_t clock_len;
    /**
     * Counts apart by these facts: a JSON list of names, like `["priority", "customer"]`. (borrowed) UTF-8; NULL for
     * none. Only for `slaclock_attainment_json` and `slaclock_attainment_arrow`.
     */
    const char *by;
    /**
     * Length of `by` in bytes, or SLACLOCK_NTS.
     */
    size_t by_len;
} slaclock_attainment_query;

/**
 * What a clock's promise came to in a period.
 */
typedef struct slaclock_attainment_row {
    /**
     * First date of the period, days since 1970-01-01.
     */
    int64_t first_day;
    /**
     * Last date, included.
     */
    int64_t last_day;
    /**
     * Requests that met their target.
     */
    int64_t met;
    /**
     * Requests that missed it, the waived ones included.
     */
    int64_t missed;
    /**
     * Requests that are not decided yet.
     */
    int64_t undecided;
    /**
     * Left out: the clock never started.
     */
    int64_t not_started;
    /**
     * Left out: no deadline.
     */
    int64_t no_deadline;
    /**
     * Left out: withdrawn before due.
     */
    int64_t cancelled;
    /**
     * Of the missed, those that somebody excused.
     */
    int64_t waived;
    /**
     * Of the missed, those finished within the limit.
     */
    int64_t missed_within_limit;
    /**
     * Of the missed, those still open whose limit has not passed.
     */
    int64_t missed_limit_open;
    /**
     * Of the missed, those whose limit passed unmet, or that have none.
     */
    int64_t missed_breached;
    /**
     * Single cycles finished in time, where a clock runs again and again.
     */
    int64_t cycles_met;
    /**
     * Single cycles whose due instant passed unmet.
     */
    int64_t cycles_missed;
    /**
     * The share met of those decided, in hundredths of a percent; SLACLOCK_NONE if none is decided.
     */
    int64_t share_bp;
    /**
     * The share without the waived misses; SLACLOCK_NONE likewise.
     */
    int64_t adjusted_share_bp;
    /**
     * The promised share, in hundredths of a percent; SLACLOCK_NONE if none was promised.
     */
    int64_t goal_bp;
    /**
     * Misses still allowed, negative if there were more than that; SLACLOCK_NONE if no share was promised.
     */
    int64_t budget_left;
    /**
     * Whether the promise is kept.
     */
    slaclock_goal_verdict verdict;
    /**
     * 1 if the period is over, so that no more requests join the cohort, else 0.
     */
    int32_t period_over;
    /**
     * The clock's name; ends with NUL.
     */
    char clock[SLACLOCK_NAME_SIZE];
} slaclock_attainment_row;

/**
 * Facts about a database.
 */
typedef struct slaclock_db_info {
    /**
     * The file format.
     */
    int64_t format;
    /**
     * Requests.
     */
    int64_t requests;
    /**
     * Events, the receipts not counted.
     */
    int64_t events;
    /**
     * Clocks.
     */
    int64_t clocks;
    /**
     * Notices so far.
     */
    int64_t notices;
    /**
     * Up to where the feed was advanced; SLACLOCK_NONE if never.
     */
    int64_t advanced_to;
    /**
     * The latest instant of any receipt or event; SLACLOCK_NONE in an empty database.
     */
    int64_t latest_event_at;
    /**
     * Operations in the log that are not folded into the sealed values yet.
     */
    int64_t unfolded;
    /**
     * Length of the file in bytes.
     */
    int64_t file_bytes;
    /**
     * Memory of the indexes in bytes.
     */
    int64_t index_bytes;
} slaclock_db_info;

/**
 * What was derived anew from the events, and what of it differs from what is stored.
 */
typedef struct slaclock_rebuilt {
    /**
     * Requests derived anew.
     */
    int64_t requests;
    /**
     * Events they were derived from.
     */
    int64_t events;
    /**
     * Clocks compared, byte by byte.
     */
    int64_t clocks;
    /**
     * Index rows compared.
     */
    int64_t index_rows;
    /**
     * Notices compared.
     */
    int64_t notices;
    /**
     * Differences found; 0 if all is well.
     */
    int64_t differing;
    /**
     * Requests whose stored state was replaced by what follows from their events; 0 but for `slaclock_rebuild`.
     */
    int64_t repaired;
} slaclock_rebuilt;

/**
 * How far an import has come.
 */
typedef struct slaclock_progress {
    /**
     * Bytes of the file read, as stored (compressed, if it is).
     */
    int64_t bytes;
    /**
     * Size of the file; SLACLOCK_NONE where it is not known.
     */
    int64_t total_bytes;
    /**
     * Rows read.
     */
    int64_t rows;
    /**
     * Requests written.
     */
    int64_t requests;
    /**
     * Events written.
     */
    int64_t events;
} slaclock_progress;

/**
 * Told after each chunk of an import how far it has come: `user` as given in the options, and (borrowed) `progress`,
 * valid during the call. Anything but 0 stops the import with CANCELLED: what was written before stays, and
 * importing the file again goes on from there.
 *
 * Called on the thread of the import, with no transaction open; it may use the library.
 */
typedef int32_t (*slaclock_progress_fn)(void *user, const slaclock_progress *progress);

/**
 * How to import. Set it up with `SLACLOCK_IMPORT_OPTIONS_INIT` or `slaclock_import_options_init`, which give the
 * defaults.
 */
typedef struct slaclock_import_options {
    /**
     * Size of this struct in bytes.
     */
    uint32_t size;
    /**
     * One of `slaclock_on_bad_row`.
     */
    int32_t on_bad_row;
    /**
     * How many oddities to keep with their row and text; all are counted. 1000 by default.
     */
    int64_t keep_oddities;
    /**
     * (borrowed) NULL for none.
     */
    slaclock_progress_fn progress;
    /**
     * Handed to `progress` as it is; may be NULL.
     */
    void *user;
} slaclock_import_options;

/**
 * What became of the rows of a stream.
 */
typedef struct slaclock_written {
    /**
     * Rows that were written.
     */
    int64_t recorded;
    /**
     * Rows whose content was there already.
     */
    int64_t already_recorded;
    /**
     * Rows that were refused.
     */
    int64_t refused;
} slaclock_written;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/*
 * =================================================================================================
 * The number that a call returns: 0 for success, else what went wrong.
 *
 * The numbers are the same in every language and are never given another meaning. Later releases may add some, so
 * treat an unknown one as a failure.
 * =================================================================================================
 */

/**
 * The name of a status, like `NotFound`; `Unknown` for a number that is none.
 *
 * `status` takes any number. The text is static. Never fails; any thread.
 */
SLACLOCK_API const char *slaclock_status_name(int32_t status);

/**
 * A short text for a status, without particulars, like `not found`; `unknown status` for a number that is none.
 *
 * `status` takes any number. The text is static. Never fails; any thread.
 */
SLACLOCK_API
const char *slaclock_status_text(int32_t status);

/*
 * =================================================================================================
 * The particulars of a failed call.
 *
 * Pass a `slaclock_error` of your own as the last argument, or NULL to do without. It is written only when a call
 * fails, so read it only then. It holds no memory to free, may be reused, and is right from any language and thread.
 * The same text, at greater length, is given by `slaclock_last_error` until the thread's next failure.
 * =================================================================================================
 */

/**
 * The message of the last call that failed on this thread, whatever object it was about; empty if none did.
 *
 * \return (borrowed) UTF-8 that ends with NUL, valid while the thread lives; the thread's next failing call replaces
 * the text. Where calls hop between threads, as with asynchronous calls, use a `slaclock_error` instead.
 *
 * Never fails; any thread.
 */
SLACLOCK_API
const char *slaclock_last_error(void);

/*
 * =================================================================================================
 * Which library this is. Compare with the macros of the header that the program was built with.
 * =================================================================================================
 */

/**
 * The library's version, like `0.1.0`. Compare with `SLACLOCK_VERSION`.
 *
 * \return static text. Never fails; any thread.
 */
SLACLOCK_API const char *slaclock_version(void);

/**
 * The number of the library's interface. Compare with `SLACLOCK_ABI_VERSION`.
 *
 * Never fails (-1 would be a defect); any thread.
 */
SLACLOCK_API int32_t slaclock_abi_version(void);

/**
 * The version of the bundled time zone data, like `2026e`.
 *
 * \param out_text  (out, owned) free with `slaclock_text_free`
 *
 * Errors: INVALID_ARGUMENT if `out_text` is NULL. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_tzdb_version(slaclock_text **out_text,
                                      slaclock_error *error);

/*
 * =================================================================================================
 * What the library has to say outside of any answer: defects it met, handles misused where no status can say so.
 *
 * The library never writes to standard output or error and installs no signal handlers. Without a callback these
 * texts are dropped.
 * =================================================================================================
 */

/**
 * Sets the callback for log messages of the whole process; NULL for none, which is how it begins.
 *
 * \param callback  (borrowed) called until another is set; NULL for none
 * \param user      handed to the callback as it is; may be NULL
 *
 * A message that is on its way on another thread may still reach the callback set before. Any thread.
 *
 * Errors: none but INTERNAL.
 */
SLACLOCK_API
slaclock_status slaclock_set_log(slaclock_log_fn callback,
                                 void *user,
                                 slaclock_error *error);

/*
 * =================================================================================================
 * Texts that the library makes: JSON, explanations, sources of policies.
 *
 * A call that gives a text gives a handle. Read it with `slaclock_text_data` and `slaclock_text_len`, then give it
 * back with `slaclock_text_free`.
 * =================================================================================================
 */

/**
 * The bytes of a text: UTF-8 with a NUL after it.
 *
 * \param text  (in)
 * \return (borrowed) valid until the text is freed; NULL if `text` is no text, and then `slaclock_last_error` says
 * why.
 *
 * Any thread.
 */
SLACLOCK_API
const char *slaclock_text_data(const slaclock_text *text);

/**
 * The length of a text in bytes, its NUL not counted.
 *
 * \param text  (in)
 * \return 0 also if `text` is no text, and then `slaclock_last_error` says why.
 *
 * Any thread.
 */
SLACLOCK_API size_t slaclock_text_len(const slaclock_text *text);

/**
 * Frees a text. NULL is fine; a text that is freed already stays so, and the log is told.
 *
 * \param text  (in) not to be used again
 *
 * Any thread.
 */
SLACLOCK_API void slaclock_text_free(slaclock_text *text);

/*
 * =================================================================================================
 * Facts: what rules match on, by name. `customer`, `priority`, `category`, `channel` or an attribute of the CRM's own.
 * =================================================================================================
 */

/**
 * Makes an empty set of facts.
 *
 * \param out_facts  (out, owned) free with `slaclock_facts_free`
 *
 * Errors: INVALID_ARGUMENT if `out_facts` is NULL. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_facts_new(slaclock_facts **out_facts,
                                   slaclock_error *error);

/**
 * Makes a set of facts from a JSON object of texts, like `{"priority": "high"}`.
 *
 * \param json       (in) UTF-8; `json_len` its length in bytes, or SLACLOCK_NTS
 * \param out_facts  (out, owned) free with `slaclock_facts_free`
 *
 * Errors: INVALID_ARGUMENT if an argument is NULL or `json` is something else. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_facts_from_json(const char *json,
                                         size_t json_len,
                                         slaclock_facts **out_facts,
                                         slaclock_error *error);

/**
 * Sets or replaces one fact.
 *
 * \param facts  (in) changed by the call
 * \param name   (in) UTF-8, not empty; `name_len` its length in bytes, or SLACLOCK_NTS
 * \param value  (in) UTF-8; `value_len` likewise. Empty: a request has no such fact; in an event of kind
 *               `SLACLOCK_EVENT_KIND_CHANGED` it takes the fact away.
 *
 * Errors: INVALID_ARGUMENT or CLOSED for `facts`, INVALID_ARGUMENT for `name` and `value`. Any thread; calls that use
 * the facts at the same time see them before or after.
 */
SLACLOCK_API
slaclock_status slaclock_facts_set(slaclock_facts *facts,
                                   const char *name,
                                   size_t name_len,
                                   const char *value,
                                   size_t value_len,
                                   slaclock_error *error);

/**
 * Frees facts. NULL is fine; facts that are freed already stay so, and the log is told. Calls that were given them
 * have copied what they need.
 *
 * \param facts  (in) not to be used again
 *
 * Any thread.
 */
SLACLOCK_API
void slaclock_facts_free(slaclock_facts *facts);

/*
 * =================================================================================================
 * Policies: the written agreement, read, checked and compiled. Immutable.
 *
 * A policy answers when a request would be due with no database at all. For one answer use `slaclock_policy_due`; for
 * many, a rule (`slaclock_policy_rule`), which answers in nanoseconds, or a column (`slaclock_policy_due_many`).
 * =================================================================================================
 */

/**
 * Reads and checks a policy file: JSON if its name ends in `.json`, else TOML. Holiday files are found beside it. Its
 * worked examples are run.
 *
 * \param path        (in) bytes of the path; `path_len` their number, or SLACLOCK_NTS
 * \param out_policy  (out, owned) free with `slaclock_policy_free`
 *
 * Errors: INVALID_ARGUMENT; NOT_FOUND or IO if a file cannot be read; INVALID_POLICY, INVALID_CALENDAR or UNKNOWN_ZONE
 * with line and column if the policy is wrong or contradicts one of its own examples. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_policy_load(const char *path,
                                     size_t path_len,
                                     slaclock_policy **out_policy,
                                     slaclock_error *error);

/**
 * Reads and checks a policy from text: JSON if it begins with a brace, else TOML. Reads back what
 * `slaclock_policy_source` gave.
 *
 * \param text        (in) UTF-8; `text_len` its length in bytes, or SLACLOCK_NTS
 * \param out_policy  (out, owned) free with `slaclock_policy_free`
 *
 * Errors: INVALID_ARGUMENT; INVALID_POLICY, INVALID_CALENDAR or UNKNOWN_ZONE with line and column. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_policy_from_text(const char *text,
                                          size_t text_len,
                                          slaclock_policy **out_policy,
                                          slaclock_error *error);

/**
 * The text a policy was read from, holiday files included.
 *
 * \param policy    (in)
 * \param out_text  (out, owned) free with `slaclock_text_free`
 *
 * Errors: INVALID_ARGUMENT, CLOSED. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_policy_source(const slaclock_policy *policy,
                                       slaclock_text **out_text,
                                       slaclock_error *error);

/**
 * What a policy says of itself, as JSON: `name`, `version`, `statement`, `review_at` (a date or null), `tzdb`,
 * `examples` (how many; all hold), `calendars` (`name`, `zone`, `holidays_known_until`), `clocks` (`name`, `start`,
 * `stop`, `restart`, `pause`, `rules` (how many), `backstop`, `attainment` (`share_bp`: hundredths of a percent, and
 * `per`) or null).
 *
 * \param policy    (in)
 * \param out_json  (out, owned) free with `slaclock_text_free`
 *
 * Errors: INVALID_ARGUMENT, CLOSED. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_policy_json(const slaclock_policy *policy,
                                     slaclock_text **out_json,
                                     slaclock_error *error);

/**
 * What a policy is silent on, and what it says that can hardly be meant.
 *
 * \param policy     (in)
 * \param day        days since 1970-01-01 of the date for which it is asked: today, say. Whether the holidays are
 *                   known long enough depends on it.
 * \param out_count  (out) number of findings; NULL to decline
 * \param out_json   (out, owned) a list of `code`, `severity` (`info`, `warning`), `message` and `position` (`line`,
 *                   `column`), by place in the text; free with `slaclock_text_free`; NULL to decline
 *
 * Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `day`. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_policy_lint(const slaclock_policy *policy,
                                     int64_t day,
                                     int64_t *out_count,
                                     slaclock_text **out_json,
                                     slaclock_error *error);

/**
 * The JSON Schema (2020-12) of the policy language; holds for TOML too.
 *
 * \param out_json  (out, owned) free with `slaclock_text_free`
 *
 * Errors: INVALID_ARGUMENT if `out_json` is NULL. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_policy_schema(slaclock_text **out_json,
                                       slaclock_error *error);

/**
 * When a request received at `received_at` is due, if the clock starts then and is never paused.
 *
 * \param policy      (in)
 * \param clock       (in) name of a clock, UTF-8; `clock_len` its length in bytes, or SLACLOCK_NTS
 * \param received_at seconds since 1970-01-01T00:00:00Z, below 2100
 * \param facts       (in) what rules match on; NULL for none
 * \param out_due_at  (out) seconds since 1970-01-01T00:00:00Z
 *
 * Errors: INVALID_ARGUMENT, CLOSED; NOT_FOUND if the policy has no such clock; OUT_OF_RANGE for `received_at`;
 * NO_DEADLINE with its reason. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_policy_due(const slaclock_policy *policy,
                                    const char *clock,
                                    size_t clock_len,
                                    int64_t received_at,
                                    const slaclock_facts *facts,
                                    int64_t *out_due_at,
                                    slaclock_error *error);

/**
 * When a request received at `received_at` breaches, if the clock starts then and is never paused: the outer limit.
 *
 * \param policy       (in)
 * \param clock        (in) name of a clock, UTF-8; `clock_len` its length in bytes, or SLACLOCK_NTS
 * \param received_at  seconds since 1970-01-01T00:00:00Z, below 2100
 * \param facts        (in) what rules match on; NULL for none
 * \param out_limit_at (out) seconds since 1970-01-01T00:00:00Z; SLACLOCK_NONE where the clock has no backstop
 *
 * Errors: as for `slaclock_policy_due`. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_policy_limit(const slaclock_policy *policy,
                                      const char *clock,
                                      size_t clock_len,
                                      int64_t received_at,
                                      const slaclock_facts *facts,
                                      int64_t *out_limit_at,
                                      slaclock_error *error);

/**
 * The due instants of many receipts with the same facts, column in, column out, without allocation.
 *
 * \param policy      (in)
 * \param clock       (in) name of a clock, UTF-8; `clock_len` its length in bytes, or SLACLOCK_NTS
 * \param facts       (in) what rules match on; NULL for none
 * \param received_at (in) `n` entries, seconds since 1970-01-01T00:00:00Z, below 2100; rising ones are fastest
 * \param n           entries; 0 allows NULL columns
 * \param out_due_at  (out) room for `n` entries, in the same order; SLACLOCK_NONE where there is no deadline. Must not
 *                    overlap `received_at`.
 *
 * Errors: INVALID_ARGUMENT, CLOSED; NOT_FOUND if the policy has no such clock; NO_DEADLINE if no rule matches the
 * facts; OUT_OF_RANGE for the first receipt that is no instant. Then nothing is written. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_policy_due_many(const slaclock_policy *policy,
                                         const char *clock,
                                         size_t clock_len,
                                         const slaclock_facts *facts,
                                         const int64_t *received_at,
                                         size_t n,
                                         int64_t *out_due_at,
                                         slaclock_error *error);

/**
 * Finds the rule of a clock that speaks about requests with these facts, ready for many questions.
 *
 * \param policy    (in) may be freed afterwards: the rule keeps what it needs
 * \param clock     (in) name of a clock, UTF-8; `clock_len` its length in bytes, or SLACLOCK_NTS
 * \param facts     (in) what rules match on; NULL for none
 * \param out_rule  (out, owned) free with `slaclock_rule_free`
 *
 * Errors: INVALID_ARGUMENT, CLOSED; NOT_FOUND if the policy has no such clock; NO_DEADLINE if no rule matches. Any
 * thread.
 */
SLACLOCK_API
slaclock_status slaclock_policy_rule(const slaclock_policy *policy,
                                     const char *clock,
                                     size_t clock_len,
                                     const slaclock_facts *facts,
                                     slaclock_rule **out_rule,
                                     slaclock_error *error);

/**
 * A calendar of a policy, by its name.
 *
 * \param policy       (in) may be freed afterwards: the calendar keeps what it needs
 * \param name         (in) UTF-8; `name_len` its length in bytes, or SLACLOCK_NTS
 * \param out_calendar (out, owned) free with `slaclock_calendar_free`
 *
 * Errors: INVALID_ARGUMENT, CLOSED; NOT_FOUND if the policy has no such calendar. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_policy_calendar(const slaclock_policy *policy,
                                         const char *name,
                                         size_t name_len,
                                         slaclock_calendar **out_calendar,
                                         slaclock_error *error);

/**
 * Why a request received at `received_at` would be due when it is, step by step.
 *
 * \param policy      (in)
 * \param clock       (in) name of a clock, UTF-8; `clock_len` its length in bytes, or SLACLOCK_NTS
 * \param received_at seconds since 1970-01-01T00:00:00Z, below 2100
 * \param facts       (in) what rules match on; NULL for none
 * \param out_text    (out, owned) sentences for people; free with `slaclock_text_free`; NULL to decline
 * \param out_json    (out, owned) the same as data; free with `slaclock_text_free`; NULL to decline
 *
 * Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `received_at`; NOT_FOUND if the policy has no such clock. That
 * there is no deadline is no error: the text says why. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_policy_explain(const slaclock_policy *policy,
                                        const char *clock,
                                        size_t clock_len,
                                        int64_t received_at,
                                        const slaclock_facts *facts,
                                        slaclock_text **out_text,
                                        slaclock_text **out_json,
                                        slaclock_error *error);

/**
 * Frees a policy. NULL is fine; a policy that is freed already stays so, and the log is told. Rules, calendars and
 * databases made from it stay good.
 *
 * \param policy  (in) not to be used again
 *
 * Any thread.
 */
SLACLOCK_API
void slaclock_policy_free(slaclock_policy *policy);

/*
 * =================================================================================================
 * Rules: what one clock promises to requests with certain facts, ready for many questions. Immutable.
 *
 * `slaclock_rule_due` is the fast single question: a few nanoseconds more than the same call in Rust. So that it need
 * not lock anything, each thread keeps the rule it asked last; the memory of a freed rule goes when the threads that
 * asked it last ask another, or end.
 * =================================================================================================
 */

/**
 * When a request received at `received_at` is due, if it is never paused. Never before the receipt.
 *
 * \param rule        (in)
 * \param received_at seconds since 1970-01-01T00:00:00Z, below 2100
 * \param out_due_at  (out) seconds since 1970-01-01T00:00:00Z
 *
 * Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `received_at`; NO_DEADLINE with its reason. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_rule_due(const slaclock_rule *rule,
                                  int64_t received_at,
                                  int64_t *out_due_at,
                                  slaclock_error *error);

/**
 * When a request received at `received_at` breaches, if it is never paused: the outer limit, never before due.
 *
 * \param rule         (in)
 * \param received_at  seconds since 1970-01-01T00:00:00Z, below 2100
 * \param out_limit_at (out) seconds since 1970-01-01T00:00:00Z; SLACLOCK_NONE where the rule has no backstop
 *
 * Errors: as for `slaclock_rule_due`. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_rule_limit(const slaclock_rule *rule,
                                    int64_t received_at,
                                    int64_t *out_limit_at,
                                    slaclock_error *error);

/**
 * The due instants of many receipts, column in, column out, without allocation.
 *
 * \param rule        (in)
 * \param received_at (in) `n` entries, seconds since 1970-01-01T00:00:00Z, below 2100; rising ones are fastest
 * \param n           entries; 0 allows NULL columns
 * \param out_due_at  (out) room for `n` entries, in the same order; SLACLOCK_NONE where there is no deadline. Must not
 *                    overlap `received_at`.
 *
 * Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for the first receipt that is no instant. Then nothing is written.
 * Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_rule_due_many(const slaclock_rule *rule,
                                       const int64_t *received_at,
                                       size_t n,
                                       int64_t *out_due_at,
                                       slaclock_error *error);

/**
 * The due instant of a request that was on hold, or that waits for a promise.
 *
 * \param rule             (in)
 * \param received_at      seconds since 1970-01-01T00:00:00Z, below 2100
 * \param paused_working_s working seconds on hold, as `slaclock_rule_paused` gives them, summed over the holds
 * \param paused_elapsed_s seconds on hold by the wall clock, likewise
 * \param promised_at      the promised instant, for targets that wait for one; SLACLOCK_NONE for none
 * \param out_due_at       (out) seconds since 1970-01-01T00:00:00Z
 *
 * More time on hold never gives an earlier instant; negative times count as none.
 *
 * Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for an instant; NO_DEADLINE with its reason. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_rule_due_paused(const slaclock_rule *rule,
                                         int64_t received_at,
                                         int64_t paused_working_s,
                                         int64_t paused_elapsed_s,
                                         int64_t promised_at,
                                         int64_t *out_due_at,
                                         slaclock_error *error);

/**
 * The time on hold between two instants, as the rule counts it for a request received at `received_at`.
 *
 * \param rule          (in)
 * \param received_at   seconds since 1970-01-01T00:00:00Z, below 2100
 * \param from_at       when the hold began
 * \param to_at         when it ended
 * \param out_working_s (out) working seconds
 * \param out_elapsed_s (out) seconds by the wall clock
 *
 * Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for an instant. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_rule_paused(const slaclock_rule *rule,
                                     int64_t received_at,
                                     int64_t from_at,
                                     int64_t to_at,
                                     int64_t *out_working_s,
                                     int64_t *out_elapsed_s,
                                     slaclock_error *error);

/**
 * The calendar that a rule counts in.
 *
 * \param rule         (in)
 * \param out_calendar (out, owned) free with `slaclock_calendar_free`
 *
 * Errors: INVALID_ARGUMENT, CLOSED. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_rule_calendar(const slaclock_rule *rule,
                                       slaclock_calendar **out_calendar,
                                       slaclock_error *error);

/**
 * Frees a rule. NULL is fine; a rule that is freed already stays so, and the log is told.
 *
 * \param rule  (in) not to be used again
 *
 * Any thread.
 */
SLACLOCK_API void slaclock_rule_free(slaclock_rule *rule);

/*
 * =================================================================================================
 * Calendars: working hours in a time zone. Immutable; take one from a policy or a rule.
 *
 * Dates are days since 1970-01-01 (0 is 1970-01-01), from -1 to 47482. Working time is counted in seconds.
 * =================================================================================================
 */

/**
 * The IANA name of a calendar's time zone.
 *
 * \param calendar (in)
 * \param out_text (out, owned) free with `slaclock_text_free`
 *
 * Errors: INVALID_ARGUMENT, CLOSED. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_calendar_zone(const slaclock_calendar *calendar,
                                       slaclock_text **out_text,
                                       slaclock_error *error);

/**
 * Whether an instant lies in working time.
 *
 * \param calendar (in)
 * \param at       seconds since 1970-01-01T00:00:00Z, below 2100
 * \param out_open (out) 1 or 0
 *
 * Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `at`. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_calendar_is_open(const slaclock_calendar *calendar,
                                          int64_t at,
                                          int32_t *out_open,
                                          slaclock_error *error);

/**
 * The next instant of working time: `at` itself if it is open.
 *
 * \param calendar     (in)
 * \param at           seconds since 1970-01-01T00:00:00Z, below 2100
 * \param out_opens_at (out) the same
 *
 * Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `at`; NO_DEADLINE if it does not open before 2100. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_calendar_next_open(const slaclock_calendar *calendar,
                                            int64_t at,
                                            int64_t *out_opens_at,
                                            slaclock_error *error);

/**
 * The first instant after `at` at which open turns to closed.
 *
 * \param calendar      (in)
 * \param at            seconds since 1970-01-01T00:00:00Z, below 2100
 * \param out_closes_at (out) the same
 *
 * Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `at`; NO_DEADLINE if it does not close before 2100. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_calendar_next_close(const slaclock_calendar *calendar,
                                             int64_t at,
                                             int64_t *out_closes_at,
                                             slaclock_error *error);

/**
 * Working time in `[from_at, to_at)`.
 *
 * \param calendar      (in)
 * \param from_at       seconds since 1970-01-01T00:00:00Z, below 2100
 * \param to_at         the same; if it comes before `from_at`, the answer is negative
 * \param out_working_s (out) seconds
 *
 * Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for an instant. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_calendar_working_time(const slaclock_calendar *calendar,
                                               int64_t from_at,
                                               int64_t to_at,
                                               int64_t *out_working_s,
                                               slaclock_error *error);

/**
 * Working time between many pairs of instants, columns in, column out, without allocation.
 *
 * \param calendar      (in)
 * \param from_at       (in) `n` entries, seconds since 1970-01-01T00:00:00Z, below 2100
 * \param to_at         (in) `n` entries likewise
 * \param n             entries; 0 allows NULL columns
 * \param out_working_s (out) room for `n` entries, in the same order: seconds. Must not overlap the others.
 *
 * Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for the first entry that is no instant. Then nothing is
 * written. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_calendar_working_time_many(const slaclock_calendar *calendar,
                                                    const int64_t *from_at,
                                                    const int64_t *to_at,
                                                    size_t n,
                                                    int64_t *out_working_s,
                                                    slaclock_error *error);

/**
 * The earliest instant by which this much working time has passed since `at`; `at` itself for 0.
 *
 * \param calendar  (in)
 * \param at        seconds since 1970-01-01T00:00:00Z, below 2100
 * \param working_s seconds of working time, not negative
 * \param out_at    (out) seconds since 1970-01-01T00:00:00Z
 *
 * Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `at` or a negative time; NO_DEADLINE if that much working time
 * does not pass before 2100. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_calendar_add_working_time(const slaclock_calendar *calendar,
                                                   int64_t at,
                                                   int64_t working_s,
                                                   int64_t *out_at,
                                                   slaclock_error *error);

/**
 * The latest instant from which this much working time passes until `at`; `at` itself for 0.
 *
 * \param calendar  (in)
 * \param at        seconds since 1970-01-01T00:00:00Z, below 2100
 * \param working_s seconds of working time, not negative
 * \param out_at    (out) seconds since 1970-01-01T00:00:00Z
 *
 * Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `at`, a negative time, or one that has not passed since 1970. Any
 * thread.
 */
SLACLOCK_API
slaclock_status slaclock_calendar_sub_working_time(const slaclock_calendar *calendar,
                                                   int64_t at,
                                                   int64_t working_s,
                                                   int64_t *out_at,
                                                   slaclock_error *error);

/**
 * Whether a date is a working day.
 *
 * \param calendar    (in)
 * \param day         days since 1970-01-01
 * \param out_working (out) 1 or 0
 *
 * Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `day`. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_calendar_is_working_day(const slaclock_calendar *calendar,
                                                 int64_t day,
                                                 int32_t *out_working,
                                                 slaclock_error *error);

/**
 * The nth working day strictly after a date, or strictly before it if `n` is negative; the date itself for 0.
 *
 * \param calendar (in)
 * \param day      days since 1970-01-01
 * \param n        working days
 * \param out_day  (out) days since 1970-01-01
 *
 * Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `day`; NO_DEADLINE if there is no such day from 1970 to 2099. Any
 * thread.
 */
SLACLOCK_API
slaclock_status slaclock_calendar_add_working_days(const slaclock_calendar *calendar,
                                                   int64_t day,
                                                   int64_t n,
                                                   int64_t *out_day,
                                                   slaclock_error *error);

/**
 * Working days in `(from_day, to_day]`.
 *
 * \param calendar (in)
 * \param from_day days since 1970-01-01
 * \param to_day   the same; if it comes before `from_day`, the answer is negative
 * \param out_days (out) working days
 *
 * Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for a date. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_calendar_working_days(const slaclock_calendar *calendar,
                                               int64_t from_day,
                                               int64_t to_day,
                                               int64_t *out_days,
                                               slaclock_error *error);

/**
 * The civil date and time of a calendar's zone at an instant.
 *
 * \param calendar   (in)
 * \param at         seconds since 1970-01-01T00:00:00Z, below 2100
 * \param out_day    (out) days since 1970-01-01
 * \param out_time_s (out) seconds since that day's midnight by the wall clock, 0 to 86399
 *
 * Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `at`. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_calendar_local(const slaclock_calendar *calendar,
                                        int64_t at,
                                        int64_t *out_day,
                                        int64_t *out_time_s,
                                        slaclock_error *error);

/**
 * The instant of a civil date and time in a calendar's zone.
 *
 * \param calendar (in)
 * \param day      days since 1970-01-01
 * \param time_s   seconds since midnight by the wall clock, 0 to 86400 (24:00, the end of the day)
 * \param edge     one of `slaclock_edge`
 * \param out_at   (out) seconds since 1970-01-01T00:00:00Z
 *
 * Errors: INVALID_ARGUMENT, also for `edge`; CLOSED; OUT_OF_RANGE for `day`, `time_s` or a result outside 1970 to
 * 2099. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_calendar_instant(const slaclock_calendar *calendar,
                                          int64_t day,
                                          int64_t time_s,
                                          int32_t edge,
                                          int64_t *out_at,
                                          slaclock_error *error);

/**
 * When a date's first stretch of working time opens and its last one closes, perhaps on the next date.
 *
 * \param calendar      (in)
 * \param day           days since 1970-01-01
 * \param out_opens_at  (out) seconds since 1970-01-01T00:00:00Z; SLACLOCK_NONE if the date is no working day
 * \param out_closes_at (out) likewise
 *
 * Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `day`. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_calendar_hours(const slaclock_calendar *calendar,
                                        int64_t day,
                                        int64_t *out_opens_at,
                                        int64_t *out_closes_at,
                                        slaclock_error *error);

/**
 * The stretches of working time in `[from_at, to_at)`, in order, clipped to it.
 *
 * \param calendar      (in)
 * \param from_at       seconds since 1970-01-01T00:00:00Z, below 2100
 * \param to_at         the same
 * \param out_opens_at  (out) room for `capacity` entries
 * \param out_closes_at (out) likewise; each stretch is `[opens, closes)`
 * \param capacity      entries, at least 1. If as many are filled, ask again from the last `closes` on.
 * \param out_filled    (out) entries written
 *
 * Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for an instant or a capacity of 0. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_calendar_intervals(const slaclock_calendar *calendar,
                                            int64_t from_at,
                                            int64_t to_at,
                                            int64_t *out_opens_at,
                                            int64_t *out_closes_at,
                                            size_t capacity,
                                            size_t *out_filled,
                                            slaclock_error *error);

/**
 * Frees a calendar. NULL is fine; a calendar that is freed already stays so, and the log is told.
 *
 * \param calendar (in) not to be used again
 *
 * Any thread.
 */
SLACLOCK_API void slaclock_calendar_free(slaclock_calendar *calendar);

/*
 * =================================================================================================
 * Databases: requests and their events in one file, with their deadlines kept ready.
 *
 * Any number of processes may use one file, and any number of threads one handle. Writes are one transaction each
 * and wait for one another; reads see every commit made before them and never wait for a writer. A handle inherited
 * through `fork` answers FORKED_HANDLE, and closing it in the child does nothing to the file.
 *
 * "The errors of the file" below are: CLOSED, FORKED_HANDLE, BUSY (another process kept the file for longer than the
 * busy timeout), CANCELLED, READ_ONLY, DAMAGED, STORAGE_FULL, IO. After an error from a write its outcome is unknown
 * until the file is reopened; submitting the same request and recording an event with the same key again is always
 * right.
 * =================================================================================================
 */

/**
 * Sets options to the defaults, as `SLACLOCK_OPTIONS_INIT` does.
 *
 * \param options (out)
 * \param size    `sizeof(slaclock_options)`
 *
 * Errors: INVALID_ARGUMENT if `options` is NULL or `size` is not that of a header. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_options_init(slaclock_options *options,
                                      size_t size,
                                      slaclock_error *error);

/**
 * Makes a new database under a policy, complete and on the disk when the call returns.
 *
 * \param path    (in) bytes of the path; `path_len` their number, or SLACLOCK_NTS
 * \param policy  (in) may be freed afterwards
 * \param options (in) NULL for the defaults
 * \param out_db  (out, owned) close with `slaclock_close`
 *
 * Errors: INVALID_ARGUMENT, CLOSED for `policy`, OUT_OF_RANGE for a negative option; ALREADY_EXISTS if anything at
 * all is at `path`; UNSUPPORTED for bulk durability without exclusive mode; the errors of the file. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_create(const char *path,
                                size_t path_len,
                                const slaclock_policy *policy,
                                const slaclock_options *options,
                                slaclock_db **out_db,
                                slaclock_error *error);

/**
 * Makes a database in memory, gone when closed: for tests and experiments.
 *
 * \param policy (in) may be freed afterwards
 * \param out_db (out, owned) close with `slaclock_close`
 *
 * Errors: INVALID_ARGUMENT, CLOSED. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_in_memory(const slaclock_policy *policy,
                                   slaclock_db **out_db,
                                   slaclock_error *error);

/**
 * Opens an existing database. Never makes one.
 *
 * \param path    (in) bytes of the path; `path_len` their number, or SLACLOCK_NTS
 * \param options (in) NULL for the defaults
 * \param out_db  (out, owned) close with `slaclock_close`
 *
 * Errors: INVALID_ARGUMENT, OUT_OF_RANGE for a negative option; NOT_FOUND; NOT_A_DATABASE for any other kind of file;
 * NEWER_FORMAT; UNSUPPORTED for bulk durability without exclusive mode; the errors of the file. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_open(const char *path,
                              size_t path_len,
                              const slaclock_options *options,
                              slaclock_db **out_db,
                              slaclock_error *error);

/**
 * Closes a database. NULL is fine. Calls on it that run on other threads end first. What was opened to be shared
 * stays open for this process for a minute, so that opening it again takes microseconds; `slaclock_shutdown` ends
 * that.
 *
 * \param db (in) not to be used again, unless the call fails with BUSY
 *
 * Errors: INVALID_ARGUMENT, CLOSED if it was closed before; BUSY if a write does not end within the busy timeout,
 * and then it stays open; IO. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_close(slaclock_db *db,
                               slaclock_error *error);

/**
 * Closes every handle that this process keeps open to share, whoever still has one: later calls on them are CLOSED,
 * and their `slaclock_close` only frees them. For the end of a process, so that files are left as cleanly closed.
 * Handles that were not opened to be shared, and those of a parent process, are left alone.
 *
 * Errors: BUSY if a write does not end within the busy timeout, IO; the others are closed all the same. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_shutdown(slaclock_error *error);

/**
 * Puts everything written so far on the disk. Only bulk durability leaves anything to do.
 *
 * \param db (in)
 *
 * Errors: INVALID_ARGUMENT; the errors of the file. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_flush(slaclock_db *db,
                               slaclock_error *error);

/**
 * Raises or lowers a flag: while it is up, every wait of the handle for other writers ends with CANCELLED at once.
 *
 * \param db     (in)
 * \param cancel 1 raises it, 0 lowers it
 *
 * Errors: INVALID_ARGUMENT, CLOSED; UNSUPPORTED for a handle that was opened to be shared. Any thread: that is what
 * it is for. Not for signal handlers.
 */
SLACLOCK_API
slaclock_status slaclock_cancel(slaclock_db *db,
                                int32_t cancel,
                                slaclock_error *error);

/**
 * Installs a new version of the policy, in force for requests received from `from_at` on. Existing requests keep the
 * version they are pinned to.
 *
 * \param db      (in)
 * \param policy  (in) may be freed afterwards
 * \param from_at seconds since 1970-01-01T00:00:00Z, below 2100
 *
 * Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `from_at`; CONFLICT if the version is not above the newest
 * installed one or `from_at` is before that one's (installing the newest again with the same text changes nothing);
 * the errors of the file. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_install(slaclock_db *db,
                                 const slaclock_policy *policy,
                                 int64_t from_at,
                                 slaclock_error *error);

/**
 * The newest installed policy.
 *
 * \param db         (in)
 * \param out_policy (out, owned) free with `slaclock_policy_free`
 *
 * Errors: INVALID_ARGUMENT; the errors of the file. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_db_policy(const slaclock_db *db,
                                   slaclock_policy **out_policy,
                                   slaclock_error *error);

/**
 * The installed policy versions, oldest first, as JSON: a list of `name`, `version`, `in_force_from`, `tzdb`.
 *
 * \param db       (in)
 * \param out_json (out, owned) free with `slaclock_text_free`
 *
 * Errors: INVALID_ARGUMENT; the errors of the file. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_policies_json(const slaclock_db *db,
                                       slaclock_text **out_json,
                                       slaclock_error *error);

/*
 * =================================================================================================
 * Requests: submitting them, and what is known of one.
 * =================================================================================================
 */

/**
 * Leaves everything in a request out, as `SLACLOCK_REQUEST_INIT` does.
 *
 * \param request (out)
 * \param size    `sizeof(slaclock_request)`
 *
 * Errors: INVALID_ARGUMENT if `request` is NULL or `size` is not that of a header. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_request_init(slaclock_request *request,
                                      size_t size,
                                      slaclock_error *error);

/**
 * Submits a request: pins it to the policy version in force when it was received and starts its clocks. Durable when
 * the call returns (with safe durability).
 *
 * Idempotent by id: submitting the same content again gives ALREADY_RECORDED, so a call whose outcome is unknown may
 * simply be repeated.
 *
 * \param db          (in)
 * \param request     (in)
 * \param out_outcome (out) one of `slaclock_outcome`; NULL to decline
 *
 * Errors: INVALID_ARGUMENT for an argument, id or field; CLOSED; OUT_OF_RANGE for `received_at`; CONFLICT if the id
 * was submitted with other content; the errors of the file. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_submit(slaclock_db *db,
                                const slaclock_request *request,
                                slaclock_outcome *out_outcome,
                                slaclock_error *error);

/**
 * The same with JSON in and out, for languages in which structs are tedious.
 *
 * \param db       (in)
 * \param json     (in) an object of `id`, `received_at` and, as wanted, `customer`, `priority`, `category`, `channel`,
 *                 `subject`, `attributes` (an object of texts); `json_len` its length in bytes, or SLACLOCK_NTS
 * \param out_json (out, owned) `outcome` (`recorded`, `already_recorded`) and `clocks`, as in `slaclock_get_json`;
 *                 free with `slaclock_text_free`; NULL to decline
 *
 * Errors: as for `slaclock_submit`. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_submit_json(slaclock_db *db,
                                     const char *json,
                                     size_t json_len,
                                     slaclock_text **out_json,
                                     slaclock_error *error);

/**
 * The clocks of a request, in the order of its policy.
 *
 * \param db         (in)
 * \param id         (in) the request's id, UTF-8; `id_len` its length in bytes, or SLACLOCK_NTS
 * \param now        judges at this instant and leaves later events out; SLACLOCK_NONE for right after its latest event
 * \param out_clocks (out) room for `capacity` clocks
 * \param capacity   64 is always enough
 * \param out_count  (out) how many clocks the request has; as many as fit are written
 *
 * Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `now`; NOT_FOUND if there is no such request; the errors of the
 * file. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_clocks(const slaclock_db *db,
                                const char *id,
                                size_t id_len,
                                int64_t now,
                                slaclock_clock_status *out_clocks,
                                size_t capacity,
                                size_t *out_count,
                                slaclock_error *error);

/**
 * Everything known of a request, as JSON: `request` (as submitted), `facts` (after all changes), `policy` (`name
 * version`), `state` (`"open"`, or an object of `resolved` or `cancelled` with the instant `at`), `clocks`,
 * `events`. Instants are seconds since 1970-01-01T00:00:00Z.
 *
 * \param db       (in)
 * \param id       (in) the request's id, UTF-8; `id_len` its length in bytes, or SLACLOCK_NTS
 * \param now      judges at this instant and leaves later events out; SLACLOCK_NONE for right after its latest event
 * \param out_json (out, owned) free with `slaclock_text_free`
 *
 * Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `now`; NOT_FOUND if there is no such request; the errors of the
 * file. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_get_json(const slaclock_db *db,
                                  const char *id,
                                  size_t id_len,
                                  int64_t now,
                                  slaclock_text **out_json,
                                  slaclock_error *error);

/*
 * =================================================================================================
 * Events: what happens to a request. They are only ever added, and may arrive late and out of order.
 * =================================================================================================
 */

/**
 * Leaves everything in an event out, as `SLACLOCK_EVENT_INIT` does.
 *
 * \param event (out)
 * \param size  `sizeof(slaclock_event)`
 *
 * Errors: INVALID_ARGUMENT if `event` is NULL or `size` is not that of a header. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_event_init(slaclock_event *event,
                                    size_t size,
                                    slaclock_error *error);

/**
 * Records an event on a request. Durable when the call returns (with safe durability).
 *
 * Idempotent if the event has a key: the same event with the same key gives ALREADY_RECORDED.
 *
 * \param db          (in)
 * \param id          (in) the request's id, UTF-8; `id_len` its length in bytes, or SLACLOCK_NTS
 * \param event       (in)
 * \param out_outcome (out) one of `slaclock_outcome`; NULL to decline
 *
 * Errors: INVALID_ARGUMENT for an argument, an unknown kind; CLOSED; OUT_OF_RANGE for
 * an instant; NOT_FOUND if there is no such request; INVALID_EVENT for an event before the
 * receipt, one that lacks what its kind carries, or has what it does not;
 * CONFLICT if its key was used on this request with other content; QUOTA_EXCEEDED for an expedite beyond the customer's
 * quota; the errors of the file. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_record(slaclock_db *db,
                                const char *id,
                                size_t id_len,
                                const slaclock_event *event,
                                slaclock_outcome *out_outcome,
                                slaclock_error *error);

/**
 * The same with JSON in and out, for languages in which structs are tedious.
 *
 * \param db       (in)
 * \param id       (in) the request's id, UTF-8; `id_len` its length in bytes, or SLACLOCK_NTS
 * \param json     (in) an object of `event` (the word: `acknowledged`, `paused`, ...), `at` and, as wanted, `by`,
 *                 `key`, `text` and what the kind carries: `reason`, `to`, `vendor`, `due`, `facts`, `approved_by`,
 *                 `clock`, `cycle`, `faq`; `json_len` its length in bytes, or SLACLOCK_NTS
 * \param out_json (out, owned) `outcome` (`recorded`, `already_recorded`) and `clocks`, as in `slaclock_get_json`;
 *                 free with `slaclock_text_free`; NULL to decline
 *
 * Errors: as for `slaclock_record`. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_record_json(slaclock_db *db,
                                     const char *id,
                                     size_t id_len,
                                     const char *json,
                                     size_t json_len,
                                     slaclock_text **out_json,
                                     slaclock_error *error);

/*
 * =================================================================================================
 * Batches: many requests and events in one transaction, with a result for each row.
 *
 * Collect rows, in any mixture, then apply them; a batch may be applied again, to another database say. A
 * transaction keeps other writers waiting, so make batches of some thousand rows, not of a million. Texts are copied
 * as rows are added.
 * =================================================================================================
 */

/**
 * Makes an empty batch.
 *
 * \param out_batch (out, owned) free with `slaclock_batch_free`
 *
 * Errors: INVALID_ARGUMENT if `out_batch` is NULL. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_batch_new(slaclock_batch **out_batch,
                                   slaclock_error *error);

/**
 * Adds a request to be submitted.
 *
 * \param batch   (in)
 * \param request (in) copied
 *
 * Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `received_at`. Then nothing is added. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_batch_submit(slaclock_batch *batch,
                                      const slaclock_request *request,
                                      slaclock_error *error);

/**
 * Adds an event to be recorded.
 *
 * \param batch (in)
 * \param id    (in) the request's id, UTF-8, of the database or of a row before; `id_len` its length in bytes, or
 *              SLACLOCK_NTS
 * \param event (in) copied
 *
 * Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for an instant. Then nothing is added. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_batch_record(slaclock_batch *batch,
                                      const char *id,
                                      size_t id_len,
                                      const slaclock_event *event,
                                      slaclock_error *error);

/**
 * How many rows a batch has.
 *
 * \param batch (in)
 * \return 0 also if `batch` is no batch, and then `slaclock_last_error` says why. Any thread.
 */
SLACLOCK_API size_t slaclock_batch_len(const slaclock_batch *batch);

/**
 * Takes all rows out of a batch.
 *
 * \param batch (in)
 *
 * Errors: INVALID_ARGUMENT, CLOSED. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_batch_clear(slaclock_batch *batch,
                                     slaclock_error *error);

/**
 * Frees a batch. NULL is fine; a batch that is freed already stays so, and the log is told.
 *
 * \param batch (in) not to be used again
 *
 * Any thread.
 */
SLACLOCK_API void slaclock_batch_free(slaclock_batch *batch);

/**
 * Writes all rows of a batch in one transaction.
 *
 * \param db           (in)
 * \param batch        (in) keeps its rows
 * \param on_error     one of `slaclock_on_error`
 * \param out_outcomes (out) room for a `slaclock_outcome` (as a number) for each row, in order; NULL to decline
 * \param out_statuses (out) room for the status of each row, in order; NULL to decline
 * \param capacity     entries in either; must be at least the number of rows unless both are NULL
 * \param out_refused  (out, owned) JSON: a list of `row` (from 0), `status`, `name`, `message` for the refused rows;
 *                     free with `slaclock_text_free`; NULL to decline
 *
 * Errors: INVALID_ARGUMENT, also for a capacity that is too small; CLOSED; with `SLACLOCK_ON_ERROR_ABORT` the error
 * of the first wrong row, its position named, and nothing is written: INVALID_ARGUMENT, OUT_OF_RANGE, NOT_FOUND,
 * INVALID_EVENT, CONFLICT; the errors of the file. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_apply(slaclock_db *db,
                               const slaclock_batch *batch,
                               int32_t on_error,
                               int32_t *out_outcomes,
                               int32_t *out_statuses,
                               size_t capacity,
                               slaclock_text **out_refused,
                               slaclock_error *error);

/**
 * The same with JSON in and out, for languages in which structs are tedious.
 *
 * \param db       (in)
 * \param json     (in) a list of `{"submit": {...}}` (as for `slaclock_submit_json`) and `{"request": ID, "record":
 *                 {...}}` (as for `slaclock_record_json`); `json_len` its length in bytes, or SLACLOCK_NTS
 * \param on_error one of `slaclock_on_error`
 * \param out_json (out, owned) a list with, for each row in order, `{"outcome": "recorded"}`, `{"outcome":
 *                 "already_recorded"}` or `{"status", "name", "message"}`; free with `slaclock_text_free`; NULL to
 *                 decline
 *
 * Errors: as for `slaclock_apply`. A list that cannot be read is INVALID_ARGUMENT whatever `on_error` says. Any
 * thread.
 */
SLACLOCK_API
slaclock_status slaclock_apply_json(slaclock_db *db,
                                    const char *json,
                                    size_t json_len,
                                    int32_t on_error,
                                    slaclock_text **out_json,
                                    slaclock_error *error);

/*
 * =================================================================================================
 * Scans: what is late, what is about to be, how many of each, and when to look again.
 *
 * A scan costs as much as its answer, whatever the size of the table. It reads one snapshot. Rows come earliest due
 * first, ties in the order of submission, and a page at a time:
 *
 *     int64_t after = SLACLOCK_PAGE_FIRST;
 *     while (after != SLACLOCK_PAGE_END) {
 *         size_t filled;
 *         if (slaclock_late(db, now, after, rows, 100, &filled, &after, &error) != SLACLOCK_STATUS_OK) break;
 *         for (size_t i = 0; i < filled; i++) use(&rows[i]);
 *     }
 * =================================================================================================
 */

/**
 * Makes a query for every running clock, as `SLACLOCK_QUERY_INIT` does.
 *
 * \param query (out)
 * \param size  `sizeof(slaclock_query)`
 *
 * Errors: INVALID_ARGUMENT if `query` is NULL or `size` is not that of a header. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_query_init(slaclock_query *query,
                                    size_t size,
                                    slaclock_error *error);

/**
 * One page of the running clocks that a query asks for.
 *
 * \param db         (in)
 * \param query      (in)
 * \param after      SLACLOCK_PAGE_FIRST, or what the call before wrote to `out_next`
 * \param out_rows   (out) room for `capacity` rows
 * \param capacity   at least 1; at most SLACLOCK_MAX_PAGE rows are filled
 * \param out_filled (out) rows written
 * \param out_next   (out) where the next page begins, SLACLOCK_PAGE_END if this was the last; NULL to decline. Stays
 *                   valid whatever is written meanwhile.
 *
 * Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for an instant or a capacity of 0; NOT_FOUND if no policy of the
 * database has the clock asked for; the errors of the file. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_scan(const slaclock_db *db,
                              const slaclock_query *query,
                              int64_t after,
                              slaclock_row *out_rows,
                              size_t capacity,
                              size_t *out_filled,
                              int64_t *out_next,
                              slaclock_error *error);

/**
 * The same page as JSON: `rows` (`request`, `clock`, `cycle`, `stage`, `due_at`, `limit_at`, `started_at`) and
 * `next` (for `after`; SLACLOCK_PAGE_END at the end).
 *
 * \param db       (in)
 * \param query    (in)
 * \param after    SLACLOCK_PAGE_FIRST, or `next` of the page before
 * \param limit    most rows, 1 to SLACLOCK_MAX_PAGE
 * \param out_json (out, owned) free with `slaclock_text_free`
 *
 * Errors: as for `slaclock_scan`. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_scan_json(const slaclock_db *db,
                                   const slaclock_query *query,
                                   int64_t after,
                                   size_t limit,
                                   slaclock_text **out_json,
                                   slaclock_error *error);

/**
 * Clocks that are late at `now`: due has passed, the limit has not.
 *
 * \param db         (in)
 * \param now        seconds since 1970-01-01T00:00:00Z, below 2100
 * \param after      SLACLOCK_PAGE_FIRST, or what the call before wrote to `out_next`
 * \param out_rows   (out) room for `capacity` rows
 * \param capacity   at least 1; at most SLACLOCK_MAX_PAGE rows are filled
 * \param out_filled (out) rows written
 * \param out_next   (out) where the next page begins, or SLACLOCK_PAGE_END; NULL to decline
 *
 * Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `now` or a capacity of 0; the errors of the file. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_late(const slaclock_db *db,
                              int64_t now,
                              int64_t after,
                              slaclock_row *out_rows,
                              size_t capacity,
                              size_t *out_filled,
                              int64_t *out_next,
                              slaclock_error *error);

/**
 * Clocks that are breached at `now`: the limit has passed, or due where there is no backstop.
 *
 * Arguments and errors: as for `slaclock_late`.
 */
SLACLOCK_API
slaclock_status slaclock_breached(const slaclock_db *db,
                                  int64_t now,
                                  int64_t after,
                                  slaclock_row *out_rows,
                                  size_t capacity,
                                  size_t *out_filled,
                                  int64_t *out_next,
                                  slaclock_error *error);

/**
 * Clocks that are at risk at `now`: a warning threshold has passed, due has not.
 *
 * Arguments and errors: as for `slaclock_late`.
 */
SLACLOCK_API
slaclock_status slaclock_at_risk(const slaclock_db *db,
                                 int64_t now,
                                 int64_t after,
                                 slaclock_row *out_rows,
                                 size_t capacity,
                                 size_t *out_filled,
                                 int64_t *out_next,
                                 slaclock_error *error);

/**
 * Running clocks due before `until`, judged at `until`.
 *
 * \param until seconds since 1970-01-01T00:00:00Z, below 2100
 *
 * Other arguments and errors: as for `slaclock_late`.
 */
SLACLOCK_API
slaclock_status slaclock_due_before(const slaclock_db *db,
                                    int64_t until,
                                    int64_t after,
                                    slaclock_row *out_rows,
                                    size_t capacity,
                                    size_t *out_filled,
                                    int64_t *out_next,
                                    slaclock_error *error);

/**
 * Clocks that passed due from `last` on and before `now`, and still run: newly late since the last look.
 *
 * \param last  when was looked last: seconds since 1970-01-01T00:00:00Z, below 2100
 * \param now   the same, of this look
 *
 * Other arguments and errors: as for `slaclock_late`.
 */
SLACLOCK_API
slaclock_status slaclock_newly_late(const slaclock_db *db,
                                    int64_t last,
                                    int64_t now,
                                    int64_t after,
                                    slaclock_row *out_rows,
                                    size_t capacity,
                                    size_t *out_filled,
                                    int64_t *out_next,
                                    slaclock_error *error);

/**
 * The running clock that is due first at or after `now`: the next instant to look again.
 *
 * \param db        (in)
 * \param now       seconds since 1970-01-01T00:00:00Z, below 2100
 * \param out_row   (out) the clock, written if there is one; NULL to decline
 * \param out_found (out) 1 if there is one, else 0
 *
 * Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `now`; the errors of the file. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_next_due(const slaclock_db *db,
                                  int64_t now,
                                  slaclock_row *out_row,
                                  int32_t *out_found,
                                  slaclock_error *error);

/**
 * All clocks by stage at `now`. Takes microseconds, whatever the size, unless `now` lies before recorded events.
 *
 * \param db         (in)
 * \param now        seconds since 1970-01-01T00:00:00Z, below 2100
 * \param out_counts (out)
 *
 * Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `now`; the errors of the file. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_counts(const slaclock_db *db,
                                int64_t now,
                                slaclock_stage_counts *out_counts,
                                slaclock_error *error);

/*
 * =================================================================================================
 * The feed: one durable notice for each threshold that a clock crosses, exactly once, whatever the interval.
 *
 * `slaclock_advance` turns every threshold that passed since the last advance into a notice, in one transaction.
 * Notices are numbered 1, 2, 3 ... without gaps. Each consumer has a name of its own and a durable cursor: it reads
 * what is pending and acknowledges what it has dealt with. A crash between the two hands out the same notices again,
 * under the same numbers.
 *
 * A late event that makes a notice untrue is followed by the same notice marked `retracted`; none is ever deleted.
 * =================================================================================================
 */

/**
 * Advances the feed to `now`: every threshold that passed since the last advance becomes a notice. A `now` at or
 * before the last advance changes nothing.
 *
 * \param db        (in)
 * \param now       seconds since 1970-01-01T00:00:00Z, below 2100
 * \param out_count (out) new notices; NULL to decline
 *
 * Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `now`; the errors of the file. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_advance(slaclock_db *db,
                                 int64_t now,
                                 int64_t *out_count,
                                 slaclock_error *error);

/**
 * The notices that a consumer has not acknowledged, by number.
 *
 * \param db           (in)
 * \param consumer     (in) its name, 1 to 255 bytes of UTF-8; a new one begins with the first notice; `consumer_len`
 *                     its length in bytes, or SLACLOCK_NTS
 * \param out_notices  (out) room for `capacity` notices
 * \param capacity     at least 1; at most SLACLOCK_MAX_NOTICES are filled
 * \param out_filled   (out) notices written; 0 if all are acknowledged
 *
 * Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for a capacity of 0; the errors of the file. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_pending(const slaclock_db *db,
                                 const char *consumer,
                                 size_t consumer_len,
                                 slaclock_notice *out_notices,
                                 size_t capacity,
                                 size_t *out_filled,
                                 slaclock_error *error);

/**
 * The same as JSON: a list of `number`, `request`, `clock`, `cycle`, `threshold` (`"late"`, `"breached"` or
 * `{"warning": percent}`), `at`, `by_change`, `retracted`, and of a notice about a promised share `period`, of a reminder `reminder`.
 *
 * \param db       (in)
 * \param consumer (in) as for `slaclock_pending`, with `consumer_len`
 * \param limit    most notices, 1 to SLACLOCK_MAX_NOTICES
 * \param out_json (out, owned) free with `slaclock_text_free`
 *
 * Errors: as for `slaclock_pending`. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_pending_json(const slaclock_db *db,
                                      const char *consumer,
                                      size_t consumer_len,
                                      size_t limit,
                                      slaclock_text **out_json,
                                      slaclock_error *error);

/**
 * Acknowledges all notices up to a number, durably. A number acknowledged before changes nothing.
 *
 * \param db       (in)
 * \param consumer (in) as for `slaclock_pending`, with `consumer_len`
 * \param number   of the last notice dealt with
 *
 * Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE if there is no such notice yet; the errors of the file. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_acknowledge(slaclock_db *db,
                                     const char *consumer,
                                     size_t consumer_len,
                                     int64_t number,
                                     slaclock_error *error);

/**
 * The number of the last notice that a consumer acknowledged.
 *
 * \param db         (in)
 * \param consumer   (in) as for `slaclock_pending`, with `consumer_len`
 * \param out_number (out) 0 if none
 *
 * Errors: INVALID_ARGUMENT, CLOSED; the errors of the file. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_acknowledged(const slaclock_db *db,
                                      const char *consumer,
                                      size_t consumer_len,
                                      int64_t *out_number,
                                      slaclock_error *error);

/*
 * =================================================================================================
 * Reports: is the promise kept? Attainment against the promised share, and time spent waiting.
 *
 * A cohort is what was received in a period, by the local date in the zone of the clock's calendar. Shares are in
 * hundredths of a percent, rounded down. Where nothing is decided yet there is no share.
 * =================================================================================================
 */

/**
 * Makes a query for everything, as `SLACLOCK_ATTAINMENT_QUERY_INIT` does.
 *
 * \param query (out)
 * \param size  `sizeof(slaclock_attainment_query)`
 *
 * Errors: INVALID_ARGUMENT if `query` is NULL or `size` is not that of a header. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_attainment_query_init(slaclock_attainment_query *query,
                                               size_t size,
                                               slaclock_error *error);

/**
 * Attainment by clock, then period, in the order of the newest policy's clocks. Goals are those of the newest policy.
 *
 * \param db             (in)
 * \param query          (in) without `by`
 * \param out_attainment (out) room for `capacity` entries
 * \param capacity       as many as fit are written
 * \param out_count      (out) how many there are; ask again with as much room if they did not fit
 *
 * Errors: INVALID_ARGUMENT, also for a text that is no period; CLOSED; OUT_OF_RANGE for `now` or a period beyond 1970 to
 * 2099; NOT_FOUND if the newest policy has no such clock, or none that promises a share; the errors of the file. Any
 * thread.
 */
SLACLOCK_API
slaclock_status slaclock_attainment(const slaclock_db *db,
                                    const slaclock_attainment_query *query,
                                    slaclock_attainment_row *out_attainment,
                                    size_t capacity,
                                    size_t *out_count,
                                    slaclock_error *error);

/**
 * Attainment by clock, period and group as JSON: a list of `by` (an object of the facts counted apart by),
 * `attainment` (`period`, `clock`, `tally`, `goal`, `period_over`), `share_bp`, `adjusted_share_bp`, `budget_left`,
 * `verdict` (`kept`, `open`, `broken` or null) and `text` (a line for people).
 *
 * \param db       (in)
 * \param query    (in)
 * \param out_json (out, owned) free with `slaclock_text_free`
 *
 * Errors: as for `slaclock_attainment`. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_attainment_json(const slaclock_db *db,
                                         const slaclock_attainment_query *query,
                                         slaclock_text **out_json,
                                         slaclock_error *error);

/**
 * Time on hold by reason, for requests received in a period, up to `now`, as JSON: a list of `reason`, `requests`,
 * `holds`, `elapsed` (wall-clock seconds, summed), `working` (working seconds in the calendar of the policy's first
 * clock), `median` (wall-clock seconds of the median hold). A hold that nobody ended counts until the request was
 * handled, or until `now`.
 *
 * \param db       (in)
 * \param period   (in) as in `slaclock_attainment_query`, with `period_len`; NULL for all
 * \param now      seconds since 1970-01-01T00:00:00Z, below 2100
 * \param out_json (out, owned) free with `slaclock_text_free`
 *
 * Errors: INVALID_ARGUMENT, also for a text that is no period; CLOSED; OUT_OF_RANGE for `now` or a period beyond 1970 to
 * 2099; the errors of the file. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_waiting_json(const slaclock_db *db,
                                      const char *period,
                                      size_t period_len,
                                      int64_t now,
                                      slaclock_text **out_json,
                                      slaclock_error *error);

/*
 * =================================================================================================
 * Every figure of a period, and groups beside one another, as documents. `docs/reports.md` says what each means.
 * =================================================================================================
 */

/**
 * Everything about the requests received in a period: attainment, the error budget day by day, handling times against
 * the deadline, arrivals and misses by weekday and hour, groups beside one another, the latest and the nearest, time on
 * hold. Each figure with the ids behind it. `slaclock_report_html` makes a page of the same.
 *
 * \param db       (in)
 * \param query    (in) JSON: `now_at` and `period` (a text like `2026-03`); if wanted `clock`, `by` (a list of facts to
 *                 compare groups by), `most_ids` (0 to 1,000), `most_groups` (1 to 10,000), `most_rows` (0 to 1,000);
 *                 `query_len` its length in bytes, or SLACLOCK_NTS
 * \param out_json (out, owned) `policy`, `statement`, `zone`, `now_at`, `period`, `most_ids`, `clocks`, `waiting`; free with
 *                 `slaclock_text_free`
 *
 * Errors: INVALID_ARGUMENT, also for a document that is not as described; CLOSED; OUT_OF_RANGE for a bound beyond its
 * limits; NOT_FOUND if the newest policy has no such clock, or none that promises a share; the errors of the file. Any
 * thread.
 */
SLACLOCK_API
slaclock_status slaclock_report_json(const slaclock_db *db,
                                     const char *query,
                                     size_t query_len,
                                     slaclock_text **out_json,
                                     slaclock_error *error);

/**
 * The same as a page to look at: one HTML file that needs nothing else, neither scripts nor network.
 *
 * \param db       (in)
 * \param query    (in) as for `slaclock_report_json`, with `query_len`
 * \param out_html (out, owned) free with `slaclock_text_free`
 *
 * The drawing of plots makes a library larger, so it is built in only on demand: `cargo build --release -p slaclock-capi
 * --features html`, `-DSLACLOCK_HTML=ON` or `make install HTML=1`.
 *
 * Errors: as for `slaclock_report_json`; UNSUPPORTED for a library without it. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_report_html(const slaclock_db *db,
                                     const char *query,
                                     size_t query_len,
                                     slaclock_text **out_html,
                                     slaclock_error *error);

/**
 * What if something else had been promised: attainment of the stored history as it was promised, and as it would have
 * been under each of some policies, side by side. Nothing is written, and nobody works faster because a deadline is
 * nearer.
 *
 * \param db       (in)
 * \param policies (in) `n` policies, which stay the caller's
 * \param n        at least 1
 * \param query    (in) the requests, and what to count them by
 * \param out_json (out, owned) a list of n + 1, that of the promise first: `policy`, `groups` (as `slaclock_attainment_json`
 *                 gives them, with `by` as a list of names and values) and `changes` (for each clock `clock`, `earlier`,
 *                 `later`, `unmatched`, `newly_met`, `newly_missed`); free with `slaclock_text_free`
 *
 * Errors: INVALID_ARGUMENT, also for no policy; CLOSED; OUT_OF_RANGE for `now` or a period beyond 1970 to 2099; NOT_FOUND
 * if a policy has no such clock, or promises no share; the errors of the file. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_simulate_json(const slaclock_db *db,
                                       const slaclock_policy *const *policies,
                                       size_t n,
                                       const slaclock_attainment_query *query,
                                       slaclock_text **out_json,
                                       slaclock_error *error);

/**
 * How groups of requests fare beside one another: attainment with Wilson intervals, time until handled, time on hold,
 * and whether a group's difference from the rest is more than chance would make.
 *
 * \param db       (in)
 * \param query    (in) with `by`, the facts that make a group
 * \param out_json (out, owned) a list, by clock and period, of `clock`, `period`, `by`, `groups_total`,
 *                 `compared_at_once`, `median`, `groups`; free with `slaclock_text_free`
 *
 * Errors: INVALID_ARGUMENT, also if the query names no fact; CLOSED; OUT_OF_RANGE for `now` or a period beyond 1970 to
 * 2099; NOT_FOUND if no request of the period has any of the facts, or the newest policy has no such clock; the errors of
 * the file. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_fairness_json(const slaclock_db *db,
                                       const slaclock_attainment_query *query,
                                       slaclock_text **out_json,
                                       slaclock_error *error);

/*
 * =================================================================================================
 * Living with an agreement: whether a promised share will hold, what an interruption moved, bringing in a new version,
 * and trying one out. What these calls ask and answer are documents: JSON, instants in seconds since
 * 1970-01-01T00:00:00Z, spans in seconds. `docs/agreement.md` says what each means.
 * =================================================================================================
 */

/**
 * Where each promised share stands at `now`: what is left to miss, between which shares the period ends, and the
 * requests whose handling decides it.
 *
 * \param db       (in)
 * \param query    (in) JSON: `now`; if wanted `clock`, `period` (a text like `2026-03`) and `until`, the horizon of what
 *                 must be finished; `query_len` its length in bytes, or SLACLOCK_NTS
 * \param out_json (out, owned) a list with an outlook for each clock that promises a share: `attainment`,
 *                 `misses_allowed`, `misses_left`, `must_meet`, `best_share_bp`, `worst_share_bp`, `so_far`, `verdict`,
 *                 `breaks_at`, `until_at`, `must_finish`, `deciding`, `later`, `on_hold`, `tail`, `cadence`; free with
 *                 `slaclock_text_free`
 *
 * Errors: INVALID_ARGUMENT, also for a document that is not as described, a clock that promises no share or a horizon
 * before `now`; CLOSED; NOT_FOUND if the newest policy has no such clock, or none that promises a share; the errors of
 * the file. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_outlook_json(const slaclock_db *db,
                                      const char *query,
                                      size_t query_len,
                                      slaclock_text **out_json,
                                      slaclock_error *error);

/**
 * Declares, amends, ends or withdraws an interruption, and derives the clocks in its scope anew, in one transaction.
 *
 * \param db       (in)
 * \param order    (in) JSON: `{"declare": WINDOW}`, `{"amend": {"number": N, "window": WINDOW}}`,
 *                 `{"end": {"number": N, "to": T}}` or `{"withdraw": {"number": N}}`, where WINDOW is `category`
 *                 (`personnel`, `facilities`, `power`, `internet_telecom`, `merger_acquisition`, `disaster`, `own` or
 *                 `own:NAME`), `scope` (`"all"`, `{"calendar": NAME}`, `{"customer": NAME}`, `{"category": NAME}`),
 *                 `from` and, if it is known, `to`; `order_len` its length in bytes, or SLACLOCK_NTS
 * \param at       when this is said: seconds since 1970-01-01T00:00:00Z, below 2100
 * \param by       (in) who says it, UTF-8; `by_len` likewise
 * \param text     (in) free text for the record; NULL for none; `text_len` likewise
 * \param dry_run  1 to write nothing and tell what would move, else 0
 * \param out_json (out, owned) `entry` (with the interruption's `number`), `dry_run`, `requests` looked at, and `moved`: a
 *                 list of `request`, `clock`, `before` and `after`; free with `slaclock_text_free`
 *
 * Errors: INVALID_ARGUMENT, also for an unknown category, an end that is not after the start, an open end that begins
 * after `at`, or no actor; CLOSED; OUT_OF_RANGE for `at`; NOT_FOUND if there is no such interruption, or no policy has
 * the calendar; CONFLICT if it is withdrawn, has an end already, or was changed after `at`; the errors of the file. Any
 * thread.
 */
SLACLOCK_API
slaclock_status slaclock_interrupt(slaclock_db *db,
                                   const char *order,
                                   size_t order_len,
                                   int64_t at,
                                   const char *by,
                                   size_t by_len,
                                   const char *text,
                                   size_t text_len,
                                   int32_t dry_run,
                                   slaclock_text **out_json,
                                   slaclock_error *error);

/**
 * The journal of all interruptions, in the order of recording.
 *
 * \param db       (in)
 * \param out_json (out, owned) a list of `number`, `act` (`declared`, `amended`, `ended`, `withdrawn`), `at`, `by`, `window`,
 *                 `text`; free with `slaclock_text_free`
 *
 * Errors: INVALID_ARGUMENT, CLOSED; the errors of the file. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_interruptions_json(const slaclock_db *db,
                                            slaclock_text **out_json,
                                            slaclock_error *error);

/**
 * Moves open requests to another installed version of the policy.
 *
 * \param db       (in)
 * \param version  the version; 0 for the newest
 * \param scope    (in) JSON: `"all"`, `{"customer": NAME}` or `{"category": NAME}`; NULL for all; `scope_len` its length in
 *                 bytes, or SLACLOCK_NTS
 * \param at       when this is done: seconds since 1970-01-01T00:00:00Z, below 2100; requests received later stay
 * \param by       (in) who does it, UTF-8; `by_len` likewise
 * \param dry_run  1 to write nothing and tell what would move, else 0
 * \param out_json (out, owned) `to` (versions), `dry_run`, `requests` that move, and `moved`: every clock that stands
 *                 elsewhere afterwards, as `request`, `clock`, `before`, `after`; free with `slaclock_text_free`
 *
 * Errors: INVALID_ARGUMENT, also for a scope of a calendar or no actor; CLOSED; OUT_OF_RANGE for `version` or `at`;
 * NOT_FOUND if there is no such version; CONFLICT if the version lacks a clock that a request has, or has it in another
 * place, or a request was migrated after `at`; the errors of the file. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_migrate(slaclock_db *db,
                                 int64_t version,
                                 const char *scope,
                                 size_t scope_len,
                                 int64_t at,
                                 const char *by,
                                 size_t by_len,
                                 int32_t dry_run,
                                 slaclock_text **out_json,
                                 slaclock_error *error);

/**
 * Moves open requests to other zone data. Each version of the policy gets an edition with it.
 *
 * \param db       (in)
 * \param folder   (in) of compiled zone files, such as /usr/share/zoneinfo: bytes of the path; NULL for the data of this
 *                 library; `folder_len` their number, or SLACLOCK_NTS
 * \param at       when this is done: seconds since 1970-01-01T00:00:00Z, below 2100
 * \param by       (in) who does it, UTF-8; `by_len` likewise
 * \param dry_run  1 to write nothing and tell what would move, else 0
 * \param out_json (out, owned) as for `slaclock_migrate`
 *
 * Errors: INVALID_ARGUMENT, also for no actor; CLOSED; OUT_OF_RANGE for `at`; NOT_FOUND or IO for the folder;
 * UNKNOWN_ZONE if the data lacks a zone; INVALID_POLICY if a worked example no longer holds; CONFLICT if a request was
 * migrated after `at`; the errors of the file. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_retz(slaclock_db *db,
                              const char *folder,
                              size_t folder_len,
                              int64_t at,
                              const char *by,
                              size_t by_len,
                              int32_t dry_run,
                              slaclock_text **out_json,
                              slaclock_error *error);

/**
 * Copies a database as it is to a new file, for experiments. The original is only read.
 *
 * \param db        (in)
 * \param path      (in) of the copy: bytes of the path; `path_len` their number, or SLACLOCK_NTS
 * \param out_bytes (out) length of the copy; NULL to decline
 *
 * Errors: INVALID_ARGUMENT, CLOSED; ALREADY_EXISTS if anything at all is at `path`; DAMAGED if something in the original
 * is not as it was written; IO, STORAGE_FULL; the errors of the file. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_fork(const slaclock_db *db,
                              const char *path,
                              size_t path_len,
                              int64_t *out_bytes,
                              slaclock_error *error);

/*
 * =================================================================================================
 * What a desk does around its deadlines: expedites within their quota, waits for vendors and customers, the requests
 * behind a figure, and who has read or reviewed the policy. Answers are documents: JSON, instants in seconds since
 * 1970-01-01T00:00:00Z, spans in seconds. `docs/care.md` says what each means.
 * =================================================================================================
 */

/**
 * How many expedites a customer has used in the calendar month of `at`, and when the next is free.
 *
 * \param db       (in)
 * \param customer (in) UTF-8; `customer_len` its length in bytes, or SLACLOCK_NTS
 * \param at       seconds since 1970-01-01T00:00:00Z, below 2100
 * \param out_json (out, owned) `customer`, `month`, `used`, `per_month`, `next_free_at` (null if never); free with
 *                 `slaclock_text_free`
 *
 * Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `at`; UNSUPPORTED if the newest policy foresees no expedites; the
 * errors of the file. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_expedite_quota_json(const slaclock_db *db,
                                             const char *customer,
                                             size_t customer_len,
                                             int64_t at,
                                             slaclock_text **out_json,
                                             slaclock_error *error);

/**
 * Use of expedites by customer, then calendar month.
 *
 * \param db       (in)
 * \param period   (in) a text like `2026-03`; NULL for all; `period_len` its length in bytes, or SLACLOCK_NTS
 * \param out_json (out, owned) a list of `customer`, `month`, `used`, `approved`, `per_month` and `expedites` (`request`,
 *                 `at`, `by`, `approved_by`); free with `slaclock_text_free`
 *
 * Errors: INVALID_ARGUMENT, also for a text that is no period; CLOSED; OUT_OF_RANGE for a period beyond 1970 to 2099; the
 * errors of the file. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_expedites_json(const slaclock_db *db,
                                        const char *period,
                                        size_t period_len,
                                        slaclock_text **out_json,
                                        slaclock_error *error);

/**
 * With whom the requests received in a period spent their time up to `now`: each vendor and customer, waits that are over
 * and waits that last, with the requests behind each number.
 *
 * \param db       (in)
 * \param period   (in) a text like `2026-03`; NULL for all; `period_len` its length in bytes, or SLACLOCK_NTS
 * \param now      seconds since 1970-01-01T00:00:00Z, below 2100
 * \param out_json (out, owned) `groups` (`party`, `customer`, `calendar`, `closed`, `open`, `entries`), `vendor_requests`,
 *                 `requests` looked at; free with `slaclock_text_free`
 *
 * Errors: INVALID_ARGUMENT, also for a text that is no period; CLOSED; OUT_OF_RANGE for `now` or a period beyond 1970 to
 * 2099; the errors of the file. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_waits_json(const slaclock_db *db,
                                    const char *period,
                                    size_t period_len,
                                    int64_t now,
                                    slaclock_text **out_json,
                                    slaclock_error *error);

/**
 * Every request that `slaclock_attainment_json` counts for the same query, with what it counts as: the ids behind each
 * number, waived misses with who excused them and why.
 *
 * \param db       (in)
 * \param query    (in)
 * \param out_json (out, owned) a list, in the order of submission, of `request`, `clock`, `period`, `by`, `verdict`, `tail`,
 *                 `waived`, `waivers`; free with `slaclock_text_free`
 *
 * Errors: as for `slaclock_attainment_json`. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_judged_json(const slaclock_db *db,
                                     const slaclock_attainment_query *query,
                                     slaclock_text **out_json,
                                     slaclock_error *error);

/**
 * Records that somebody has read or reviewed a version of the policy. Durable when the call returns (with safe
 * durability). The same again changes nothing.
 *
 * \param db          (in)
 * \param json        (in) `version`, `duty` (`"reading"` or `"review"`), `by` and `at`; `json_len` its length in bytes, or
 *                    SLACLOCK_NTS
 * \param out_outcome (out) one of `slaclock_outcome`; NULL to decline
 *
 * Errors: INVALID_ARGUMENT, also for a document that is not as described, or a person who is not among the version's
 * readers; CLOSED; NOT_FOUND if no such version is installed; CONFLICT if the person acknowledged it before at another
 * instant; the errors of the file. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_acknowledge_policy(slaclock_db *db,
                                            const char *json,
                                            size_t json_len,
                                            slaclock_outcome *out_outcome,
                                            slaclock_error *error);

/**
 * Who has read or reviewed which version of the policy.
 *
 * \param db       (in)
 * \param out_json (out, owned) a list, by version, in the order of arrival, of `version`, `duty`, `by`, `at`; free with
 *                 `slaclock_text_free`
 *
 * Errors: INVALID_ARGUMENT, CLOSED; the errors of the file. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_acknowledgements_json(const slaclock_db *db,
                                               slaclock_text **out_json,
                                               slaclock_error *error);

/**
 * What is yet to be read or reviewed at `now`: of the version in force and of those that will be.
 *
 * \param db       (in)
 * \param now      seconds since 1970-01-01T00:00:00Z, below 2100
 * \param out_json (out, owned) a list, by due instant, of `duty`, `policy`, `version`, `reader` (null for a review), `due_at`,
 *                 `overdue`; free with `slaclock_text_free`
 *
 * Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `now`; the errors of the file. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_reminders_json(const slaclock_db *db,
                                        int64_t now,
                                        slaclock_text **out_json,
                                        slaclock_error *error);

/**
 * The refusals that wait for a second person at `now`.
 *
 * \param db       (in)
 * \param now      seconds since 1970-01-01T00:00:00Z, below 2100
 * \param out_json (out, owned) a list, by instant of the proposal, of `request`, `customer` (null if it names none),
 *                 `proposed_at`, `proposed_by`, `reason`, `approvers` (who may approve it; an empty list for anybody but
 *                 the one who proposed it); free with `slaclock_text_free`
 *
 * Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `now`; the errors of the file. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_refusals_json(const slaclock_db *db,
                                       int64_t now,
                                       slaclock_text **out_json,
                                       slaclock_error *error);

/*
 * =================================================================================================
 * What was asked before and what helped: a customer's history, the FAQ, and search. Answers are documents: JSON, instants
 * in seconds since 1970-01-01T00:00:00Z. `docs/history.md` says what each means.
 * =================================================================================================
 */

/**
 * All requests of a customer with what was said, newest receipt first. The cost is the page's, whatever the customer asked
 * before.
 *
 * \param db       (in)
 * \param customer (in) the customer after all changes, UTF-8; `customer_len` its length in bytes, or SLACLOCK_NTS
 * \param after    SLACLOCK_PAGE_FIRST, or `next` of the page before
 * \param limit    most rows, 1 to 1,000
 * \param out_json (out, owned) `rows` (`request`, `subject`, `received_at`, `facts`, `state`, `handled_at`, `clocks`,
 *                 `answers`, `faq`) and `next` (for `after`; SLACLOCK_PAGE_END at the end); free with `slaclock_text_free`
 *
 * Errors: INVALID_ARGUMENT, also for an empty customer; CLOSED; OUT_OF_RANGE for `limit`; the errors of the file. Any
 * thread.
 */
SLACLOCK_API
slaclock_status slaclock_history_json(const slaclock_db *db,
                                      const char *customer,
                                      size_t customer_len,
                                      int64_t after,
                                      size_t limit,
                                      slaclock_text **out_json,
                                      slaclock_error *error);

/**
 * The requests linked to an FAQ entry, latest link first, as `slaclock_history_json` gives them.
 *
 * \param db       (in)
 * \param id       (in) the entry's id, UTF-8; `id_len` its length in bytes, or SLACLOCK_NTS
 * \param after    SLACLOCK_PAGE_FIRST, or `next` of the page before
 * \param limit    most rows, 1 to 1,000
 * \param out_json (out, owned) `rows` and `next`; free with `slaclock_text_free`
 *
 * Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `limit`; NOT_FOUND if there is no such entry; the errors of the file.
 * Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_faq_requests_json(const slaclock_db *db,
                                           const char *id,
                                           size_t id_len,
                                           int64_t after,
                                           size_t limit,
                                           slaclock_text **out_json,
                                           slaclock_error *error);

/**
 * Publishes an FAQ entry. Durable when the call returns (with safe durability). The same draft at the same instant by the
 * same person again gives ALREADY_RECORDED.
 *
 * \param db          (in)
 * \param json        (in) `id`, the caller's own, and `question` and `answer`; or a `request`, whose subject and last answer
 *                    to the customer stand in for what is left out; `json_len` its length in bytes, or SLACLOCK_NTS
 * \param at          when: seconds since 1970-01-01T00:00:00Z, below 2100
 * \param by          (in) who publishes it, UTF-8; `by_len` likewise
 * \param out_outcome (out) one of `slaclock_outcome`; NULL to decline
 *
 * Errors: INVALID_ARGUMENT, also for a document that is not as described, a malformed id, an empty or too long text, or one
 * that is left out and that the request does not have; CLOSED; OUT_OF_RANGE for `at`; NOT_FOUND if there is no such
 * request; CONFLICT if the id was published before with other content; the errors of the file. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_faq_publish(slaclock_db *db,
                                     const char *json,
                                     size_t json_len,
                                     int64_t at,
                                     const char *by,
                                     size_t by_len,
                                     slaclock_outcome *out_outcome,
                                     slaclock_error *error);

/**
 * Says otherwise what an entry asks or answers. What changes nothing gives ALREADY_RECORDED.
 *
 * \param db          (in)
 * \param json        (in) `id` and what changes of `question` and `answer`; `json_len` its length in bytes, or SLACLOCK_NTS
 * \param at          when: seconds since 1970-01-01T00:00:00Z, below 2100
 * \param by          (in) who amends it, UTF-8; `by_len` likewise
 * \param out_outcome (out) one of `slaclock_outcome`; NULL to decline
 *
 * Errors: INVALID_ARGUMENT, also for a document that is not as described, or an empty or too long text; CLOSED;
 * OUT_OF_RANGE for `at`, or after 10,000 changes; NOT_FOUND if there is no such entry; CONFLICT if it is withdrawn or was
 * changed after `at`; the errors of the file. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_faq_amend(slaclock_db *db,
                                   const char *json,
                                   size_t json_len,
                                   int64_t at,
                                   const char *by,
                                   size_t by_len,
                                   slaclock_outcome *out_outcome,
                                   slaclock_error *error);

/**
 * Withdraws an entry: it is no longer listed, exported or found. Requests stay linked to it.
 *
 * \param db          (in)
 * \param id          (in) the entry's id, UTF-8; `id_len` its length in bytes, or SLACLOCK_NTS
 * \param at          when: seconds since 1970-01-01T00:00:00Z, below 2100
 * \param by          (in) who withdraws it, UTF-8; `by_len` likewise
 * \param out_outcome (out) one of `slaclock_outcome`; NULL to decline
 *
 * Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `at`; NOT_FOUND if there is no such entry; CONFLICT if it was
 * withdrawn otherwise or changed after `at`; the errors of the file. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_faq_withdraw(slaclock_db *db,
                                      const char *id,
                                      size_t id_len,
                                      int64_t at,
                                      const char *by,
                                      size_t by_len,
                                      slaclock_outcome *out_outcome,
                                      slaclock_error *error);

/**
 * Records that an entry answers a request: the event `faq_linked`. A request counts once, whatever is recorded.
 *
 * \param db          (in)
 * \param request     (in) the request's id, UTF-8; `request_len` its length in bytes, or SLACLOCK_NTS
 * \param id          (in) the entry's id, UTF-8; `id_len` likewise
 * \param at          when: seconds since 1970-01-01T00:00:00Z, below 2100
 * \param by          (in) who links it, UTF-8; `by_len` likewise
 * \param out_outcome (out) one of `slaclock_outcome`; NULL to decline
 *
 * Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `at`; NOT_FOUND if there is no such request or entry; INVALID_EVENT if
 * the entry is withdrawn, or `at` is before the receipt; the errors of the file. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_faq_link(slaclock_db *db,
                                  const char *request,
                                  size_t request_len,
                                  const char *id,
                                  size_t id_len,
                                  int64_t at,
                                  const char *by,
                                  size_t by_len,
                                  slaclock_outcome *out_outcome,
                                  slaclock_error *error);

/**
 * Records that an entry does not answer a request after all: the event `faq_unlinked`.
 *
 * \param db          (in)
 * \param request     (in) the request's id, UTF-8; `request_len` its length in bytes, or SLACLOCK_NTS
 * \param id          (in) the entry's id, UTF-8; `id_len` likewise
 * \param at          when: seconds since 1970-01-01T00:00:00Z, below 2100
 * \param by          (in) who says so, UTF-8; `by_len` likewise
 * \param out_outcome (out) one of `slaclock_outcome`; NULL to decline
 *
 * Errors: as for `slaclock_faq_link`; INVALID_EVENT if the request was not linked to it then. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_faq_unlink(slaclock_db *db,
                                    const char *request,
                                    size_t request_len,
                                    const char *id,
                                    size_t id_len,
                                    int64_t at,
                                    const char *by,
                                    size_t by_len,
                                    slaclock_outcome *out_outcome,
                                    slaclock_error *error);

/**
 * All FAQ entries by id, with their use.
 *
 * \param db             (in)
 * \param with_withdrawn 1 for withdrawn entries too, else 0
 * \param out_json       (out, owned) a list of `id`, `question`, `answer`, `request`, `published_at`, `published_by`,
 *                       `changed_at`, `changed_by`, `withdrawn`, `uses`, `last_used_at`; free with `slaclock_text_free`
 *
 * Errors: INVALID_ARGUMENT, CLOSED; the errors of the file. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_faq_json(const slaclock_db *db,
                                  int32_t with_withdrawn,
                                  slaclock_text **out_json,
                                  slaclock_error *error);

/**
 * An FAQ entry, withdrawn or not, and what was done about it.
 *
 * \param db       (in)
 * \param id       (in) the entry's id, UTF-8; `id_len` its length in bytes, or SLACLOCK_NTS
 * \param out_json (out, owned) `entry`, as in `slaclock_faq_json`, and `records`: a list, in the order of recording, of `id`,
 *                 `act` (`published`, `amended`, `withdrawn`), `at`, `by`, `question`, `answer`, `request`; free with
 *                 `slaclock_text_free`
 *
 * Errors: INVALID_ARGUMENT, CLOSED; NOT_FOUND if there is no such entry; the errors of the file. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_faq_entry_json(const slaclock_db *db,
                                        const char *id,
                                        size_t id_len,
                                        slaclock_text **out_json,
                                        slaclock_error *error);

/**
 * The FAQ as a Markdown document: a table of contents, then each question with its answer. Texts are escaped.
 *
 * \param db       (in)
 * \param title    (in) UTF-8; `title_len` its length in bytes, or SLACLOCK_NTS
 * \param out_text (out, owned) free with `slaclock_text_free`
 *
 * Errors: INVALID_ARGUMENT, CLOSED; the errors of the file. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_faq_markdown(const slaclock_db *db,
                                      const char *title,
                                      size_t title_len,
                                      slaclock_text **out_text,
                                      slaclock_error *error);

/**
 * Looks for requests and FAQ entries by the words of their subjects, notes, answers and questions, best first.
 *
 * The index lies in a folder beside the database and is derived; every hit is read again from the store. A library that was
 * built without search, as it is unless asked for (`cargo build --features search`, `-DSLACLOCK_SEARCH=ON`, `SEARCH=1`),
 * gives UNSUPPORTED.
 *
 * \param db       (in)
 * \param query    (in) JSON: `text`, 1 to 32 words in at most 1,000 bytes; if wanted `customer`, `from`, `to`, `answered`,
 *                 `kind` (`"request"` or `"faq"`), `every_word`, `prefix` (true unless said otherwise: the last word also
 *                 finds what begins with it), `limit` (20; at most 1,000), `skip`, `index` (a folder); `query_len` its
 *                 length in bytes, or SLACLOCK_NTS
 * \param out_json (out, owned) `hits` (`kind`, `id`, `score`, `customer`, `subject`, `at`, `state`, `handled_at`, `answer`,
 *                 `faq`, `found_in`, `snippet`: a list of `text` and `hit`), `matches`, `complete`; free with
 *                 `slaclock_text_free`
 *
 * Errors: INVALID_ARGUMENT, also for a document that is not as described or a query without a word; CLOSED; OUT_OF_RANGE
 * for too many words, bytes or hits; UNSUPPORTED for a library without search; BUSY if another process is building the
 * index and there is none yet; IO, STORAGE_FULL if there is none and its folder cannot be written; the errors of the file.
 * Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_search_json(const slaclock_db *db,
                                     const char *query,
                                     size_t query_len,
                                     slaclock_text **out_json,
                                     slaclock_error *error);

/*
 * =================================================================================================
 * Explanations: why a clock stands where it stands, step by step, for people and as data.
 * =================================================================================================
 */

/**
 * Why a request's clock stands where it stands at `now`: the rule that counts, every cycle with the proof of its
 * deadline, what paused, changed and reopened it, the verdict.
 *
 * \param db       (in)
 * \param id       (in) the request's id, UTF-8; `id_len` its length in bytes, or SLACLOCK_NTS
 * \param clock    (in) the clock's name, UTF-8; `clock_len` likewise
 * \param now      seconds since 1970-01-01T00:00:00Z, below 2100; later events are left out
 * \param out_text (out, owned) sentences for people; free with `slaclock_text_free`; NULL to decline
 * \param out_json (out, owned) the same as data; free with `slaclock_text_free`; NULL to decline
 *
 * Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for `now`; NOT_FOUND if there is no such request or its policy has
 * no such clock; the errors of the file. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_explain(const slaclock_db *db,
                                 const char *id,
                                 size_t id_len,
                                 const char *clock,
                                 size_t clock_len,
                                 int64_t now,
                                 slaclock_text **out_text,
                                 slaclock_text **out_json,
                                 slaclock_error *error);

/*
 * =================================================================================================
 * Care of the file: facts about it, proof that what is stored follows from the events, checking, compacting.
 * =================================================================================================
 */

/**
 * Facts about a database.
 *
 * \param db       (in)
 * \param out_info (out)
 *
 * Errors: INVALID_ARGUMENT, CLOSED; the errors of the file. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_info(const slaclock_db *db,
                              slaclock_db_info *out_info,
                              slaclock_error *error);

/**
 * The same as JSON, with the library's version and that of its time zone data: `slaclock`, `tzdb` and the fields of
 * `slaclock_db_info`, null for what there is not.
 *
 * \param db       (in)
 * \param out_json (out, owned) free with `slaclock_text_free`
 *
 * Errors: INVALID_ARGUMENT, CLOSED; the errors of the file. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_info_json(const slaclock_db *db,
                                   slaclock_text **out_json,
                                   slaclock_error *error);

/**
 * Derives every request anew from its events and compares the result with what is stored, byte by byte, the indexes
 * and the notices included. Writes nothing.
 *
 * \param db          (in)
 * \param out_rebuilt (out) the account; NULL to decline
 * \param out_json    (out, owned) the same with the first 100 `differences` (`place`, `text`); free with
 *                    `slaclock_text_free`; NULL to decline
 *
 * Errors: INVALID_ARGUMENT, CLOSED; the errors of the file. Differences are no error. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_verify(const slaclock_db *db,
                                slaclock_rebuilt *out_rebuilt,
                                slaclock_text **out_json,
                                slaclock_error *error);

/**
 * Verifies every page of the file, then as `slaclock_verify`.
 *
 * Arguments: as for `slaclock_verify`.
 *
 * Errors: the same; DAMAGED with the place if anything was changed by other hands than slaclock's; BUSY if readers
 * or writers do not pause within the busy timeout. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_check(const slaclock_db *db,
                               slaclock_rebuilt *out_rebuilt,
                               slaclock_text **out_json,
                               slaclock_error *error);

/**
 * As `slaclock_verify`, then replaces the stored state of every differing request by what follows from its events,
 * 1,000 requests a transaction.
 *
 * Arguments and errors: as for `slaclock_verify`. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_rebuild(slaclock_db *db,
                                 slaclock_rebuilt *out_rebuilt,
                                 slaclock_text **out_json,
                                 slaclock_error *error);

/**
 * Folds the log into the sealed values and gives free space in the file back.
 *
 * \param db         (in)
 * \param out_shrank (out) 1 if the file shrank, else 0; NULL to decline
 *
 * Errors: INVALID_ARGUMENT, CLOSED; BUSY if readers or writers, here or in another process, do not pause within the
 * busy timeout; the errors of the file. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_compact(slaclock_db *db,
                                 int32_t *out_shrank,
                                 slaclock_error *error);

/**
 * Makes a new database from every request and event that can still be read of a damaged one, which is only read. Works
 * on files that `slaclock_open` refuses.
 *
 * \param path      (in) of the damaged file: bytes of the path; `path_len` their number, or SLACLOCK_NTS
 * \param to        (in) of the new file, likewise; nothing may be there
 * \param policy    (in) for the case that none in the file can be read; NULL for none
 * \param stand_ins 1 to keep events whose request cannot be read under a request that stands in for it, else 0
 * \param out_json  (out, owned) the account: `requests`, `events`, `policies`, `lost_requests`, `lost_events` (null where
 *                  the file does not say how many it had), `orphaned_events`, `stand_ins`, `unproven`, `repinned`,
 *                  `feed_advanced_to`, `consumers`, `file_bytes`, `damaged_pages`, `unreadable`, and the first 100
 *                  `places`; free with `slaclock_text_free`; NULL to decline
 *
 * Errors: INVALID_ARGUMENT; NOT_FOUND; NOT_A_DATABASE if there is nothing of a database in the file; NEWER_FORMAT; DAMAGED
 * if no policy can be read and none is given; BUSY while the file is open anywhere; ALREADY_EXISTS if anything is at
 * `to`; IO, STORAGE_FULL. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_salvage(const char *path,
                                 size_t path_len,
                                 const char *to,
                                 size_t to_len,
                                 const slaclock_policy *policy,
                                 int32_t stand_ins,
                                 slaclock_text **out_json,
                                 slaclock_error *error);

/*
 * =================================================================================================
 * Imports: request logs in CSV, plain or gzip, become requests and events through a mapping file.
 *
 * Every row of the file is either used or reported as left out. Importing the same file again changes nothing.
 * =================================================================================================
 */

/**
 * Sets import options to the defaults, as `SLACLOCK_IMPORT_OPTIONS_INIT` does.
 *
 * \param options (out)
 * \param size    `sizeof(slaclock_import_options)`
 *
 * Errors: INVALID_ARGUMENT if `options` is NULL or `size` is not that of a header. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_import_options_init(slaclock_import_options *options,
                                             size_t size,
                                             slaclock_error *error);

/**
 * Imports a log into a database, in chunks that keep other writers waiting for 50 to 100 ms.
 *
 * \param db       (in)
 * \param path     (in) of the CSV file, plain or gzip: bytes of the path; `path_len` their number, or SLACLOCK_NTS
 * \param mapping  (in) of the mapping file, likewise
 * \param options  (in) NULL for the defaults
 * \param out_json (out, owned) the account: `rows`, `rows_used`, `rows_skipped`, `requests`, `requests_new`,
 *                 `events`, `events_new`, `oddity_counts`, `oddities`, ...; free with `slaclock_text_free`; NULL to
 *                 decline
 *
 * Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for a negative option; NOT_FOUND or IO if a file cannot be read;
 * INVALID_MAPPING; DAMAGED if the compressed data is; INVALID_ROW for a bad row with `SLACLOCK_ON_BAD_ROW_ABORT`;
 * CANCELLED if `progress` says so; the errors of the database's file. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_import(slaclock_db *db,
                                const char *path,
                                size_t path_len,
                                const char *mapping,
                                size_t mapping_len,
                                const slaclock_import_options *options,
                                slaclock_text **out_json,
                                slaclock_error *error);

/*
 * =================================================================================================
 * Columns in and out through the Arrow C stream interface: what dataframes, DuckDB and every Arrow reader take as it
 * is.
 *
 * A stream that comes out is yours: read it, then call its `release`. A stream that goes in is taken: its `release`
 * is NULL after the call, unless an argument was wrong. Instants go out as timestamps in seconds, UTC; they come in
 * as int64 seconds or as timestamps of any unit, floored to seconds.
 * =================================================================================================
 */

/**
 * Every running clock that a query asks for, from one snapshot, earliest due first. Columns: `request` (text),
 * `clock` and `stage` (dictionaries of text), `cycle` (int64), `due_at`, `limit_at` (null without backstop) and
 * `started_at` (timestamps in seconds, UTC).
 *
 * \param db         (in)
 * \param query      (in)
 * \param out_stream (out, owned) release it
 *
 * Errors: INVALID_ARGUMENT, CLOSED; OUT_OF_RANGE for an instant; NOT_FOUND if no policy of the database has the
 * clock asked for; the errors of the file. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_scan_arrow(const slaclock_db *db,
                                    const slaclock_query *query,
                                    struct ArrowArrayStream *out_stream,
                                    slaclock_error *error);

/**
 * The notices that a consumer has not acknowledged. Columns: `number` (int64), `request` (text), `clock`
 * (dictionary), `cycle` (int64), `threshold` (dictionary: `warning`, `late`, `breached`), `percent` (int64, of
 * warnings only), `at` (timestamp in seconds, UTC), `by_change` and `retracted` (booleans).
 *
 * \param db         (in)
 * \param consumer   (in) as for `slaclock_pending`, with `consumer_len`
 * \param limit      most notices, 1 to SLACLOCK_MAX_NOTICES
 * \param out_stream (out, owned) release it
 *
 * Errors: as for `slaclock_pending`. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_pending_arrow(const slaclock_db *db,
                                       const char *consumer,
                                       size_t consumer_len,
                                       size_t limit,
                                       struct ArrowArrayStream *out_stream,
                                       slaclock_error *error);

/**
 * Attainment by clock, period and group. Columns: one of text for each fact counted apart by; `period_first` and
 * `period_last` (dates), `clock` (dictionary), the counts of `slaclock_attainment_row` (int64), `share_bp`,
 * `goal_bp`, `allowed_misses`, `budget_left` (int64, null where there is none) and `verdict` (text).
 *
 * \param db         (in)
 * \param query      (in)
 * \param out_stream (out, owned) release it
 *
 * Errors: as for `slaclock_attainment`. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_attainment_arrow(const slaclock_db *db,
                                          const slaclock_attainment_query *query,
                                          struct ArrowArrayStream *out_stream,
                                          slaclock_error *error);

/**
 * Time on hold by reason, as `slaclock_waiting_json` gives it. Columns: `reason` (text), `requests` and `holds`
 * (int64), `elapsed_s`, `working_s` and `median_s` (int64, seconds).
 *
 * \param db         (in)
 * \param period     (in) as in `slaclock_attainment_query`, with `period_len`; NULL for all
 * \param now        seconds since 1970-01-01T00:00:00Z, below 2100
 * \param out_stream (out, owned) release it
 *
 * Errors: as for `slaclock_waiting_json`. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_waiting_arrow(const slaclock_db *db,
                                       const char *period,
                                       size_t period_len,
                                       int64_t now,
                                       struct ArrowArrayStream *out_stream,
                                       slaclock_error *error);

/**
 * Submits a table of requests, 5000 rows a transaction.
 *
 * Columns `id` and `received_at` must be there; `customer`, `priority`, `category`, `channel` and `subject` may be;
 * every other column is an attribute of that name. Nulls and empty texts are no values.
 *
 * \param db          (in)
 * \param requests    (in) taken
 * \param zone        (in) IANA name for timestamps without a zone of their own, UTF-8, with `zone_len`; NULL refuses
 *                    them
 * \param on_error    one of `slaclock_on_error`; with `SLACLOCK_ON_ERROR_ABORT` the transactions before the wrong
 *                    row stay
 * \param out_written (out) the account; NULL to decline
 * \param out_refused (out, owned) JSON: a list of `row` (from 0), `status`, `name`, `message` for the first 1000
 *                    refused rows; free with `slaclock_text_free`; NULL to decline
 *
 * Errors: INVALID_ARGUMENT, also for a table of other columns; CLOSED; UNKNOWN_ZONE; OUT_OF_RANGE for an instant;
 * with `SLACLOCK_ON_ERROR_ABORT` the errors of `slaclock_submit`; the errors of the file. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_submit_arrow(slaclock_db *db,
                                      struct ArrowArrayStream *requests,
                                      const char *zone,
                                      size_t zone_len,
                                      int32_t on_error,
                                      slaclock_written *out_written,
                                      slaclock_text **out_refused,
                                      slaclock_error *error);

/**
 * Records a table of events, 5000 rows a transaction.
 *
 * Columns `request` (its id), `event` (the word, such as `paused`) and `at` must be there; `by`, `key` and `text`
 * may be, and what the kinds carry: `to`, `reason`, `vendor`, `due`. Every other column is a fact that a `changed`
 * event sets. Nulls and empty texts are no values.
 *
 * Arguments: as for `slaclock_submit_arrow`, with `events` (in), taken.
 *
 * Errors: INVALID_ARGUMENT, also for a table of other columns; CLOSED; UNKNOWN_ZONE; OUT_OF_RANGE for an instant;
 * INVALID_EVENT for a word that is no event, or fields that are not those of its kind; with
 * `SLACLOCK_ON_ERROR_ABORT` the errors of `slaclock_record`; the errors of the file. Any thread.
 */
SLACLOCK_API
slaclock_status slaclock_record_arrow(slaclock_db *db,
                                      struct ArrowArrayStream *events,
                                      const char *zone,
                                      size_t zone_len,
                                      int32_t on_error,
                                      slaclock_written *out_written,
                                      slaclock_text **out_refused,
                                      slaclock_error *error);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* SLACLOCK_H */

/** Sets up a slaclock_error. */
#define SLACLOCK_ERROR_INIT {sizeof(slaclock_error), 0, 0, 0, 0, {0}}

/** Sets up slaclock_options with the defaults. */
#define SLACLOCK_OPTIONS_INIT                                                                      \
    {sizeof(slaclock_options), SLACLOCK_MODE_SHARED, SLACLOCK_DURABILITY_SAFE,                     \
     SLACLOCK_VERIFY_WHEN_AUTO, 0, 1, 67108864, 5000, 1000, 100000}

/** Sets up a slaclock_request with nothing in it. */
#define SLACLOCK_REQUEST_INIT                                                                      \
    {sizeof(slaclock_request), NULL, SLACLOCK_NTS, SLACLOCK_NONE, NULL, SLACLOCK_NTS, NULL,        \
     SLACLOCK_NTS, NULL, SLACLOCK_NTS, NULL, SLACLOCK_NTS, NULL, SLACLOCK_NTS, NULL}

/** Sets up a slaclock_event with nothing in it. */
#define SLACLOCK_EVENT_INIT                                                                        \
    {sizeof(slaclock_event), -1, SLACLOCK_NONE, NULL, SLACLOCK_NTS, NULL, SLACLOCK_NTS, NULL,      \
     SLACLOCK_NTS, NULL, SLACLOCK_NTS, NULL, SLACLOCK_NTS, NULL, SLACLOCK_NTS, SLACLOCK_NONE, NULL,  \
     NULL, SLACLOCK_NTS, NULL, SLACLOCK_NTS, SLACLOCK_NONE, NULL, SLACLOCK_NTS}

/** Sets up a slaclock_query for every running clock. */
#define SLACLOCK_QUERY_INIT                                                                        \
    {sizeof(slaclock_query), 0, SLACLOCK_NONE, SLACLOCK_NONE, SLACLOCK_NONE, NULL, SLACLOCK_NTS}

/** Sets up a slaclock_attainment_query for everything. */
#define SLACLOCK_ATTAINMENT_QUERY_INIT                                                             \
    {sizeof(slaclock_attainment_query), SLACLOCK_PER_WHOLE, SLACLOCK_NONE, NULL, SLACLOCK_NTS,     \
     NULL, SLACLOCK_NTS, NULL, SLACLOCK_NTS}

/** Sets up slaclock_import_options with the defaults. */
#define SLACLOCK_IMPORT_OPTIONS_INIT                                                               \
    {sizeof(slaclock_import_options), SLACLOCK_ON_BAD_ROW_SKIP, 1000, NULL, NULL}
