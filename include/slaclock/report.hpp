// Reports: is the promise kept?
#ifndef SLACLOCK_REPORT_HPP
#define SLACLOCK_REPORT_HPP

#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "request.hpp"

namespace slaclock {

/// How a report is cut into periods.
enum class Per : std::int32_t {
    whole = SLACLOCK_PER_WHOLE,
    month = SLACLOCK_PER_MONTH,
    quarter = SLACLOCK_PER_QUARTER,
    year = SLACLOCK_PER_YEAR
};

/// Whether a promised share is kept; the numbers of `slaclock_goal_verdict`.
enum class GoalVerdict : std::int32_t {
    none = SLACLOCK_GOAL_VERDICT_NONE,
    kept = SLACLOCK_GOAL_VERDICT_KEPT,
    open = SLACLOCK_GOAL_VERDICT_OPEN,
    broken = SLACLOCK_GOAL_VERDICT_BROKEN
};

/// What a clock's promise came to in a period. Counts are of requests but for the cycles.
struct Attainment {
    std::string clock;
    Date first_day;
    Date last_day;  ///< included
    bool period_over = false;
    std::int64_t met = 0, missed = 0, undecided = 0;
    std::int64_t not_started = 0, no_deadline = 0, cancelled = 0;  ///< left out
    std::int64_t waived = 0;                                       ///< of the missed, those excused
    std::int64_t missed_within_limit = 0, missed_limit_open = 0, missed_breached = 0;
    std::int64_t cycles_met = 0, cycles_missed = 0;
    std::optional<std::int64_t> share_bp;           ///< hundredths of a percent; none if nothing is decided
    std::optional<std::int64_t> adjusted_share_bp;  ///< without the waived misses
    std::optional<std::int64_t> goal_bp;            ///< the promised share; none if none was promised
    std::optional<std::int64_t> budget_left;        ///< misses still allowed; negative beyond that
    GoalVerdict verdict = GoalVerdict::none;

    Attainment() = default;
    /// From slaclock.h.
    explicit Attainment(const slaclock_attainment_row& raw)
        : clock(raw.clock),
          first_day(date(raw.first_day)),
          last_day(date(raw.last_day)),
          period_over(raw.period_over != 0),
          met(raw.met),
          missed(raw.missed),
          undecided(raw.undecided),
          not_started(raw.not_started),
          no_deadline(raw.no_deadline),
          cancelled(raw.cancelled),
          waived(raw.waived),
          missed_within_limit(raw.missed_within_limit),
          missed_limit_open(raw.missed_limit_open),
          missed_breached(raw.missed_breached),
          cycles_met(raw.cycles_met),
          cycles_missed(raw.cycles_missed),
          share_bp(number_if_any(raw.share_bp)),
          adjusted_share_bp(number_if_any(raw.adjusted_share_bp)),
          goal_bp(number_if_any(raw.goal_bp)),
          budget_left(number_if_any(raw.budget_left)),
          verdict(static_cast<GoalVerdict>(raw.verdict)) {}
};

/// What to report: at first everything received so far, all clocks that promise a share. Keeps copies of its texts.
class AttainmentQuery {
public:
    /// Judged at this instant.
    explicit AttainmentQuery(When now) : now_(now.seconds()) {}

    /// Only what was received in this period: `2026-03`, `2026-Q1`, `2026`, `2026-03-01`, `2026-03-01..2026-03-15`.
    AttainmentQuery& period(std::string_view text) {
        period_.emplace(text);
        return *this;
    }
    /// Only this clock, whether it promises a share or not.
    AttainmentQuery& clock(std::string_view name) {
        clock_.emplace(name);
        return *this;
    }
    /// A row for each month, quarter or year.
    AttainmentQuery& per(Per per) {
        per_ = per;
        return *this;
    }
    /// Counts apart by these facts. Only for `Db::attainment_json` and `Db::attainment_arrow`.
    AttainmentQuery& by(std::initializer_list<std::string_view> facts) {
        std::string list = "[";
        for (const std::string_view fact : facts) {
            if (list.size() > 1) list += ',';
            quote(fact, list);
        }
        by_ = list + ']';
        return *this;
    }

    /// The query for functions of slaclock.h; valid as long as this object stays as it is.
    slaclock_attainment_query raw() const {
        slaclock_attainment_query raw = SLACLOCK_ATTAINMENT_QUERY_INIT;
        const OptionalText period(period_), clock(clock_), by(by_);
        raw.per = static_cast<std::int32_t>(per_);
        raw.now = now_;
        raw.period = period.data;
        raw.period_len = period.size;
        raw.clock = clock.data;
        raw.clock_len = clock.size;
        raw.by = by.data;
        raw.by_len = by.size;
        return raw;
    }

private:
    static void quote(std::string_view text, std::string& json) {
        json += '"';
        for (const char c : text) {
            if (static_cast<unsigned char>(c) < 0x20) {
                char escape[8];
                std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(c));
                json += escape;
            } else {
                if (c == '"' || c == '\\') json += '\\';
                json += c;
            }
        }
        json += '"';
    }

    std::int64_t now_;
    Per per_ = Per::whole;
    std::optional<std::string> period_, clock_, by_;
};

}  // namespace slaclock

#endif  // SLACLOCK_REPORT_HPP
