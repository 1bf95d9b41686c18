// SPDX-License-Identifier: MIT
#include "ingress/sender/network.h"

#include "common/base/mem.h"
#include <stdlib.h>
#include <string.h>

enum { BITS = 128, MAPPED_BITS = 96 };

// Whether two addresses have the same first bits.
static bool same_bits(const struct address *a, const struct address *b, unsigned bits) {
  unsigned whole = bits / 8, rest = bits % 8;
  if (memcmp(a->bytes, b->bytes, whole) != 0) return false;
  return rest == 0 || (a->bytes[whole] ^ b->bytes[whole]) >> (8 - rest) == 0;
}

static bool tail_is_zero(const struct network *network) {
  for (unsigned i = network->prefix; i < BITS; i++)
    if (network->address.bytes[i / 8] >> (7 - i % 8) & 1) return false;
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

bool networks_add(struct networks *out, const char *text, struct err *err) {
  struct network network;
  if (!parse(text, &network, err)) return false;
  out->list = mem_grow(out->list, out->n + 1, sizeof *out->list);
  out->list[out->n++] = network;
  return true;
}

void networks_load(struct networks *out, const json_t *texts, struct faults *faults) {
  struct err err;
  for (size_t i = 0; i < json_array_size(texts); i++)
    if (!networks_add(out, json_string_value(json_array_get(texts, i)), &err))
      faults_error(faults, "/%zu: %s", i, err.text);
}

bool network_is_all(const char *text) {
  const char *slash = strchr(text, '/');
  return slash && strcmp(slash, "/0") == 0;
}

void networks_fini(struct networks *networks) {
  free(networks->list);
}

// ::/0 contains all of IPv6 and no IPv4 address.
static bool same_family(const struct network *network, const struct address *address) {
  return address_is_ipv4(address) == (network->prefix >= MAPPED_BITS && address_is_ipv4(&network->address));
}

bool networks_hold(const struct networks *networks, const struct address *address) {
  for (size_t i = 0; i < networks->n; i++) {
    const struct network *network = &networks->list[i];
    if (same_family(network, address) && same_bits(&network->address, address, network->prefix)) return true;
  }
  return false;
}
