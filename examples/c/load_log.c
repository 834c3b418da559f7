/*
 * load_log: makes a database from a policy and a log in CSV.
 *
 *     load_log DATABASE POLICY LOG MAPPING
 *
 * Run again on the same database, it adds what is new in the log, and nothing twice. The policy is then left alone.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <slaclock.h>

static slaclock_error error = SLACLOCK_ERROR_INIT;

/* Ends the program if a call failed, with what it says. */
static void check(slaclock_status status, const char *doing)
{
    if (status == SLACLOCK_STATUS_OK)
        return;
    fprintf(stderr, "load_log: %s: %s\n", doing, error.message);
    if (error.line > 0)
        fprintf(stderr, "load_log: line %" PRId32 ", column %" PRId32 "\n", error.line, error.column);
    exit(2);
}

static slaclock_db *create(const char *path, const char *policy_path)
{
    slaclock_policy *policy = NULL;
    slaclock_db *db = NULL;
    check(slaclock_policy_load(policy_path, SLACLOCK_NTS, &policy, &error), policy_path);
    check(slaclock_create(path, SLACLOCK_NTS, policy, NULL, &db, &error), path);
    slaclock_policy_free(policy);
    return db;
}

int main(int argc, char **argv)
{
    slaclock_db *db = NULL;
    slaclock_text *account = NULL;
    slaclock_db_info info;
    slaclock_status status;

    if (argc != 5) {
        fprintf(stderr, "usage: load_log DATABASE POLICY LOG MAPPING\n");
        return 2;
    }
    status = slaclock_open(argv[1], SLACLOCK_NTS, NULL, &db, &error);
    if (status == SLACLOCK_STATUS_NOT_FOUND)
        db = create(argv[1], argv[2]);
    else
        check(status, argv[1]);

    check(slaclock_import(db, argv[3], SLACLOCK_NTS, argv[4], SLACLOCK_NTS, NULL, &account, &error), argv[3]);
    printf("%s\n", slaclock_text_data(account)); /* what became of every row */
    slaclock_text_free(account);

    check(slaclock_info(db, &info, &error), argv[1]);
    printf("%s: %" PRId64 " requests, %" PRId64 " events\n", argv[1], info.requests, info.events);
    check(slaclock_close(db, &error), argv[1]);
    return 0;
}
