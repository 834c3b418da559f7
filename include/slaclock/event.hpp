// Events: what happens to a request; and batches, which write many rows together.
#ifndef SLACLOCK_EVENT_HPP
#define SLACLOCK_EVENT_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "request.hpp"

namespace slaclock {

/// What happened.
enum class EventKind : std::int32_t {
    received = SLACLOCK_EVENT_KIND_RECEIVED,
    acknowledged = SLACLOCK_EVENT_KIND_ACKNOWLEDGED,
    replied = SLACLOCK_EVENT_KIND_REPLIED,
    customer_replied = SLACLOCK_EVENT_KIND_CUSTOMER_REPLIED,
    updated = SLACLOCK_EVENT_KIND_UPDATED,
    assigned = SLACLOCK_EVENT_KIND_ASSIGNED,
    paused = SLACLOCK_EVENT_KIND_PAUSED,
    resumed = SLACLOCK_EVENT_KIND_RESUMED,
    vendor_contacted = SLACLOCK_EVENT_KIND_VENDOR_CONTACTED,
    vendor_replied = SLACLOCK_EVENT_KIND_VENDOR_REPLIED,
    promised = SLACLOCK_EVENT_KIND_PROMISED,
    resolved = SLACLOCK_EVENT_KIND_RESOLVED,
    reopened = SLACLOCK_EVENT_KIND_REOPENED,
    cancelled = SLACLOCK_EVENT_KIND_CANCELLED,
    changed = SLACLOCK_EVENT_KIND_CHANGED,
    note = SLACLOCK_EVENT_KIND_NOTE,
    expedited = SLACLOCK_EVENT_KIND_EXPEDITED,
    expedite_withdrawn = SLACLOCK_EVENT_KIND_EXPEDITE_WITHDRAWN,
    refusal_proposed = SLACLOCK_EVENT_KIND_REFUSAL_PROPOSED,
    refusal_approved = SLACLOCK_EVENT_KIND_REFUSAL_APPROVED,
    refusal_withdrawn = SLACLOCK_EVENT_KIND_REFUSAL_WITHDRAWN,
    waived = SLACLOCK_EVENT_KIND_WAIVED,
    waiver_withdrawn = SLACLOCK_EVENT_KIND_WAIVER_WITHDRAWN,
    migrated = SLACLOCK_EVENT_KIND_MIGRATED,
    faq_linked = SLACLOCK_EVENT_KIND_FAQ_LINKED,
    faq_unlinked = SLACLOCK_EVENT_KIND_FAQ_UNLINKED
};

/// One thing that happened. Made by the function of its kind, with what the kind carries and when it happened. Keeps
/// copies of its texts.
class Event {
public:
    static Event acknowledged(When at) { return Event(EventKind::acknowledged, at); }
    static Event replied(When at) { return Event(EventKind::replied, at); }
    static Event customer_replied(When at) { return Event(EventKind::customer_replied, at); }
    static Event updated(When at) { return Event(EventKind::updated, at); }
    static Event assigned(std::string_view to, When at) { return Event(EventKind::assigned, at, &Event::to_, to); }
    static Event paused(std::string_view reason, When at) {
        return Event(EventKind::paused, at, &Event::reason_, reason);
    }
    static Event resumed(When at) { return Event(EventKind::resumed, at); }
    static Event vendor_contacted(std::string_view vendor, When at) {
        return Event(EventKind::vendor_contacted, at, &Event::vendor_, vendor);
    }
    static Event vendor_replied(std::string_view vendor, When at) {
        return Event(EventKind::vendor_replied, at, &Event::vendor_, vendor);
    }
    static Event promised(When due, When at) {
        Event event(EventKind::promised, at);
        event.due_at_ = due.seconds();
        return event;
    }
    static Event resolved(When at) { return Event(EventKind::resolved, at); }
    static Event reopened(When at) { return Event(EventKind::reopened, at); }
    static Event cancelled(When at) { return Event(EventKind::cancelled, at); }
    /// New values by name; an empty one removes a fact.
    static Event changed(Facts facts, When at) {
        Event event(EventKind::changed, at);
        event.facts_ = std::make_shared<Facts>(std::move(facts));
        return event;
    }
    /// Needs `by`; with `approved_by` where the customer's quota is used up.
    static Event expedited(When at) { return Event(EventKind::expedited, at); }
    /// Needs `by`.
    static Event expedite_withdrawn(When at) { return Event(EventKind::expedite_withdrawn, at); }
    /// Needs `by`.
    static Event refusal_proposed(std::string_view why, When at) {
        return Event(EventKind::refusal_proposed, at, &Event::text_, why);
    }
    /// Needs `by`, another than who proposed it.
    static Event refusal_approved(When at) { return Event(EventKind::refusal_approved, at); }
    /// Needs `by`.
    static Event refusal_withdrawn(When at) { return Event(EventKind::refusal_withdrawn, at); }
    /// Needs `by`. Cycles are counted from 1.
    static Event waived(std::string_view clock, std::int64_t cycle, std::string_view why, When at) {
        Event event(EventKind::waived, at, &Event::text_, why);
        event.cycle_ = cycle;
        return event.set(event.clock_, clock);
    }
    /// Needs `by`.
    static Event waiver_withdrawn(std::string_view clock, std::int64_t cycle, When at) {
        Event event(EventKind::waiver_withdrawn, at, &Event::clock_, clock);
        event.cycle_ = cycle;
        return event;
    }
    /// An entry of the FAQ, by its id, answers the request.
    static Event faq_linked(std::string_view faq, When at) { return Event(EventKind::faq_linked, at, &Event::faq_, faq); }
    /// It does not after all.
    static Event faq_unlinked(std::string_view faq, When at) {
        return Event(EventKind::faq_unlinked, at, &Event::faq_, faq);
    }
    static Event note(std::string_view text, When at) { return Event(EventKind::note, at, &Event::text_, text); }

    /// Who did it.
    Event& by(std::string_view who) { return set(by_, who); }
    /// The idempotency key, unique within the request.
    Event& key(std::string_view key) { return set(key_, key); }
    /// Of an expedite: who allowed it beyond the quota.
    Event& approved_by(std::string_view who) { return set(approved_by_, who); }
    /// Free text for the record.
    Event& text(std::string_view text) { return set(text_, text); }

    /// The event for functions of slaclock.h; valid as long as this object stays as it is.
    slaclock_event raw() const {
        slaclock_event raw = SLACLOCK_EVENT_INIT;
        raw.kind = static_cast<std::int32_t>(kind_);
        raw.at = at_;
        const OptionalText by(by_), key(key_), text(text_), reason(reason_), to(to_), vendor(vendor_);
        raw.by = by.data;
        raw.by_len = by.size;
        raw.key = key.data;
        raw.key_len = key.size;
        raw.text = text.data;
        raw.text_len = text.size;
        raw.reason = reason.data;
        raw.reason_len = reason.size;
        raw.to = to.data;
        raw.to_len = to.size;
        raw.vendor = vendor.data;
        raw.vendor_len = vendor.size;
        const OptionalText approved_by(approved_by_), clock(clock_), faq(faq_);
        raw.approved_by = approved_by.data;
        raw.approved_by_len = approved_by.size;
        raw.clock = clock.data;
        raw.clock_len = clock.size;
        raw.faq = faq.data;
        raw.faq_len = faq.size;
        raw.cycle = cycle_;
        raw.due_at = due_at_;
        raw.facts = facts_ ? facts_->get() : nullptr;
        return raw;
    }

private:
    using Field = std::optional<std::string>;

    Event(EventKind kind, When at) : kind_(kind), at_(at.seconds()) {}
    Event(EventKind kind, When at, Field Event::*field, std::string_view text) : Event(kind, at) {
        (this->*field).emplace(text);
    }
    Event& set(Field& field, std::string_view text) {
        field.emplace(text);
        return *this;
    }

    EventKind kind_;
    std::int64_t at_;
    Field by_, key_, text_, reason_, to_, vendor_, approved_by_, clock_, faq_;
    std::int64_t due_at_ = SLACLOCK_NONE;
    std::int64_t cycle_ = SLACLOCK_NONE;
    std::shared_ptr<Facts> facts_;  // a copy of an event has the same ones
};

/// What a batch does with a row that is wrong.
enum class OnError : std::int32_t { abort = SLACLOCK_ON_ERROR_ABORT, skip = SLACLOCK_ON_ERROR_SKIP };

/// What became of the rows of a batch, in their order.
struct Applied {
    std::vector<Outcome> outcomes;
    std::vector<Status> statuses;  ///< `Status::ok`, or why the row was refused
    std::string refused;           ///< JSON: a list of `row` (from 0), `status`, `name`, `message`
};

/// Rows to be written together, with `Db::apply`.
class Batch : public Handle<slaclock_batch, slaclock_batch_free> {
public:
    using Handle::Handle;

    /// An empty one.
    Batch() : Handle(made()) {}

    /// Adds a request to be submitted.
    Batch& submit(const Request& request) {
        const slaclock_request raw = request.raw();
        call(slaclock_batch_submit, get(), &raw);
        return *this;
    }
    /// Adds an event to be recorded, on a request of the database or of a row before.
    Batch& record(std::string_view id, const Event& event) {
        const slaclock_event raw = event.raw();
        call(slaclock_batch_record, get(), id.data(), id.size(), &raw);
        return *this;
    }
    /// How many rows it has.
    std::size_t size() const noexcept { return slaclock_batch_len(get()); }
    /// Takes all rows out.
    void clear() { call(slaclock_batch_clear, get()); }

private:
    static slaclock_batch* made() {
        slaclock_batch* batch = nullptr;
        call(slaclock_batch_new, &batch);
        return batch;
    }
};

}  // namespace slaclock

#endif  // SLACLOCK_EVENT_HPP
