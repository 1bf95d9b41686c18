// SPDX-License-Identifier: MIT
// IPv4 and IPv6 addresses as text, with or without a port. ::ffff:10.0.0.1 is read as the IPv4
// address 10.0.0.1, so that rules for IPv4 match it and rules for IPv6 do not. Thread: any.
#pragma once
#include "common/base/err.h"
#include <arpa/inet.h>
#include <stddef.h>
#include <stdint.h>

struct address {
  uint8_t bytes[16]; // IPv4: mapped
};
enum { ADDRESS_TEXT_SIZE = INET6_ADDRSTRLEN, ADDRESS_NO_PORT = -1 };

// "10.0.0.1", "::1"; no port, no brackets, no zone, no spaces, no leading zeros in IPv4.
MUST_CHECK bool address_parse(const char *text, size_t len, struct address *out);
// Also "10.0.0.1:443", "[::1]" and "[::1]:443". *port is 0 to 65535, or ADDRESS_NO_PORT.
MUST_CHECK bool address_port_parse(const char *text, size_t len, struct address *out, int *port);
bool address_is_ipv4(const struct address *address);
// Of a network that is not routed in the internet: loopback, link-local, private (RFC 1918, RFC 4193), or
// shared behind a carrier's NAT (RFC 6598).
bool address_is_inner(const struct address *address);
void address_of_ipv4(struct in_addr in, struct address *out);
void address_text(const struct address *address, char out[ADDRESS_TEXT_SIZE]);
