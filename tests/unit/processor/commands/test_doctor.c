// SPDX-License-Identifier: MIT
#include "common/base/mem.h"
#include "processor/commands/doctor.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define CALL   .last_call = "2026-11-29T08:15Z", .last_report = "2026-11-29T08:14Z"
#define NEVER  .last_call = "", .last_report = ""
#define CONFIG .name = "bizgo/alimtalk", .is_configured = true

static const struct {
  struct doctor_endpoint endpoint;
  enum finding_state state;
  const char *text, *advice; // parts; NULL: no advice
} rows[] = {
    {{CONFIG, .calls = 17, .checks = "", CALL},
     FINDING_GOOD,
     "17 calls in the last hour; last call 2026-11-29T08:15Z, last report 2026-11-29T08:14Z",
     NULL},
    {{CONFIG, .checks = "", CALL}, FINDING_GOOD, "0 calls in the last hour", NULL},
    {{CONFIG, .checks = "", NEVER},
     FINDING_NOTE,
     "last call more than 14 days ago or never",
     "register its URL"},
    {{CONFIG, .calls = 10, .refused = 10, .checks = "ip 10", CALL},
     FINDING_WRONG,
     "10 of 10 calls in the last hour were refused (ip 10)",
     "DOCHAK_TRUSTED_PROXIES"},
    {{CONFIG, .calls = 10, .refused = 5, .checks = "secret_path 3, ip 2", CALL},
     FINDING_WRONG,
     "(secret_path 3, ip 2)",
     "the URL at the provider"},
    {{CONFIG, .calls = 10, .refused = 4, .checks = "hmac_timestamp 4", CALL},
     FINDING_NOTE,
     "4 of 10",
     "the clock of ingress"},
    // A secret that was changed a short time ago; and refused calls among those of the provider.
    {{CONFIG, .calls = 361, .refused = 120, .checks = "secret_path 120", CALL},
     FINDING_WRONG,
     "120 of 361",
     "the URL at the provider"},
    {{CONFIG, .calls = 361, .refused = 120, .taken = 1, .checks = "secret_path 120", CALL},
     FINDING_NOTE,
     "120 of 361",
     "the URL at the provider"},
    {{CONFIG, .calls = 10, .refused = 9, .mended = 1, .taken = 1, .checks = "secret_path 9", CALL},
     FINDING_NOTE,
     "9 of 10 calls in the last hour were refused (secret_path 9), and the 1 after them were not; last call",
     "if you have mended it"},
    {{CONFIG, .calls = 1, .refused = 1, .checks = "header_sha1 1", CALL},
     FINDING_WRONG,
     "1 of 1",
     "the secret at the provider is not"},
    {{CONFIG, .calls = 1, .refused = 1, .checks = "head 1", CALL},
     FINDING_WRONG,
     "1 of 1",
     "look at this check"},
    {{CONFIG, .calls = 1, .refused = 1, .checks = "from_a_newer_ingress 1", CALL},
     FINDING_WRONG,
     "(from_a_newer_ingress 1)",
     "look at this check"},
    // A refusal may be a failure as well; then its check says more.
    {{CONFIG, .calls = 10, .refused = 6, .failed = 8, .checks = "twilio 6", CALL},
     FINDING_WRONG,
     "6 of 10",
     "the token"},
    {{CONFIG, .calls = 10, .failed = 5, .checks = "", CALL},
     FINDING_WRONG,
     "5 of 10 calls in the last hour got no 2xx",
     "dochak_ingress_answers_total"},
    {{CONFIG, .calls = 100, .failed = 1, .checks = "", CALL},
     FINDING_NOTE,
     "1 of 100",
     "dochak_ingress_answers_total"},
    {{.name = "old", .calls = 3, .refused = 3, .checks = "ip 3", CALL},
     FINDING_NOTE,
     "in no endpoints file",
     "404"},
};

static void test_an_endpoint_is_judged_by_its_calls(void **state) {
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    struct findings findings = {.is_json = true};
    doctor_judge_endpoint(&rows[i].endpoint, &findings);
    assert_int_equal(findings.n, 1);
    const struct finding *finding = &findings.list[0];
    bool advised =
        rows[i].advice ? finding->advice && strstr(finding->advice, rows[i].advice) : !finding->advice;
    if (finding->state != rows[i].state || !strstr(finding->text, rows[i].text) || !advised)
      fail_msg("row %zu: %d: %s -> %s", i, finding->state, finding->text,
               finding->advice ? finding->advice : "");
    assert_int_equal(findings.n_wrong, rows[i].state == FINDING_WRONG);
    findings_fini(&findings);
  }
}

static void test_the_part_names_the_endpoint(void **state) {
  struct findings findings = {.is_json = true};
  doctor_judge_endpoint(&rows[0].endpoint, &findings);
  assert_string_equal(findings.list[0].part, "endpoint bizgo/alimtalk");
  findings_fini(&findings);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_an_endpoint_is_judged_by_its_calls),
      cmocka_unit_test(test_the_part_names_the_endpoint),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
