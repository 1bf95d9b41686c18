// SPDX-License-Identifier: MIT
// What our C says of many documents: reads lines "<schema name>\t<document as JSON>", answers each with "ok"
// or "no\t<why>". A document for provider.schema.json goes through the whole loader. For tests/contract,
// which compares with a JSON Schema library.
#include "common/json/json.h"
#include "common/json/schema.h"
#include "common/provider/provider.h"
#include "common/provider/provider_load.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct opened {
  char name[64];
  struct schema *schema;
};

// The schema last used stays open: the lines come sorted.
static const struct schema *open_schema(struct opened *last, const char *name, struct err *err) {
  if (last->schema && strcmp(last->name, name) == 0) return last->schema;
  schema_free(last->schema);
  snprintf(last->name, sizeof last->name, "%s", name);
  last->schema = schema_open(name, err);
  return last->schema;
}

static bool load(const json_t *document, struct err *err) {
  struct faults faults = {0};
  struct provider *provider = provider_new(document, &faults);
  if (!provider) err_set(err, "%s", faults.list[0].text);
  faults_fini(&faults);
  provider_free(provider);
  return provider != NULL;
}

static bool check(struct opened *last, const char *name, const char *text, struct err *err) {
  AUTO_JSON *document = json_parse(text, strlen(text), err);
  if (!document) return false;
  if (strcmp(name, "provider.schema.json") == 0) return load(document, err);
  const struct schema *schema = open_schema(last, name, err);
  return schema && schema_check(schema, document, err);
}

int main(void) {
  struct opened last = {0};
  char *line = NULL;
  size_t size = 0;
  while (getline(&line, &size, stdin) > 0) {
    struct err err = {0};
    line[strcspn(line, "\n")] = '\0';
    char *tab = strchr(line, '\t');
    if (!tab) return 2;
    *tab = '\0';
    if (check(&last, line, tab + 1, &err))
      puts("ok");
    else
      printf("no\t%s\n", err.text);
  }
  free(line);
  schema_free(last.schema);
  return 0;
}
