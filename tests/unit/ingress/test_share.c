// SPDX-License-Identifier: MIT
#include "common/base/mem.h"
#include "ingress/share.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void assert_held(const struct share_pool *pool, int64_t bytes) {
  assert_int_equal(atomic_load(&pool->held), bytes);
}

enum { ALWAYS = 1000, POOL = SHARE_ALWAYS * ALWAYS };

static void test_one_share_is_at_most_half_of_the_pool(void **state) {
  struct share_pool pool = {.max_bytes = POOL};
  struct share share = {.pool = &pool};
  assert_true(share_take(&share, POOL / 2 - 10, 0));
  assert_true(share_take(&share, 10, 0));
  assert_false(share_take(&share, 1, 0));
  assert_true(share_take(&share, 0, 0));
  assert_held(&pool, POOL / 2); // of what was refused nothing is held
  share_give_back(&share, 10);
  assert_false(share_take(&share, 11, 0));
  assert_true(share_take(&share, 10, 0));
  share_give_back(&share, POOL / 2);
  assert_held(&pool, 0);
}

static void test_two_that_hold_the_pool_leave_a_little_to_each_of_the_others(void **state) {
  struct share_pool pool = {.max_bytes = POOL};
  struct share a = {.pool = &pool}, b = {.pool = &pool}, c = {.pool = &pool};
  assert_true(share_take(&a, POOL / 2, 0) && share_take(&b, POOL / 2, 0));
  assert_false(share_take(&a, 1, 0) || share_take(&b, 1, 0));
  assert_true(share_take(&c, 1, 0) && share_take(&c, ALWAYS - 1, 0));
  assert_false(share_take(&c, 1, 0));
  share_give_back(&a, POOL / 2);
  assert_true(share_take(&c, 1, 0));
  share_give_back(&b, POOL / 2);
  share_give_back(&c, ALWAYS + 1);
  assert_held(&pool, 0);
}

static void test_who_is_alone_in_his_share_may_always_go_on(void **state) {
  struct share_pool pool = {.max_bytes = POOL};
  struct share a = {.pool = &pool};
  assert_true(share_take(&a, POOL, 0));
  assert_true(share_take(&a, POOL, POOL));
  assert_false(share_take(&a, 1, 0)); // another one
  share_give_back(&a, 2 * POOL);
  assert_held(&pool, 0);
}

enum { THREADS = 4, ROUNDS = 50000, MOST = 1000 };

static struct share_pool shared_pool = {.max_bytes = MOST};
static struct share shares[2] = {{.pool = &shared_pool}, {.pool = &shared_pool}};
static _Atomic int64_t held[2];

// Whoever got it holds it; together they never hold more than a share may, but for one that was the first.
static void *take_and_give_back(void *arg) {
  size_t which = (size_t)(uintptr_t)arg % 2;
  unsigned seed = (unsigned)(uintptr_t)arg;
  int64_t most = 0;
  for (int i = 0; i < ROUNDS; i++) {
    int64_t bytes = 1 + rand_r(&seed) % 300;
    if (!share_take(&shares[which], bytes, 0)) continue;
    int64_t now = atomic_fetch_add(&held[which], bytes) + bytes;
    if (now > most) most = now;
    atomic_fetch_sub(&held[which], bytes);
    share_give_back(&shares[which], bytes);
  }
  return (void *)(uintptr_t)most;
}

static void test_threads_hold_no_more_together(void **state) {
  pthread_t threads[THREADS];
  for (size_t i = 0; i < THREADS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, take_and_give_back, (void *)(uintptr_t)i), 0);
  for (size_t i = 0; i < THREADS; i++) {
    void *most;
    pthread_join(threads[i], &most);
    assert_in_range((uintptr_t)most, 1, MOST / 2);
  }
  assert_held(&shared_pool, 0);
  assert_int_equal(atomic_load(&shares[0].held), 0);
  assert_int_equal(atomic_load(&shares[1].held), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_one_share_is_at_most_half_of_the_pool),
      cmocka_unit_test(test_two_that_hold_the_pool_leave_a_little_to_each_of_the_others),
      cmocka_unit_test(test_who_is_alone_in_his_share_may_always_go_on),
      cmocka_unit_test(test_threads_hold_no_more_together),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
