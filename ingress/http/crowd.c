// SPDX-License-Identifier: MIT
#include "ingress/http/crowd.h"

#include "common/base/mem.h"
#include <stdlib.h>

struct peer {
  struct peer *next; // with the same hash
  struct in_addr address;
  size_t n;
  struct guests idle;
};

static struct peer **find(struct crowd *crowd, struct in_addr address) {
  uint32_t hash = ntohl(address.s_addr) * 2654435761U; // Knuth's multiplicative hash
  struct peer **at = &crowd->peers[hash >> 22];
  while (*at && (*at)->address.s_addr != address.s_addr) at = &(*at)->next;
  return at;
}

void crowd_init(struct crowd *crowd, size_t max, size_t max_per_address) {
  *crowd = (struct crowd){.max = max, .max_per_address = max_per_address};
  TAILQ_INIT(&crowd->idle);
}

void crowd_fini(struct crowd *crowd) {
  for (size_t i = 0; i < COUNT_OF(crowd->peers); i++)
    for (struct peer *peer = crowd->peers[i], *next; peer; peer = next) {
      next = peer->next;
      free(peer);
    }
}

struct guest *crowd_in_the_way(struct crowd *crowd, struct in_addr address, bool unlimited, bool *full) {
  const struct peer *peer = *find(crowd, address);
  bool many_from_there = !unlimited && peer && peer->n >= crowd->max_per_address;
  if (!many_from_there && crowd->n < crowd->max) {
    *full = false;
    return NULL;
  }
  struct guest *first = TAILQ_FIRST(many_from_there ? &peer->idle : &crowd->idle);
  *full = !first;
  return first;
}

void crowd_set_idle(struct crowd *crowd, struct guest *guest, bool idle) {
  if (guest->idle == idle) return;
  guest->idle = idle;
  if (idle) {
    TAILQ_INSERT_TAIL(&crowd->idle, guest, of_all);
    TAILQ_INSERT_TAIL(&guest->peer->idle, guest, of_peer);
  } else {
    TAILQ_REMOVE(&crowd->idle, guest, of_all);
    TAILQ_REMOVE(&guest->peer->idle, guest, of_peer);
  }
}

void crowd_join(struct crowd *crowd, struct guest *guest, struct in_addr address) {
  struct peer **at = find(crowd, address);
  if (!*at) {
    *at = mem_alloc(sizeof **at);
    (*at)->address = address;
    TAILQ_INIT(&(*at)->idle);
  }
  guest->peer = *at;
  guest->peer->n++;
  crowd->n++;
  crowd_set_idle(crowd, guest, true);
}

void crowd_leave(struct crowd *crowd, struct guest *guest) {
  crowd_set_idle(crowd, guest, false);
  crowd->n--;
  if (--guest->peer->n) return;
  struct peer **at = find(crowd, guest->peer->address);
  *at = guest->peer->next;
  free(take(guest->peer));
}
