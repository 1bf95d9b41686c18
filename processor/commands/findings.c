// SPDX-License-Identifier: MIT
#include "processor/commands/findings.h"
#include "common/base/mem.h"
#include "common/json/json.h"
#include "processor/commands/terminal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STATE_WIDTH = 7, PART_WIDTH = 24 };

static const char *const state_names[] = {
    [FINDING_GOOD] = "good", [FINDING_NOTE] = "note", [FINDING_WRONG] = "wrong"};

// Texts of other servers are in it.
static void print(const struct finding *finding) {
  printf("%-*s%-*s ", STATE_WIDTH, state_names[finding->state], PART_WIDTH, finding->part);
  terminal_print(finding->text);
  if (finding->advice) {
    printf("\n%*s-> ", STATE_WIDTH + PART_WIDTH + 1, "");
    terminal_print(finding->advice);
  }
  putchar('\n');
  fflush(stdout); // the next part may take seconds
}

void findings_add(struct findings *findings, enum finding_state state, const char *part, const char *advice,
                  const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  struct finding finding = {.state = state,
                            .part = mem_strdup(part),
                            .text = mem_vprintf(fmt, args),
                            .advice = mem_strdup_or_null(advice)};
  va_end(args);
  findings->list = mem_grow(findings->list, findings->n + 1, sizeof finding);
  findings->list[findings->n++] = finding;
  findings->n_wrong += state == FINDING_WRONG;
  if (!findings->is_json) print(&finding);
}

// Where something is wrong the lines say what to do.
static void print_end(const struct findings *findings) {
  if (findings->n_wrong > 0) return;
  puts("\nNothing is wrong on our side. If webhooks do not come all the same, look at the provider's\n"
       "console (is the URL registered, is it blocked?), then at the firewall. `dochak-processor incidents`\n"
       "lists the faults of providers that are open, `dochak-processor quarantine list` the calls that came\n"
       "and were not understood.");
}

void findings_end(const struct findings *findings) {
  if (!findings->is_json) {
    print_end(findings);
    return;
  }
  json_t *checks = json_array();
  for (size_t i = 0; i < findings->n; i++) {
    const struct finding *finding = &findings->list[i];
    json_array_append_new(checks, json_pack("{s:s,s:s,s:s,s:s?}", "part", finding->part, "state",
                                            state_names[finding->state], "text", finding->text, "advice",
                                            finding->advice));
  }
  AUTO_JSON *all = json_pack("{s:b,s:o}", "good", findings->n_wrong == 0, "checks", checks);
  terminal_print_json(all);
}

void findings_fini(struct findings *findings) {
  for (size_t i = 0; i < findings->n; i++) {
    free(findings->list[i].part);
    free(findings->list[i].text);
    free(findings->list[i].advice);
  }
  free(findings->list);
}
