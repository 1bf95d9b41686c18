// SPDX-License-Identifier: MIT
#include "common/config/settings.h"

#include "common/base/mem.h"
#include <stddef.h>
#include <string.h>

enum { INGRESS = SERVICE_INGRESS, PROCESSOR = SERVICE_PROCESSOR, BOTH = INGRESS | PROCESSOR };

#define BOUNDED(services_, setting, type_, field, default_, min_, max_, help_)                               \
  {                                                                                                          \
    .name = (setting), .type = (type_), .offset = offsetof(struct settings, field),                          \
    .default_value = (default_), .min = (min_), .max = (max_), .services = (services_), .help = (help_)      \
  }
#define ROW(services, setting, type, field, default_, help)                                                  \
  BOUNDED(services, setting, type, field, default_, 0, 0, help)
#define NUMBER(services, setting, field, default_, min, max, help)                                           \
  BOUNDED(services, setting, OPTION_INT, field, default_, min, max, help)
#define SECRET(services, setting, field, default_, least_characters, help)                                   \
  BOUNDED(services, setting, OPTION_SECRET, field, default_, least_characters, 0, help)

static const struct option table[] = {
    ROW(BOTH, "DOCHAK_KAFKA_BOOTSTRAP", OPTION_HOSTS, kafka_bootstrap, "127.0.0.1:9092",
        "Kafka brokers to ask first, host:port, comma-separated."),
    ROW(BOTH, "DOCHAK_KAFKA_PROPERTIES", OPTION_TEXT, kafka_properties, "",
        "File of further librdkafka settings, name=value a line: TLS, SASL and the like."),
    ROW(BOTH, "DOCHAK_TOPIC_PREFIX", OPTION_TOPIC, topic_prefix, "dochak.",
        "What the topics' names begin with; events, alerts and quarantine follow."),
    ROW(BOTH, "DOCHAK_PROVIDERS_DIR", OPTION_TEXT, providers_dir, "",
        "Folder of provider files (*.json) to read instead of those built in."),
    ROW(BOTH, "DOCHAK_LOG_LEVEL", OPTION_LEVEL, log_level, "info",
        "Least level that is logged: debug, info, warn or error."),

    ROW(INGRESS, "DOCHAK_ENDPOINTS_FILE", OPTION_TEXT, endpoints_file, NULL,
        "JSON file of the webhook endpoints: path, provider, checks. The secrets it names stand in "
        "DOCHAK_SECRET_* variables or files."),
    ROW(INGRESS, "DOCHAK_INGRESS_LISTEN", OPTION_LISTEN, ingress_listen, "0.0.0.0:8080",
        "IPv4 address:port for webhooks and registrations; port 0 takes a free one. TLS ends at the proxy "
        "in front."),
    ROW(INGRESS, "DOCHAK_INGRESS_OPS_LISTEN", OPTION_LISTEN, ingress_ops_listen, "0.0.0.0:9080",
        "IPv4 address:port for /livez, /readyz and /metrics."),
    SECRET(INGRESS, "DOCHAK_INGRESS_KEY", ingress_key, NULL, 16,
           "Bearer key of POST /v1/notifications; several, comma-separated, are all valid during a rotation, "
           "each of this length."),
    NUMBER(INGRESS, "DOCHAK_INGRESS_THREADS", ingress_threads, "256", 8, 4096,
           "Handler threads, each with one connection at a time; an overload of one endpoint takes at most "
           "half of them. "
           "Connections beyond wait for a thread, so a proxy should hold fewer."),
    NUMBER(INGRESS, "DOCHAK_BODY_MAX_BYTES", body_max_bytes, "524288", 1024, 900000,
           "Largest request body in bytes; a larger one is answered 413. Stays below 1 MB, Kafka's own limit "
           "for a record (message.max.bytes)."),
    NUMBER(INGRESS, "DOCHAK_BODIES_MAX_BYTES", bodies_max_bytes, "67108864", 16777216, 1099511627776,
           "Bytes of request bodies held at once, one endpoint at most half of them; beyond it the answer is "
           "503."),
    NUMBER(INGRESS, "DOCHAK_ACK_BUDGET_MS", ack_budget_ms, "1500", 50, 30000,
           "Milliseconds within which a request's events are in Kafka, or else in the spool, for which up to "
           "300 of them are kept; a provider file's own budget_ms bounds it, too."),
    ROW(INGRESS, "DOCHAK_ACK_SURVIVES", OPTION_TEXT, ack_survives, "process",
        "What an acknowledged event must survive: the crash of a \"process\", the power cut or crash of a "
        "\"machine\", or the loss of a \"broker\" with its disk. Where Kafka's topics or the spool give "
        "less, nothing is acknowledged by them and /readyz says no."),
    ROW(INGRESS, "DOCHAK_SPOOL_DIR", OPTION_TEXT, spool_dir, "",
        "Folder, on a disk that outlives the process, where events wait while Kafka is away; each ingress "
        "needs its own. Without one, senders get 503 then."),
    NUMBER(INGRESS, "DOCHAK_SPOOL_MAX_BYTES", spool_max_bytes, "1073741824", 16777216, 1099511627776,
           "What the spool may take up on disk, beside a log of some 16 MiB; half a KiB is one small "
           "receipt."),
    NUMBER(INGRESS, "DOCHAK_SPOOL_READY_PERCENT", spool_ready_percent, "80", 1, 100,
           "How full the spool may be before /readyz says no; what still comes is taken until it is full."),

    ROW(PROCESSOR, "DOCHAK_PROCESSOR_OPS_LISTEN", OPTION_LISTEN, processor_ops_listen, "0.0.0.0:9081",
        "IPv4 address:port for /livez, /readyz and /metrics."),
    NUMBER(PROCESSOR, "DOCHAK_WORKERS", workers, "2", 1, 64,
           "Worker threads, each with its own consumer, producer and database connection; more than the "
           "events topic has partitions stay idle."),
    ROW(PROCESSOR, "DOCHAK_GROUP_ID", OPTION_TEXT, group_id, "dochak-processor",
        "Consumer group; processors of one group share the partitions."),
    ROW(PROCESSOR, "DOCHAK_INSTANCE", OPTION_TEXT, instance, "",
        "Name of this process, unique within the group and the same at each start: after a crash the next "
        "start takes over at once, not after a time-out. A new one each time if not given."),
    NUMBER(PROCESSOR, "DOCHAK_BATCH_MAX_RECORDS", batch_max_records, "10000", 1, 10000,
           "Most records in one batch, which is one Postgres transaction."),
    NUMBER(PROCESSOR, "DOCHAK_BATCH_MAX_MS", batch_max_ms, "200", 1, 5000,
           "Most milliseconds spent on collecting a batch; it never waits for records that are not there "
           "yet."),
    SECRET(PROCESSOR, "DOCHAK_RECIPIENT_KEY", recipient_key, NULL, 16,
           "Key of the hash that recipients are kept as, the same for all processors; another key makes "
           "earlier hashes unfindable."),
    NUMBER(PROCESSOR, "DOCHAK_TOPIC_PARTITIONS", topic_partitions, "8", 1, 1000,
           "Partitions of the topics that migrate creates."),
    NUMBER(PROCESSOR, "DOCHAK_TOPIC_REPLICATION", topic_replication, "-1", -1, 16,
           "Replication factor of the topics that migrate creates; -1 is the broker's default."),
    NUMBER(PROCESSOR, "DOCHAK_TOPIC_RETENTION_DAYS", topic_retention_days, "30", 1, 36500,
           "Days for which the topics that migrate creates keep their records; longer than the processors "
           "are ever stopped."),
    ROW(PROCESSOR, "DOCHAK_RUNTIME_ROLE", OPTION_TEXT, runtime_role, "",
        "Role of Postgres to which migrate grants what a processor needs and no more, if the processors "
        "do not run as the owner of the tables."),
    NUMBER(PROCESSOR, "DOCHAK_RETENTION_DAYS", retention_days, "0", 0, 36500,
           "Days after which what is finished is deleted: SENT and DEAD_LETTER notifications with their "
           "receipts and acceptances, and alerts that are out. At least 14, and longer than the events topic "
           "keeps its "
           "records; 0 keeps all for ever."),
};

bool settings_load(unsigned service, struct settings *out, struct faults *faults) {
  *out = (struct settings){0};
  return options_load(table, COUNT_OF(table), service, out, faults);
}

void settings_fini(struct settings *settings) {
  options_free(table, COUNT_OF(table), settings);
}

void settings_print(unsigned service, const struct settings *settings) {
  options_print(table, COUNT_OF(table), service, settings, stdout);
}

// ---- the command line ----

static const char *binary_name(unsigned service) {
  return service == SERVICE_INGRESS ? "dochak-ingress" : "dochak-processor";
}

static void print_help(unsigned service) {
  bool processor = service == SERVICE_PROCESSOR;
  printf("%s: %s\n\n", binary_name(service),
         processor ? "turns events into statuses and alerts" : "takes in webhooks and registrations");
  printf("usage: %s [OPTION]\n", binary_name(service));
  if (processor)
    puts("       dochak-processor migrate      brings the Postgres tables and the Kafka topics up to date\n "
         "      dochak-processor replay       corrects what an earlier provider file made of what came\n "
         "      dochak-processor quarantine   lists, shows and takes in what was not understood");
  puts("\n "
       " --help           this\n "
       " --check          reads the configuration, prints all faults and warnings and ends\n "
       " --print-config   prints the settings as read, secrets masked, and ends\n "
       " --help-markdown  prints the settings of both services as a table\n "
       " --version\n"
       "\n"
       "Settings come from the environment. Each NAME may also be given as NAME_FILE, a file that\n"
       "holds the value.");
  if (processor)
    puts("Postgres is found by libpq's own variables: PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE …");
  puts("");
  options_help(table, COUNT_OF(table), service, stdout);
}

int settings_arguments(unsigned service, int argc, char **argv, unsigned *flags) {
  static const char *const services[] = {"ingress", "processor", NULL};
  *flags = 0;
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--help") == 0) {
      print_help(service);
      return 0;
    }
    if (strcmp(argv[i], "--help-markdown") == 0) {
      options_markdown(table, COUNT_OF(table), services, stdout);
      return 0;
    }
    if (strcmp(argv[i], "--version") == 0) {
      printf("%s %s\n", binary_name(service), DOCHAK_VERSION);
      return 0;
    }
    if (strcmp(argv[i], "--check") == 0) {
      *flags |= SETTINGS_CHECK;
    } else if (strcmp(argv[i], "--print-config") == 0) {
      *flags |= SETTINGS_PRINT;
    } else {
      fprintf(stderr, "%s: unknown argument \"%s\"; --help lists them\n", binary_name(service), argv[i]);
      return 2;
    }
  }
  return -1;
}
