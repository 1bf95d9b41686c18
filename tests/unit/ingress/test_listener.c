// SPDX-License-Identifier: MIT
// Connections over real sockets, with a handler of the test's own: it answers at once, or when it is told to.
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "ingress/http/conn.h"
#include "ingress/http/listener.h"
#include "ingress/share.h"
#include "tests/unit/support/wire.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { CONNECTIONS_MAX = 8, BODY_MAX_BYTES = 4096, POOL_BYTES = 20000 };

static struct listener *listener;
static int port;
static _Atomic int64_t n_open, in_flight, n_noted, made_room;
static struct share_pool pool = {.max_bytes = POOL_BYTES};
static struct share share = {.pool = &pool};
static _Atomic(struct request *) held; // what /hold has brought

// ---- what is asked for: by its path ----

static bool admit(void *arg, struct request *req, struct reply *refusal) {
  req->share = &share;
  req->body_max_bytes = BODY_MAX_BYTES;
  req->body_by_ms = req->began_ms + (strcmp(req->head.path, "/soon") == 0 ? 200 : 10000);
  if (strcmp(req->head.path, "/no") != 0) return true;
  *refusal = reply_error(404, "not_found", "nothing is here");
  req->share = NULL;
  return false;
}

// {"/path":bytes of its body}, so that an answer in another's place is seen.
static void answer(struct request *req) {
  int status = strcmp(req->head.path, "/204") == 0 ? 204 : 200;
  char *body = mem_printf("{\"%s\":%zu}", req->head.path, req->body.len);
  request_answer(req, (struct reply){.status = status, .body = body});
}

static void note(void *arg, const struct request *req, const struct reply *reply) {
  if (reply->status == 503) n_noted++;
}

struct release {
  struct mail mail;
  struct request *req;
};

static void on_release(struct mail *mail) {
  answer(((struct release *)mail)->req);
  free(mail);
}

static void answer_by_mail(struct request *req) {
  struct release *order = mem_alloc(sizeof *order);
  order->mail.deliver = on_release;
  order->req = req;
  loop_post(req->loop, &order->mail);
}

static void handle(void *arg, struct request *req) {
  if (strcmp(req->head.path, "/hold") == 0)
    atomic_store(&held, req);
  else if (strcmp(req->head.path, "/later") == 0)
    answer_by_mail(req);
  else
    answer(req);
}

// Answers what /hold has brought, when it is there.
static void release(void) {
  struct request *req = NULL;
  for (int64_t deadline = clock_mono_ms() + 10000; !req && clock_mono_ms() < deadline; clock_sleep_ms(1))
    req = atomic_exchange(&held, NULL);
  if (!req) abort();
  answer_by_mail(req);
}

// ---- a listener for each test ----

static int start(size_t loops) {
  struct err err;
  const struct listener_options options = {.address = "127.0.0.1:0",
                                           .loops = loops,
                                           .connections_max = loops * CONNECTIONS_MAX,
                                           .connections_per_address = CONNECTIONS_MAX,
                                           .lanes = 1,
                                           .open = &n_open,
                                           .in_flight = &in_flight,
                                           .made_room = &made_room,
                                           .admit = admit,
                                           .handle = handle,
                                           .note = note};
  listener = listener_start(&options, &err);
  if (!listener) return -1;
  port = listener_port(listener);
  return 0;
}

static int set_up(void **state) {
  return start(1);
}

static int set_up_two_loops(void **state) {
  return start(2);
}

static void wait_for(const char *what, const _Atomic int64_t *count, int64_t wanted) {
  for (int64_t deadline = clock_mono_ms() + 10000; atomic_load(count) != wanted; clock_sleep_ms(1))
    if (clock_mono_ms() > deadline)
      fail_msg("%s: %d, expected %d", what, (int)atomic_load(count), (int)wanted);
}

// Everything has been given back.
static int tear_down(void **state) {
  listener_close_after_answers(listener);
  listener_refuse(listener);
  listener_close_idle(listener);
  wait_for("connections", &n_open, 0);
  listener_stop(listener);
  listener_free(listener);
  assert_int_equal(atomic_load(&in_flight), 0);
  assert_int_equal(atomic_load(&pool.held), 0);
  return 0;
}

// ---- exchanges ----

static void send_text(int fd, const char *text) {
  wire_send(fd, text, strlen(text));
}

// One answer's bytes and no more, so that the next one stays where it is.
static char *receive_one(int fd) {
  char *text = mem_alloc(WIRE_ANSWER_MAX + 1);
  for (size_t len = 0; !wire_is_whole(text, len) && recv(fd, text + len, 1, 0) == 1; len++) continue;
  return text;
}

static void assert_next(int fd, int status, const char *body) {
  char *answer_text = receive_one(fd);
  if (wire_status(answer_text) != status || (body && strcmp(wire_body(answer_text), body) != 0))
    fail_msg("expected %d %s, got: %s", status, body, answer_text);
  free(answer_text);
}

static void assert_closed(int fd) {
  char byte;
  assert_true(recv(fd, &byte, 1, 0) <= 0);
  close(fd);
}

static int connect_and_ask(const char *text, int status) {
  int fd = wire_connect(port);
  send_text(fd, text);
  assert_next(fd, status, NULL);
  return fd;
}

#define POST(path) "POST " path " HTTP/1.1\r\nHost: h\r\n"
#define SIZED(n)   "Content-Length: " #n "\r\n\r\n"
#define CHUNKED    "Transfer-Encoding: chunked\r\n\r\n"

static void test_requests_sent_ahead_are_answered_in_order(void **state) {
  int fd = wire_connect(port);
  send_text(fd, POST("/a") SIZED(2) "xx" POST("/hold") SIZED(3) "xxx" POST("/c") CHUNKED
            "4\r\nabcd\r\n0\r\n\r\n" POST("/d") SIZED(0) POST("/e") CHUNKED "5\r\nab");
  assert_next(fd, 200, "{\"/a\":2}");
  release();
  assert_next(fd, 200, "{\"/hold\":3}");
  assert_next(fd, 200, "{\"/c\":4}");
  assert_next(fd, 200, "{\"/d\":0}");
  send_text(fd, "cde\r\n0\r\n\r\n" POST("/no") SIZED(0)
                    POST("/f") "Connection: close\r\n" SIZED(1) "x" POST("/g"));
  assert_next(fd, 200, "{\"/e\":5}");
  assert_next(fd, 404, NULL); // its body was read: there is none
  assert_next(fd, 200, "{\"/f\":1}");
  assert_closed(fd);
}

// More than one turn of a connection may answer, in pieces of any size.
static void test_hundreds_sent_ahead_are_answered_however_they_are_cut(void **state) {
  enum { REQUESTS = 400 };
  static const char one[] = POST("/a") SIZED(3) "xyz" POST("/b") CHUNKED "2\r\nxy\r\n1\r\nz\r\n0\r\n\r\n";
  size_t len = REQUESTS * strlen(one);
  AUTO_FREE char *text = mem_alloc(len + 1);
  for (int i = 0; i < REQUESTS; i++) memcpy(text + (size_t)i * strlen(one), one, strlen(one));
  static const size_t pieces[] = {1000000, 4096, 2048, 61, 7};
  for (size_t i = 0; i < COUNT_OF(pieces); i++) {
    int fd = wire_connect(port);
    for (size_t at = 0, n; at < len; at += n) {
      n = len - at < pieces[i] ? len - at : pieces[i];
      wire_send(fd, text + at, n);
    }
    for (int j = 0; j < REQUESTS; j++) {
      assert_next(fd, 200, "{\"/a\":3}");
      assert_next(fd, 200, "{\"/b\":3}");
    }
    close(fd);
  }
}

static void test_a_peer_that_goes_while_it_is_worked_for_costs_nothing(void **state) {
  static const struct linger hard = {.l_onoff = 1};
  for (int i = 0; i < 20; i++) {
    int fd = wire_connect(port);
    send_text(fd, POST("/hold") SIZED(2) "xx" POST("/a") SIZED(2) "x");
    wait_for("requests", &in_flight, 1);
    if (i % 2) setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard); // with a reset
    close(fd);
    release();
    wait_for("requests", &in_flight, 0);
    wait_for("connections", &n_open, 0);
  }
}

static void test_an_expectation_is_met_when_the_body_is_wanted(void **state) {
  int fd = wire_connect(port);
  send_text(fd, POST("/a") "Expect: 100-continue\r\n" SIZED(2));
  char go[26] = "";
  assert_int_equal(recv(fd, go, 25, MSG_WAITALL), 25);
  assert_string_equal(go, "HTTP/1.1 100 Continue\r\n\r\n");
  send_text(fd, "xx" POST("/b") "Expect: 100-continue\r\n" SIZED(2) "xx" POST(
                    "/no") "Expect: 100-continue\r\n" SIZED(2));
  assert_next(fd, 200, "{\"/a\":2}");
  assert_next(fd, 200, "{\"/b\":2}"); // the body was there already
  assert_next(fd, 404, NULL);
  assert_closed(fd);
}

static void test_bodies_have_bounds_in_bytes_and_time(void **state) {
  static const struct {
    const char *text;
    int status;
  } rows[] = {
      {POST("/a") SIZED(4097), 413},
      {POST("/a") CHUNKED "1001\r\n", 413}, // as soon as it is announced
      {POST("/a") CHUNKED "x", 400},
      {POST("/soon") SIZED(2) "x", 503},
      {POST("/soon") CHUNKED "2\r\nx", 503},
  };
  int fds[COUNT_OF(rows)];
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    fds[i] = wire_connect(port);
    send_text(fds[i], rows[i].text);
  }
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    assert_next(fds[i], rows[i].status, NULL);
    assert_closed(fds[i]);
  }
}

static void test_a_stream_is_refused_as_soon_as_it_passes_the_limit(void **state) {
  char text[BODY_MAX_BYTES + 1024], *at = stpcpy(text, POST("/a") CHUNKED);
  for (int i = 0; i < BODY_MAX_BYTES / 256; i++) at += sprintf(at, "100\r\n%0256d\r\n", 0);
  int fd = wire_connect(port);
  wire_send(fd, text, (size_t)(at - text));
  send_text(fd, "0\r\n\r\n" POST("/b") CHUNKED); // all that may be
  assert_next(fd, 200, "{\"/a\":4096}");
  wire_send(fd, strstr(text, "100\r\n"), (size_t)(at - strstr(text, "100\r\n")));
  send_text(fd, "1\r\n0");
  assert_next(fd, 413, NULL);
  assert_closed(fd);
}

// RFC 9110, section 15.3.5: where a 204 seemed to have a body, it would be read as the next answer.
static void test_an_answer_without_content_has_no_body_and_no_length(void **state) {
  static const char none[] = "HTTP/1.1 204 No Content\r\nConnection: keep-alive\r\n\r\n";
  int fd = wire_connect(port);
  send_text(fd, POST("/204") SIZED(2) "xx" POST("/a") SIZED(0));
  char got[sizeof none] = "";
  assert_int_equal(recv(fd, got, sizeof none - 1, MSG_WAITALL), sizeof none - 1);
  assert_string_equal(got, none);
  assert_next(fd, 200, "{\"/a\":0}");
  close(fd);
}

static void test_a_slow_head_is_told_so_and_an_empty_line_is_none(void **state) {
  int slow = wire_connect(port), done = connect_and_ask(POST("/a") SIZED(0) "\r\n", 200);
  send_text(slow, "POST /a");
  assert_next(slow, 503, NULL);
  assert_closed(slow);
  send_text(done, POST("/a") SIZED(0)); // that much later it is still there
  assert_next(done, 200, NULL);
  close(done);
}

// ---- room ----

static void test_the_longest_idle_one_makes_room(void **state) {
  int fds[CONNECTIONS_MAX + 1];
  for (size_t i = 0; i < CONNECTIONS_MAX; i++) fds[i] = connect_and_ask(POST("/a") SIZED(0), 200);
  send_text(fds[0], POST("/a") SIZED(0));
  assert_next(fds[0], 200, NULL);
  send_text(fds[1], POST("/hold") SIZED(0));
  wait_for("requests", &in_flight, 1);
  fds[CONNECTIONS_MAX] = connect_and_ask(POST("/a") SIZED(0), 200);
  assert_closed(fds[2]); // 0 has asked since, 1 is being worked for
  release();
  assert_next(fds[1], 200, "{\"/hold\":0}");
  for (size_t i = 0; i <= CONNECTIONS_MAX; i++)
    if (i != 2) close(fds[i]);
}

static void test_who_is_turned_away_is_told_and_counted(void **state) {
  int fds[CONNECTIONS_MAX];
  for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
    fds[i] = wire_connect(port);
    send_text(fds[i], POST("/a") SIZED(2) "x");
  }
  wait_for("requests", &in_flight, CONNECTIONS_MAX);
  int64_t before = n_noted;
  int fd = wire_connect(port);
  assert_next(fd, 503, NULL);
  assert_closed(fd);
  assert_int_equal(n_noted - before, 1);
  for (size_t i = 0; i < CONNECTIONS_MAX; i++) send_text(fds[i], "x");
  for (size_t i = 0; i < CONNECTIONS_MAX; i++) assert_next(fds[i], 200, NULL);
  for (size_t i = 0; i < CONNECTIONS_MAX; i++) close(fds[i]);
}

static int connect_from(uint32_t address) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr = {htonl(address)}};
  struct sockaddr_in to = {
      .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof from), 0);
  assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
  return fd;
}

// Two loops, each with half of what an address may have; the addresses come in turns.
static void test_an_address_gets_all_that_it_may_have_beside_another(void **state) {
  int fds[2 * CONNECTIONS_MAX];
  for (size_t i = 0; i < COUNT_OF(fds); i++) {
    fds[i] = connect_from(INADDR_LOOPBACK + i % 2);
    send_text(fds[i], POST("/a") SIZED(2) "x");
  }
  wait_for("requests", &in_flight, COUNT_OF(fds));
  for (size_t i = 0; i < COUNT_OF(fds); i++) send_text(fds[i], "x");
  for (size_t i = 0; i < COUNT_OF(fds); i++) {
    assert_next(fds[i], 200, "{\"/a\":2}");
    close(fds[i]);
  }
}

static void test_connections_that_only_wait_for_their_end_make_room_too(void **state) {
  int fds[CONNECTIONS_MAX];
  for (size_t i = 0; i < CONNECTIONS_MAX; i++) fds[i] = connect_and_ask(POST("/no") SIZED(9), 404);
  close(connect_and_ask(POST("/a") SIZED(0), 200));
  for (size_t i = 0; i < CONNECTIONS_MAX; i++) close(fds[i]);
}

static void *flood(void *arg) {
  static const char bytes[65536];
  while (send(*(int *)arg, bytes, sizeof bytes, MSG_NOSIGNAL) > 0) continue;
  return NULL;
}

static void test_a_flood_behind_a_refusal_ends_and_holds_nobody_up(void **state) {
  enum { FLOODS = 2 };
  pthread_t threads[FLOODS];
  int fds[FLOODS];
  for (size_t i = 0; i < FLOODS; i++) {
    fds[i] = connect_and_ask(POST("/no") SIZED(999999999999), 404);
    pthread_create(&threads[i], NULL, flood, &fds[i]);
  }
  int64_t began = clock_mono_ms();
  close(connect_and_ask(POST("/a") SIZED(0), 200));
  for (size_t i = 0; i < FLOODS; i++) pthread_join(threads[i], NULL);
  assert_true(clock_mono_ms() - began < 3 * CONN_LINGER_MS);
  for (size_t i = 0; i < FLOODS; i++) close(fds[i]);
}

static char many[32768]; // requests sent ahead, more than one turn answers

static void *misbehave(void *arg) {
  static const char *const texts[] = {
      many,
      POST("/a") SIZED(3) "abc" POST("/later") SIZED(2) "ab" POST("/later") SIZED(0),
      POST("/later") CHUNKED "3\r\nabc\r\n0\r\n\r\n" POST("/b") CHUNKED "800;x\r\n",
      POST("/no") SIZED(100) "abc",
      POST("/later") "Expect: 100-continue\r\n" SIZED(3) "abc" POST("/a") SIZED(5000),
      POST("/a") CHUNKED "zz",
      "\r\nHEAD /later HTTP/1.0\r\n\r\n",
      "nonsense",
  };
  static const struct linger hard = {.l_onoff = 1};
  unsigned seed = (unsigned)(uintptr_t)arg;
  for (int i = 0; i < 300; i++) {
    const char *text = texts[(size_t)rand_r(&seed) % COUNT_OF(texts)];
    size_t len = strlen(text) - (size_t)(rand_r(&seed) % 8), cut = (size_t)rand_r(&seed) % len;
    char bytes[1024];
    int fd = wire_connect(port);
    wire_send(fd, text, cut);
    if (rand_r(&seed) % 2) sched_yield();
    wire_send(fd, text + cut, len - cut);
    if (rand_r(&seed) % 2) shutdown(fd, SHUT_WR);
    if (rand_r(&seed) % 2) (void)!recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (rand_r(&seed) % 3 == 0) setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(fd);
  }
  return NULL;
}

// tear_down() looks whether all has been given back.
static void test_whatever_peers_do_nothing_is_left_of_it(void **state) {
  pthread_t threads[4];
  for (char *at = many; at < many + sizeof many - 256;) at = stpcpy(at, POST("/a") SIZED(3) "abc");
  for (size_t i = 0; i < COUNT_OF(threads); i++)
    pthread_create(&threads[i], NULL, misbehave, (void *)(uintptr_t)i);
  for (size_t i = 0; i < COUNT_OF(threads); i++) pthread_join(threads[i], NULL);
  wait_for("connections", &n_open, 0); // until they are noticed to have gone they may fill the listener
  close(connect_and_ask(POST("/a") SIZED(0), 200));
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  log_init("test", LOG_LEVEL_ERROR);
  const struct CMUnitTest tests[] = {
      TEST(test_requests_sent_ahead_are_answered_in_order),
      TEST(test_hundreds_sent_ahead_are_answered_however_they_are_cut),
      TEST(test_a_peer_that_goes_while_it_is_worked_for_costs_nothing),
      TEST(test_an_expectation_is_met_when_the_body_is_wanted),
      TEST(test_bodies_have_bounds_in_bytes_and_time),
      TEST(test_a_stream_is_refused_as_soon_as_it_passes_the_limit),
      TEST(test_an_answer_without_content_has_no_body_and_no_length),
      TEST(test_a_slow_head_is_told_so_and_an_empty_line_is_none),
      TEST(test_the_longest_idle_one_makes_room),
      TEST(test_who_is_turned_away_is_told_and_counted),
      cmocka_unit_test_setup_teardown(test_an_address_gets_all_that_it_may_have_beside_another,
                                      set_up_two_loops, tear_down),
      TEST(test_connections_that_only_wait_for_their_end_make_room_too),
      TEST(test_a_flood_behind_a_refusal_ends_and_holds_nobody_up),
      cmocka_unit_test_setup_teardown(test_whatever_peers_do_nothing_is_left_of_it, set_up_two_loops,
                                      tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
