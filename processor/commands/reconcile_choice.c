// SPDX-License-Identifier: MIT
#include "common/base/clock.h"
#include "common/base/digest.h"
#include "common/base/mem.h"
#include "common/base/utf8.h"
#include "processor/commands/reconcile.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { QUESTIONS_MAX = 2000000 };

static bool check_count(size_t n, struct err *err) {
  return n <= QUESTIONS_MAX || err_set(err, "more than %d ids; ask in several parts", QUESTIONS_MAX);
}

// ---- what is chosen, in words ----

static char *digest_members(const struct ask_questions *questions) {
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

char *reconcile_scope(const struct reconcile_options *o, const struct ask_questions *questions) {
  char since[CLOCK_RFC3339_SIZE] = "beginning", until[CLOCK_RFC3339_SIZE] = "";
  if (o->overdue) return mem_strdup("--overdue");
  if (o->known) return mem_strdup("--known");
  if (o->members) return digest_members(questions);
  if (o->since_ms != INT64_MIN) clock_format_rfc3339(o->since_ms, since);
  if (o->until_ms != INT64_MAX) clock_format_rfc3339(o->until_ms, until);
  return mem_printf("--since %s%s%s%s", since, *until ? " --until " : "", until, o->all ? " --all" : "");
}

// ---- from a file ----

static bool add_line(struct ask_questions *out, char *line, size_t number, struct err *err) {
  struct err fault;
  line[strcspn(line, "\r\n")] = '\0';
  if (!*line) return true;
  if (!utf8_ok(line, strlen(line))) return err_set(err, "line %zu: not UTF-8", number);
  if (!provider_id_check(line, &fault)) return err_set(err, "line %zu: %s", number, fault.text);
  ask_questions_add(out, 0, line);
  return check_count(out->n, err);
}

static bool read_lines(FILE *file, struct ask_questions *out, struct err *err) {
  char *line = NULL;
  size_t size = 0, number = 0;
  bool good = true;
  for (ssize_t len; good && (len = getline(&line, &size, file)) >= 0;) {
    number++;
    good = strlen(line) == (size_t)len ? add_line(out, line, number, err)
                                       : err_set(err, "line %zu: contains a NUL byte", number);
  }
  if (good && ferror(file)) good = err_set(err, "%s", strerror(errno));
  free(line);
  return good;
}

static int by_id(const void *left, const void *right) {
  const struct ask_question *a = left, *b = right;
  return strcmp(a->id, b->id);
}

// In the order of their ids, each once, and numbered.
static void sort_out(struct ask_questions *questions) {
  size_t kept = 0;
  if (questions->n) qsort(questions->list, questions->n, sizeof *questions->list, by_id);
  for (size_t i = 0; i < questions->n; i++) {
    if (kept && strcmp(questions->list[kept - 1].id, questions->list[i].id) == 0) {
      free(questions->list[i].id);
      continue;
    }
    questions->list[kept] = questions->list[i];
    questions->list[kept].number = (int64_t)kept + 1;
    kept++;
  }
  questions->n = kept;
}

bool reconcile_read_members(const char *path, struct ask_questions *out, struct err *err) {
  bool is_stdin = strcmp(path, "-") == 0;
  FILE *file = is_stdin ? stdin : fopen(path, "re");
  if (!file) return err_set(err, "--members %s: %s", path, strerror(errno));
  bool good = read_lines(file, out, err);
  if (!is_stdin) fclose(file);
  if (good && out->n == 0) good = err_set(err, "holds no id");
  if (!good) return err_prefix(err, "--members %s: ", path);
  sort_out(out);
  return true;
}

// ---- from Postgres ----

static PGresult *choose(PGconn *conn, const struct ask_account *account, const struct reconcile_options *o) {
  char oldest[CLOCK_RFC3339_SIZE] = "-infinity", since[CLOCK_RFC3339_SIZE] = "-infinity";
  char until[CLOCK_RFC3339_SIZE] = "infinity";
  int64_t within_s = account->form->within_s;
  const char *provider = provider_name(account->provider);
  if (within_s) clock_format_rfc3339(clock_wall_ms() - within_s * 1000, oldest);
  if (o->since_ms != INT64_MIN) clock_format_rfc3339(o->since_ms, since);
  if (o->until_ms != INT64_MAX) clock_format_rfc3339(o->until_ms, until);
  if (o->known) return pg_run(conn, "ask_contacts.sql", 1, &provider);
  if (o->overdue) return pg_run(conn, "ask_overdue.sql", 2, (const char *const[]){provider, oldest});
  const char *const values[] = {provider, oldest, since, until, o->all ? "true" : "false"};
  return pg_run(conn, "ask_since.sql", (int)COUNT_OF(values), values);
}

bool reconcile_choose(PGconn *conn, const struct ask_account *account, const struct reconcile_options *o,
                      struct ask_questions *out, int64_t *too_old, struct err *err) {
  AUTO_RESULT *res = choose(conn, account, o);
  *too_old = 0;
  if (!pg_ok(conn, res, "choice of what to ask about", NULL, err) ||
      !check_count((size_t)PQntuples(res), err))
    return false;
  for (int row = 0; row < PQntuples(res); row++)
    if (*PQgetvalue(res, row, 1) == 't')
      ask_questions_add(out, (int64_t)out->n + 1, PQgetvalue(res, row, 0));
    else
      ++*too_old;
  return true;
}
