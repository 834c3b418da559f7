// Policies and rules: the written agreement, and what one clock of it promises.
#ifndef SLACLOCK_POLICY_HPP
#define SLACLOCK_POLICY_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "calendar.hpp"
#include "facts.hpp"
#include "time.hpp"

namespace slaclock {

/// Time on hold, both ways of counting it.
struct OnHold {
    std::chrono::seconds working{0};  ///< working time
    std::chrono::seconds elapsed{0};  ///< by the wall clock
};

/// The rule of a clock that speaks about requests with certain facts, ready for many questions. Immutable.
class Rule : public Handle<slaclock_rule, slaclock_rule_free> {
public:
    using Handle::Handle;

    /// When a request received then is due. `NoDeadline` is thrown with its reason.
    Instant due(When received) const {
        std::int64_t at = 0;
        call(slaclock_rule_due, get(), received.seconds(), &at);
        return instant(at);
    }
    /// The same where no deadline is an ordinary answer: nothing is thrown for it.
    std::optional<Instant> due_if_any(When received) const {
        std::int64_t at = 0;
        slaclock_error error = SLACLOCK_ERROR_INIT;
        const slaclock_status status = slaclock_rule_due(get(), received.seconds(), &at, &error);
        if (status == SLACLOCK_STATUS_NO_DEADLINE) return std::nullopt;
        if (status != SLACLOCK_STATUS_OK) raise(error);
        return instant(at);
    }
    /// When it breaches; none without backstop.
    std::optional<Instant> limit(When received) const {
        std::int64_t at = 0;
        call(slaclock_rule_limit, get(), received.seconds(), &at);
        return instant_if_any(at);
    }
    /// Columns in seconds since 1970; `SLACLOCK_NONE` where there is no deadline. Must not overlap.
    void due_many(const std::int64_t* received, std::size_t n, std::int64_t* out_due) const {
        call(slaclock_rule_due_many, get(), received, n, out_due);
    }
    /// The same with vectors.
    std::vector<std::int64_t> due_many(const std::vector<std::int64_t>& received) const {
        std::vector<std::int64_t> due(received.size());
        due_many(received.data(), received.size(), due.data());
        return due;
    }
    /// When a request is due that was on hold, or that waits for a promise.
    Instant due_paused(When received, OnHold hold, std::optional<When> promised = std::nullopt) const {
        std::int64_t at = 0;
        call(slaclock_rule_due_paused, get(), received.seconds(), std::int64_t{hold.working.count()},
             std::int64_t{hold.elapsed.count()}, seconds_or_none(promised), &at);
        return instant(at);
    }
    /// The time on hold between two instants, as the rule counts it.
    OnHold paused(When received, When from, When to) const {
        std::int64_t working = 0, elapsed = 0;
        call(slaclock_rule_paused, get(), received.seconds(), from.seconds(), to.seconds(), &working, &elapsed);
        return {std::chrono::seconds(working), std::chrono::seconds(elapsed)};
    }
    /// The calendar that the rule counts in.
    Calendar calendar() const {
        slaclock_calendar* calendar = nullptr;
        call(slaclock_rule_calendar, get(), &calendar);
        return Calendar(calendar);
    }
};

/// What a policy is silent on, and what it says that can hardly be meant.
struct Findings {
    std::int64_t count = 0;
    std::string json;
};

/// The written agreement, read, checked and compiled. Immutable.
class Policy : public Handle<slaclock_policy, slaclock_policy_free> {
public:
    using Handle::Handle;

    /// Reads a file: JSON if its name ends in `.json`, else TOML.
    static Policy load(std::string_view path) { return made(slaclock_policy_load, path); }
    /// Reads a text: JSON if it begins with a brace, else TOML.
    static Policy from_text(std::string_view text) { return made(slaclock_policy_from_text, text); }
    /// The JSON Schema of the policy language.
    static std::string schema() { return text_of(slaclock_policy_schema); }

    /// The text it was read from.
    std::string source() const { return text_of(slaclock_policy_source, get()); }
    /// What it says of itself, as JSON.
    std::string json() const { return text_of(slaclock_policy_json, get()); }
    /// The linter's findings as of a date: today, say.
    Findings lint(Date day) const {
        Findings findings;
        slaclock_text* json = nullptr;
        call(slaclock_policy_lint, get(), days(day), &findings.count, &json);
        findings.json = take(json);
        return findings;
    }

    /// When a request received then is due.
    Instant due(std::string_view clock, When received, const Facts& facts = {}) const {
        std::int64_t at = 0;
        call(slaclock_policy_due, get(), clock.data(), clock.size(), received.seconds(), facts.get(), &at);
        return instant(at);
    }
    /// When it breaches; none without backstop.
    std::optional<Instant> limit(std::string_view clock, When received, const Facts& facts = {}) const {
        std::int64_t at = 0;
        call(slaclock_policy_limit, get(), clock.data(), clock.size(), received.seconds(), facts.get(), &at);
        return instant_if_any(at);
    }
    /// Columns in seconds since 1970; `SLACLOCK_NONE` where there is no deadline. Must not overlap.
    void due_many(std::string_view clock, const std::int64_t* received, std::size_t n, std::int64_t* out_due,
                  const Facts& facts = {}) const {
        call(slaclock_policy_due_many, get(), clock.data(), clock.size(), facts.get(), received, n, out_due);
    }
    /// The same with vectors.
    std::vector<std::int64_t> due_many(std::string_view clock, const std::vector<std::int64_t>& received,
                                       const Facts& facts = {}) const {
        std::vector<std::int64_t> due(received.size());
        due_many(clock, received.data(), received.size(), due.data(), facts);
        return due;
    }
    /// The rule for requests with these facts.
    Rule rule(std::string_view clock, const Facts& facts = {}) const {
        slaclock_rule* rule = nullptr;
        call(slaclock_policy_rule, get(), clock.data(), clock.size(), facts.get(), &rule);
        return Rule(rule);
    }
    /// A calendar by its name.
    Calendar calendar(std::string_view name) const {
        slaclock_calendar* calendar = nullptr;
        call(slaclock_policy_calendar, get(), name.data(), name.size(), &calendar);
        return Calendar(calendar);
    }
    /// Why a request received then would be due when it is.
    Explanation explain(std::string_view clock, When received, const Facts& facts = {}) const {
        return explanation_of(slaclock_policy_explain, get(), clock.data(), clock.size(), received.seconds(),
                              facts.get());
    }

private:
    template <class Function>
    static Policy made(Function function, std::string_view from) {
        slaclock_policy* policy = nullptr;
        call(function, from.data(), from.size(), &policy);
        return Policy(policy);
    }
};

}  // namespace slaclock

#endif  // SLACLOCK_POLICY_HPP
