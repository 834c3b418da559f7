// Databases: requests and their events in one file, with their deadlines kept ready.
#ifndef SLACLOCK_DB_HPP
#define SLACLOCK_DB_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "arrow.hpp"
#include "event.hpp"
#include "feed.hpp"
#include "policy.hpp"
#include "report.hpp"
#include "scan.hpp"

namespace slaclock {

/// Who may use the file at the same time.
enum class Mode : std::int32_t { shared = SLACLOCK_MODE_SHARED, exclusive = SLACLOCK_MODE_EXCLUSIVE };

/// When a commit is on the disk.
enum class Durability : std::int32_t { safe = SLACLOCK_DURABILITY_SAFE, bulk = SLACLOCK_DURABILITY_BULK };

/// When opening verifies every page of the file.
enum class VerifyWhen : std::int32_t {
    automatic = SLACLOCK_VERIFY_WHEN_AUTO,
    always = SLACLOCK_VERIFY_WHEN_ALWAYS,
    never = SLACLOCK_VERIFY_WHEN_NEVER
};

/// How a database is opened: at first the defaults.
class Options {
public:
    Options& mode(Mode mode) { return set(&slaclock_options::mode, static_cast<std::int32_t>(mode)); }
    Options& durability(Durability durability) {
        return set(&slaclock_options::durability, static_cast<std::int32_t>(durability));
    }
    Options& verify(VerifyWhen when) { return set(&slaclock_options::verify, static_cast<std::int32_t>(when)); }
    /// Opens for reading only, beside writers.
    Options& read_only(bool on = true) { return set(&slaclock_options::read_only, std::int32_t{on}); }
    /// Whether `Db::open` may hand out the handle that this process has on the file; it may, at first.
    Options& share(bool on) { return set(&slaclock_options::share, std::int32_t{on}); }
    Options& cache_bytes(std::int64_t bytes) { return set(&slaclock_options::cache_bytes, bytes); }
    /// How long a call waits for other writers before `Busy`.
    Options& busy_timeout(std::chrono::milliseconds wait) {
        return set(&slaclock_options::busy_timeout_ms, std::int64_t{wait.count()});
    }
    Options& bulk_every(std::chrono::milliseconds time) {
        return set(&slaclock_options::bulk_every_ms, std::int64_t{time.count()});
    }
    Options& bulk_every_rows(std::int64_t rows) { return set(&slaclock_options::bulk_every_rows, rows); }

    /// The options for functions of slaclock.h.
    const slaclock_options& raw() const noexcept { return raw_; }

private:
    template <class Number>
    Options& set(Number slaclock_options::*field, Number value) {
        raw_.*field = value;
        return *this;
    }
    slaclock_options raw_ = SLACLOCK_OPTIONS_INIT;
};

/// What an import does with a row that cannot be used.
enum class OnBadRow : std::int32_t { skip = SLACLOCK_ON_BAD_ROW_SKIP, abort = SLACLOCK_ON_BAD_ROW_ABORT };

/// How to import.
struct ImportOptions {
    OnBadRow on_bad_row = OnBadRow::skip;
    std::int64_t keep_oddities = 1000;
    /// Told after each chunk how far it has come; false stops the import with `Cancelled`. What it throws, comes out of
    /// the import.
    std::function<bool(const slaclock_progress&)> progress;
};

/// Facts about a database.
struct Info {
    std::int64_t format = 0, requests = 0, events = 0, clocks = 0, notices = 0;
    std::optional<Instant> advanced_to;      ///< up to where the feed was advanced
    std::optional<Instant> latest_event_at;  ///< of any receipt or event
    std::int64_t unfolded = 0, file_bytes = 0, index_bytes = 0;
};

/// What was derived anew from the events, and what of it differs from what is stored.
struct Rebuilt {
    slaclock_rebuilt counts{};
    std::string json;  ///< with the first 100 differences
};

/// Closes every handle that this process keeps open to share. For the end of a process.
inline void shutdown() {
    call(slaclock_shutdown);
}

/// Closes a database; trouble is told to nobody.
inline void close_quietly(slaclock_db* db) noexcept {
    static_cast<void>(slaclock_close(db, nullptr));
}

/// An open database. `close()` tells of trouble, the destructor does not.
class Db : public Handle<slaclock_db, close_quietly> {
public:
    using Handle::Handle;

    /// Makes a new one. Never replaces anything.
    static Db create(std::string_view path, const Policy& policy, const Options& options = {}) {
        slaclock_db* db = nullptr;
        call(slaclock_create, path.data(), path.size(), policy.get(), &options.raw(), &db);
        return Db(db);
    }
    /// Opens an existing one. Never makes one.
    static Db open(std::string_view path, const Options& options = {}) {
        slaclock_db* db = nullptr;
        call(slaclock_open, path.data(), path.size(), &options.raw(), &db);
        return Db(db);
    }
    /// Makes one in memory, gone when closed: for tests and experiments.
    static Db in_memory(const Policy& policy) {
        slaclock_db* db = nullptr;
        call(slaclock_in_memory, policy.get(), &db);
        return Db(db);
    }
    /// Closes it. If that throws `Busy`, it stays open.
    void close() {
        call(slaclock_close, get());
        static_cast<void>(release());
    }
    /// Puts everything written so far on the disk; only bulk durability leaves anything to do.
    void flush() { call(slaclock_flush, get()); }
    /// While raised, every wait for other writers throws `Cancelled` at once. From any thread.
    void cancel(bool raised = true) { call(slaclock_cancel, get(), std::int32_t{raised}); }

    /// Installs a new version of the policy, in force for requests received from `from` on.
    void install(const Policy& policy, When from) { call(slaclock_install, get(), policy.get(), from.seconds()); }
    /// The newest installed policy.
    Policy policy() const {
        slaclock_policy* policy = nullptr;
        call(slaclock_db_policy, get(), &policy);
        return Policy(policy);
    }
    /// The installed versions, oldest first, as JSON.
    std::string policies_json() const { return text_of(slaclock_policies_json, get()); }

    /// Submits a request. Idempotent by its id.
    Outcome submit(const Request& request) {
        const slaclock_request raw = request.raw();
        slaclock_outcome outcome = SLACLOCK_OUTCOME_REFUSED;
        call(slaclock_submit, get(), &raw, &outcome);
        return static_cast<Outcome>(outcome);
    }
    std::string submit_json(std::string_view json) {
        return text_of(slaclock_submit_json, get(), json.data(), json.size());
    }
    /// Records an event on a request. Idempotent if it has a key.
    Outcome record(std::string_view id, const Event& event) {
        const slaclock_event raw = event.raw();
        slaclock_outcome outcome = SLACLOCK_OUTCOME_REFUSED;
        call(slaclock_record, get(), id.data(), id.size(), &raw, &outcome);
        return static_cast<Outcome>(outcome);
    }
    std::string record_json(std::string_view id, std::string_view json) {
        return text_of(slaclock_record_json, get(), id.data(), id.size(), json.data(), json.size());
    }
    /// Writes all rows of a batch in one transaction.
    Applied apply(const Batch& batch, OnError on_error = OnError::abort) {
        std::vector<std::int32_t> outcomes(batch.size()), statuses(batch.size());
        slaclock_text* refused = nullptr;
        call(slaclock_apply, get(), batch.get(), static_cast<std::int32_t>(on_error), outcomes.data(), statuses.data(),
             outcomes.size(), &refused);
        Applied applied;
        applied.refused = take(refused);
        for (const std::int32_t outcome : outcomes) applied.outcomes.push_back(static_cast<Outcome>(outcome));
        for (const std::int32_t status : statuses) applied.statuses.push_back(static_cast<Status>(status));
        return applied;
    }
    std::string apply_json(std::string_view json, OnError on_error = OnError::abort) {
        return text_of(slaclock_apply_json, get(), json.data(), json.size(), static_cast<std::int32_t>(on_error));
    }

    /// The clocks of a request, in the order of its policy; without `now` right after its latest event.
    std::vector<ClockStatus> clocks(std::string_view id, std::optional<When> now = std::nullopt) const {
        std::vector<slaclock_clock_status> raw(64);
        std::size_t count = 0;
        call(slaclock_clocks, get(), id.data(), id.size(), seconds_or_none(now), raw.data(), raw.size(), &count);
        return std::vector<ClockStatus>(raw.begin(), raw.begin() + static_cast<std::ptrdiff_t>(count));
    }
    /// Everything known of a request, as JSON; without `now` right after its latest event.
    std::string get_json(std::string_view id, std::optional<When> now = std::nullopt) const {
        return text_of(slaclock_get_json, get(), id.data(), id.size(), seconds_or_none(now));
    }
    /// Why a clock stands where it stands.
    Explanation explain(std::string_view id, std::string_view clock, When now) const {
        return explanation_of(slaclock_explain, get(), id.data(), id.size(), clock.data(), clock.size(), now.seconds());
    }

    /// The running clocks that a query asks for. This and the following are ranges: see `Pages`.
    Rows scan(const Query& query) const {
        return pages([db = get(), query](auto... page) {
            const slaclock_query raw = query.raw();
            call(slaclock_scan, db, &raw, page...);
        });
    }
    /// Late at `now`: due has passed, the limit has not.
    Rows late(When now) const { return rows(slaclock_late, now.seconds()); }
    /// Breached at `now`: the limit has passed, or due where there is no backstop.
    Rows breached(When now) const { return rows(slaclock_breached, now.seconds()); }
    /// At risk at `now`: a warning threshold has passed, due has not.
    Rows at_risk(When now) const { return rows(slaclock_at_risk, now.seconds()); }
    /// Due before `until`, judged at `until`.
    Rows due_before(When until) const { return rows(slaclock_due_before, until.seconds()); }
    /// Passed due from `last` on and before `now`, and still running.
    Rows newly_late(When last, When now) const { return rows(slaclock_newly_late, last.seconds(), now.seconds()); }
    /// One page as JSON; `after` is `SLACLOCK_PAGE_FIRST`, or `next` of the page before.
    std::string scan_json(const Query& query, std::int64_t after, std::size_t limit) const {
        const slaclock_query raw = query.raw();
        return text_of(slaclock_scan_json, get(), &raw, after, limit);
    }
    /// The running clock that is due first at or after `now`: the next instant to look again.
    std::optional<Row> next_due(When now) const {
        slaclock_row row;
        std::int32_t found = 0;
        call(slaclock_next_due, get(), now.seconds(), &row, &found);
        if (found == 0) return std::nullopt;
        return Row(row);
    }
    /// All clocks by stage.
    StageCounts counts(When now) const {
        StageCounts counts{};
        call(slaclock_counts, get(), now.seconds(), &counts);
        return counts;
    }

    /// Turns every threshold that passed since the last advance into a notice; gives how many.
    std::int64_t advance(When now) {
        std::int64_t count = 0;
        call(slaclock_advance, get(), now.seconds(), &count);
        return count;
    }
    /// The feed as this consumer reads it.
    Feed feed(std::string_view consumer) { return Feed(get(), consumer); }

    /// Attainment by clock, then period.
    std::vector<Attainment> attainment(const AttainmentQuery& query) const {
        const slaclock_attainment_query raw = query.raw();
        std::vector<slaclock_attainment_row> found(16);
        for (;;) {
            std::size_t count = 0;
            call(slaclock_attainment, get(), &raw, found.data(), found.size(), &count);
            const bool all = count <= found.size();
            found.resize(count);
            if (all) return std::vector<Attainment>(found.begin(), found.end());
        }
    }
    /// Attainment by clock, period and group, as JSON.
    std::string attainment_json(const AttainmentQuery& query) const {
        const slaclock_attainment_query raw = query.raw();
        return text_of(slaclock_attainment_json, get(), &raw);
    }
    /// Time on hold by reason, as JSON; without a period for everything.
    std::string waiting_json(When now, std::optional<std::string_view> period = std::nullopt) const {
        const std::string_view text = period.value_or(std::string_view());
        return text_of(slaclock_waiting_json, get(), text.data(), text.size(), now.seconds());
    }

    /// The figures of a period as a page: one HTML file that needs nothing else. The query as for `slaclock_report_html`.
    std::string report_html(std::string_view query) const {
        return text_of(slaclock_report_html, get(), query.data(), query.size());
    }
    /// The stored history as it was promised and as it would have been under other policies, as JSON.
    std::string simulate_json(const std::vector<const Policy*>& policies, const AttainmentQuery& query) const {
        std::vector<const slaclock_policy*> raw_policies;
        for (const Policy* policy : policies) raw_policies.push_back(policy->get());
        const slaclock_attainment_query raw = query.raw();
        return text_of(slaclock_simulate_json, get(), raw_policies.data(), raw_policies.size(), &raw);
    }
    /// The refusals that wait for a second person, as JSON.
    std::string refusals_json(When now) const { return text_of(slaclock_refusals_json, get(), now.seconds()); }
    /// Publishes an answer for all to read: `id`, and `question` and `answer` or the `request` that they come from.
    Outcome publish_faq_json(std::string_view json, std::string_view by, When at) {
        slaclock_outcome outcome = SLACLOCK_OUTCOME_REFUSED;
        call(slaclock_faq_publish, get(), json.data(), json.size(), at.seconds(), by.data(), by.size(), &outcome);
        return static_cast<Outcome>(outcome);
    }
    /// Facts about the database.
    Info info() const {
        slaclock_db_info raw{};
        call(slaclock_info, get(), &raw);
        return {raw.format, raw.requests, raw.events, raw.clocks, raw.notices, instant_if_any(raw.advanced_to),
                instant_if_any(raw.latest_event_at), raw.unfolded, raw.file_bytes, raw.index_bytes};
    }
    std::string info_json() const { return text_of(slaclock_info_json, get()); }
    /// Derives every request anew and compares. Writes nothing; differences are no error.
    Rebuilt verify() const { return rebuilt(slaclock_verify); }
    /// Verifies every page of the file, then as `verify`.
    Rebuilt check() const { return rebuilt(slaclock_check); }
    /// As `verify`, then replaces what differs.
    Rebuilt rebuild() { return rebuilt(slaclock_rebuild); }
    /// Gives free space in the file back; whether it shrank.
    bool compact() {
        std::int32_t shrank = 0;
        call(slaclock_compact, get(), &shrank);
        return shrank != 0;
    }
    /// `slaclock_import`, whose name is a word of the language here: a CSV log, through a mapping. The account as JSON.
    std::string import_file(std::string_view path, std::string_view mapping, const ImportOptions& options = {}) {
        Progress progress{&options.progress, nullptr};
        slaclock_import_options raw = SLACLOCK_IMPORT_OPTIONS_INIT;
        raw.on_bad_row = static_cast<std::int32_t>(options.on_bad_row);
        raw.keep_oddities = options.keep_oddities;
        raw.progress = options.progress ? Progress::told : nullptr;
        raw.user = &progress;
        try {
            return text_of(slaclock_import, get(), path.data(), path.size(), mapping.data(), mapping.size(), &raw);
        } catch (const Cancelled&) {
            if (progress.thrown) std::rethrow_exception(progress.thrown);
            throw;
        }
    }

    /// Every running clock that a query asks for, from one snapshot, as columns.
    ArrowStream scan_arrow(const Query& query) const {
        const slaclock_query raw = query.raw();
        return stream(slaclock_scan_arrow, &raw);
    }
    /// What a consumer has not acknowledged, as columns.
    ArrowStream pending_arrow(std::string_view consumer, std::size_t limit = SLACLOCK_MAX_NOTICES) const {
        return stream(slaclock_pending_arrow, consumer.data(), consumer.size(), limit);
    }
    /// Attainment by clock, period and group, as columns.
    ArrowStream attainment_arrow(const AttainmentQuery& query) const {
        const slaclock_attainment_query raw = query.raw();
        return stream(slaclock_attainment_arrow, &raw);
    }
    /// Time on hold by reason, as columns.
    ArrowStream waiting_arrow(When now, std::optional<std::string_view> period = std::nullopt) const {
        const std::string_view text = period.value_or(std::string_view());
        return stream(slaclock_waiting_arrow, text.data(), text.size(), now.seconds());
    }
    /// Submits a table of requests, which is taken. `zone` is for timestamps that have none of their own.
    Written submit_arrow(ArrowStream requests, OnError on_error = OnError::abort, std::string_view zone = {}) {
        return written(slaclock_submit_arrow, requests, on_error, zone);
    }
    /// Records a table of events, which is taken.
    Written record_arrow(ArrowStream events, OnError on_error = OnError::abort, std::string_view zone = {}) {
        return written(slaclock_record_arrow, events, on_error, zone);
    }

private:
    /// Pages of 128 rows, which `fetch` gets like `slaclock_late`: from `after` on.
    template <class Fetch>
    static Rows pages(Fetch fetch) {
        return Rows(SLACLOCK_PAGE_FIRST, [fetch, raw = std::vector<slaclock_row>(128)](
                                             std::int64_t after, std::vector<Row>& page) mutable {
            std::size_t filled = 0;
            std::int64_t next = SLACLOCK_PAGE_END;
            fetch(after, raw.data(), raw.size(), &filled, &next);
            for (std::size_t i = 0; i < filled; ++i) page.emplace_back(raw[i]);
            return next;
        });
    }
    template <class Function, class... Instants>
    Rows rows(Function function, Instants... at) const {
        return pages([db = get(), function, at...](auto... page) { call(function, db, at..., page...); });
    }
    template <class Function>
    Rebuilt rebuilt(Function function) const {
        Rebuilt rebuilt;
        rebuilt.json = text_of(function, get(), &rebuilt.counts);
        return rebuilt;
    }
    template <class Function, class... Arguments>
    ArrowStream stream(Function function, Arguments... arguments) const {
        ArrowStream stream;
        call(function, get(), arguments..., stream.get());
        return stream;
    }
    template <class Function>
    Written written(Function function, ArrowStream& stream, OnError on_error, std::string_view zone) {
        Written written;
        written.refused = text_of(function, get(), stream.get(), zone.data(), zone.size(),
                                  static_cast<std::int32_t>(on_error), &written.counts);
        return written;
    }

    /// What the callback of an import needs. No exception may pass through the library: it waits here.
    struct Progress {
        const std::function<bool(const slaclock_progress&)>* tell;
        std::exception_ptr thrown;

        static std::int32_t told(void* user, const slaclock_progress* progress) noexcept {
            auto& self = *static_cast<Progress*>(user);
            try {
                return (*self.tell)(*progress) ? 0 : 1;
            } catch (...) {
                self.thrown = std::current_exception();
                return 1;
            }
        }
    };
};

}  // namespace slaclock

#endif  // SLACLOCK_DB_HPP
