// SPDX-License-Identifier: MIT
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/json/json.h"
#include "processor/ask/inquiry_parts.h"
#include "processor/tables/contact.h"
#include <stdlib.h>
#include <string.h>

static const struct contact_row *find(const struct contact_row *rows, size_t n, const char *id) {
  for (size_t i = 0; i < n; i++)
    if (strcmp(rows[i].id, id) == 0) return &rows[i];
  return NULL;
}

static const char *describe_row(const struct contact_row *row) {
  return !row ? "unknown" : row->is_deleted ? "deleted" : "known";
}

static const char *describe_said(const struct contact_row *row, const struct contact_said *said) {
  if (said->is_delete) return "deleted";
  return row && !row->is_deleted ? "known, with other details" : "known";
}

// One that says what the row says goes out if it is newer: an older webhook that waits in Kafka, and says
// something else, must not win over it. One that cannot be read goes out as well: the processors put it into
// quarantine, as they would a webhook's.
static bool compare(struct inquiry_differences *d, const struct contact_row *row,
                    const struct asker_answer *answer, const char *element, struct err *err) {
  struct err fault;
  AUTO_JSON *value = json_parse(element, strlen(element), &fault);
  struct contact_said *said =
      interpret_contact(&d->processor->interpreter, d->account->provider, value, answer->asked_at_ms, &fault);
  bool differs = !said || contact_differs(row, said);
  if (differs)
    inquiry_add_difference(d, answer->id, describe_row(row), said ? describe_said(row, said) : "unclear");
  bool is_news = differs || contact_is_newer(row, said);
  if (said) contact_said_fini(said);
  free(said);
  return !is_news || inquiry_emit(d, EVENT_CONTACT, answer->id, element, err);
}

bool inquiry_contacts(struct inquiry_differences *d, struct asker_answer *answers, size_t n,
                      struct err *err) {
  AUTO_FREE const char **ids = mem_array(n, sizeof *ids);
  struct contact_row *rows = NULL;
  size_t n_rows = 0;
  for (size_t i = 0; i < n; i++) ids[i] = answers[i].id;
  if (n == 0) return true;
  if (!contact_read(d->conn, provider_name(d->account->provider), ids, n, &rows, &n_rows, err)) return false;
  bool good = true;
  for (size_t i = 0; good && i < n; i++)
    for (size_t k = 0; good && k < answers[i].reading.elements.n; k++)
      good = compare(d, find(rows, n_rows, answers[i].id), &answers[i], answers[i].reading.elements.list[k],
                     err);
  contact_free(rows, n_rows);
  return good;
}
