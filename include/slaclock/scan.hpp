// Scans: what is asked of them, and the rows that they give.
#ifndef SLACLOCK_SCAN_HPP
#define SLACLOCK_SCAN_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "pages.hpp"
#include "request.hpp"

namespace slaclock {

/// A running clock.
struct Row {
    std::string request;
    std::string clock;
    Instant due_at;
    std::optional<Instant> limit_at;  ///< none without backstop
    Instant started_at;
    std::int64_t cycle = 0;  ///< from 1
    Stage stage = Stage::idle;

    Row() = default;
    /// From slaclock.h.
    explicit Row(const slaclock_row& raw)
        : request(raw.request),
          clock(raw.clock),
          due_at(instant(raw.due_at)),
          limit_at(instant_if_any(raw.limit_at)),
          started_at(instant(raw.started_at)),
          cycle(raw.cycle),
          stage(static_cast<Stage>(raw.stage)) {}
};

/// Running clocks, earliest due first.
using Rows = Pages<Row>;

/// Clocks by stage.
using StageCounts = slaclock_stage_counts;

/// What a scan looks for: at first every running clock. Keeps a copy of the clock's name.
class Query {
public:
    /// Judged at this instant.
    explicit Query(When now) : now_(now.seconds()) {}

    /// Only clocks in this stage, or in one of several when called again.
    Query& stage(Stage stage) {
        stages_ |= std::int32_t{1} << static_cast<std::int32_t>(stage);
        return *this;
    }
    /// Only clocks due at or after this instant.
    Query& since(When at) {
        since_ = at.seconds();
        return *this;
    }
    /// Only clocks due before this instant.
    Query& until(When at) {
        until_ = at.seconds();
        return *this;
    }
    /// Only clocks of this name.
    Query& clock(std::string_view name) {
        clock_.emplace(name);
        return *this;
    }

    /// The query for functions of slaclock.h; valid as long as this object stays as it is.
    slaclock_query raw() const {
        slaclock_query raw = SLACLOCK_QUERY_INIT;
        raw.stages = stages_;
        raw.now = now_;
        raw.since = since_;
        raw.until = until_;
        const OptionalText clock(clock_);
        raw.clock = clock.data;
        raw.clock_len = clock.size;
        return raw;
    }

private:
    std::int64_t now_;
    std::int32_t stages_ = 0;
    std::int64_t since_ = SLACLOCK_NONE;
    std::int64_t until_ = SLACLOCK_NONE;
    std::optional<std::string> clock_;
};

}  // namespace slaclock

#endif  // SLACLOCK_SCAN_HPP
