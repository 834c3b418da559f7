// Errors: one class for each kind, all of them `slaclock::Error`.
#ifndef SLACLOCK_ERROR_HPP
#define SLACLOCK_ERROR_HPP

#include <cstdint>
#include <stdexcept>
#include <string>

#include "../slaclock.h"

namespace slaclock {

/// What a call came to; the numbers of `slaclock_status`. A later library may give numbers that have no name here.
enum class Status : std::int32_t {
    ok = SLACLOCK_STATUS_OK,
    not_found = SLACLOCK_STATUS_NOT_FOUND,
    out_of_range = SLACLOCK_STATUS_OUT_OF_RANGE,
    invalid_argument = SLACLOCK_STATUS_INVALID_ARGUMENT,
    invalid_policy = SLACLOCK_STATUS_INVALID_POLICY,
    invalid_calendar = SLACLOCK_STATUS_INVALID_CALENDAR,
    unknown_zone = SLACLOCK_STATUS_UNKNOWN_ZONE,
    invalid_event = SLACLOCK_STATUS_INVALID_EVENT,
    conflict = SLACLOCK_STATUS_CONFLICT,
    no_deadline = SLACLOCK_STATUS_NO_DEADLINE,
    paused = SLACLOCK_STATUS_PAUSED,
    already_exists = SLACLOCK_STATUS_ALREADY_EXISTS,
    busy = SLACLOCK_STATUS_BUSY,
    forked_handle = SLACLOCK_STATUS_FORKED_HANDLE,
    closed = SLACLOCK_STATUS_CLOSED,
    read_only = SLACLOCK_STATUS_READ_ONLY,
    damaged = SLACLOCK_STATUS_DAMAGED,
    not_a_database = SLACLOCK_STATUS_NOT_A_DATABASE,
    newer_format = SLACLOCK_STATUS_NEWER_FORMAT,
    io = SLACLOCK_STATUS_IO,
    storage_full = SLACLOCK_STATUS_STORAGE_FULL,
    invalid_mapping = SLACLOCK_STATUS_INVALID_MAPPING,
    invalid_row = SLACLOCK_STATUS_INVALID_ROW,
    cancelled = SLACLOCK_STATUS_CANCELLED,
    unsupported = SLACLOCK_STATUS_UNSUPPORTED,
    internal = SLACLOCK_STATUS_INTERNAL,
    quota_exceeded = SLACLOCK_STATUS_QUOTA_EXCEEDED
};

/// The name of a status, like `NotFound`; `Unknown` for a number that is none.
inline const char* name(Status status) noexcept {
    return slaclock_status_name(static_cast<std::int32_t>(status));
}

/// Why there is no deadline; the numbers of `slaclock_no_deadline`.
enum class NoDeadlineReason : std::int32_t {
    none = 0,  ///< the error is of another kind
    never_open = SLACLOCK_NO_DEADLINE_NEVER_OPEN,
    beyond_range = SLACLOCK_NO_DEADLINE_BEYOND_RANGE,
    no_branch = SLACLOCK_NO_DEADLINE_NO_BRANCH,
    no_target = SLACLOCK_NO_DEADLINE_NO_TARGET,
    no_rule = SLACLOCK_NO_DEADLINE_NO_RULE,
    not_promised = SLACLOCK_NO_DEADLINE_NOT_PROMISED
};

/// A call that failed. `what()` says what was asked, found and allowed, for people.
class Error : public std::runtime_error {
public:
    /// Takes the message and the particulars of a failed call.
    Error(const std::string& message, const slaclock_error& particulars)
        : std::runtime_error(message),
          status_(static_cast<Status>(particulars.code)),
          reason_(static_cast<NoDeadlineReason>(particulars.reason)),
          line_(particulars.line),
          column_(particulars.column) {}

    /// The kind of the error, also of one that has no class here.
    Status status() const noexcept { return status_; }
    /// Why there is no deadline; `none` for every other kind.
    NoDeadlineReason reason() const noexcept { return reason_; }
    /// Line of the policy or mapping that is wrong, from 1; 0 where the trouble is not in a text.
    int line() const noexcept { return line_; }
    /// Column in that line, from 1, in characters; 0 likewise.
    int column() const noexcept { return column_; }

private:
    Status status_;
    NoDeadlineReason reason_;
    int line_;
    int column_;
};

/// The error of one kind.
template <Status kind>
class ErrorOf final : public Error {
public:
    using Error::Error;
};

using NotFound = ErrorOf<Status::not_found>;
using OutOfRange = ErrorOf<Status::out_of_range>;
using InvalidArgument = ErrorOf<Status::invalid_argument>;
using InvalidPolicy = ErrorOf<Status::invalid_policy>;
using InvalidCalendar = ErrorOf<Status::invalid_calendar>;
using UnknownZone = ErrorOf<Status::unknown_zone>;
using InvalidEvent = ErrorOf<Status::invalid_event>;
using Conflict = ErrorOf<Status::conflict>;
using NoDeadline = ErrorOf<Status::no_deadline>;
using Paused = ErrorOf<Status::paused>;
using AlreadyExists = ErrorOf<Status::already_exists>;
using Busy = ErrorOf<Status::busy>;
using ForkedHandle = ErrorOf<Status::forked_handle>;
using Closed = ErrorOf<Status::closed>;
using ReadOnly = ErrorOf<Status::read_only>;
using Damaged = ErrorOf<Status::damaged>;
using NotADatabase = ErrorOf<Status::not_a_database>;
using NewerFormat = ErrorOf<Status::newer_format>;
using Io = ErrorOf<Status::io>;
using StorageFull = ErrorOf<Status::storage_full>;
using InvalidMapping = ErrorOf<Status::invalid_mapping>;
using InvalidRow = ErrorOf<Status::invalid_row>;
using Cancelled = ErrorOf<Status::cancelled>;
using Unsupported = ErrorOf<Status::unsupported>;
using Internal = ErrorOf<Status::internal>;
using QuotaExceeded = ErrorOf<Status::quota_exceeded>;

/// Throws the class of an error's kind; `Error` itself for a kind that a later library has added.
[[noreturn]] inline void raise(const slaclock_error& error) {
    // The thread's own text is longer than the struct has room for; nothing has failed on this thread since.
    const std::string last = slaclock_last_error();
    const std::string message = last.empty() ? std::string(error.message) : last;
    switch (static_cast<Status>(error.code)) {
        case Status::not_found: throw NotFound(message, error);
        case Status::out_of_range: throw OutOfRange(message, error);
        case Status::invalid_argument: throw InvalidArgument(message, error);
        case Status::invalid_policy: throw InvalidPolicy(message, error);
        case Status::invalid_calendar: throw InvalidCalendar(message, error);
        case Status::unknown_zone: throw UnknownZone(message, error);
        case Status::invalid_event: throw InvalidEvent(message, error);
        case Status::conflict: throw Conflict(message, error);
        case Status::no_deadline: throw NoDeadline(message, error);
        case Status::paused: throw Paused(message, error);
        case Status::already_exists: throw AlreadyExists(message, error);
        case Status::busy: throw Busy(message, error);
        case Status::forked_handle: throw ForkedHandle(message, error);
        case Status::closed: throw Closed(message, error);
        case Status::read_only: throw ReadOnly(message, error);
        case Status::damaged: throw Damaged(message, error);
        case Status::not_a_database: throw NotADatabase(message, error);
        case Status::newer_format: throw NewerFormat(message, error);
        case Status::io: throw Io(message, error);
        case Status::storage_full: throw StorageFull(message, error);
        case Status::invalid_mapping: throw InvalidMapping(message, error);
        case Status::invalid_row: throw InvalidRow(message, error);
        case Status::cancelled: throw Cancelled(message, error);
        case Status::unsupported: throw Unsupported(message, error);
        case Status::internal: throw Internal(message, error);
        case Status::quota_exceeded: throw QuotaExceeded(message, error);
        case Status::ok: break;
    }
    throw Error(message, error);
}

/// Calls a function of slaclock.h that takes a `slaclock_error *` last, with the other arguments; throws if it fails.
template <class... Parameters, class... Arguments>
void call(slaclock_status (*function)(Parameters...), Arguments... arguments) {
    slaclock_error error = SLACLOCK_ERROR_INIT;
    if (function(arguments..., &error) != SLACLOCK_STATUS_OK) raise(error);
}

}  // namespace slaclock

#endif  // SLACLOCK_ERROR_HPP
