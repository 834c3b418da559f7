/* Living with an agreement: outlook, interruptions, a new version, forks, figures and salvage, from C. */
#include "check.h"

static const char *folder;

static const char *at(const char *name) {
    static char paths[4][4096];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static void submit(slaclock_db *db, const char *id, int64_t received_at, const char *customer) {
    slaclock_request request = SLACLOCK_REQUEST_INIT;
    request.id = id;
    request.received_at = received_at;
    request.customer = customer;
    OK(slaclock_submit(db, &request, NULL, &error));
}

/* Three requests of Friday 15:00, due on Monday at 11:00; Monday's opening is 09:00. */
static void outlook(slaclock_db *db) {
    char query[128];
    slaclock_text *json = NULL;
    snprintf(query, sizeof query, "{\"now\": %" PRId64 ", \"clock\": \"resolution\"}", MONDAY_11 - HOUR);
    OK(slaclock_outlook_json(db, query, NTS, &json, &error));
    SAYS(json, "\"misses_allowed\":0,\"misses_left\":0,\"must_meet\":3");
    OK(slaclock_outlook_json(db, query, NTS, &json, &error));
    SAYS(json, "\"must_finish\":3");
    slaclock_text *untouched = NULL;
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_outlook_json(db, "{\"then\": 1}", NTS, &untouched, &error));
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_outlook_json(db, "not JSON", NTS, &untouched, &error));
    GIVES(SLACLOCK_STATUS_NOT_FOUND,
          slaclock_outlook_json(db, "{\"now\": 1773043200, \"clock\": \"none\"}", NTS, &untouched, &error));
    CHECK(untouched == NULL);
}

static void interruptions(slaclock_db *db) {
    char order[256];
    slaclock_text *json = NULL, *untouched = NULL;
    /* No power on Monday from 09:00 to 10:00. */
    snprintf(order, sizeof order,
             "{\"declare\": {\"category\": \"power\", \"scope\": \"all\", \"from\": %" PRId64 ", \"to\": %" PRId64 "}}",
             MONDAY_11 - 2 * HOUR, MONDAY_11 - HOUR);
    OK(slaclock_interrupt(db, order, NTS, MONDAY_11 - HOUR, "ann", NTS, "the street is dark", NTS, 1, &json, &error));
    SAYS(json, "\"dry_run\":true");
    OK(slaclock_interruptions_json(db, &json, &error));
    SAYS(json, "[]");
    OK(slaclock_interrupt(db, order, NTS, MONDAY_11 - HOUR, "ann", NTS, "the street is dark", NTS, 0, &json, &error));
    SAYS(json, "\"number\":1,\"act\":\"declared\"");
    OK(slaclock_interruptions_json(db, &json, &error));
    SAYS(json, "\"category\":\"power\"");
    OK(slaclock_interrupt(db, "{\"withdraw\": {\"number\": 1}}", NTS, MONDAY_11, "bob", NTS, NULL, 0, 0, &json, &error));
    SAYS(json, "\"act\":\"withdrawn\"");
    GIVES(SLACLOCK_STATUS_CONFLICT,
          slaclock_interrupt(db, "{\"withdraw\": {\"number\": 1}}", NTS, MONDAY_11, "bob", NTS, NULL, 0, 0, &untouched, &error));
    GIVES(SLACLOCK_STATUS_NOT_FOUND,
          slaclock_interrupt(db, "{\"withdraw\": {\"number\": 7}}", NTS, MONDAY_11, "bob", NTS, NULL, 0, 0, &untouched, &error));
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT,
          slaclock_interrupt(db, order, NTS, MONDAY_11, "", 0, NULL, 0, 0, &untouched, &error));
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT,
          slaclock_interrupt(db, order, NTS, MONDAY_11, "bob", NTS, NULL, 0, 2, &untouched, &error));
    GIVES(SLACLOCK_STATUS_OUT_OF_RANGE, slaclock_interrupt(db, order, NTS, -1, "bob", NTS, NULL, 0, 0, &untouched, &error));
    CHECK(untouched == NULL);
}

static void migrations(slaclock_db *db) {
    char *text = strdup(CHECK_POLICY);
    *(strstr(text, "version = 1") + 10) = '2';
    memcpy(strstr(text, "next day, 11:00"), "next day, 12:00", 15);
    slaclock_policy *second = NULL;
    OK(slaclock_policy_from_text(text, NTS, &second, &error));
    free(text);
    OK(slaclock_install(db, second, MONDAY_11 - HOUR, &error));
    slaclock_policy_free(second);
    slaclock_text *json = NULL, *untouched = NULL;
    OK(slaclock_migrate(db, 0, "{\"customer\": \"acme\"}", NTS, MONDAY_11 - HOUR, "ann", NTS, 1, &json, &error));
    SAYS(json, "\"dry_run\":true,\"requests\":2");
    OK(slaclock_migrate(db, 2, NULL, 0, MONDAY_11 - HOUR, "ann", NTS, 0, &json, &error));
    SAYS(json, "\"requests\":3");
    GIVES(SLACLOCK_STATUS_NOT_FOUND, slaclock_migrate(db, 9, NULL, 0, MONDAY_11, "ann", NTS, 0, &untouched, &error));
    GIVES(SLACLOCK_STATUS_OUT_OF_RANGE, slaclock_migrate(db, -1, NULL, 0, MONDAY_11, "ann", NTS, 0, &untouched, &error));
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT,
          slaclock_migrate(db, 0, "{\"calendar\": \"office\"}", NTS, MONDAY_11, "ann", NTS, 0, &untouched, &error));
    OK(slaclock_retz(db, NULL, 0, MONDAY_11, "ann", NTS, 1, &json, &error));
    SAYS(json, "\"moved\":[]");
    GIVES(SLACLOCK_STATUS_NOT_FOUND,
          slaclock_retz(db, at("no-zones"), NTS, MONDAY_11, "ann", NTS, 1, &untouched, &error));
    CHECK(untouched == NULL);
}

static void figures(slaclock_db *db) {
    slaclock_text *json = NULL, *untouched = NULL;
    OK(slaclock_report_json(db, "{\"now_at\": 1775000000, \"period\": \"2026-03\", \"most_ids\": 2}", NTS, &json, &error));
    SAYS(json, "\"missed\":{\"total\":3,\"first\":[\"CASE-1\",\"CASE-2\"]}");
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_report_json(db, "{\"now_at\": 1775000000}", NTS, &untouched, &error));
    GIVES(SLACLOCK_STATUS_OUT_OF_RANGE,
          slaclock_report_json(db, "{\"now_at\": 1775000000, \"period\": \"2026-03\", \"most_ids\": 5000}", NTS, &untouched,
                               &error));
    slaclock_attainment_query query = SLACLOCK_ATTAINMENT_QUERY_INIT;
    query.now = WEDNESDAY_18 + 30 * DAY;
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_fairness_json(db, &query, &untouched, &error));
    query.by = "[\"customer\"]";
    OK(slaclock_fairness_json(db, &query, &json, &error));
    SAYS(json, "\"groups_total\":2");
    CHECK(untouched == NULL);
}

/* The page of the same figures, and what another promise would have come to. */
static void what_if(slaclock_db *db, const slaclock_policy *policy) {
    slaclock_text *text = NULL, *untouched = NULL;
    slaclock_error failure = SLACLOCK_ERROR_INIT;
    const char *march = "{\"now_at\": 1775000000, \"period\": \"2026-03\"}";
    slaclock_status status = slaclock_report_html(db, march, NTS, &text, &failure);
    if (status == SLACLOCK_STATUS_UNSUPPORTED) {
        CHECK(text == NULL && strstr(failure.message, "--features html") != NULL);
    } else {
        CHECK(status == SLACLOCK_STATUS_OK && strncmp(slaclock_text_data(text), "<!", 2) == 0);
        SAYS(text, "CASE-2");
    }
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_report_html(db, "{\"now_at\": 1775000000}", NTS, &untouched, &error));
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_report_html(db, "[]", NTS, &untouched, &error));
    slaclock_attainment_query query = SLACLOCK_ATTAINMENT_QUERY_INIT;
    query.now = WEDNESDAY_18 + 30 * DAY;
    const slaclock_policy *policies[2] = {policy, NULL};
    OK(slaclock_simulate_json(db, policies, 1, &query, &text, &error));
    SAYS(text, "[{\"policy\":\"as promised\"");
    OK(slaclock_simulate_json(db, policies, 1, &query, &text, &error));
    SAYS(text, "\"newly_met\":0");
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_simulate_json(db, policies, 0, &query, &untouched, &error));
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_simulate_json(db, policies, 2, &query, &untouched, &error));
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_simulate_json(db, NULL, 1, &query, &untouched, &error));
    query.clock = "no such clock";
    GIVES(SLACLOCK_STATUS_NOT_FOUND, slaclock_simulate_json(db, policies, 1, &query, &untouched, &error));
    CHECK(untouched == NULL);
}

/* What was promised for the month is told once: no misses left, and broken when it is over. */
static void shares(slaclock_db *db) {
    slaclock_notice notices[32];
    size_t n = 0, told = 0;
    OK(slaclock_advance(db, WEDNESDAY_18 + 30 * DAY, NULL, &error));
    OK(slaclock_pending(db, "boss", NTS, notices, 32, &n, &error));
    for (size_t i = 0; i < n; i++) {
        if (notices[i].threshold != SLACLOCK_THRESHOLD_BUDGET_EXHAUSTED &&
            notices[i].threshold != SLACLOCK_THRESHOLD_PERIOD_BREACHED) {
            CHECK(notices[i].period[0] == 0 && notices[i].request[0] != 0);
            continue;
        }
        CHECK(strcmp(notices[i].period, "2026-03") == 0 && strcmp(notices[i].clock, "resolution") == 0);
        CHECK(notices[i].request[0] == 0 && notices[i].cycle == 0 && !notices[i].retracted);
        told++;
    }
    CHECK(told == 2);
}

/* A refusal waits for a second person. */
static void refusals(slaclock_db *db) {
    slaclock_text *json = NULL, *untouched = NULL;
    slaclock_event event = SLACLOCK_EVENT_INIT;
    event.kind = SLACLOCK_EVENT_KIND_REFUSAL_PROPOSED;
    event.at = FRIDAY_15 + HOUR;
    event.by = "ann";
    GIVES(SLACLOCK_STATUS_INVALID_EVENT, slaclock_record(db, "CASE-3", NTS, &event, NULL, &error));
    event.text = "not our product";
    OK(slaclock_record(db, "CASE-3", NTS, &event, NULL, &error));
    OK(slaclock_refusals_json(db, FRIDAY_15, &json, &error));
    SAYS(json, "[]");
    OK(slaclock_refusals_json(db, WEDNESDAY_18, &json, &error));
    SAYS(json, "{\"request\":\"CASE-3\",\"customer\":\"bolt\",");
    GIVES(SLACLOCK_STATUS_OUT_OF_RANGE, slaclock_refusals_json(db, -1, &untouched, &error));
    event.kind = SLACLOCK_EVENT_KIND_REFUSAL_APPROVED;
    GIVES(SLACLOCK_STATUS_INVALID_EVENT, slaclock_record(db, "CASE-3", NTS, &event, NULL, &error));
    event.kind = SLACLOCK_EVENT_KIND_REFUSAL_WITHDRAWN;
    OK(slaclock_record(db, "CASE-3", NTS, &event, NULL, &error));
    OK(slaclock_refusals_json(db, WEDNESDAY_18, &json, &error));
    SAYS(json, "[]");
    event.kind = SLACLOCK_EVENT_KIND_MIGRATED;
    GIVES(SLACLOCK_STATUS_INVALID_EVENT, slaclock_record(db, "CASE-3", NTS, &event, NULL, &error));
    CHECK(untouched == NULL);
}

/* A miss is excused: the raw figure keeps it. */
static void waivers(slaclock_db *db) {
    slaclock_event event = SLACLOCK_EVENT_INIT;
    event.kind = SLACLOCK_EVENT_KIND_WAIVED;
    event.at = WEDNESDAY_18;
    event.by = "bob";
    event.text = "the customer's own power cut";
    GIVES(SLACLOCK_STATUS_INVALID_EVENT, slaclock_record(db, "CASE-1", NTS, &event, NULL, &error));
    event.clock = "resolution";
    event.cycle = -1;
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_record(db, "CASE-1", NTS, &event, NULL, &error));
    event.cycle = 1;
    OK(slaclock_record(db, "CASE-1", NTS, &event, NULL, &error));
    slaclock_attainment_query query = SLACLOCK_ATTAINMENT_QUERY_INIT;
    query.now = WEDNESDAY_18 + 30 * DAY;
    slaclock_text *json = NULL;
    OK(slaclock_judged_json(db, &query, &json, &error));
    SAYS(json, "\"waived\":true");
}

/* Who has read the version, and who has yet to. */
static void reminders(void) {
    char text[sizeof CHECK_POLICY + 128];
    snprintf(text, sizeof text, "%s", CHECK_POLICY);
    const char *more = "readers = [\"ann\"]\nread_by = 2026-03-31\n[calendar.office]";
    char *place = strstr(text, "[calendar.office]");
    snprintf(place, sizeof text - (size_t)(place - text), "%s%s", more, strstr(CHECK_POLICY, "[calendar.office]") + 17);
    slaclock_policy *policy = NULL;
    slaclock_db *db = NULL;
    OK(slaclock_policy_from_text(text, NTS, &policy, &error));
    OK(slaclock_in_memory(policy, &db, &error));
    slaclock_policy_free(policy);
    slaclock_text *json = NULL;
    OK(slaclock_reminders_json(db, FRIDAY_15, &json, &error));
    SAYS(json, "\"duty\":\"reading\"");
    const char *done = "{\"version\": 1, \"duty\": \"reading\", \"by\": \"ann\", \"at\": 1772798400}";
    slaclock_outcome outcome;
    OK(slaclock_acknowledge_policy(db, done, NTS, &outcome, &error));
    CHECK(outcome == SLACLOCK_OUTCOME_RECORDED);
    OK(slaclock_acknowledge_policy(db, done, NTS, &outcome, &error));
    CHECK(outcome == SLACLOCK_OUTCOME_ALREADY_RECORDED);
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_acknowledge_policy(db, "{\"version\": 1}", NTS, NULL, &error));
    OK(slaclock_acknowledgements_json(db, &json, &error));
    SAYS(json, "\"by\":\"ann\"");
    OK(slaclock_reminders_json(db, FRIDAY_15, &json, &error));
    SAYS(json, "[]");
    OK(slaclock_close(db, &error));
}

/* One expedite a month: the second is refused. */
static void expedites(void) {
    char text[sizeof CHECK_POLICY + 64];
    snprintf(text, sizeof text, "%s[expedites]\nper_month = 1\n[waivers]\nby = [\"bob\"]\n", CHECK_POLICY);
    slaclock_policy *policy = NULL;
    slaclock_db *db = NULL;
    OK(slaclock_policy_from_text(text, NTS, &policy, &error));
    OK(slaclock_in_memory(policy, &db, &error));
    slaclock_policy_free(policy);
    submit(db, "CASE-1", FRIDAY_15, "acme");
    submit(db, "CASE-2", FRIDAY_15, "acme");
    slaclock_event event = SLACLOCK_EVENT_INIT;
    event.kind = SLACLOCK_EVENT_KIND_EXPEDITED;
    event.at = FRIDAY_15;
    GIVES(SLACLOCK_STATUS_INVALID_EVENT, slaclock_record(db, "CASE-1", NTS, &event, NULL, &error));
    event.by = "ann";
    OK(slaclock_record(db, "CASE-1", NTS, &event, NULL, &error));
    GIVES(SLACLOCK_STATUS_QUOTA_EXCEEDED, slaclock_record(db, "CASE-2", NTS, &event, NULL, &error));
    event.approved_by = "ann";
    GIVES(SLACLOCK_STATUS_INVALID_EVENT, slaclock_record(db, "CASE-2", NTS, &event, NULL, &error));
    event.approved_by = "bob";
    OK(slaclock_record(db, "CASE-2", NTS, &event, NULL, &error));
    slaclock_text *json = NULL, *untouched = NULL;
    OK(slaclock_expedite_quota_json(db, "acme", NTS, FRIDAY_15, &json, &error));
    SAYS(json, "\"used\":2,\"per_month\":1");
    OK(slaclock_expedites_json(db, "2026-03", NTS, &json, &error));
    SAYS(json, "\"approved\":1");
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_expedites_json(db, "March", NTS, &untouched, &error));
    waivers(db);
    OK(slaclock_waits_json(db, NULL, 0, WEDNESDAY_18, &json, &error));
    SAYS(json, "\"requests\":2");
    GIVES(SLACLOCK_STATUS_OUT_OF_RANGE, slaclock_waits_json(db, NULL, 0, -5, &untouched, &error));
    CHECK(untouched == NULL);
    OK(slaclock_close(db, &error));
}

static void copies(slaclock_db *db) {
    int64_t bytes = 0;
    OK(slaclock_fork(db, at("copy.slaclock"), NTS, &bytes, &error));
    CHECK(bytes > 4096);
    GIVES(SLACLOCK_STATUS_ALREADY_EXISTS, slaclock_fork(db, at("copy.slaclock"), NTS, NULL, &error));
    slaclock_text *json = NULL;
    OK(slaclock_salvage(at("copy.slaclock"), NTS, at("saved.slaclock"), NTS, NULL, 0, &json, &error));
    SAYS(json, "\"requests\":3,\"events\":");
    GIVES(SLACLOCK_STATUS_ALREADY_EXISTS,
          slaclock_salvage(at("copy.slaclock"), NTS, at("saved.slaclock"), NTS, NULL, 0, NULL, &error));
    GIVES(SLACLOCK_STATUS_NOT_FOUND,
          slaclock_salvage(at("none.slaclock"), NTS, at("other.slaclock"), NTS, NULL, 1, NULL, &error));
    slaclock_db *copy = NULL;
    OK(slaclock_open(at("saved.slaclock"), NTS, NULL, &copy, &error));
    slaclock_rebuilt rebuilt;
    OK(slaclock_check(copy, &rebuilt, NULL, &error));
    CHECK(rebuilt.requests == 3 && rebuilt.differing == 0);
    OK(slaclock_close(copy, &error));
}

/* A calendar that counts as another product does: nine to five, eight hours from Monday 09:00 in Moscow. */
static void presets(void) {
    const int64_t monday_09 = 1772431200;
    const char *words[] = {"", "\"preset\": \"business_time\",", "\"preset\": \"biz\",", "\"preset\": \"glpi\",",
                           "\"preset\": \"pandas\",", "\"preset\": \"rt\","};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        char text[512];
        snprintf(text, sizeof text,
                 "{\"policy\": {\"name\": \"care\", \"version\": 1}, \"calendar\": {\"office\": {%s \"zone\": "
                 "\"Europe/Moscow\", \"hours\": {\"mon-fri\": \"09:00-17:00\"}}}, \"clock\": [{\"name\": \"resolution\", "
                 "\"start\": \"received\", \"stop\": \"resolved\", \"target\": {\"working\": \"8h\"}}]}",
                 words[i]);
        slaclock_policy *policy = NULL;
        int64_t due_at = 0;
        OK(slaclock_policy_from_text(text, NTS, &policy, &error));
        OK(slaclock_policy_due(policy, "resolution", NTS, monday_09, NULL, &due_at, &error));
        CHECK(due_at == monday_09 + (i < 2 ? 8 : 24) * HOUR);
        slaclock_policy_free(policy);
    }
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    folder = argv[1];
    slaclock_policy *policy = check_policy();
    slaclock_db *db = NULL;
    slaclock_options options = SLACLOCK_OPTIONS_INIT;
    options.share = 0;
    OK(slaclock_create(at("agreement.slaclock"), NTS, policy, &options, &db, &error));
    submit(db, "CASE-1", FRIDAY_15, "acme");
    submit(db, "CASE-2", FRIDAY_15, "acme");
    submit(db, "CASE-3", FRIDAY_15, "bolt");
    outlook(db);
    interruptions(db);
    migrations(db);
    figures(db);
    what_if(db, policy);
    copies(db);
    refusals(db);
    shares(db);
    expedites();
    reminders();
    presets();
    OK(slaclock_close(db, &error));
    slaclock_policy_free(policy);
    return check_end();
}
