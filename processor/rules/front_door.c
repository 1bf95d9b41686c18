// SPDX-License-Identifier: MIT
#include "processor/rules/front_door.h"

enum { FAILED_TO_OPEN = 3, GOOD_TO_CLOSE = 2 };

const char *front_door_stage_name(enum front_door_stage stage) {
  static const char *const names[FRONT_DOOR_STAGES] = {
      [FRONT_DOOR_OK] = "ok",     [FRONT_DOOR_NAME] = "name", [FRONT_DOOR_CONNECT] = "connect",
      [FRONT_DOOR_TLS] = "tls",   [FRONT_DOOR_HTTP] = "http", [FRONT_DOOR_NOT_OURS] = "not_ours",
      [FRONT_DOOR_SLOW] = "slow",
  };
  return names[stage];
}

static void count(struct front_door_state *state, const struct front_door_result *result) {
  bool good = result->stage == FRONT_DOOR_OK;
  if (!good && state->failed == 0) state->failed_since = result->at;
  state->good = good ? state->good + 1 : 0;
  state->failed = good ? 0 : state->failed + 1;
}

static enum front_door_move judge_calls(struct front_door_state *state) {
  bool opens = !state->unreachable && state->failed >= FAILED_TO_OPEN;
  bool closes = state->unreachable && state->good >= GOOD_TO_CLOSE;
  if (opens || closes) state->unreachable = opens;
  return opens ? FRONT_DOOR_OPEN : closes ? FRONT_DOOR_CLOSE : FRONT_DOOR_STAY;
}

static enum front_door_certificate level_of(const struct front_door_result *result) {
  const int64_t day_ms = 86400000, left_ms = result->certificate_ends_at - result->at;
  if (left_ms > CERTIFICATE_ENDS_DAYS * day_ms) return CERTIFICATE_GOOD;
  return left_ms > CERTIFICATE_ENDS_SOON_DAYS * day_ms ? CERTIFICATE_ENDS : CERTIFICATE_ENDS_SOON;
}

static enum front_door_move judge_certificate(struct front_door_state *state,
                                              const struct front_door_result *result,
                                              enum front_door_certificate *level) {
  enum front_door_certificate now = level_of(result), before = state->certificate;
  *level = before;
  if (!result->certificate_ends_at) return FRONT_DOOR_STAY;
  if (now > before) {
    state->certificate = *level = now;
    return FRONT_DOOR_OPEN;
  }
  if (now != CERTIFICATE_GOOD || before == CERTIFICATE_GOOD) return FRONT_DOOR_STAY;
  state->certificate = CERTIFICATE_GOOD;
  return FRONT_DOOR_CLOSE;
}

struct front_door_verdict front_door_judge(struct front_door_state *state,
                                           const struct front_door_result *result) {
  struct front_door_verdict verdict = {0};
  if (result->at == state->judged_at) return verdict;
  state->judged_at = result->at;
  count(state, result);
  verdict.unreachable = judge_calls(state);
  verdict.since = state->failed_since;
  verdict.certificate = judge_certificate(state, result, &verdict.level);
  return verdict;
}
