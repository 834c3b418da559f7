/*
 * Every function's good path, and every status that a C program can meet.
 *
 * What could go wrong: a value ends up in the wrong place, a text is cut, a status has another number here than in Rust.
 */
#include "check.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *folder;

static const char *at(const char *name) {
    static char paths[8][512];
    static int next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static void write_file(const char *path, const char *text) {
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(text, 1, strlen(text), file) != strlen(text) || fclose(file) != 0) exit(3);
}

static void versions(void) {
    CHECK(strcmp(slaclock_version(), SLACLOCK_VERSION) == 0);
    CHECK(slaclock_abi_version() == SLACLOCK_ABI_VERSION);
    char number[32];
    snprintf(number, sizeof number, "%d.%d.%d", SLACLOCK_VERSION_MAJOR, SLACLOCK_VERSION_MINOR,
             SLACLOCK_VERSION_PATCH);
    CHECK(strcmp(number, SLACLOCK_VERSION) == 0);
    slaclock_text *text = NULL;
    OK(slaclock_tzdb_version(&text, &error));
    SAYS(text, "20");
    CHECK(strcmp(slaclock_status_name(9), "NoDeadline") == 0);
    CHECK(strcmp(slaclock_status_text(9), "no deadline") == 0);
    CHECK(strcmp(slaclock_status_name(4711), "Unknown") == 0);
    CHECK(sizeof(slaclock_status) == 4 && sizeof(slaclock_error) == 260);
}

static void policies(void) {
    write_file(at("care.toml"), CHECK_POLICY);
    slaclock_policy *policy = NULL;
    OK(slaclock_policy_load(at("care.toml"), NTS, &policy, &error));
    slaclock_text *text = NULL, *json = NULL;
    OK(slaclock_policy_source(policy, &text, &error));
    SAYS(text, "Handled within the day.");
    OK(slaclock_policy_json(policy, &json, &error));
    SAYS(json, "\"name\":\"resolution\"");
    int64_t lints = 0;
    OK(slaclock_policy_lint(policy, 20518, &lints, &json, &error));
    CHECK(lints > 0);
    SAYS(json, "no-examples");
    OK(slaclock_policy_lint(policy, 20518, NULL, NULL, &error));
    OK(slaclock_policy_schema(&json, &error));
    SAYS(json, "received_before");

    int64_t due_at = 0, limit_at = 0;
    OK(slaclock_policy_due(policy, "resolution", NTS, FRIDAY_15, NULL, &due_at, &error));
    CHECK(due_at == MONDAY_11);
    OK(slaclock_policy_due(policy, "resolution and more", 10, FRIDAY_15, NULL, &due_at, NULL));
    OK(slaclock_policy_limit(policy, "resolution", NTS, FRIDAY_15, NULL, &limit_at, &error));
    CHECK(limit_at == WEDNESDAY_18);
    const int64_t received[3] = {FRIDAY_15, FRIDAY_15 - 5 * HOUR, FRIDAY_15 + DAY};
    int64_t due[3] = {0, 0, 0};
    OK(slaclock_policy_due_many(policy, "resolution", NTS, NULL, received, 3, due, &error));
    CHECK(due[0] == MONDAY_11 && due[1] == FRIDAY_15 + 3 * HOUR && due[2] == MONDAY_11);
    OK(slaclock_policy_due_many(policy, "resolution", NTS, NULL, NULL, 0, NULL, &error));

    slaclock_facts *facts = NULL;
    OK(slaclock_facts_new(&facts, &error));
    OK(slaclock_facts_set(facts, "priority", NTS, "high", NTS, &error));
    OK(slaclock_policy_due(policy, "response", NTS, FRIDAY_15, facts, &due_at, &error));
    CHECK(due_at == FRIDAY_15 + HOUR);
    OK(slaclock_policy_limit(policy, "response", NTS, FRIDAY_15, facts, &limit_at, &error));
    CHECK(limit_at == SLACLOCK_NONE);
    OK(slaclock_facts_set(facts, "priority", NTS, "", 0, &error));
    GIVES(SLACLOCK_STATUS_NO_DEADLINE,
          slaclock_policy_due(policy, "response", NTS, FRIDAY_15, facts, &due_at, &error));
    slaclock_facts_free(facts);
    OK(slaclock_facts_from_json("{\"priority\": \"high\"}", NTS, &facts, &error));
    slaclock_text *sentences = NULL;
    OK(slaclock_policy_explain(policy, "response", NTS, FRIDAY_15, facts, &sentences, &json, &error));
    SAYS(sentences, "received");
    SAYS(json, "\"tzdb\"");
    slaclock_facts_free(facts);

    /* A policy that is wrong says where. */
    slaclock_policy *wrong = NULL;
    slaclock_error error = SLACLOCK_ERROR_INIT;
    CHECK(slaclock_policy_from_text("[policy]\nname = 7\n", NTS, &wrong, &error) ==
          SLACLOCK_STATUS_INVALID_POLICY);
    CHECK(error.line == 2 && error.column > 0 && wrong == NULL);
    slaclock_policy_free(policy);
}

static void rules(slaclock_policy *policy) {
    slaclock_rule *rule = NULL;
    OK(slaclock_policy_rule(policy, "resolution", NTS, NULL, &rule, &error));
    int64_t due_at = 0, limit_at = 0;
    OK(slaclock_rule_due(rule, FRIDAY_15, &due_at, &error));
    CHECK(due_at == MONDAY_11);
    OK(slaclock_rule_limit(rule, FRIDAY_15, &limit_at, &error));
    CHECK(limit_at == WEDNESDAY_18);
    int64_t received[2] = {FRIDAY_15, FRIDAY_15 - 5 * HOUR}, due[2];
    OK(slaclock_rule_due_many(rule, received, 2, due, &error));
    CHECK(due[0] == MONDAY_11 && due[1] == FRIDAY_15 + 3 * HOUR);
    int64_t working_s = 0, elapsed_s = 0;
    OK(slaclock_rule_paused(rule, FRIDAY_15, FRIDAY_15 + HOUR, FRIDAY_15 + 2 * HOUR, &working_s, &elapsed_s,
                            &error));
    CHECK(working_s == HOUR && elapsed_s == HOUR);
    OK(slaclock_rule_due_paused(rule, FRIDAY_15, working_s, elapsed_s, SLACLOCK_NONE, &due_at, &error));
    CHECK(due_at == MONDAY_11 + HOUR);
    slaclock_calendar *calendar = NULL;
    OK(slaclock_rule_calendar(rule, &calendar, &error));
    slaclock_rule_free(rule);
    /* It lives on without its rule and policy. */
    int32_t open = 0;
    OK(slaclock_calendar_is_open(calendar, FRIDAY_15, &open, &error));
    CHECK(open == 1);
    slaclock_calendar_free(calendar);
}

static void calendars(slaclock_policy *policy) {
    slaclock_calendar *calendar = NULL;
    OK(slaclock_policy_calendar(policy, "office", NTS, &calendar, &error));
    slaclock_text *zone = NULL;
    OK(slaclock_calendar_zone(calendar, &zone, &error));
    SAYS(zone, "Europe/Moscow");
    int64_t value = 0, other = 0;
    OK(slaclock_calendar_next_open(calendar, FRIDAY_15 + DAY, &value, &error));
    CHECK(value == MONDAY_11 - 2 * HOUR);
    OK(slaclock_calendar_next_close(calendar, FRIDAY_15, &value, &error));
    CHECK(value == FRIDAY_15 + 3 * HOUR);
    OK(slaclock_calendar_working_time(calendar, FRIDAY_15, MONDAY_11, &value, &error));
    CHECK(value == 5 * HOUR);
    const int64_t from[2] = {FRIDAY_15, MONDAY_11}, to[2] = {MONDAY_11, FRIDAY_15};
    int64_t working_s[2] = {0, 0};
    OK(slaclock_calendar_working_time_many(calendar, from, to, 2, working_s, &error));
    CHECK(working_s[0] == 5 * HOUR && working_s[1] == -5 * HOUR);
    OK(slaclock_calendar_add_working_time(calendar, FRIDAY_15, 5 * HOUR, &value, &error));
    CHECK(value == MONDAY_11);
    OK(slaclock_calendar_sub_working_time(calendar, MONDAY_11, 5 * HOUR, &value, &error));
    CHECK(value == FRIDAY_15);
    int32_t working = 0;
    OK(slaclock_calendar_is_working_day(calendar, 20518, &working, &error)); /* 2026-03-06, a Friday */
    CHECK(working == 1);
    OK(slaclock_calendar_add_working_days(calendar, 20518, 1, &value, &error));
    CHECK(value == 20521);
    OK(slaclock_calendar_working_days(calendar, 20518, 20521, &value, &error));
    CHECK(value == 1);
    OK(slaclock_calendar_local(calendar, FRIDAY_15, &value, &other, &error));
    CHECK(value == 20518 && other == 15 * HOUR);
    OK(slaclock_calendar_instant(calendar, 20518, 15 * HOUR, SLACLOCK_EDGE_FIRST, &value, &error));
    CHECK(value == FRIDAY_15);
    OK(slaclock_calendar_hours(calendar, 20518, &value, &other, &error));
    CHECK(value == FRIDAY_15 - 6 * HOUR && other == FRIDAY_15 + 3 * HOUR);
    OK(slaclock_calendar_hours(calendar, 20519, &value, &other, &error));
    CHECK(value == SLACLOCK_NONE && other == SLACLOCK_NONE);
    int64_t opens[2], closes[2];
    size_t filled = 9;
    OK(slaclock_calendar_intervals(calendar, FRIDAY_15, MONDAY_11, opens, closes, 2, &filled, &error));
    CHECK(filled == 2 && opens[0] == FRIDAY_15 && closes[1] == MONDAY_11);
    slaclock_calendar_free(calendar);
}

static void submit(slaclock_db *db, const char *id, int64_t received_at, const char *priority) {
    slaclock_request request = SLACLOCK_REQUEST_INIT;
    request.id = id;
    request.received_at = received_at;
    request.priority = priority;
    OK(slaclock_submit(db, &request, NULL, &error));
}

static void requests(slaclock_db *db) {
    slaclock_facts *attributes = NULL;
    OK(slaclock_facts_from_json("{\"branch\": \"north\"}", NTS, &attributes, &error));
    slaclock_request request;
    OK(slaclock_request_init(&request, sizeof request, &error));
    request.id = "CASE-1041";
    request.received_at = FRIDAY_15;
    request.customer = "acme corporation";
    request.customer_len = 4;
    request.priority = "high";
    request.category = "printer";
    request.channel = "phone";
    request.subject = "does not print";
    request.attributes = attributes;
    slaclock_outcome outcome = SLACLOCK_OUTCOME_REFUSED;
    OK(slaclock_submit(db, &request, &outcome, &error));
    CHECK(outcome == SLACLOCK_OUTCOME_RECORDED);
    OK(slaclock_submit(db, &request, &outcome, &error));
    CHECK(outcome == SLACLOCK_OUTCOME_ALREADY_RECORDED);
    request.priority = "low";
    GIVES(SLACLOCK_STATUS_CONFLICT, slaclock_submit(db, &request, &outcome, &error));
    slaclock_facts_free(attributes);

    slaclock_text *json = NULL;
    OK(slaclock_submit_json(db, "{\"id\": \"CASE-1042\", \"received_at\": 1772798400, \"customer\": \"acme\"}", NTS,
                            &json, &error));
    SAYS(json, "\"outcome\":\"recorded\"");
    OK(slaclock_get_json(db, "CASE-1041", NTS, SLACLOCK_NONE, &json, &error));
    SAYS(json, "\"customer\":\"acme\"");
    OK(slaclock_get_json(db, "CASE-1041", NTS, FRIDAY_15, &json, &error));
    SAYS(json, "\"branch\":\"north\"");

    slaclock_clock_status clocks[2];
    size_t count = 0;
    OK(slaclock_clocks(db, "CASE-1041", NTS, FRIDAY_15, clocks, 2, &count, &error));
    CHECK(count == 2 && strcmp(clocks[0].clock, "resolution") == 0);
    CHECK(clocks[0].due_at == MONDAY_11 && clocks[0].limit_at == WEDNESDAY_18);
    CHECK(clocks[0].stage == SLACLOCK_STAGE_ON_TRACK && clocks[0].remaining_s == SLACLOCK_NONE);
    CHECK(clocks[1].due_at == FRIDAY_15 + HOUR && clocks[1].no_deadline[0] == 0);
    OK(slaclock_clocks(db, "CASE-1042", NTS, FRIDAY_15, clocks, 1, &count, &error));
    CHECK(count == 2);
    OK(slaclock_clocks(db, "CASE-1042", NTS, FRIDAY_15, clocks, 2, &count, &error));
    CHECK(clocks[1].stage == SLACLOCK_STAGE_IDLE && clocks[1].no_deadline[0] != 0);
}

static void events(slaclock_db *db) {
    slaclock_event event;
    OK(slaclock_event_init(&event, sizeof event, &error));
    event.kind = SLACLOCK_EVENT_KIND_PAUSED;
    event.at = FRIDAY_15 + HOUR;
    event.reason = "waiting_customer";
    event.by = "ann";
    event.key = "p1";
    event.text = "asked for the serial number";
    slaclock_outcome outcome = SLACLOCK_OUTCOME_REFUSED;
    OK(slaclock_record(db, "CASE-1041", NTS, &event, &outcome, &error));
    CHECK(outcome == SLACLOCK_OUTCOME_RECORDED);
    OK(slaclock_record(db, "CASE-1041", NTS, &event, &outcome, &error));
    CHECK(outcome == SLACLOCK_OUTCOME_ALREADY_RECORDED);
    slaclock_clock_status clocks[2];
    size_t count = 0;
    OK(slaclock_clocks(db, "CASE-1041", NTS, SLACLOCK_NONE, clocks, 2, &count, &error));
    CHECK(clocks[0].stage == SLACLOCK_STAGE_PAUSED && clocks[0].remaining_s == 4 * HOUR);
    CHECK(clocks[0].due_at == SLACLOCK_NONE);

    slaclock_text *json = NULL;
    OK(slaclock_record_json(db, "CASE-1041", NTS, "{\"event\": \"resumed\", \"at\": 1772805600, \"key\": \"r1\"}", NTS,
                            &json, &error));
    SAYS(json, "\"due_at\":1773046800");
    /* Every kind, with what it carries. */
    slaclock_facts *facts = NULL;
    OK(slaclock_facts_from_json("{\"priority\": \"low\"}", NTS, &facts, &error));
    for (int32_t kind = SLACLOCK_EVENT_KIND_ACKNOWLEDGED; kind <= SLACLOCK_EVENT_KIND_NOTE; kind++) {
        slaclock_event each = SLACLOCK_EVENT_INIT;
        each.kind = kind;
        each.at = FRIDAY_15 + 2 * HOUR + kind;
        if (kind == SLACLOCK_EVENT_KIND_ASSIGNED) each.to = "ann";
        if (kind == SLACLOCK_EVENT_KIND_PAUSED) each.reason = "waiting_customer";
        if (kind == SLACLOCK_EVENT_KIND_VENDOR_CONTACTED || kind == SLACLOCK_EVENT_KIND_VENDOR_REPLIED)
            each.vendor = "maker";
        if (kind == SLACLOCK_EVENT_KIND_PROMISED) each.due_at = MONDAY_11;
        if (kind == SLACLOCK_EVENT_KIND_CHANGED) each.facts = facts;
        OK(slaclock_record(db, "CASE-1042", NTS, &each, NULL, &error));
        each.vendor = "maker";
        each.reason = "too";
        each.to = "much";
        GIVES(SLACLOCK_STATUS_INVALID_EVENT, slaclock_record(db, "CASE-1042", NTS, &each, NULL, &error));
    }
    slaclock_facts_free(facts);
    slaclock_event received = SLACLOCK_EVENT_INIT;
    received.kind = SLACLOCK_EVENT_KIND_RECEIVED;
    received.at = FRIDAY_15;
    GIVES(SLACLOCK_STATUS_INVALID_EVENT, slaclock_record(db, "CASE-1042", NTS, &received, NULL, &error));
    OK(slaclock_get_json(db, "CASE-1042", NTS, SLACLOCK_NONE, &json, &error));
    SAYS(json, "\"state\":{\"cancelled\":");
}

static void batches(slaclock_db *db) {
    slaclock_batch *batch = NULL;
    OK(slaclock_batch_new(&batch, &error));
    slaclock_request request = SLACLOCK_REQUEST_INIT;
    char id[32];
    for (int i = 0; i < 100; i++) {
        snprintf(id, sizeof id, "BATCH-%03d", i);
        request.id = id;
        request.received_at = FRIDAY_15 - DAY + i * 60;
        OK(slaclock_batch_submit(batch, &request, &error));
    }
    slaclock_event event = SLACLOCK_EVENT_INIT;
    event.kind = SLACLOCK_EVENT_KIND_RESOLVED;
    event.at = FRIDAY_15;
    OK(slaclock_batch_record(batch, "BATCH-000", NTS, &event, &error));
    OK(slaclock_batch_record(batch, "NOBODY", NTS, &event, &error));
    CHECK(slaclock_batch_len(batch) == 102);
    int32_t outcomes[102], statuses[102];
    slaclock_text *refused = NULL;
    GIVES(SLACLOCK_STATUS_NOT_FOUND, slaclock_apply(db, batch, SLACLOCK_ON_ERROR_ABORT, outcomes, statuses, 102,
                                                    &refused, &error));
    CHECK(strstr(slaclock_last_error(), "row 101 of 102") != NULL);
    GIVES(SLACLOCK_STATUS_NOT_FOUND,
          slaclock_get_json(db, "BATCH-000", NTS, SLACLOCK_NONE, &refused, &error));
    OK(slaclock_apply(db, batch, SLACLOCK_ON_ERROR_SKIP, outcomes, statuses, 102, &refused, &error));
    SAYS(refused, "{\"row\":101,\"status\":1,\"name\":\"NotFound\"");
    CHECK(outcomes[0] == SLACLOCK_OUTCOME_RECORDED && outcomes[101] == SLACLOCK_OUTCOME_REFUSED);
    CHECK(statuses[100] == SLACLOCK_STATUS_OK && statuses[101] == SLACLOCK_STATUS_NOT_FOUND);
    OK(slaclock_batch_clear(batch, &error));
    CHECK(slaclock_batch_len(batch) == 0);
    OK(slaclock_apply(db, batch, SLACLOCK_ON_ERROR_ABORT, NULL, NULL, 0, NULL, &error));
    slaclock_batch_free(batch);
    slaclock_text *json = NULL;
    OK(slaclock_apply_json(db,
                           "[{\"submit\": {\"id\": \"J-1\", \"received_at\": 1772798400}},"
                           "{\"request\": \"J-1\", \"record\": {\"event\": \"note\", \"at\": 1772798401}},"
                           "{\"request\": \"J-2\", \"record\": {\"event\": \"note\", \"at\": 1772798401}}]",
                           NTS, SLACLOCK_ON_ERROR_SKIP, &json, &error));
    SAYS(json, "[{\"outcome\":\"recorded\"},{\"outcome\":\"recorded\"},{\"status\":1,");
}

static void scans(slaclock_db *db) {
    const int64_t now = MONDAY_11 + 2 * HOUR;
    slaclock_row rows[64];
    size_t filled = 0, seen = 0;
    int64_t after = SLACLOCK_PAGE_FIRST;
    char last[SLACLOCK_NAME_SIZE] = "";
    while (after != SLACLOCK_PAGE_END) {
        slaclock_error error = SLACLOCK_ERROR_INIT;
        if (slaclock_late(db, now, after, rows, 64, &filled, &after, &error) != SLACLOCK_STATUS_OK) {
            printf("%s\n", error.message);
            exit(4);
        }
        for (size_t i = 0; i < filled; i++) {
            CHECK(rows[i].stage == SLACLOCK_STAGE_LATE && rows[i].due_at < now);
            CHECK(strcmp(rows[i].clock, "resolution") == 0 && strcmp(rows[i].request, last) != 0);
            strcpy(last, rows[i].request);
        }
        seen += filled;
    }
    slaclock_stage_counts counts;
    OK(slaclock_counts(db, now, &counts, &error));
    CHECK(counts.late == (int64_t)seen && seen == 101);
    OK(slaclock_late(db, now, SLACLOCK_PAGE_END, rows, 64, &filled, &after, &error));
    CHECK(filled == 0 && after == SLACLOCK_PAGE_END);

    OK(slaclock_breached(db, WEDNESDAY_18 + 1, SLACLOCK_PAGE_FIRST, rows, 64, &filled, NULL, &error));
    CHECK(filled == 64 && rows[0].stage == SLACLOCK_STAGE_BREACHED);
    OK(slaclock_at_risk(db, FRIDAY_15 + 3 * HOUR, SLACLOCK_PAGE_FIRST, rows, 64, &filled, NULL, &error));
    for (size_t i = 0; i < filled; i++) CHECK(rows[i].stage == SLACLOCK_STAGE_AT_RISK);
    OK(slaclock_due_before(db, FRIDAY_15, SLACLOCK_PAGE_FIRST, rows, 64, &filled, NULL, &error));
    CHECK(filled == 64);
    OK(slaclock_newly_late(db, FRIDAY_15 - HOUR, now, SLACLOCK_PAGE_FIRST, rows, 64, &filled, NULL, &error));
    CHECK(filled > 0);
    slaclock_query query;
    OK(slaclock_query_init(&query, sizeof query, &error));
    query.now = now;
    query.stages = 1 << SLACLOCK_STAGE_LATE;
    query.clock = "resolution";
    query.since = 0;
    query.until = now;
    OK(slaclock_scan(db, &query, SLACLOCK_PAGE_FIRST, rows, 10, &filled, &after, &error));
    CHECK(filled == 10 && after >= 0);
    slaclock_text *json = NULL;
    OK(slaclock_scan_json(db, &query, after, 1, &json, &error));
    SAYS(json, "\"next\":");
    int32_t found = 0;
    OK(slaclock_next_due(db, FRIDAY_15 - DAY, rows, &found, &error));
    CHECK(found == 1 && rows[0].due_at >= FRIDAY_15 - DAY);
    OK(slaclock_next_due(db, MONDAY_11 + 365 * DAY, NULL, &found, &error));
    CHECK(found == 0);

    struct ArrowArrayStream stream;
    OK(slaclock_scan_arrow(db, &query, &stream, &error));
    struct ArrowArray array;
    struct ArrowSchema schema;
    CHECK(stream.get_schema(&stream, &schema) == 0 && schema.n_children == 7);
    CHECK(strcmp(schema.children[0]->name, "request") == 0);
    schema.release(&schema);
    int64_t arrow_rows = 0;
    while (stream.get_next(&stream, &array) == 0 && array.release != NULL) {
        arrow_rows += array.length;
        array.release(&array);
    }
    stream.release(&stream);
    CHECK(arrow_rows == 101);
}

static void feeds(slaclock_db *db) {
    int64_t count = 0, number = -1;
    OK(slaclock_advance(db, WEDNESDAY_18, &count, &error));
    CHECK(count > 0);
    slaclock_notice notices[32];
    size_t filled = 0;
    OK(slaclock_acknowledged(db, "mailer", NTS, &number, &error));
    CHECK(number == 0);
    OK(slaclock_pending(db, "mailer", NTS, notices, 32, &filled, &error));
    CHECK(filled == 32 && notices[0].number == 1 && notices[31].number == 32);
    CHECK(notices[0].request[0] != 0 && notices[0].clock[0] != 0 && notices[0].cycle >= 1);
    OK(slaclock_acknowledge(db, "mailer", NTS, 32, &error));
    OK(slaclock_acknowledged(db, "mailer", NTS, &number, &error));
    CHECK(number == 32);
    slaclock_text *json = NULL;
    OK(slaclock_pending_json(db, "mailer", NTS, 1, &json, &error));
    SAYS(json, "[{\"number\":33,");
    struct ArrowArrayStream stream;
    OK(slaclock_pending_arrow(db, "mailer", NTS, 10, &stream, &error));
    stream.release(&stream);
    GIVES(SLACLOCK_STATUS_OUT_OF_RANGE, slaclock_acknowledge(db, "mailer", NTS, count + 1000, &error));
}

static void reports(slaclock_db *db) {
    slaclock_attainment_query query;
    OK(slaclock_attainment_query_init(&query, sizeof query, &error));
    query.now = WEDNESDAY_18 + 30 * DAY;
    query.period = "2026-03";
    query.per = SLACLOCK_PER_MONTH;
    slaclock_attainment_row rows[4];
    size_t count = 0;
    OK(slaclock_attainment(db, &query, rows, 4, &count, &error));
    CHECK(count == 1 && strcmp(rows[0].clock, "resolution") == 0);
    CHECK(rows[0].first_day == 20513 && rows[0].last_day == 20543 && rows[0].goal_bp == 9500);
    CHECK(rows[0].verdict == SLACLOCK_GOAL_VERDICT_BROKEN && rows[0].period_over == 1);
    query.by = "[\"priority\"]";
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_attainment(db, &query, rows, 4, &count, &error));
    slaclock_text *json = NULL;
    OK(slaclock_attainment_json(db, &query, &json, &error));
    SAYS(json, "\"by\":{\"priority\":\"high\"}");
    struct ArrowArrayStream stream;
    OK(slaclock_attainment_arrow(db, &query, &stream, &error));
    stream.release(&stream);
    OK(slaclock_waiting_json(db, NULL, 0, WEDNESDAY_18, &json, &error));
    SAYS(json, "waiting_customer");
    OK(slaclock_waiting_arrow(db, "2026-Q1", NTS, WEDNESDAY_18, &stream, &error));
    stream.release(&stream);
    slaclock_text *text = NULL;
    OK(slaclock_explain(db, "CASE-1041", NTS, "resolution", NTS, WEDNESDAY_18, &text, &json, &error));
    SAYS(text, "waiting_customer");
    SAYS(json, "\"cycles\"");
}

static int32_t stop_at_once(void *user, const slaclock_progress *progress) {
    *(int64_t *)user = progress->rows;
    return 1;
}

static void imports(slaclock_db *db) {
    write_file(at("log.csv"), "id,opened,closed\nR1,2026-03-02 10:00:00,2026-03-02 12:00:00\nR2,soon,\n");
    write_file(at("mapping.toml"),
               "[mapping]\nname = \"rows\"\nlayout = \"cases\"\n[time]\nformat = \"%Y-%m-%d %H:%M:%S\"\n"
               "zone = \"Europe/Moscow\"\nmissing = [\"\"]\n[request]\nid = \"id\"\nreceived = \"opened\"\n"
               "[[event]]\ncolumn = \"closed\"\nis = \"resolved\"\n");
    slaclock_text *json = NULL;
    slaclock_import_options options;
    OK(slaclock_import_options_init(&options, sizeof options, &error));
    options.on_bad_row = SLACLOCK_ON_BAD_ROW_ABORT;
    GIVES(SLACLOCK_STATUS_INVALID_ROW,
          slaclock_import(db, at("log.csv"), NTS, at("mapping.toml"), NTS, &options, &json, &error));
    int64_t rows = 0;
    options.on_bad_row = SLACLOCK_ON_BAD_ROW_SKIP;
    options.progress = stop_at_once;
    options.user = &rows;
    GIVES(SLACLOCK_STATUS_CANCELLED,
          slaclock_import(db, at("log.csv"), NTS, at("mapping.toml"), NTS, &options, &json, &error));
    CHECK(rows == 2);
    OK(slaclock_import(db, at("log.csv"), NTS, at("mapping.toml"), NTS, NULL, &json, &error));
    SAYS(json, "\"rows_skipped\":1");
    write_file(at("bad.toml"), "[mapping]\nname = 3\n");
    GIVES(SLACLOCK_STATUS_INVALID_MAPPING,
          slaclock_import(db, at("log.csv"), NTS, at("bad.toml"), NTS, NULL, &json, &error));
}

/* One batch of two requests, as another Arrow library would hand it over: int64 seconds and UTF-8. */
static const char ARROW_IDS[] = "A-1A-2";
static const int32_t ARROW_OFFSETS[3] = {0, 3, 6};
static const int64_t ARROW_AT[2] = {FRIDAY_15, FRIDAY_15 + 60};
static int arrow_given;

static void release_schema(struct ArrowSchema *schema) {
    for (int64_t i = 0; i < schema->n_children; i++) schema->children[i]->release(schema->children[i]);
    schema->release = NULL;
}
static void release_array(struct ArrowArray *array) {
    for (int64_t i = 0; i < array->n_children; i++) array->children[i]->release(array->children[i]);
    array->release = NULL;
}
static void release_stream(struct ArrowArrayStream *stream) { stream->release = NULL; }

static struct ArrowSchema schema_of(const char *format, const char *name) {
    struct ArrowSchema schema = {format, name, NULL, 0, 0, NULL, NULL, release_schema, NULL};
    return schema;
}
static int give_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out) {
    static struct ArrowSchema columns[2];
    static struct ArrowSchema *children[2] = {&columns[0], &columns[1]};
    (void)stream;
    columns[0] = schema_of("u", "id");
    columns[1] = schema_of("l", "received_at");
    *out = schema_of("+s", "");
    out->n_children = 2;
    out->children = children;
    return 0;
}
static int give_array(struct ArrowArrayStream *stream, struct ArrowArray *out) {
    static const void *id_buffers[3] = {NULL, ARROW_OFFSETS, ARROW_IDS}, *at_buffers[2] = {NULL, ARROW_AT},
                      *no_buffers[1] = {NULL};
    static struct ArrowArray columns[2];
    static struct ArrowArray *children[2] = {&columns[0], &columns[1]};
    (void)stream;
    memset(out, 0, sizeof *out);
    if (arrow_given++ > 0) return 0;
    memset(columns, 0, sizeof columns);
    columns[0].length = columns[1].length = out->length = 2;
    columns[0].n_buffers = 3;
    columns[0].buffers = id_buffers;
    columns[1].n_buffers = 2;
    columns[1].buffers = at_buffers;
    columns[0].release = columns[1].release = out->release = release_array;
    out->n_buffers = 1;
    out->buffers = no_buffers;
    out->n_children = 2;
    out->children = children;
    return 0;
}
static const char *no_error(struct ArrowArrayStream *stream) {
    (void)stream;
    return NULL;
}

static void arrows(slaclock_db *db) {
    struct ArrowArrayStream stream = {give_schema, give_array, no_error, release_stream, NULL};
    slaclock_written written;
    slaclock_text *refused = NULL;
    OK(slaclock_submit_arrow(db, &stream, NULL, 0, SLACLOCK_ON_ERROR_SKIP, &written, &refused, &error));
    CHECK(written.recorded == 2 && written.refused == 0 && stream.release == NULL);
    SAYS(refused, "[]");
    /* Taken: a second time there is nothing to take. */
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT,
          slaclock_submit_arrow(db, &stream, NULL, 0, SLACLOCK_ON_ERROR_SKIP, &written, NULL, &error));
    struct ArrowArrayStream again = {give_schema, give_array, no_error, release_stream, NULL};
    arrow_given = 0;
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, /* No column says what happened. */
          slaclock_record_arrow(db, &again, NULL, 0, SLACLOCK_ON_ERROR_ABORT, &written, NULL, &error));
    CHECK(again.release == NULL);
    slaclock_text *json = NULL;
    OK(slaclock_get_json(db, "A-2", NTS, SLACLOCK_NONE, &json, &error));
    SAYS(json, "\"received_at\":1772798460");
}

static void care(slaclock_db *db) {
    slaclock_db_info info;
    OK(slaclock_info(db, &info, &error));
    CHECK(info.requests > 100 && info.format >= 1 && info.advanced_to == WEDNESDAY_18);
    slaclock_text *json = NULL;
    OK(slaclock_info_json(db, &json, &error));
    SAYS(json, "\"tzdb\"");
    slaclock_rebuilt rebuilt;
    OK(slaclock_verify(db, &rebuilt, &json, &error));
    CHECK(rebuilt.differing == 0 && rebuilt.requests == info.requests);
    SAYS(json, "\"differences\":[]");
    OK(slaclock_rebuild(db, &rebuilt, NULL, &error));
    CHECK(rebuilt.repaired == 0);
    OK(slaclock_check(db, &rebuilt, NULL, &error));
    CHECK(rebuilt.differing == 0);
    int32_t shrank = 7;
    OK(slaclock_compact(db, &shrank, &error));
    CHECK(shrank == 0 || shrank == 1);
    OK(slaclock_flush(db, &error));
    OK(slaclock_policies_json(db, &json, &error));
    SAYS(json, "\"version\":1");
    slaclock_policy *policy = NULL, *second = NULL;
    OK(slaclock_db_policy(db, &policy, &error));
    GIVES(SLACLOCK_STATUS_OK, slaclock_install(db, policy, FRIDAY_15, &error));
    char *text = strdup(CHECK_POLICY);
    *(strstr(text, "version = 1") + 10) = '2';
    OK(slaclock_policy_from_text(text, NTS, &second, &error));
    OK(slaclock_install(db, second, FRIDAY_15 + 10 * DAY, &error));
    GIVES(SLACLOCK_STATUS_CONFLICT, slaclock_install(db, policy, FRIDAY_15, &error));
    free(text);
    slaclock_policy_free(policy);
    slaclock_policy_free(second);
}

/* The statuses that need a file in a certain state, or another process. */
static void statuses(slaclock_policy *policy) {
    slaclock_db *db = NULL, *other = NULL;
    slaclock_options options = SLACLOCK_OPTIONS_INIT;
    options.share = 0;
    GIVES(SLACLOCK_STATUS_NOT_FOUND, slaclock_open(at("none.slaclock"), NTS, NULL, &db, &error));
    OK(slaclock_create(at("one.slaclock"), NTS, policy, NULL, &db, &error));
    GIVES(SLACLOCK_STATUS_ALREADY_EXISTS, slaclock_create(at("one.slaclock"), NTS, policy, NULL, &other, &error));
    submit(db, "CASE-1", FRIDAY_15, "high");
    OK(slaclock_cancel(db, 1, &error));
    OK(slaclock_cancel(db, 0, &error));

    /* FORKED_HANDLE: in the child, which must not end the parent's locks. */
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        slaclock_stage_counts counts;
        slaclock_status status = slaclock_counts(db, FRIDAY_15, &counts, NULL);
        slaclock_close(db, NULL);
        _exit((int)status);
    }
    int code = 0;
    CHECK(waitpid(child, &code, 0) == child && WEXITSTATUS(code) == SLACLOCK_STATUS_FORKED_HANDLE);
    submit(db, "CASE-2", FRIDAY_15, "high");
    OK(slaclock_close(db, &error));
    GIVES(SLACLOCK_STATUS_CLOSED, slaclock_close(db, &error));

    options.read_only = 1;
    OK(slaclock_open(at("one.slaclock"), NTS, &options, &db, &error));
    slaclock_request request = SLACLOCK_REQUEST_INIT;
    request.id = "CASE-3";
    request.received_at = FRIDAY_15;
    GIVES(SLACLOCK_STATUS_READ_ONLY, slaclock_submit(db, &request, NULL, &error));
    OK(slaclock_close(db, &error));

    /* BUSY, and CANCELLED in its place. */
    slaclock_options alone = SLACLOCK_OPTIONS_INIT;
    alone.mode = SLACLOCK_MODE_EXCLUSIVE;
    OK(slaclock_open(at("one.slaclock"), NTS, &alone, &db, &error));
    options.read_only = 0;
    options.busy_timeout_ms = 20;
    GIVES(SLACLOCK_STATUS_BUSY, slaclock_open(at("one.slaclock"), NTS, &options, &other, &error));
    OK(slaclock_close(db, &error));

    /* UNSUPPORTED: bulk durability beside others. */
    options.durability = SLACLOCK_DURABILITY_BULK;
    GIVES(SLACLOCK_STATUS_UNSUPPORTED, slaclock_open(at("one.slaclock"), NTS, &options, &other, &error));
    alone.durability = SLACLOCK_DURABILITY_BULK;
    OK(slaclock_open(at("one.slaclock"), NTS, &alone, &db, &error));
    submit(db, "CASE-3", FRIDAY_15, "low");
    OK(slaclock_flush(db, &error));
    OK(slaclock_close(db, &error));

    write_file(at("text.slaclock"), "this is a text, and not a database, however long it goes on and on and on");
    GIVES(SLACLOCK_STATUS_NOT_A_DATABASE, slaclock_open(at("text.slaclock"), NTS, NULL, &other, &error));
    /* NEWER_FORMAT: both commit slots of the file below name a format of the future. */
    int file = open(at("one.slaclock"), O_RDWR);
    static char whole[8 << 20];
    ssize_t size = pread(file, whole, sizeof whole, 0);
    close(file);
    CHECK(size > 4096 && size < (ssize_t)sizeof whole);
    char kept[2] = {whole[64], whole[192]};
    whole[64] = whole[192] = 99;
    file = open(at("newer.slaclock"), O_CREAT | O_WRONLY, 0600);
    CHECK(write(file, whole, (size_t)size) == size);
    close(file);
    GIVES(SLACLOCK_STATUS_NEWER_FORMAT, slaclock_open(at("newer.slaclock"), NTS, NULL, &other, &error));
    /* DAMAGED: everything after the header is overwritten. */
    whole[64] = kept[0];
    whole[192] = kept[1];
    memset(whole + 4096, 0x5a, (size_t)size - 4096);
    file = open(at("damaged.slaclock"), O_CREAT | O_WRONLY, 0600);
    CHECK(write(file, whole, (size_t)size) == size);
    close(file);
    slaclock_error error = SLACLOCK_ERROR_INIT;
    slaclock_status status = slaclock_open(at("damaged.slaclock"), NTS, NULL, &other, &error);
    CHECK(status == SLACLOCK_STATUS_DAMAGED && error.message[0] != 0);
    /* IO: a folder that may not be written to is refused by the system; root may write anywhere, so a path through a file. */
    GIVES(SLACLOCK_STATUS_IO, slaclock_create(at("text.slaclock/x"), NTS, policy, NULL, &other, &error));
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    folder = argv[1];
    versions();
    policies();
    slaclock_policy *policy = check_policy();
    rules(policy);
    calendars(policy);
    slaclock_db *db = NULL;
    OK(slaclock_in_memory(policy, &db, &error));
    requests(db);
    events(db);
    batches(db);
    scans(db);
    feeds(db);
    reports(db);
    OK(slaclock_close(db, &error));
    slaclock_options options;
    OK(slaclock_options_init(&options, sizeof options, &error));
    CHECK(options.busy_timeout_ms == 5000 && options.share == 1 && options.size == sizeof options);
    OK(slaclock_create(at("life.slaclock"), NTS, policy, &options, &db, &error));
    requests(db);
    events(db);
    batches(db);
    scans(db);
    feeds(db);
    reports(db);
    imports(db);
    arrows(db);
    care(db);
    OK(slaclock_close(db, &error));
    slaclock_db *again = NULL;
    OK(slaclock_open(at("life.slaclock"), NTS, &options, &db, &error));
    OK(slaclock_open(at("life.slaclock"), NTS, &options, &again, &error));
    CHECK(db != again);
    OK(slaclock_close(db, &error));
    OK(slaclock_flush(again, &error));
    GIVES(SLACLOCK_STATUS_UNSUPPORTED, slaclock_cancel(again, 1, &error));
    OK(slaclock_shutdown(&error));
    slaclock_db_info info;
    GIVES(SLACLOCK_STATUS_CLOSED, slaclock_info(again, &info, &error));
    OK(slaclock_close(again, &error));
    statuses(policy);
    slaclock_policy_free(policy);
    OK(slaclock_set_log(NULL, NULL, &error));
    return check_end();
}
