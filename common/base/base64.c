// SPDX-License-Identifier: MIT
#include "common/base/base64.h"

#include "common/base/mem.h"
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

static bool is_of(enum base64_form form, const char *text, size_t len) {
  static const char url[] = "-_", padded[] = "+/=";
  for (size_t i = 0; i < len; i++)
    if (!text[i] || strchr(form == BASE64_URL ? padded : url, text[i])) return false;
  return form == BASE64_URL ? len % 4 != 1 : len % 4 == 0;
}

// OpenSSL reads only the padded form.
static char *pad(const char *text, size_t len) {
  char *padded = mem_printf("%.*s%.*s", (int)len, text, (int)(-len & 3), "===");
  for (char *at = padded; *at; at++) {
    if (*at == '-') *at = '+';
    if (*at == '_') *at = '/';
  }
  return padded;
}

static void drop(char *bytes, size_t len) { // it may be a secret
  OPENSSL_cleanse(bytes, len);
  free(bytes);
}

// OpenSSL's decoder accepts some wrong texts, such as one with white space or with bits behind the last byte.
static bool is_canonical(const char *padded, const char *bytes, size_t len) {
  size_t size = 4 * ((len + 2) / 3) + 1;
  char *again = mem_alloc(size);
  EVP_EncodeBlock((unsigned char *)again, (const unsigned char *)bytes, (int)len);
  bool same = strcmp(again, padded) == 0;
  drop(again, size);
  return same;
}

char *base64_read(enum base64_form form, const char *text, size_t len, size_t *out_len) {
  if (len == 0 || len > INT_MAX / 2 || !is_of(form, text, len)) return NULL;
  char *padded = pad(text, len);
  size_t padded_len = strlen(padded), size = padded_len / 4 * 3 + 1;
  char *bytes = mem_alloc(size);
  int n = EVP_DecodeBlock((unsigned char *)bytes, (const unsigned char *)padded, (int)padded_len);
  size_t fill = (padded[padded_len - 1] == '=') + (padded[padded_len - 2] == '=');
  bool good = n > (int)fill && is_canonical(padded, bytes, (size_t)n - fill);
  drop(padded, padded_len);
  *out_len = good ? (size_t)n - fill : 0;
  if (good) return bytes;
  drop(bytes, size);
  return NULL;
}

char *base64_url(const void *bytes, size_t len) {
  char *out = mem_alloc(4 * ((len + 2) / 3) + 1);
  EVP_EncodeBlock((unsigned char *)out, bytes, (int)len);
  out[strcspn(out, "=")] = '\0';
  for (char *at = out; *at; at++) {
    if (*at == '+') *at = '-';
    if (*at == '/') *at = '_';
  }
  return out;
}
