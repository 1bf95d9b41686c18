// SPDX-License-Identifier: MIT
#include "processor/watch/front_door_check.h"
#include "common/base/clock.h"
#include "common/base/digest.h"
#include "common/base/mem.h"
#include "common/base/stop.h"
#include "common/json/json.h"
#include <curl/curl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// SLOW_MS is the shortest time for which a provider waits: Kakao's.
enum { CALL_MS = 10000, SLOW_MS = 3000, LOOK_MS = 200, BODY_MAX = 4096, NONCE_BYTES = 16, DAY_MS = 86400000 };

struct call {
  const struct settings *settings;
  char nonce[2 * NONCE_BYTES + 1];
  char *url;
  CURL *curl;
  char error[CURL_ERROR_SIZE];
  bool is_connected; // the handshake of TLS has begun
  char body[BODY_MAX];
  size_t body_len;
  bool body_too_long;
};

// ---- settings ----

bool front_door_check_settings(const struct settings *settings, struct err *err) {
  if (!*settings->public_url || !*settings->public_ca) return true;
  BIO *bio = BIO_new_file(settings->public_ca, "r");
  X509 *first = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
  bool good = first != NULL;
  X509_free(first);
  BIO_free(bio);
  ERR_clear_error();
  return good || err_set(err, "DOCHAK_PUBLIC_CA: %s: cannot be read, or holds no certificate in PEM form",
                         settings->public_ca);
}

// ---- what was found ----

// Part of the text is what a foreign server said.
static void found(struct front_door_result *out, enum front_door_stage stage, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
static void found(struct front_door_result *out, enum front_door_stage stage, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  vsnprintf(out->text, sizeof out->text, fmt, args);
  va_end(args);
  out->stage = stage;
  for (char *at = out->text; *at; at++)
    if (*at < ' ' || *at > '~') *at = '?';
}

// How far the call got before it failed. libcurl's own time of the connection has that of TLS in it.
static enum front_door_stage stage_of(const struct call *call, CURLcode code) {
  curl_off_t named_us = 0, ready_us = 0;
  curl_easy_getinfo(call->curl, CURLINFO_NAMELOOKUP_TIME_T, &named_us);
  curl_easy_getinfo(call->curl, CURLINFO_CONNECT_TIME_T, &ready_us);
  if (!named_us) return FRONT_DOOR_NAME;
  if (!ready_us) return call->is_connected ? FRONT_DOOR_TLS : FRONT_DOOR_CONNECT;
  return code == CURLE_OPERATION_TIMEDOUT ? FRONT_DOOR_SLOW : FRONT_DOOR_HTTP;
}

static void read_failure(const struct call *call, CURLcode code, struct front_door_result *out) {
  found(out, stage_of(call, code), "%s", *call->error ? call->error : curl_easy_strerror(code));
}

static void read_status(const struct call *call, long status, struct front_door_result *out) {
  const char *target = NULL;
  curl_easy_getinfo(call->curl, CURLINFO_REDIRECT_URL, &target);
  if (target)
    found(out, FRONT_DOOR_HTTP, "answer %ld, a redirect to %.*s, expected 200: providers follow none", status,
          (int)strcspn(target, "?#"), target);
  else
    found(out, FRONT_DOOR_HTTP, "answer %ld, expected 200", status);
}

// Without a key anybody who knows the form of the answer could give it.
static bool is_proof(const struct call *call, const char *proof) {
  const char *key = call->settings->ping_key;
  struct digest digest;
  char hex[DIGEST_HEX_SIZE];
  if (!*key) return true;
  if (!proof || !digest_hmac(DIGEST_SHA256, (struct piece){key, strlen(key)},
                             &(struct piece){call->nonce, strlen(call->nonce)}, 1, &digest))
    return false;
  digest_hex(&digest, hex);
  return digest_same((struct piece){hex, strlen(hex)}, (struct piece){proof, strlen(proof)});
}

static void read_address(const json_t *body, struct front_door_result *out) {
  struct address address;
  const char *text = json_string_value(json_object_get(body, "address"));
  if (text && address_parse(text, strlen(text), &address)) address_text(&address, out->address);
}

static void read_body(const struct call *call, struct front_door_result *out) {
  struct err err;
  AUTO_JSON *body = call->body_too_long ? NULL : json_parse(call->body, call->body_len, &err);
  const char *name = json_string_value(json_object_get(body, "dochak"));
  const char *proof = json_string_value(json_object_get(body, "proof"));
  if (!name || strcmp(name, "ingress") != 0) {
    found(out, FRONT_DOOR_NOT_OURS, "answer 200, but not that of an ingress: %s",
          call->body_too_long ? "more than 4 KiB"
          : body              ? "other JSON"
                              : "not JSON");
  } else if (!is_proof(call, proof)) {
    found(out, FRONT_DOOR_NOT_OURS, "an ingress answers whose DOCHAK_PING_KEY %s",
          proof ? "differs from ours" : "is not set, while ours is");
  } else if (out->ms > SLOW_MS) {
    found(out, FRONT_DOOR_SLOW, "good answer after %lld ms; providers wait for 3 to 10 s",
          (long long)out->ms);
    read_address(body, out);
  } else {
    found(out, FRONT_DOOR_OK, "%s answers", call->settings->public_url);
    read_address(body, out);
  }
}

static const char date_mark[] = "Expire date:";

// The first certificate is the server's own.
static void read_certificate(const struct call *call, struct front_door_result *out) {
  struct curl_certinfo *chain = NULL;
  curl_easy_getinfo(call->curl, CURLINFO_CERTINFO, &chain);
  if (!chain || chain->num_of_certs < 1) return;
  for (const struct curl_slist *line = chain->certinfo[0]; line; line = line->next) {
    if (strncmp(line->data, date_mark, strlen(date_mark)) != 0) continue;
    int64_t ends_s = curl_getdate(line->data + strlen(date_mark), NULL);
    if (ends_s < 0) return;
    out->certificate_ends_at = ends_s * 1000;
    out->cert_days = (out->certificate_ends_at - out->at) / DAY_MS;
  }
}

static void read_result(const struct call *call, CURLcode code, struct front_door_result *out) {
  long status = 0;
  curl_off_t total_us = 0;
  curl_easy_getinfo(call->curl, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(call->curl, CURLINFO_TOTAL_TIME_T, &total_us);
  out->ms = total_us / 1000;
  read_certificate(call, out);
  if (code && !call->body_too_long)
    read_failure(call, code, out);
  else if (status != 200)
    read_status(call, status, out);
  else
    read_body(call, out);
}

// ---- the call ----

static void init_library(void) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
}

static CURLcode on_tls(CURL *curl, void *ssl_ctx, void *arg) {
  (void)curl, (void)ssl_ctx;
  struct call *call = arg;
  call->is_connected = true;
  return CURLE_OK;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *arg) {
  struct call *call = arg;
  size_t len = size * n;
  call->body_too_long = len > sizeof call->body - call->body_len;
  if (call->body_too_long) return 0; // ends the call
  memcpy(call->body + call->body_len, bytes, len);
  call->body_len += len;
  return len;
}

static void set_ways(CURL *curl, const struct settings *settings) {
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_PROXY, ""); // that of the environment is no way that a provider takes
  curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
  curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_CERTINFO, 1L);
  if (!*settings->public_ca) return;
  curl_easy_setopt(curl, CURLOPT_CAINFO, settings->public_ca);
  curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
}

// A name server that does not answer would hold up curl_easy_cleanup() without QUICK_EXIT.
static void set_limits(CURL *curl) {
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)CALL_MS);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CALL_MS);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
}

static void call_init(struct call *call, const struct settings *settings) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, init_library);
  uint8_t random[NONCE_BYTES];
  if (getentropy(random, sizeof random) != 0) abort(); // only of more than 256 bytes
  *call = (struct call){.settings = settings, .curl = curl_easy_init()};
  if (call->curl == NULL) abort(); // out of memory
  for (size_t i = 0; i < sizeof random; i++) snprintf(call->nonce + 2 * i, 3, "%02x", random[i]);
  size_t len = strlen(settings->public_url);
  while (settings->public_url[len - 1] == '/') len--;
  call->url = mem_printf("%.*s/v1/ping?nonce=%s", (int)len, settings->public_url, call->nonce);
  curl_easy_setopt(call->curl, CURLOPT_URL, call->url);
  curl_easy_setopt(call->curl, CURLOPT_USERAGENT, "dochak-processor/" DOCHAK_VERSION);
  curl_easy_setopt(call->curl, CURLOPT_ERRORBUFFER, call->error);
  curl_easy_setopt(call->curl, CURLOPT_SSL_CTX_FUNCTION, on_tls);
  curl_easy_setopt(call->curl, CURLOPT_SSL_CTX_DATA, call);
  curl_easy_setopt(call->curl, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(call->curl, CURLOPT_WRITEDATA, call);
  set_ways(call->curl, settings);
  set_limits(call->curl);
}

static void call_fini(struct call *call) {
  curl_easy_cleanup(call->curl);
  free(call->url);
}

// False: a stop was requested.
static bool wait_for_end(CURLM *multi, const atomic_bool *stopping, CURLcode *out) {
  int running = 1, left;
  while (curl_multi_perform(multi, &running) == CURLM_OK && running) {
    if (stop_requested() || (stopping && atomic_load(stopping))) return false;
    curl_multi_poll(multi, NULL, 0, LOOK_MS, NULL);
  }
  const CURLMsg *msg = curl_multi_info_read(multi, &left);
  *out = msg ? msg->data.result : CURLE_FAILED_INIT;
  return true;
}

bool front_door_check(const struct settings *settings, const atomic_bool *stopping,
                      struct front_door_result *out) {
  struct front_door_result result = {.at = clock_wall_ms()};
  AUTO_FREE struct call *call = mem_alloc(sizeof *call);
  CURLM *multi = curl_multi_init();
  if (multi == NULL) abort(); // out of memory
  CURLcode code = CURLE_OK;
  call_init(call, settings);
  curl_multi_add_handle(multi, call->curl);
  bool ended = wait_for_end(multi, stopping, &code);
  if (ended) read_result(call, code, &result);
  curl_multi_remove_handle(multi, call->curl);
  call_fini(call);
  curl_multi_cleanup(multi);
  if (ended) *out = result;
  return ended;
}
