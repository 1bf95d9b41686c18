// SPDX-License-Identifier: MIT
#include "processor/commands/members.h"
#include "common/base/utf8.h"
#include "common/provider/provider.h"
#include "processor/ask/inquiry.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool add_line(struct ask_questions *out, char *line, size_t number, struct err *err) {
  struct err fault;
  line[strcspn(line, "\r\n")] = '\0';
  if (!*line) return true;
  if (!utf8_ok(line, strlen(line))) return err_set(err, "line %zu: not UTF-8", number);
  if (!provider_id_check(line, &fault)) return err_set(err, "line %zu: %s", number, fault.text);
  ask_questions_add(out, 0, line, ASK_SAID_NOTHING);
  return out->n <= INQUIRY_IDS_MAX || err_set(err, "more than %d ids; ask in several parts", INQUIRY_IDS_MAX);
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

bool members_read(const char *path, struct ask_questions *out, struct err *err) {
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
