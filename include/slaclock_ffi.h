#define FFI_SCOPE "slaclock"
#define FFI_LIB "libslaclock.so.0"
struct ArrowSchema {
    const char *format;
    const char *name;
    const char *metadata;
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema **children;
    struct ArrowSchema *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};
struct ArrowArray {
    int64_t length;
    int64_t null_count;
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};
struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *out);
    int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *out);
    const char *(*get_last_error)(struct ArrowArrayStream *);
    void (*release)(struct ArrowArrayStream *);
    void *private_data;
};
typedef enum slaclock_status {
    SLACLOCK_STATUS_OK = 0,
    SLACLOCK_STATUS_NOT_FOUND = 1,
    SLACLOCK_STATUS_OUT_OF_RANGE = 2,
    SLACLOCK_STATUS_INVALID_ARGUMENT = 3,
    SLACLOCK_STATUS_INVALID_POLICY = 4,
    SLACLOCK_STATUS_INVALID_CALENDAR = 5,
    SLACLOCK_STATUS_UNKNOWN_ZONE = 6,
    SLACLOCK_STATUS_INVALID_EVENT = 7,
    SLACLOCK_STATUS_CONFLICT = 8,
    SLACLOCK_STATUS_NO_DEADLINE = 9,
    SLACLOCK_STATUS_PAUSED = 10,
    SLACLOCK_STATUS_ALREADY_EXISTS = 11,
    SLACLOCK_STATUS_BUSY = 12,
    SLACLOCK_STATUS_FORKED_HANDLE = 13,
    SLACLOCK_STATUS_CLOSED = 14,
    SLACLOCK_STATUS_READ_ONLY = 15,
    SLACLOCK_STATUS_DAMAGED = 16,
    SLACLOCK_STATUS_NOT_A_DATABASE = 17,
    SLACLOCK_STATUS_NEWER_FORMAT = 18,
    SLACLOCK_STATUS_IO = 19,
    SLACLOCK_STATUS_STORAGE_FULL = 20,
    SLACLOCK_STATUS_INVALID_MAPPING = 21,
    SLACLOCK_STATUS_INVALID_ROW = 22,
    SLACLOCK_STATUS_CANCELLED = 23,
    SLACLOCK_STATUS_UNSUPPORTED = 24,
    SLACLOCK_STATUS_INTERNAL = 25,
    SLACLOCK_STATUS_QUOTA_EXCEEDED = 26
} slaclock_status;
typedef enum slaclock_outcome {
    SLACLOCK_OUTCOME_REFUSED = 0,
    SLACLOCK_OUTCOME_RECORDED = 1,
    SLACLOCK_OUTCOME_ALREADY_RECORDED = 2
} slaclock_outcome;
typedef enum slaclock_stage {
    SLACLOCK_STAGE_IDLE = 0,
    SLACLOCK_STAGE_ON_TRACK = 1,
    SLACLOCK_STAGE_AT_RISK = 2,
    SLACLOCK_STAGE_LATE = 3,
    SLACLOCK_STAGE_BREACHED = 4,
    SLACLOCK_STAGE_PAUSED = 5,
    SLACLOCK_STAGE_MET = 6,
    SLACLOCK_STAGE_MISSED = 7,
    SLACLOCK_STAGE_CANCELLED = 8
} slaclock_stage;
typedef enum slaclock_threshold {
    SLACLOCK_THRESHOLD_WARNING = 1,
    SLACLOCK_THRESHOLD_LATE = 2,
    SLACLOCK_THRESHOLD_BREACHED = 3,
    SLACLOCK_THRESHOLD_WAIVED = 4,
    SLACLOCK_THRESHOLD_REVIEW = 5,
    SLACLOCK_THRESHOLD_READING = 6,
    SLACLOCK_THRESHOLD_BUDGET_EXHAUSTED = 7,
    SLACLOCK_THRESHOLD_PERIOD_BREACHED = 8
} slaclock_threshold;
typedef enum slaclock_goal_verdict {
    SLACLOCK_GOAL_VERDICT_NONE = 0,
    SLACLOCK_GOAL_VERDICT_KEPT = 1,
    SLACLOCK_GOAL_VERDICT_OPEN = 2,
    SLACLOCK_GOAL_VERDICT_BROKEN = 3
} slaclock_goal_verdict;
typedef enum slaclock_no_deadline {
    SLACLOCK_NO_DEADLINE_NEVER_OPEN = 1,
    SLACLOCK_NO_DEADLINE_BEYOND_RANGE = 2,
    SLACLOCK_NO_DEADLINE_NO_BRANCH = 3,
    SLACLOCK_NO_DEADLINE_NO_TARGET = 4,
    SLACLOCK_NO_DEADLINE_NO_RULE = 5,
    SLACLOCK_NO_DEADLINE_NOT_PROMISED = 6
} slaclock_no_deadline;
typedef enum slaclock_log_level {
    SLACLOCK_LOG_LEVEL_ERROR = 1,
    SLACLOCK_LOG_LEVEL_WARNING = 2
} slaclock_log_level;
typedef enum slaclock_edge {
    SLACLOCK_EDGE_FIRST = 0,
    SLACLOCK_EDGE_SECOND = 1
} slaclock_edge;
typedef enum slaclock_mode {
    SLACLOCK_MODE_SHARED = 0,
    SLACLOCK_MODE_EXCLUSIVE = 1
} slaclock_mode;
typedef enum slaclock_durability {
    SLACLOCK_DURABILITY_SAFE = 0,
    SLACLOCK_DURABILITY_BULK = 1
} slaclock_durability;
typedef enum slaclock_verify_when {
    SLACLOCK_VERIFY_WHEN_AUTO = 0,
    SLACLOCK_VERIFY_WHEN_ALWAYS = 1,
    SLACLOCK_VERIFY_WHEN_NEVER = 2
} slaclock_verify_when;
typedef enum slaclock_event_kind {
    SLACLOCK_EVENT_KIND_RECEIVED = 0,
    SLACLOCK_EVENT_KIND_ACKNOWLEDGED = 1,
    SLACLOCK_EVENT_KIND_REPLIED = 2,
    SLACLOCK_EVENT_KIND_CUSTOMER_REPLIED = 3,
    SLACLOCK_EVENT_KIND_UPDATED = 4,
    SLACLOCK_EVENT_KIND_ASSIGNED = 5,
    SLACLOCK_EVENT_KIND_PAUSED = 6,
    SLACLOCK_EVENT_KIND_RESUMED = 7,
    SLACLOCK_EVENT_KIND_VENDOR_CONTACTED = 8,
    SLACLOCK_EVENT_KIND_VENDOR_REPLIED = 9,
    SLACLOCK_EVENT_KIND_PROMISED = 10,
    SLACLOCK_EVENT_KIND_RESOLVED = 11,
    SLACLOCK_EVENT_KIND_REOPENED = 12,
    SLACLOCK_EVENT_KIND_CANCELLED = 13,
    SLACLOCK_EVENT_KIND_CHANGED = 14,
    SLACLOCK_EVENT_KIND_NOTE = 15,
    SLACLOCK_EVENT_KIND_EXPEDITED = 16,
    SLACLOCK_EVENT_KIND_EXPEDITE_WITHDRAWN = 17,
    SLACLOCK_EVENT_KIND_REFUSAL_PROPOSED = 18,
    SLACLOCK_EVENT_KIND_REFUSAL_APPROVED = 19,
    SLACLOCK_EVENT_KIND_REFUSAL_WITHDRAWN = 20,
    SLACLOCK_EVENT_KIND_WAIVED = 21,
    SLACLOCK_EVENT_KIND_WAIVER_WITHDRAWN = 22,
    SLACLOCK_EVENT_KIND_MIGRATED = 24,
    SLACLOCK_EVENT_KIND_FAQ_LINKED = 28,
    SLACLOCK_EVENT_KIND_FAQ_UNLINKED = 29
} slaclock_event_kind;
typedef enum slaclock_on_error {
    SLACLOCK_ON_ERROR_ABORT = 0,
    SLACLOCK_ON_ERROR_SKIP = 1
} slaclock_on_error;
typedef enum slaclock_per {
    SLACLOCK_PER_WHOLE = 0,
    SLACLOCK_PER_MONTH = 1,
    SLACLOCK_PER_QUARTER = 2,
    SLACLOCK_PER_YEAR = 3
} slaclock_per;
typedef enum slaclock_on_bad_row {
    SLACLOCK_ON_BAD_ROW_SKIP = 0,
    SLACLOCK_ON_BAD_ROW_ABORT = 1
} slaclock_on_bad_row;
typedef struct slaclock_batch slaclock_batch;
typedef struct slaclock_calendar slaclock_calendar;
typedef struct slaclock_db slaclock_db;
typedef struct slaclock_facts slaclock_facts;
typedef struct slaclock_policy slaclock_policy;
typedef struct slaclock_rule slaclock_rule;
typedef struct slaclock_text slaclock_text;
typedef struct slaclock_error {
    uint32_t size;
    int32_t code;
    int32_t reason;
    int32_t line;
    int32_t column;
    char message[240];
} slaclock_error;
typedef void (*slaclock_log_fn)(void *user, int32_t level, const char *message, size_t message_len);
typedef struct slaclock_options {
    uint32_t size;
    int32_t mode;
    int32_t durability;
    int32_t verify;
    int32_t read_only;
    int32_t share;
    int64_t cache_bytes;
    int64_t busy_timeout_ms;
    int64_t bulk_every_ms;
    int64_t bulk_every_rows;
} slaclock_options;
typedef struct slaclock_request {
    uint32_t size;
    const char *id;
    size_t id_len;
    int64_t received_at;
    const char *customer;
    size_t customer_len;
    const char *priority;
    size_t priority_len;
    const char *category;
    size_t category_len;
    const char *channel;
    size_t channel_len;
    const char *subject;
    size_t subject_len;
    const slaclock_facts *attributes;
} slaclock_request;
typedef struct slaclock_clock_status {
    int64_t cycle;
    int64_t started_at;
    int64_t due_at;
    int64_t limit_at;
    int64_t finished_at;
    int64_t remaining_s;
    slaclock_stage stage;
    int32_t beyond_known_holidays;
    char clock[256];
    char no_deadline[256];
} slaclock_clock_status;
typedef struct slaclock_event {
    uint32_t size;
    int32_t kind;
    int64_t at;
    const char *by;
    size_t by_len;
    const char *key;
    size_t key_len;
    const char *text;
    size_t text_len;
    const char *reason;
    size_t reason_len;
    const char *to;
    size_t to_len;
    const char *vendor;
    size_t vendor_len;
    int64_t due_at;
    const slaclock_facts *facts;
    const char *approved_by;
    size_t approved_by_len;
    const char *clock;
    size_t clock_len;
    int64_t cycle;
    const char *faq;
    size_t faq_len;
} slaclock_event;
typedef struct slaclock_query {
    uint32_t size;
    int32_t stages;
    int64_t now;
    int64_t since;
    int64_t until;
    const char *clock;
    size_t clock_len;
} slaclock_query;
typedef struct slaclock_row {
    int64_t due_at;
    int64_t limit_at;
    int64_t started_at;
    int64_t cycle;
    slaclock_stage stage;
    char request[256];
    char clock[256];
} slaclock_row;
typedef struct slaclock_stage_counts {
    int64_t on_track;
    int64_t at_risk;
    int64_t late;
    int64_t breached;
    int64_t paused;
    int64_t idle;
    int64_t met;
    int64_t missed;
    int64_t cancelled;
} slaclock_stage_counts;
typedef struct slaclock_notice {
    int64_t number;
    int64_t at;
    int64_t cycle;
    slaclock_threshold threshold;
    int32_t percent;
    int32_t by_change;
    int32_t retracted;
    char request[256];
    char clock[256];
    char period[24];
} slaclock_notice;
typedef struct slaclock_attainment_query {
    uint32_t size;
    int32_t per;
    int64_t now;
    const char *period;
    size_t period_len;
    const char *clock;
    size_t clock_len;
    const char *by;
    size_t by_len;
} slaclock_attainment_query;
typedef struct slaclock_attainment_row {
    int64_t first_day;
    int64_t last_day;
    int64_t met;
    int64_t missed;
    int64_t undecided;
    int64_t not_started;
    int64_t no_deadline;
    int64_t cancelled;
    int64_t waived;
    int64_t missed_within_limit;
    int64_t missed_limit_open;
    int64_t missed_breached;
    int64_t cycles_met;
    int64_t cycles_missed;
    int64_t share_bp;
    int64_t adjusted_share_bp;
    int64_t goal_bp;
    int64_t budget_left;
    slaclock_goal_verdict verdict;
    int32_t period_over;
    char clock[256];
} slaclock_attainment_row;
typedef struct slaclock_db_info {
    int64_t format;
    int64_t requests;
    int64_t events;
    int64_t clocks;
    int64_t notices;
    int64_t advanced_to;
    int64_t latest_event_at;
    int64_t unfolded;
    int64_t file_bytes;
    int64_t index_bytes;
} slaclock_db_info;
typedef struct slaclock_rebuilt {
    int64_t requests;
    int64_t events;
    int64_t clocks;
    int64_t index_rows;
    int64_t notices;
    int64_t differing;
    int64_t repaired;
} slaclock_rebuilt;
typedef struct slaclock_progress {
    int64_t bytes;
    int64_t total_bytes;
    int64_t rows;
    int64_t requests;
    int64_t events;
} slaclock_progress;
typedef int32_t (*slaclock_progress_fn)(void *user, const slaclock_progress *progress);
typedef struct slaclock_import_options {
    uint32_t size;
    int32_t on_bad_row;
    int64_t keep_oddities;
    slaclock_progress_fn progress;
    void *user;
} slaclock_import_options;
typedef struct slaclock_written {
    int64_t recorded;
    int64_t already_recorded;
    int64_t refused;
} slaclock_written;
 const char *slaclock_status_name(int32_t status);
const char *slaclock_status_text(int32_t status);
const char *slaclock_last_error(void);
 const char *slaclock_version(void);
 int32_t slaclock_abi_version(void);
slaclock_status slaclock_tzdb_version(slaclock_text **out_text,
                                      slaclock_error *error);
slaclock_status slaclock_set_log(slaclock_log_fn callback,
                                 void *user,
                                 slaclock_error *error);
const char *slaclock_text_data(const slaclock_text *text);
 size_t slaclock_text_len(const slaclock_text *text);
 void slaclock_text_free(slaclock_text *text);
slaclock_status slaclock_facts_new(slaclock_facts **out_facts,
                                   slaclock_error *error);
slaclock_status slaclock_facts_from_json(const char *json,
                                         size_t json_len,
                                         slaclock_facts **out_facts,
                                         slaclock_error *error);
slaclock_status slaclock_facts_set(slaclock_facts *facts,
                                   const char *name,
                                   size_t name_len,
                                   const char *value,
                                   size_t value_len,
                                   slaclock_error *error);
void slaclock_facts_free(slaclock_facts *facts);
slaclock_status slaclock_policy_load(const char *path,
                                     size_t path_len,
                                     slaclock_policy **out_policy,
                                     slaclock_error *error);
slaclock_status slaclock_policy_from_text(const char *text,
                                          size_t text_len,
                                          slaclock_policy **out_policy,
                                          slaclock_error *error);
slaclock_status slaclock_policy_source(const slaclock_policy *policy,
                                       slaclock_text **out_text,
                                       slaclock_error *error);
slaclock_status slaclock_policy_json(const slaclock_policy *policy,
                                     slaclock_text **out_json,
                                     slaclock_error *error);
slaclock_status slaclock_policy_lint(const slaclock_policy *policy,
                                     int64_t day,
                                     int64_t *out_count,
                                     slaclock_text **out_json,
                                     slaclock_error *error);
slaclock_status slaclock_policy_schema(slaclock_text **out_json,
                                       slaclock_error *error);
slaclock_status slaclock_policy_due(const slaclock_policy *policy,
                                    const char *clock,
                                    size_t clock_len,
                                    int64_t received_at,
                                    const slaclock_facts *facts,
                                    int64_t *out_due_at,
                                    slaclock_error *error);
slaclock_status slaclock_policy_limit(const slaclock_policy *policy,
                                      const char *clock,
                                      size_t clock_len,
                                      int64_t received_at,
                                      const slaclock_facts *facts,
                                      int64_t *out_limit_at,
                                      slaclock_error *error);
slaclock_status slaclock_policy_due_many(const slaclock_policy *policy,
                                         const char *clock,
                                         size_t clock_len,
                                         const slaclock_facts *facts,
                                         const int64_t *received_at,
                                         size_t n,
                                         int64_t *out_due_at,
                                         slaclock_error *error);
slaclock_status slaclock_policy_rule(const slaclock_policy *policy,
                                     const char *clock,
                                     size_t clock_len,
                                     const slaclock_facts *facts,
                                     slaclock_rule **out_rule,
                                     slaclock_error *error);
slaclock_status slaclock_policy_calendar(const slaclock_policy *policy,
                                         const char *name,
                                         size_t name_len,
                                         slaclock_calendar **out_calendar,
                                         slaclock_error *error);
slaclock_status slaclock_policy_explain(const slaclock_policy *policy,
                                        const char *clock,
                                        size_t clock_len,
                                        int64_t received_at,
                                        const slaclock_facts *facts,
                                        slaclock_text **out_text,
                                        slaclock_text **out_json,
                                        slaclock_error *error);
void slaclock_policy_free(slaclock_policy *policy);
slaclock_status slaclock_rule_due(const slaclock_rule *rule,
                                  int64_t received_at,
                                  int64_t *out_due_at,
                                  slaclock_error *error);
slaclock_status slaclock_rule_limit(const slaclock_rule *rule,
                                    int64_t received_at,
                                    int64_t *out_limit_at,
                                    slaclock_error *error);
slaclock_status slaclock_rule_due_many(const slaclock_rule *rule,
                                       const int64_t *received_at,
                                       size_t n,
                                       int64_t *out_due_at,
                                       slaclock_error *error);
slaclock_status slaclock_rule_due_paused(const slaclock_rule *rule,
                                         int64_t received_at,
                                         int64_t paused_working_s,
                                         int64_t paused_elapsed_s,
                                         int64_t promised_at,
                                         int64_t *out_due_at,
                                         slaclock_error *error);
slaclock_status slaclock_rule_paused(const slaclock_rule *rule,
                                     int64_t received_at,
                                     int64_t from_at,
                                     int64_t to_at,
                                     int64_t *out_working_s,
                                     int64_t *out_elapsed_s,
                                     slaclock_error *error);
slaclock_status slaclock_rule_calendar(const slaclock_rule *rule,
                                       slaclock_calendar **out_calendar,
                                       slaclock_error *error);
 void slaclock_rule_free(slaclock_rule *rule);
slaclock_status slaclock_calendar_zone(const slaclock_calendar *calendar,
                                       slaclock_text **out_text,
                                       slaclock_error *error);
slaclock_status slaclock_calendar_is_open(const slaclock_calendar *calendar,
                                          int64_t at,
                                          int32_t *out_open,
                                          slaclock_error *error);
slaclock_status slaclock_calendar_next_open(const slaclock_calendar *calendar,
                                            int64_t at,
                                            int64_t *out_opens_at,
                                            slaclock_error *error);
slaclock_status slaclock_calendar_next_close(const slaclock_calendar *calendar,
                                             int64_t at,
                                             int64_t *out_closes_at,
                                             slaclock_error *error);
slaclock_status slaclock_calendar_working_time(const slaclock_calendar *calendar,
                                               int64_t from_at,
                                               int64_t to_at,
                                               int64_t *out_working_s,
                                               slaclock_error *error);
slaclock_status slaclock_calendar_working_time_many(const slaclock_calendar *calendar,
                                                    const int64_t *from_at,
                                                    const int64_t *to_at,
                                                    size_t n,
                                                    int64_t *out_working_s,
                                                    slaclock_error *error);
slaclock_status slaclock_calendar_add_working_time(const slaclock_calendar *calendar,
                                                   int64_t at,
                                                   int64_t working_s,
                                                   int64_t *out_at,
                                                   slaclock_error *error);
slaclock_status slaclock_calendar_sub_working_time(const slaclock_calendar *calendar,
                                                   int64_t at,
                                                   int64_t working_s,
                                                   int64_t *out_at,
                                                   slaclock_error *error);
slaclock_status slaclock_calendar_is_working_day(const slaclock_calendar *calendar,
                                                 int64_t day,
                                                 int32_t *out_working,
                                                 slaclock_error *error);
slaclock_status slaclock_calendar_add_working_days(const slaclock_calendar *calendar,
                                                   int64_t day,
                                                   int64_t n,
                                                   int64_t *out_day,
                                                   slaclock_error *error);
slaclock_status slaclock_calendar_working_days(const slaclock_calendar *calendar,
                                               int64_t from_day,
                                               int64_t to_day,
                                               int64_t *out_days,
                                               slaclock_error *error);
slaclock_status slaclock_calendar_local(const slaclock_calendar *calendar,
                                        int64_t at,
                                        int64_t *out_day,
                                        int64_t *out_time_s,
                                        slaclock_error *error);
slaclock_status slaclock_calendar_instant(const slaclock_calendar *calendar,
                                          int64_t day,
                                          int64_t time_s,
                                          int32_t edge,
                                          int64_t *out_at,
                                          slaclock_error *error);
slaclock_status slaclock_calendar_hours(const slaclock_calendar *calendar,
                                        int64_t day,
                                        int64_t *out_opens_at,
                                        int64_t *out_closes_at,
                                        slaclock_error *error);
slaclock_status slaclock_calendar_intervals(const slaclock_calendar *calendar,
                                            int64_t from_at,
                                            int64_t to_at,
                                            int64_t *out_opens_at,
                                            int64_t *out_closes_at,
                                            size_t capacity,
                                            size_t *out_filled,
                                            slaclock_error *error);
 void slaclock_calendar_free(slaclock_calendar *calendar);
slaclock_status slaclock_options_init(slaclock_options *options,
                                      size_t size,
                                      slaclock_error *error);
slaclock_status slaclock_create(const char *path,
                                size_t path_len,
                                const slaclock_policy *policy,
                                const slaclock_options *options,
                                slaclock_db **out_db,
                                slaclock_error *error);
slaclock_status slaclock_in_memory(const slaclock_policy *policy,
                                   slaclock_db **out_db,
                                   slaclock_error *error);
slaclock_status slaclock_open(const char *path,
                              size_t path_len,
                              const slaclock_options *options,
                              slaclock_db **out_db,
                              slaclock_error *error);
slaclock_status slaclock_close(slaclock_db *db,
                               slaclock_error *error);
slaclock_status slaclock_shutdown(slaclock_error *error);
slaclock_status slaclock_flush(slaclock_db *db,
                               slaclock_error *error);
slaclock_status slaclock_cancel(slaclock_db *db,
                                int32_t cancel,
                                slaclock_error *error);
slaclock_status slaclock_install(slaclock_db *db,
                                 const slaclock_policy *policy,
                                 int64_t from_at,
                                 slaclock_error *error);
slaclock_status slaclock_db_policy(const slaclock_db *db,
                                   slaclock_policy **out_policy,
                                   slaclock_error *error);
slaclock_status slaclock_policies_json(const slaclock_db *db,
                                       slaclock_text **out_json,
                                       slaclock_error *error);
slaclock_status slaclock_request_init(slaclock_request *request,
                                      size_t size,
                                      slaclock_error *error);
slaclock_status slaclock_submit(slaclock_db *db,
                                const slaclock_request *request,
                                slaclock_outcome *out_outcome,
                                slaclock_error *error);
slaclock_status slaclock_submit_json(slaclock_db *db,
                                     const char *json,
                                     size_t json_len,
                                     slaclock_text **out_json,
                                     slaclock_error *error);
slaclock_status slaclock_clocks(const slaclock_db *db,
                                const char *id,
                                size_t id_len,
                                int64_t now,
                                slaclock_clock_status *out_clocks,
                                size_t capacity,
                                size_t *out_count,
                                slaclock_error *error);
slaclock_status slaclock_get_json(const slaclock_db *db,
                                  const char *id,
                                  size_t id_len,
                                  int64_t now,
                                  slaclock_text **out_json,
                                  slaclock_error *error);
slaclock_status slaclock_event_init(slaclock_event *event,
                                    size_t size,
                                    slaclock_error *error);
slaclock_status slaclock_record(slaclock_db *db,
                                const char *id,
                                size_t id_len,
                                const slaclock_event *event,
                                slaclock_outcome *out_outcome,
                                slaclock_error *error);
slaclock_status slaclock_record_json(slaclock_db *db,
                                     const char *id,
                                     size_t id_len,
                                     const char *json,
                                     size_t json_len,
                                     slaclock_text **out_json,
                                     slaclock_error *error);
slaclock_status slaclock_batch_new(slaclock_batch **out_batch,
                                   slaclock_error *error);
slaclock_status slaclock_batch_submit(slaclock_batch *batch,
                                      const slaclock_request *request,
                                      slaclock_error *error);
slaclock_status slaclock_batch_record(slaclock_batch *batch,
                                      const char *id,
                                      size_t id_len,
                                      const slaclock_event *event,
                                      slaclock_error *error);
 size_t slaclock_batch_len(const slaclock_batch *batch);
slaclock_status slaclock_batch_clear(slaclock_batch *batch,
                                     slaclock_error *error);
 void slaclock_batch_free(slaclock_batch *batch);
slaclock_status slaclock_apply(slaclock_db *db,
                               const slaclock_batch *batch,
                               int32_t on_error,
                               int32_t *out_outcomes,
                               int32_t *out_statuses,
                               size_t capacity,
                               slaclock_text **out_refused,
                               slaclock_error *error);
slaclock_status slaclock_apply_json(slaclock_db *db,
                                    const char *json,
                                    size_t json_len,
                                    int32_t on_error,
                                    slaclock_text **out_json,
                                    slaclock_error *error);
slaclock_status slaclock_query_init(slaclock_query *query,
                                    size_t size,
                                    slaclock_error *error);
slaclock_status slaclock_scan(const slaclock_db *db,
                              const slaclock_query *query,
                              int64_t after,
                              slaclock_row *out_rows,
                              size_t capacity,
                              size_t *out_filled,
                              int64_t *out_next,
                              slaclock_error *error);
slaclock_status slaclock_scan_json(const slaclock_db *db,
                                   const slaclock_query *query,
                                   int64_t after,
                                   size_t limit,
                                   slaclock_text **out_json,
                                   slaclock_error *error);
slaclock_status slaclock_late(const slaclock_db *db,
                              int64_t now,
                              int64_t after,
                              slaclock_row *out_rows,
                              size_t capacity,
                              size_t *out_filled,
                              int64_t *out_next,
                              slaclock_error *error);
slaclock_status slaclock_breached(const slaclock_db *db,
                                  int64_t now,
                                  int64_t after,
                                  slaclock_row *out_rows,
                                  size_t capacity,
                                  size_t *out_filled,
                                  int64_t *out_next,
                                  slaclock_error *error);
slaclock_status slaclock_at_risk(const slaclock_db *db,
                                 int64_t now,
                                 int64_t after,
                                 slaclock_row *out_rows,
                                 size_t capacity,
                                 size_t *out_filled,
                                 int64_t *out_next,
                                 slaclock_error *error);
slaclock_status slaclock_due_before(const slaclock_db *db,
                                    int64_t until,
                                    int64_t after,
                                    slaclock_row *out_rows,
                                    size_t capacity,
                                    size_t *out_filled,
                                    int64_t *out_next,
                                    slaclock_error *error);
slaclock_status slaclock_newly_late(const slaclock_db *db,
                                    int64_t last,
                                    int64_t now,
                                    int64_t after,
                                    slaclock_row *out_rows,
                                    size_t capacity,
                                    size_t *out_filled,
                                    int64_t *out_next,
                                    slaclock_error *error);
slaclock_status slaclock_next_due(const slaclock_db *db,
                                  int64_t now,
                                  slaclock_row *out_row,
                                  int32_t *out_found,
                                  slaclock_error *error);
slaclock_status slaclock_counts(const slaclock_db *db,
                                int64_t now,
                                slaclock_stage_counts *out_counts,
                                slaclock_error *error);
slaclock_status slaclock_advance(slaclock_db *db,
                                 int64_t now,
                                 int64_t *out_count,
                                 slaclock_error *error);
slaclock_status slaclock_pending(const slaclock_db *db,
                                 const char *consumer,
                                 size_t consumer_len,
                                 slaclock_notice *out_notices,
                                 size_t capacity,
                                 size_t *out_filled,
                                 slaclock_error *error);
slaclock_status slaclock_pending_json(const slaclock_db *db,
                                      const char *consumer,
                                      size_t consumer_len,
                                      size_t limit,
                                      slaclock_text **out_json,
                                      slaclock_error *error);
slaclock_status slaclock_acknowledge(slaclock_db *db,
                                     const char *consumer,
                                     size_t consumer_len,
                                     int64_t number,
                                     slaclock_error *error);
slaclock_status slaclock_acknowledged(const slaclock_db *db,
                                      const char *consumer,
                                      size_t consumer_len,
                                      int64_t *out_number,
                                      slaclock_error *error);
slaclock_status slaclock_attainment_query_init(slaclock_attainment_query *query,
                                               size_t size,
                                               slaclock_error *error);
slaclock_status slaclock_attainment(const slaclock_db *db,
                                    const slaclock_attainment_query *query,
                                    slaclock_attainment_row *out_attainment,
                                    size_t capacity,
                                    size_t *out_count,
                                    slaclock_error *error);
slaclock_status slaclock_attainment_json(const slaclock_db *db,
                                         const slaclock_attainment_query *query,
                                         slaclock_text **out_json,
                                         slaclock_error *error);
slaclock_status slaclock_waiting_json(const slaclock_db *db,
                                      const char *period,
                                      size_t period_len,
                                      int64_t now,
                                      slaclock_text **out_json,
                                      slaclock_error *error);
slaclock_status slaclock_report_json(const slaclock_db *db,
                                     const char *query,
                                     size_t query_len,
                                     slaclock_text **out_json,
                                     slaclock_error *error);
slaclock_status slaclock_report_html(const slaclock_db *db,
                                     const char *query,
                                     size_t query_len,
                                     slaclock_text **out_html,
                                     slaclock_error *error);
slaclock_status slaclock_simulate_json(const slaclock_db *db,
                                       const slaclock_policy *const *policies,
                                       size_t n,
                                       const slaclock_attainment_query *query,
                                       slaclock_text **out_json,
                                       slaclock_error *error);
slaclock_status slaclock_fairness_json(const slaclock_db *db,
                                       const slaclock_attainment_query *query,
                                       slaclock_text **out_json,
                                       slaclock_error *error);
slaclock_status slaclock_outlook_json(const slaclock_db *db,
                                      const char *query,
                                      size_t query_len,
                                      slaclock_text **out_json,
                                      slaclock_error *error);
slaclock_status slaclock_interrupt(slaclock_db *db,
                                   const char *order,
                                   size_t order_len,
                                   int64_t at,
                                   const char *by,
                                   size_t by_len,
                                   const char *text,
                                   size_t text_len,
                                   int32_t dry_run,
                                   slaclock_text **out_json,
                                   slaclock_error *error);
slaclock_status slaclock_interruptions_json(const slaclock_db *db,
                                            slaclock_text **out_json,
                                            slaclock_error *error);
slaclock_status slaclock_migrate(slaclock_db *db,
                                 int64_t version,
                                 const char *scope,
                                 size_t scope_len,
                                 int64_t at,
                                 const char *by,
                                 size_t by_len,
                                 int32_t dry_run,
                                 slaclock_text **out_json,
                                 slaclock_error *error);
slaclock_status slaclock_retz(slaclock_db *db,
                              const char *folder,
                              size_t folder_len,
                              int64_t at,
                              const char *by,
                              size_t by_len,
                              int32_t dry_run,
                              slaclock_text **out_json,
                              slaclock_error *error);
slaclock_status slaclock_fork(const slaclock_db *db,
                              const char *path,
                              size_t path_len,
                              int64_t *out_bytes,
                              slaclock_error *error);
slaclock_status slaclock_expedite_quota_json(const slaclock_db *db,
                                             const char *customer,
                                             size_t customer_len,
                                             int64_t at,
                                             slaclock_text **out_json,
                                             slaclock_error *error);
slaclock_status slaclock_expedites_json(const slaclock_db *db,
                                        const char *period,
                                        size_t period_len,
                                        slaclock_text **out_json,
                                        slaclock_error *error);
slaclock_status slaclock_waits_json(const slaclock_db *db,
                                    const char *period,
                                    size_t period_len,
                                    int64_t now,
                                    slaclock_text **out_json,
                                    slaclock_error *error);
slaclock_status slaclock_judged_json(const slaclock_db *db,
                                     const slaclock_attainment_query *query,
                                     slaclock_text **out_json,
                                     slaclock_error *error);
slaclock_status slaclock_acknowledge_policy(slaclock_db *db,
                                            const char *json,
                                            size_t json_len,
                                            slaclock_outcome *out_outcome,
                                            slaclock_error *error);
slaclock_status slaclock_acknowledgements_json(const slaclock_db *db,
                                               slaclock_text **out_json,
                                               slaclock_error *error);
slaclock_status slaclock_reminders_json(const slaclock_db *db,
                                        int64_t now,
                                        slaclock_text **out_json,
                                        slaclock_error *error);
slaclock_status slaclock_refusals_json(const slaclock_db *db,
                                       int64_t now,
                                       slaclock_text **out_json,
                                       slaclock_error *error);
slaclock_status slaclock_history_json(const slaclock_db *db,
                                      const char *customer,
                                      size_t customer_len,
                                      int64_t after,
                                      size_t limit,
                                      slaclock_text **out_json,
                                      slaclock_error *error);
slaclock_status slaclock_faq_requests_json(const slaclock_db *db,
                                           const char *id,
                                           size_t id_len,
                                           int64_t after,
                                           size_t limit,
                                           slaclock_text **out_json,
                                           slaclock_error *error);
slaclock_status slaclock_faq_publish(slaclock_db *db,
                                     const char *json,
                                     size_t json_len,
                                     int64_t at,
                                     const char *by,
                                     size_t by_len,
                                     slaclock_outcome *out_outcome,
                                     slaclock_error *error);
slaclock_status slaclock_faq_amend(slaclock_db *db,
                                   const char *json,
                                   size_t json_len,
                                   int64_t at,
                                   const char *by,
                                   size_t by_len,
                                   slaclock_outcome *out_outcome,
                                   slaclock_error *error);
slaclock_status slaclock_faq_withdraw(slaclock_db *db,
                                      const char *id,
                                      size_t id_len,
                                      int64_t at,
                                      const char *by,
                                      size_t by_len,
                                      slaclock_outcome *out_outcome,
                                      slaclock_error *error);
slaclock_status slaclock_faq_link(slaclock_db *db,
                                  const char *request,
                                  size_t request_len,
                                  const char *id,
                                  size_t id_len,
                                  int64_t at,
                                  const char *by,
                                  size_t by_len,
                                  slaclock_outcome *out_outcome,
                                  slaclock_error *error);
slaclock_status slaclock_faq_unlink(slaclock_db *db,
                                    const char *request,
                                    size_t request_len,
                                    const char *id,
                                    size_t id_len,
                                    int64_t at,
                                    const char *by,
                                    size_t by_len,
                                    slaclock_outcome *out_outcome,
                                    slaclock_error *error);
slaclock_status slaclock_faq_json(const slaclock_db *db,
                                  int32_t with_withdrawn,
                                  slaclock_text **out_json,
                                  slaclock_error *error);
slaclock_status slaclock_faq_entry_json(const slaclock_db *db,
                                        const char *id,
                                        size_t id_len,
                                        slaclock_text **out_json,
                                        slaclock_error *error);
slaclock_status slaclock_faq_markdown(const slaclock_db *db,
                                      const char *title,
                                      size_t title_len,
                                      slaclock_text **out_text,
                                      slaclock_error *error);
slaclock_status slaclock_search_json(const slaclock_db *db,
                                     const char *query,
                                     size_t query_len,
                                     slaclock_text **out_json,
                                     slaclock_error *error);
slaclock_status slaclock_explain(const slaclock_db *db,
                                 const char *id,
                                 size_t id_len,
                                 const char *clock,
                                 size_t clock_len,
                                 int64_t now,
                                 slaclock_text **out_text,
                                 slaclock_text **out_json,
                                 slaclock_error *error);
slaclock_status slaclock_info(const slaclock_db *db,
                              slaclock_db_info *out_info,
                              slaclock_error *error);
slaclock_status slaclock_info_json(const slaclock_db *db,
                                   slaclock_text **out_json,
                                   slaclock_error *error);
slaclock_status slaclock_verify(const slaclock_db *db,
                                slaclock_rebuilt *out_rebuilt,
                                slaclock_text **out_json,
                                slaclock_error *error);
slaclock_status slaclock_check(const slaclock_db *db,
                               slaclock_rebuilt *out_rebuilt,
                               slaclock_text **out_json,
                               slaclock_error *error);
slaclock_status slaclock_rebuild(slaclock_db *db,
                                 slaclock_rebuilt *out_rebuilt,
                                 slaclock_text **out_json,
                                 slaclock_error *error);
slaclock_status slaclock_compact(slaclock_db *db,
                                 int32_t *out_shrank,
                                 slaclock_error *error);
slaclock_status slaclock_salvage(const char *path,
                                 size_t path_len,
                                 const char *to,
                                 size_t to_len,
                                 const slaclock_policy *policy,
                                 int32_t stand_ins,
                                 slaclock_text **out_json,
                                 slaclock_error *error);
slaclock_status slaclock_import_options_init(slaclock_import_options *options,
                                             size_t size,
                                             slaclock_error *error);
slaclock_status slaclock_import(slaclock_db *db,
                                const char *path,
                                size_t path_len,
                                const char *mapping,
                                size_t mapping_len,
                                const slaclock_import_options *options,
                                slaclock_text **out_json,
                                slaclock_error *error);
slaclock_status slaclock_scan_arrow(const slaclock_db *db,
                                    const slaclock_query *query,
                                    struct ArrowArrayStream *out_stream,
                                    slaclock_error *error);
slaclock_status slaclock_pending_arrow(const slaclock_db *db,
                                       const char *consumer,
                                       size_t consumer_len,
                                       size_t limit,
                                       struct ArrowArrayStream *out_stream,
                                       slaclock_error *error);
slaclock_status slaclock_attainment_arrow(const slaclock_db *db,
                                          const slaclock_attainment_query *query,
                                          struct ArrowArrayStream *out_stream,
                                          slaclock_error *error);
slaclock_status slaclock_waiting_arrow(const slaclock_db *db,
                                       const char *period,
                                       size_t period_len,
                                       int64_t now,
                                       struct ArrowArrayStream *out_stream,
                                       slaclock_error *error);
slaclock_status slaclock_submit_arrow(slaclock_db *db,
                                      struct ArrowArrayStream *requests,
                                      const char *zone,
                                      size_t zone_len,
                                      int32_t on_error,
                                      slaclock_written *out_written,
                                      slaclock_text **out_refused,
                                      slaclock_error *error);
slaclock_status slaclock_record_arrow(slaclock_db *db,
                                      struct ArrowArrayStream *events,
                                      const char *zone,
                                      size_t zone_len,
                                      int32_t on_error,
                                      slaclock_written *out_written,
                                      slaclock_text **out_refused,
                                      slaclock_error *error);
