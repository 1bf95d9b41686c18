// SPDX-License-Identifier: MIT
// Addresses and networks, IPv4 and IPv6, as text and as membership. An IPv4 address mapped into IPv6
// (::ffff:10.0.0.1) is the IPv4 address, so it can neither evade a rule nor meet one of IPv6. Thread: any.
#pragma once
#include "common/base/err.h"
#include <arpa/inet.h>
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

struct address {
  uint8_t bytes[16]; // IPv4: mapped
};
enum { ADDRESS_TEXT_SIZE = INET6_ADDRSTRLEN };

// "10.0.0.1", "::1"; no port, no brackets, no zone, no spaces, no leading zeros in IPv4.
MUST_CHECK bool address_parse(const char *text, size_t len, struct address *out);
void address_of_ipv4(struct in_addr in, struct address *out);
void address_text(const struct address *address, char out[ADDRESS_TEXT_SIZE]);

struct network {
  struct address address;
  unsigned prefix; // of 128 bits
};
struct networks {
  struct network *list;
  size_t n;
};

// An array of "10.0.0.0/8", or "10.0.0.1" for that one alone. False with "/0: rule": no network, or bits set
// behind its prefix, since then it is not sure what was meant.
MUST_CHECK bool networks_load(struct networks *out, const json_t *texts, struct err *err);
void networks_fini(struct networks *networks);
bool networks_hold(const struct networks *networks, const struct address *address);
