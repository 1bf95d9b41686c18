// SPDX-License-Identifier: MIT
// Check `ip`: the sender's address lies in one of the allowed networks.
#include "common/base/mem.h"
#include "ingress/sender/checks/check.h"
#include "ingress/sender/forwarded.h"
#include <stdlib.h>

static void ip_free(void *self) {
  struct networks *allowed = self;
  if (!allowed) return;
  networks_fini(allowed);
  free(allowed);
}

static void *ip_new(const json_t *conf, struct err *err) {
  struct networks *allowed = mem_alloc(sizeof *allowed);
  if (networks_load(allowed, json_object_get(conf, "allow"), err)) return allowed;
  err_prefix(err, "/allow");
  ip_free(allowed);
  return NULL;
}

static bool ip_passes(const void *self, const struct verify_request *req) {
  struct address client;
  return forwarded_client(req, &client, NULL) && networks_hold(self, &client);
}

const struct check check_ip = {.name = "ip", .new = ip_new, .passes = ip_passes, .free = ip_free};
