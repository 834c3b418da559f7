/* What the test programs share: checks that say where they failed, and go on. */
#ifndef CHECK_H
#define CHECK_H

#include <inttypes.h>
#include <slaclock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int check_failures;
static long check_count;

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        check_count++;                                                                             \
        if (!(condition)) {                                                                        \
            check_failures++;                                                                      \
            printf("%s:%d: %s\n", __FILE__, __LINE__, #condition);                                 \
        }                                                                                          \
    } while (0)

/* The call gives this status; if it is a failure, the error says so in words. */
#define GIVES(wanted, call)                                                                        \
    do {                                                                                           \
        slaclock_error error = SLACLOCK_ERROR_INIT;                                                \
        slaclock_status found_ = (call);                                                            \
        check_count++;                                                                             \
        if (found_ != (wanted)) {                                                                   \
            check_failures++;                                                                      \
            printf("%s:%d: %s gives %s (%s), not %s\n", __FILE__, __LINE__, #call,                 \
                   slaclock_status_name((int32_t)found_), error.message,                            \
                   slaclock_status_name((int32_t)(wanted)));                                       \
        } else if (found_ != SLACLOCK_STATUS_OK &&                                                  \
                   (error.code != (int32_t)found_ || error.message[0] == 0 ||                       \
                    strncmp(error.message, slaclock_last_error(), 200) != 0)) {                    \
            check_failures++;                                                                      \
            printf("%s:%d: %s does not explain itself: %d `%s`\n", __FILE__, __LINE__, #call,      \
                   (int)error.code, error.message);                                                \
        }                                                                                          \
    } while (0)

#define OK(call) GIVES(SLACLOCK_STATUS_OK, call)

#ifdef __GNUC__
#define MAYBE_UNUSED __attribute__((unused))
#else
#define MAYBE_UNUSED
#endif

MAYBE_UNUSED static int check_end(void) {
    printf("%ld checks, %d failed\n", check_count, check_failures);
    return check_failures == 0 ? 0 : 1;
}

/* A copy of a text that is freed: C programs read it once. */
MAYBE_UNUSED static char *check_text(slaclock_text *text) {
    size_t len = slaclock_text_len(text);
    char *copy = malloc(len + 1);
    memcpy(copy, slaclock_text_data(text), len + 1);
    slaclock_text_free(text);
    return copy;
}

/* The JSON or text contains this. */
#define SAYS(text, part)                                                                           \
    do {                                                                                           \
        char *copy = check_text(text);                                                             \
        check_count++;                                                                             \
        if (strstr(copy, part) == NULL) {                                                          \
            check_failures++;                                                                      \
            printf("%s:%d: lacks `%s`: %s\n", __FILE__, __LINE__, part, copy);                     \
        }                                                                                          \
        free(copy);                                                                                \
    } while (0)

#define NTS SLACLOCK_NTS

static const char CHECK_POLICY[] =
    "[policy]\n"
    "name = \"care\"\n"
    "version = 1\n"
    "statement = \"Handled within the day.\"\n"
    "[calendar.office]\n"
    "zone = \"Europe/Moscow\"\n"
    "hours = { mon-fri = \"09:00-18:00\" }\n"
    "[[clock]]\n"
    "name = \"resolution\"\n"
    "start = \"received\"\n"
    "stop = \"resolved\"\n"
    "pause = [\"waiting_customer\"]\n"
    "target = [{ received_before = \"14:00\", due = \"same day, close\" }, { due = \"next day, 11:00\" }]\n"
    "attainment = { share = \"95 %\", per = \"month\" }\n"
    "backstop = { working_days = 3 }\n"
    "warn_at = [\"50 %\"]\n"
    "[[clock]]\n"
    "name = \"response\"\n"
    "start = \"received\"\n"
    "stop = \"replied\"\n"
    "rules = [{ when = { priority = \"high\" }, target = { working = \"1h\" } }]\n";

/* Fri 2026-03-06 15:00 in Moscow, due Mon 2026-03-09 11:00, limit Wed 2026-03-11 18:00. */
#define FRIDAY_15 INT64_C(1772798400)
#define MONDAY_11 INT64_C(1773043200)
#define WEDNESDAY_18 INT64_C(1773241200)
#define HOUR INT64_C(3600)
#define DAY INT64_C(86400)

MAYBE_UNUSED static slaclock_policy *check_policy(void) {
    slaclock_policy *policy = NULL;
    slaclock_error error = SLACLOCK_ERROR_INIT;
    if (slaclock_policy_from_text(CHECK_POLICY, NTS, &policy, &error) != SLACLOCK_STATUS_OK) {
        printf("the policy of the tests: %s\n", error.message);
        exit(2);
    }
    return policy;
}

#endif
