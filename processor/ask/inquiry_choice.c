// SPDX-License-Identifier: MIT
#include "common/base/clock.h"
#include "common/base/digest.h"
#include "common/base/mem.h"
#include "processor/ask/inquiry_parts.h"
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

char *inquiry_scope(const struct inquiry_choice *c) {
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

static PGresult *choose(PGconn *conn, const struct ask_account *account, const struct inquiry_choice *c) {
  char oldest[CLOCK_RFC3339_SIZE] = "-infinity", since[CLOCK_RFC3339_SIZE] = "-infinity";
  char until[CLOCK_RFC3339_SIZE] = "infinity";
  int64_t within_s = account->form->within_s;
  const char *provider = provider_name(account->provider);
  if (within_s) clock_format_rfc3339(clock_wall_ms() - within_s * 1000, oldest);
  if (c->since_ms != INT64_MIN) clock_format_rfc3339(c->since_ms, since);
  if (c->until_ms != INT64_MAX) clock_format_rfc3339(c->until_ms, until);
  if (c->which == INQUIRY_KNOWN) return pg_run(conn, "ask_contacts.sql", 1, &provider);
  if (c->which == INQUIRY_OVERDUE)
    return pg_run(conn, "ask_overdue.sql", 2, (const char *const[]){provider, oldest});
  const char *const values[] = {provider, oldest, since, until, c->all ? "true" : "false"};
  return pg_run(conn, "ask_since.sql", (int)COUNT_OF(values), values);
}

static void copy_listed(const struct ask_questions *listed, struct ask_questions *out) {
  for (size_t i = 0; i < listed->n; i++)
    ask_questions_add(out, (int64_t)i + 1, listed->list[i].id, ASK_SAID_NOTHING);
}

bool inquiry_choose(PGconn *conn, const struct ask_account *account, const struct inquiry_choice *c,
                    struct ask_questions *out, int64_t *too_old, struct err *err) {
  *too_old = 0;
  if (c->which == INQUIRY_LISTED) {
    copy_listed(c->listed, out);
    return true;
  }
  AUTO_RESULT *res = choose(conn, account, c);
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
