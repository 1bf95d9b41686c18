// SPDX-License-Identifier: MIT
#include "ingress/sender/forwarded.h"

#include <string.h>
#include <strings.h>

enum { LIST_MAX_BYTES = 2048, ENTRIES_MAX = 32, PORT_MAX_DIGITS = 5 };

struct entry {
  const char *text;
  size_t len;
};

static bool is_port(const char *text, size_t len) {
  if (len == 0 || len > PORT_MAX_DIGITS) return false;
  unsigned port = 0;
  for (size_t i = 0; i < len; i++) {
    if (text[i] < '0' || text[i] > '9') return false;
    port = 10 * port + (unsigned)(text[i] - '0');
  }
  return port <= 65535;
}

// [::1] or [::1]:443
static bool read_bracketed(struct entry entry, struct address *out) {
  const char *end = memchr(entry.text, ']', entry.len);
  if (!end || !memchr(entry.text, ':', (size_t)(end - entry.text))) return false;
  size_t rest = entry.len - (size_t)(end + 1 - entry.text);
  if (rest > 0 && (end[1] != ':' || !is_port(end + 2, rest - 1))) return false;
  return address_parse(entry.text + 1, (size_t)(end - entry.text) - 1, out);
}

// 10.0.0.1, 10.0.0.1:443 or ::1
static bool read_entry(struct entry entry, struct address *out) {
  if (entry.len > 0 && entry.text[0] == '[') return read_bracketed(entry, out);
  const char *colon = memchr(entry.text, ':', entry.len);
  bool dotted = colon && memchr(entry.text, '.', (size_t)(colon - entry.text));
  if (!dotted) return address_parse(entry.text, entry.len, out);
  size_t host = (size_t)(colon - entry.text);
  return is_port(colon + 1, entry.len - host - 1) && address_parse(entry.text, host, out);
}

static struct entry trim(struct entry entry) {
  while (entry.len > 0 && strchr(" \t", entry.text[0])) entry.text++, entry.len--;
  while (entry.len > 0 && strchr(" \t", entry.text[entry.len - 1])) entry.len--;
  return entry;
}

// What has been seen of the list, from left to right.
struct walk {
  size_t bytes, entries;
};

// Every address that is no proxy's takes the place of those left of it.
static bool walk_entry(const struct verify_request *req, struct entry entry, struct walk *walk,
                       struct address *client) {
  struct address address;
  if (++walk->entries > ENTRIES_MAX || !read_entry(trim(entry), &address)) return false;
  if (walk->entries == 1 || !networks_hold(req->trusted, &address)) *client = address;
  return true;
}

static bool walk_list(const struct verify_request *req, const char *list, struct walk *walk,
                      struct address *client) {
  walk->bytes += strnlen(list, LIST_MAX_BYTES + 1);
  if (walk->bytes > LIST_MAX_BYTES) return false;
  for (;;) {
    size_t len = strcspn(list, ",");
    if (!walk_entry(req, (struct entry){list, len}, walk, client)) return false;
    if (!list[len]) return true;
    list += len + 1;
  }
}

bool forwarded_client(const struct verify_request *req, struct address *out) {
  struct address client;
  if (!req->peer || !address_parse(req->peer, strlen(req->peer), &client)) return false;
  if (req->trusted && networks_hold(req->trusted, &client)) {
    struct walk walk = {0};
    for (size_t i = 0; i < req->n_headers; i++)
      if (strcasecmp(req->headers[i].name, "X-Forwarded-For") == 0 &&
          !walk_list(req, req->headers[i].value, &walk, &client))
        return false;
  }
  *out = client;
  return true;
}
