/* What was asked before and what helped: history, FAQ and search, from C. */
#include "check.h"

static void submit(slaclock_db *db, const char *id, int64_t received_at, const char *customer, const char *subject) {
    slaclock_request request = SLACLOCK_REQUEST_INIT;
    request.id = id;
    request.received_at = received_at;
    request.customer = customer;
    request.subject = subject;
    OK(slaclock_submit(db, &request, NULL, &error));
}

static void say(slaclock_db *db, const char *id, int32_t kind, const char *text) {
    slaclock_event event = SLACLOCK_EVENT_INIT;
    event.kind = kind;
    event.at = FRIDAY_15 + HOUR;
    event.by = "ann";
    event.text = text;
    OK(slaclock_record(db, id, NTS, &event, NULL, &error));
}

/* The number behind "next": in a page. */
static int64_t next_of(slaclock_text *json) {
    const char *place = strstr(slaclock_text_data(json), "\"next\":");
    int64_t next = place ? strtoll(place + 7, NULL, 10) : 0;
    slaclock_text_free(json);
    return next;
}

static void history(slaclock_db *db) {
    slaclock_text *json = NULL, *untouched = NULL;
    OK(slaclock_history_json(db, "acme", NTS, SLACLOCK_PAGE_FIRST, 10, &json, &error));
    SAYS(json, "\"rows\":[{\"request\":\"CASE-2\"");
    OK(slaclock_history_json(db, "acme", NTS, SLACLOCK_PAGE_FIRST, 10, &json, &error));
    SAYS(json, "\"text\":\"Reinstall the client.\",\"to_customer\":true");
    OK(slaclock_history_json(db, "acme", NTS, SLACLOCK_PAGE_FIRST, 1, &json, &error));
    int64_t next = next_of(json);
    CHECK(next > 0);
    OK(slaclock_history_json(db, "acme", NTS, next, 1, &json, &error));
    SAYS(json, "\"rows\":[{\"request\":\"CASE-1\"");
    OK(slaclock_history_json(db, "acme", NTS, next, 1, &json, &error));
    CHECK(next_of(json) == SLACLOCK_PAGE_END);
    OK(slaclock_history_json(db, "acme", NTS, SLACLOCK_PAGE_END, 1, &json, &error));
    SAYS(json, "\"rows\":[]");
    OK(slaclock_history_json(db, "nobody", NTS, SLACLOCK_PAGE_FIRST, 1, &json, &error));
    SAYS(json, "\"rows\":[]");
    GIVES(SLACLOCK_STATUS_OUT_OF_RANGE,
          slaclock_history_json(db, "acme", NTS, SLACLOCK_PAGE_FIRST, 0, &untouched, &error));
    GIVES(SLACLOCK_STATUS_OUT_OF_RANGE,
          slaclock_history_json(db, "acme", NTS, SLACLOCK_PAGE_FIRST, 1001, &untouched, &error));
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT,
          slaclock_history_json(db, NULL, NTS, SLACLOCK_PAGE_FIRST, 1, &untouched, &error));
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT,
          slaclock_history_json(db, "", 0, SLACLOCK_PAGE_FIRST, 1, &untouched, &error));
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_history_json(db, "acme", NTS, SLACLOCK_PAGE_FIRST, 1, NULL, &error));
    CHECK(untouched == NULL);
}

static void faq(slaclock_db *db) {
    const int64_t at = MONDAY_11;
    slaclock_outcome outcome;
    slaclock_text *json = NULL, *untouched = NULL;
    const char *draft = "{\"id\": \"vpn\", \"request\": \"CASE-1\"}";
    OK(slaclock_faq_publish(db, draft, NTS, at, "ann", NTS, &outcome, &error));
    CHECK(outcome == SLACLOCK_OUTCOME_RECORDED);
    OK(slaclock_faq_publish(db, draft, NTS, at, "ann", NTS, &outcome, &error));
    CHECK(outcome == SLACLOCK_OUTCOME_ALREADY_RECORDED);
    GIVES(SLACLOCK_STATUS_CONFLICT,
          slaclock_faq_publish(db, "{\"id\": \"vpn\", \"question\": \"q\", \"answer\": \"a\"}", NTS, at, "ann", NTS, NULL, &error));
    GIVES(SLACLOCK_STATUS_NOT_FOUND,
          slaclock_faq_publish(db, "{\"id\": \"x\", \"request\": \"CASE-9\"}", NTS, at, "ann", NTS, NULL, &error));
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_faq_publish(db, "{\"id\": \"x\"}", NTS, at, "ann", NTS, NULL, &error));
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_faq_publish(db, "{\"ids\": 1}", NTS, at, "ann", NTS, NULL, &error));
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_faq_publish(db, draft, NTS, at, "", 0, NULL, &error));
    GIVES(SLACLOCK_STATUS_OUT_OF_RANGE, slaclock_faq_publish(db, draft, NTS, -1, "ann", NTS, NULL, &error));

    const char *better = "{\"id\": \"vpn\", \"answer\": \"Reinstall it, then restart.\"}";
    OK(slaclock_faq_amend(db, better, NTS, at + 1, "bob", NTS, &outcome, &error));
    CHECK(outcome == SLACLOCK_OUTCOME_RECORDED);
    GIVES(SLACLOCK_STATUS_CONFLICT,
          slaclock_faq_amend(db, "{\"id\": \"vpn\", \"answer\": \"b\"}", NTS, at - 1, "bob", NTS, NULL, &error));
    GIVES(SLACLOCK_STATUS_NOT_FOUND,
          slaclock_faq_amend(db, "{\"id\": \"none\", \"answer\": \"b\"}", NTS, at, "bob", NTS, NULL, &error));
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT,
          slaclock_faq_amend(db, "{\"id\": \"vpn\", \"answer\": \" \"}", NTS, at + 2, "bob", NTS, NULL, &error));

    OK(slaclock_faq_link(db, "CASE-2", NTS, "vpn", NTS, at, "ann", NTS, &outcome, &error));
    CHECK(outcome == SLACLOCK_OUTCOME_RECORDED);
    OK(slaclock_faq_link(db, "CASE-2", NTS, "vpn", NTS, at, "ann", NTS, &outcome, &error));
    CHECK(outcome == SLACLOCK_OUTCOME_ALREADY_RECORDED);
    GIVES(SLACLOCK_STATUS_NOT_FOUND, slaclock_faq_link(db, "CASE-9", NTS, "vpn", NTS, at, "ann", NTS, NULL, &error));
    GIVES(SLACLOCK_STATUS_NOT_FOUND, slaclock_faq_link(db, "CASE-2", NTS, "none", NTS, at, "ann", NTS, NULL, &error));
    GIVES(SLACLOCK_STATUS_INVALID_EVENT,
          slaclock_faq_link(db, "CASE-2", NTS, "vpn", NTS, FRIDAY_15 - 1, "ann", NTS, NULL, &error));
    OK(slaclock_record_json(db, "CASE-1", NTS, "{\"event\": \"faq_linked\", \"faq\": \"vpn\", \"at\": 1773043200}", NTS, NULL,
                            &error));
    OK(slaclock_faq_unlink(db, "CASE-1", NTS, "vpn", NTS, at + HOUR, "ann", NTS, NULL, &error));
    GIVES(SLACLOCK_STATUS_INVALID_EVENT,
          slaclock_faq_unlink(db, "CASE-1", NTS, "vpn", NTS, at + 2 * HOUR, "ann", NTS, NULL, &error));

    OK(slaclock_faq_json(db, 0, &json, &error));
    SAYS(json, "\"answer\":\"Reinstall it, then restart.\"");
    OK(slaclock_faq_entry_json(db, "vpn", NTS, &json, &error));
    SAYS(json, "\"uses\":1");
    OK(slaclock_faq_entry_json(db, "vpn", NTS, &json, &error));
    SAYS(json, "\"act\":\"amended\"");
    GIVES(SLACLOCK_STATUS_NOT_FOUND, slaclock_faq_entry_json(db, "none", NTS, &untouched, &error));
    OK(slaclock_faq_requests_json(db, "vpn", NTS, SLACLOCK_PAGE_FIRST, 10, &json, &error));
    SAYS(json, "\"rows\":[{\"request\":\"CASE-2\"");
    GIVES(SLACLOCK_STATUS_NOT_FOUND,
          slaclock_faq_requests_json(db, "none", NTS, SLACLOCK_PAGE_FIRST, 10, &untouched, &error));
    OK(slaclock_faq_markdown(db, "Help & FAQ", NTS, &json, &error));
    SAYS(json, "# Help &amp; FAQ\n\n1. [VPN drops](#faq-1)");
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_faq_markdown(db, "\xff", 1, &untouched, &error));

    OK(slaclock_faq_withdraw(db, "vpn", NTS, at + 2 * HOUR, "ann", NTS, NULL, &error));
    GIVES(SLACLOCK_STATUS_CONFLICT, slaclock_faq_withdraw(db, "vpn", NTS, at + 3 * HOUR, "ann", NTS, NULL, &error));
    GIVES(SLACLOCK_STATUS_NOT_FOUND, slaclock_faq_withdraw(db, "none", NTS, at, "ann", NTS, NULL, &error));
    OK(slaclock_faq_json(db, 0, &json, &error));
    SAYS(json, "[]");
    OK(slaclock_faq_json(db, 1, &json, &error));
    SAYS(json, "\"withdrawn\":true");
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_faq_json(db, 2, &untouched, &error));
    CHECK(untouched == NULL);
}

/* A library without search says so and how to get it; one with it searches. */
static void search(slaclock_db *db) {
    slaclock_text *json = NULL, *untouched = NULL;
    slaclock_error failure = SLACLOCK_ERROR_INIT;
    slaclock_status status = slaclock_search_json(db, "{\"text\": \"vpn\"}", NTS, &json, &failure);
    if (status == SLACLOCK_STATUS_UNSUPPORTED) {
        CHECK(strstr(failure.message, "--features search") != NULL);
        return;
    }
    CHECK(status == SLACLOCK_STATUS_OK);
    SAYS(json, "\"matches\":2,\"complete\":true");
    OK(slaclock_search_json(db, "{\"text\": \"vpn client\", \"every_word\": true}", NTS, &json, &error));
    SAYS(json, "\"id\":\"CASE-1\"");
    OK(slaclock_search_json(db, "{\"text\": \"vpn\", \"answered\": true}", NTS, &json, &error));
    SAYS(json, "\"matches\":1,");
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_search_json(db, "{\"text\": \"?\"}", NTS, &untouched, &error));
    GIVES(SLACLOCK_STATUS_INVALID_ARGUMENT, slaclock_search_json(db, "{\"words\": \"x\"}", NTS, &untouched, &error));
    GIVES(SLACLOCK_STATUS_OUT_OF_RANGE,
          slaclock_search_json(db, "{\"text\": \"vpn\", \"limit\": 1001}", NTS, &untouched, &error));
    CHECK(untouched == NULL);
}

int main(void) {
    slaclock_policy *policy = check_policy();
    slaclock_db *db = NULL;
    OK(slaclock_in_memory(policy, &db, &error));
    submit(db, "CASE-1", FRIDAY_15, "acme", "VPN drops");
    say(db, "CASE-1", SLACLOCK_EVENT_KIND_NOTE, "third time this week");
    say(db, "CASE-1", SLACLOCK_EVENT_KIND_REPLIED, "Reinstall the client.");
    submit(db, "CASE-2", FRIDAY_15, "acme", "No VPN");
    submit(db, "CASE-3", FRIDAY_15, "bolt", "Printer jams");
    history(db);
    faq(db);
    search(db);
    OK(slaclock_close(db, &error));
    slaclock_policy_free(policy);
    return check_end();
}
