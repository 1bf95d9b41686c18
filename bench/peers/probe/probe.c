// SPDX-License-Identifier: MIT
// The least that civetweb and librdkafka can do for a webhook: read the body, produce it with ingress's own
// producer settings, answer when Kafka has acknowledged it. It parses nothing, checks nobody and has no
// spool.
#include <civetweb.h>
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BODY_MAX_BYTES = 16384, ANSWER_SIZE = 512, POLL_MS = 100 };

static const char *const producer_settings[][2] = {
    {"acks", "all"},
    {"linger.ms", "1"},
    {"max.in.flight.requests.per.connection", "2"},
    {"message.timeout.ms", "5000"},
    {"partitioner", "murmur2_random"},
    {"queue.buffering.max.messages", "100000"},
    {"queue.buffering.max.kbytes", "65536"},
    {"socket.nagle.disable", "true"},
    {"reconnect.backoff.ms", "50"},
    {"reconnect.backoff.max.ms", "1000"},
};

struct probe {
  rd_kafka_t *rk;
  rd_kafka_topic_t *topic;
};

// What a request waits for. It lies on the request's stack: every message is reported on, in time or as timed
// out.
struct report {
  pthread_mutex_t lock;
  pthread_cond_t there;
  bool settled;
  rd_kafka_resp_err_t code;
};

static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *rkm, void *opaque) {
  (void)rk;
  (void)opaque;
  struct report *report = rkm->_private;
  pthread_mutex_lock(&report->lock);
  report->code = rkm->err;
  report->settled = true;
  pthread_cond_signal(&report->there);
  pthread_mutex_unlock(&report->lock);
}

static void *poll_reports(void *arg) {
  for (rd_kafka_t *rk = arg;;) rd_kafka_poll(rk, POLL_MS);
  return NULL;
}

static rd_kafka_resp_err_t produce(struct probe *probe, char *body, size_t len, const char *key,
                                   size_t key_len) {
  struct report report = {.lock = PTHREAD_MUTEX_INITIALIZER, .there = PTHREAD_COND_INITIALIZER};
  if (rd_kafka_produce(probe->topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, body, len, key, key_len,
                       &report) != 0)
    return rd_kafka_last_error();
  pthread_mutex_lock(&report.lock);
  while (!report.settled) pthread_cond_wait(&report.there, &report.lock);
  pthread_mutex_unlock(&report.lock);
  return report.code;
}

static size_t read_body(struct mg_connection *conn, char *body) {
  long long length = mg_get_request_info(conn)->content_length;
  if (length <= 0 || length > BODY_MAX_BYTES) return 0;
  size_t len = 0;
  while (len < (size_t)length) {
    int n = mg_read(conn, body + len, (size_t)length - len);
    if (n <= 0) return 0;
    len += (size_t)n;
  }
  return len;
}

// Cheaper than any parser, and the records spread over the partitions as ingress's do.
static const char *find_key(const char *body, size_t len, size_t *key_len) {
  static const char mark[] = "\"msgKey\":\"";
  const char *key = memmem(body, len, mark, sizeof mark - 1);
  if (!key) return NULL;
  key += sizeof mark - 1;
  const char *end = memchr(key, '"', len - (size_t)(key - body));
  *key_len = end ? (size_t)(end - key) : 0;
  return end ? key : NULL;
}

// One write for the whole answer.
static int answer(struct mg_connection *conn, int status, const char *key, size_t key_len) {
  char body[ANSWER_SIZE / 2], text[ANSWER_SIZE];
  int body_len = snprintf(body, sizeof body, "{\"msgKey\":\"%.*s\"}", (int)key_len, key);
  int len = snprintf(text, sizeof text,
                     "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
                     "Connection: keep-alive\r\n\r\n%s",
                     status, mg_get_response_code_text(conn, status), body_len, body);
  mg_write(conn, text, (size_t)len);
  return status;
}

static int serve(struct mg_connection *conn, void *arg) {
  char body[BODY_MAX_BYTES]; // civetweb's stacks are 100 KiB
  size_t len = read_body(conn, body), key_len = 0;
  const char *key = find_key(body, len, &key_len);
  if (!key || key_len > ANSWER_SIZE / 4) return answer(conn, 400, "", 0);
  return answer(conn, produce(arg, body, len, key, key_len) ? 503 : 200, key, key_len);
}

static void fail(const char *what, const char *why) {
  fprintf(stderr, "probe: %s: %s\n", what, why);
  exit(1);
}

static const char *need(const char *name) {
  const char *value = getenv(name);
  if (!value) fail(name, "is not set");
  return value;
}

static void open_producer(struct probe *probe) {
  char reason[256];
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  for (size_t i = 0; i < sizeof producer_settings / sizeof *producer_settings; i++)
    if (rd_kafka_conf_set(conf, producer_settings[i][0], producer_settings[i][1], reason, sizeof reason) !=
        RD_KAFKA_CONF_OK)
      fail("kafka", reason);
  rd_kafka_conf_set(conf, "bootstrap.servers", need("KAFKA_BOOTSTRAP"), reason, sizeof reason);
  rd_kafka_conf_set_dr_msg_cb(conf, on_report);
  probe->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
  if (!probe->rk) fail("kafka", reason);
  probe->topic = rd_kafka_topic_new(probe->rk, need("TOPIC"), NULL);
}

int main(void) {
  char address[32];
  snprintf(address, sizeof address, "127.0.0.1:%s", need("PORT"));
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ends, NULL);

  struct probe probe;
  pthread_t poller;
  open_producer(&probe);
  pthread_create(&poller, NULL, poll_reports, probe.rk);
  const char *settings[] = {"listening_ports",
                            address,
                            "num_threads",
                            "256",
                            "enable_keep_alive",
                            "yes",
                            "keep_alive_timeout_ms",
                            "1500",
                            "tcp_nodelay",
                            "1",
                            "connection_queue",
                            "1024",
                            "listen_backlog",
                            "1024",
                            "decode_url",
                            "no",
                            "enable_auth_domain_check",
                            "no",
                            NULL};
  mg_init_library(0);
  struct mg_context *ctx = mg_start(&(struct mg_callbacks){0}, NULL, settings);
  if (!ctx) fail(address, "cannot listen");
  mg_set_request_handler(ctx, "/webhook/bizgo", serve, &probe);
  int signal_number;
  sigwait(&ends, &signal_number);
  _exit(0); // nobody waits any more
}
