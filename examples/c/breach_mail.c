/*
 * breach_mail: tells people what became late, once.
 *
 * For cron: reads a slaclock database, advances its feed, and writes mail about every notice that this consumer has not
 * acknowledged: one digest on standard output, or one file for each notice in an outbox. It acknowledges what it has
 * written, after it is written. Stopped at any point and run again, it loses nothing: at worst the same notices are
 * written again, in files of the same names, with the same Message-ID, by which mail systems know a repetition.
 * Warnings are acknowledged unsaid, unless they are wanted.
 *
 * See README.md beside this file, and usage() below.
 */
#define _DEFAULT_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <slaclock.h>

#include "mail.h"

/* What is written before it is acknowledged; the most that a digest holds. */
#define MOST_NOTICES 1000

struct settings {
    const char *database;
    const char *consumer;
    const char *from;
    const char *to;
    const char *outbox;   /* NULL: a digest on standard output */
    const char *calendar; /* NULL: times are UTC */
    const char *now;      /* NULL: the system's clock */
    int warnings;         /* 1: warnings too */
};

/* Where the times of the mails come from. */
struct zone {
    slaclock_calendar *calendar; /* NULL: UTC */
    char name[64];
};

static slaclock_error error = SLACLOCK_ERROR_INIT;

static void die(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("breach_mail: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(2);
}

/* Ends the program if a call failed, with what it says. */
static void check(slaclock_status status)
{
    if (status != SLACLOCK_STATUS_OK)
        die("%s", error.message);
}

static void usage(FILE *to)
{
    fputs("usage: breach_mail DATABASE --from ADDRESS --to ADDRESS [OPTIONS]\n"
          "  --outbox FOLDER    one file for each notice, instead of a digest on standard output\n"
          "  --consumer NAME    whose cursor in the feed: letters, digits, . _ -; breach-mail if left out\n"
          "  --calendar NAME    times in the zone of this calendar of the policy, instead of UTC\n"
          "  --now TIME         \"2026-03-09 12:00\" in that zone; the system's clock if left out\n"
          "  --warnings         warnings too, not only what is late or breached\n",
          to);
}

/* --- times ------------------------------------------------------------------------------------------------------- */

static struct zone find_zone(slaclock_db *db, const char *calendar)
{
    struct zone zone = {NULL, "UTC"};
    slaclock_policy *policy = NULL;
    slaclock_text *name = NULL;
    if (calendar == NULL)
        return zone;
    check(slaclock_db_policy(db, &policy, &error));
    check(slaclock_policy_calendar(policy, calendar, SLACLOCK_NTS, &zone.calendar, &error));
    check(slaclock_calendar_zone(zone.calendar, &name, &error));
    snprintf(zone.name, sizeof zone.name, "%s", slaclock_text_data(name));
    slaclock_text_free(name);
    slaclock_policy_free(policy);
    return zone;
}

/* The wall clock of the zone at an instant, as if it were UTC. */
static int64_t wall_clock(const struct zone *zone, int64_t at)
{
    int64_t day, time_s;
    if (zone->calendar == NULL)
        return at;
    check(slaclock_calendar_local(zone->calendar, at, &day, &time_s, &error));
    return day * 86400 + time_s;
}

static int64_t read_time(const struct zone *zone, const char *text)
{
    struct tm civil = {0};
    char end;
    int64_t at;
    if (sscanf(text, "%4d-%2d-%2d %2d:%2d%c", &civil.tm_year, &civil.tm_mon, &civil.tm_mday, &civil.tm_hour,
               &civil.tm_min, &end) != 5)
        die("--now `%s`: must look like 2026-03-09 12:00", text);
    civil.tm_year -= 1900;
    civil.tm_mon -= 1;
    at = (int64_t)timegm(&civil);
    if (zone->calendar != NULL)
        check(slaclock_calendar_instant(zone->calendar, at / 86400, at % 86400, SLACLOCK_EDGE_FIRST, &at, &error));
    return at;
}

static const char *local(const struct zone *zone, int64_t at, char *room, size_t size)
{
    const time_t wall = (time_t)wall_clock(zone, at);
    struct tm civil;
    gmtime_r(&wall, &civil);
    strftime(room, size, "%a %Y-%m-%d %H:%M", &civil);
    return room;
}

/* --- what a mail says --------------------------------------------------------------------------------------------- */

static const char *crossed(const slaclock_notice *notice, char *room, size_t size)
{
    switch (notice->threshold) {
    case SLACLOCK_THRESHOLD_WARNING:
        snprintf(room, size, "%" PRId32 " %% of its time used", notice->percent);
        break;
    case SLACLOCK_THRESHOLD_LATE:
        snprintf(room, size, "late");
        break;
    case SLACLOCK_THRESHOLD_BREACHED:
        snprintf(room, size, "breached");
        break;
    case SLACLOCK_THRESHOLD_WAIVED:
        snprintf(room, size, "miss excused");
        break;
    case SLACLOCK_THRESHOLD_BUDGET_EXHAUSTED:
        snprintf(room, size, "no misses left");
        break;
    case SLACLOCK_THRESHOLD_PERIOD_BREACHED:
        snprintf(room, size, "promised share missed");
        break;
    default: /* of a later release */
        snprintf(room, size, "threshold %d crossed", (int)notice->threshold);
    }
    return room;
}

/* What a notice is about: a request, or the period of a promised share. */
static const char *subject_of(const slaclock_notice *notice)
{
    return notice->period[0] != '\0' ? notice->period : notice->request;
}

static void write_digest(FILE *to, const struct settings *settings, const struct zone *zone, int64_t now,
                         const slaclock_notice *notices, size_t n)
{
    char subject[64], id[300], at[32], what[64];
    size_t i;
    snprintf(subject, sizeof subject, "%zu notice%s about promises to customers", n, n == 1 ? "" : "s");
    snprintf(id, sizeof id, "%s-%" PRId64 "-%" PRId64, settings->consumer, notices[0].number, notices[n - 1].number);
    mail_begin(to, settings->from, settings->to, subject, id, now, wall_clock(zone, now) - now);
    fprintf(to, "Times are those of %s.\n\n", zone->name);
    for (i = 0; i < n; i++)
        fprintf(to, "%4" PRId64 "  %s  %s, %s: %s%s%s\n", notices[i].number, local(zone, notices[i].at, at, sizeof at),
                subject_of(&notices[i]), notices[i].clock, notices[i].retracted ? "no longer true: " : "",
                crossed(&notices[i], what, sizeof what), notices[i].by_change ? " (after a change)" : "");
}

static void write_notice(FILE *to, slaclock_db *db, const struct settings *settings, const struct zone *zone,
                         int64_t now, const slaclock_notice *notice)
{
    char subject[2 * SLACLOCK_NAME_SIZE + 128], id[300], at[32], what[64];
    slaclock_text *explanation = NULL;
    snprintf(subject, sizeof subject, "%s%s, %s: %s", notice->retracted ? "No longer true: " : "", subject_of(notice),
             notice->clock, crossed(notice, what, sizeof what));
    snprintf(id, sizeof id, "%s-%" PRId64, settings->consumer, notice->number);
    mail_begin(to, settings->from, settings->to, subject, id, now, wall_clock(zone, now) - now);
    fprintf(to, "%s%s (%s)%s.\n\n", notice->retracted ? "What was recorded since makes this untrue: " : "",
            local(zone, notice->at, at, sizeof at), zone->name, notice->by_change ? ", after a change" : "");
    if (notice->request[0] == '\0') /* about no request: there is no deadline to explain */
        return;
    check(slaclock_explain(db, notice->request, SLACLOCK_NTS, notice->clock, SLACLOCK_NTS, now, &explanation, NULL,
                           &error));
    mail_text(to, slaclock_text_data(explanation), slaclock_text_len(explanation));
    slaclock_text_free(explanation);
}

/* --- where it goes ------------------------------------------------------------------------------------------------ */

/* Puts a mail into the outbox, complete and on the disk, or not at all. */
static void deliver(slaclock_db *db, const struct settings *settings, const struct zone *zone, int64_t now,
                    const slaclock_notice *notice)
{
    char temporary[4096], final[4096];
    FILE *file;
    if (snprintf(final, sizeof final, "%s/%s-%08" PRId64 ".eml", settings->outbox, settings->consumer,
                 notice->number) >= (int)sizeof final)
        die("%s: the path is too long", settings->outbox);
    snprintf(temporary, sizeof temporary, "%s/.%ld.part", settings->outbox, (long)getpid());
    file = fopen(temporary, "w");
    if (file == NULL)
        die("%s: %s", temporary, strerror(errno));
    write_notice(file, db, settings, zone, now, notice);
    if (fflush(file) != 0 || fsync(fileno(file)) != 0 || fclose(file) != 0 || rename(temporary, final) != 0)
        die("%s: %s", final, strerror(errno));
    printf("%s\n", final);
}

static void sync_folder(const char *folder)
{
    const int fd = open(folder, O_RDONLY | O_DIRECTORY);
    if (fd < 0 || fsync(fd) != 0 || close(fd) != 0)
        die("%s: %s", folder, strerror(errno));
}

/* Writes what there is to say about the notices, and gives back only when it is written. */
static void write_mail(slaclock_db *db, const struct settings *settings, const struct zone *zone, int64_t now,
                       const slaclock_notice *notices, size_t n)
{
    size_t i;
    if (n > 0 && settings->outbox != NULL) {
        for (i = 0; i < n; i++)
            deliver(db, settings, zone, now, &notices[i]);
        sync_folder(settings->outbox);
    } else if (n > 0) {
        write_digest(stdout, settings, zone, now, notices, n);
    }
    if (fflush(stdout) != 0 || ferror(stdout))
        die("standard output: %s", strerror(errno));
}

/* Takes the warnings out; gives how many notices are left. */
static size_t without_warnings(slaclock_notice *notices, size_t n)
{
    size_t i, left = 0;
    for (i = 0; i < n; i++)
        if (notices[i].threshold != SLACLOCK_THRESHOLD_WARNING)
            notices[left++] = notices[i];
    return left;
}

static void run(slaclock_db *db, const struct settings *settings)
{
    struct zone zone = find_zone(db, settings->calendar);
    const int64_t now = settings->now != NULL ? read_time(&zone, settings->now) : (int64_t)time(NULL);
    slaclock_notice *notices = calloc(MOST_NOTICES, sizeof *notices);
    size_t n = 0;
    if (notices == NULL)
        die("no memory for %d notices", MOST_NOTICES);
    check(slaclock_advance(db, now, NULL, &error));
    do {
        int64_t last;
        check(slaclock_pending(db, settings->consumer, SLACLOCK_NTS, notices, MOST_NOTICES, &n, &error));
        if (n == 0)
            break;
        last = notices[n - 1].number;
        write_mail(db, settings, &zone, now, notices, settings->warnings ? n : without_warnings(notices, n));
        /* Only now: whatever happens before this line, the next run gives the same notices again. */
        check(slaclock_acknowledge(db, settings->consumer, SLACLOCK_NTS, last, &error));
        /* A digest is one mail: what it has no room for goes out with the next run. */
    } while (settings->outbox != NULL);
    if (n == MOST_NOTICES)
        fprintf(stderr, "breach_mail: these were the first %d notices; run again for more\n", MOST_NOTICES);
    free(notices);
    slaclock_calendar_free(zone.calendar);
}

static struct settings read_arguments(int argc, char **argv)
{
    static const char name[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    struct settings settings = {NULL, "breach-mail", NULL, NULL, NULL, NULL, NULL, 0};
    const struct {
        const char *name;
        const char **place;
    } options[] = {{"--from", &settings.from},         {"--to", &settings.to},
                   {"--outbox", &settings.outbox},     {"--consumer", &settings.consumer},
                   {"--calendar", &settings.calendar}, {"--now", &settings.now}};
    const size_t known = sizeof options / sizeof *options;
    int i;
    for (i = 1; i < argc; i++) {
        size_t option = 0;
        if (strcmp(argv[i], "--help") == 0) {
            usage(stdout);
            exit(0);
        }
        if (strcmp(argv[i], "--warnings") == 0) {
            settings.warnings = 1;
            continue;
        }
        while (option < known && strcmp(argv[i], options[option].name) != 0)
            option++;
        if (option < known && i + 1 < argc)
            *options[option].place = argv[++i];
        else if (option < known)
            die("%s needs a value", argv[i]);
        else if (argv[i][0] == '-' || settings.database != NULL)
            die("`%s` is not known here; see --help", argv[i]);
        else
            settings.database = argv[i];
    }
    if (settings.database == NULL || settings.from == NULL || settings.to == NULL) {
        usage(stderr);
        exit(2);
    }
    if (!mail_is_address(settings.from) || !mail_is_address(settings.to))
        die("--from and --to must be plain addresses, like care@example.com");
    if (settings.consumer[0] == '\0' || strlen(settings.consumer) > 64 ||
        strspn(settings.consumer, name) != strlen(settings.consumer))
        die("--consumer `%s`: must be 1 to 64 letters, digits, . _ -", settings.consumer);
    return settings;
}

int main(int argc, char **argv)
{
    const struct settings settings = read_arguments(argc, argv);
    slaclock_db *db = NULL;
    check(slaclock_open(settings.database, SLACLOCK_NTS, NULL, &db, &error));
    run(db, &settings);
    check(slaclock_close(db, &error));
    return 0;
}
