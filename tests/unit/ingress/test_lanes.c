// SPDX-License-Identifier: MIT
// Requests by letter; capitals have a large body, ! and ? a packed one.
#include "common/base/mem.h"
#include "ingress/http/lanes.h"
#include "ingress/http/request.h"
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LANES = 3, LARGE_BYTES = 100000 };
#define PACKED "!?"

static struct lanes lanes;
static struct request *requests;
static char served[256];
static const char *next; // what comes in while something is handled

static void add(const char *letters, size_t lane) {
  for (const char *at = letters; *at; at++) {
    struct request *req = &requests[(unsigned char)*at];
    *req = (struct request){.lane = lane, .body.len = isupper((unsigned char)*at) ? LARGE_BYTES : 100};
    if (strchr(PACKED, *at))
      req->head.headers[req->head.n_headers++] = (struct http_header){"Content-Encoding", "gzip"};
    lanes_add(&lanes, req);
  }
}

static void serve(void *arg, struct request *req) {
  served[strlen(served)] = (char)(req - requests);
  if (!next) return;
  const char *letters = next;
  next = NULL;
  add(letters, req->lane);
}

static bool turn(void) {
  memset(served, 0, sizeof served);
  return lanes_serve(&lanes, serve, NULL);
}

static int set_up(void **state) {
  lanes_init(&lanes, LANES);
  requests = mem_array(256, sizeof *requests);
  return 0;
}

static int tear_down(void **state) {
  assert_int_equal(lanes.waiting, 0);
  lanes_fini(&lanes);
  free(requests);
  return 0;
}

static void test_a_lane_is_served_in_order(void **state) {
  assert_false(turn());
  add("abc", 1);
  assert_false(turn());
  assert_string_equal(served, "abc");
  assert_false(turn());
  assert_string_equal(served, "");
}

static void test_large_bodies_of_one_lane_hold_up_another_for_one_of_them(void **state) {
  add("ABCa", 0);
  add("x", 2);
  assert_true(turn());
  assert_string_equal(served, "Ax");
  add("y", 1);
  assert_true(turn());
  assert_string_equal(served, "By");
  assert_true(turn());
  assert_string_equal(served, "C");
  assert_false(turn());
  assert_string_equal(served, "a");
}

static void test_a_packed_body_is_as_much_as_a_large_one(void **state) {
  add("!?a", 0);
  add("x", 1);
  assert_true(turn());
  assert_string_equal(served, "!x");
  assert_true(turn());
  assert_string_equal(served, "?");
  assert_false(turn());
  assert_string_equal(served, "a");
}

static void test_many_small_ones_take_turns_too(void **state) {
  add("#", 2);
  for (char c = '$'; c <= '~'; c++)
    if (!isupper((unsigned char)c) && !strchr(PACKED, c)) add((char[]){c, '\0'}, 0);
  size_t in_all = lanes.waiting;
  assert_true(turn());
  assert_non_null(strchr(served, '#'));
  size_t first = strlen(served);
  assert_in_range(first, 30, in_all - 1);
  assert_false(turn());
  assert_int_equal(first + strlen(served), in_all);
}

static void test_what_is_handled_may_bring_the_next_one_of_its_lane(void **state) {
  next = "b";
  add("a", 1);
  assert_false(turn());
  assert_string_equal(served, "ab");
  next = "b";
  add("A", 1); // a turn's worth
  assert_true(turn());
  assert_string_equal(served, "A");
  assert_false(turn());
  assert_string_equal(served, "b");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_a_lane_is_served_in_order, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_large_bodies_of_one_lane_hold_up_another_for_one_of_them, set_up,
                                      tear_down),
      cmocka_unit_test_setup_teardown(test_a_packed_body_is_as_much_as_a_large_one, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_many_small_ones_take_turns_too, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_what_is_handled_may_bring_the_next_one_of_its_lane, set_up,
                                      tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
