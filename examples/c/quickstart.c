/*
 * The reference promise from C: when is this due, what is late, who must be told?
 *
 *   cc examples/c/quickstart.c -Iinclude -Ltarget/release -lslaclock -o quickstart
 *   LD_LIBRARY_PATH=target/release ./quickstart examples/policies/promise.toml care.slaclock
 */
#include <inttypes.h>
#include <slaclock.h>
#include <stdio.h>

static slaclock_error error = SLACLOCK_ERROR_INIT;

static int failed(const char *what) {
    fprintf(stderr, "%s: %s\n", what, error.message);
    return 1;
}

int main(int argc, char **argv) {
    if (argc != 3) return fprintf(stderr, "usage: quickstart POLICY FILE\n"), 2;
    const int64_t friday_15 = 1772798400;     /* 2026-03-06 15:00 in Moscow */
    const int64_t monday_noon = 1773046800;   /* 2026-03-09 12:00 */

    slaclock_policy *policy = NULL;
    if (slaclock_policy_load(argv[1], SLACLOCK_NTS, &policy, &error) != SLACLOCK_STATUS_OK) return failed(argv[1]);

    /* Without any database. */
    int64_t due_at;
    if (slaclock_policy_due(policy, "resolution", SLACLOCK_NTS, friday_15, NULL, &due_at, &error) != SLACLOCK_STATUS_OK)
        return failed("due");
    printf("due %" PRId64 "\n", due_at);

    slaclock_db *db = NULL;
    if (slaclock_create(argv[2], SLACLOCK_NTS, policy, NULL, &db, &error) != SLACLOCK_STATUS_OK) return failed(argv[2]);
    slaclock_policy_free(policy);

    slaclock_request request = SLACLOCK_REQUEST_INIT;
    request.id = "CASE-1041";
    request.received_at = friday_15;
    request.customer = "acme";
    if (slaclock_submit(db, &request, NULL, &error) != SLACLOCK_STATUS_OK) return failed("submit");

    slaclock_row rows[100];
    size_t filled = 0;
    if (slaclock_late(db, monday_noon, SLACLOCK_PAGE_FIRST, rows, 100, &filled, NULL, &error) != SLACLOCK_STATUS_OK)
        return failed("late");
    for (size_t i = 0; i < filled; i++) printf("late %s %s\n", rows[i].request, rows[i].clock);

    /* Each breach once, however often this program runs. */
    slaclock_notice notices[100];
    if (slaclock_advance(db, monday_noon, NULL, &error) != SLACLOCK_STATUS_OK ||
        slaclock_pending(db, "mailer", SLACLOCK_NTS, notices, 100, &filled, &error) != SLACLOCK_STATUS_OK)
        return failed("feed");
    for (size_t i = 0; i < filled; i++) {
        printf("notice %" PRId64 " %s %s\n", notices[i].number, notices[i].request, notices[i].clock);
        if (slaclock_acknowledge(db, "mailer", SLACLOCK_NTS, notices[i].number, &error) != SLACLOCK_STATUS_OK)
            return failed("acknowledge");
    }

    slaclock_text *why = NULL;
    if (slaclock_explain(db, "CASE-1041", SLACLOCK_NTS, "resolution", SLACLOCK_NTS, monday_noon, &why, NULL, &error) !=
        SLACLOCK_STATUS_OK)
        return failed("explain");
    printf("%s\n", slaclock_text_data(why));
    slaclock_text_free(why);

    if (slaclock_close(db, &error) != SLACLOCK_STATUS_OK) return failed("close");
    return 0;
}
