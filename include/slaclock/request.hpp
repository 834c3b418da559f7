// Requests: what a customer asked, and how its clocks stand.
#ifndef SLACLOCK_REQUEST_HPP
#define SLACLOCK_REQUEST_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "facts.hpp"
#include "time.hpp"

namespace slaclock {

/// A text that was left out, or not.
struct OptionalText {
    const char* data = nullptr;
    std::size_t size = 0;
    OptionalText(const std::optional<std::string>& text) noexcept {
        if (text) data = text->data(), size = text->size();
    }
};

/// Where a clock stands; the numbers of `slaclock_stage`. A later library may give some that have no name here.
enum class Stage : std::int32_t {
    idle = SLACLOCK_STAGE_IDLE,
    on_track = SLACLOCK_STAGE_ON_TRACK,
    at_risk = SLACLOCK_STAGE_AT_RISK,
    late = SLACLOCK_STAGE_LATE,
    breached = SLACLOCK_STAGE_BREACHED,
    paused = SLACLOCK_STAGE_PAUSED,
    met = SLACLOCK_STAGE_MET,
    missed = SLACLOCK_STAGE_MISSED,
    cancelled = SLACLOCK_STAGE_CANCELLED
};

/// What became of something to be written.
enum class Outcome : std::int32_t {
    refused = SLACLOCK_OUTCOME_REFUSED,
    recorded = SLACLOCK_OUTCOME_RECORDED,
    already_recorded = SLACLOCK_OUTCOME_ALREADY_RECORDED
};

/// What a customer asked. Keeps copies of its texts.
class Request {
public:
    /// `id` is the CRM's own key, unique in a database.
    Request(std::string_view id, When received) : id_(id), received_at_(received.seconds()) {}

    /// Who asked.
    Request& customer(std::string_view text) { return set(customer_, text); }
    /// The CRM's own priority, like `high`, `P1`.
    Request& priority(std::string_view text) { return set(priority_, text); }
    /// What it is about.
    Request& category(std::string_view text) { return set(category_, text); }
    /// How it arrived, like `phone`, `email`.
    Request& channel(std::string_view text) { return set(channel_, text); }
    /// One line for people.
    Request& subject(std::string_view text) { return set(subject_, text); }
    /// Anything else that policies match on.
    Request& attribute(std::string_view name, std::string_view value) {
        if (!attributes_) attributes_ = std::make_shared<Facts>();
        attributes_->set(name, value);
        return *this;
    }

    /// The request for functions of slaclock.h; valid as long as this object stays as it is.
    slaclock_request raw() const {
        slaclock_request raw = SLACLOCK_REQUEST_INIT;
        raw.id = id_.data();
        raw.id_len = id_.size();
        raw.received_at = received_at_;
        const OptionalText customer(customer_), priority(priority_), category(category_), channel(channel_);
        const OptionalText subject(subject_);
        raw.customer = customer.data;
        raw.customer_len = customer.size;
        raw.priority = priority.data;
        raw.priority_len = priority.size;
        raw.category = category.data;
        raw.category_len = category.size;
        raw.channel = channel.data;
        raw.channel_len = channel.size;
        raw.subject = subject.data;
        raw.subject_len = subject.size;
        raw.attributes = attributes_ ? attributes_->get() : nullptr;
        return raw;
    }

private:
    Request& set(std::optional<std::string>& field, std::string_view text) {
        field.emplace(text);
        return *this;
    }

    std::string id_;
    std::int64_t received_at_;
    std::optional<std::string> customer_, priority_, category_, channel_, subject_;
    std::shared_ptr<Facts> attributes_;  // a copy of a request has the same ones
};

/// One clock of a request.
struct ClockStatus {
    std::string clock;
    Stage stage = Stage::idle;
    std::int64_t cycle = 0;                        ///< number of the latest cycle; 0 if it has not started
    std::optional<Instant> started_at;             ///< when that cycle started
    std::optional<Instant> due_at;                 ///< none while paused, without deadline, or not started
    std::optional<Instant> limit_at;               ///< none without backstop
    std::optional<Instant> finished_at;            ///< none if it has not
    std::optional<std::chrono::seconds> remaining; ///< what is left while paused, in the target's own time
    bool beyond_known_holidays = false;            ///< the deadline counts past the known holidays
    std::string no_deadline;                       ///< why there is no deadline; empty if there is one

    ClockStatus() = default;
    /// From slaclock.h.
    explicit ClockStatus(const slaclock_clock_status& raw)
        : clock(raw.clock),
          stage(static_cast<Stage>(raw.stage)),
          cycle(raw.cycle),
          started_at(instant_if_any(raw.started_at)),
          due_at(instant_if_any(raw.due_at)),
          limit_at(instant_if_any(raw.limit_at)),
          finished_at(instant_if_any(raw.finished_at)),
          beyond_known_holidays(raw.beyond_known_holidays != 0),
          no_deadline(raw.no_deadline) {
        if (raw.remaining_s != SLACLOCK_NONE) remaining = std::chrono::seconds(raw.remaining_s);
    }
};

}  // namespace slaclock

#endif  // SLACLOCK_REQUEST_HPP
