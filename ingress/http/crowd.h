// SPDX-License-Identifier: MIT
// The connections of one loop, by the address they come from: how many there may be, and who makes room for a
// new one. It is always the one that has been without a request for longest, of the same address or, when
// there are too many in all, of any: so connections that are only held can keep nobody out. Thread: the
// loop's.
#pragma once
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

struct peer;

struct guest { // a connection, as its crowd sees it
  TAILQ_ENTRY(guest) of_all, of_peer;
  struct peer *peer;
  bool idle; // no request in progress
};
TAILQ_HEAD(guests, guest);

struct crowd {
  size_t max, max_per_address;
  size_t n;
  struct guests idle; // longest first
  struct peer *peers[1024];
};

void crowd_init(struct crowd *crowd, size_t max, size_t max_per_address);
void crowd_fini(struct crowd *crowd); // everybody has left

// NULL when there is room for one more from there, else who should go first; `*full`: there is no room, and
// nobody to go. `unlimited`: only the limit for all counts.
struct guest *crowd_in_the_way(struct crowd *crowd, struct in_addr address, bool unlimited, bool *full);
void crowd_join(struct crowd *crowd, struct guest *guest, struct in_addr address); // idle
void crowd_leave(struct crowd *crowd, struct guest *guest);
void crowd_set_idle(struct crowd *crowd, struct guest *guest, bool idle);
