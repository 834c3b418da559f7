// The C++ layer against the library. What could go wrong: an argument in the wrong place, a field forgotten, a status
// without its class, a handle freed twice or never (sanitizers look), a page lost between two pages.
//
//     surface POLICY LOG MAPPING     in a folder where files may be made; says "ok" at its end

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

#include <slaclock.hpp>

// Clang before 16 cannot compile the views of GCC's library.
#if __cplusplus >= 202002L && (!defined(__clang__) || __clang_major__ >= 16)
#define HAS_VIEWS
#include <ranges>
#endif

namespace {

using namespace std::chrono_literals;
using namespace slaclock;

#define EXPECT(what)                                                                                 \
    do {                                                                                             \
        if (!(what)) {                                                                               \
            std::cerr << __FILE__ << ':' << __LINE__ << ": expected " << #what << '\n';              \
            std::exit(1);                                                                            \
        }                                                                                            \
    } while (false)

/// That something throws this very class of error.
#define EXPECT_THROWS(kind, what)                                                                    \
    do {                                                                                             \
        bool thrown = false;                                                                         \
        try {                                                                                        \
            static_cast<void>(what);                                                                 \
        } catch (const kind&) {                                                                      \
            thrown = true;                                                                           \
        }                                                                                            \
        EXPECT(thrown && #kind);                                                                     \
    } while (false)

template <class Owner>
constexpr bool moves_only = std::is_nothrow_move_constructible_v<Owner> && !std::is_copy_constructible_v<Owner>;
static_assert(moves_only<Policy> && moves_only<Rule> && moves_only<Calendar> && moves_only<Facts>);
static_assert(moves_only<Db> && moves_only<Batch> && moves_only<ArrowStream>);
static_assert(std::is_convertible_v<std::chrono::system_clock::time_point, When>);
#ifdef HAS_VIEWS
static_assert(std::ranges::input_range<Rows>);
#endif
#if __cplusplus >= 202002L
static_assert(std::is_same_v<Instant, std::chrono::sys_seconds> && std::is_same_v<Date, std::chrono::sys_days>);
#endif

// Friday, 6 March 2026, in Moscow (UTC+3): midnight, and the times of that day and the following ones.
const Instant friday = instant(1772744400);
Instant on(int day, std::chrono::seconds time) { return friday + day * 24h + time; }

std::string policy_text;

/// Every status has a class of its own, and no class stands for two.
void errors() {
    std::set<std::string> names;
    int kinds = 0;
    for (std::int32_t code = 1; std::string(slaclock_status_name(code)) != "Unknown"; ++code, ++kinds) {
        slaclock_error raw = SLACLOCK_ERROR_INIT;
        raw.code = code;
        try {
            raise(raw);
        } catch (const Error& error) {
            EXPECT(error.status() == static_cast<Status>(code));
            EXPECT(typeid(error) != typeid(Error));
            names.insert(typeid(error).name());
        }
    }
    EXPECT(kinds == 26 && names.size() == 26);
    slaclock_error later = SLACLOCK_ERROR_INIT;
    later.code = 1000;
    EXPECT_THROWS(Error, (raise(later), 0));

    bool refused = false;
    try {
        static_cast<void>(Policy::from_text("[policy]\nname = 3\n"));
    } catch (const InvalidPolicy& error) {
        refused = true;
        EXPECT(error.line() == 2 && error.column() > 0 && error.reason() == NoDeadlineReason::none);
        EXPECT(std::string(error.what()).find("name") != std::string::npos);
    }
    EXPECT(refused);
    EXPECT_THROWS(NotFound, Policy::load("nowhere.toml"));
    EXPECT(std::string(name(Status::busy)) == "Busy");
}

void policies() {
    const auto policy = Policy::from_text(policy_text);
    EXPECT(policy.due("resolution", on(0, 15h)) == on(3, 11h));
    EXPECT(policy.limit("resolution", on(0, 15h)) == on(5, 18h));
    EXPECT(policy.due("resolution", on(0, 15h) + 999ms, {{"priority", "high"}, {"customer", "acme"}}) == on(3, 11h));
    EXPECT(policy.source() == policy_text);
    EXPECT(policy.json().find("\"customer-care\"") != std::string::npos);
    EXPECT(Policy::schema().find("json-schema.org") != std::string::npos);
    const auto findings = policy.lint(date(20518));
    EXPECT(findings.count > 0 && findings.json.front() == '[');
    const auto why = policy.explain("resolution", on(0, 15h));
    EXPECT(why.text.find("15:00 is not before 14:00") != std::string::npos && why.json.front() == '{');
    EXPECT_THROWS(NotFound, policy.due("nonsense", on(0, 15h)));
    EXPECT_THROWS(OutOfRange, policy.due("resolution", instant(-1)));

    const std::vector<std::int64_t> received{seconds(on(0, 10h)), seconds(on(0, 15h)), seconds(on(1, 10h))};
    const std::vector<std::int64_t> due{seconds(on(0, 18h)), seconds(on(3, 11h)), seconds(on(3, 11h))};
    EXPECT(policy.due_many("resolution", received) == due);
    const auto rule = policy.rule("resolution");
    EXPECT(rule.due_many(received) == due);
    EXPECT(rule.due(on(0, 10h)) == on(0, 18h) && rule.due_if_any(on(0, 10h)) == on(0, 18h));
    EXPECT(rule.limit(on(0, 10h)) == on(5, 18h));
    const auto hold = rule.paused(on(0, 10h), on(0, 17h), on(3, 10h));
    EXPECT(hold.working == 2h && hold.elapsed == 65h);
    EXPECT(rule.due_paused(on(0, 10h), hold) == on(3, 11h));
    EXPECT(rule.calendar().zone() == "Europe/Moscow");

    const auto nothing = Policy::from_text(
        "[policy]\nname = \"none\"\nversion = 1\n[calendar.c]\nzone = \"UTC\"\nhours = \"24x7\"\n"
        "[[clock]]\nname = \"x\"\nstart = \"received\"\nstop = \"resolved\"\ntarget = \"none\"\n");
    EXPECT(!nothing.rule("x").due_if_any(friday));
    bool promised = true;
    try {
        static_cast<void>(nothing.due("x", friday));
    } catch (const NoDeadline& error) {
        promised = error.reason() != NoDeadlineReason::no_target;
    }
    EXPECT(!promised);
    EXPECT(nothing.due_many("x", received) == std::vector<std::int64_t>(3, SLACLOCK_NONE));
}

void calendars() {
    const auto office = Policy::from_text(policy_text).calendar("office");
    const Date day = date(days(date(0)) + seconds(friday + 3h) / 86400);
    EXPECT(office.is_open(on(0, 9h)) && !office.is_open(on(0, 18h)));
    EXPECT(office.next_open(on(0, 18h)) == on(3, 9h) && office.next_close(on(0, 9h)) == on(0, 18h));
    EXPECT(office.working_time(on(0, 17h), on(3, 10h)) == 2h && office.working_time(on(3, 10h), on(0, 17h)) == -2h);
    EXPECT(office.add_working_time(on(0, 17h), 2h) == on(3, 10h) && office.sub_working_time(on(3, 10h), 2h) == on(0, 17h));
    EXPECT(office.is_working_day(day) && !office.is_working_day(day + Date::duration(1)));
    EXPECT(office.add_working_days(day, 2) == day + Date::duration(4));
    EXPECT(office.working_days(day, day + Date::duration(4)) == 2);
    const auto wall = office.local(on(0, 10h));
    EXPECT(wall.day == day && wall.time == 10h && office.instant(wall) == on(0, 10h));
    EXPECT(office.instant(wall, Edge::second) == on(0, 10h));
    EXPECT(office.hours(day)->opens_at == on(0, 9h) && office.hours(day)->closes_at == on(0, 18h));
    EXPECT(!office.hours(day + Date::duration(1)));
    const std::int64_t from[] = {seconds(on(0, 9h)), seconds(on(0, 17h))}, to[] = {seconds(on(0, 18h)), seconds(on(3, 10h))};
    std::int64_t worked[2] = {};
    office.working_time_many(from, to, 2, worked);
    EXPECT(worked[0] == 9 * 3600 && worked[1] == 2 * 3600);

    // More stretches than a page has: a year. Their sum is the year's working time, and none is repeated.
    std::chrono::seconds sum{0};
    Instant last = friday;
    std::size_t count = 0;
    for (const auto& stretch : office.intervals(friday, friday + 365 * 24h)) {
        EXPECT(stretch.opens_at >= last && stretch.closes_at > stretch.opens_at);
        last = stretch.closes_at;
        sum += stretch.closes_at - stretch.opens_at;
        ++count;
    }
    EXPECT(count > 128 && sum == office.working_time(friday, friday + 365 * 24h));
}

Db desk(const char* path) {
    std::remove(path);
    return Db::create(path, Policy::from_text(policy_text));
}

void requests_and_events() {
    auto db = desk("surface.slaclock");
    EXPECT_THROWS(AlreadyExists, Db::create("surface.slaclock", Policy::from_text(policy_text)));
    EXPECT_THROWS(NotFound, Db::open("nowhere.slaclock"));

    auto request = Request("CASE-1", on(0, 10h));
    request.customer("acme").priority("high").category("print").channel("phone").subject("Nothing prints");
    request.attribute("building", "B").attribute("floor", "2");
    EXPECT(db.submit(request) == Outcome::recorded && db.submit(request) == Outcome::already_recorded);
    EXPECT_THROWS(Conflict, db.submit(Request("CASE-1", on(0, 11h))));
    const auto json = db.get_json("CASE-1");
    for (const char* part : {"acme", "high", "print", "phone", "Nothing prints", "building", "floor"})
        EXPECT(json.find(part) != std::string::npos);

    EXPECT(db.record("CASE-1", Event::acknowledged(on(0, 10h)).by("ann").key("k").text("by phone")) == Outcome::recorded);
    EXPECT(db.record("CASE-1", Event::acknowledged(on(0, 10h)).by("ann").key("k").text("by phone")) ==
           Outcome::already_recorded);
    const Event events[] = {
        Event::replied(on(0, 10h)),          Event::customer_replied(on(0, 10h)),
        Event::updated(on(0, 10h)),          Event::assigned("second line", on(0, 10h)),
        Event::vendor_contacted("printers inc", on(0, 10h)),
        Event::vendor_replied("printers inc", on(0, 10h)),
        Event::promised(on(3, 12h), on(0, 10h)), Event::changed({{"priority", "low"}}, on(0, 10h)),
        Event::note("a note", on(0, 10h)),   Event::paused("waiting_customer", on(0, 11h)),
    };
    for (const auto& event : events) EXPECT(db.record("CASE-1", event) == Outcome::recorded);
    const auto with_all = db.get_json("CASE-1");
    for (const char* part : {"by phone", "ann", "second line", "printers inc", "\"low\"", "a note", "waiting_customer"})
        EXPECT(with_all.find(part) != std::string::npos);

    auto clock = db.clocks("CASE-1").at(0);
    EXPECT(clock.clock == "resolution" && clock.stage == Stage::paused && clock.cycle == 1 && !clock.due_at);
    EXPECT(clock.remaining == 7h && clock.started_at == on(0, 10h) && !clock.finished_at && clock.no_deadline.empty());
    db.record("CASE-1", Event::resumed(on(0, 12h)));
    EXPECT(db.clocks("CASE-1", on(0, 12h)).at(0).due_at == on(3, 10h));
    db.record("CASE-1", Event::resolved(on(3, 10h)));
    clock = db.clocks("CASE-1").at(0);
    EXPECT(clock.stage == Stage::met && clock.finished_at == on(3, 10h) && clock.limit_at);
    db.record("CASE-1", Event::reopened(on(3, 12h)));
    db.record("CASE-1", Event::cancelled(on(3, 13h)));
    EXPECT_THROWS(NotFound, db.record("CASE-2", Event::replied(on(0, 10h))));
    EXPECT_THROWS(InvalidEvent, db.record("CASE-1", Event::replied(on(0, 9h))));
    EXPECT(db.explain("CASE-1", "resolution", on(0, 12h)).text.find("on hold") != std::string::npos);

    EXPECT(db.submit_json(R"({"id": "CASE-3", "received_at": 1772744400})").find("recorded") != std::string::npos);
    EXPECT(db.record_json("CASE-3", R"({"event": "note", "at": 1772744400, "text": "x"})").find("recorded") !=
           std::string::npos);
    EXPECT(db.apply_json(R"([{"submit": {"id": "CASE-4", "received_at": 1772744400}}])").find("recorded") !=
           std::string::npos);

    // What needs an actor, each with what it carries. This policy allows no expedites and no waivers.
    db.submit(Request("CASE-5", on(0, 10h)));
    EXPECT_THROWS(InvalidEvent, db.record("CASE-5", Event::expedited(on(0, 10h)).by("ann").approved_by("bob")));
    EXPECT_THROWS(InvalidEvent, db.record("CASE-5", Event::expedite_withdrawn(on(0, 10h)).by("ann")));
    EXPECT_THROWS(InvalidEvent, db.record("CASE-5", Event::waived("resolution", 1, "power", on(0, 10h)).by("ann")));
    EXPECT_THROWS(InvalidEvent, db.record("CASE-5", Event::waiver_withdrawn("resolution", 1, on(0, 10h)).by("ann")));
    EXPECT(db.record("CASE-5", Event::refusal_proposed("not ours", on(0, 11h)).by("ann")) == Outcome::recorded);
    EXPECT(db.refusals_json(on(0, 12h)).find("not ours") != std::string::npos);
    EXPECT(db.record("CASE-5", Event::refusal_withdrawn(on(0, 12h)).by("ann")) == Outcome::recorded);
    EXPECT(db.record("CASE-5", Event::refusal_proposed("not ours", on(0, 13h)).by("ann")) == Outcome::recorded);
    EXPECT(db.record("CASE-5", Event::refusal_approved(on(0, 14h)).by("bob")) == Outcome::recorded);
    EXPECT(db.get_json("CASE-5").find("refused") != std::string::npos);

    // An answer for all, and who was helped by it.
    db.submit(Request("CASE-6", on(0, 10h)));
    EXPECT_THROWS(NotFound, db.record("CASE-6", Event::faq_linked("vpn", on(0, 11h)).by("ann")));
    const std::string_view draft = R"({"id": "vpn", "question": "Why?", "answer": "Because."})";
    EXPECT(db.publish_faq_json(draft, "ann", on(0, 10h)) == Outcome::recorded);
    EXPECT(db.publish_faq_json(draft, "ann", on(0, 10h)) == Outcome::already_recorded);
    EXPECT_THROWS(InvalidArgument, db.publish_faq_json(R"({"id": ""})", "ann", on(0, 10h)));
    EXPECT(db.record("CASE-6", Event::faq_linked("vpn", on(0, 11h)).by("ann")) == Outcome::recorded);
    EXPECT(db.get_json("CASE-6").find("faq_linked") != std::string::npos);
    EXPECT(db.record("CASE-6", Event::faq_unlinked("vpn", on(0, 12h)).by("ann")) == Outcome::recorded);
    EXPECT_THROWS(InvalidEvent, db.record("CASE-6", Event::faq_unlinked("vpn", on(0, 13h)).by("ann")));

    const auto policy_2 = Policy::from_text("# second\n" + std::string(policy_text).replace(policy_text.find("= 1\n"), 3, "= 2"));
    db.install(policy_2, on(30, 0h));
    EXPECT(db.policy().source() == policy_2.source());
    EXPECT(db.policies_json().find("in_force_from") != std::string::npos);
    db.flush();
    db.close();
    EXPECT(!db);
    EXPECT_THROWS(InvalidArgument, db.counts(friday));
}

void batches() {
    auto db = Db::in_memory(Policy::from_text(policy_text));
    Batch batch;
    for (int i = 0; i < 1000; ++i) batch.submit(Request("R-" + std::to_string(i), on(0, 10h) + i * 1s));
    batch.record("R-1", Event::replied(on(0, 11h))).record("nobody", Event::replied(on(0, 11h)));
    EXPECT(batch.size() == 1002);
    EXPECT_THROWS(NotFound, db.apply(batch));
    EXPECT(db.info().requests == 0);
    const auto applied = db.apply(batch, OnError::skip);
    EXPECT(applied.outcomes.size() == 1002 && applied.statuses.size() == 1002);
    EXPECT(std::count(applied.outcomes.begin(), applied.outcomes.end(), Outcome::recorded) == 1001);
    EXPECT(applied.outcomes.back() == Outcome::refused && applied.statuses.back() == Status::not_found);
    EXPECT(applied.refused.find("1001") != std::string::npos);
    batch.clear();
    EXPECT(batch.size() == 0);

    // Pages: a thousand rows are eight of them. Each row comes once, in order.
    const Instant now = on(0, 18h) + 1s;
    std::set<std::string> seen;
    Instant last = friday;
    for (const auto& row : db.late(now)) {
        EXPECT(row.stage == Stage::late && row.clock == "resolution" && row.cycle == 1 && row.due_at >= last);
        EXPECT(row.limit_at == on(5, 18h) && row.started_at >= on(0, 10h));
        last = row.due_at;
        seen.insert(row.request);
    }
    EXPECT(seen.size() == 1000 && db.counts(now).late == 1000);
    auto rows = db.late(now);
    EXPECT(rows.collect().size() == 1000 && std::distance(rows.begin(), rows.end()) == 1000);  // from the first again
    EXPECT(std::vector<Row>(rows.begin(), rows.end()).size() == 1000);
    auto it = rows.begin();
    EXPECT((*it++).request == "R-0" && it->request == "R-1");
#ifdef HAS_VIEWS
    std::size_t ones = 0;
    for (const auto& row : db.late(now) | std::views::filter([](const Row& r) { return r.request == "R-1"; }))
        ones += row.request.size();
    EXPECT(ones == 3);
#endif
    EXPECT(db.breached(now).collect().empty() && db.at_risk(on(0, 17h)).collect().size() == 1000);
    EXPECT(db.breached(on(6, 0h)).collect().size() >= 1000);
    EXPECT(db.due_before(on(0, 18h)).collect().empty() && db.due_before(now).collect().size() == 1000);
    EXPECT(db.newly_late(on(0, 17h), now).collect().size() == 1000 && db.newly_late(now, now).collect().empty());
    auto query = Query(now).stage(Stage::late).stage(Stage::breached).clock("resolution").since(on(0, 18h)).until(now);
    EXPECT(db.scan(query).collect().size() == 1000);
    EXPECT(db.scan(query.until(on(0, 18h))).collect().empty());
    EXPECT(db.scan_json(Query(now), SLACLOCK_PAGE_FIRST, 1).find("R-0") != std::string::npos);
    EXPECT_THROWS(NotFound, db.scan(Query(now).clock("nonsense")).collect());
    EXPECT(db.next_due(on(0, 17h)).value().due_at == on(0, 18h));
    EXPECT(!Db::in_memory(Policy::from_text(policy_text)).next_due(friday));

    auto gone = std::make_unique<Db>(Db::in_memory(Policy::from_text(policy_text)));
    auto dangling = gone->late(now);
    gone.reset();
    EXPECT_THROWS(Closed, dangling.begin());
}

void feed_and_reports() {
    auto db = Db::in_memory(Policy::from_text(policy_text));
    db.submit(Request("A", on(0, 10h)).customer("acme"));
    db.submit(Request("B", on(0, 10h)).customer("borealis"));
    db.record("B", Event::resolved(on(0, 11h)));
    auto feed = db.feed("mailer");
    const auto notices = feed.advance(on(0, 18h) + 1s);
    EXPECT(notices.size() == 4 && notices[0].number == 1 && notices[0].request == "A" && notices[0].cycle == 1);
    EXPECT(notices[0].threshold == Threshold::warning && notices[0].percent == 50 && !notices[0].by_change);
    EXPECT(notices[2].threshold == Threshold::late && notices[2].at == on(0, 18h) && !notices[2].retracted);
    EXPECT(notices[3].threshold == Threshold::budget_exhausted && notices[3].request.empty());
    feed.acknowledge(notices[1]);
    EXPECT(feed.acknowledged() == 2 && feed.pending().size() == 2 && feed.pending(1).at(0).number == 3);
    EXPECT(feed.pending_json().find("late") != std::string::npos && feed.consumer() == "mailer");
    EXPECT_THROWS(OutOfRange, feed.acknowledge(99));
    EXPECT_THROWS(OutOfRange, feed.pending(0));
    EXPECT(db.advance(on(6, 0h)) > 0 && db.feed("other").pending().size() > 3);

    const auto rows = db.attainment(AttainmentQuery(on(40, 0h)).period("2026-03").per(Per::month));
    EXPECT(rows.size() == 1 && rows[0].clock == "resolution" && rows[0].met == 1 && rows[0].missed == 1);
    EXPECT(rows[0].share_bp == 5000 && rows[0].goal_bp == 9500 && rows[0].verdict == GoalVerdict::broken);
    EXPECT(rows[0].period_over && days(rows[0].last_day) - days(rows[0].first_day) == 30);
    EXPECT(!db.attainment(AttainmentQuery(on(0, 10h)).clock("resolution")).at(0).share_bp);
    EXPECT(db.attainment_json(AttainmentQuery(on(6, 0h)).by({"customer", "odd \"name\"\n"})).find("borealis") !=
           std::string::npos);
    EXPECT_THROWS(InvalidArgument, db.attainment(AttainmentQuery(on(6, 0h)).period("the other day")));
    EXPECT(db.waiting_json(on(6, 0h)) == "[]" && db.waiting_json(on(6, 0h), "2026-03") == "[]");

    const auto info = db.info();
    EXPECT(info.requests == 2 && info.events == 1 && info.advanced_to == on(6, 0h) && info.latest_event_at == on(0, 11h));
    EXPECT(db.info_json().find("tzdb") != std::string::npos);
    EXPECT(db.verify().counts.requests == 2 && db.verify().counts.differing == 0);
    EXPECT(db.check().counts.differing == 0 && db.rebuild().counts.repaired == 0 && db.check().json.front() == '{');
    static_cast<void>(db.compact());
}

void imports_and_columns(const char* log, const char* mapping) {
    auto db = desk("surface-log.slaclock");
    int told = 0;
    ImportOptions options;
    options.progress = [&told](const slaclock_progress& progress) {
        ++told;
        EXPECT(progress.rows > 0);
        return true;
    };
    EXPECT(db.import_file(log, mapping, options).find("\"rows\":10") != std::string::npos && told > 0);
    auto other = desk("surface-stopped.slaclock");
    options.progress = [](const slaclock_progress&) { return false; };
    EXPECT_THROWS(Cancelled, other.import_file(log, mapping, options));
    options.progress = [](const slaclock_progress&) -> bool { throw std::domain_error("mine"); };
    EXPECT_THROWS(std::domain_error, other.import_file(log, mapping, options));
    EXPECT_THROWS(NotFound, other.import_file("nowhere.csv", mapping));

    // What goes out as columns comes in again: the columns of a scan are not those of requests, which is an error that
    // leaves nothing behind.
    auto stream = db.scan_arrow(Query(on(4, 0h)));
    EXPECT(stream);
    ArrowSchema schema{};
    EXPECT(stream.get()->get_schema(stream.get(), &schema) == 0 && schema.n_children == 7);
    schema.release(&schema);
    auto moved = std::move(stream);
    EXPECT(moved && !stream);
    EXPECT_THROWS(InvalidArgument, other.submit_arrow(std::move(moved)));
    EXPECT(db.pending_arrow("columns") && db.attainment_arrow(AttainmentQuery(on(4, 0h)).by({"customer"})));
    EXPECT(db.waiting_arrow(on(4, 0h)) && db.waiting_arrow(on(4, 0h), "2026-03"));
    EXPECT_THROWS(InvalidArgument, other.record_arrow(ArrowStream()));

    const auto reader = Db::open("surface-log.slaclock", Options().read_only().share(false).busy_timeout(100ms));
    EXPECT(reader.info().requests == 10);
    EXPECT_THROWS(ReadOnly, Db::open("surface-log.slaclock", Options().read_only()).submit(Request("X", friday)));
    EXPECT_THROWS(Unsupported, Db::open("surface-log.slaclock", Options().durability(Durability::bulk)));
    EXPECT_THROWS(OutOfRange, Db::open("surface-log.slaclock", Options().cache_bytes(-1)));
    other.cancel();
    other.cancel(false);

    // One handle on many threads.
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&db, t] {
            for (int i = 0; i < 25; ++i) {
                db.submit(Request("T-" + std::to_string(t) + "-" + std::to_string(i), on(0, 10h)));
                EXPECT(db.counts(on(4, 0h)).breached >= 0);
            }
        });
    for (auto& thread : threads) thread.join();
    EXPECT(db.info().requests == 110);
}

void handles() {
    auto policy = Policy::from_text(policy_text);
    auto moved = std::move(policy);
    EXPECT(!policy && moved);
    EXPECT_THROWS(InvalidArgument, policy.json());
    Policy adopted(moved.release());
    EXPECT(adopted.json().size() > 2);
    auto facts = Facts::from_json(R"({"priority": "high"})");
    facts.set("customer", "").set("channel", std::string_view());
    EXPECT(adopted.due("resolution", on(0, 10h), facts) == on(0, 18h));
    EXPECT_THROWS(InvalidArgument, facts.set("", "x"));
    EXPECT(Facts().get() == nullptr);
    EXPECT(std::string(version()) == SLACLOCK_VERSION && abi_version() == SLACLOCK_ABI_VERSION);
    EXPECT(tzdb_version().size() == 5 && now() > friday - 365 * 24h);

    std::string logged;
    set_log([](void* user, std::int32_t, const char* text, std::size_t n) { static_cast<std::string*>(user)->assign(text, n); },
            &logged);
    auto twice = Policy::from_text(policy_text);
    slaclock_policy_free(twice.get());
    { const auto gone = std::move(twice); }  // freed again: the log is told, and nothing else happens
    set_log(nullptr);
    EXPECT(!logged.empty());
}

}  // namespace

int main(int argc, char** argv) {
    EXPECT(argc == 4);
    policy_text = Policy::load(argv[1]).source();
    errors();
    policies();
    calendars();
    requests_and_events();
    batches();
    feed_and_reports();
    imports_and_columns(argv[2], argv[3]);
    handles();
    shutdown();
    std::cout << "ok\n";
    return 0;
}
