// SPDX-License-Identifier: MIT
#include "common/config/settings.h"

#include "common/base/mem.h"
#include <stddef.h>
#include <string.h>

enum { BOTH = SERVICE_INGRESS | SERVICE_PROCESSOR };

#define ROW(setting, type_, field, default_, ...)                                                            \
  {                                                                                                          \
    .name = setting, .type = type_, .offset = offsetof(struct settings, field), .default_value = default_,   \
    __VA_ARGS__                                                                                              \
  }

static const struct option table[] = {
    ROW("DOCHAK_KAFKA_BOOTSTRAP", OPTION_TEXT, kafka_bootstrap, "127.0.0.1:9092", .services = BOTH,
        .help = "Kafka brokers to ask first, host:port, comma-separated."),
    ROW("DOCHAK_KAFKA_PROPERTIES", OPTION_TEXT, kafka_properties, "", .services = BOTH,
        .help = "File of further librdkafka settings, name=value a line: TLS, SASL and the like."),
    ROW("DOCHAK_TOPIC_PREFIX", OPTION_TEXT, topic_prefix, "dochak.", .services = BOTH,
        .help = "What the topics' names begin with; events, alerts and quarantine follow."),
    ROW("DOCHAK_PROVIDERS_DIR", OPTION_TEXT, providers_dir, "", .services = BOTH,
        .help = "Folder of provider files (*.json) to read instead of those built in."),
    ROW("DOCHAK_LOG_LEVEL", OPTION_LEVEL, log_level, "info", .services = BOTH,
        .help = "Least level that is logged: debug, info, warn or error."),

    ROW("DOCHAK_ENDPOINTS_FILE", OPTION_TEXT, endpoints_file, NULL, .services = SERVICE_INGRESS,
        .help = "JSON file of the webhook endpoints: path, provider, checks. The secrets it names stand in "
                "DOCHAK_SECRET_* variables or files."),
    ROW("DOCHAK_INGRESS_LISTEN", OPTION_LISTEN, ingress_listen, "0.0.0.0:8080", .services = SERVICE_INGRESS,
        .help = "IPv4 address:port for webhooks and registrations; port 0 takes a free one. TLS ends at the "
                "proxy in "
                "front."),
    ROW("DOCHAK_INGRESS_OPS_LISTEN", OPTION_LISTEN, ingress_ops_listen, "0.0.0.0:9080",
        .services = SERVICE_INGRESS, .help = "IPv4 address:port for /livez, /readyz and /metrics."),
    ROW("DOCHAK_INGRESS_KEY", OPTION_SECRET, ingress_key, NULL, .min = 16, .services = SERVICE_INGRESS,
        .help = "Bearer key of POST /v1/notifications; several, comma-separated, are all valid during a "
                "rotation, each "
                "of this length."),
    ROW("DOCHAK_INGRESS_THREADS", OPTION_INT, ingress_threads, "256", .services = SERVICE_INGRESS, .min = 8,
        .max = 4096,
        .help =
            "Handler threads, each with one connection at a time; half of them are an endpoint's own. "
            "Connections beyond wait for a thread, so a proxy should hold fewer."),
    ROW("DOCHAK_BODY_MAX_BYTES", OPTION_INT, body_max_bytes, "524288", .min = 1024, .max = 900000,
        .services = SERVICE_INGRESS,
        .help = "Largest request body in bytes; a larger one is answered 413. Stays below 1 MB, Kafka's own "
                "limit for a "
                "record (message.max.bytes)."),
    ROW("DOCHAK_BODIES_MAX_BYTES", OPTION_INT, bodies_max_bytes, "67108864", .min = 16777216,
        .max = 1099511627776, .services = SERVICE_INGRESS,
        .help = "Bytes of request bodies held at once, one endpoint at most half of them; beyond it the "
                "answer is "
                "503."),
    ROW("DOCHAK_ACK_BUDGET_MS", OPTION_INT, ack_budget_ms, "1500", .min = 50, .max = 30000,
        .services = SERVICE_INGRESS,
        .help = "Milliseconds within which a request's events are in Kafka, or else in the spool, for which "
                "up to "
                "300 of them are kept; a provider file's own budget_ms bounds it, too."),
    ROW("DOCHAK_ACK_SURVIVES", OPTION_TEXT, ack_survives, "process", .services = SERVICE_INGRESS,
        .help =
            "What an acknowledged event must survive: the crash of a \"process\", the power cut or crash of "
            "a \"machine\", or the loss of a \"broker\" with its disk. Where Kafka's topics or the spool "
            "give "
            "less, nothing is acknowledged by them and /readyz says no."),
    ROW("DOCHAK_SPOOL_DIR", OPTION_TEXT, spool_dir, "", .services = SERVICE_INGRESS,
        .help = "Folder, on a disk that outlives the process, where events wait while Kafka is away; each "
                "ingress needs its own. Without one, senders get 503 then."),
    ROW("DOCHAK_SPOOL_MAX_BYTES", OPTION_INT, spool_max_bytes, "1073741824", .min = 16777216,
        .max = 1099511627776, .services = SERVICE_INGRESS,
        .help = "What the spool may take up on disk, beside a log of some 16 MiB; half a KiB is one small "
                "receipt."),
    ROW("DOCHAK_SPOOL_READY_PERCENT", OPTION_INT, spool_ready_percent, "80", .min = 1, .max = 100,
        .services = SERVICE_INGRESS,
        .help = "How full the spool may be before /readyz says no; what still comes is taken until it is "
                "full."),

    ROW("DOCHAK_PROCESSOR_OPS_LISTEN", OPTION_LISTEN, processor_ops_listen, "0.0.0.0:9081",
        .services = SERVICE_PROCESSOR, .help = "IPv4 address:port for /livez, /readyz and /metrics."),
    ROW("DOCHAK_WORKERS", OPTION_INT, workers, "2", .min = 1, .max = 64, .services = SERVICE_PROCESSOR,
        .help = "Worker threads, each with its own consumer, producer and database connection; more than the "
                "events "
                "topic has partitions stay idle."),
    ROW("DOCHAK_GROUP_ID", OPTION_TEXT, group_id, "dochak-processor", .services = SERVICE_PROCESSOR,
        .help = "Consumer group; processors of one group share the partitions."),
    ROW("DOCHAK_INSTANCE", OPTION_TEXT, instance, "", .services = SERVICE_PROCESSOR,
        .help = "Name of this process, unique within the group and the same at each start: after a crash the "
                "next start takes over at once, not after a time-out. A new one each time if not given."),
    ROW("DOCHAK_BATCH_MAX_RECORDS", OPTION_INT, batch_max_records, "10000", .min = 1, .max = 10000,
        .services = SERVICE_PROCESSOR,
        .help = "Most records in one batch, which is one Postgres transaction."),
    ROW("DOCHAK_BATCH_MAX_MS", OPTION_INT, batch_max_ms, "200", .min = 1, .max = 5000,
        .services = SERVICE_PROCESSOR,
        .help = "Most milliseconds spent on collecting a batch; it never waits for records that are not "
                "there yet."),
    ROW("DOCHAK_RECIPIENT_KEY", OPTION_SECRET, recipient_key, NULL, .min = 16, .services = SERVICE_PROCESSOR,
        .help = "Key of the hash that recipients are kept as, the same for all processors; another key makes "
                "earlier "
                "hashes unfindable."),
    ROW("DOCHAK_TOPIC_PARTITIONS", OPTION_INT, topic_partitions, "8", .min = 1, .max = 1000,
        .services = SERVICE_PROCESSOR, .help = "Partitions of the topics that migrate creates."),
    ROW("DOCHAK_TOPIC_REPLICATION", OPTION_INT, topic_replication, "-1", .min = -1, .max = 16,
        .services = SERVICE_PROCESSOR,
        .help = "Replication factor of the topics that migrate creates; -1 is the broker's default."),
    ROW("DOCHAK_RUNTIME_ROLE", OPTION_TEXT, runtime_role, "", .services = SERVICE_PROCESSOR,
        .help = "Role of Postgres to which migrate grants what a processor needs and no more, if the "
                "processors do not run as the owner of the tables."),
    ROW("DOCHAK_RETENTION_DAYS", OPTION_INT, retention_days, "0", .min = 0, .max = 36500,
        .services = SERVICE_PROCESSOR,
        .help = "Days after which what is finished is deleted: SENT and DEAD_LETTER notifications with their "
                "receipts, and alerts that are out. At least 14, and longer than the events topic keeps its "
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
    puts("       dochak-processor migrate      brings the Postgres tables and the Kafka topics up to date\n"
         "       dochak-processor replay       corrects what an earlier provider file made of events\n"
         "       dochak-processor quarantine   lists, shows and takes in what was not understood");
  puts("\n"
       "  --help           this\n"
       "  --check          reads the configuration, prints all faults and warnings and ends\n"
       "  --print-config   prints the settings as read, secrets masked, and ends\n"
       "  --help-markdown  prints the settings of both services as a table\n"
       "  --version\n"
       "\n"
       "Settings come from the environment. Each NAME may also be given as NAME_FILE, a file that\n"
       "holds the value.");
  if (processor)
    puts("Postgres is found by libpq's own variables: PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE …");
  puts("");
  options_help(table, COUNT_OF(table), service, stdout);
}

static void print_markdown(unsigned service) {
  static const char *const names[] = {"ingress", "processor", NULL};
  (void)service;
  options_markdown(table, COUNT_OF(table), names, stdout);
}

static void print_version(unsigned service) {
  printf("%s %s\n", binary_name(service), DOCHAK_VERSION);
}

static const struct {
  const char *name;
  void (*print)(unsigned service); // and that is all; else a flag for the caller
  unsigned flag;
} arguments[] = {
    {"--help", print_help, 0},
    {"--help-markdown", print_markdown, 0},
    {"--version", print_version, 0},
    {"--check", NULL, SETTINGS_CHECK},
    {"--print-config", NULL, SETTINGS_PRINT},
};

static size_t find_argument(const char *text) {
  size_t i = 0;
  while (i < COUNT_OF(arguments) && strcmp(text, arguments[i].name) != 0) i++;
  return i;
}

int settings_arguments(unsigned service, int argc, char **argv, unsigned *flags) {
  *flags = 0;
  for (int i = 1; i < argc; i++) {
    size_t found = find_argument(argv[i]);
    if (found == COUNT_OF(arguments)) {
      fprintf(stderr, "%s: unknown argument \"%s\"; --help lists what there is\n", binary_name(service),
              argv[i]);
      return 2;
    }
    if (arguments[found].print) {
      arguments[found].print(service);
      return 0;
    }
    *flags |= arguments[found].flag;
  }
  return -1;
}
