/*
 * Wrong arguments of every sort that a table of calls cannot show (tests/c.rs makes those for NULL and for bad handles).
 *
 * What could go wrong: a crash, a status without a sentence, an output that is touched although the call failed.
 */
#include "check.h"

#include <limits.h>

#define CLOCK                                                                                      \
    "[[clock]]\nname = \"c\"\nstart = \"received\"\nstop = \"resolved\"\n"                             \
    "target = { working = \"1h\" }\n"

static int logged;

static void count_log(void *user, int32_t level, const char *message, size_t message_len) {
    (void)user;
    if (level == SLACLOCK_LOG_LEVEL_WARNING && strlen(message) == message_len) logged++;
}

static void texts(slaclock_policy *policy) {
    int64_t due_at = 77;
    const char *latin = "caf\xe9";
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_policy_due(policy, latin, NTS, FRIDAY_15, NULL, &due_at, &error));
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_policy_due(policy, NULL, 3, FRIDAY_15, NULL, &due_at, &error));
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_policy_due(policy, NULL, NTS, FRIDAY_15, NULL, &due_at, &error));
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT,
          slaclock_policy_due(policy, "resolution", (size_t)-2, FRIDAY_15, NULL, &due_at, &error));
    GIVES(SLACLOCK_STATUS_NOT_FOUND, slaclock_policy_due(policy, NULL, 0, FRIDAY_15, NULL, &due_at, &error));
    GIVES(SLACLOCK_STATUS_NOT_FOUND, slaclock_policy_due(policy, "resolution", 4, FRIDAY_15, NULL, &due_at, &error));
    GIVES(SLACLOCK_STATUS_NOT_FOUND, slaclock_policy_due(policy, "resolution\0x", 12, FRIDAY_15, NULL, &due_at, &error));
    GIVES(SLACLOCK_STATUS_OUT_OF_RANGE, slaclock_policy_due(policy, "resolution", NTS, -1, NULL, &due_at, &error));
    GIVES(SLACLOCK_STATUS_OUT_OF_RANGE,
          slaclock_policy_due(policy, "resolution", NTS, SLACLOCK_NONE, NULL, &due_at, &error));
    GIVES(SLACLOCK_STATUS_OUT_OF_RANGE, slaclock_policy_due(policy, "resolution", NTS, INT64_MAX, NULL, &due_at, &error));
    CHECK(due_at == 77);
    slaclock_policy *other = (slaclock_policy *)&due_at;
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_policy_load("", 0, &other, &error));
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_policy_load("a\0b", 3, &other, &error));
    GIVES(SLACLOCK_STATUS_INVALID_POLICY, slaclock_policy_from_text("\xef\xbb\xbf{", NTS, &other, &error));
    GIVES(SLACLOCK_STATUS_UNKNOWN_ZONE,
          slaclock_policy_from_text("[policy]\nname = \"x\"\nversion = 1\n[calendar.a]\nzone = \"Mars/Olympus\"\n"
                                    "hours = \"24x7\"\n" CLOCK,
                                    NTS, &other, &error));
    GIVES(SLACLOCK_STATUS_INVALID_CALENDAR,
          slaclock_policy_from_text("[policy]\nname = \"x\"\nversion = 1\n[calendar.a]\nzone = \"UTC\"\n"
                                    "hours = \"24x7\"\nholiday_files = \"h.ics\"\n" CLOCK
                                    "[[attached]]\nname = \"h.ics\"\ntext = \"no calendar at all\"\n",
                                    NTS, &other, &error));
    CHECK(other == (slaclock_policy *)&due_at);
    slaclock_facts *facts = NULL;
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_facts_from_json("[1]", NTS, &facts, &error));
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_facts_from_json("{\"a\": 1}", NTS, &facts, &error));
    OK(slaclock_facts_new(&facts, &error));
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_facts_set(facts, "", 0, "x", 1, &error));
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_facts_set(facts, "x", 1, NULL, 1, &error));
    slaclock_facts_free(facts);
    /* NULL for the error is a fine answer to "do you want to know?". */
    CHECK(slaclock_policy_due(policy, NULL, 3, FRIDAY_15, NULL, &due_at, NULL) == SLACLOCK_STATUS_INVALID_ARGUMENT);
    CHECK(strstr(slaclock_last_error(), "clock") != NULL);
}

static void columns(slaclock_policy *policy) {
    slaclock_rule *rule = NULL;
    OK(slaclock_policy_rule(policy, "resolution", NTS, NULL, &rule, &error));
    int64_t received[4] = {FRIDAY_15, FRIDAY_15, -1, FRIDAY_15}, due[4] = {7, 7, 7, 7};
    GIVES(SLACLOCK_STATUS_OUT_OF_RANGE, slaclock_rule_due_many(rule, received, 4, due, &error));
    CHECK(strstr(slaclock_last_error(), "2") != NULL);
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_rule_due_many(rule, received, 4, received, &error));
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_rule_due_many(rule, received, 3, received + 2, &error));
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_rule_due_many(rule, NULL, 4, due, &error));
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_rule_due_many(rule, received, 4, NULL, &error));
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_rule_due_many(rule, received, SIZE_MAX / 4, due, &error));
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT,
          slaclock_rule_due_many(rule, (const int64_t *)((const char *)received + 1), 1, due, &error));
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT,
          slaclock_rule_due(rule, FRIDAY_15, (int64_t *)((char *)due + 1), &error));
    GIVES(SLACLOCK_STATUS_OUT_OF_RANGE, slaclock_rule_due(rule, INT64_C(4102444800), due, &error));
    GIVES(SLACLOCK_STATUS_NO_DEADLINE, slaclock_rule_due(rule, INT64_C(4102444799), due, &error));
    slaclock_error error = SLACLOCK_ERROR_INIT;
    slaclock_rule_due(rule, INT64_C(4102444799), due, &error);
    CHECK(error.reason == SLACLOCK_NO_DEADLINE_BEYOND_RANGE);
    for (int i = 0; i < 4; i++) CHECK(due[i] == 7);
    slaclock_calendar *calendar = NULL;
    OK(slaclock_rule_calendar(rule, &calendar, &error));
    const int64_t extremes[6] = {INT64_MIN, INT64_MIN + 1, -1, INT64_C(4102444800), INT64_MAX - 1, INT64_MAX};
    int64_t value = 7, other = 7;
    int32_t flag = 7;
    for (int i = 0; i < 6; i++) {
        const int64_t x = extremes[i];
        GIVES(SLACLOCK_STATUS_OUT_OF_RANGE, slaclock_calendar_is_open(calendar, x, &flag, &error));
        GIVES(SLACLOCK_STATUS_OUT_OF_RANGE, slaclock_calendar_next_open(calendar, x, &value, &error));
        GIVES(SLACLOCK_STATUS_OUT_OF_RANGE, slaclock_calendar_next_close(calendar, x, &value, &error));
        GIVES(SLACLOCK_STATUS_OUT_OF_RANGE, slaclock_calendar_working_time(calendar, 0, x, &value, &error));
        GIVES(SLACLOCK_STATUS_OUT_OF_RANGE, slaclock_calendar_working_time_many(calendar, &x, &x, 1, &value, &error));
        GIVES(SLACLOCK_STATUS_OUT_OF_RANGE, slaclock_calendar_add_working_time(calendar, x, 1, &value, &error));
        GIVES(SLACLOCK_STATUS_OUT_OF_RANGE, slaclock_calendar_sub_working_time(calendar, x, 1, &value, &error));
        GIVES(SLACLOCK_STATUS_OUT_OF_RANGE, slaclock_calendar_local(calendar, x, &value, &other, &error));
        GIVES(SLACLOCK_STATUS_OUT_OF_RANGE, slaclock_rule_due(rule, x, &value, &error));
        GIVES(SLACLOCK_STATUS_OUT_OF_RANGE, slaclock_rule_paused(rule, FRIDAY_15, x, x, &value, &other, &error));
        if (x != -1) {
            GIVES(SLACLOCK_STATUS_OUT_OF_RANGE, slaclock_calendar_is_working_day(calendar, x, &flag, &error));
            GIVES(SLACLOCK_STATUS_OUT_OF_RANGE, slaclock_calendar_working_days(calendar, 0, x, &value, &error));
            GIVES(SLACLOCK_STATUS_OUT_OF_RANGE, slaclock_calendar_hours(calendar, x, &value, &other, &error));
            GIVES(SLACLOCK_STATUS_OUT_OF_RANGE, slaclock_calendar_instant(calendar, x, 0, 0, &value, &error));
            GIVES(SLACLOCK_STATUS_NO_DEADLINE, slaclock_calendar_add_working_days(calendar, 20518, x, &value, &error));
        }
        GIVES(SLACLOCK_STATUS_OUT_OF_RANGE, slaclock_calendar_instant(calendar, 20518, x, 0, &value, &error));
        const slaclock_status added =
            x < 0 ? SLACLOCK_STATUS_OUT_OF_RANGE : SLACLOCK_STATUS_NO_DEADLINE;
        GIVES(added, slaclock_calendar_add_working_time(calendar, FRIDAY_15, x, &value, &error));
        GIVES(SLACLOCK_STATUS_OUT_OF_RANGE, slaclock_calendar_sub_working_time(calendar, FRIDAY_15, x, &value, &error));
    }
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_calendar_instant(calendar, 20518, 0, 2, &value, &error));
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_calendar_instant(calendar, 20518, 0, INT_MIN, &value, &error));
    size_t filled = 7;
    GIVES(SLACLOCK_STATUS_OUT_OF_RANGE,
          slaclock_calendar_intervals(calendar, FRIDAY_15, MONDAY_11, &value, &other, 0, &filled, &error));
    CHECK(value == 7 && other == 7 && flag == 7 && filled == 7);
    slaclock_calendar_free(calendar);
    slaclock_rule_free(rule);
}

static void structs(slaclock_policy *policy) {
    slaclock_db *db = NULL;
    OK(slaclock_in_memory(policy, &db, &error));
    slaclock_request request = SLACLOCK_REQUEST_INIT;
    slaclock_outcome outcome = SLACLOCK_OUTCOME_REFUSED;
    request.id = "CASE-1";
    GIVES(SLACLOCK_STATUS_OUT_OF_RANGE, slaclock_submit(db, &request, &outcome, &error)); /* no receipt */
    request.received_at = FRIDAY_15;
    const uint32_t sizes[4] = {0, 1, sizeof request - 1, UINT32_MAX};
    for (int i = 0; i < 4; i++) {
        request.size = sizes[i];
        GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_submit(db, &request, &outcome, &error));
    }
    struct {
        slaclock_request known;
        int64_t more;
    } newer = {SLACLOCK_REQUEST_INIT, 1};
    newer.known.id = "CASE-2";
    newer.known.received_at = FRIDAY_15;
    newer.known.size = sizeof newer;
    GIVES(SLACLOCK_STATUS_UNSUPPORTED, slaclock_submit(db, &newer.known, &outcome, &error));
    newer.more = 0;
    OK(slaclock_submit(db, &newer.known, &outcome, &error));
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_request_init(&request, 3, &error));
    request.size = sizeof request;
    request.id = NULL;
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_submit(db, &request, NULL, &error));
    request.id = "";
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_submit(db, &request, NULL, &error));
    char id[300];
    memset(id, 'x', sizeof id);
    request.id = id;
    request.id_len = 256;
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_submit(db, &request, NULL, &error));
    request.id_len = 255;
    OK(slaclock_submit(db, &request, NULL, &error));
    slaclock_row row;
    size_t filled = 0;
    OK(slaclock_due_before(db, MONDAY_11 + DAY, SLACLOCK_PAGE_FIRST, &row, 1, &filled, NULL, &error));
    request.attributes = (slaclock_facts *)policy;
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_submit(db, &request, NULL, &error));

    slaclock_event event = SLACLOCK_EVENT_INIT;
    event.at = FRIDAY_15;
    const int32_t kinds[5] = {-1, 23, 255, INT_MAX, INT_MIN};
    for (int i = 0; i < 5; i++) {
        event.kind = kinds[i];
        GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_record(db, "CASE-2", NTS, &event, NULL, &error));
    }
    event.kind = SLACLOCK_EVENT_KIND_NOTE;
    GIVES(SLACLOCK_STATUS_NOT_FOUND, slaclock_record(db, "NOBODY", NTS, &event, NULL, &error));
    event.at = FRIDAY_15 - 1;
    GIVES(SLACLOCK_STATUS_INVALID_EVENT, slaclock_record(db, "CASE-2", NTS, &event, NULL, &error));
    slaclock_text *json = NULL;
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_submit_json(db, "{\"id\": 7}", NTS, &json, &error));
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT,
          slaclock_submit_json(db, "{\"id\": \"a\", \"received_at\": 1, \"coustomer\": \"b\"}", NTS, &json, &error));
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT,
          slaclock_record_json(db, "CASE-2", NTS, "{\"event\": \"exploded\", \"at\": 1}", NTS, &json, &error));
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_apply_json(db, "[{}]", NTS, 0, &json, &error));
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_apply_json(db, "[]", NTS, 2, &json, &error));
    CHECK(json == NULL);

    slaclock_batch *batch = NULL;
    OK(slaclock_batch_new(&batch, &error));
    event.at = FRIDAY_15;
    OK(slaclock_batch_record(batch, "CASE-2", NTS, &event, &error));
    int32_t one = 77;
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_apply(db, batch, 5, &one, NULL, 1, NULL, &error));
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_apply(db, batch, 0, &one, NULL, 0, NULL, &error));
    CHECK(one == 77);
    slaclock_batch_free(batch);

    slaclock_query query = SLACLOCK_QUERY_INIT;
    GIVES(SLACLOCK_STATUS_OUT_OF_RANGE, slaclock_scan(db, &query, SLACLOCK_PAGE_FIRST, &row, 1, &filled, NULL, &error));
    query.now = MONDAY_11;
    filled = 77;
    const int32_t stages[4] = {-1, 512, INT_MAX, INT_MIN};
    for (int i = 0; i < 4; i++) {
        query.stages = stages[i];
        GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT,
              slaclock_scan(db, &query, SLACLOCK_PAGE_FIRST, &row, 1, &filled, NULL, &error));
    }
    query.stages = 0;
    query.clock = "nobody's";
    GIVES(SLACLOCK_STATUS_NOT_FOUND, slaclock_scan(db, &query, SLACLOCK_PAGE_FIRST, &row, 1, &filled, NULL, &error));
    GIVES(SLACLOCK_STATUS_OUT_OF_RANGE, slaclock_late(db, MONDAY_11, SLACLOCK_PAGE_FIRST, &row, 0, &filled, NULL, &error));
    CHECK(filled == 77);
    slaclock_notice notice;
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_pending(db, "", 0, &notice, 1, &filled, &error));
    GIVES(SLACLOCK_STATUS_OUT_OF_RANGE, slaclock_pending(db, "m", 1, &notice, 0, &filled, &error));
    GIVES(SLACLOCK_STATUS_OUT_OF_RANGE, slaclock_acknowledge(db, "m", 1, -1, &error));
    slaclock_attainment_query report = SLACLOCK_ATTAINMENT_QUERY_INIT;
    slaclock_attainment_row attained;
    report.now = MONDAY_11;
    const int32_t pers[3] = {-1, 4, INT_MAX};
    for (int i = 0; i < 3; i++) {
        report.per = pers[i];
        GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_attainment(db, &report, &attained, 1, &filled, &error));
    }
    report.per = SLACLOCK_PER_WHOLE;
    report.period = "last month";
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_attainment(db, &report, &attained, 1, &filled, &error));
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_cancel(db, 2, &error));
    slaclock_options options = SLACLOCK_OPTIONS_INIT;
    slaclock_db *other = NULL;
    int32_t *fields[5] = {&options.mode, &options.durability, &options.verify, &options.read_only, &options.share};
    for (int i = 0; i < 5; i++) {
        const int32_t kept = *fields[i];
        *fields[i] = 3;
        GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_open("none", NTS, &options, &other, &error));
        *fields[i] = -1;
        GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_open("none", NTS, &options, &other, &error));
        *fields[i] = kept;
    }
    options.busy_timeout_ms = -1;
    GIVES(SLACLOCK_STATUS_OUT_OF_RANGE, slaclock_open("none", NTS, &options, &other, &error));
    slaclock_import_options import = SLACLOCK_IMPORT_OPTIONS_INIT;
    import.on_bad_row = 2;
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_import(db, "a", NTS, "b", NTS, &import, NULL, &error));
    import.on_bad_row = 0;
    import.keep_oddities = -1;
    GIVES(SLACLOCK_STATUS_OUT_OF_RANGE, slaclock_import(db, "a", NTS, "b", NTS, &import, NULL, &error));
    OK(slaclock_close(db, &error));
    GIVES(SLACLOCK_STATUS_CLOSED, slaclock_submit(db, &request, NULL, &error));
}

static void handles(slaclock_policy *policy) {
    OK(slaclock_set_log(count_log, NULL, &error));
    slaclock_text *text = NULL;
    OK(slaclock_policy_source(policy, &text, &error));
    slaclock_text_free(text);
    CHECK(slaclock_text_data(text) == NULL && slaclock_text_len(text) == 0);
    CHECK(strstr(slaclock_last_error(), "freed") != NULL);
    logged = 0;
    slaclock_text_free(text);
    slaclock_text_free((slaclock_text *)policy);
    slaclock_text_free((slaclock_text *)&logged);
    slaclock_text_free(NULL);
    CHECK(logged == 3);
    slaclock_rule *rule = NULL;
    OK(slaclock_policy_rule(policy, "resolution", NTS, NULL, &rule, &error));
    int64_t due_at = 0;
    OK(slaclock_rule_due(rule, FRIDAY_15, &due_at, &error));
    slaclock_rule_free(rule);
    GIVES(SLACLOCK_STATUS_CLOSED, slaclock_rule_due(rule, FRIDAY_15, &due_at, &error));
    slaclock_rule_free(rule);
    CHECK(logged == 4);
    /* A new rule in the old one's place is not the old one. */
    slaclock_rule *next = NULL;
    OK(slaclock_policy_rule(policy, "resolution", NTS, NULL, &next, &error));
    CHECK(next != rule);
    GIVES(SLACLOCK_STATUS_CLOSED, slaclock_rule_due(rule, FRIDAY_15, &due_at, &error));
    OK(slaclock_rule_due(next, FRIDAY_15, &due_at, &error));
    slaclock_rule_free(next);
    OK(slaclock_set_log(NULL, NULL, &error));
}

int main(void) {
    slaclock_policy *policy = check_policy();
    texts(policy);
    columns(policy);
    structs(policy);
    handles(policy);
    slaclock_policy_free(policy);
    return check_end();
}
