// SPDX-License-Identifier: MIT
// Check `ip`: the sender's address is in one of the allowed networks.
#include "ingress/sender/checks/check.h"
#include "ingress/sender/forwarded.h"

static bool ip_load(struct check_conf *out, const json_t *json, struct err *err) {
  return networks_load(&out->allowed, json_object_get(json, "allow"), err) || err_prefix(err, "/allow");
}

static bool ip_passes(const struct check_conf *conf, const struct verify_request *req) {
  struct address client;
  return forwarded_client(req, &client, NULL) && networks_hold(&conf->allowed, &client);
}

const struct check check_ip = {.name = "ip", .load = ip_load, .passes = ip_passes};
