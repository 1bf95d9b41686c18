// SPDX-License-Identifier: MIT
#include "processor/rules/check_first.h"
#include "common/base/mem.h"
#include <string.h>

// Of any provider, the likeliest cause first. The first row that fits is taken.
static const struct row {
  enum incident_kind kind;
  const char *scope; // how the scope begins
  const char *list[4];
} rows[] = {
    {INCIDENT_FAILING,
     "",
     {"The provider's console: is the account suspended, unpaid or out of credit?",
      "The provider's console: were the sender, profile or template blocked or changed?",
      "Your application: was another sender, template or text deployed?"}},
    {INCIDENT_SILENT,
     "",
     {"Is `refusing` or `unreachable` open? Then the cause is on our side.",
      "dochak-processor doctor: front door, sender checks, Kafka, lag.",
      "The provider's console: is the webhook still registered, with our URL, and not blocked?",
      "The provider's status page."}},
    {INCIDENT_SLOW,
     "",
     {"The provider's status page.", "Your application: are many more messages sent than usual?"}},
    {INCIDENT_REFUSING,
     "",
     {"Was the endpoint's secret or token changed on one side only?",
      "Does the provider call from new addresses?",
      "Was the proxy in front of ingress changed? See DOCHAK_TRUSTED_PROXIES.",
      "Is the clock of the machine right?"}},
    {INCIDENT_UNREACHABLE,
     "ingress",
     {"Does ingress run? Its log says why it stopped.",
      "Can ingress write to Kafka: its credentials, its ACLs, the topic dochak.events? See `kafka breaker "
      "opened` in its log.",
      "The spool of ingress: do events wait there, is its disk full?", "Is the clock of ingress right?"}},
    {INCIDENT_UNREACHABLE,
     "certificate",
     {"Did the renewal of the certificate run?",
      "Does the proxy in front of ingress use the new certificate?"}},
    {INCIDENT_UNREACHABLE,
     "",
     {"Does the proxy in front of ingress run, and can it reach ingress?",
      "Is the certificate valid, with its chain?", "Do the name and the firewall lead to the proxy?"}},
    {INCIDENT_AT_RISK,
     "",
     {"The log of ingress: which answers were no 2xx, and why?",
      "dochak-processor doctor: sender checks, Kafka, the spool."}},
};

static const struct row *find(enum incident_kind kind, const char *scope) {
  const struct row *row = rows;
  while (row->kind != kind || strncmp(scope, row->scope, strlen(row->scope)) != 0) row++;
  return row; // each kind has a row for any scope
}

json_t *check_first(enum incident_kind kind, const char *scope, const struct provider *provider) {
  const json_t *known = provider ? provider_check_first(provider, incident_kind_name(kind)) : NULL;
  const struct row *row = find(kind, scope);
  json_t *list = known ? json_copy((json_t *)(uintptr_t)known) : json_array();
  for (size_t i = 0; i < COUNT_OF(row->list) && row->list[i]; i++)
    json_array_append_new(list, json_string(row->list[i]));
  return list;
}
