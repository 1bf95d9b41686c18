// SPDX-License-Identifier: MIT
#include "common/base/clock.h"
#include "common/base/digest.h"
#include "common/base/mem.h"
#include "processor/ask/inquiry_parts.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- what is chosen, in words ----

static char *digest_ids(const struct ask_questions *questions) {
  char hex[DIGEST_HEX_SIZE];
  size_t len = 0;
  for (size_t i = 0; i < questions->n; i++) len += strlen(questions->list[i].id) + 1;
  AUTO_FREE char *all = mem_alloc(len + 1);
  char *at = all;
  for (size_t i = 0; i < questions->n; i++) {
    at = stpcpy(at, questions->list[i].id);
    *at++ = '\n';
  }
  digest_sha256_hex(all, len, hex);
  return mem_printf("--members of %zu ids with the digest %.16s", questions->n, hex);
}

static char *describe_times(const struct inquiry_choice *c) {
  char since[CLOCK_RFC3339_SIZE] = "beginning", until[CLOCK_RFC3339_SIZE] = "";
  if (c->since_ms != INT64_MIN) clock_format_rfc3339(c->since_ms, since);
  if (c->until_ms != INT64_MAX) clock_format_rfc3339(c->until_ms, until);
  return mem_printf("--since %s%s%s%s", since, *until ? " --until " : "", until, c->all ? " --all" : "");
}

// ask_schedule.sql knows by the word "all" that nothing was left out.
static const char *scope_of_schedule(const struct inquiry_choice *c) {
  return c->which == INQUIRY_KNOWN ? "all known" : c->after_ms == INT64_MIN ? "all overdue" : "newly overdue";
}

char *inquiry_scope(const struct inquiry_choice *c) {
  if (c->is_scheduled) return mem_strdup(scope_of_schedule(c));
  switch (c->which) {
  case INQUIRY_OVERDUE:
    return mem_strdup("--overdue");
  case INQUIRY_SINCE:
    return describe_times(c);
  case INQUIRY_KNOWN:
    return mem_strdup("--known");
  case INQUIRY_LISTED:
    return digest_ids(c->listed);
  }
  abort(); // not a choice
}

// ---- the ids ----

// -infinity and infinity where it is no bound.
static void format_bound(int64_t ms, char out[CLOCK_RFC3339_SIZE]) {
  if (ms == INT64_MIN || ms == INT64_MAX)
    snprintf(out, CLOCK_RFC3339_SIZE, "%s", ms == INT64_MIN ? "-infinity" : "infinity");
  else
    clock_format_rfc3339(ms, out);
}

static PGresult *choose_overdue(PGconn *conn, const char *provider, const char *oldest,
                                const struct inquiry_choice *c, int64_t now_ms) {
  char now[CLOCK_RFC3339_SIZE], after[CLOCK_RFC3339_SIZE], expires[CLOCK_RFC3339_SIZE];
  format_bound(now_ms, now);
  format_bound(c->after_ms, after);
  format_bound(now_ms + c->expires_within_ms, expires);
  const char *const values[] = {provider, oldest, now, after, expires};
  return pg_run(conn, "ask_overdue.sql", (int)COUNT_OF(values), values);
}

static PGresult *choose(PGconn *conn, const struct ask_account *account, const struct inquiry_choice *c,
                        int64_t now_ms) {
  char oldest[CLOCK_RFC3339_SIZE], since[CLOCK_RFC3339_SIZE], until[CLOCK_RFC3339_SIZE];
  int64_t within_s = account->form->within_s;
  const char *provider = provider_name(account->provider);
  format_bound(within_s ? now_ms - within_s * 1000 : INT64_MIN, oldest);
  format_bound(c->since_ms, since);
  format_bound(c->until_ms, until);
  if (c->which == INQUIRY_KNOWN) return pg_run(conn, "ask_contacts.sql", 1, &provider);
  if (c->which == INQUIRY_OVERDUE) return choose_overdue(conn, provider, oldest, c, now_ms);
  const char *const values[] = {provider, oldest, since, until, c->all ? "true" : "false"};
  return pg_run(conn, "ask_since.sql", (int)COUNT_OF(values), values);
}

static void copy_listed(const struct ask_questions *listed, struct ask_questions *out) {
  for (size_t i = 0; i < listed->n; i++)
    ask_questions_add(out, (int64_t)i + 1, listed->list[i].id, ASK_SAID_NOTHING);
}

bool inquiry_choose(PGconn *conn, const struct ask_account *account, const struct inquiry_choice *c,
                    int64_t now_ms, struct ask_questions *out, int64_t *too_old, struct err *err) {
  *too_old = 0;
  if (c->which == INQUIRY_LISTED) {
    copy_listed(c->listed, out);
    return true;
  }
  AUTO_RESULT *res = choose(conn, account, c, now_ms);
  if (!pg_ok(conn, res, "choice of what to ask about", NULL, err)) return false;
  if (PQntuples(res) > INQUIRY_IDS_MAX)
    return err_set(err, "more than %d ids; ask in several parts", INQUIRY_IDS_MAX);
  for (int row = 0; row < PQntuples(res); row++)
    if (*PQgetvalue(res, row, 1) == 't')
      ask_questions_add(out, (int64_t)out->n + 1, PQgetvalue(res, row, 0), ASK_SAID_NOTHING);
    else
      ++*too_old;
  return true;
}
