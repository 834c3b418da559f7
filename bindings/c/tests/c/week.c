/*
 * A week of a help desk: requests come, wait and are handled, and a mailer follows the feed minute by minute, forgets where it
 * was, and is started anew.
 *
 * What could go wrong: a breach is told twice, or never, or depends on how often somebody looked.
 */
#include "check.h"

enum { REQUESTS = 300, CONSUMERS = 2 };

static uint64_t seed = 20260306;

static int64_t random_below(int64_t limit) {
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int64_t)((seed >> 33) % (uint64_t)limit);
}

/* What one consumer was told: how often each request's thresholds, less what was taken back. */
static int told[CONSUMERS][REQUESTS][4];
static int64_t last_number[CONSUMERS];

static void follow(slaclock_db *db, int consumer, const char *name) {
    slaclock_notice notices[64];
    size_t filled = 0;
    do {
        OK(slaclock_pending(db, name, NTS, notices, 64, &filled, &error));
        for (size_t i = 0; i < filled; i++) {
            CHECK(notices[i].number == last_number[consumer] + 1);
            last_number[consumer] = notices[i].number;
            /* What a whole period came to is about no request. */
            if (notices[i].request[0] == '\0') continue;
            int request = atoi(notices[i].request + 5);
            CHECK(request >= 0 && request < REQUESTS);
            told[consumer][request][notices[i].threshold] += notices[i].retracted ? -1 : 1;
        }
        if (filled > 0) OK(slaclock_acknowledge(db, name, NTS, last_number[consumer], &error));
    } while (filled > 0);
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    char path[512];
    snprintf(path, sizeof path, "%s/week.slaclock", argv[1]);
    slaclock_policy *policy = check_policy();
    slaclock_db *db = NULL;
    OK(slaclock_create(path, NTS, policy, NULL, &db, &error));
    const int64_t begin = FRIDAY_15 - 4 * DAY, end = begin + 7 * DAY;
    int next = 0;
    int64_t resolved_at[REQUESTS], due_at[REQUESTS];
    for (int64_t now = begin; now < end; now += 1 + random_below(HOUR)) {
        slaclock_batch *batch = NULL;
        OK(slaclock_batch_new(&batch, &error));
        for (int arrivals = (int)random_below(6); arrivals > 0 && next < REQUESTS; arrivals--, next++) {
            char id[32];
            snprintf(id, sizeof id, "CASE-%d", next);
            slaclock_request request = SLACLOCK_REQUEST_INIT;
            request.id = id;
            request.received_at = now;
            OK(slaclock_batch_submit(batch, &request, &error));
            OK(slaclock_policy_due(policy, "resolution", NTS, now, NULL, &due_at[next], &error));
            /* Known when it comes, recorded in order of time below by the clock's own pure function of events. */
            resolved_at[next] = now + 60 + random_below(4 * DAY);
            slaclock_event event = SLACLOCK_EVENT_INIT;
            event.kind = SLACLOCK_EVENT_KIND_RESOLVED;
            event.at = resolved_at[next];
            OK(slaclock_batch_record(batch, id, NTS, &event, &error));
        }
        OK(slaclock_apply(db, batch, SLACLOCK_ON_ERROR_ABORT, NULL, NULL, 0, NULL, &error));
        slaclock_batch_free(batch);
        if (random_below(4) == 0) {
            OK(slaclock_advance(db, now, NULL, &error));
            follow(db, 0, "mailer");
        }
        if (random_below(20) == 0) {
            OK(slaclock_close(db, &error));
            OK(slaclock_open(path, NTS, NULL, &db, &error));
        }
    }
    const int64_t late_enough = end + 60 * DAY;
    OK(slaclock_advance(db, late_enough, NULL, &error));
    follow(db, 0, "mailer");
    follow(db, 1, "auditor");
    int missed = 0;
    for (int request = 0; request < next; request++) {
        const int is_late = resolved_at[request] > due_at[request];
        missed += is_late;
        for (int consumer = 0; consumer < CONSUMERS; consumer++)
            CHECK(told[consumer][request][SLACLOCK_THRESHOLD_LATE] == is_late);
        CHECK(memcmp(told[0][request], told[1][request], sizeof told[0][request]) == 0);
    }
    CHECK(next == REQUESTS && missed > 30 && missed < next - 30);
    slaclock_rebuilt rebuilt;
    OK(slaclock_verify(db, &rebuilt, NULL, &error));
    CHECK(rebuilt.differing == 0);
    OK(slaclock_close(db, &error));
    OK(slaclock_shutdown(&error));
    slaclock_policy_free(policy);
    return check_end();
}
