// SPDX-License-Identifier: MIT
#include "ingress/routes/ping.h"

#include "common/base/digest.h"
#include "common/base/mem.h"
#include "common/json/json.h"
#include "ingress/sender/forwarded.h"
#include "ingress/server.h"
#include <string.h>

enum { NONCE_MIN = 16, NONCE_MAX = 128 };

// The value of the query's only parameter, or NULL.
static const char *nonce_of(const struct request *req) {
  static const char name[] = "nonce=";
  const char *query = req->info->query_string;
  return query && strncmp(query, name, sizeof name - 1) == 0 ? query + sizeof name - 1 : NULL;
}

static bool is_nonce(const char *text) {
  size_t len = strspn(text, "0123456789abcdefABCDEF");
  return !text[len] && len >= NONCE_MIN && len <= NONCE_MAX;
}

// False: there is no key.
static bool prove(const char *key, const char *nonce, char proof[DIGEST_HEX_SIZE]) {
  struct digest digest;
  const struct piece signer = {key, strlen(key)}, given = {nonce, strlen(nonce)};
  if (!signer.len || !digest_hmac(DIGEST_SHA256, signer, &given, 1, &digest)) return false;
  digest_hex(&digest, proof);
  return true;
}

static char *say_who(const struct ingress *ingress, const struct request *req, const char *nonce) {
  char client[ADDRESS_TEXT_SIZE], proof[DIGEST_HEX_SIZE];
  struct address address;
  bool is_known = forwarded_client(req, &ingress->endpoints->trusted, &address, NULL);
  if (is_known) address_text(&address, client);
  bool is_proven = prove(ingress->settings.ping_key, nonce, proof);
  AUTO_JSON *answer =
      json_pack("{s:s,s:s,s:s,s:s?,s:s*}", "dochak", "ingress", "version", DOCHAK_VERSION, "instance",
                ingress->instance, "address", is_known ? client : NULL, "proof", is_proven ? proof : NULL);
  return json_text(answer);
}

bool ping_admit(struct ingress *ingress, struct request *req) {
  const char *nonce = nonce_of(req);
  if (nonce && !is_nonce(nonce))
    return reply_error(req, 400, "bad_nonce", "expected 16 to 128 hexadecimal digits");
  reply_ok(req, 200, nonce ? say_who(ingress, req, nonce) : mem_strdup("{\"ok\":true}"), REPLY_NONE);
  req->reply.headers = "Cache-Control: no-store\r\n";
  return false;
}
