// The feed: one durable notice for each threshold that a clock crosses, exactly once.
#ifndef SLACLOCK_FEED_HPP
#define SLACLOCK_FEED_HPP

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "handle.hpp"
#include "time.hpp"

namespace slaclock {

/// What a clock crossed; the numbers of `slaclock_threshold`.
enum class Threshold : std::int32_t {
    warning = SLACLOCK_THRESHOLD_WARNING,
    late = SLACLOCK_THRESHOLD_LATE,
    breached = SLACLOCK_THRESHOLD_BREACHED,
    waived = SLACLOCK_THRESHOLD_WAIVED,
    review = SLACLOCK_THRESHOLD_REVIEW,
    reading = SLACLOCK_THRESHOLD_READING,
    budget_exhausted = SLACLOCK_THRESHOLD_BUDGET_EXHAUSTED,
    period_breached = SLACLOCK_THRESHOLD_PERIOD_BREACHED
};

/// One crossing of a threshold.
struct Notice {
    std::int64_t number = 0;  ///< from 1, without gaps
    std::string request;
    std::string clock;
    std::int64_t cycle = 0;
    Threshold threshold = Threshold::warning;
    int percent = 0;         ///< of a warning, 1 to 99; else 0
    Instant at;              ///< the instant it is about, not that of the scan
    bool by_change = false;  ///< a change of facts, not the passing of time, put it into the past
    bool retracted = false;  ///< the same notice was given before and turned out not to be true
    std::string period;      ///< of a notice about a promised share, such as 2026-03; else empty

    Notice() = default;
    /// From slaclock.h.
    explicit Notice(const slaclock_notice& raw)
        : number(raw.number),
          request(raw.request),
          clock(raw.clock),
          cycle(raw.cycle),
          threshold(static_cast<Threshold>(raw.threshold)),
          percent(raw.percent),
          at(instant(raw.at)),
          by_change(raw.by_change != 0),
          retracted(raw.retracted != 0),
          period(raw.period) {}
};

/// The feed as one consumer reads it, who has a durable cursor of his own. Must not outlive the database.
class Feed {
public:
    /// Made by `Db::feed`.
    Feed(slaclock_db* db, std::string_view consumer) : db_(db), consumer_(consumer) {}

    /// Advances the feed, then gives what is pending, at most 1,000 notices: ask `pending` for more.
    std::vector<Notice> advance(When now) {
        call(slaclock_advance, db_, now.seconds(), static_cast<std::int64_t*>(nullptr));
        return pending();
    }
    /// The notices that are not acknowledged, by number.
    std::vector<Notice> pending(std::size_t limit = 1000) const {
        std::vector<slaclock_notice> raw(limit < SLACLOCK_MAX_NOTICES ? limit : SLACLOCK_MAX_NOTICES);
        std::size_t filled = 0;
        call(slaclock_pending, db_, consumer_.data(), consumer_.size(), raw.data(), raw.size(), &filled);
        return std::vector<Notice>(raw.begin(), raw.begin() + static_cast<std::ptrdiff_t>(filled));
    }
    /// The same as JSON.
    std::string pending_json(std::size_t limit = 1000) const {
        return text_of(slaclock_pending_json, db_, consumer_.data(), consumer_.size(), limit);
    }
    /// Acknowledges this notice and all before it, durably.
    void acknowledge(const Notice& notice) { acknowledge(notice.number); }
    /// Acknowledges all notices up to a number.
    void acknowledge(std::int64_t number) {
        call(slaclock_acknowledge, db_, consumer_.data(), consumer_.size(), number);
    }
    /// The number of the last acknowledged notice; 0 if none.
    std::int64_t acknowledged() const {
        std::int64_t number = 0;
        call(slaclock_acknowledged, db_, consumer_.data(), consumer_.size(), &number);
        return number;
    }
    /// The consumer's name.
    const std::string& consumer() const noexcept { return consumer_; }

private:
    slaclock_db* db_;
    std::string consumer_;
};

}  // namespace slaclock

#endif  // SLACLOCK_FEED_HPP
