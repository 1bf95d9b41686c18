// SPDX-License-Identifier: MIT
// Networks such as 10.0.0.0/8, IPv4 and IPv6: parsing, and whether one contains an address. Thread: any.
#pragma once
#include "common/base/address.h"
#include "common/base/faults.h"
#include <jansson.h>
#include <stddef.h>

struct network {
  struct address address;
  unsigned prefix; // of 128 bits
};
struct networks {
  struct network *list;
  size_t n;
};

// Adds "10.0.0.0/8", or "10.0.0.1" for one address. False: `text` is no network, or has bits set behind its
// prefix.
MUST_CHECK bool networks_add(struct networks *out, const char *text, struct err *err);
// Adds an array of them. Each fault is "/0: rule".
void networks_load(struct networks *out, const json_t *texts, struct faults *faults);
// Whether a network as written contains all addresses of its family: it ends in "/0".
bool network_is_all(const char *text);
void networks_fini(struct networks *networks);
bool networks_hold(const struct networks *networks, const struct address *address);
