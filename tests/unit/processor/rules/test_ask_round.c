// SPDX-License-Identifier: MIT
#include "common/base/mem.h"
#include "processor/rules/ask_round.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { EVERY = 600 };

static const struct {
  const char *name;
  struct ask_round_seen seen;
  int64_t every;
  enum ask_round round;
} rows[] = {
    {"the first round asks for all", {1000, false, 0, 0, 0}, EVERY, ASK_ROUND_ALL},
    {"too early", {1000, false, 401, 401, 0}, EVERY, ASK_ROUND_NONE},
    {"in time", {1000, false, 400, 400, 0}, EVERY, ASK_ROUND_NEW},
    {"the last one for all was long ago", {9000, false, 8000, 400, 0}, EVERY, ASK_ROUND_NEW},
    {"one that has not ended comes first", {1000, true, 400, 400, 900}, EVERY, ASK_ROUND_GO_ON},
    {"also the very first", {1000, true, 0, 0, 0}, EVERY, ASK_ROUND_GO_ON},
    {"silent, since the last one for all", {1000, false, 990, 800, 900}, EVERY, ASK_ROUND_ALL},
    {"silent, and all were asked for since", {1000, false, 990, 950, 900}, EVERY, ASK_ROUND_NONE},
    {"silent, and all were asked for at that time", {1000, false, 900, 900, 900}, EVERY, ASK_ROUND_NONE},
    {"silent, by a clock that is ahead", {1000, false, 990, 800, 1001}, EVERY, ASK_ROUND_NONE},
    {"silent, by a clock that is ahead, and in time", {1000, false, 400, 400, 1001}, EVERY, ASK_ROUND_NEW},
    // contacts
    {"contacts are not asked for from time to time", {1000, false, 0, 0, 0}, 0, ASK_ROUND_NONE},
    {"but when silent opens or closes", {1000, false, 0, 0, 900}, 0, ASK_ROUND_ALL},
    {"once", {1000, false, 950, 950, 900}, 0, ASK_ROUND_NONE},
    {"and to the end", {1000, true, 0, 0, 900}, 0, ASK_ROUND_GO_ON},
};

static void test_when_and_how_much_is_asked(void **state) {
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    enum ask_round round = ask_round_due(&rows[i].seen, rows[i].every);
    if (round != rows[i].round)
      fail_msg("%s: expected %d, got %d", rows[i].name, (int)rows[i].round, (int)round);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_when_and_how_much_is_asked)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
