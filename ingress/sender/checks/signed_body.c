// SPDX-License-Identifier: MIT
// Check `signed_body`: a header is a signature of the body, alone or between headers and fixed text. The
// endpoints file says in `signs` what is signed, so that one more provider that signs so needs no C:
//   Meta      X-Hub-Signature-256: sha256=<hex of HMAC-SHA256>, of "${body}"
//   Sinch     x-sinch-webhook-signature (sinch-sdk-java, HmacAuthenticationValidation), of body.nonce.time
//   SendGrid  ECDSA on P-256 with SHA-256 (sendgrid-nodejs, eventwebhook.js), of the time and the body
//   Telnyx    Ed25519 (telnyx-ruby, webhook_verification.rb), of "time|body"
#include "common/base/mem.h"
#include "ingress/sender/checks/check.h"
#include "ingress/sender/checks/public_key.h"
#include <string.h>

enum { HEADER, PREFIX, ALGORITHM, SIGNS, TIMESTAMP_HEADER };
enum { PIECES_MAX = 16, NAME_SIZE = 65 }; // of `signs`, as endpoints.schema.json bounds it

// ---- public keys

static bool open_key(struct secret *secret, const json_t *conf, struct err *err) {
  const char *algorithm = json_string_value(json_object_get(conf, "algorithm"));
  enum public_key_kind kind = public_key_kind_of(algorithm);
  return kind == PUBLIC_KEY_NONE || public_key_open(secret, kind, err);
}

// ---- HMAC

static const struct {
  const char *name;
  enum digest_kind kind;
} hmacs[] = {{"hmac_sha256", DIGEST_SHA256}, {"hmac_sha1", DIGEST_SHA1}, {"hmac_sha512", DIGEST_SHA512}};

static bool hmac_holds(const struct check_conf *conf, const char *given, const struct piece *pieces,
                       size_t n) {
  for (size_t i = 0; i < COUNT_OF(hmacs); i++) {
    if (strcmp(conf->texts[ALGORITHM], hmacs[i].name) != 0) continue;
    struct signatures expected;
    secrets_sign(&conf->secrets, hmacs[i].kind, pieces, n, &expected);
    return signatures_hold(&expected, SIGNATURE_HEX | SIGNATURE_BASE64, given, strlen(given));
  }
  return false;
}

// ---- what is signed

// The value of "${body}" or "${header:NAME}". False: the header does not occur exactly once.
static bool value_of(const struct request *req, const char *name, size_t len, struct piece *out) {
  static const char of_header[] = "header:";
  char header[NAME_SIZE];
  *out = (struct piece){req->body.bytes, req->body.len};
  if (strncmp(name, of_header, sizeof of_header - 1) != 0) return true;
  len -= sizeof of_header - 1;
  if (len >= sizeof header) return false;
  memcpy(header, name + sizeof of_header - 1, len);
  header[len] = '\0';
  const char *value = check_header_once(req, header);
  *out = (struct piece){value, value ? strlen(value) : 0};
  return value != NULL;
}

// The number of pieces; 0: one of them is not there.
static size_t signed_pieces(const struct request *req, const char *signs, struct piece pieces[PIECES_MAX]) {
  size_t n = 0;
  for (size_t len; *signs; signs += len) {
    if (n == PIECES_MAX) return 0;
    len = strcspn(signs, "$");
    pieces[n] = (struct piece){signs, len};
    if (len == 0) {
      len = strcspn(signs, "}") + 1;
      if (!value_of(req, signs + 2, len - 3, &pieces[n])) return 0;
    }
    n++;
  }
  return n;
}

static bool public_key_holds(const struct check_conf *conf, enum public_key_kind kind, const char *given,
                             const struct piece *pieces, size_t n) {
  size_t len;
  AUTO_FREE char *text = public_key_text(pieces, n, &len);
  return public_keys_hold(&conf->secrets, kind, (struct piece){text, len}, given, strlen(given));
}

static bool signed_body_passes(const struct check_conf *conf, const struct request *req) {
  struct piece pieces[PIECES_MAX];
  const char *given = check_header_behind(req, conf->texts[HEADER], conf->texts[PREFIX]);
  const char *clock = conf->texts[TIMESTAMP_HEADER];
  const char *time = clock ? check_header_once(req, clock) : NULL;
  if (!given || (clock && (!time || !check_fresh(conf, req, time)))) return false;
  size_t n = signed_pieces(req, conf->texts[SIGNS], pieces);
  if (n == 0) return false;
  enum public_key_kind kind = public_key_kind_of(conf->texts[ALGORITHM]);
  return kind == PUBLIC_KEY_NONE ? hmac_holds(conf, given, pieces, n)
                                 : public_key_holds(conf, kind, given, pieces, n);
}

const struct check check_signed_body = {.name = "signed_body",
                                        .texts = {[HEADER] = {"header", NULL},
                                                  [PREFIX] = {"prefix", ""},
                                                  [ALGORITHM] = {"algorithm", "hmac_sha256"},
                                                  [SIGNS] = {"signs", "${body}"},
                                                  [TIMESTAMP_HEADER] = {"timestamp_header", NULL}},
                                        .names = {[HEADER] = CHECK_NAMES_HEADER},
                                        .stage = VERIFY_BODY,
                                        .of_signature = true,
                                        .form = open_key,
                                        .passes = signed_body_passes};
