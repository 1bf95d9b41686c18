// SPDX-License-Identifier: MIT
#include "common/base/mem.h"
#include "processor/watch/judge.h"
#include "processor/watch/judge_event.h"
#include <stdlib.h>
#include <string.h>

static const char *const certificates[] = {[CERTIFICATE_GOOD] = "",
                                           [CERTIFICATE_ENDS] = "certificate, 14 days",
                                           [CERTIFICATE_ENDS_SOON] = "certificate, 3 days"};

static const char *const faults[FRONT_DOOR_STAGES] = {
    [FRONT_DOOR_OK] = "our own front door answers",
    [FRONT_DOOR_NAME] = "our own front door cannot be reached from here",
    [FRONT_DOOR_CONNECT] = "our own front door cannot be reached from here",
    [FRONT_DOOR_TLS] = "our own front door cannot be reached from here",
    [FRONT_DOOR_HTTP] = "our own front door does not answer as ingress does",
    [FRONT_DOOR_NOT_OURS] = "our own front door leads to no ingress of ours",
    [FRONT_DOOR_SLOW] = "our own front door answers too late",
};

static struct judge_key door_key(const char *scope) {
  return (struct judge_key){INCIDENT_UNREACHABLE, "", "", scope};
}

static bool close_scope(struct judge *j, const char *scope, const char *summary, struct err *err) {
  const struct judge_key key = door_key(scope);
  const struct view_incident *row = judge_event_find(j, &key);
  return !row || judge_event_close(j, row, summary, err);
}

static bool act_on_door(struct judge *j, enum front_door_move move, int64_t since_ms,
                        const struct front_door_result *result, struct err *err) {
  const struct judge_key key = door_key("front door");
  AUTO_FREE char *summary = mem_printf("%s: %s", faults[result->stage], result->text);
  const struct incident_story story = {.summary = summary};
  switch (move) {
  case FRONT_DOOR_STAY:
    return true;
  case FRONT_DOOR_OPEN:
    return judge_event_find(j, &key) || judge_event_open(j, &key, since_ms, &story, err);
  case FRONT_DOOR_CLOSE:
    return close_scope(
        j, key.scope,
        "the front door answers again; docs/outage.md says how to get what did not come through meanwhile",
        err);
  }
  abort(); // not a move
}

static bool act_on_certificate(struct judge *j, const struct front_door_verdict *verdict,
                               const struct front_door_result *result, struct err *err) {
  const struct judge_key key = door_key(certificates[verdict->level]);
  AUTO_FREE char *summary =
      mem_printf("the certificate of our front door ends in %lld days", (long long)result->cert_days);
  const struct incident_story story = {.summary = summary};
  switch (verdict->certificate) {
  case FRONT_DOOR_STAY:
    return true;
  case FRONT_DOOR_OPEN:
    return judge_event_find(j, &key) || judge_event_open(j, &key, result->at, &story, err);
  case FRONT_DOOR_CLOSE:
    return close_scope(j, certificates[CERTIFICATE_ENDS], "the certificate was renewed", err) &&
           close_scope(j, certificates[CERTIFICATE_ENDS_SOON], "the certificate was renewed", err);
  }
  abort(); // not a move
}

// What is open is that of the table: another process may have led before.
static void take_over(struct judge *j) {
  const struct judge_key door = door_key("front door");
  const struct judge_key soon = door_key(certificates[CERTIFICATE_ENDS_SOON]);
  const struct judge_key ends = door_key(certificates[CERTIFICATE_ENDS]);
  j->door.unreachable = judge_event_find(j, &door) != NULL;
  j->door.certificate = judge_event_find(j, &soon)   ? CERTIFICATE_ENDS_SOON
                        : judge_event_find(j, &ends) ? CERTIFICATE_ENDS
                                                     : CERTIFICATE_GOOD;
}

bool judge_front_door(struct judge *j, const struct front_door_result *result, struct err *err) {
  if (result->at == j->door.judged_at) return true;
  take_over(j);
  j->door_result = *result;
  struct front_door_verdict verdict = front_door_judge(&j->door, result);
  return act_on_door(j, verdict.unreachable, verdict.since, result, err) &&
         act_on_certificate(j, &verdict, result, err);
}
