// SPDX-License-Identifier: MIT
#include "common/provider/personal.h"

#include "common/base/digest.h"
#include "common/base/mem.h"
#include "common/base/utf8.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
  HEAD_DIGITS = 4,   // shown in front, at most
  HIDDEN_DIGITS = 4, // hidden, at least
  TAIL_DIGITS = 4,   // shown at the end
  RUN_DIGITS = 9,    // a number in a text with so many digits may be a phone number
  GAP_MAX = 3,       // characters between two of its digits, at most
  LOCAL_MAX = 256,   // bytes before an address's '@', four times what RFC 5321 allows
};

static const char phone_chars[] = "0123456789+-(). ";

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// The characters that separate the digits of a phone number.
static bool is_gap(uint32_t code) {
  if (code < 0x80) return code && strchr(" -./()_", (int)code);
  return (code >= 0x2010 && code <= 0x2015) || // hyphens and dashes
         code == 0x2212 || code == 0xff0d ||   // minus; full-width hyphen
         code == 0xa0 || code == 0x3000;       // spaces: no-break, full-width
}

enum glyph { GLYPH_OTHER, GLYPH_DIGIT, GLYPH_GAP };

// The character at `at` and the number of its bytes; ill-formed UTF-8 is read byte by byte.
static enum glyph glyph_at(const char *at, const char *end, size_t *bytes) {
  uint32_t code;
  *bytes = utf8_decode(at, end, &code);
  if (!*bytes) {
    *bytes = 1;
    return GLYPH_OTHER;
  }
  if (is_digit(*at) || (code >= 0xff10 && code <= 0xff19)) return GLYPH_DIGIT; // full-width
  return is_gap(code) ? GLYPH_GAP : GLYPH_OTHER;
}

static size_t count_digits(const char *text, size_t len) {
  size_t n = 0, bytes;
  for (const char *at = text, *end = text + len; at < end; at += bytes)
    n += glyph_at(at, end, &bytes) == GLYPH_DIGIT;
  return n;
}

// ---- reading a recipient ----

// The ASCII character that a full-width form, a dash or a space stands for; 0: none.
static char narrow_form(uint32_t code) {
  if (code >= 0xff01 && code <= 0xff5e) return (char)(code - 0xfee0);
  if (code >= 0x80 && is_gap(code)) return ' ';
  return '\0';
}

static char *narrow(const char *text) {
  const char *end = text + strlen(text);
  char *narrowed = mem_alloc(strlen(text) + 1), *to = narrowed;
  while (text < end) {
    uint32_t code;
    size_t bytes = utf8_decode(text, end, &code);
    char form = '\0';
    if (bytes)
      form = narrow_form(code);
    else
      bytes = 1; // ill-formed UTF-8 is copied
    to = form ? mempcpy(to, &form, 1) : mempcpy(to, text, bytes);
    text += bytes;
  }
  return narrowed;
}

static char *trimmed(const char *text) {
  static const char space[] = " \t\r\n";
  text += strspn(text, space);
  size_t len = strlen(text);
  while (len > 0 && strchr(space, text[len - 1])) len--;
  return mem_strndup(text, len);
}

// The telephone number in ASCII and without its scheme: "tel:０１０…" → "010…". New string; NULL: no number.
static char *number_of(const char *recipient) {
  static const char *const schemes[] = {"tel:", "whatsapp:"};
  AUTO_FREE char *narrowed = narrow(recipient), *text = trimmed(narrowed);
  size_t skip = 0;
  for (size_t i = 0; i < COUNT_OF(schemes) && !skip; i++)
    if (strncasecmp(text, schemes[i], strlen(schemes[i])) == 0) skip = strlen(schemes[i]);
  AUTO_FREE char *number = trimmed(text + skip);
  return *number && !number[strspn(number, phone_chars)] ? take(number) : NULL;
}

// ---- masking ----

static void put(char **to, const char *bytes, size_t len) {
  *to = mempcpy(*to, bytes, len);
}

// "+82 10-1234-5678" → "+8210****5678"; with no middle to hide, nothing is shown.
static void print_number(const char *text, size_t len, char **to) {
  size_t digits = count_digits(text, len);
  if (digits < HIDDEN_DIGITS + TAIL_DIGITS) {
    put(to, "***", 3);
    return;
  }
  size_t head = digits - HIDDEN_DIGITS - TAIL_DIGITS;
  if (head > HEAD_DIGITS) head = HEAD_DIGITS;
  if (text[0] == '+') put(to, "+", 1);
  size_t seen = 0, bytes;
  for (const char *at = text, *end = text + len; at < end; at += bytes) {
    if (glyph_at(at, end, &bytes) != GLYPH_DIGIT) continue;
    if (seen == head) put(to, "****", 4);
    if (seen < head || seen >= digits - TAIL_DIGITS) put(to, at, bytes);
    seen++;
  }
}

// Length of the digits at `text`, with one '+' before and gaps between them.
static size_t run_length(const char *text, size_t len) {
  const char *end = text + len, *behind = text; // behind the last digit
  size_t gap = 0, bytes;
  for (const char *at = text + (len > 0 && text[0] == '+'); at < end && gap <= GAP_MAX; at += bytes) {
    enum glyph glyph = glyph_at(at, end, &bytes);
    if (glyph == GLYPH_DIGIT)
      behind = at + bytes;
    else if (glyph == GLYPH_OTHER || behind == text)
      break;
    gap = glyph == GLYPH_DIGIT ? 0 : gap + 1;
  }
  return (size_t)(behind - text);
}

static void print_run(const char *at, size_t len, char **to) {
  if (count_digits(at, len) >= RUN_DIGITS)
    print_number(at, len, to);
  else
    put(to, at, len);
}

static void print_masked(const char *text, size_t len, char **to);

// "ann@x.kr" → "a***@x.kr"
static void print_email(const char *text, size_t len, char **to) {
  const char *domain = memrchr(text, '@', len);
  if (isascii(text[0]) && text[0] != '@') put(to, text, 1);
  put(to, "***", 3);
  print_masked(domain, len - (size_t)(domain - text), to);
}

static bool is_local_char(char c) {
  return !isascii(c) || isalnum((unsigned char)c) || strchr("!#$%&'*+-/=?^_`{|}~.", c);
}

static bool is_domain_char(char c) {
  return isascii(c) && (isalnum((unsigned char)c) || c == '-' || c == '.');
}

// Length of the e-mail address that begins at `at`, 0 if none does.
static size_t email_length(const char *at, const char *end) {
  const char *sign = at, *behind;
  while (sign < end && sign - at < LOCAL_MAX && is_local_char(*sign)) sign++;
  if (sign == at || sign == end || *sign != '@') return 0;
  for (behind = sign + 1; behind < end && is_domain_char(*behind);) behind++;
  return behind > sign + 1 ? (size_t)(behind - at) : 0;
}

// Masked, an e-mail address (3 bytes or more) is at most 3 longer, so at most twice as long; anything else is
// no longer, or "***". Zeroed, so that it ends.
static char *new_masked(size_t len) {
  return mem_alloc(2 * len + sizeof "***");
}

char *personal_mask(const char *recipient) {
  size_t len = strlen(recipient);
  AUTO_FREE char *number = number_of(recipient);
  char *masked = new_masked(len), *to = masked;
  if (len > 0 && email_length(recipient, recipient + len) == len)
    print_email(recipient, len, &to);
  else if (number)
    print_number(number, strlen(number), &to);
  else
    put(&to, "***", 3);
  return masked;
}

// Most texts hold no digit and no address.
static bool is_harmless(const char *text) {
  for (; *text; text++)
    if (*text == '@' || is_digit(*text) || !isascii(*text)) return false; // digits may be full-width
  return true;
}

static void print_masked(const char *text, size_t len, char **to) {
  const char *end = text + len;
  bool in_word = false; // no address begins in the middle of a word
  for (const char *at = text; at < end;) {
    size_t email = in_word ? 0 : email_length(at, end);
    size_t run = email > 0 ? 0 : run_length(at, (size_t)(end - at));
    if (email > 0)
      print_email(at, email, to);
    else if (run > 0)
      print_run(at, run, to);
    else
      put(to, at, 1);
    in_word = email == 0 && run == 0 && is_local_char(*at);
    at += email > 0 ? email : run > 0 ? run : 1;
  }
}

char *personal_mask_text(const char *text) {
  if (is_harmless(text)) return mem_strdup(text);
  size_t len = strlen(text);
  char *masked = new_masked(len), *to = masked;
  print_masked(text, len, &to);
  return masked;
}

// The digits that a masked number ends with, or NULL.
static const char *tail_of(const char *masked) {
  size_t len = strlen(masked);
  if (len < TAIL_DIGITS) return NULL;
  const char *tail = masked + len - TAIL_DIGITS;
  return strspn(tail, "0123456789") == TAIL_DIGITS ? tail : NULL;
}

bool personal_differ(const char *masked_a, const char *masked_b) {
  if (strchr(masked_a, '@') && strchr(masked_b, '@')) return strcasecmp(masked_a, masked_b) != 0;
  const char *a = tail_of(masked_a), *b = tail_of(masked_b);
  return a && b && strcmp(a, b) != 0;
}

// ---- hashing ----

// "010-1234-5678", "+82 10 1234 5678", "0082 (0)10 1234 5678" → "+821012345678". New string.
static char *plain_number(const char *text) {
  char *digits = mem_alloc(strlen(text) + sizeof "+82");
  char *to = digits;
  for (; *text; text++)
    if (is_digit(*text)) *to++ = *text;
  const char *number = strncmp(digits, "00", 2) == 0 ? digits + 2 : digits;
  bool national = number == digits && *number == '0';
  if (!national && strncmp(number, "820", 3) == 0) { // the trunk prefix does not belong behind a country code
    number += 2;
    national = true;
  }
  char *plain = mem_printf("+%s%s", national ? "82" : "", number + national);
  free(digits);
  return plain;
}

static char *plain_form(const char *recipient) {
  AUTO_FREE char *number = number_of(recipient);
  if (number) return plain_number(number);
  char *text = trimmed(recipient);
  bool is_email = strchr(text, '@');
  for (char *at = text; is_email && *at; at++)
    if (*at >= 'A' && *at <= 'Z') *at = (char)(*at + ('a' - 'A'));
  return text;
}

void personal_tag(const char *recipient, char out[PERSONAL_TAG_SIZE]) {
  AUTO_FREE char *plain = plain_form(recipient);
  char hex[DIGEST_HEX_SIZE];
  digest_sha256_hex(plain, strlen(plain), hex);
  memcpy(out, hex, PERSONAL_TAG_SIZE - 1);
  out[PERSONAL_TAG_SIZE - 1] = '\0';
}

void personal_hash(const char *key, const char *recipient, uint8_t out[PERSONAL_HASH_SIZE]) {
  AUTO_FREE char *plain = plain_form(recipient);
  struct digest digest;
  const struct piece secret = {key, strlen(key)}, piece = {plain, strlen(plain)};
  if (!digest_hmac(DIGEST_SHA256, secret, &piece, 1, &digest)) abort(); // out of memory
  memcpy(out, digest.bytes, PERSONAL_HASH_SIZE);
}
