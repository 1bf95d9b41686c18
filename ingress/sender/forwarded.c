// SPDX-License-Identifier: MIT
#include "ingress/sender/forwarded.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { ENTRIES_MAX = 32, SHOWN_BYTES = 48 };

struct entry {
  const char *text;
  size_t len;
};

static struct entry trim(struct entry entry) {
  while (entry.len > 0 && strchr(" \t", entry.text[0])) entry.text++, entry.len--;
  while (entry.len > 0 && strchr(" \t", entry.text[entry.len - 1])) entry.len--;
  return entry;
}

// RFC 7239 section 6.3: ":_name" in place of a port hides the port, not the address.
static size_t without_hidden_port(struct entry entry) {
  static const char allowed[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"; // "obfport" of the RFC
  size_t at = entry.len;
  while (at > 0 && memchr(allowed, entry.text[at - 1], sizeof allowed - 1)) at--;
  bool hidden = at > 0 && entry.text[at - 1] == ':' && entry.len - at > 1 && entry.text[at] == '_';
  return hidden ? at - 1 : entry.len;
}

static bool set_fault(char fault[FORWARDED_FAULT_SIZE], const char *what, struct entry entry) {
  if (!fault) return false;
  char shown[SHOWN_BYTES + 1] = "";
  for (size_t i = 0; i < entry.len && i < SHOWN_BYTES; i++) {
    char byte = entry.text[i];
    shown[i] = '?';
    if (byte >= ' ' && byte <= '~') shown[i] = byte;
  }
  snprintf(fault, FORWARDED_FAULT_SIZE, "%s: \"%s%s\"", what, shown, entry.len > SHOWN_BYTES ? "..." : "");
  return false;
}

// The list is read from right to left.
struct walk {
  const struct verify_request *req;
  struct address client;
  size_t entries;
  bool decided; // `client` is no trusted proxy
};

static bool walk_entry(struct walk *walk, struct entry entry, char *fault) {
  int port;
  entry = trim(entry);
  if (++walk->entries > ENTRIES_MAX) return set_fault(fault, "X-Forwarded-For has too many proxies", entry);
  if (!address_port_parse(entry.text, without_hidden_port(entry), &walk->client, &port))
    return set_fault(fault, "an entry of X-Forwarded-For is no address", entry);
  walk->decided = !networks_hold(walk->req->trusted, &walk->client);
  return true;
}

static bool walk_list(struct walk *walk, const char *list, char *fault) {
  for (size_t end = strlen(list);;) {
    const char *comma = memrchr(list, ',', end);
    const char *begin = comma ? comma + 1 : list;
    if (!walk_entry(walk, (struct entry){begin, (size_t)(list + end - begin)}, fault)) return false;
    if (!comma || walk->decided) return true;
    end = (size_t)(comma - list);
  }
}

bool forwarded_client(const struct verify_request *req, struct address *out,
                      char fault[FORWARDED_FAULT_SIZE]) {
  struct walk walk = {.req = req};
  const char *peer = req->peer ? req->peer : "";
  if (!address_parse(peer, strlen(peer), &walk.client))
    return set_fault(fault, "the connection has no remote address", (struct entry){peer, strlen(peer)});
  walk.decided = !req->trusted || !networks_hold(req->trusted, &walk.client);
  for (size_t i = req->n_headers; i > 0 && !walk.decided; i--) {
    const struct mg_header *header = &req->headers[i - 1];
    if (strcasecmp(header->name, "X-Forwarded-For") == 0 && !walk_list(&walk, header->value, fault))
      return false;
  }
  *out = walk.client;
  return true;
}
