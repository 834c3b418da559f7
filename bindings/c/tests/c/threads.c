/*
 * Eight threads share one database, one policy and one rule, and free and use the same handles at once.
 *
 * What could go wrong: a lost write, an error of another thread, a call on memory that another thread has freed.
 */
#include "check.h"

#include <pthread.h>

enum { THREADS = 8, ROUNDS = 40 };

static slaclock_db *db;
static slaclock_policy *policy;
static slaclock_rule *rule;
static slaclock_calendar *volatile contested;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int failures;

static void fail(const char *what, const char *why) {
    pthread_mutex_lock(&lock);
    failures++;
    printf("%s: %s\n", what, why);
    pthread_mutex_unlock(&lock);
}

static void *work(void *argument) {
    const int thread = (int)(intptr_t)argument;
    char id[32];
    for (int round = 0; round < ROUNDS; round++) {
        slaclock_error error = SLACLOCK_ERROR_INIT;
        slaclock_request request = SLACLOCK_REQUEST_INIT;
        snprintf(id, sizeof id, "T%d-%d", thread, round);
        request.id = id;
        request.received_at = FRIDAY_15 + thread * 100 + round;
        if (slaclock_submit(db, &request, NULL, &error) != SLACLOCK_STATUS_OK) fail("submit", error.message);
        for (int i = 0; i < 500; i++) {
            int64_t due_at = 0;
            if (slaclock_rule_due(rule, FRIDAY_15 + i, &due_at, &error) != SLACLOCK_STATUS_OK || due_at != MONDAY_11)
                fail("due", error.message);
        }
        slaclock_row rows[16];
        size_t filled = 0;
        if (slaclock_late(db, MONDAY_11 + HOUR, SLACLOCK_PAGE_FIRST, rows, 16, &filled, NULL, &error) !=
                SLACLOCK_STATUS_OK || filled == 0)
            fail("late", error.message);
        /* An error of this thread's own, whatever the others do. */
        if (slaclock_get_json(db, id, (size_t)-2, 0, NULL, &error) != SLACLOCK_STATUS_INVALID_ARGUMENT)
            fail("get", "no error");
        snprintf(id, sizeof id, "nobody-%d", thread);
        slaclock_text *json = NULL;
        slaclock_get_json(db, id, NTS, SLACLOCK_NONE, &json, &error);
        if (strstr(error.message, id) == NULL || strstr(slaclock_last_error(), id) == NULL)
            fail("last error", slaclock_last_error());
        /* One thread frees what all use. */
        slaclock_calendar *calendar = contested;
        int32_t open = 0;
        slaclock_status status = slaclock_calendar_is_open(calendar, FRIDAY_15, &open, &error);
        if (status != SLACLOCK_STATUS_CLOSED && (status != SLACLOCK_STATUS_OK || open != 1))
            fail("contested", error.message);
        if (thread == round % THREADS) {
            slaclock_calendar *fresh = NULL;
            if (slaclock_policy_calendar(policy, "office", NTS, &fresh, &error) != SLACLOCK_STATUS_OK)
                fail("calendar", error.message);
            pthread_mutex_lock(&lock);
            slaclock_calendar *old = contested;
            contested = fresh;
            pthread_mutex_unlock(&lock);
            slaclock_calendar_free(old);
        }
    }
    return NULL;
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    char path[512];
    snprintf(path, sizeof path, "%s/threads.slaclock", argv[1]);
    policy = check_policy();
    slaclock_calendar *first = NULL;
    OK(slaclock_create(path, NTS, policy, NULL, &db, &error));
    OK(slaclock_policy_rule(policy, "resolution", NTS, NULL, &rule, &error));
    OK(slaclock_policy_calendar(policy, "office", NTS, &first, &error));
    contested = first;
    pthread_t threads[THREADS];
    for (intptr_t i = 0; i < THREADS; i++) CHECK(pthread_create(&threads[i], NULL, work, (void *)i) == 0);
    for (int i = 0; i < THREADS; i++) CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(failures == 0);
    slaclock_db_info info;
    OK(slaclock_info(db, &info, &error));
    CHECK(info.requests == THREADS * ROUNDS);
    slaclock_rebuilt rebuilt;
    OK(slaclock_check(db, &rebuilt, NULL, &error));
    CHECK(rebuilt.differing == 0);
    slaclock_calendar_free(contested);
    slaclock_rule_free(rule);
    slaclock_policy_free(policy);
    OK(slaclock_close(db, &error));
    return check_end();
}
