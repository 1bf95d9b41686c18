// SPDX-License-Identifier: MIT
// dochak-processor doctor: the checklist for a webhook that does not come, from the front door to the tables.
// Each line is judged by itself, so it works while any part is down.
#include "processor/commands/doctor.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "processor/commands/command.h"
#include "processor/commands/flags.h"
#include "processor/watch/front_door_check.h"
#include <stdio.h>
#include <string.h>

struct doctor_options {
  bool json;
};

static const char help[] =
    "dochak-processor doctor: why does no webhook come? Looks at each part on its way, from outside to the\n"
    "tables: front door, Kafka, topics, lag, Postgres, ingress, endpoints\n"
    "\n"
    "usage: dochak-processor doctor [--json]\n"
    "\n"
    "  --json   one JSON object: {\"good\", \"checks\": [{\"part\", \"state\", \"text\", \"advice\"}]}\n"
    "\n"
    "Each line begins with good, note or wrong; below it stands what to do. Nothing is changed. The exit "
    "code\n"
    "is 0 when nothing is wrong. With everything down it takes half a minute.";

static bool read_arguments(int argc, char **argv, void *options, struct err *err) {
  struct doctor_options *o = options;
  struct flag flags[] = {{"--json", FLAG_SWITCH, &o->json, NULL}};
  return flags_read(argc, argv, flags, COUNT_OF(flags), NULL, err);
}

// ---- the front door ----

static const char *const advice_of[FRONT_DOOR_STAGES] = {
    [FRONT_DOOR_NAME] = "look at the host's DNS record, and at the name in DOCHAK_PUBLIC_URL",
    [FRONT_DOOR_CONNECT] = "what listens there must run, the proxy or ingress itself, and the firewall "
                           "must let its port in, also for the addresses of the provider",
    [FRONT_DOOR_TLS] = "renew the certificate for this host's name, and serve its chain; DOCHAK_PUBLIC_CA "
                       "names the file of a CA of your own",
    [FRONT_DOOR_HTTP] = "the proxy must pass /webhook/ and /v1/ on to a running ingress, as docs/webhooks.md "
                        "shows",
    [FRONT_DOOR_NOT_OURS] = "DOCHAK_PUBLIC_URL must lead to an ingress of this dochak, with the same "
                            "DOCHAK_PING_KEY",
    [FRONT_DOOR_SLOW] = "look at the load of proxy and ingress, and at the name servers",
};

static void judge_certificate(const struct front_door_result *result, struct findings *findings) {
  struct front_door_state state = {0};
  char ends_at[CLOCK_RFC3339_SIZE];
  if (!result->certificate_ends_at) return;
  clock_format_rfc3339(result->certificate_ends_at, ends_at);
  bool good = front_door_judge(&state, result).certificate == FRONT_DOOR_STAY;
  findings_add(findings, good ? FINDING_GOOD : FINDING_WRONG, "certificate",
               good ? NULL : "renew it: providers do not call once it has ended", "ends in %lld days, %s",
               (long long)result->cert_days, ends_at);
}

// Ingress takes the proxy for the sender if it does not know it. Its list is ingress's own setting.
static void judge_address(const struct front_door_result *result, struct findings *findings) {
  struct address address;
  if (!address_parse(result->address, strlen(result->address), &address)) return;
  bool inner = address_is_inner(&address);
  findings_add(findings, inner ? FINDING_NOTE : FINDING_GOOD, "sender's address",
               inner ? "if that is the proxy, list it in DOCHAK_TRUSTED_PROXIES of ingress: for the check ip "
                       "all senders have its address"
                     : NULL,
               "ingress saw this call come from %s", result->address);
}

static void ask_front_door(const struct settings *settings, struct findings *findings) {
  static const char part[] = "front door";
  struct front_door_result result;
  struct err err;
  if (!*settings->public_url) {
    findings_add(findings, FINDING_NOTE, part,
                 "set it to what stands in front of /webhook/ in the URLs given to providers",
                 "not called: DOCHAK_PUBLIC_URL is not set");
    return;
  }
  if (!front_door_check_settings(settings, &err))
    findings_add(findings, FINDING_WRONG, part, NULL, "%s", err.text);
  else if (!front_door_check(settings, NULL, &result))
    findings_add(findings, FINDING_NOTE, part, NULL, "not called to the end: stopped");
  else {
    bool good = result.stage == FRONT_DOOR_OK;
    findings_add(findings, good ? FINDING_GOOD : FINDING_WRONG, part, advice_of[result.stage],
                 "%s (%s, %lld ms)", result.text, front_door_stage_name(result.stage), (long long)result.ms);
    judge_certificate(&result, findings);
    judge_address(&result, findings);
  }
}

// ---- the command ----

static bool run(struct processor *processor, const void *options, struct err *err) {
  const struct doctor_options *o = options;
  struct findings findings = {.is_json = o->json};
  ask_front_door(processor->settings, &findings);
  doctor_ask_kafka(processor, &findings);
  doctor_ask_postgres(&findings);
  findings_end(&findings);
  size_t n_wrong = findings.n_wrong;
  findings_fini(&findings);
  return n_wrong == 0 || err_set(err, "doctor: %zu thing%s wrong", n_wrong, n_wrong == 1 ? " is" : "s are");
}

const struct command doctor_command = {"doctor",       help, sizeof(struct doctor_options),
                                       read_arguments, run,  false};
