// SPDX-License-Identifier: MIT
// One HTTP exchange over a raw socket, so that a test can send what no client library would.
#pragma once
#include "common/base/mem.h"
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { WIRE_ANSWER_MAX = 1 << 20, WIRE_TIMEOUT_S = 20 };

static inline int wire_connect(int port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in to = {
      .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  struct timeval timeout = {.tv_sec = WIRE_TIMEOUT_S};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
  if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0) return fd;
  perror("connect");
  abort();
}

// A peer that has answered and closed may refuse the rest.
static inline void wire_send(int fd, const char *bytes, size_t len) {
  while (len > 0) {
    ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
    if (n <= 0) return;
    bytes += n;
    len -= (size_t)n;
  }
}

// All of an answer's bytes are here, as its Content-Length says; a 100 Continue in front has none.
static inline bool wire_is_whole(const char *text, size_t len) {
  static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
  if (strncmp(text, go_on, sizeof go_on - 1) == 0)
    return wire_is_whole(text + sizeof go_on - 1, len - (sizeof go_on - 1));
  const char *body = strstr(text, "\r\n\r\n");
  const char *length = strcasestr(text, "Content-Length:");
  if (!body || !length || length > body) return false;
  return len >= (size_t)(body + 4 - text) + strtoul(length + strlen("Content-Length:"), NULL, 10);
}

// The answer, "" when the connection ended without one. New string.
static inline char *wire_receive(int fd) {
  char *text = mem_alloc(WIRE_ANSWER_MAX + 1);
  size_t len = 0;
  while (len < WIRE_ANSWER_MAX && !wire_is_whole(text, len)) {
    ssize_t n = recv(fd, text + len, WIRE_ANSWER_MAX - len, 0);
    if (n <= 0) break;
    len += (size_t)n;
  }
  return text;
}

static inline char *wire_exchange(int port, const char *bytes, size_t len) {
  int fd = wire_connect(port);
  wire_send(fd, bytes, len);
  char *answer = wire_receive(fd);
  close(fd);
  return answer;
}

// A POST with these header lines (each with its \r\n) and a Content-Length.
static inline char *wire_post(int port, const char *path, const char *headers, const char *body, size_t len) {
  char *head = mem_printf("POST %s HTTP/1.1\r\nHost: t\r\n%sContent-Length: %zu\r\n\r\n", path, headers, len);
  size_t head_len = strlen(head);
  head = mem_grow(head, head_len + len + 1, 1);
  memcpy(head + head_len, body, len);
  char *answer = wire_exchange(port, head, head_len + len);
  free(head);
  return answer;
}

// A 100 Continue in front is skipped.
static inline int wire_status(const char *answer) {
  static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
  int status = 0;
  if (strncmp(answer, go_on, sizeof go_on - 1) == 0) answer += sizeof go_on - 1;
  return sscanf(answer, "HTTP/1.1 %d", &status) == 1 ? status : 0;
}

static inline const char *wire_body(const char *answer) {
  const char *end = strstr(answer, "\r\n\r\n");
  return end ? end + 4 : "";
}
