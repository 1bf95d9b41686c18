// SPDX-License-Identifier: MIT
#include "common/base/address.h"

#include <string.h>

enum { PORT_MAX = 65535, PORT_MAX_DIGITS = 5 };

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

bool address_is_ipv4(const struct address *address) {
  return memcmp(address->bytes, mapped, sizeof mapped) == 0;
}

bool address_is_inner(const struct address *address) {
  static const struct {
    bool ipv4;
    uint8_t first[2], mask[2]; // of its first two bytes
  } rows[] = {
      {true, {10, 0}, {0xff, 0}},    {true, {172, 16}, {0xff, 0xf0}},     {true, {192, 168}, {0xff, 0xff}},
      {true, {127, 0}, {0xff, 0}},   {true, {169, 254}, {0xff, 0xff}},    {true, {100, 64}, {0xff, 0xc0}},
      {false, {0xfc, 0}, {0xfe, 0}}, {false, {0xfe, 0x80}, {0xff, 0xc0}},
  };
  static const uint8_t loopback[16] = {[15] = 1};
  bool ipv4 = address_is_ipv4(address);
  const uint8_t *at = address->bytes + (ipv4 ? sizeof mapped : 0);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (rows[i].ipv4 == ipv4 && (at[0] & rows[i].mask[0]) == rows[i].first[0] &&
        (at[1] & rows[i].mask[1]) == rows[i].first[1])
      return true;
  return memcmp(address->bytes, loopback, sizeof loopback) == 0;
}

void address_of_ipv4(struct in_addr in, struct address *out) {
  memcpy(out->bytes, mapped, sizeof mapped);
  memcpy(out->bytes + sizeof mapped, &in, sizeof in);
}

bool address_parse(const char *text, size_t len, struct address *out) {
  char copy[ADDRESS_TEXT_SIZE];
  if (len == 0 || len >= sizeof copy || memchr(text, '\0', len)) return false;
  memcpy(copy, text, len);
  copy[len] = '\0';
  struct address address;
  struct in_addr in;
  if (inet_pton(AF_INET, copy, &in) == 1)
    address_of_ipv4(in, &address);
  else if (inet_pton(AF_INET6, copy, address.bytes) != 1)
    return false;
  *out = address;
  return true;
}

// ":443", or nothing.
static bool parse_port(const char *text, size_t len, int *port) {
  *port = ADDRESS_NO_PORT;
  if (len == 0) return true;
  if (*text != ':' || len < 2 || len > 1 + PORT_MAX_DIGITS) return false;
  int value = 0;
  for (size_t i = 1; i < len; i++) {
    if (text[i] < '0' || text[i] > '9') return false;
    value = 10 * value + text[i] - '0';
  }
  *port = value;
  return value <= PORT_MAX;
}

bool address_port_parse(const char *text, size_t len, struct address *out, int *port) {
  const char *end = text + len, *colon = memchr(text, ':', len);
  if (len > 0 && *text == '[') { // IPv6
    const char *close = memchr(text, ']', len);
    if (!close || !colon || colon > close) return false;
    return parse_port(close + 1, (size_t)(end - close) - 1, port) &&
           address_parse(text + 1, (size_t)(close - text) - 1, out);
  }
  bool dotted = colon && memchr(text, '.', (size_t)(colon - text)); // else the colon is one of IPv6
  const char *behind = dotted ? colon : end;
  return parse_port(behind, (size_t)(end - behind), port) &&
         address_parse(text, (size_t)(behind - text), out);
}

void address_text(const struct address *address, char out[ADDRESS_TEXT_SIZE]) {
  bool v4 = address_is_ipv4(address);
  if (!inet_ntop(v4 ? AF_INET : AF_INET6, address->bytes + (v4 ? sizeof mapped : 0), out, ADDRESS_TEXT_SIZE))
    out[0] = '\0';
}
