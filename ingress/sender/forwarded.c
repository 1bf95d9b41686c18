// SPDX-License-Identifier: MIT
#include "ingress/sender/forwarded.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { ENTRIES_MAX = 32, SHOWN_BYTES = 48 };

static bool set_fault(char fault[FORWARDED_FAULT_SIZE], const char *what, const char *entry, size_t len) {
  if (!fault) return false;
  char shown[SHOWN_BYTES + 1] = "";
  for (size_t i = 0; i < len && i < SHOWN_BYTES; i++) {
    shown[i] = '?';
    if (entry[i] >= ' ' && entry[i] <= '~') shown[i] = entry[i];
  }
  snprintf(fault, FORWARDED_FAULT_SIZE, "%s: \"%s%s\"", what, shown, len > SHOWN_BYTES ? "..." : "");
  return false;
}

// The list is read from right to left.
struct walk {
  const struct networks *trusted;
  struct address client;
  size_t entries;
  bool decided; // `client` is no trusted proxy
};

static bool walk_entry(struct walk *walk, const char *entry, size_t len, char *fault) {
  int port;
  for (; len > 0 && strchr(" \t", entry[0]); len--) entry++;
  while (len > 0 && strchr(" \t", entry[len - 1])) len--;
  if (++walk->entries > ENTRIES_MAX)
    return set_fault(fault, "X-Forwarded-For has too many proxies", entry, len);
  if (!address_port_parse(entry, len, &walk->client, &port))
    return set_fault(fault, "an entry of X-Forwarded-For is no address", entry, len);
  walk->decided = !networks_hold(walk->trusted, &walk->client);
  return true;
}

static bool walk_list(struct walk *walk, const char *list, char *fault) {
  const char *end = list + strlen(list), *comma;
  do {
    comma = memrchr(list, ',', (size_t)(end - list));
    const char *begin = comma ? comma + 1 : list;
    if (!walk_entry(walk, begin, (size_t)(end - begin), fault)) return false;
    end = comma;
  } while (comma && !walk->decided);
  return true;
}

bool forwarded_client(const struct request *req, const struct networks *trusted, struct address *out,
                      char fault[FORWARDED_FAULT_SIZE]) {
  struct walk walk = {.trusted = trusted};
  const char *peer = req->info->remote_addr;
  if (!address_parse(peer, strlen(peer), &walk.client))
    return set_fault(fault, "the connection has no remote address", peer, strlen(peer));
  walk.decided = !networks_hold(walk.trusted, &walk.client);
  for (int i = req->info->num_headers - 1; i >= 0 && !walk.decided; i--) {
    const struct mg_header *header = &req->info->http_headers[i];
    if (strcasecmp(header->name, "X-Forwarded-For") == 0 && !walk_list(&walk, header->value, fault))
      return false;
  }
  *out = walk.client;
  return true;
}
