// SPDX-License-Identifier: MIT
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/uuid.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { THREADS = 4, EACH = 10000 };

static int compare(const void *a, const void *b) {
  return memcmp(a, b, sizeof(struct uuid));
}

static void *make_many(void *arg) {
  struct uuid *list = arg;
  for (size_t i = 0; i < EACH; i++) list[i] = uuid_new_v7();
  return NULL;
}

static void test_v7_is_unique_over_threads_and_rises_in_each(void **state) {
  AUTO_FREE struct uuid *list = mem_array((size_t)THREADS * EACH, sizeof *list);
  pthread_t threads[THREADS];
  for (size_t t = 0; t < THREADS; t++) pthread_create(&threads[t], NULL, make_many, list + t * EACH);
  for (size_t t = 0; t < THREADS; t++) pthread_join(threads[t], NULL);
  for (size_t t = 0; t < THREADS; t++)
    for (size_t i = 1; i < EACH; i++) assert_true(compare(&list[t * EACH + i - 1], &list[t * EACH + i]) < 0);
  qsort(list, (size_t)THREADS * EACH, sizeof *list, compare);
  for (size_t i = 1; i < (size_t)THREADS * EACH; i++) assert_memory_not_equal(&list[i - 1], &list[i], 8);
}

static void test_v7_says_version_variant_and_time(void **state) {
  int64_t before = clock_wall_ms();
  struct uuid uuid = uuid_new_v7();
  int64_t ms = 0;
  for (int i = 0; i < 6; i++) ms = ms << 8 | uuid.bytes[i];
  assert_int_equal(uuid.bytes[6] >> 4, 7);
  assert_int_equal(uuid.bytes[8] >> 6, 2);
  // 40000 ids made at once may run ahead of the clock by 10 ms.
  assert_in_range(ms, before, clock_wall_ms() + 20);
}

static void test_text_form_is_read_back(void **state) {
  struct uuid uuid, back;
  char text[UUID_TEXT_SIZE];
  assert_true(uuid_parse("0190163D-8694-739b-aea5-966c26f8ad91", &uuid));
  uuid_format(uuid, text);
  assert_string_equal(text, "0190163d-8694-739b-aea5-966c26f8ad91");
  assert_true(uuid_parse(text, &back));
  assert_memory_equal(&uuid, &back, sizeof uuid);
}

static void test_what_is_no_uuid_is_refused(void **state) {
  static const char *const texts[] = {"",
                                      "0190163d",
                                      "0190163d-8694-739b-aea5-966c26f8ad9",
                                      "0190163d-8694-739b-aea5-966c26f8ad911",
                                      "0190163d8694739baea5966c26f8ad91",
                                      "0190163d-8694-739b-aea5-966c26f8ad9g",
                                      "0190163d-8694-739b-aea5_966c26f8ad91",
                                      "{190163d-8694-739b-aea5-966c26f8ad91"};
  struct uuid uuid;
  for (size_t i = 0; i < COUNT_OF(texts); i++) assert_false(uuid_parse(texts[i], &uuid));
}

static struct uuid of(const char *a, const char *b) {
  return uuid_of_fields((const char *const[]){a, b}, 2);
}

static void test_same_fields_same_id_and_the_borders_count(void **state) {
  struct uuid id = of("bizgo", "m-1");
  struct uuid again = of("bizgo", "m-1");
  assert_memory_equal(&id, &again, sizeof id);
  static const char *const others[][2] = {
      {"bizgom", "-1"}, {"bizgo", "m-2"}, {"m-1", "bizgo"}, {"", "bizgom-1"}};
  for (size_t i = 0; i < COUNT_OF(others); i++) {
    struct uuid other = of(others[i][0], others[i][1]);
    assert_memory_not_equal(&id, &other, sizeof id);
  }
  struct uuid one = uuid_of_fields((const char *const[]){"bizgo"}, 1);
  struct uuid two = of("bizgo", "");
  assert_memory_not_equal(&one, &two, sizeof one);
}

// These ids are in alerts that people have stored: they must never change.
static void test_ids_of_fields_stay_what_they_were(void **state) {
  char long_field[256] = "";
  memset(long_field, 'x', sizeof long_field - 1);
  const struct {
    const char *a, *b, *id;
  } rows[] = {
      {"bizgo", "m-1", "e822fec1-6552-5c9b-b5a9-f4c68703a2ea"},
      {"0123456789", "notification", "9ea287c9-f254-570c-a099-fa5f878e715c"},
      {"", long_field, "00881cc9-076b-5953-8822-65e34b73c0ea"},
  };
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    char text[UUID_TEXT_SIZE];
    uuid_format(of(rows[i].a, rows[i].b), text);
    assert_string_equal(text, rows[i].id);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_v7_is_unique_over_threads_and_rises_in_each),
      cmocka_unit_test(test_v7_says_version_variant_and_time),
      cmocka_unit_test(test_text_form_is_read_back),
      cmocka_unit_test(test_what_is_no_uuid_is_refused),
      cmocka_unit_test(test_same_fields_same_id_and_the_borders_count),
      cmocka_unit_test(test_ids_of_fields_stay_what_they_were),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
