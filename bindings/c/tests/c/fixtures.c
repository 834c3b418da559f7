/*
 * The answers that all languages share (tests/fixtures), read as lines with tabs between their fields; tests/c.rs writes them from
 * the JSON there. Everything is worked out through the C interface.
 *
 *   policy   JSON                                            the policy of the lines that follow
 *   target   case clock received due reason limit            a worked example; an instant is @seconds or DAY:SECONDS of civil time
 *   KIND     case numbers... expected                        a vector, expected is a number or `none`
 */
#include "check.h"

#include <stdarg.h>

enum { FIELDS = 256 };

static slaclock_policy *policy;
static slaclock_calendar *calendar;
static char *fields[FIELDS];
static int count, cases, line_number;

static void differs(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    check_failures++;
    printf("line %d, %s %s: ", line_number, fields[0], fields[1]);
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
}

static int64_t number(int field) { return field < count ? strtoll(fields[field], NULL, 10) : 0; }

static void use_policy(const char *json) {
    slaclock_error error = SLACLOCK_ERROR_INIT;
    slaclock_calendar_free(calendar);
    slaclock_policy_free(policy);
    calendar = NULL;
    policy = NULL;
    if (slaclock_policy_from_text(json, NTS, &policy, &error) != SLACLOCK_STATUS_OK) differs("%s", error.message);
}

/* The calendar of the only clock. */
static slaclock_rule *rule_of(const char *clock) {
    slaclock_rule *rule = NULL;
    slaclock_error error = SLACLOCK_ERROR_INIT;
    if (slaclock_policy_rule(policy, clock, NTS, NULL, &rule, &error) != SLACLOCK_STATUS_OK)
        differs("%s", error.message);
    slaclock_calendar_free(calendar);
    calendar = NULL;
    if (slaclock_rule_calendar(rule, &calendar, &error) != SLACLOCK_STATUS_OK) differs("%s", error.message);
    return rule;
}

static int64_t instant(const char *text) {
    if (text[0] == '@') return strtoll(text + 1, NULL, 10);
    const char *colon = strchr(text, ':');
    int64_t at = SLACLOCK_NONE;
    slaclock_error error = SLACLOCK_ERROR_INIT;
    if (slaclock_calendar_instant(calendar, strtoll(text, NULL, 10), strtoll(colon + 1, NULL, 10), SLACLOCK_EDGE_FIRST,
                                  &at, &error) != SLACLOCK_STATUS_OK)
        differs("%s: %s", text, error.message);
    return at;
}

static void target(void) {
    static const char *const reasons[7] = {"",          "never_open", "beyond_range", "no_branch",
                                           "no_target", "no_rule",    "not_promised"};
    slaclock_rule *rule = rule_of(fields[2]);
    slaclock_error error = SLACLOCK_ERROR_INIT;
    const int64_t received_at = instant(fields[3]);
    int64_t due_at = 0, limit_at = 0, many = 0;
    slaclock_status status = slaclock_rule_due(rule, received_at, &due_at, &error);
    if (strcmp(fields[4], "none") == 0) {
        if (status != SLACLOCK_STATUS_NO_DEADLINE || strcmp(reasons[error.reason], fields[5]) != 0)
            differs("due is %s (%s), wanted none: %s", slaclock_status_name(status), error.message, fields[5]);
        due_at = SLACLOCK_NONE;
    } else if (status != SLACLOCK_STATUS_OK || due_at != instant(fields[4])) {
        differs("due is %" PRId64 " (%s), wanted %s", due_at, slaclock_status_name(status), fields[4]);
    }
    status = slaclock_rule_limit(rule, received_at, &limit_at, &error);
    if (strcmp(fields[6], "none") == 0) {
        if (status != SLACLOCK_STATUS_NO_DEADLINE) differs("limit is there, wanted none");
    } else if (strcmp(fields[6], "absent") == 0) {
        if (status != SLACLOCK_STATUS_OK || limit_at != SLACLOCK_NONE) differs("limit is there, wanted absent");
    } else if (status != SLACLOCK_STATUS_OK || limit_at != instant(fields[6])) {
        differs("limit is %" PRId64 ", wanted %s", limit_at, fields[6]);
    }
    if (slaclock_rule_due_many(rule, &received_at, 1, &many, &error) != SLACLOCK_STATUS_OK || many != due_at)
        differs("due of many is %" PRId64, many);
    slaclock_rule_free(rule);
}

/* The due instant moves by each pause that begins before it. */
static slaclock_status paused(slaclock_rule *rule, int64_t *found, slaclock_error *error) {
    const int64_t start = number(2);
    int64_t working_s = 0, elapsed_s = 0, due_at = 0;
    slaclock_status status = slaclock_rule_due(rule, start, &due_at, error);
    for (int field = 3; field + 2 < count; field += 2) {
        const int64_t begin = number(field);
        if (status == SLACLOCK_STATUS_OK && due_at <= begin) break;
        if (strcmp(fields[field + 1], "open") == 0) return SLACLOCK_STATUS_PAUSED;
        int64_t working = 0, elapsed = 0;
        status = slaclock_rule_paused(rule, start, begin, number(field + 1), &working, &elapsed, error);
        if (status != SLACLOCK_STATUS_OK) return status;
        working_s += working;
        elapsed_s += elapsed;
        status = slaclock_rule_due_paused(rule, start, working_s, elapsed_s, SLACLOCK_NONE, &due_at, error);
    }
    *found = due_at;
    return status;
}

static void vector(void) {
    slaclock_rule *rule = rule_of("clock");
    slaclock_error error = SLACLOCK_ERROR_INIT;
    const char *kind = fields[0];
    int64_t found = 0, other = 0;
    int32_t flag = 0;
    slaclock_status status = SLACLOCK_STATUS_INTERNAL;
#define IS(name) (strcmp(kind, name) == 0)
    if (IS("is_open")) {
        status = slaclock_calendar_is_open(calendar, number(2), &flag, &error);
        found = flag;
    } else if (IS("next_open")) {
        status = slaclock_calendar_next_open(calendar, number(2), &found, &error);
    } else if (IS("next_close")) {
        status = slaclock_calendar_next_close(calendar, number(2), &found, &error);
    } else if (IS("add_business")) {
        status = slaclock_calendar_add_working_time(calendar, number(2), number(3), &found, &error);
    } else if (IS("sub_business")) {
        status = slaclock_calendar_sub_working_time(calendar, number(2), number(3), &found, &error);
    } else if (IS("elapsed_business")) {
        status = slaclock_calendar_working_time(calendar, number(2), number(3), &found, &error);
    } else if (IS("paused")) {
        status = paused(rule, &found, &error);
    } else if (IS("paused_elapsed")) {
        status = slaclock_calendar_working_time(calendar, number(2), number(3), &found, &error);
        for (int field = 4; field + 2 < count; field += 2) {
            int64_t begin = number(field), end = strcmp(fields[field + 1], "open") == 0 ? number(3) : number(field + 1);
            if (begin < number(2)) begin = number(2);
            if (begin > number(3)) begin = number(3);
            if (end < number(2)) end = number(2);
            if (end > number(3)) end = number(3);
            slaclock_calendar_working_time(calendar, begin, end, &other, &error);
            found -= other;
        }
    } else if (IS("is_business_day")) {
        status = slaclock_calendar_is_working_day(calendar, number(2), &flag, &error);
        found = flag;
    } else if (IS("add_business_days")) {
        int64_t day = number(2);
        slaclock_calendar_is_working_day(calendar, day, &flag, &error);
        if (number(4) != 0 && !flag) slaclock_calendar_add_working_days(calendar, day, number(4), &day, &error);
        status = slaclock_calendar_add_working_days(calendar, day, number(3), &found, &error);
    } else if (IS("add_business_days_at") || IS("cutoff")) {
        status = slaclock_rule_due(rule, number(2), &found, &error);
    } else if (IS("cutoff_open")) {
        status = slaclock_rule_due(rule, number(2), &found, &error);
        if (status == SLACLOCK_STATUS_OK) {
            /* Noon stands for the opening of the same date. */
            int64_t day = 0;
            slaclock_calendar_local(calendar, found, &day, &other, &error);
            if (other == 12 * HOUR) status = slaclock_calendar_hours(calendar, day, &found, &other, &error);
        }
    } else if (IS("business_days_between")) {
        status = slaclock_calendar_working_days(calendar, number(2), number(3), &found, &error);
    } else {
        differs("an unknown kind");
    }
    const char *expected = fields[count - 1];
    if (strcmp(expected, "none") == 0) {
        if (status == SLACLOCK_STATUS_OK) differs("found %" PRId64 ", wanted none", found);
    } else if (status != SLACLOCK_STATUS_OK || found != number(count - 1)) {
        differs("found %" PRId64 " (%s), wanted %s", found, slaclock_status_name(status), expected);
    }
    slaclock_rule_free(rule);
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    FILE *file = fopen(argv[1], "rb");
    if (file == NULL) return 2;
    static char line[1 << 20];
    while (fgets(line, sizeof line, file) != NULL) {
        line_number++;
        line[strcspn(line, "\n")] = 0;
        count = 0;
        for (char *at = line; count < FIELDS; count++) {
            fields[count] = at;
            at = strchr(at, '\t');
            if (at == NULL) {
                count++;
                break;
            }
            *at++ = 0;
        }
        if (strcmp(fields[0], "policy") == 0) {
            use_policy(fields[1]);
            continue;
        }
        cases++;
        if (strcmp(fields[0], "target") == 0) target();
        else vector();
    }
    fclose(file);
    slaclock_calendar_free(calendar);
    slaclock_policy_free(policy);
    printf("%d cases, %d differ\n", cases, check_failures);
    CHECK(cases >= atoi(argv[2]));
    return check_end();
}
