// SPDX-License-Identifier: MIT
// The thread that calls the front door, before a server on the loopback that never answers.
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "processor/watch/front_door.h"
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { STOP_MS = 1000, ANSWER_MS = 5000, NEXT_MS = 300 }; // NEXT_MS: without a call

struct world {
  char url[64];
  struct settings settings;
  int listener;
};

// The kernel takes the connection; nobody reads from it until accept_call().
static void world_init(struct world *world) {
  struct sockaddr_in place = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof place;
  world->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_int_equal(bind(world->listener, (struct sockaddr *)&place, len), 0);
  assert_int_equal(listen(world->listener, 4), 0);
  assert_int_equal(getsockname(world->listener, (struct sockaddr *)&place, &len), 0);
  snprintf(world->url, sizeof world->url, "http://127.0.0.1:%d/", ntohs(place.sin_port));
  static char none[] = "";
  world->settings = (struct settings){.public_url = world->url, .public_ca = none, .ping_key = none};
}

static int accept_call(struct world *world) {
  char head[1024] = "";
  int fd = accept(world->listener, NULL, NULL);
  assert_true(fd >= 0);
  for (size_t len = 0; !strstr(head, "\r\n\r\n");) {
    ssize_t got = read(fd, head + len, sizeof head - 1 - len);
    assert_true(got > 0);
    len += (size_t)got;
  }
  assert_memory_equal(head, "GET /v1/ping?nonce=", 19); // one slash between
  return fd;
}

static struct front_door *start(struct world *world) {
  struct front_door *front_door = NULL;
  struct err err = {0};
  if (!front_door_start(&world->settings, &front_door, &err)) fail_msg("%s", err.text);
  assert_non_null(front_door);
  return front_door;
}

static void stop_in_time(struct front_door *front_door) {
  int64_t began_ms = clock_mono_ms();
  front_door_stop(front_door);
  assert_true(clock_mono_ms() - began_ms < STOP_MS);
}

static void test_without_an_url_there_is_none(void **state) {
  static char none[] = "";
  struct settings settings = {.public_url = none, .public_ca = none, .ping_key = none};
  struct front_door *front_door = NULL;
  struct err err = {0};
  assert_true(front_door_start(&settings, &front_door, &err));
  assert_null(front_door);
  front_door_stop(front_door);
}

static void test_a_stop_ends_a_call_that_waits(void **state) {
  struct world world;
  struct front_door_result result;
  world_init(&world);
  struct front_door *front_door = start(&world);
  int fd = accept_call(&world);
  assert_false(front_door_latest(front_door, &result));
  stop_in_time(front_door);
  close(fd);
  close(world.listener);
}

static void test_the_first_call_is_made_at_once_and_kept(void **state) {
  static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 42\r\n\r\n"
                               "{\"dochak\":\"ingress\",\"address\":\"192.0.2.1\"}";
  struct world world;
  struct front_door_result result;
  world_init(&world);
  struct front_door *front_door = start(&world);
  int fd = accept_call(&world);
  assert_int_equal(write(fd, answer, sizeof answer - 1), sizeof answer - 1);
  int64_t until_ms = clock_mono_ms() + ANSWER_MS;
  while (!front_door_latest(front_door, &result) && clock_mono_ms() < until_ms) clock_sleep_ms(1);
  assert_string_equal(front_door_stage_name(result.stage), "ok");
  assert_string_equal(result.address, "192.0.2.1");
  assert_int_equal(poll(&(struct pollfd){.fd = world.listener, .events = POLLIN}, 1, NEXT_MS), 0);
  stop_in_time(front_door); // it waits for the next minute
  close(fd);
  close(world.listener);
}

static void test_a_file_without_certificate_is_refused_at_start(void **state) {
  static char devnull[] = "/dev/null";
  struct world world;
  struct front_door *front_door = NULL;
  struct err err = {0};
  world_init(&world);
  world.settings.public_ca = devnull;
  assert_false(front_door_start(&world.settings, &front_door, &err));
  assert_non_null(strstr(err.text, "DOCHAK_PUBLIC_CA: /dev/null"));
  assert_null(front_door);
  close(world.listener);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_without_an_url_there_is_none),
      cmocka_unit_test(test_a_stop_ends_a_call_that_waits),
      cmocka_unit_test(test_the_first_call_is_made_at_once_and_kept),
      cmocka_unit_test(test_a_file_without_certificate_is_refused_at_start),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
