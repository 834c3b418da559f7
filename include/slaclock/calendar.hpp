// Calendars: working hours in a time zone.
#ifndef SLACLOCK_CALENDAR_HPP
#define SLACLOCK_CALENDAR_HPP

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "handle.hpp"
#include "pages.hpp"
#include "time.hpp"

namespace slaclock {

/// A stretch of working time, `[opens_at, closes_at)`.
struct Stretch {
    Instant opens_at;
    Instant closes_at;
};

/// A date and time of day by the wall clock of a zone.
struct Civil {
    Date day;
    std::chrono::seconds time;
};

/// Which of two instants a civil time means that comes twice, as clocks are set back.
enum class Edge : std::int32_t { first = SLACLOCK_EDGE_FIRST, second = SLACLOCK_EDGE_SECOND };

/// Working hours, immutable. Taken from a `Policy` or a `Rule`.
class Calendar : public Handle<slaclock_calendar, slaclock_calendar_free> {
public:
    using Handle::Handle;

    /// The IANA name of the time zone.
    std::string zone() const { return text_of(slaclock_calendar_zone, get()); }

    bool is_open(When at) const {
        std::int32_t open = 0;
        call(slaclock_calendar_is_open, get(), at.seconds(), &open);
        return open != 0;
    }
    Instant next_open(When at) const { return moment(slaclock_calendar_next_open, at.seconds()); }
    Instant next_close(When at) const { return moment(slaclock_calendar_next_close, at.seconds()); }

    std::chrono::seconds working_time(When from, When to) const {
        return std::chrono::seconds(number(slaclock_calendar_working_time, from.seconds(), to.seconds()));
    }
    /// Columns in, column out: `n` pairs of instants in seconds since 1970, `n` spans in seconds.
    void working_time_many(const std::int64_t* from, const std::int64_t* to, std::size_t n, std::int64_t* out) const {
        call(slaclock_calendar_working_time_many, get(), from, to, n, out);
    }
    Instant add_working_time(When at, std::chrono::seconds working) const {
        return moment(slaclock_calendar_add_working_time, at.seconds(), std::int64_t{working.count()});
    }
    Instant sub_working_time(When at, std::chrono::seconds working) const {
        return moment(slaclock_calendar_sub_working_time, at.seconds(), std::int64_t{working.count()});
    }

    bool is_working_day(Date day) const {
        std::int32_t working = 0;
        call(slaclock_calendar_is_working_day, get(), days(day), &working);
        return working != 0;
    }
    Date add_working_days(Date day, std::int64_t n) const {
        return date(number(slaclock_calendar_add_working_days, days(day), n));
    }
    std::int64_t working_days(Date from, Date to) const {
        return number(slaclock_calendar_working_days, days(from), days(to));
    }

    /// The wall clock at an instant.
    Civil local(When at) const {
        std::int64_t day = 0, time = 0;
        call(slaclock_calendar_local, get(), at.seconds(), &day, &time);
        return {date(day), std::chrono::seconds(time)};
    }
    /// The instant of a date and time of the wall clock.
    Instant instant(Civil civil, Edge edge = Edge::first) const {
        const std::int64_t time = civil.time.count();
        return moment(slaclock_calendar_instant, days(civil.day), time, static_cast<std::int32_t>(edge));
    }

    /// From the first opening of a date to its last closing, perhaps on the next date; none if it is no working day.
    std::optional<Stretch> hours(Date day) const {
        std::int64_t opens = 0, closes = 0;
        call(slaclock_calendar_hours, get(), days(day), &opens, &closes);
        if (opens == SLACLOCK_NONE) return std::nullopt;
        return Stretch{slaclock::instant(opens), slaclock::instant(closes)};
    }

    /// The stretches of working time in `[from, to)`, in order, clipped to it.
    Pages<Stretch> intervals(When from, When to) const {
        const slaclock_calendar* calendar = get();
        const std::int64_t until = to.seconds();
        return Pages<Stretch>(from.seconds(), [calendar, until](std::int64_t after, std::vector<Stretch>& page) {
            std::array<std::int64_t, 128> opens{}, closes{};
            std::size_t filled = 0;
            call(slaclock_calendar_intervals, calendar, after, until, opens.data(), closes.data(), opens.size(),
                 &filled);
            for (std::size_t i = 0; i < filled; ++i)
                page.push_back({slaclock::instant(opens[i]), slaclock::instant(closes[i])});
            return filled < opens.size() ? std::int64_t{SLACLOCK_PAGE_END} : closes[filled - 1];
        });
    }

private:
    template <class Function, class... Arguments>
    std::int64_t number(Function function, Arguments... arguments) const {
        std::int64_t out = 0;
        call(function, get(), arguments..., &out);
        return out;
    }
    template <class Function, class... Arguments>
    Instant moment(Function function, Arguments... arguments) const {
        return slaclock::instant(number(function, arguments...));
    }
};

}  // namespace slaclock

#endif  // SLACLOCK_CALENDAR_HPP
