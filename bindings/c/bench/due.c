/*
 * What a deadline costs from C, beside the same in Rust (`cargo bench -p slaclock-benches`).
 *
 *   due POLICY CLOCK
 */
#include <inttypes.h>
#include <slaclock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MANY = 1000000, ROUNDS = 21 };

static double now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static int by_size(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void tell(const char *what, double *ns) {
    qsort(ns, ROUNDS, sizeof *ns, by_size);
    printf("%-28s median %6.2f ns, best %6.2f ns\n", what, ns[ROUNDS / 2], ns[0]);
}

int main(int argc, char **argv) {
    slaclock_error error = SLACLOCK_ERROR_INIT;
    slaclock_policy *policy = NULL;
    slaclock_rule *rule = NULL;
    if (argc != 3) return 2;
    if (slaclock_policy_load(argv[1], SLACLOCK_NTS, &policy, &error) != SLACLOCK_STATUS_OK ||
        slaclock_policy_rule(policy, argv[2], SLACLOCK_NTS, NULL, &rule, &error) != SLACLOCK_STATUS_OK)
        return fprintf(stderr, "%s\n", error.message), 1;
    int64_t *received = malloc(MANY * sizeof *received), *due = malloc(MANY * sizeof *due);
    if (received == NULL || due == NULL) return 1;
    uint64_t seed = 1;
    for (int i = 0; i < MANY; i++) {
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        received[i] = 1767225600 + (int64_t)((seed >> 33) % 31536000);
    }
    double single[ROUNDS], by_policy[ROUNDS], batch[ROUNDS], copy[ROUNDS];
    int64_t sum = 0;
    for (int round = 0; round < ROUNDS; round++) {
        double begin = now_ns();
        for (int i = 0; i < MANY; i++) {
            int64_t due_at;
            if (slaclock_rule_due(rule, received[i], &due_at, &error) == SLACLOCK_STATUS_OK) sum += due_at;
        }
        single[round] = (now_ns() - begin) / MANY;
        begin = now_ns();
        for (int i = 0; i < MANY / 10; i++) {
            int64_t due_at;
            if (slaclock_policy_due(policy, argv[2], SLACLOCK_NTS, received[i], NULL, &due_at, &error) ==
                SLACLOCK_STATUS_OK)
                sum += due_at;
        }
        by_policy[round] = (now_ns() - begin) / (MANY / 10);
        begin = now_ns();
        if (slaclock_rule_due_many(rule, received, MANY, due, &error) != SLACLOCK_STATUS_OK) return 1;
        batch[round] = (now_ns() - begin) / MANY;
        begin = now_ns();
        memmove(due, received, MANY * sizeof *due);
        copy[round] = (now_ns() - begin) / MANY;
    }
    tell("slaclock_rule_due", single);
    tell("slaclock_policy_due", by_policy);
    tell("slaclock_rule_due_many", batch);
    tell("copying the column", copy);
    printf("(sum %" PRId64 ")\n", sum);
    free(received);
    free(due);
    slaclock_rule_free(rule);
    slaclock_policy_free(policy);
    return 0;
}
