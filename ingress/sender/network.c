// SPDX-License-Identifier: MIT
#include "ingress/sender/network.h"

#include "common/base/mem.h"
#include <stdlib.h>
#include <string.h>

enum { BITS = 128, MAPPED_BITS = 96 };

static bool bit(const struct address *address, unsigned i) {
  return address->bytes[i / 8] >> (7 - i % 8) & 1;
}

static bool tail_is_zero(const struct network *network) {
  for (unsigned i = network->prefix; i < BITS; i++)
    if (bit(&network->address, i)) return false;
  return true;
}

// The number behind the slash; more than any prefix if it is ill-formed.
static unsigned parse_prefix(const char *text) {
  size_t digits = strspn(text, "0123456789");
  if (digits == 0 || digits > 3 || text[digits] || (text[0] == '0' && digits > 1)) return BITS + 1;
  return (unsigned)strtoul(text, NULL, 10);
}

static bool parse(const char *text, struct network *out, struct err *err) {
  size_t len = strcspn(text, "/");
  if (!address_parse(text, len, &out->address))
    return err_set(err, "expected an address such as 10.0.0.1, or a network such as 10.0.0.0/8");
  bool written_v4 = !memchr(text, ':', len);
  unsigned bits = written_v4 ? BITS - MAPPED_BITS : BITS;
  unsigned prefix = text[len] ? parse_prefix(text + len + 1) : bits;
  if (prefix > bits) return err_set(err, "expected a prefix of 0 to %u bits", bits);
  out->prefix = prefix + BITS - bits;
  return tail_is_zero(out) || err_set(err, "expected no bits set behind the prefix");
}

bool networks_load(struct networks *out, const json_t *texts, struct err *err) {
  *out = (struct networks){.list = mem_array(json_array_size(texts), sizeof *out->list)};
  for (; out->n < json_array_size(texts); out->n++) {
    if (parse(json_string_value(json_array_get(texts, out->n)), &out->list[out->n], err)) continue;
    err_prefix(err, "/%zu: ", out->n);
    networks_fini(out);
    return false;
  }
  return true;
}

void networks_fini(struct networks *networks) {
  free(networks->list);
  *networks = (struct networks){0};
}

// ::/0 contains all of IPv6 and no IPv4 address.
static bool same_family(const struct network *network, const struct address *address) {
  return address_is_ipv4(address) == (network->prefix >= MAPPED_BITS && address_is_ipv4(&network->address));
}

static bool holds(const struct network *network, const struct address *address) {
  unsigned whole = network->prefix / 8, rest = network->prefix % 8;
  if (!same_family(network, address)) return false;
  if (memcmp(network->address.bytes, address->bytes, whole) != 0) return false;
  return rest == 0 || (network->address.bytes[whole] ^ address->bytes[whole]) >> (8 - rest) == 0;
}

bool networks_hold(const struct networks *networks, const struct address *address) {
  for (size_t i = 0; i < networks->n; i++)
    if (holds(&networks->list[i], address)) return true;
  return false;
}
