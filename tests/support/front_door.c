// SPDX-License-Identifier: MIT
// What one call of the front door finds, as one line of JSON. For tests/integration/test_front_door.py.
#include "common/base/mem.h"
#include "common/json/json.h"
#include "processor/watch/front_door_check.h"
#include <stdio.h>

static void print(const struct front_door_result *r) {
  AUTO_JSON *json = json_pack("{s:s,s:s,s:I,s:I,s:I,s:I,s:s}", "stage", front_door_stage_name(r->stage),
                              "text", r->text, "at", (json_int_t)r->at, "ms", (json_int_t)r->ms,
                              "certificate_ends_at", (json_int_t)r->certificate_ends_at, "cert_days",
                              (json_int_t)r->cert_days, "address", r->address);
  AUTO_FREE char *text = json_text(json);
  puts(text);
}

int main(void) {
  struct faults faults = {0};
  struct settings settings = {0};
  struct front_door_result result;
  struct err err;
  bool good = settings_load(SERVICE_PROCESSOR, &settings, &faults);
  if (!good) faults_print(&faults, "dochak-front-door");
  if (good && !(good = front_door_check_settings(&settings, &err))) fprintf(stderr, "%s\n", err.text);
  if (good && (good = front_door_check(&settings, NULL, &result))) print(&result);
  settings_fini(&settings);
  faults_fini(&faults);
  return good ? 0 : 1;
}
