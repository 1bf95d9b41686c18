// SPDX-License-Identifier: MIT
#include "ingress/http/listener.h"

#include "common/base/log.h"
#include "common/base/mem.h"
#include "ingress/http/conn.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  BACKLOG = 4096,
  DESCRIPTORS_KEPT = 256, // for Kafka, the spool and the operations listener
  ACCEPTED_A_TURN = 128,
  ACCEPT_AGAIN_MS = 100, // when the system has no descriptor left
};

struct station { // one loop and its thread
  struct listener *listener;
  struct conns conns;
  pthread_t thread;
  bool started;
  struct mail close_idle;
};

struct listener {
  struct listener_options options;
  int door, port;
  struct loop_watch on_door; // on the first loop
  struct loop_timer knock;
  struct mail shut;
  uint8_t turns[1024]; // which loop gets the next connection from an address, by the address's hash
  atomic_bool draining;
  size_t n;
  struct station stations[];
};

// ---- letting in ----

struct arrival { // on its way to another loop
  struct mail mail;
  struct conns *conns;
  int fd;
  struct in_addr address;
  bool unlimited;
};

static void on_arrival(struct mail *mail) {
  struct arrival *arrival = (struct arrival *)mail;
  conn_start(arrival->conns, arrival->fd, arrival->address, arrival->unlimited);
  free(arrival);
}

static bool is_unlimited(const struct listener *listener, struct in_addr in) {
  struct address address;
  address_of_ipv4(in, &address);
  return listener->options.unlimited && networks_hold(listener->options.unlimited, &address);
}

// The connections of one address are spread evenly: the limit for an address is kept by each loop for its
// share.
static struct station *station_for(struct listener *listener, struct in_addr address) {
  uint32_t hash = ntohl(address.s_addr) * 2654435761U >> 22;
  return &listener->stations[(hash + listener->turns[hash]++) % listener->n];
}

static void let_in(struct listener *listener, int fd, struct in_addr address) {
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  struct station *station = station_for(listener, address);
  struct arrival *arrival = mem_alloc(sizeof *arrival);
  *arrival = (struct arrival){.mail.deliver = on_arrival,
                              .conns = &station->conns,
                              .fd = fd,
                              .address = address,
                              .unlimited = is_unlimited(listener, address)};
  loop_post(station->conns.loop, &arrival->mail);
}

static void knock_again(struct listener *listener, int64_t ms) {
  struct loop *loop = listener->stations[0].conns.loop;
  loop_set_timer(loop, &listener->knock, loop_now_ms(loop) + ms);
}

// True: there may be more.
static bool accept_some(struct listener *listener) {
  for (int i = 0; i < ACCEPTED_A_TURN; i++) {
    struct sockaddr_in from = {0};
    socklen_t len = sizeof from;
    int fd = accept4(listener->door, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      let_in(listener, fd, from.sin_addr);
    } else if (errno == EAGAIN) {
      return false;
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      knock_again(listener, ACCEPT_AGAIN_MS);
      return false;
    } // else this one is gone
  }
  return true;
}

static void open_up(struct listener *listener) {
  if (listener->door >= 0 && accept_some(listener)) knock_again(listener, 0);
}

static void on_door(struct loop_watch *watch, uint32_t events) {
  (void)events;
  open_up(CONTAINER_OF(watch, struct listener, on_door));
}

static void on_knock(struct loop_timer *timer) {
  open_up(CONTAINER_OF(timer, struct listener, knock));
}

// ---- the end ----

// Whoever the system has let in already is served.
static void on_shut(struct mail *mail) {
  struct listener *listener = CONTAINER_OF(mail, struct listener, shut);
  while (accept_some(listener)) continue;
  close(listener->door);
  listener->door = -1;
}

static void on_close_idle(struct mail *mail) {
  struct station *station = CONTAINER_OF(mail, struct station, close_idle);
  conns_close_idle(&station->conns);
}

void listener_close_after_answers(struct listener *listener) {
  atomic_store(&listener->draining, true);
}

void listener_refuse(struct listener *listener) {
  listener->shut.deliver = on_shut;
  loop_post(listener->stations[0].conns.loop, &listener->shut);
}

void listener_close_idle(struct listener *listener) {
  for (size_t i = 0; i < listener->n; i++) {
    listener->stations[i].close_idle.deliver = on_close_idle;
    loop_post(listener->stations[i].conns.loop, &listener->stations[i].close_idle);
  }
}

void listener_stop(struct listener *listener) {
  for (size_t i = 0; i < listener->n; i++)
    if (listener->stations[i].started) loop_stop(listener->stations[i].conns.loop);
  for (size_t i = 0; i < listener->n; i++) {
    if (listener->stations[i].started) pthread_join(listener->stations[i].thread, NULL);
    listener->stations[i].started = false;
  }
}

void listener_free(struct listener *listener) {
  if (!listener) return;
  for (size_t i = 0; i < listener->n; i++) {
    loop_free(listener->stations[i].conns.loop);
    lanes_fini(&listener->stations[i].conns.lanes);
    crowd_fini(&listener->stations[i].conns.crowd);
  }
  if (listener->door >= 0) close(listener->door);
  free(listener);
}

// ---- start ----

static bool parse_address(const char *text, struct sockaddr_in *out) {
  const char *colon = strrchr(text, ':');
  AUTO_FREE char *host = mem_strndup(text, colon ? (size_t)(colon - text) : 0);
  *out = (struct sockaddr_in){.sin_family = AF_INET};
  if (colon) out->sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
  return colon && inet_pton(AF_INET, host, &out->sin_addr) == 1;
}

static bool open_door(struct listener *listener, struct err *err) {
  const char *text = listener->options.address;
  struct sockaddr_in at;
  int on = 1;
  if (!parse_address(text, &at)) return err_set(err, "%s: not an IPv4 address:port", text);
  listener->door = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (listener->door < 0) return err_set(err, "%s: %s", text, strerror(errno));
  setsockopt(listener->door, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  socklen_t len = sizeof at;
  if (bind(listener->door, (struct sockaddr *)&at, len) != 0 || listen(listener->door, BACKLOG) != 0 ||
      getsockname(listener->door, (struct sockaddr *)&at, &len) != 0)
    return err_set(err, "%s: cannot bind to it: %s", text, strerror(errno));
  listener->port = ntohs(at.sin_port);
  return true;
}

// As many descriptors as we are allowed; fewer connections where they are not enough.
static size_t most_connections(size_t wanted) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return wanted;
  rlim_t needed = (rlim_t)wanted + DESCRIPTORS_KEPT;
  if (limit.rlim_cur < needed) {
    limit.rlim_cur = limit.rlim_max < needed ? limit.rlim_max : needed;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) getrlimit(RLIMIT_NOFILE, &limit);
  }
  if (limit.rlim_cur >= needed) return wanted;
  size_t allowed = (size_t)limit.rlim_cur, kept = DESCRIPTORS_KEPT;
  size_t most = allowed > 2 * kept ? allowed - kept : kept;
  log_warn("fewer connections than DOCHAK_CONNECTIONS_MAX: the system allows this process too few open files",
           LOG_INT("connections", (int64_t)most), LOG_INT("open_files", (int64_t)limit.rlim_cur));
  return most;
}

static bool serve_lanes(void *arg) {
  struct station *station = arg;
  const struct listener_options *options = &station->listener->options;
  return lanes_serve(&station->conns.lanes, options->handle, options->arg);
}

static bool open_station(struct listener *listener, struct station *station, struct err *err) {
  const struct listener_options *options = &listener->options;
  station->listener = listener;
  struct conns *conns = &station->conns;
  *conns = (struct conns){.loop = loop_new(err),
                          .draining = &listener->draining,
                          .open = options->open,
                          .in_flight = options->in_flight,
                          .made_room = options->made_room,
                          .arg = options->arg,
                          .admit = options->admit,
                          .note = options->note};
  crowd_init(&conns->crowd, (options->connections_max + listener->n - 1) / listener->n,
             (options->connections_per_address + listener->n - 1) / listener->n);
  lanes_init(&conns->lanes, options->lanes);
  if (conns->loop) loop_set_work(conns->loop, serve_lanes, station);
  return conns->loop;
}

static void *run_loop(void *arg) {
  struct station *station = arg;
  loop_run(station->conns.loop);
  return NULL;
}

static bool start_stations(struct listener *listener, struct err *err) {
  for (size_t i = 0; i < listener->n; i++) {
    struct station *station = &listener->stations[i];
    int failed = pthread_create(&station->thread, NULL, run_loop, station);
    if (failed) return err_set(err, "cannot start a thread: %s", strerror(failed));
    station->started = true;
  }
  return true;
}

struct listener *listener_start(const struct listener_options *options, struct err *err) {
  struct listener *listener = mem_alloc(sizeof *listener + options->loops * sizeof listener->stations[0]);
  listener->options = *options;
  listener->options.connections_max = most_connections(options->connections_max);
  listener->n = options->loops;
  listener->door = -1;
  listener->on_door.ready = on_door;
  listener->knock.due = on_knock;
  bool good = open_door(listener, err);
  for (size_t i = 0; good && i < listener->n; i++) good = open_station(listener, &listener->stations[i], err);
  if (good && loop_watch(listener->stations[0].conns.loop, listener->door, &listener->on_door, err) &&
      start_stations(listener, err))
    return listener;
  listener_stop(listener);
  listener_free(listener);
  return NULL;
}

int listener_port(const struct listener *listener) {
  return listener->port;
}
