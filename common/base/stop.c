// SPDX-License-Identifier: MIT
#include "common/base/stop.h"

#include "common/base/clock.h"
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

static atomic_bool requested;
static int wake_fd = -1; // readable for good once a stop is requested

void stop_request(void) {
  atomic_store(&requested, true);
  uint64_t one = 1;
  if (wake_fd >= 0 && write(wake_fd, &one, sizeof one) < 0) return; // full: it is readable already
}

static void on_signal(int number) {
  (void)number;
  int saved = errno;
  stop_request();
  errno = saved;
}

void stop_init(void) {
  if (wake_fd < 0) wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (wake_fd < 0) {
    perror("dochak: eventfd");
    abort();
  }
  struct sigaction stop = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
  struct sigaction ignore = {.sa_handler = SIG_IGN};
  sigaction(SIGTERM, &stop, NULL);
  sigaction(SIGINT, &stop, NULL);
  sigaction(SIGPIPE, &ignore, NULL);
}

bool stop_requested(void) {
  return atomic_load(&requested);
}

bool stop_wait_ms(int64_t ms) {
  int64_t deadline = clock_mono_ms() + ms;
  while (!stop_requested()) {
    int64_t left = deadline - clock_mono_ms();
    if (left <= 0) return false;
    struct pollfd fd = {.fd = wake_fd, .events = POLLIN};
    poll(&fd, 1, left > INT_MAX ? INT_MAX : (int)left);
  }
  return true;
}
