// SPDX-License-Identifier: MIT
// Tokens are made here from their JSON. One was made by PyJWT.
#include "tests/unit/support/jwt.h"
#include "tests/unit/support/sender.h"

#define BODY   "{\"message_uuid\":\"m-1\",\"status\":\"delivered\"}"
#define HASH   "42dd90a6aa9288c1c5ab3f05cc7bdae391e43ac00cbadc8ab5bf3c23293c4bb0" // of BODY
#define KEY    "sig-secret-1"
#define HS256  "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define HASHED "\"iss\":\"Vonage\",\"payload_hash\":\"" HASH "\""
#define NOW_S  "1767225600"
#define CLAIMS "{\"iat\":" NOW_S "," HASHED "}"
#define OF_PYJWT                                                                                             \
  "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."                                                                    \
  "eyJpYXQiOjE3NjcyMjU2MDAsImp0aSI6ImotMSIsImlzcyI6IlZvbmFnZSIsInBheWxvYWRfaGFzaCI6IjQyZGQ5MGE2YWE5Mjg4YzFj" \
  "NWFiM2YwNWNjN2JkYWUzOTFlNDNhYzAwY2JhZGM4YWI1YmYzYzIzMjkzYzRiYjAifQ._rPU-mv5DJH3aWBBJoDuo5tWtmc0a9uvnjgl-" \
  "qm_f4c"

static const int64_t now_ms = INT64_C(1767225600000);
static const char no[] = "jwt";

struct row {
  const char *what, *header, *claims;
  enum digest_kind kind;
  const char *body, *refused, *key;
};

static void run(const char *conf, const struct row *rows, size_t n) {
  for (size_t i = 0; i < n; i++) {
    AUTO_FREE char *text =
        jwt_make(rows[i].header ? rows[i].header : HS256, rows[i].claims ? rows[i].claims : CLAIMS,
                 rows[i].kind ? rows[i].kind : DIGEST_SHA256, rows[i].key ? rows[i].key : KEY);
    AUTO_FREE char *headers = mem_printf("Authorization: Bearer %s", text);
    const struct sender sender = {.what = rows[i].what,
                                  .headers = headers,
                                  .body = rows[i].body ? rows[i].body : BODY,
                                  .now_ms = now_ms,
                                  .refused = rows[i].refused};
    run_rows(conf, &sender, 1);
  }
}

#define CONF(more) "{\"jwt\":{" more "\"secrets\":[\"DOCHAK_SECRET_JWT\"]}}"

static void test_signature_and_body(void **state) {
  static const struct row rows[] = {
      {.what = "good"},
      {.what = "another body", .body = BODY " ", .refused = no},
      {.what = "no body", .body = "", .refused = no},
      {.what = "another key", .key = "sig-secret-2", .refused = no},
      {.what = "no hash", .claims = "{\"iat\":" NOW_S "}", .refused = no},
      {.what = "hash in upper case",
       .claims = "{\"iat\":" NOW_S ",\"payload_hash\":"
                 "\"42DD90A6AA9288C1C5AB3F05CC7BDAE391E43AC00CBADC8AB5BF3C23293C4BB0\"}"},
      {.what = "hash that is a number", .claims = "{\"iat\":" NOW_S ",\"payload_hash\":1}", .refused = no},
      {.what = "longer hash", .claims = "{\"iat\":" NOW_S ",\"payload_hash\":\"" HASH "00\"}", .refused = no},
      {.what = "far longer hash",
       .claims = "{\"iat\":" NOW_S ",\"payload_hash\":\"" HASH HASH HASH "\"}",
       .refused = no},
      {.what = "hash twice",
       .claims = "{\"iat\":" NOW_S ",\"payload_hash\":\"x\",\"payload_hash\":\"" HASH "\"}",
       .refused = no},
      {.what = "claims that are a list", .claims = "[1]", .refused = no},
      {.what = "claims that are no JSON", .claims = "{", .refused = no},
  };
  run(CONF(""), rows, COUNT_OF(rows));
}

// The file says which algorithm, and the token has to say the same.
static void test_the_token_does_not_choose_the_algorithm(void **state) {
  static const struct row rows[] = {
      {.what = "none", .header = "{\"alg\":\"none\"}", .refused = no},
      {.what = "the name of another", .header = "{\"alg\":\"HS512\"}", .refused = no},
      {.what = "another", .header = "{\"alg\":\"HS512\"}", .kind = DIGEST_SHA512, .refused = no},
      {.what = "another with this name", .kind = DIGEST_SHA512, .refused = no},
      {.what = "in lower case", .header = "{\"alg\":\"hs256\"}", .refused = no},
      {.what = "no name", .header = "{\"typ\":\"JWT\"}", .refused = no},
      {.what = "no object", .header = "\"HS256\"", .refused = no},
      {.what = "an extension that must be known",
       .header = "{\"alg\":\"HS256\",\"crit\":[\"b64\"],\"b64\":false}",
       .refused = no},
  };
  static const struct row sha384[] = {
      {.what = "HS384", .header = "{\"alg\":\"HS384\"}", .kind = DIGEST_SHA384},
      {.what = "HS256 for HS384", .refused = no},
  };
  static const struct row sha512[] = {
      {.what = "HS512", .header = "{\"alg\":\"HS512\"}", .kind = DIGEST_SHA512}};
  run(CONF(""), rows, COUNT_OF(rows));
  run(CONF("\"algorithm\":\"HS384\","), sha384, COUNT_OF(sha384));
  run(CONF("\"algorithm\":\"HS512\","), sha512, COUNT_OF(sha512));
}

static void test_times(void **state) {
  static const struct row rows[] = {
      {.what = "300 s old", .claims = "{\"iat\":1767225300," HASHED "}"},
      {.what = "older", .claims = "{\"iat\":1767225299," HASHED "}", .refused = no},
      {.what = "300 s early", .claims = "{\"iat\":1767225900," HASHED "}"},
      {.what = "earlier", .claims = "{\"iat\":1767225901," HASHED "}", .refused = no},
      {.what = "a fraction", .claims = "{\"iat\":1767225600.5," HASHED "}"},
      {.what = "far off", .claims = "{\"iat\":1e300," HASHED "}", .refused = no},
      {.what = "farther", .claims = "{\"iat\":-1e308," HASHED "}", .refused = no},
      {.what = "text", .claims = "{\"iat\":\"" NOW_S "\"," HASHED "}", .refused = no},
      {.what = "null", .claims = "{\"iat\":null," HASHED "}", .refused = no},
      {.what = "neither iat nor exp", .claims = "{\"nbf\":" NOW_S "," HASHED "}", .refused = no},
      {.what = "exp alone", .claims = "{\"exp\":" NOW_S "," HASHED "}"},
      {.what = "expired for 300 s", .claims = "{\"iat\":" NOW_S ",\"exp\":1767225300," HASHED "}"},
      {.what = "expired for longer",
       .claims = "{\"iat\":" NOW_S ",\"exp\":1767225299," HASHED "}",
       .refused = no},
      {.what = "exp is text", .claims = "{\"iat\":" NOW_S ",\"exp\":\"x\"," HASHED "}", .refused = no},
      {.what = "valid in 300 s", .claims = "{\"iat\":" NOW_S ",\"nbf\":1767225900," HASHED "}"},
      {.what = "valid later", .claims = "{\"iat\":" NOW_S ",\"nbf\":1767225901," HASHED "}", .refused = no},
  };
  static const struct row strict[] = {
      {.what = "2 s old", .claims = "{\"iat\":1767225598," HASHED "}", .refused = no}};
  run(CONF(""), rows, COUNT_OF(rows));
  run(CONF("\"tolerance_s\":1,"), strict, COUNT_OF(strict));
}

static void test_issuer(void **state) {
  static const struct row rows[] = {
      {.what = "good"},
      {.what = "another",
       .claims = "{\"iat\":" NOW_S ",\"iss\":\"Nobody\",\"payload_hash\":\"" HASH "\"}",
       .refused = no},
      {.what = "none", .claims = "{\"iat\":" NOW_S ",\"payload_hash\":\"" HASH "\"}", .refused = no},
  };
  run(CONF("\"issuer\":\"Vonage\","), rows, COUNT_OF(rows));
}

#define BEARER(label, text, refused_)                                                                        \
  { .what = label, .headers = "Authorization: " text, .body = BODY, .now_ms = now_ms, .refused = refused_ }

static void test_form_of_the_token(void **state) {
  const struct sender rows[] = {
      BEARER("of PyJWT", "Bearer " OF_PYJWT, NULL),
      BEARER("the scheme in lower case", "bearer " OF_PYJWT, NULL),
      BEARER("no scheme", OF_PYJWT, no),
      BEARER("another scheme", "Basic " OF_PYJWT, no),
      BEARER("only a scheme", "Bearer ", no),
      BEARER("padded", "Bearer " OF_PYJWT "=", no),
      BEARER("a part more", "Bearer " OF_PYJWT ".e30", no),
      BEARER("an empty part more", "Bearer " OF_PYJWT ".", no),
      BEARER("two dots", "Bearer ..", no),
      BEARER("no signature", "Bearer eyJhbGciOiJub25lIn0.e30.", no),
      BEARER("one part", "Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9", no),
      BEARER("twice", "Bearer " OF_PYJWT "\nAuthorization: Bearer " OF_PYJWT, no),
      BEARER("none", "", no),
  };
  RUN(CONF(""), rows);
}

static void test_a_token_over_the_limit_is_refused(void **state) {
  enum { LONG = 6200 };
  AUTO_FREE char *jti = mem_alloc(LONG + 1);
  memset(jti, 'x', LONG);
  for (size_t cut = 0; cut < 2; cut++) { // 4/3 of the claims is under the limit of 8192, and over it
    AUTO_FREE char *claims =
        mem_printf("{\"iat\":" NOW_S ",\"jti\":\"%s\"," HASHED "}", jti + (cut ? 0 : 300));
    const struct row row = {.what = "long", .claims = claims, .refused = cut ? no : NULL};
    run(CONF(""), &row, 1);
  }
}

// ---- MessageBird: the URL is signed, too ----

#define URL_HASH "\"url_hash\":\"e3649f052bd38eec69f8904c1c74fa331d7885e7217d8acb3d6b26b6833d21dd\""
#define URL_CONF                                                                                             \
  "{\"jwt\":{\"header\":\"MessageBird-Signature-JWT\",\"prefix\":\"\",\"url\":\"https://h/webhook/mb\","     \
  "\"secrets\":[\"DOCHAK_SECRET_JWT\"]}}"

static void test_the_url_is_signed(void **state) {
  static const struct {
    const char *what, *claims, *rest, *query, *body, *refused;
  } rows[] = {
      {"good", "{\"exp\":" NOW_S "," URL_HASH "," HASHED "}", "/secret", "a=b", BODY, NULL},
      {"no body", "{\"exp\":" NOW_S "," URL_HASH "}", "/secret", "a=b", "", NULL},
      {"a body without a hash", "{\"exp\":" NOW_S "," URL_HASH "}", "/secret", "a=b", BODY, no},
      {"a hash without a body", "{\"exp\":" NOW_S "," URL_HASH "," HASHED "}", "/secret", "a=b", "", no},
      {"another query", "{\"exp\":" NOW_S "," URL_HASH "," HASHED "}", "/secret", "a=c", BODY, no},
      {"no query", "{\"exp\":" NOW_S "," URL_HASH "," HASHED "}", "/secret", NULL, BODY, no},
      {"another path", "{\"exp\":" NOW_S "," URL_HASH "," HASHED "}", "/other", "a=b", BODY, no},
      {"no hash of the URL", "{\"exp\":" NOW_S "," HASHED "}", "/secret", "a=b", BODY, no},
  };
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    AUTO_FREE char *text = jwt_make(HS256, rows[i].claims, DIGEST_SHA256, KEY);
    AUTO_FREE char *headers = mem_printf("messagebird-signature-jwt: %s", text);
    const struct sender sender = {.what = rows[i].what,
                                  .headers = headers,
                                  .rest = rows[i].rest,
                                  .query = rows[i].query,
                                  .body = rows[i].body,
                                  .now_ms = now_ms,
                                  .refused = rows[i].refused};
    run_rows(URL_CONF, &sender, 1);
  }
}

int main(void) {
  setenv("DOCHAK_SECRET_JWT", KEY, 1);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_signature_and_body),
      cmocka_unit_test(test_the_token_does_not_choose_the_algorithm),
      cmocka_unit_test(test_times),
      cmocka_unit_test(test_issuer),
      cmocka_unit_test(test_form_of_the_token),
      cmocka_unit_test(test_a_token_over_the_limit_is_refused),
      cmocka_unit_test(test_the_url_is_signed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
