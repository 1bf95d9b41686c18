// SPDX-License-Identifier: MIT
#include "processor/ask/asker.h"
#include "common/base/backoff.h"
#include "common/base/clock.h"
#include "common/base/least.h"
#include "common/base/mem.h"
#include "common/base/stop.h"
#include <curl/curl.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { CONNECT_MS = 10000, LOOK_MS = 200, WAIT_MAX_S = 600, TOKEN_MARGIN_MS = 600000, BACKLOG = 2 };
// A question that fails so often while others succeed, a run of answers that say nothing, failures before
// patience ends, pauses in a row that were asked for and did not help.
enum { TRIES_MAX = 5, UNCLEAR_MAX = 20, FAILURES_MIN = 5, TOKENS_MAX = 2, ORDERS_MAX = 10 };
// By no more than this is our clock taken to be ahead: a header Date that is older still is wrong itself.
enum { AHEAD_MAX_S = 86400 };
// Requests leave a twentieth slower than is allowed: on their way they come nearer to each other. One that is
// late is made up for if it is late by no more than this.
enum { PACE_PERCENT = 105, LATE_US = 20000 };

struct question {
  int64_t number;
  char *id;
  int tries;    // failures beside which others succeeded
  int64_t good; // the asker's `good` at its last failure
};

struct transfer {
  CURL *curl;
  struct curl_slist *headers;
  bool is_busy, is_token;
  struct question question; // unless is_token
  int64_t began_ms, asked_at_ms;
  int64_t token; // which one it was asked with
  int sent;      // how often libcurl has begun to send it
  char error[CURL_ERROR_SIZE];
  char *body;
  size_t len;
  bool is_too_long;
};

struct asker {
  const struct ask_account *account;
  CURLM *multi;
  struct transfer *transfers; // in_flight, and one for the token
  size_t n_transfers;
  struct question *waiting; // in_flight * BACKLOG
  size_t n_waiting;
  struct asker_answer *answers; // not handed out yet
  size_t n_answers;
  // clocks, monotonic
  int64_t interval_us, next_at_us;
  int64_t pause_until_ms, paused_at_ms;
  int64_t ordered_until_ms; // of pause_until_ms, what the provider asked for
  int64_t patience_ms, last_good_ms;
  struct backoff backoff;
  int64_t not_before_ms; // Unix
  // what came
  int64_t requests, good;
  int failures; // since the last good answer
  int orders;   // pauses since then that the provider asked for
  int unclear;  // in a row
  int tokens;   // not taken, in a row
  json_t *token;
  int64_t token_number, token_renew_at_ms; // Unix
  struct err failed;                       // empty text: not yet
};

// ---- transfers ----

static void init_library(void) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
}

static size_t on_body(char *bytes, size_t size, size_t n, void *arg) {
  struct transfer *transfer = arg;
  size_t len = size * n;
  transfer->is_too_long = len > ASK_BODY_MAX - transfer->len;
  if (transfer->is_too_long) return 0; // ends the request
  transfer->body = mem_grow(transfer->body, transfer->len + len, 1);
  memcpy(transfer->body + transfer->len, bytes, len);
  transfer->len += len;
  return len;
}

// Where a connection that was kept ends before the answer, libcurl would send the request again at once. That
// is for the asker, which knows when.
static int on_send(void *arg, char *ip, char *local_ip, int port, int local_port) {
  (void)ip, (void)local_ip, (void)port, (void)local_port;
  struct transfer *transfer = arg;
  return transfer->sent++ == 0 ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

static void transfer_init(struct transfer *transfer, const struct ask_account *account) {
  CURL *curl = transfer->curl = curl_easy_init();
  if (curl == NULL) abort(); // out of memory
  curl_easy_setopt(curl, CURLOPT_PRIVATE, transfer);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "dochak-processor/" DOCHAK_VERSION);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, transfer->error);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
  curl_easy_setopt(curl, CURLOPT_PREREQFUNCTION, on_send);
  curl_easy_setopt(curl, CURLOPT_PREREQDATA, transfer);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, strncmp(account->base, "https:", 6) == 0 ? "https" : "http");
  curl_easy_setopt(curl, CURLOPT_PROXY, ""); // that of the environment would see what must stay secret
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1); // one connection, one request
  curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(account->form->timeout_s * 1000));
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
  if (!account->ca) return;
  curl_easy_setopt(curl, CURLOPT_CAINFO, account->ca);
  curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
}

static void wipe_headers(struct transfer *transfer) {
  for (struct curl_slist *line = transfer->headers; line; line = line->next)
    OPENSSL_cleanse(line->data, strlen(line->data));
  curl_slist_free_all(transfer->headers);
  transfer->headers = NULL;
}

static void transfer_reset(struct transfer *transfer) {
  wipe_headers(transfer);
  free(transfer->body);
  transfer->body = NULL;
  transfer->len = 0;
  transfer->sent = 0;
  transfer->is_too_long = transfer->is_busy = false;
  transfer->question = (struct question){0}; // its id has another owner by now
  *transfer->error = '\0';
}

// Until it is wiped, the string is in this one place.
static void add_header(struct transfer *transfer, char *line) {
  struct curl_slist *longer = curl_slist_append(transfer->headers, line);
  if (!longer) abort(); // out of memory
  transfer->headers = longer;
  OPENSSL_cleanse(line, strlen(line));
  free(line);
}

static bool add_headers(const struct asker *asker, struct transfer *transfer,
                        const struct ask_headers *headers, struct err *err) {
  for (size_t i = 0; i < headers->n; i++) {
    char *line = ask_header(asker->account, &headers->list[i], asker->token, err);
    if (!line) return false;
    add_header(transfer, line);
  }
  return true;
}

// ---- opening and closing ----

static int64_t mono_of_wall(int64_t wall_ms) {
  return clock_mono_ms() + wall_ms - clock_wall_ms();
}

struct asker *asker_open(const struct ask_account *account, int64_t patience_ms, int64_t not_before_ms) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, init_library);
  const struct ask_form *form = account->form;
  struct asker *asker = mem_alloc(sizeof *asker);
  *asker = (struct asker){.account = account,
                          .multi = curl_multi_init(),
                          .n_transfers = (size_t)form->in_flight + 1,
                          .interval_us = (int64_t)(1e4 * PACE_PERCENT / form->per_second),
                          .patience_ms = patience_ms,
                          .last_good_ms = clock_mono_ms(),
                          .backoff = {.first_ms = 500, .max_ms = 30000},
                          .not_before_ms = not_before_ms};
  if (asker->multi == NULL) abort(); // out of memory
  asker->transfers = mem_array(asker->n_transfers, sizeof *asker->transfers);
  for (size_t i = 0; i < asker->n_transfers; i++) transfer_init(&asker->transfers[i], account);
  asker->waiting = mem_array((size_t)form->in_flight * BACKLOG, sizeof *asker->waiting);
  curl_multi_setopt(asker->multi, CURLMOPT_MAXCONNECTS, (long)asker->n_transfers);
  // One that asked right before, and was killed, has left no trace: the first request leaves an interval
  // later.
  asker->next_at_us = clock_mono_us() + asker->interval_us;
  if (not_before_ms) asker->pause_until_ms = asker->ordered_until_ms = mono_of_wall(not_before_ms);
  if (asker->pause_until_ms > asker->last_good_ms) asker->last_good_ms = asker->pause_until_ms;
  return asker;
}

void asker_close(struct asker *asker) {
  if (!asker) return;
  for (size_t i = 0; i < asker->n_transfers; i++) {
    struct transfer *transfer = &asker->transfers[i];
    if (transfer->is_busy) curl_multi_remove_handle(asker->multi, transfer->curl);
    free(transfer->question.id);
    curl_easy_cleanup(transfer->curl);
    transfer_reset(transfer);
  }
  for (size_t i = 0; i < asker->n_waiting; i++) free(asker->waiting[i].id);
  for (size_t i = 0; i < asker->n_answers; i++) asker_answer_fini(&asker->answers[i]);
  curl_multi_cleanup(asker->multi);
  json_decref(asker->token);
  free(asker->transfers);
  free(asker->waiting);
  free(asker->answers);
  free(asker);
}

int64_t asker_requests(const struct asker *asker) {
  return asker->requests;
}

int64_t asker_not_before_ms(const struct asker *asker) {
  return asker->not_before_ms;
}

void asker_answer_fini(struct asker_answer *answer) {
  free(answer->id);
  ask_reading_fini(&answer->reading);
}

// ---- questions ----

static size_t count_busy(const struct asker *asker, bool is_token) {
  size_t n = 0;
  for (size_t i = 0; i < asker->n_transfers; i++)
    n += asker->transfers[i].is_busy && asker->transfers[i].is_token == is_token;
  return n;
}

size_t asker_room(const struct asker *asker) {
  size_t held = asker->n_waiting + count_busy(asker, false) + asker->n_answers;
  size_t most = (size_t)asker->account->form->in_flight * BACKLOG;
  return held < most ? most - held : 0;
}

static void wait_behind(struct asker *asker, struct question question) {
  asker->waiting[asker->n_waiting++] = question;
}

static struct question take_first(struct asker *asker) {
  struct question first = asker->waiting[0];
  asker->n_waiting--;
  memmove(asker->waiting, asker->waiting + 1, asker->n_waiting * sizeof *asker->waiting);
  return first;
}

void asker_ask(struct asker *asker, int64_t number, const char *id) {
  wait_behind(asker, (struct question){.number = number, .id = mem_strdup(id), .good = -1});
}

// ---- failing ----

static void fail(struct asker *asker, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void fail(struct asker *asker, const char *fmt, ...) {
  if (*asker->failed.text) return; // the first one explains the others
  va_list args;
  va_start(args, fmt);
  AUTO_FREE char *text = mem_vprintf(fmt, args);
  va_end(args);
  for (char *at = text; *at; at++) // part of it may be what a server says
    if (*at < ' ' || *at > '~') *at = '?';
  err_set(&asker->failed, "%s: %s", provider_name(asker->account->provider), text);
}

// ---- pauses ----

static void pause_for(struct asker *asker, int64_t ms) {
  int64_t until_ms = clock_mono_ms() + ms;
  if (until_ms > asker->pause_until_ms) asker->pause_until_ms = until_ms;
}

// What the provider asks for outlives this process, and does not count as time without a usable answer.
static void pause_as_asked(struct asker *asker, int64_t ms) {
  int64_t now_ms = clock_mono_ms(), until_ms = clock_wall_ms() + ms;
  int64_t from_ms = asker->ordered_until_ms > now_ms ? asker->ordered_until_ms : now_ms;
  if (until_ms > asker->not_before_ms) asker->not_before_ms = until_ms;
  if (now_ms + ms > from_ms) {
    asker->last_good_ms += now_ms + ms - from_ms;
    asker->ordered_until_ms = now_ms + ms;
  }
  pause_for(asker, ms);
  if (ms > INT64_C(1000) * WAIT_MAX_S) fail(asker, "it wants no requests for %lld s", (long long)(ms / 1000));
}

static const char *header_of(const struct transfer *transfer, const char *name) {
  struct curl_header *header;
  return curl_easy_header(transfer->curl, name, 0, CURLH_HEADER, -1, &header) ? NULL : header->value;
}

static bool header_number(const struct transfer *transfer, const char *name, int64_t *out) {
  char *end;
  const char *value = name ? header_of(transfer, name) : NULL;
  if (!value) return false;
  *out = strtoll(value, &end, 10);
  return end != value && *end == '\0' && *out >= 0;
}

// The provider's clock when it answered, Unix seconds; 0: it does not say.
static int64_t date_of(const struct transfer *transfer) {
  const char *value = header_of(transfer, "Date");
  time_t date_s = value ? curl_getdate(value, NULL) : 0;
  return date_s > 0 ? (int64_t)date_s : 0;
}

// When it was asked. Where the answer shows that our clock is ahead, by the provider's: by ours, what became
// known there after the answer would seem to be older. Within the second of its header the clocks agree.
static int64_t asked_at_of(const struct transfer *transfer) {
  int64_t date_ms = date_of(transfer) * 1000, ahead_ms = transfer->asked_at_ms - date_ms;
  bool is_ahead = date_ms && ahead_ms >= 1000 && ahead_ms <= INT64_C(1000) * AHEAD_MAX_S;
  return is_ahead ? date_ms : transfer->asked_at_ms;
}

// Milliseconds until the reset that the answer names, by the provider's clock if known; a clock that is wrong
// must not make it endless.
static int64_t reset_in_ms(const struct asker *asker, const struct transfer *transfer) {
  int64_t reset_s = 0, date_s = date_of(transfer), now_s = date_s ? date_s : clock_wall_ms() / 1000;
  if (!header_number(transfer, asker->account->form->reset_header, &reset_s) || reset_s <= now_s) return 0;
  int64_t in_s = reset_s - now_s;
  return (in_s < WAIT_MAX_S ? in_s : WAIT_MAX_S) * 1000;
}

static void heed_rate(struct asker *asker, const struct transfer *transfer) {
  int64_t remaining;
  if (header_number(transfer, asker->account->form->remaining_header, &remaining) && remaining == 0)
    pause_as_asked(asker, reset_in_ms(asker, transfer));
}

// Requests that left before the last pause began show nothing new.
static void pause_after(struct asker *asker, const struct transfer *transfer) {
  curl_off_t retry_after_s = 0;
  curl_easy_getinfo(transfer->curl, CURLINFO_RETRY_AFTER, &retry_after_s);
  int64_t ordered_ms = reset_in_ms(asker, transfer);
  bool is_new = transfer->began_ms >= asker->paused_at_ms;
  if (retry_after_s > 0) ordered_ms = (int64_t)(retry_after_s < 1000000 ? retry_after_s : 1000000) * 1000;
  if (ordered_ms > 0)
    pause_as_asked(asker, ordered_ms);
  else if (is_new)
    pause_for(asker, backoff_next_ms(&asker->backoff));
  else
    return;
  asker->orders += ordered_ms > 0 && is_new;
  asker->paused_at_ms = clock_mono_ms();
}

// ---- results ----

static void answer(struct asker *asker, struct transfer *transfer, struct ask_reading reading) {
  asker->answers = mem_grow(asker->answers, asker->n_answers + 1, sizeof *asker->answers);
  asker->answers[asker->n_answers++] = (struct asker_answer){.number = transfer->question.number,
                                                             .id = take(transfer->question.id),
                                                             .asked_at_ms = transfer->asked_at_ms,
                                                             .reading = reading};
}

// A pause that was asked for before may have begun already.
static void begin_patience(struct asker *asker) {
  int64_t now_ms = clock_mono_ms();
  asker->last_good_ms = asker->ordered_until_ms > now_ms ? asker->ordered_until_ms : now_ms;
}

static void note_good(struct asker *asker) {
  asker->good++;
  asker->failures = asker->tokens = asker->orders = 0;
  asker->backoff.tries = 0;
  begin_patience(asker);
}

static void note_failure(struct asker *asker, const struct transfer *transfer, const char *why) {
  pause_after(asker, transfer);
  asker->failures++;
  int64_t since_ms = clock_mono_ms() - asker->last_good_ms;
  if (asker->failures >= FAILURES_MIN && since_ms > asker->patience_ms)
    fail(asker, "no usable answer for %lld s, the last one: %s", (long long)(since_ms / 1000), why);
  if (asker->orders >= ORDERS_MAX)
    fail(asker, "%d pauses that it asked for have not helped, the last answer: %s", asker->orders, why);
}

static void unclear(struct asker *asker, struct transfer *transfer, const char *why) {
  struct ask_reading reading = {.result = ASK_RESULT_UNCLEAR};
  snprintf(reading.why, sizeof reading.why, "%s", why);
  answer(asker, transfer, reading);
  begin_patience(asker);
  if (++asker->unclear >= UNCLEAR_MAX)
    fail(asker, "%d answers in a row were unusable, the last one: %s", asker->unclear, why);
}

// While the provider answers others, a failure is the question's own; and so where there are no others.
static void ask_again(struct asker *asker, struct transfer *transfer, const char *why) {
  struct question *question = &transfer->question;
  bool is_alone = asker->n_waiting == 0 && count_busy(asker, false) == 1;
  question->tries += is_alone || (question->good >= 0 && asker->good > question->good);
  question->good = asker->good;
  note_failure(asker, transfer, why);
  if (question->tries >= TRIES_MAX)
    unclear(asker, transfer, why);
  else
    wait_behind(asker, *question);
}

static void drop_token(struct asker *asker, const struct transfer *transfer, const char *why) {
  bool is_current = asker->token && transfer->token == asker->token_number;
  if (is_current) {
    json_decref(asker->token);
    asker->token = NULL;
    asker->tokens++;
  }
  if (!asker->account->form->token || asker->tokens > TOKENS_MAX)
    fail(asker, "it refuses new tokens, too: %s", why);
  wait_behind(asker, transfer->question);
}

static void take_reading(struct asker *asker, struct transfer *transfer, struct ask_reading *reading) {
  switch (reading->result) {
  case ASK_RESULT_FOUND:
  case ASK_RESULT_NOTHING:
    note_good(asker);
    asker->unclear = 0;
    answer(asker, transfer, *reading);
    return;
  case ASK_RESULT_AGAIN:
    ask_again(asker, transfer, reading->why);
    break;
  case ASK_RESULT_TOKEN:
    drop_token(asker, transfer, reading->why);
    break;
  case ASK_RESULT_STOP:
    fail(asker, "it refuses to answer: %s", reading->why);
    wait_behind(asker, transfer->question);
    break;
  case ASK_RESULT_UNCLEAR:
    unclear(asker, transfer, reading->why);
    break;
  }
  ask_reading_fini(reading);
}

static void take_token(struct asker *asker, struct transfer *transfer, struct ask_token_reading *reading) {
  if (reading->result == ASK_RESULT_AGAIN) {
    note_failure(asker, transfer, reading->why);
  } else if (reading->result == ASK_RESULT_STOP) {
    fail(asker, "it gives no token: %s", reading->why);
  } else {
    int64_t tenth_ms = (reading->ends_at_ms - transfer->asked_at_ms) / 10;
    asker->token = reading->answer;
    asker->token_number++;
    asker->token_renew_at_ms =
        reading->ends_at_ms - (tenth_ms < TOKEN_MARGIN_MS ? tenth_ms : TOKEN_MARGIN_MS);
  }
}

// Another try would find the same.
static bool is_lasting(CURLcode code) {
  return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
         code == CURLE_SSL_ISSUER_ERROR || code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL;
}

static void take_failure(struct asker *asker, struct transfer *transfer, CURLcode code) {
  const char *why = transfer->sent > 1 ? "the connection ended before the answer"
                    : *transfer->error ? transfer->error
                                       : curl_easy_strerror(code);
  if (is_lasting(code)) fail(asker, "%s", why);
  if (transfer->is_token)
    note_failure(asker, transfer, why);
  else if (transfer->is_too_long)
    unclear(asker, transfer, "the answer is larger than 512 KiB");
  else
    ask_again(asker, transfer, why);
}

static void take_answer(struct asker *asker, struct transfer *transfer) {
  long status = 0;
  curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, &status);
  heed_rate(asker, transfer);
  if (transfer->is_token) {
    struct ask_token_reading reading;
    ask_read_token(asker->account, transfer->asked_at_ms, (int)status, transfer->body, transfer->len,
                   &reading);
    take_token(asker, transfer, &reading);
  } else {
    struct ask_reading reading;
    ask_read(asker->account, transfer->question.id, asked_at_of(transfer), (int)status, transfer->body,
             transfer->len, &reading);
    take_reading(asker, transfer, &reading);
  }
}

static void take_ended(struct asker *asker) {
  int left;
  for (const CURLMsg *msg; (msg = curl_multi_info_read(asker->multi, &left));) {
    struct transfer *transfer = NULL;
    CURLcode code = msg->data.result;
    curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &transfer);
    curl_multi_remove_handle(asker->multi, transfer->curl);
    if (code)
      take_failure(asker, transfer, code);
    else
      take_answer(asker, transfer);
    transfer_reset(transfer);
  }
}

// ---- starting ----

static struct transfer *free_transfer(struct asker *asker) {
  for (size_t i = 0; i < asker->n_transfers; i++)
    if (!asker->transfers[i].is_busy) return &asker->transfers[i];
  return NULL;
}

static void start(struct asker *asker, struct transfer *transfer, char *url) {
  CURL *curl = transfer->curl;
  int64_t late_us = clock_mono_us() - LATE_US;
  add_header(transfer, mem_strdup("Content-Type:")); // libcurl would name one for the empty body
  curl_easy_setopt(curl, CURLOPT_URL, url);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, transfer->headers);
  curl_easy_setopt(curl, transfer->is_token ? CURLOPT_POST : CURLOPT_HTTPGET, 1L);
  if (transfer->is_token) curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "");
  free(url);
  transfer->is_busy = true;
  transfer->began_ms = clock_mono_ms();
  transfer->asked_at_ms = clock_wall_ms();
  transfer->token = asker->token_number;
  asker->next_at_us = (asker->next_at_us > late_us ? asker->next_at_us : late_us) + asker->interval_us;
  asker->requests++;
  curl_multi_add_handle(asker->multi, curl);
}

static void start_token(struct asker *asker, struct transfer *transfer) {
  struct err err;
  json_decref(asker->token);
  asker->token = NULL;
  transfer->is_token = true;
  if (add_headers(asker, transfer, &asker->account->form->token->headers, &err))
    start(asker, transfer, ask_token_url(asker->account));
  else
    fail(asker, "%s", err.text);
}

static void start_question(struct asker *asker, struct transfer *transfer) {
  struct err err;
  transfer->is_token = false;
  if (!add_headers(asker, transfer, &asker->account->form->headers, &err)) {
    fail(asker, "%s", err.text);
    return;
  }
  transfer->question = take_first(asker);
  start(asker, transfer, ask_url(asker->account, transfer->question.id));
}

static bool needs_token(const struct asker *asker) {
  return asker->account->form->token && (!asker->token || clock_wall_ms() >= asker->token_renew_at_ms);
}

// Whether there is something to start as soon as the clocks allow it.
static bool has_more(const struct asker *asker) {
  bool is_full = count_busy(asker, false) >= (size_t)asker->account->form->in_flight;
  return asker->n_waiting > 0 && !is_full && count_busy(asker, true) == 0 && !*asker->failed.text;
}

// Milliseconds until the next request may leave; 0: now.
static int64_t wait_ms(const struct asker *asker) {
  int64_t pause_ms = asker->pause_until_ms - clock_mono_ms(),
          pace_ms = (asker->next_at_us - clock_mono_us() + 999) / 1000;
  int64_t ms = pause_ms > pace_ms ? pause_ms : pace_ms;
  return ms > 0 ? ms : 0;
}

static void start_all(struct asker *asker) {
  while (has_more(asker) && wait_ms(asker) == 0) {
    struct transfer *transfer = free_transfer(asker);
    if (needs_token(asker))
      start_token(asker, transfer);
    else
      start_question(asker, transfer);
  }
}

// ---- waiting ----

static bool hand_out(struct asker *asker, struct asker_answer *out) {
  if (asker->n_answers == 0) return false;
  *out = asker->answers[0];
  asker->n_answers--;
  memmove(asker->answers, asker->answers + 1, asker->n_answers * sizeof *asker->answers);
  return true;
}

enum asker_event asker_wait(struct asker *asker, int64_t ms, struct asker_answer *out, struct err *err) {
  int64_t until_ms = clock_mono_ms() + ms;
  for (;;) {
    int running;
    if (hand_out(asker, out)) return ASKER_ANSWERED;
    if (*asker->failed.text) {
      *err = asker->failed;
      return ASKER_FAILED;
    }
    start_all(asker);
    curl_multi_perform(asker->multi, &running);
    take_ended(asker);
    int64_t left_ms = until_ms - clock_mono_ms();
    if (asker->n_answers > 0 || *asker->failed.text) continue;
    if (left_ms <= 0 || stop_requested()) return ASKER_WAITING;
    int64_t look_ms = least(left_ms, LOOK_MS);
    if (has_more(asker)) look_ms = least(look_ms, wait_ms(asker));
    curl_multi_poll(asker->multi, NULL, 0, (int)look_ms, NULL);
  }
}
