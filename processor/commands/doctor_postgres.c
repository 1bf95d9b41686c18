// SPDX-License-Identifier: MIT
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/stop.h"
#include "processor/commands/doctor.h"
#include "processor/postgres/pg.h"
#include "processor/postgres/schema_version.h"
#include "processor/rules/refusing.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_MS = 5000, POLL_MS = 100 };
enum { SILENT_S = 180 }; // a record comes each minute, and takes some seconds

struct doctor_postgres {
  struct findings *findings;
  PGconn *conn;
};

// ---- asking ----

// The statement's rows; NULL, with a finding, where it failed or took too long.
static PGresult *ask(const struct doctor_postgres *d, const char *part, const char *statement) {
  int64_t until_ms = clock_mono_ms() + ANSWER_MS;
  PGresult *res = NULL;
  struct err err = {0};
  bool sent = PQsendQuery(d->conn, pg_sql(statement));
  while (sent && res == NULL && clock_mono_ms() < until_ms && !stop_requested())
    res = pg_receive(d->conn, POLL_MS);
  if (sent && res == NULL)
    err_set(&err, "%s: no answer in %d ms", statement, ANSWER_MS);
  else if (pg_ok(d->conn, res, statement, NULL, &err))
    return res;
  PQclear(res);
  findings_add(d->findings, FINDING_WRONG, part, NULL, "%s", err.text);
  return NULL;
}

static int64_t number(const PGresult *res, int row, int column) {
  return strtoll(PQgetvalue(res, row, column), NULL, 10);
}

// ---- the schema ----

static bool ask_schema(const struct doctor_postgres *d) {
  static const char part[] = "schema";
  struct err err = {0};
  long version = 0, known = schema_version_known();
  if (!pg_command(d->conn, "session settings", "SET statement_timeout = '5s'", &err) ||
      !schema_version_read(d->conn, &version, &err)) {
    findings_add(d->findings, FINDING_WRONG, part, NULL, "%s", err.text);
    return false;
  }
  bool good = version >= known;
  findings_add(d->findings, good ? FINDING_GOOD : FINDING_WRONG, part,
               good ? NULL : "run: dochak-processor migrate", "version %ld, this program needs %ld", version,
               known);
  return good;
}

// ---- ingress ----

enum { COL_INSTANCE, COL_AT, COL_AGE_S, COL_LEFT, COL_SPOOLED, COL_SPOOLED_SINCE, COL_SPOOLED_S };

static bool is_true(const PGresult *res, int row, int column) {
  return *PQgetvalue(res, row, column) == 't';
}

// Of those for the events topic the time is known.
static void judge_stuck(const struct doctor_postgres *d, const PGresult *res, int row) {
  findings_add(
      d->findings, FINDING_WRONG, "spool",
      "Kafka refuses them: the log line \"kafka refuses events for what they are\" or \"kafka breaker "
      "opened\" has the error",
      "%" PRId64 " events stay in the spool of ingress %s, and none of them waits for the topic of "
      "events",
      number(res, row, COL_SPOOLED), PQgetvalue(res, row, COL_INSTANCE));
}

static void judge_spool(const struct doctor_postgres *d, const PGresult *res, int row) {
  if (number(res, row, COL_SPOOLED) > 0 && PQgetisnull(res, row, COL_SPOOLED_SINCE)) judge_stuck(d, res, row);
  bool waits = number(res, row, COL_SPOOLED) > 0 && number(res, row, COL_SPOOLED_S) > SILENT_S;
  if (!waits) return;
  findings_add(d->findings, FINDING_WRONG, "spool",
               "ingress cannot give them to Kafka: its log line \"kafka breaker opened\" has the error",
               "%" PRId64 " events wait in the spool of ingress %s, the oldest since %s",
               number(res, row, COL_SPOOLED), PQgetvalue(res, row, COL_INSTANCE),
               PQgetvalue(res, row, COL_SPOOLED_SINCE));
}

// Where none is at work, the newest record of all says since when.
static void judge_none(const struct doctor_postgres *d, const PGresult *res) {
  bool any = PQntuples(res) > 0;
  findings_add(d->findings, FINDING_WRONG, "ingress",
               "start ingress; its first record comes within a minute. If it runs for longer, its records do "
               "not arrive "
               "here: look at Kafka, the lag, and its log",
               any ? "none has reported since %s%s" : "none has reported within a day%s%s",
               any ? PQgetvalue(res, 0, COL_AT) : "",
               any && is_true(res, 0, COL_LEFT) ? ", when it was stopped" : "");
}

static void ask_ingress(const struct doctor_postgres *d) {
  int at_work = 0;
  AUTO_RESULT *res = ask(d, "ingress", "endpoint_minute_instances.sql");
  if (!res) return;
  for (int row = 0; row < PQntuples(res); row++) {
    if (is_true(res, row, COL_LEFT) || number(res, row, COL_AGE_S) > SILENT_S) continue;
    at_work++;
    judge_spool(d, res, row);
  }
  if (at_work)
    findings_add(d->findings, FINDING_GOOD, "ingress", NULL, "%d at work, last record of %s", at_work,
                 PQgetvalue(res, 0, COL_AT));
  else
    judge_none(d, res);
}

// ---- endpoints ----

// What to do about the refusals of a check; the last row is for a check that is not known here.
static const struct {
  const char *check, *advice;
} advices[] = {
    {"ip", "the list \"allow\" of the endpoint lacks the provider's addresses, or ingress does not know the "
           "proxy: DOCHAK_TRUSTED_PROXIES"},
    {"secret_path", "the URL at the provider has another secret than the endpoints file: register it again"},
    {"query_token", "the URL at the provider has another token than the endpoints file: register it again"},
    {"header", "the secret at the provider is not that of the endpoints file"},
    {"header_sha1", "the secret at the provider is not that of the endpoints file"},
    {"hmac_timestamp", "the key at the provider is not that of the endpoints file, or the clock of ingress "
                       "is wrong"},
    {"jwt", "the key, the issuer or \"url\" of the endpoint is not the provider's, or the clock of ingress "
            "is wrong"},
    {"signed_body", "the key at the provider is not that of the endpoints file, or \"signs\" is not what the "
                    "provider signs"},
    {"standard_webhooks", "the key at the provider is not that of the endpoints file, or the clock of "
                          "ingress is wrong"},
    {"twilio",
     "the token is not that of the account, or \"url\" of the endpoint is not the URL that is called"},
    {"", "look at this check of the endpoint, and at the secret at the provider"},
};

// `checks` begins with the one that refused most.
static const char *advice_of(const char *checks) {
  size_t i = 0, len = strcspn(checks, " ");
  while (*advices[i].check &&
         (strlen(advices[i].check) != len || strncmp(advices[i].check, checks, len) != 0))
    i++;
  return advices[i].advice;
}

static void add(const struct doctor_endpoint *e, struct findings *findings, enum finding_state state,
                const char *advice, const char *text) {
  AUTO_FREE char *part = mem_printf("endpoint %s", e->name);
  findings_add(findings, state, part, advice, "%s; last call %s, last report %s", text,
               *e->last_call ? e->last_call : "more than 14 days ago or never",
               *e->last_report ? e->last_report : "more than 14 days ago or never");
}

// Whether it was mended has to show at once, not when the hour is over; nor is a secret that was changed five
// minutes ago a note because it fitted for the rest of the hour.
static void judge_refused(const struct doctor_endpoint *e, struct findings *findings) {
  bool none_since = e->refused >= REFUSING_ENOUGH && !e->taken;
  bool most = !e->mended && (2 * e->refused >= e->calls || none_since);
  AUTO_FREE char *since =
      e->mended ? mem_printf(", and the %" PRId64 " after them were not", e->mended) : mem_strdup("");
  AUTO_FREE char *text = mem_printf("%" PRId64 " of %" PRId64 " calls in the last hour were refused (%s)%s",
                                    e->refused, e->calls, e->checks, since);
  add(e, findings, most ? FINDING_WRONG : FINDING_NOTE,
      e->mended
          ? "if you have mended it, it works; if not, some calls still come with a wrong secret or address"
          : advice_of(e->checks),
      text);
}

static void judge_failed(const struct doctor_endpoint *e, struct findings *findings) {
  bool most = 2 * e->failed >= e->calls;
  AUTO_FREE char *text =
      mem_printf("%" PRId64 " of %" PRId64 " calls in the last hour got no 2xx", e->failed, e->calls);
  add(e, findings, most ? FINDING_WRONG : FINDING_NOTE,
      "dochak_ingress_answers_total{endpoint,status} says which answers, ingress's log why", text);
}

static void judge_calls(const struct doctor_endpoint *e, struct findings *findings) {
  AUTO_FREE char *text = mem_printf("%" PRId64 " calls in the last hour", e->calls);
  add(e, findings, *e->last_call ? FINDING_GOOD : FINDING_NOTE,
      *e->last_call ? NULL
                    : "register its URL at the provider, let the provider's addresses in at the firewall, "
                      "and send one message",
      text);
}

void doctor_judge_endpoint(const struct doctor_endpoint *endpoint, struct findings *findings) {
  if (!endpoint->is_configured)
    add(endpoint, findings, FINDING_NOTE,
        "after a first start, look again in two minutes; if the provider still calls it, it gets 404: put it "
        "back into the endpoints file",
        "no ingress has named it lately: it is in no endpoints file, or its ingress has not reported yet");
  else if (endpoint->refused)
    judge_refused(endpoint, findings);
  else if (endpoint->failed)
    judge_failed(endpoint, findings);
  else
    judge_calls(endpoint, findings);
}

static void ask_endpoints(const struct doctor_postgres *d) {
  AUTO_RESULT *res = ask(d, "endpoints", "endpoint_minute_summary.sql");
  for (int row = 0; res && row < PQntuples(res); row++) {
    const struct doctor_endpoint endpoint = {.name = PQgetvalue(res, row, 0),
                                             .is_configured = is_true(res, row, 1),
                                             .calls = number(res, row, 2),
                                             .refused = number(res, row, 3),
                                             .failed = number(res, row, 4),
                                             .checks = PQgetvalue(res, row, 5),
                                             .last_call = PQgetvalue(res, row, 6),
                                             .last_report = PQgetvalue(res, row, 7),
                                             .mended = number(res, row, 8),
                                             .taken = number(res, row, 9)};
    doctor_judge_endpoint(&endpoint, d->findings);
  }
}

void doctor_ask_postgres(struct findings *findings) {
  struct err err = {0};
  struct doctor_postgres d = {.findings = findings, .conn = pg_connect(&err)};
  if (d.conn == NULL) {
    findings_add(findings, FINDING_WRONG, "postgres",
                 "start the server of PGHOST and PGPORT, or correct them; until then events wait in Kafka",
                 "%s", err.text);
    return;
  }
  findings_add(findings, FINDING_GOOD, "postgres", NULL, "%s:%s/%s", PQhost(d.conn), PQport(d.conn),
               PQdb(d.conn));
  if (ask_schema(&d)) {
    ask_ingress(&d);
    ask_endpoints(&d);
  }
  PQfinish(d.conn);
}
