/*
 * Many processes on one file, and their sudden ends.
 *
 *   processes FOLDER SECONDS
 *
 * What could go wrong: a write that was acknowledged is gone, an error is anything but BUSY, a killed writer leaves a lock behind,
 * a child harms its parent's handle, two processes both create one file.
 */
#include "check.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WRITERS = 4, READERS = 4, VICTIMS = 25, CREATORS = 12, MOST = 4096 };

/* What each process had acknowledged, shared with the parent so that a kill does not lose it. */
struct account {
    volatile int acknowledged[WRITERS + VICTIMS];
    volatile int unexpected;
    char message[256];
};

static struct account *account;
static char path[512];

static void unexpected(const char *what, const slaclock_error *error) {
    if (account->unexpected++ == 0) snprintf(account->message, sizeof account->message, "%s: %s", what, error->message);
}

static double now_s(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Opens, writes one request, closes, again and again, as web requests do. */
static void write_on(int process, double until) {
    for (int round = 0; round < MOST && now_s() < until; round++) {
        slaclock_error error = SLACLOCK_ERROR_INIT;
        slaclock_db *db = NULL;
        if (slaclock_open(path, NTS, NULL, &db, &error) != SLACLOCK_STATUS_OK) {
            if (error.code != SLACLOCK_STATUS_BUSY) unexpected("open", &error);
            continue;
        }
        char id[32];
        snprintf(id, sizeof id, "P%d-%d", process, account->acknowledged[process]);
        slaclock_request request = SLACLOCK_REQUEST_INIT;
        request.id = id;
        request.received_at = FRIDAY_15 + process;
        if (slaclock_submit(db, &request, NULL, &error) == SLACLOCK_STATUS_OK) account->acknowledged[process]++;
        else if (error.code != SLACLOCK_STATUS_BUSY) unexpected("submit", &error);
        if (slaclock_close(db, &error) != SLACLOCK_STATUS_OK && error.code != SLACLOCK_STATUS_BUSY)
            unexpected("close", &error);
    }
}

static void read_on(double until) {
    slaclock_options options = SLACLOCK_OPTIONS_INIT;
    options.read_only = 1;
    int64_t seen = 0;
    while (now_s() < until) {
        slaclock_error error = SLACLOCK_ERROR_INIT;
        slaclock_db *db = NULL;
        slaclock_db_info info;
        if (slaclock_open(path, NTS, &options, &db, &error) != SLACLOCK_STATUS_OK) {
            if (error.code != SLACLOCK_STATUS_BUSY) unexpected("open to read", &error);
            continue;
        }
        if (slaclock_info(db, &info, &error) != SLACLOCK_STATUS_OK) unexpected("info", &error);
        else if (info.requests < seen) unexpected("fewer requests than before", &error);
        else seen = info.requests;
        slaclock_close(db, NULL);
    }
}

static pid_t start(void (*work)(int, double), int process, double until) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        work(process, until);
        _exit(0);
    }
    return child;
}

static void reader(int process, double until) {
    (void)process;
    read_on(until);
}

/* Twelve processes make one file: one does, the others are told so, nothing else is left in the folder. */
static void create(int process, double until) {
    (void)process;
    (void)until;
    slaclock_db *db = NULL;
    slaclock_policy *policy = check_policy();
    slaclock_status status = slaclock_create(path, NTS, policy, NULL, &db, NULL);
    slaclock_close(db, NULL);
    _exit((int)status);
}

static void many_creators(void) {
    pid_t children[CREATORS];
    int made = 0;
    for (int i = 0; i < CREATORS; i++) children[i] = start(create, i, 0);
    for (int i = 0; i < CREATORS; i++) {
        int code = 0;
        CHECK(waitpid(children[i], &code, 0) == children[i] && WIFEXITED(code));
        if (WEXITSTATUS(code) == SLACLOCK_STATUS_OK) made++;
        else CHECK(WEXITSTATUS(code) == SLACLOCK_STATUS_ALREADY_EXISTS);
    }
    CHECK(made == 1);
}

/* Children of a process with an open handle: they are refused, open their own, and end without harm to the parent's. */
static void inherited(slaclock_db *db) {
    for (int i = 0; i < 8; i++) {
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            slaclock_request request = SLACLOCK_REQUEST_INIT;
            request.id = "from a child";
            request.received_at = FRIDAY_15;
            int right = slaclock_submit(db, &request, NULL, NULL) == SLACLOCK_STATUS_FORKED_HANDLE;
            slaclock_stage_counts counts;
            right &= slaclock_counts(db, FRIDAY_15, &counts, NULL) == SLACLOCK_STATUS_FORKED_HANDLE;
            slaclock_db *own = NULL;
            right &= slaclock_open(path, NTS, NULL, &own, NULL) == SLACLOCK_STATUS_OK;
            right &= slaclock_submit(own, &request, NULL, NULL) == SLACLOCK_STATUS_OK;
            right &= slaclock_close(own, NULL) == SLACLOCK_STATUS_OK;
            slaclock_close(db, NULL);
            exit(right ? 0 : 1);
        }
        char id[32];
        snprintf(id, sizeof id, "beside child %d", i);
        slaclock_request request = SLACLOCK_REQUEST_INIT;
        request.id = id;
        request.received_at = FRIDAY_15;
        OK(slaclock_submit(db, &request, NULL, &error));
        int code = 0;
        CHECK(waitpid(child, &code, 0) == child && WIFEXITED(code) && WEXITSTATUS(code) == 0);
    }
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    snprintf(path, sizeof path, "%s/care.slaclock", argv[1]);
    account = mmap(NULL, sizeof *account, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (account == MAP_FAILED) return 2;
    many_creators();
    const double until = now_s() + atof(argv[2]);
    pid_t children[WRITERS + READERS];
    for (int i = 0; i < WRITERS; i++) children[i] = start(write_on, i, until);
    for (int i = 0; i < READERS; i++) children[WRITERS + i] = start(reader, i, until);
    for (int i = 0; i < VICTIMS; i++) {
        pid_t victim = start(write_on, WRITERS + i, now_s() + 3600);
        /* Some are killed before their first write, most in the middle of one. */
        usleep((useconds_t)(3000 + i * 7919 % 60000));
        CHECK(kill(victim, SIGKILL) == 0 && waitpid(victim, NULL, 0) == victim);
    }
    for (int i = 0; i < WRITERS + READERS; i++) {
        int code = 0;
        CHECK(waitpid(children[i], &code, 0) == children[i] && WIFEXITED(code) && WEXITSTATUS(code) == 0);
    }
    if (account->unexpected > 0) printf("%d errors, the first: %s\n", account->unexpected, account->message);
    CHECK(account->unexpected == 0);

    slaclock_db *db = NULL;
    OK(slaclock_open(path, NTS, NULL, &db, &error));
    long total = 0;
    for (int process = 0; process < WRITERS + VICTIMS; process++) {
        const int acknowledged = account->acknowledged[process];
        total += acknowledged;
        for (int number = 0; number < acknowledged; number++) {
            char id[32];
            snprintf(id, sizeof id, "P%d-%d", process, number);
            slaclock_clock_status clocks[2];
            size_t count = 0;
            OK(slaclock_clocks(db, id, NTS, SLACLOCK_NONE, clocks, 2, &count, &error));
        }
    }
    slaclock_db_info info;
    OK(slaclock_info(db, &info, &error));
    /* A killed writer may have written one more than it could say. */
    CHECK(info.requests >= total && info.requests <= total + VICTIMS && total > WRITERS);
    inherited(db);
    slaclock_rebuilt rebuilt;
    OK(slaclock_check(db, &rebuilt, NULL, &error));
    CHECK(rebuilt.differing == 0);
    printf("%ld acknowledged writes, %" PRId64 " requests\n", total, info.requests);
    OK(slaclock_close(db, &error));
    OK(slaclock_shutdown(&error));
    return check_end();
}
