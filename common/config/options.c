// SPDX-License-Identifier: MIT
#include "common/config/options.h"

#include "common/base/address.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/similar.h"
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MAX = 65536, HELP_WIDTH = 88 };

static const char mask[] = "********";

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

// The value as given, by either name; NULL when it is not given.
static bool read_given(const char *name, char **out, struct err *err) {
  AUTO_FREE char *file_name = mem_printf("%s_FILE", name);
  const char *value = environment(name);
  const char *path = environment(file_name);
  *out = NULL;
  if (value && path) return err_set(err, "%s and %s are both set; one is enough", name, file_name);
  if (value) *out = mem_strdup(value);
  if (path && !(*out = read_file(path, err))) return err_prefix(err, "%s: %s: ", file_name, path);
  return true;
}

bool options_secret(const char *name, char **out, struct err *err) {
  if (!read_given(name, out, err)) return false;
  return *out || err_set(err, "%s: not set; give it or %s_FILE", name, name);
}

// ---- names ----

static bool is_known(const struct option *table, size_t n, const char *name) {
  if (strncmp(name, "DOCHAK_SECRET_", strlen("DOCHAK_SECRET_")) == 0) return true;
  for (size_t i = 0; i < n; i++) {
    size_t len = strlen(table[i].name);
    if (strncmp(name, table[i].name, len) != 0) continue;
    if (name[len] == '\0' || strcmp(name + len, "_FILE") == 0) return true;
  }
  return false;
}

static void add_unknown(const struct option *table, size_t n, const char *name, struct faults *faults) {
  struct similar similar = {.given = name};
  for (size_t i = 0; i < n; i++) similar_try(&similar, table[i].name);
  if (similar.best)
    faults_error(faults, "%s: unknown setting; did you mean %s?", name, similar.best);
  else
    faults_error(faults, "%s: unknown setting; --help lists them", name);
}

static void check_names(const struct option *table, size_t n, struct faults *faults) {
  for (char **entry = environ; entry && *entry; entry++) {
    if (strncmp(*entry, "DOCHAK_", strlen("DOCHAK_")) != 0) continue;
    AUTO_FREE char *name = mem_strndup(*entry, strcspn(*entry, "="));
    if (!is_known(table, n, name)) add_unknown(table, n, name, faults);
  }
}

// ---- types: each reads a text into the field, without the setting's name in its errors ----

static bool parse_text(const struct option *row, const char *text, void *field, struct err *err) {
  (void)row, (void)err;
  *(char **)field = mem_strdup(text);
  return true;
}

static bool parse_secret(const struct option *row, const char *text, void *field, struct err *err) {
  if (*text && (int64_t)strlen(text) < row->min)
    return err_set(err, "shorter than %lld characters", (long long)row->min);
  return parse_text(row, text, field, err);
}

static bool parse_int(const struct option *row, const char *text, void *field, struct err *err) {
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

static bool parse_listen(const struct option *row, const char *text, void *field, struct err *err) {
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

static bool parse_level(const struct option *row, const char *text, void *field, struct err *err) {
  (void)row;
  return log_level_parse(text, field) || err_set(err, "\"%s\" is none of debug, info, warn, error", text);
}

static void print_text(const void *field, FILE *to) {
  fputs(*(char *const *)field, to);
}

static void print_secret(const void *field, FILE *to) {
  fputs(**(char *const *)field ? mask : "", to);
}

static void print_int(const void *field, FILE *to) {
  fprintf(to, "%lld", (long long)*(const int64_t *)field);
}

static void print_level(const void *field, FILE *to) {
  fputs(log_level_name(*(const enum log_level *)field), to);
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

static bool parse_hosts(const struct option *row, const char *text, void *field, struct err *err) {
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

// Kafka's own rule for a topic's name, which has at most 249 characters with what follows.
static bool parse_topic(const struct option *row, const char *text, void *field, struct err *err) {
  enum { PREFIX_MAX = 200 };
  size_t len = strspn(text, name_characters);
  if (text[len] || len > PREFIX_MAX)
    return err_set(err, "\"%.40s\" is not at most %d of A-Z a-z 0-9 . _ -, which a topic's name may contain",
                   text, PREFIX_MAX);
  return parse_text(row, text, field, err);
}

static const struct {
  bool (*parse)(const struct option *row, const char *text, void *field, struct err *err);
  void (*print)(const void *field, FILE *to);
  bool is_string;
} types[] = {
    [OPTION_TEXT] = {parse_text, print_text, true},     [OPTION_SECRET] = {parse_secret, print_secret, true},
    [OPTION_INT] = {parse_int, print_int, false},       [OPTION_LISTEN] = {parse_listen, print_text, true},
    [OPTION_LEVEL] = {parse_level, print_level, false}, [OPTION_HOSTS] = {parse_hosts, print_text, true},
    [OPTION_TOPIC] = {parse_topic, print_text, true},
};

// ---- the table as a whole ----

static void *field_of(const struct option *row, void *values) {
  return (char *)values + row->offset;
}

static bool load_row(const struct option *row, void *out, struct err *err) {
  AUTO_FREE char *given = NULL;
  if (!read_given(row->name, &given, err)) return false;
  const char *text = given ? given : row->default_value;
  if (!text) return err_set(err, "%s: required, but not set; --help says what it is", row->name);
  return types[row->type].parse(row, text, field_of(row, out), err) || err_prefix(err, "%s: ", row->name);
}

bool options_load(const struct option *table, size_t n, unsigned service, void *out, struct faults *faults) {
  size_t before = faults->n_errors;
  struct err err;
  check_names(table, n, faults);
  for (size_t i = 0; i < n; i++)
    if ((table[i].services & service) && !load_row(&table[i], out, &err))
      faults_error(faults, "%s", err.text);
  return faults->n_errors == before;
}

void options_free(const struct option *table, size_t n, void *out) {
  for (size_t i = 0; i < n; i++) {
    if (!types[table[i].type].is_string) continue;
    char **field = field_of(&table[i], out);
    free(*field);
    *field = NULL;
  }
}

void options_print(const struct option *table, size_t n, unsigned service, const void *values, FILE *to) {
  for (size_t i = 0; i < n; i++) {
    if (!(table[i].services & service)) continue;
    fprintf(to, "%s=", table[i].name);
    types[table[i].type].print((const char *)values + table[i].offset, to);
    fputc('\n', to);
  }
}

// ---- the manual ----

static void print_wrapped(const char *text, int indent, FILE *to) {
  int column = 0;
  while (*text) {
    int len = (int)strcspn(text, " ");
    if (column > 0 && column + 1 + len <= HELP_WIDTH) {
      column += fprintf(to, " %.*s", len, text);
    } else {
      fputs(column > 0 ? "\n" : "", to);
      column = fprintf(to, "%*s%.*s", indent, "", len, text);
    }
    text += len;
    text += strspn(text, " ");
  }
  fputc('\n', to);
}

static void print_range(const struct option *row, const char *before, const char *behind, FILE *to) {
  AUTO_FREE char *range = row->type == OPTION_INT
                              ? mem_printf("%lld to %lld", (long long)row->min, (long long)row->max)
                              : mem_printf("%lld characters or more", (long long)row->min);
  if (row->type == OPTION_INT || row->type == OPTION_SECRET) fprintf(to, "%s%s%s", before, range, behind);
}

void options_help(const struct option *table, size_t n, unsigned service, FILE *to) {
  for (size_t i = 0; i < n; i++) {
    const struct option *row = &table[i];
    if (!(row->services & service)) continue;
    const char *value = row->default_value;
    fprintf(to, "  %-31s %s%s", row->name,
            !value   ? "required"
            : *value ? "default "
                     : "optional",
            value ? value : "");
    print_range(row, "; ", "", to);
    fputc('\n', to);
    print_wrapped(row->help, 6, to);
  }
}

static void print_cell(const char *text, FILE *to) {
  for (; *text; text++) fprintf(to, *text == '|' ? "\\%c" : "%c", *text);
}

static void print_services(unsigned services, const char *const *names, FILE *to) {
  const char *separator = "";
  for (size_t bit = 0; names[bit]; bit++) {
    if (!(services & 1U << bit)) continue;
    fprintf(to, "%s%s", separator, names[bit]);
    separator = ", ";
  }
}

void options_markdown(const struct option *table, size_t n, const char *const *service_names, FILE *to) {
  fputs("| setting | default | read by | what it is |\n|---|---|---|---|\n", to);
  for (size_t i = 0; i < n; i++) {
    const struct option *row = &table[i];
    const char *value = row->default_value;
    const char *quote = value && *value ? "`" : "";
    fprintf(to, "| `%s` | %s%s%s | ", row->name, quote, !value ? "required" : *value ? value : "–", quote);
    print_services(row->services, service_names, to);
    fputs(" | ", to);
    print_cell(row->help, to);
    print_range(row, " (", ")", to);
    fputs(" |\n", to);
  }
}
