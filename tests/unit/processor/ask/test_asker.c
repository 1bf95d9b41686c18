// SPDX-License-Identifier: MIT
// When requests leave, and when the asker gives up. The clock and libcurl are the test's own: a request is
// answered as its script says, and time passes only while the asker waits.
#include "common/base/mem.h"
#include "processor/ask/asker.h"
#include <curl/curl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// ---- the clock

static const int64_t wall_ms = INT64_C(1735000000000); // when a test begins: a whole second
static int64_t now_us;
static int64_t late_us; // a wait ends so much later, at most

int64_t __wrap_clock_mono_ms(void);
int64_t __wrap_clock_mono_us(void);
int64_t __wrap_clock_wall_ms(void);

int64_t __wrap_clock_mono_ms(void) {
  return now_us / 1000;
}

int64_t __wrap_clock_mono_us(void) {
  return now_us;
}

int64_t __wrap_clock_wall_ms(void) {
  return wall_ms + now_us / 1000;
}

static int64_t up_to(int64_t most) {
  static uint64_t state = 1; // the same at each run
  state = state * UINT64_C(6364136223846793005) + 1;
  return most > 0 ? (int64_t)(state >> 33) % (most + 1) : 0;
}

// ---- the provider

struct reply {
  int status;
  const char *body;
  int64_t after_ms;
  int64_t retry_after_s;
  const char *date, *remaining, *reset; // headers, or NULL
};
static struct reply (*script)(int64_t at_ms, int request); // how it answers
static int64_t left_us[4096];                              // when each request has left
static int n_left;

static const char found[] =
    "{\"common\":{\"authCode\":\"A000\"},\"data\":{\"code\":\"A000\",\"data\":{\"report\":[]}}}";

// ---- libcurl

enum { HANDLES = 64 };
static struct handle {
  bool is_used, is_running;
  void *private, *body_arg;
  curl_write_callback on_body;
  struct reply reply;
  int64_t ends_us;
  struct curl_header header;
} handles[HANDLES];

CURL *__wrap_curl_easy_init(void);
CURLcode __wrap_curl_easy_setopt(CURL *curl, CURLoption option, ...);
CURLcode __wrap_curl_easy_getinfo(CURL *curl, CURLINFO info, ...);
CURLHcode __wrap_curl_easy_header(CURL *curl, const char *name, size_t index, unsigned origin, int request,
                                  struct curl_header **out);
void __wrap_curl_easy_cleanup(CURL *curl);
CURLM *__wrap_curl_multi_init(void);
CURLMcode __wrap_curl_multi_setopt(CURLM *multi, CURLMoption option, ...);
CURLMcode __wrap_curl_multi_add_handle(CURLM *multi, CURL *curl);
CURLMcode __wrap_curl_multi_remove_handle(CURLM *multi, CURL *curl);
CURLMcode __wrap_curl_multi_perform(CURLM *multi, int *running);
CURLMsg *__wrap_curl_multi_info_read(CURLM *multi, int *left);
CURLMcode __wrap_curl_multi_poll(CURLM *multi, struct curl_waitfd *fds, unsigned n, int ms, int *ready);
CURLMcode __wrap_curl_multi_cleanup(CURLM *multi);

CURL *__wrap_curl_easy_init(void) {
  for (size_t i = 0; i < HANDLES; i++) {
    if (handles[i].is_used) continue;
    handles[i] = (struct handle){.is_used = true};
    return &handles[i];
  }
  fail_msg("too many handles");
  return NULL;
}

void __wrap_curl_easy_cleanup(CURL *curl) {
  ((struct handle *)curl)->is_used = false;
}

CURLcode __wrap_curl_easy_setopt(CURL *curl, CURLoption option, ...) {
  struct handle *handle = curl;
  va_list args;
  va_start(args, option);
  if (option == CURLOPT_PRIVATE) handle->private = va_arg(args, void *);
  if (option == CURLOPT_WRITEDATA) handle->body_arg = va_arg(args, void *);
  if (option == CURLOPT_WRITEFUNCTION) handle->on_body = va_arg(args, curl_write_callback);
  va_end(args);
  return CURLE_OK;
}

CURLcode __wrap_curl_easy_getinfo(CURL *curl, CURLINFO info, ...) {
  const struct handle *handle = curl;
  va_list args;
  va_start(args, info);
  void *out = va_arg(args, void *);
  va_end(args);
  if (info == CURLINFO_PRIVATE) memcpy(out, &handle->private, sizeof(void *));
  if (info == CURLINFO_RESPONSE_CODE) *(long *)out = handle->reply.status;
  if (info == CURLINFO_RETRY_AFTER) *(curl_off_t *)out = handle->reply.retry_after_s;
  return CURLE_OK;
}

CURLHcode __wrap_curl_easy_header(CURL *curl, const char *name, size_t index, unsigned origin, int request,
                                  struct curl_header **out) {
  struct handle *handle = curl;
  const struct reply *reply = &handle->reply;
  const char *value = strcmp(name, "Date") == 0                    ? reply->date
                      : strcmp(name, "x-ratelimit-remaining") == 0 ? reply->remaining
                      : strcmp(name, "x-ratelimit-reset") == 0     ? reply->reset
                                                                   : NULL;
  if (!value) return CURLHE_MISSING;
  handle->header = (struct curl_header){.value = (char *)(uintptr_t)value};
  *out = &handle->header;
  return CURLHE_OK;
}

CURLM *__wrap_curl_multi_init(void) {
  return handles;
}

CURLMcode __wrap_curl_multi_setopt(CURLM *multi, CURLMoption option, ...) {
  return CURLM_OK;
}

CURLMcode __wrap_curl_multi_cleanup(CURLM *multi) {
  return CURLM_OK;
}

CURLMcode __wrap_curl_multi_add_handle(CURLM *multi, CURL *curl) {
  struct handle *handle = curl;
  assert_true(n_left < (int)COUNT_OF(left_us));
  left_us[n_left] = now_us;
  handle->reply = script(now_us / 1000, n_left++);
  handle->ends_us = now_us + handle->reply.after_ms * 1000;
  handle->is_running = true;
  return CURLM_OK;
}

CURLMcode __wrap_curl_multi_remove_handle(CURLM *multi, CURL *curl) {
  ((struct handle *)curl)->is_running = false;
  return CURLM_OK;
}

CURLMcode __wrap_curl_multi_perform(CURLM *multi, int *running) {
  return CURLM_OK;
}

CURLMsg *__wrap_curl_multi_info_read(CURLM *multi, int *left) {
  static CURLMsg msg;
  for (size_t i = 0; i < HANDLES; i++) {
    struct handle *handle = &handles[i];
    if (!handle->is_running || handle->ends_us > now_us) continue;
    if (handle->reply.body)
      handle->on_body((char *)(uintptr_t)handle->reply.body, 1, strlen(handle->reply.body), handle->body_arg);
    msg = (CURLMsg){.msg = CURLMSG_DONE, .easy_handle = handle, .data.result = CURLE_OK};
    return &msg;
  }
  return NULL;
}

// Time passes: until an answer is there, or the wait is over.
CURLMcode __wrap_curl_multi_poll(CURLM *multi, struct curl_waitfd *fds, unsigned n, int ms, int *ready) {
  int64_t until_us = now_us + INT64_C(1000) * ms;
  for (size_t i = 0; i < HANDLES; i++)
    if (handles[i].is_running && handles[i].ends_us < until_us) until_us = handles[i].ends_us;
  if (until_us > now_us) now_us = until_us;
  now_us += up_to(late_us);
  return CURLM_OK;
}

// ---- asking

static struct providers *providers;
static struct ask_account bizgo, channeltalk;

static struct ask_account account_of(const char *provider, const char *form) {
  struct ask_account account = {.provider = providers_find(providers, provider)};
  assert_non_null(account.provider);
  account.form = provider_ask_find(account.provider, form);
  account.base = account.form->base;
  return account;
}

static void give(struct ask_account *account, const char *name) {
  account->secrets[account->n_secrets++] = (struct ask_secret){name, (char *)(uintptr_t) "secret-0123"};
}

static int load(void **state) {
  struct faults faults = {0};
  providers = providers_load("", &faults);
  assert_non_null(providers);
  bizgo = account_of("bizgo", "v2");
  channeltalk = account_of("channeltalk", "v5");
  give(&bizgo, "api_key");
  give(&channeltalk, "access_key");
  give(&channeltalk, "access_secret");
  return 0;
}

static int unload(void **state) {
  providers_free(providers);
  return 0;
}

static int begin(void **state) {
  now_us = INT64_C(1000000) * 1000;
  late_us = 0;
  n_left = 0;
  return 0;
}

struct outcome {
  int found, nothing, unclear;
  struct err err; // why it failed; empty text: it did not
  char *element;  // of the last answer that has one
  int64_t took_ms;
};

static void take_answer(struct outcome *outcome, struct asker_answer *answer) {
  outcome->found += answer->reading.result == ASK_RESULT_FOUND;
  outcome->nothing += answer->reading.result == ASK_RESULT_NOTHING;
  outcome->unclear += answer->reading.result == ASK_RESULT_UNCLEAR;
  if (answer->reading.elements.n) {
    free(outcome->element);
    outcome->element = mem_strdup(answer->reading.elements.list[0]);
  }
  asker_answer_fini(answer);
}

static struct outcome ask(const struct ask_account *account, int n, int64_t patience_ms) {
  struct outcome outcome = {0};
  int64_t began_us = now_us;
  struct asker *asker = asker_open(account, patience_ms, 0);
  struct asker_answer answer;
  for (int asked = 0, answered = 0; answered < n && !*outcome.err.text;) {
    while (asked < n && asker_room(asker) > 0) asker_ask(asker, asked++, "m");
    switch (asker_wait(asker, 200, &answer, &outcome.err)) {
    case ASKER_ANSWERED:
      answered++;
      take_answer(&outcome, &answer);
      break;
    case ASKER_WAITING:
    case ASKER_FAILED:
      break;
    }
  }
  asker_close(asker);
  outcome.took_ms = (now_us - began_us) / 1000;
  return outcome;
}

// ---- the rate

static struct reply answers_soon(int64_t at_ms, int request) {
  return (struct reply){.status = 200, .body = found, .after_ms = 1 + up_to(500)};
}

static struct reply fails_now_and_then(int64_t at_ms, int request) {
  struct reply reply = answers_soon(at_ms, request);
  if (request % 7 == 3) reply = (struct reply){.status = 500, .after_ms = up_to(2000)};
  if (request % 31 == 9) reply = (struct reply){.status = 429, .retry_after_s = 2};
  return reply;
}

// The provider allows so many a second, whichever second is looked at; and they do not leave all at once.
static void check_rate(int per_second) {
  for (int i = 0; i + per_second < n_left; i++)
    if (left_us[i + per_second] - left_us[i] < 1000000)
      fail_msg("%d requests within %lld us, from request %d on", per_second + 1,
               (long long)(left_us[i + per_second] - left_us[i]), i);
  for (int i = 1; i < n_left; i++)
    if (left_us[i] - left_us[i - 1] < 900000 / per_second)
      fail_msg("%lld us between requests %d and %d", (long long)(left_us[i] - left_us[i - 1]), i - 1, i);
}

static void test_requests_leave_one_after_the_other_within_the_rate(void **state) {
  for (late_us = 0; late_us <= 60000; late_us += 20000) {
    n_left = 0;
    script = answers_soon;
    struct outcome outcome = ask(&bizgo, 500, 3000);
    assert_int_equal(outcome.nothing, 500);
    assert_int_equal(n_left, 500);
    check_rate(5);
    assert_in_range(outcome.took_ms, 100000, late_us ? 140000 : 106000);
  }
}

static void test_a_pause_earns_no_credit(void **state) {
  late_us = 20000;
  script = fails_now_and_then;
  struct outcome outcome = ask(&bizgo, 300, 60000);
  assert_int_equal(outcome.nothing + outcome.unclear, 300);
  check_rate(5);
}

// ---- patience

static struct reply is_away(int64_t at_ms, int request) {
  return (struct reply){.status = 503, .after_ms = 10};
}

static void test_it_gives_up_when_the_provider_is_away(void **state) {
  script = is_away;
  struct outcome outcome = ask(&bizgo, 50, 30000);
  assert_non_null(strstr(outcome.err.text, "bizgo: no usable answer for "));
  assert_non_null(strstr(outcome.err.text, " s, the last one: answer 503"));
  assert_in_range(outcome.took_ms, 30000, 62000); // it looks when it has asked once more
}

static struct reply wants_a_pause_at_first(int64_t at_ms, int request) {
  if (at_ms < 1000000 + 60000) return (struct reply){.status = 429, .retry_after_s = 8};
  return (struct reply){.status = 200, .body = found};
}

static void test_pauses_that_are_asked_for_do_not_try_its_patience(void **state) {
  script = wants_a_pause_at_first;
  struct outcome outcome = ask(&bizgo, 20, 5000);
  assert_string_equal(outcome.err.text, "");
  assert_int_equal(outcome.nothing, 20);
  assert_in_range(outcome.took_ms, 60000, 75000);
}

// The rate is used up; after the pause it is away for a moment.
static struct reply is_away_after_the_reset(int64_t at_ms, int request) {
  struct reply reply = {.status = 404, .remaining = "5", .after_ms = 5};
  if (request == 20) reply.remaining = "0", reply.reset = "1735001060";
  if (at_ms >= 1000000 + 60000 && at_ms < 1000000 + 66000)
    reply = (struct reply){.status = 503, .after_ms = 450};
  return reply;
}

static void test_the_wait_for_more_rate_does_not_try_its_patience(void **state) {
  script = is_away_after_the_reset;
  struct outcome outcome = ask(&channeltalk, 40, 20000);
  assert_string_equal(outcome.err.text, "");
  assert_int_equal(outcome.found, 40);
  assert_true(outcome.took_ms > 60000);
  free(outcome.element);
}

static struct reply is_away_between_pauses(int64_t at_ms, int request) {
  struct reply reply = is_away(at_ms, request);
  if (request % 8 == 0) reply.retry_after_s = 30;
  return reply;
}

static void test_what_is_not_such_a_pause_does(void **state) {
  script = is_away_between_pauses;
  struct outcome outcome = ask(&bizgo, 50, 30000);
  assert_non_null(strstr(outcome.err.text, "no usable answer for "));
  assert_true(outcome.took_ms < 400000);
}

static struct reply wants_pauses_for_ever(int64_t at_ms, int request) {
  return (struct reply){.status = 429, .retry_after_s = 7};
}

static void test_pauses_that_do_not_help_end_it(void **state) {
  script = wants_pauses_for_ever;
  struct outcome outcome = ask(&bizgo, 50, 30000);
  assert_string_equal(outcome.err.text,
                      "bizgo: 10 pauses that it asked for have not helped, the last answer: answer 429");
  assert_in_range(outcome.took_ms, 9 * 7000, 11 * 7000);
  assert_in_range(n_left, 10, 60);
}

// ---- two clocks

// Ours shows 1735000000.0 when a test begins, and the request leaves an interval later.
static const struct {
  const char *date;
  int64_t asked_at_ms;
} dates[] = {
    {NULL, 1735000000105},
    {"Tue, 24 Dec 2024 00:26:40 GMT", 1735000000105}, // the same second
    {"Tue, 24 Dec 2024 00:26:39 GMT", 1734999999000}, // ours is ahead
    {"Tue, 24 Dec 2024 00:20:00 GMT", 1734999600000},
    {"Mon, 23 Dec 2024 15:26:40 GMT", 1734967600000}, // by the hours of a time zone
    {"Tue, 24 Dec 2024 00:27:10 GMT", 1735000000105}, // ours is behind
    {"Sun, 22 Dec 2024 00:26:40 GMT", 1735000000105}, // wrong by itself
    {"Thu, 01 Jan 1970 00:00:00 GMT", 1735000000105},
    {"yesterday, I think", 1735000000105},
    {"", 1735000000105},
};
static const char *date_of_test;
static bool is_known;

static struct reply says_a_date(int64_t at_ms, int request) {
  struct reply reply = {.status = 404, .date = date_of_test, .after_ms = 20};
  if (is_known) reply.status = 200, reply.body = "{\"user\":{\"id\":\"u\",\"memberId\":\"m\"}}";
  return reply;
}

static void test_an_answer_is_of_the_provider_s_time_if_ours_is_ahead(void **state) {
  for (size_t i = 0; i < 2 * COUNT_OF(dates); i++) {
    date_of_test = dates[i / 2].date;
    is_known = i % 2;
    begin(NULL);
    now_us = 0; // so that wall_ms is the time
    script = says_a_date;
    struct outcome outcome = ask(&channeltalk, 1, 1000);
    AUTO_FREE char *expected = mem_printf("\"askedAt\":%lld", (long long)dates[i / 2].asked_at_ms);
    if (outcome.found != 1 || !strstr(outcome.element, expected))
      fail_msg("%s: expected %s in %s", date_of_test ? date_of_test : "no date", expected, outcome.element);
    free(outcome.element);
  }
}

// By ours, which is ahead, the reset is past already.
static struct reply resets_by_its_own_clock(int64_t at_ms, int request) {
  struct reply reply = {.status = 404, .date = "Tue, 24 Dec 2024 00:20:00 GMT", .remaining = "9"};
  if (request == 3) reply.remaining = "0", reply.reset = "1734999610";
  return reply;
}

static void test_the_rate_resets_by_the_provider_s_clock(void **state) {
  script = resets_by_its_own_clock;
  now_us = 0;
  struct outcome outcome = ask(&channeltalk, 10, 1000);
  assert_int_equal(outcome.found, 10);
  assert_in_range((left_us[4] - left_us[3]) / 1000, 10000, 10200);
  free(outcome.element);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_requests_leave_one_after_the_other_within_the_rate, begin),
      cmocka_unit_test_setup(test_a_pause_earns_no_credit, begin),
      cmocka_unit_test_setup(test_it_gives_up_when_the_provider_is_away, begin),
      cmocka_unit_test_setup(test_pauses_that_are_asked_for_do_not_try_its_patience, begin),
      cmocka_unit_test_setup(test_the_wait_for_more_rate_does_not_try_its_patience, begin),
      cmocka_unit_test_setup(test_what_is_not_such_a_pause_does, begin),
      cmocka_unit_test_setup(test_pauses_that_do_not_help_end_it, begin),
      cmocka_unit_test_setup(test_an_answer_is_of_the_provider_s_time_if_ours_is_ahead, begin),
      cmocka_unit_test_setup(test_the_rate_resets_by_the_provider_s_clock, begin),
  };
  return cmocka_run_group_tests(tests, load, unload);
}
