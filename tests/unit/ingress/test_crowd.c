// SPDX-License-Identifier: MIT
// Who may come in and who has to go: guests by letter, addresses by number.
#include "common/base/mem.h"
#include "ingress/http/crowd.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static struct crowd crowd;
static struct guest guests[26];

static struct in_addr address(uint32_t n) {
  return (struct in_addr){htonl(n)};
}

// 'a' and so on: he has to go; '.': there is room; '!': there is none, and nobody to go.
static char in_the_way(uint32_t from, bool unlimited) {
  bool full = true;
  const struct guest *guest = crowd_in_the_way(&crowd, address(from), unlimited, &full);
  if (guest) assert_false(full);
  return guest ? (char)('a' + (guest - guests)) : full ? '!' : '.';
}

// Each word is a step: "a1" a comes from address 1, "a-" leaves, "a+" has a request in progress, "a=" none;
// "?1" what is in the way of one more from 1, "*1" of one who has no limit, and then what is expected.
static void play(const char *steps) {
  for (const char *at = steps; *at; at++) {
    if (*at == ' ') continue;
    char who = *at++;
    uint32_t from = (uint32_t)(*at - '0');
    if (who == '?' || who == '*') {
      char got = in_the_way(from, who == '*');
      if (got != *++at) fail_msg("expected %c, got %c: %s, before %s", *at, got, steps, at + 1);
      continue;
    }
    struct guest *guest = &guests[who - 'a'];
    if (*at == '-') {
      crowd_leave(&crowd, guest);
    } else if (*at == '+' || *at == '=') {
      crowd_set_idle(&crowd, guest, *at == '=');
    } else {
      *guest = (struct guest){0};
      crowd_join(&crowd, guest, address(from));
    }
  }
}

static void test_the_one_that_has_been_idle_for_longest_makes_room(void **state) {
  static const struct {
    size_t max, max_per_address;
    const char *steps;
  } rows[] = {
      {4, 2, "?1. a1 ?1. a-"},
      {4, 2, "a1 b1 ?1a ?2. *1. a- b-"},                            // of the same address
      {4, 2, "a1 b1 c2 a+ ?1b a= ?1b b+ b= ?1a a- b- c-"},          // longest since its last request
      {4, 2, "a1 b1 a+ b+ ?1! ?2. *1. b= ?1b a- b-"},               // nobody is sent away in mid-request
      {4, 2, "a1 b1 c2 a+ b+ ?1! a- ?1. b- c-"},                    // nor one of another address
      {3, 2, "a1 b2 c3 ?4a ?1a a+ ?4b ?1b b+ c+ ?4! a- ?4. b- c-"}, // too many in all: anybody
      {3, 2, "a1 b1 c2 ?1a ?2a *2a a+ ?1b ?2b b- ?1. c- a-"},
      {3, 2, "a1 b1 c2 c+ b+ ?2a ?1a a+ ?2! *2! ?1! a- b- c-"},
      {3, 2, "a1 a= a= a+ a+ a= b1 ?1a b- a-"}, // told twice is told once
      {2, 9, "a1 b1 ?1a a- c1 ?1b b- c- ?1."},
  };
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    crowd_init(&crowd, rows[i].max, rows[i].max_per_address);
    play(rows[i].steps);
    assert_int_equal(crowd.n, 0);
    assert_true(TAILQ_EMPTY(&crowd.idle));
    for (size_t j = 0; j < COUNT_OF(crowd.peers); j++) assert_null(crowd.peers[j]);
    crowd_fini(&crowd);
  }
}

// More addresses than the table has rows, so that many share one; they leave from the middle, too.
static void test_addresses_are_told_apart(void **state) {
  enum { ADDRESSES = 5000, STEP = 7919 };
  AUTO_FREE struct guest *many = mem_array(ADDRESSES, sizeof *many);
  bool full;
  crowd_init(&crowd, 2 * ADDRESSES, 1);
  for (uint32_t i = 0; i < ADDRESSES; i++) crowd_join(&crowd, &many[i], address(i << 7));
  assert_null(crowd_in_the_way(&crowd, address(1), false, &full));
  for (uint32_t i = 0, at = 0; i < ADDRESSES; i++, at = (at + STEP) % ADDRESSES) {
    assert_ptr_equal(crowd_in_the_way(&crowd, address(at << 7), false, &full), &many[at]);
    crowd_leave(&crowd, &many[at]);
    assert_null(crowd_in_the_way(&crowd, address(at << 7), false, &full));
    assert_false(full);
  }
  assert_int_equal(crowd.n, 0);
  for (size_t i = 0; i < COUNT_OF(crowd.peers); i++) assert_null(crowd.peers[i]);
  crowd_fini(&crowd);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_one_that_has_been_idle_for_longest_makes_room),
      cmocka_unit_test(test_addresses_are_told_apart),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
