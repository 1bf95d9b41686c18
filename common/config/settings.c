// SPDX-License-Identifier: MIT
#include "common/config/settings.h"

#include "common/base/address.h"
#include "common/base/file.h"
#include "common/base/mem.h"
#include "common/base/seal.h"
#include "common/base/similar.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MAX = 65536, HELP_WIDTH = 88 };
#define SECRETS_DIR "DOCHAK_SECRETS_DIR"
enum { INGRESS = SERVICE_INGRESS, PROCESSOR = SERVICE_PROCESSOR, BOTH = INGRESS | PROCESSOR };
enum { EXPLAIN = SERVICE_EXPLAIN };

enum type {
  TYPE_TEXT,   // char *, never NULL; "" is "not given"
  TYPE_SECRET, // char *, as text; printed as ********, and at least `min` characters long
  TYPE_KEY,    // char *, 64 hexadecimal digits or ""; printed as ********
  TYPE_INT,    // int64_t, within [min, max]
  TYPE_SWITCH, // bool, on or off
  TYPE_LISTEN, // char *, "address:port", IPv4; a TLS port ("8443s") is refused with the reason
  TYPE_LEVEL,  // enum log_level
  TYPE_HOSTS,  // char *, "host" or "host:port", comma-separated
  TYPE_NAME,   // char *, part of a name that Kafka keeps, or ""
  TYPE_URL,    // char *, http or https, host, perhaps port and path; or ""
};

struct row {
  const char *name; // "DOCHAK_…"
  enum type type;
  size_t offset;             // of the field in struct settings
  const char *default_value; // through the same parser as the user's; NULL: required
  int64_t min, max;
  unsigned services; // bit set of those that read it; others know the name and leave it alone
  const char *help;  // one sentence
};

#define BOUNDED(services_, setting, type_, field, default_, min_, max_, help_)                               \
  {                                                                                                          \
    .name = (setting), .type = (type_), .offset = offsetof(struct settings, field),                          \
    .default_value = (default_), .min = (min_), .max = (max_), .services = (services_), .help = (help_)      \
  }
#define ROW(services, setting, type, field, default_, help)                                                  \
  BOUNDED(services, setting, type, field, default_, 0, 0, help)
#define NUMBER(services, setting, field, default_, min, max, help)                                           \
  BOUNDED(services, setting, TYPE_INT, field, default_, min, max, help)
#define SECRET(services, setting, field, default_, least_characters, help)                                   \
  BOUNDED(services, setting, TYPE_SECRET, field, default_, least_characters, 0, help)

static const struct row table[] = {
    ROW(BOTH, "DOCHAK_KAFKA_BOOTSTRAP", TYPE_HOSTS, kafka_bootstrap, "127.0.0.1:9092",
        "Kafka brokers to ask first, host:port, comma-separated."),
    ROW(BOTH, "DOCHAK_KAFKA_PROPERTIES", TYPE_TEXT, kafka_properties, "",
        "File of further librdkafka settings, name=value a line: TLS, SASL and the like."),
    SECRET(BOTH, "DOCHAK_KAFKA_PASSWORD", kafka_password, "", 0,
           "The sasl.password, so that DOCHAK_KAFKA_PROPERTIES contains no secret."),
    ROW(BOTH, "DOCHAK_TOPIC_PREFIX", TYPE_NAME, topic_prefix, "dochak.",
        "What the topics' names begin with; events, alerts and quarantine follow."),
    ROW(BOTH | EXPLAIN, "DOCHAK_PROVIDERS_DIR", TYPE_TEXT, providers_dir, "",
        "Folder of provider files (*.json) to read instead of those built in."),
    ROW(BOTH, "DOCHAK_LOG_LEVEL", TYPE_LEVEL, log_level, "info",
        "Least level that is logged: debug, info, warn or error."),
    ROW(BOTH, "DOCHAK_SECRETS_DIR", TYPE_TEXT, secrets_dir, "",
        "Folder of settings: each file whose name is that of a setting or of a secret holds its value, as a "
        "mounted Kubernetes Secret does. Other files are ignored."),
    ROW(BOTH, "DOCHAK_INSTANCE", TYPE_NAME, instance, "",
        "Name of this process, unique among those of its kind and the same at each start: after a crash the "
        "next start of a processor takes over at once, not after a time-out. A new one each time if not "
        "given."),
    SECRET(BOTH, "DOCHAK_PING_KEY", ping_key, "", 16,
           "Key of the proof in the answer to GET /v1/ping, the same for ingress and processor. Without one "
           "there is no proof."),

    ROW(INGRESS, "DOCHAK_ENDPOINTS_FILE", TYPE_TEXT, endpoints_file, NULL,
        "JSON file of the webhook endpoints: path, provider, checks. The secrets it names stand in "
        "DOCHAK_SECRET_* variables or files."),
    ROW(INGRESS, "DOCHAK_TRUSTED_PROXIES", TYPE_TEXT, trusted_proxies, "",
        "Addresses and networks, comma-separated, of proxies whose X-Forwarded-For is believed, beside "
        "trusted_proxies of the endpoints file."),
    ROW(INGRESS, "DOCHAK_INGRESS_LISTEN", TYPE_LISTEN, ingress_listen, "0.0.0.0:8080",
        "IPv4 address:port for webhooks and registrations; port 0 takes a free one. TLS ends at the proxy "
        "in front."),
    ROW(INGRESS, "DOCHAK_INGRESS_OPS_LISTEN", TYPE_LISTEN, ingress_ops_listen, "0.0.0.0:9080",
        "IPv4 address:port for /livez, /readyz and /metrics."),
    SECRET(INGRESS, "DOCHAK_INGRESS_KEY", ingress_key, NULL, 16,
           "Bearer key of POST /v1/notifications; several, comma-separated, are all valid during a rotation, "
           "each of this length."),
    NUMBER(INGRESS, "DOCHAK_INGRESS_THREADS", ingress_threads, "256", 8, 4096,
           "Handler threads, each with one connection at a time; an overload of one endpoint takes at most "
           "half of them. "
           "Connections beyond wait for a thread, so a proxy should hold fewer."),
    NUMBER(INGRESS | EXPLAIN, "DOCHAK_BODY_MAX_BYTES", body_max_bytes, "524288", 1024, 900000,
           "Largest request body in bytes, and largest element of one; a larger one is answered 413. Stays "
           "below 1 MB, Kafka's own limit for a record (message.max.bytes). max_body_bytes of an endpoint "
           "allows larger bodies of many elements."),
    NUMBER(INGRESS, "DOCHAK_BODIES_MAX_BYTES", bodies_max_bytes, "67108864", 16777216, 1099511627776,
           "Bytes of request bodies held at once, one endpoint at most half of them; beyond it the answer is "
           "503."),
    NUMBER(INGRESS, "DOCHAK_ACK_BUDGET_MS", ack_budget_ms, "1500", 50, 30000,
           "Milliseconds within which a request's events are in Kafka, or else in the spool, for which up to "
           "300 of them are kept; a provider file's own budget_ms bounds it, too."),
    ROW(INGRESS, "DOCHAK_ACK_SURVIVES", TYPE_TEXT, ack_survives, "process",
        "What an acknowledged event must survive: the crash of a \"process\", the power cut or crash of a "
        "\"machine\", or the loss of a \"broker\" with its disk. Where Kafka's topics or the spool give "
        "less, nothing is acknowledged by them and /readyz says no."),
    ROW(INGRESS, "DOCHAK_SPOOL_DIR", TYPE_TEXT, spool_dir, "",
        "Folder, on a disk that outlives the process, where events wait while Kafka is away; each ingress "
        "needs its own. Without one, senders get 503 then."),
    NUMBER(INGRESS, "DOCHAK_SPOOL_MAX_BYTES", spool_max_bytes, "1073741824", 16777216, 1099511627776,
           "What the spool may take up on disk, beside a log of some 16 MiB; half a KiB is one small "
           "receipt."),
    NUMBER(INGRESS, "DOCHAK_SPOOL_READY_PERCENT", spool_ready_percent, "80", 1, 100,
           "How full the spool may be before /readyz says no; what still comes is taken until it is full."),

    ROW(PROCESSOR | EXPLAIN, "DOCHAK_ENDPOINTS_FILE", TYPE_TEXT, watched_file, "",
        "The endpoints file of ingress, for the zone and the floor of each endpoint, and for asking "
        "providers "
        "(member ask). Without it every zone is +09:00, no endpoint has a floor, and no provider can be "
        "asked."),
    ROW(PROCESSOR, "DOCHAK_HOLIDAYS_FILE", TYPE_TEXT, holidays_file, "",
        "List of public holidays to read instead of the Korean one that is built in."),
    ROW(PROCESSOR, "DOCHAK_PROCESSOR_OPS_LISTEN", TYPE_LISTEN, processor_ops_listen, "0.0.0.0:9081",
        "IPv4 address:port for /livez, /readyz and /metrics."),
    NUMBER(PROCESSOR, "DOCHAK_WORKERS", workers, "2", 1, 64,
           "Worker threads, each with its own consumer, producer and database connection; more than the "
           "events topic has partitions stay idle."),
    ROW(PROCESSOR, "DOCHAK_GROUP_ID", TYPE_TEXT, group_id, "dochak-processor",
        "Consumer group; processors of one group share the partitions."),
    NUMBER(PROCESSOR, "DOCHAK_BATCH_MAX_RECORDS", batch_max_records, "10000", 1, 10000,
           "Most records in one batch, which is one Postgres transaction."),
    NUMBER(PROCESSOR, "DOCHAK_BATCH_MAX_MS", batch_max_ms, "200", 1, 5000,
           "Most milliseconds spent on collecting a batch; it never waits for records that are not there "
           "yet."),
    SECRET(PROCESSOR, "DOCHAK_RECIPIENT_KEY", recipient_key, NULL, 16,
           "Key of the hash that recipients are kept as, the same for all processors; another key makes "
           "earlier hashes unfindable."),
    ROW(PROCESSOR, "DOCHAK_CONTACT_KEY", TYPE_KEY, contact_key, "",
        "Key (64 hexadecimal digits, from openssl rand -hex 32) under which telephone numbers and e-mail "
        "addresses of contacts are also stored whole, the same for all processors. Without one they are kept "
        "only masked and as a hash."),
    ROW(PROCESSOR, "DOCHAK_CONSENT_ALERTS", TYPE_SWITCH, consent_alerts, "off",
        "on: an alert for each consent that a contact withdraws."),
    SECRET(PROCESSOR, "DOCHAK_PG_PASSWORD", pg_password, "", 0,
           "Password for Postgres, in place of libpq's PGPASSWORD or a password file."),
    NUMBER(PROCESSOR, "DOCHAK_TOPIC_PARTITIONS", topic_partitions, "8", 1, 1000,
           "Partitions of the topics that migrate creates."),
    NUMBER(PROCESSOR, "DOCHAK_TOPIC_REPLICATION", topic_replication, "-1", -1, 16,
           "Replication factor of the topics that migrate creates; -1 is the broker's default."),
    NUMBER(PROCESSOR, "DOCHAK_TOPIC_RETENTION_DAYS", topic_retention_days, "30", 1, 36500,
           "Days for which the topics that migrate creates keep their records; longer than the processors "
           "are ever stopped."),
    ROW(PROCESSOR, "DOCHAK_RUNTIME_ROLE", TYPE_TEXT, runtime_role, "",
        "Role of Postgres to which migrate grants what a processor needs and no more, if the processors "
        "do not run as the owner of the tables."),
    NUMBER(PROCESSOR, "DOCHAK_RETENTION_DAYS", retention_days, "0", 0, 36500,
           "Days after which what is finished is deleted: SENT and DEAD_LETTER notifications with their "
           "receipts and acceptances, and alerts that are out. At least 14, and longer than the events topic "
           "keeps its "
           "records; 0 keeps all for ever."),
    ROW(PROCESSOR, "DOCHAK_PUBLIC_URL", TYPE_URL, public_url, "",
        "Public address of ingress, such as https://api.example.com: what stands in front of /webhook/ in "
        "the URLs given to providers. Once a minute one processor calls its /v1/ping."),
    ROW(PROCESSOR, "DOCHAK_PUBLIC_CA", TYPE_TEXT, public_ca, "",
        "PEM file of the CAs of which one must have issued the certificate there, instead of those that the "
        "system trusts."),
    ROW(PROCESSOR, "DOCHAK_API_LISTEN", TYPE_LISTEN, api_listen, "0.0.0.0:8081",
        "IPv4 address:port of the query API; port 0 takes a free one. Nothing listens there without "
        "DOCHAK_API_KEY."),
    SECRET(PROCESSOR, "DOCHAK_API_KEY", api_key, "", 32,
           "Bearer key of the query API; several, comma-separated, are all valid during a rotation, each of "
           "this length. Without one there is no query API."),
    SECRET(PROCESSOR, "DOCHAK_API_POSTGRES_URL", api_postgres_url, "", 0,
           "Connection string of libpq (postgresql://… or name=value …) for the query API: a role that only "
           "reads, perhaps a standby. What it leaves out is taken from PGHOST and the like. Without it, the "
           "query API connects as the workers do, and is read only all the same."),
    ROW(PROCESSOR, "DOCHAK_API_ROLE", TYPE_TEXT, api_role, "",
        "Role of Postgres to which migrate grants what the query API reads, and no more."),
};

// ---- reading ----

// The whole file without its last newline.
static char *read_file(const char *path, struct err *err) {
  size_t len;
  AUTO_FREE char *text = file_read(path, FILE_MAX, &len, err);
  if (!text) return NULL;
  bool binary = memchr(text, '\0', len) != NULL;
  if (len > 0 && text[len - 1] == '\n') len--;
  if (len > 0 && text[len - 1] == '\r') len--;
  text[len] = '\0';
  if (len > 0 && !binary) return take(text);
  err_set(err, "%s", len == 0 ? "is empty" : "contains a NUL byte");
  return NULL;
}

static const char *environment(const char *name) {
  const char *value = getenv(name);
  return value && *value ? value : NULL; // NAME= is "not given": compose files pass on what is unset that way
}

// The value as a file of the secrets folder; NULL when there is no such file.
static bool read_secrets_dir(const char *name, char **out, struct err *err) {
  const char *dir = environment(SECRETS_DIR);
  *out = NULL;
  if (!dir || strcmp(name, SECRETS_DIR) == 0) return true;
  AUTO_FREE char *path = mem_printf("%s/%s", dir, name);
  if (access(path, F_OK) != 0 && errno == ENOENT) return true;
  return (*out = read_file(path, err)) || err_prefix(err, "%s: ", path);
}

// The value as given; NULL when it is not given.
static bool read_given(const char *name, char **out, struct err *err) {
  AUTO_FREE char *file_name = mem_printf("%s_FILE", name);
  AUTO_FREE char *secret = NULL;
  const char *value = environment(name);
  const char *path = environment(file_name);
  *out = NULL;
  if (value && path) return err_set(err, "%s and %s are both set; one is enough", name, file_name);
  if (!read_secrets_dir(name, &secret, err)) return false;
  if (secret && (value || path))
    return err_set(err, "%s is set, and is a file in " SECRETS_DIR ", too; one is enough",
                   value ? name : file_name);
  if (secret) *out = take(secret);
  if (value) *out = mem_strdup(value);
  if (path && !(*out = read_file(path, err))) return err_prefix(err, "%s: %s: ", file_name, path);
  return true;
}

bool settings_secret(const char *name, char **out, struct err *err) {
  if (!read_given(name, out, err)) return false;
  return *out || err_set(err, "%s: not set; give it or %s_FILE%s", name, name,
                         environment(SECRETS_DIR) ? ", or a file of that name in " SECRETS_DIR : "");
}

// ---- names ----

enum place { IN_ENVIRONMENT, IN_FOLDER };

static bool is_known(const char *name, enum place place) {
  if (strncmp(name, "DOCHAK_SECRET_", strlen("DOCHAK_SECRET_")) == 0) return true;
  for (size_t i = 0; i < COUNT_OF(table); i++) {
    size_t len = strlen(table[i].name);
    if (strncmp(name, table[i].name, len) != 0) continue;
    bool is_folder = strcmp(table[i].name, SECRETS_DIR) == 0; // it is a variable only
    if (name[len] == '\0') return place == IN_ENVIRONMENT || !is_folder;
    if (place == IN_ENVIRONMENT && !is_folder && strcmp(name + len, "_FILE") == 0) return true;
  }
  return false;
}

static void check_name(const char *name, enum place place, struct faults *faults) {
  if (strncmp(name, "DOCHAK_", strlen("DOCHAK_")) != 0 || is_known(name, place)) return;
  const char *where = place == IN_FOLDER ? SECRETS_DIR ": " : "";
  struct similar similar = {.given = name};
  for (size_t i = 0; i < COUNT_OF(table); i++) similar_try(&similar, table[i].name);
  if (similar.best)
    faults_error(faults, "%s%s: unknown setting; did you mean %s?", where, name, similar.best);
  else
    faults_error(faults, "%s%s: unknown setting; --help lists them", where, name);
}

static void check_folder(struct faults *faults) {
  const char *path = environment(SECRETS_DIR);
  DIR *dir = path ? opendir(path) : NULL;
  if (path && !dir) faults_error(faults, SECRETS_DIR ": %s: %s", path, strerror(errno));
  for (const struct dirent *entry; dir && (entry = readdir(dir));)
    check_name(entry->d_name, IN_FOLDER, faults);
  if (dir) closedir(dir);
}

static void check_names(struct faults *faults) {
  for (char **entry = environ; entry && *entry; entry++) {
    AUTO_FREE char *name = mem_strndup(*entry, strcspn(*entry, "="));
    check_name(name, IN_ENVIRONMENT, faults);
  }
  check_folder(faults);
}

// ---- types: each reads a text into the field, without the setting's name in its errors ----

static bool parse_text(const struct row *row, const char *text, void *field, struct err *err) {
  (void)row, (void)err;
  *(char **)field = mem_strdup(text);
  return true;
}

static bool parse_secret(const struct row *row, const char *text, void *field, struct err *err) {
  if (*text && (int64_t)strlen(text) < row->min) // "" is the default: not given
    return err_set(err, "shorter than %lld characters", (long long)row->min);
  return parse_text(row, text, field, err);
}

static bool parse_key(const struct row *row, const char *text, void *field, struct err *err) {
  struct seal_key key;
  return (!*text || seal_key_parse(text, &key, err)) && parse_text(row, text, field, err);
}

static bool parse_switch(const struct row *row, const char *text, void *field, struct err *err) {
  (void)row;
  *(bool *)field = strcmp(text, "on") == 0;
  return *(bool *)field || strcmp(text, "off") == 0 || err_set(err, "\"%s\" is neither on nor off", text);
}

static bool parse_int(const struct row *row, const char *text, void *field, struct err *err) {
  char *end;
  errno = 0;
  long long value = strtoll(text, &end, 10);
  bool whole = (isdigit((unsigned char)*text) || *text == '-') && end > text && *end == '\0';
  if (!whole) return err_set(err, "\"%s\" is not a whole number", text);
  if (errno == ERANGE || value < row->min || value > row->max)
    return err_set(err, "%s is not in %lld to %lld", text, (long long)row->min, (long long)row->max);
  *(int64_t *)field = value;
  return true;
}

static bool parse_listen(const struct row *row, const char *text, void *field, struct err *err) {
  size_t len = strlen(text);
  struct address address;
  int port;
  if (len > 0 && (text[len - 1] == 's' || text[len - 1] == 'r'))
    return err_set(err, "\"%s\": TLS ends at the proxy in front; give address:port", text);
  if (*text == '[' || !address_port_parse(text, len, &address, &port) || port == ADDRESS_NO_PORT ||
      !address_is_ipv4(&address))
    return err_set(err, "\"%s\" is not IPv4-address:port, such as 0.0.0.0:8080", text);
  return parse_text(row, text, field, err);
}

static bool parse_level(const struct row *row, const char *text, void *field, struct err *err) {
  (void)row;
  return log_level_parse(text, field) || err_set(err, "\"%s\" is none of debug, info, warn, error", text);
}

// Of a host's name, and of a topic's.
static const char name_characters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_";

// A host's name or IPv4 address, or an IPv6 address in brackets, then perhaps a port. librdkafka would take
// 999999 for another port, and a part that it cannot read for no broker.
static bool is_host(const char *text, size_t len) {
  size_t host =
      *text == '[' ? 1 + strspn(text + 1, "0123456789abcdefABCDEF:.") : strspn(text, name_characters);
  if (*text == '[') host += text[host] == ']';
  if (host < 1 || (*text == '[' && text[host - 1] != ']')) return false;
  if (host == len) return true;
  size_t digits = text[host] == ':' ? strspn(text + host + 1, "0123456789") : 0;
  long port = digits > 0 && digits <= 5 ? strtol(text + host + 1, NULL, 10) : 0;
  return host + 1 + digits == len && port > 0 && port <= 65535;
}

static bool parse_hosts(const struct row *row, const char *text, void *field, struct err *err) {
  for (const char *at = text;; at++) {
    at += strspn(at, " ");
    size_t len = strcspn(at, ",");
    if (!is_host(at, len))
      return err_set(err,
                     "\"%.*s\" is not host or host:port, such as kafka-1:9092; separate several by commas",
                     (int)len, at);
    at += len;
    if (!*at) return parse_text(row, text, field, err);
  }
}

// Kafka's own rule for a topic and for a member of a group, which has at most 249 characters with what
// follows.
static bool parse_name(const struct row *row, const char *text, void *field, struct err *err) {
  enum { PREFIX_MAX = 200 };
  size_t len = strspn(text, name_characters);
  if (text[len] || len > PREFIX_MAX)
    return err_set(err,
                   "\"%.40s\" is not at most %d of A-Z a-z 0-9 . _ -, which a name may contain for Kafka",
                   text, PREFIX_MAX);
  return parse_text(row, text, field, err);
}

// Without user, query and fragment: to a path, something will be appended.
static bool is_url(const char *text) {
  static const char *const schemes[] = {"https://", "http://"};
  const char *host = NULL;
  for (size_t i = 0; i < COUNT_OF(schemes); i++)
    if (strncmp(text, schemes[i], strlen(schemes[i])) == 0) host = text + strlen(schemes[i]);
  for (const char *at = text; *at; at++)
    if (*at <= ' ' || *at > '~' || strchr("?#\"<>\\", *at)) return false;
  return host && is_host(host, strcspn(host, "/"));
}

// The error does not show the text: a user or a query would be a secret.
static bool parse_url(const struct row *row, const char *text, void *field, struct err *err) {
  if (!*text || is_url(text)) return parse_text(row, text, field, err);
  return err_set(err,
                 "expected http:// or https://, a host, perhaps a port and a path, and no query, such as "
                 "https://api.example.com");
}

static bool (*const parsers[])(const struct row *row, const char *text, void *field, struct err *err) = {
    [TYPE_TEXT] = parse_text,   [TYPE_SECRET] = parse_secret, [TYPE_KEY] = parse_key,
    [TYPE_INT] = parse_int,     [TYPE_SWITCH] = parse_switch, [TYPE_LISTEN] = parse_listen,
    [TYPE_LEVEL] = parse_level, [TYPE_HOSTS] = parse_hosts,   [TYPE_NAME] = parse_name,
    [TYPE_URL] = parse_url,
};

// ---- the table as a whole ----

static void *field_of(const struct row *row, struct settings *settings) {
  return (char *)settings + row->offset;
}

static bool load_row(const struct row *row, struct settings *out, struct err *err) {
  AUTO_FREE char *given = NULL;
  if (!read_given(row->name, &given, err)) return false;
  const char *text = given ? given : row->default_value;
  if (!text) return err_set(err, "%s: required, but not set; --help says what it is", row->name);
  return parsers[row->type](row, text, field_of(row, out), err) || err_prefix(err, "%s: ", row->name);
}

bool settings_load(unsigned service, struct settings *out, struct faults *faults) {
  *out = (struct settings){0};
  size_t before = faults->n_errors;
  struct err err;
  check_names(faults);
  for (size_t i = 0; i < COUNT_OF(table); i++)
    if ((table[i].services & service) && !load_row(&table[i], out, &err))
      faults_error(faults, "%s", err.text);
  return faults->n_errors == before;
}

void settings_fini(struct settings *settings) {
  for (size_t i = 0; i < COUNT_OF(table); i++) {
    enum type type = table[i].type;
    if (type == TYPE_INT || type == TYPE_SWITCH || type == TYPE_LEVEL) continue;
    char **field = field_of(&table[i], settings);
    free(*field);
    *field = NULL;
  }
}

static void print_value(enum type type, const void *field) {
  if (type == TYPE_SECRET || type == TYPE_KEY)
    puts("********");
  else if (type == TYPE_SWITCH)
    puts(*(const bool *)field ? "on" : "off");
  else if (type == TYPE_INT)
    printf("%lld\n", (long long)*(const int64_t *)field);
  else
    puts(type == TYPE_LEVEL ? log_level_name(*(const enum log_level *)field) : *(char *const *)field);
}

void settings_print(unsigned service, const struct settings *settings) {
  for (size_t i = 0; i < COUNT_OF(table); i++) {
    if (!(table[i].services & service)) continue;
    printf("%s=", table[i].name);
    print_value(table[i].type, (const char *)settings + table[i].offset);
  }
}

// ---- the manual ----

static void print_wrapped(const char *text, int indent) {
  int column = 0;
  while (*text) {
    int len = (int)strcspn(text, " ");
    if (column > 0 && column + 1 + len <= HELP_WIDTH) {
      column += printf(" %.*s", len, text);
    } else {
      fputs(column > 0 ? "\n" : "", stdout);
      column = printf("%*s%.*s", indent, "", len, text);
    }
    text += len;
    text += strspn(text, " ");
  }
  putchar('\n');
}

static void print_range(const struct row *row, const char *before, const char *behind) {
  if (row->type == TYPE_INT)
    printf("%s%lld to %lld%s", before, (long long)row->min, (long long)row->max, behind);
  if (row->type == TYPE_SECRET && row->min > 0)
    printf("%s%lld characters or more%s", before, (long long)row->min, behind);
}

static void print_rows(unsigned service) {
  for (size_t i = 0; i < COUNT_OF(table); i++) {
    const struct row *row = &table[i];
    if (!(row->services & service)) continue;
    const char *value = row->default_value ? row->default_value : "required";
    const char *prefix = !row->default_value ? "" : *value ? "default " : "optional";
    printf("  %-31s %s%s", row->name, prefix, value);
    print_range(row, "; ", "");
    putchar('\n');
    print_wrapped(row->help, 6);
  }
}

static void print_markdown(void) {
  static const char *const services[] = {
      [INGRESS] = "ingress", [PROCESSOR] = "processor", [BOTH] = "ingress, processor"};
  puts("| setting | default | read by | what it is |\n|---|---|---|---|");
  for (size_t i = 0; i < COUNT_OF(table); i++) {
    const struct row *row = &table[i];
    const char *value = row->default_value ? row->default_value : "required";
    const char *quote = row->default_value && *value ? "`" : "";
    printf("| `%s` | %s%s%s | %s | %s", row->name, quote, *value ? value : "–", quote,
           services[row->services & BOTH], row->help);
    print_range(row, " (", ")");
    puts(" |");
  }
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
         "      dochak-processor quarantine   lists, shows and takes in what was not understood\n "
         "      dochak-processor doctor       says why no webhook comes\n "
         "      dochak-processor incidents    lists the faults of providers and endpoints that are open\n "
         "      dochak-processor contact      shows what is known of one person\n "
         "      dochak-processor reconcile    asks a provider for what its webhooks did not bring\n "
         "      dochak-processor explain      shows what a provider file reads from a body");
  puts("\n "
       " --help           this\n "
       " --check          reads the configuration, prints all faults and warnings and ends\n "
       " --print-config   prints the settings as read, secrets masked, and ends\n "
       " --ready          asks the program that runs with these settings for its /readyz, and ends\n "
       " --help-markdown  prints the settings of both services as a table\n "
       " --version\n"
       "\n"
       "Settings come from the environment. Each NAME may also be given as NAME_FILE, a file that\n"
       "holds the value, or as a file NAME in the folder DOCHAK_SECRETS_DIR.");
  if (processor)
    puts("Postgres is found by libpq's own variables: PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE …");
  puts("");
  print_rows(service);
}

int settings_arguments(unsigned service, int argc, char **argv, unsigned *flags) {
  *flags = 0;
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--help") == 0) {
      print_help(service);
      return 0;
    }
    if (strcmp(argv[i], "--help-markdown") == 0) {
      print_markdown();
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
    } else if (strcmp(argv[i], "--ready") == 0) {
      *flags |= SETTINGS_READY;
    } else {
      fprintf(stderr, "%s: unknown argument \"%s\"; --help lists them\n", binary_name(service), argv[i]);
      return 2;
    }
  }
  return -1;
}
