/*
 * What opening costs on a file of a million requests, as a web worker or a script meets it.
 *
 *   open FILE POLICY [REQUESTS]     makes the file if it is not there, then measures; medians
 *
 * The fresh process is this program, started anew for each round.
 */
#include <inttypes.h>
#include <slaclock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 31, CHUNK = 20000 };

static slaclock_error error;

static double now_us(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static int by_size(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void tell(const char *what, double *us) {
    qsort(us, ROUNDS, sizeof *us, by_size);
    printf("%-58s median %9.1f us   (%.1f to %.1f)\n", what, us[ROUNDS / 2], us[0], us[ROUNDS - 1]);
}

static void must(slaclock_status status, const char *what) {
    if (status == SLACLOCK_STATUS_OK) return;
    fprintf(stderr, "%s: %s\n", what, error.message);
    exit(1);
}

static slaclock_db *opened(const char *path, int read_only, int share) {
    slaclock_options options = SLACLOCK_OPTIONS_INIT;
    slaclock_db *db = NULL;
    options.read_only = read_only;
    options.share = share;
    must(slaclock_open(path, SLACLOCK_NTS, &options, &db, &error), "open");
    return db;
}

static void submit(slaclock_db *db, int64_t number, int64_t received_at) {
    char id[32];
    slaclock_request request = SLACLOCK_REQUEST_INIT;
    snprintf(id, sizeof id, "CASE-%07" PRId64, number);
    request.id = id;
    request.received_at = received_at;
    must(slaclock_submit(db, &request, NULL, &error), "submit");
}

static void add(slaclock_db *db, int64_t from, int64_t until) {
    for (int64_t begin = from; begin < until; begin += CHUNK) {
        slaclock_batch *batch = NULL;
        must(slaclock_batch_new(&batch, &error), "batch");
        for (int64_t i = begin; i < until && i < begin + CHUNK; i++) {
            char id[32];
            slaclock_request request = SLACLOCK_REQUEST_INIT;
            snprintf(id, sizeof id, "CASE-%07" PRId64, i);
            request.id = id;
            request.received_at = 1767225600 + i * 31;
            request.customer = "acme";
            request.priority = "high";
            must(slaclock_batch_submit(batch, &request, &error), "row");
        }
        must(slaclock_apply(db, batch, SLACLOCK_ON_ERROR_ABORT, NULL, NULL, 0, NULL, &error), "apply");
        slaclock_batch_free(batch);
    }
}

static void make(const char *path, const char *policy_path, int64_t requests) {
    slaclock_policy *policy = NULL;
    slaclock_db *db = NULL;
    must(slaclock_policy_load(policy_path, SLACLOCK_NTS, &policy, &error), "policy");
    must(slaclock_create(path, SLACLOCK_NTS, policy, NULL, &db, &error), "create");
    slaclock_policy_free(policy);
    add(db, 0, requests);
    must(slaclock_compact(db, NULL, &error), "compact");
    must(slaclock_close(db, &error), "close");
}

/* In a fresh process: open read-only, the first 100 due, close. Tells how long it took. */
static int fresh(const char *path) {
    static slaclock_row rows[100];
    size_t filled = 0;
    const double begin = now_us();
    slaclock_db *db = opened(path, 1, 0);
    must(slaclock_due_before(db, 4000000000, SLACLOCK_PAGE_FIRST, rows, 100, &filled, NULL, &error), "due");
    must(slaclock_close(db, &error), "close");
    printf("%.3f %zu\n", now_us() - begin, filled);
    return filled == 100 ? 0 : 1;
}

static void measure_fresh(const char *program, const char *path, const char *what) {
    double us[ROUNDS];
    char command[2048];
    snprintf(command, sizeof command, "'%s' --fresh '%s'", program, path);
    for (int round = 0; round < ROUNDS; round++) {
        FILE *pipe = popen(command, "r");
        if (pipe == NULL || fscanf(pipe, "%lf", &us[round]) != 1 || pclose(pipe) != 0) exit(1);
    }
    tell(what, us);
}

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "--fresh") == 0) return fresh(argv[2]);
    if (argc < 3) return fprintf(stderr, "usage: open FILE POLICY [REQUESTS]\n"), 2;
    const char *path = argv[1];
    const int64_t requests = argc > 3 ? atoll(argv[3]) : 1000000;
    if (access(path, F_OK) != 0) make(path, argv[2], requests);

    double us[ROUNDS];
    slaclock_close(opened(path, 0, 1), NULL);
    for (int round = 0; round < ROUNDS; round++) {
        const double begin = now_us();
        slaclock_close(opened(path, 0, 1), NULL);
        us[round] = now_us() - begin;
    }
    tell("second open and close in a process", us);
    must(slaclock_shutdown(&error), "shutdown");

    measure_fresh(argv[0], path, "fresh process: open read-only, first 100 due, close");

    slaclock_db *db = opened(path, 0, 0);
    slaclock_db_info info;
    must(slaclock_info(db, &info, &error), "info");
    for (int64_t i = info.unfolded; i < 10000; i += 1000) add(db, info.requests + i, info.requests + i + 1000);
    must(slaclock_close(db, &error), "close");
    measure_fresh(argv[0], path, "the same with 10,000 operations not folded");

    for (int round = 0; round < ROUNDS; round++) {
        const double begin = now_us();
        db = opened(path, 0, 0);
        submit(db, 900000000 + (int64_t)getpid() * 100 + round, 1767225600 + round);
        must(slaclock_close(db, &error), "close");
        us[round] = now_us() - begin;
    }
    tell("open, one durable write, close", us);
    return 0;
}
