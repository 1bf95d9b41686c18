// SPDX-License-Identifier: MIT
#include "processor/rules/check_first.h"
#include "common/base/mem.h"
#include <string.h>

// Before all others: a look at our side takes a minute, a question to the provider's support a day.
static const char *const our_side[INCIDENT_KIND_COUNT][2] = {
    [INCIDENT_SILENT] = {"Is `refusing` or `unreachable` open? Then the cause is on our side.",
                         "dochak-processor doctor: front door, sender checks, Kafka, lag."},
    [INCIDENT_REFUSING] = {"Was the endpoint's secret or token changed on one side only?"}};

// Of a provider whose file says nothing about the kind. A file that does names the console itself.
static const char *const consoles[INCIDENT_KIND_COUNT][2] = {
    [INCIDENT_FAILING] = {"The provider's console: is the account suspended, unpaid or out of credit?",
                          "The provider's console: were the sender, profile or template blocked or changed?"},
    [INCIDENT_SILENT] = {
        "The provider's console: is the webhook still registered, with our URL, and not blocked?"}};

// Of any provider, the likeliest cause first. The first row that fits is taken.
static const struct row {
  enum incident_kind kind;
  const char *scope; // how the scope begins
  const char *list[4];
} rows[] = {
    {INCIDENT_FAILING, "", {"Your application: was another sender, template or text deployed?"}},
    {INCIDENT_SILENT, "", {"The provider's status page."}},
    {INCIDENT_SLOW,
     "",
     {"The provider's status page.", "Your application: are many more messages sent than usual?"}},
    {INCIDENT_REFUSING,
     "",
     {"Does the provider call from new addresses?",
      "Was the proxy in front of ingress changed? See DOCHAK_TRUSTED_PROXIES.",
      "Is the clock of the machine right?"}},
    {INCIDENT_UNREACHABLE,
     "ingress",
     {"Does ingress run? If not, start it; its log says why it stopped, unless it was killed.",
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

static void append(json_t *list, const char *const *texts, size_t n) {
  for (size_t i = 0; i < n && texts[i]; i++) json_array_append_new(list, json_string(texts[i]));
}

json_t *check_first(enum incident_kind kind, const char *scope, const struct provider *provider) {
  const json_t *known = provider ? provider_check_first(provider, incident_kind_name(kind)) : NULL;
  const struct row *row = find(kind, scope);
  json_t *list = json_array();
  append(list, our_side[kind], COUNT_OF(our_side[kind]));
  if (known)
    json_array_extend(list, (json_t *)(uintptr_t)known);
  else
    append(list, consoles[kind], COUNT_OF(consoles[kind]));
  append(list, row->list, COUNT_OF(row->list));
  return list;
}
