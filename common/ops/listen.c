// SPDX-License-Identifier: MIT
#include "common/ops/listen.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/json/json.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

struct listener { // civetweb's user data; freed when the context ends
  mg_request_handler handler;
  void *handler_arg;
  int64_t timeout_ms;
  bool keep_alive;
  atomic_int fd; // of the listening socket; -1: not known; the handlers of the first connections may read it
  bool refusing;
  atomic_bool started;
  _Atomic int64_t *connections; // or NULL
  listen_refusal *refuse;
  struct err fault; // what civetweb reported before it had started
};

// ---- answers ----

// Whether civetweb will read another request on the connection: its own rule.
static bool keeps_alive(const struct mg_connection *conn) {
  const struct listener *listener = mg_get_user_context_data(conn);
  if (!listener->keep_alive) return false;
  const char *wish = mg_get_header(conn, "Connection");
  if (wish) return strcasecmp(wish, "keep-alive") == 0;
  const char *version = mg_get_request_info(conn)->http_version;
  return version && strcmp(version, "1.1") == 0;
}

enum { HEAD_ROOM = 256 }; // for all of a head but its content type and further headers

// Returns the head's end.
static char *write_head(char *to, const struct mg_connection *conn, const struct http_answer *answer,
                        bool close) {
  char *at = to + sprintf(to, "HTTP/1.1 %d ", answer->status);
  at = stpcpy(stpcpy(at, mg_get_response_code_text(conn, answer->status)), "\r\n");
  if (answer->content_type) at = stpcpy(stpcpy(stpcpy(at, "Content-Type: "), answer->content_type), "\r\n");
  if (answer->headers) at = stpcpy(at, answer->headers);
  at += sprintf(at, "Content-Length: %zu\r\n", answer->body_len);
  return stpcpy(at, close ? "Connection: close\r\n\r\n" : "Connection: keep-alive\r\n\r\n");
}

static size_t length_of(const char *text) {
  return text ? strlen(text) : 0;
}

// One write: between two, Nagle's algorithm and delayed ACK cost 44 ms.
int http_answer_send(struct mg_connection *conn, const struct http_answer *answer) {
  char small[1024]; // most answers fit
  bool close = answer->close || !keeps_alive(conn);
  if (close) mg_disable_connection_keep_alive(conn); // otherwise civetweb reads the rest of the body
  const char *method = mg_get_request_info(conn)->request_method;
  size_t body_len = method && strcmp(method, "HEAD") == 0 ? 0 : answer->body_len;
  size_t most = HEAD_ROOM + length_of(answer->content_type) + length_of(answer->headers) + body_len;
  AUTO_FREE char *large = most <= sizeof small ? NULL : mem_grow(NULL, most, 1);
  char *text = large ? large : small;
  char *end = write_head(text, conn, answer, close);
  if (body_len) end = mempcpy(end, answer->body, body_len);
  int len = (int)(end - text);
  if (mg_write(conn, text, (size_t)len) != len) mg_disable_connection_keep_alive(conn); // the peer is gone
  return answer->status;
}

char *http_error_body(const char *code, const char *message) {
  AUTO_JSON *body = json_pack("{s:{s:s,s:s}}", "error", "code", code, "message", message);
  return body ? json_text(body) : mem_strdup("{\"error\":{\"code\":\"internal\",\"message\":\"not UTF-8\"}}");
}

int http_answer_error(struct mg_connection *conn, int status, const char *code, const char *message,
                      const char *headers, bool close) {
  AUTO_FREE char *body = http_error_body(code, message);
  return http_answer_send(conn, &(struct http_answer){.status = status,
                                                      .content_type = "application/json",
                                                      .body = body,
                                                      .body_len = strlen(body),
                                                      .headers = headers,
                                                      .close = close});
}

static int refuse(struct mg_connection *conn, int status, const char *code, const char *message) {
  return http_answer_error(conn, status, code, message, NULL, true);
}

// ---- clocks of a connection ----

// civetweb keeps a pointer for each connection; here it is the time from which a head may take timeout_ms,
// negative once the connection has had a request.
static void *as_pointer(int64_t ms) {
  return (void *)(intptr_t)ms; // NOLINT(performance-no-int-to-ptr)
}

static int64_t head_since_ms(const struct mg_connection *conn) {
  return (intptr_t)mg_get_user_connection_data(conn);
}

int64_t listen_began_ms(const struct mg_connection *conn) {
  int64_t since_ms = head_since_ms(conn);
  return since_ms > 0 ? since_ms : clock_mono_ms();
}

// civetweb's timeout bounds the silence before each byte, so a slow peer can hold a read for minutes. Each
// thread has a timer whose signal ends civetweb's poll(), and with it the read.
static void on_clock(int number) {
  (void)number;
}

enum { THREAD_OF_CONNECTIONS = 1 }; // civetweb's type of a thread

static void *on_thread(const struct mg_context *ctx, int type) {
  (void)ctx;
  timer_t timer = NULL;
  struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN};
  event._sigev_un._tid = gettid();
  if (type != THREAD_OF_CONNECTIONS || timer_create(CLOCK_MONOTONIC, &event, &timer) == 0) return timer;
  perror("dochak: timer_create");
  abort();
}

static void on_thread_end(const struct mg_context *ctx, int type, void *timer) {
  (void)ctx;
  if (type == THREAD_OF_CONNECTIONS) timer_delete(timer);
}

// The signal comes again, since the first one may be early for the poll() that it has to end.
int listen_read(struct mg_connection *conn, void *to, size_t len, int64_t by_ms) {
  static const struct timespec again = {.tv_nsec = 10000000};
  timer_t timer = mg_get_thread_pointer(conn);
  const struct itimerspec clock = {.it_value = clock_timespec_at(by_ms), .it_interval = again}, never = {0};
  timer_settime(timer, TIMER_ABSTIME, &clock, NULL);
  int n = mg_read(conn, to, len);
  timer_settime(timer, 0, &never, NULL);
  return n;
}

// ---- civetweb's callbacks ----

static int on_connection(const struct mg_connection *conn, void **conn_data) {
  const struct listener *listener = mg_get_user_context_data(conn);
  if (listener->connections) atomic_fetch_add(listener->connections, 1);
  *conn_data = as_pointer(clock_mono_ms());
  return 0;
}

static void on_closed(const struct mg_connection *conn) {
  const struct listener *listener = mg_get_user_context_data(conn);
  if (listener->connections) atomic_fetch_sub(listener->connections, 1);
}

static int on_request(struct mg_connection *conn) {
  const struct listener *listener = mg_get_user_context_data(conn);
  int status = listener->handler(conn, listener->handler_arg);
  mg_set_user_connection_data(conn, as_pointer(-clock_mono_ms()));
  return status;
}

// The answers to requests that civetweb itself refuses.
static const struct refusal {
  int civetweb, status;
  const char *code, *message;
} refusals[] = {
    {505, 505, "http_version", "HTTP/1.0 and HTTP/1.1 only"},
    {500, 500, "internal", "internal error"},
    {411, 400, "bad_framing", "Content-Length is no number"},
    {0, 400, "bad_request", "expected a request of HTTP/1, with a head of 16 KiB at most"},
};

// For a head that came too slowly civetweb says 400, too. Some providers give up an event on a 4xx.
static const struct refusal slow_head = {0, 503, "too_slow", "the request's head did not come in time"};

static const struct refusal *refusal_for(const struct mg_connection *conn, int status) {
  const struct listener *listener = mg_get_user_context_data(conn);
  if (status == 400 && clock_mono_ms() - llabs(head_since_ms(conn)) >= listener->timeout_ms)
    return &slow_head;
  const struct refusal *row = refusals;
  while (row->civetweb && row->civetweb != status) row++;
  return row;
}

static int on_error(struct mg_connection *conn, int status, const char *message) {
  (void)message;
  const struct listener *listener = mg_get_user_context_data(conn);
  const struct refusal *row = refusal_for(conn, status);
  listener->refuse(conn, row->status, row->code, row->message);
  return 0;
}

static int on_log(const struct mg_connection *conn, const char *message) {
  struct listener *listener = mg_get_user_context_data(conn);
  if (atomic_load(&listener->started))
    log_warn("civetweb", LOG_STR("cause", message));
  else if (!*listener->fault.text) // the first one is the cause
    err_set(&listener->fault, "%s", message);
  return 1;
}

static void on_exit_context(const struct mg_context *ctx) {
  free(mg_get_user_data(ctx));
}

// ---- start ----

static void init_library(void) {
  const struct sigaction clock = {.sa_handler = on_clock};
  sigaction(SIGRTMIN, &clock, NULL);
  mg_init_library(MG_FEATURES_DEFAULT);
}

int listen_port(const struct mg_context *ctx) {
  struct mg_server_port port;
  return mg_get_server_ports(ctx, 1, &port) == 1 ? port.port : -1;
}

// civetweb does not give away the descriptor of its listening socket.
static int find_listening_fd(const struct mg_context *ctx, const char *address) {
  enum { FDS = 1024 };
  AUTO_FREE char *host = mem_strndup(address, strcspn(address, ":"));
  struct sockaddr_in wanted = {.sin_port = htons((uint16_t)listen_port(ctx))};
  inet_pton(AF_INET, host, &wanted.sin_addr);
  for (int fd = 0; fd < FDS; fd++) {
    int listening = 0;
    socklen_t len = sizeof listening;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) != 0 || !listening) continue;
    struct sockaddr_in bound = {0};
    len = sizeof bound;
    if (getsockname(fd, (struct sockaddr *)&bound, &len) == 0 && bound.sin_family == AF_INET &&
        bound.sin_port == wanted.sin_port && bound.sin_addr.s_addr == wanted.sin_addr.s_addr)
      return fd;
  }
  return -1;
}

struct mg_context *listen_start(const struct listen_options *options, mg_request_handler handler,
                                void *handler_arg, struct err *err) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, init_library);
  char threads[24], timeout[24];
  snprintf(threads, sizeof threads, "%lld", (long long)options->threads);
  snprintf(timeout, sizeof timeout, "%lld", (long long)options->timeout_ms);
  // clang-format off
  const char *settings[] = {
      "listening_ports",          options->address,
      "num_threads",              threads,
      "request_timeout_ms",       timeout,
      "enable_keep_alive",        options->keep_alive ? "yes" : "no",
      "keep_alive_timeout_ms",    timeout, // an idle connection holds a thread
      "tcp_nodelay",              "1",    // else an answer waits 44 ms for the peer's acknowledgement
      "connection_queue",         "1",    // what waits beyond can be counted (listen_is_crowded())
      "listen_backlog",           "1024",
      "decode_url",               "no",   // civetweb decodes in place, over what was sent
      "enable_auth_domain_check", "no",
      NULL,
  };
  // clang-format on
  const struct mg_callbacks callbacks = {.begin_request = on_request,
                                         .init_connection = on_connection,
                                         .connection_closed = on_closed,
                                         .init_thread = on_thread,
                                         .exit_thread = on_thread_end,
                                         .http_error = on_error,
                                         .log_message = on_log,
                                         .exit_context = on_exit_context};
  struct listener *listener = mem_alloc(sizeof *listener);
  *listener = (struct listener){.handler = handler,
                                .handler_arg = handler_arg,
                                .timeout_ms = options->timeout_ms,
                                .keep_alive = options->keep_alive,
                                .fd = -1,
                                .connections = options->connections,
                                .refuse = options->refuse ? options->refuse : refuse};
  struct mg_context *ctx = mg_start(&callbacks, listener, settings);
  if (!ctx) {
    err_set(err, "%s: %s", options->address, listener->fault.text);
    free(listener);
    return NULL;
  }
  atomic_store(&listener->fd, find_listening_fd(ctx, options->address));
  atomic_store(&listener->started, true);
  return ctx;
}

// ---- stop ----

// For a listening socket, Linux has the length of its backlog in tcpi_unacked.
bool listen_is_crowded(const struct mg_context *ctx) {
  const struct listener *listener = mg_get_user_data(ctx);
  struct tcp_info info;
  socklen_t len = sizeof info;
  return listener->fd >= 0 && getsockopt(listener->fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 &&
         info.tcpi_state == TCP_LISTEN && info.tcpi_unacked > 0;
}

// civetweb can only stop as a whole. So its listening socket is shut down and its descriptor replaced by an
// eventfd. After the shutdown civetweb's accepting thread needs the pause to see the end of the socket;
// otherwise it would wait on the old socket for up to two seconds.
void listen_refuse(struct mg_context *ctx) {
  enum { PAUSE_MS = 10 };
  struct listener *listener = mg_get_user_data(ctx);
  if (listener->fd < 0 || listener->refusing) return;
  int replacement = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (replacement < 0) return;
  shutdown(listener->fd, SHUT_RD);
  clock_sleep_ms(PAUSE_MS);
  listener->refusing = dup3(replacement, listener->fd, O_CLOEXEC) >= 0;
  close(replacement);
}

void listen_stop(struct mg_context *ctx) {
  const struct listener *listener = mg_get_user_data(ctx);
  listen_refuse(ctx);
  // civetweb looks at its stop flag every two seconds, or when its descriptor can be read.
  if (listener->refusing) eventfd_write(listener->fd, 1);
  mg_stop(ctx);
}
