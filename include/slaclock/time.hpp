// Instants, dates and spans: std::chrono in and out.
#ifndef SLACLOCK_TIME_HPP
#define SLACLOCK_TIME_HPP

#include <chrono>
#include <cstdint>
#include <optional>
#include <ratio>

#include "../slaclock.h"

namespace slaclock {

/// An instant in whole seconds, from 1970 and before 2100; what C++20 calls `std::chrono::sys_seconds`.
using Instant = std::chrono::time_point<std::chrono::system_clock, std::chrono::seconds>;

#if __cplusplus >= 202002L
/// A date.
using Date = std::chrono::sys_days;
#else
/// A date, in days since 1970-01-01; what C++20 calls `std::chrono::sys_days`.
using Date = std::chrono::time_point<std::chrono::system_clock, std::chrono::duration<std::int64_t, std::ratio<86400>>>;
#endif

/// An instant as an argument: any time point of the system clock, floored to seconds.
class When {
public:
    template <class Duration>
    When(std::chrono::time_point<std::chrono::system_clock, Duration> at) noexcept
        : at_(std::chrono::floor<std::chrono::seconds>(at)) {}

    /// Seconds since 1970-01-01T00:00:00Z.
    std::int64_t seconds() const noexcept { return at_.time_since_epoch().count(); }

private:
    Instant at_;
};

/// The system's time: the only place of this library that reads a clock.
inline Instant now() noexcept { return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()); }

/// Seconds since 1970-01-01T00:00:00Z: time_t.
inline std::int64_t seconds(When at) noexcept { return at.seconds(); }

/// The instant of so many seconds since 1970-01-01T00:00:00Z.
inline Instant instant(std::int64_t seconds) noexcept { return Instant(std::chrono::seconds(seconds)); }

/// Days since 1970-01-01.
inline std::int64_t days(Date date) noexcept { return date.time_since_epoch().count(); }

/// The date of so many days since 1970-01-01, negative before it.
inline Date date(std::int64_t days) noexcept { return Date(Date::duration(static_cast<Date::rep>(days))); }

/// Seconds of an instant that may be missing: `SLACLOCK_NONE` stands for none.
inline std::int64_t seconds_or_none(const std::optional<When>& at) noexcept {
    return at ? at->seconds() : SLACLOCK_NONE;
}

/// A number that may be missing, as slaclock.h writes it.
inline std::optional<std::int64_t> number_if_any(std::int64_t number) noexcept {
    if (number == SLACLOCK_NONE) return std::nullopt;
    return number;
}

/// An instant that may be missing, as slaclock.h writes it.
inline std::optional<Instant> instant_if_any(std::int64_t seconds) noexcept {
    if (seconds == SLACLOCK_NONE) return std::nullopt;
    return instant(seconds);
}

}  // namespace slaclock

#endif  // SLACLOCK_TIME_HPP
