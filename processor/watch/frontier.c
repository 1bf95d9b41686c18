// SPDX-License-Identifier: MIT
#include "processor/watch/frontier.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/kafka/kafka.h"
#include "processor/batch/kafkaerror.h"
#include <stdlib.h>
#include <string.h>

// A busy broker needs more than a second for its first coordinator, or for a transaction whose offsets are
// asked for. The end of the process waits for one of these.
enum { ASK_MS = 2000, OPEN_MS = 5000 };

struct partition {
  struct frontier_marks marks;
  int32_t leader;             // the broker; -1: none
  rd_kafka_resp_err_t hidden; // why no broker says where it ends; 0: one does
};

struct frontier {
  rd_kafka_t *rk;
  char *topic;
  int32_t n;
  struct partition *partitions;
  char *hidden; // their numbers, as they were logged; empty: none
};

// ---- the pure part ----

void frontier_marks_init(struct frontier_marks *marks) {
  *marks = (struct frontier_marks){.until_ms = INT64_MIN};
}

// Where the list is full, the newest end is left out: a later look adds a newer one. An end that goes down is
// that of a topic made anew.
void frontier_mark(struct frontier_marks *marks, int64_t end, int64_t committed, int64_t at_ms) {
  if (marks->n && marks->list[marks->n - 1].end > end) marks->n = 0;
  if (marks->n && marks->list[marks->n - 1].end == end)
    marks->list[marks->n - 1].at_ms = at_ms;
  else if (marks->n < FRONTIER_MARKS)
    marks->list[marks->n++] = (struct frontier_mark){end, at_ms};
  size_t reached = 0;
  while (reached < marks->n && marks->list[reached].end <= committed) reached++;
  if (reached == 0) return;
  marks->until_ms = marks->list[reached - 1].at_ms;
  marks->n -= reached;
  memmove(marks->list, marks->list + reached, marks->n * sizeof marks->list[0]);
}

// ---- Kafka ----

// It has the group's id, as the committed offsets are asked for by it, and never joins. While a transaction
// is open that moves an offset, a broker names the one before, which is merely older; with read_committed it
// names none, and librdkafka asks again after 100 ms, and again (KIP-447).
static rd_kafka_t *open_client(const struct settings *settings, struct err *err) {
  const struct kafka_setting ours[] = {{"group.id", settings->group_id},
                                       {"isolation.level", "read_uncommitted"},
                                       {"enable.auto.commit", "false"},
                                       {"allow.auto.create.topics", "false"}};
  return kafka_client_new(RD_KAFKA_CONSUMER, kafka_conf_new(settings, ours, COUNT_OF(ours), err), err);
}

static bool fail(struct frontier *f, const char *what, rd_kafka_resp_err_t code, struct err *err) {
  kafka_fail(err, f->topic, code, NULL);
  return err_prefix(err, "%s of ", what);
}

static void note_partitions(struct frontier *f, const struct rd_kafka_metadata_topic *topic) {
  if (topic->partition_cnt > f->n)
    f->partitions = mem_grow(f->partitions, (size_t)topic->partition_cnt, sizeof *f->partitions);
  for (; f->n < topic->partition_cnt; f->n++) {
    f->partitions[f->n] = (struct partition){0};
    frontier_marks_init(&f->partitions[f->n].marks);
  }
  for (int32_t i = 0; i < f->n; i++) f->partitions[i].leader = -1;
  for (int i = 0; i < topic->partition_cnt; i++)
    if (topic->partitions[i].id < f->n)
      f->partitions[topic->partitions[i].id].leader = topic->partitions[i].leader;
}

// Each time, since partitions may be added: what is in a new one may not be read yet.
static bool ask_partitions(struct frontier *f, int ask_ms, struct err *err) {
  const struct rd_kafka_metadata *metadata;
  rd_kafka_resp_err_t code = kafka_topic_metadata(f->rk, f->topic, ask_ms, &metadata);
  if (!metadata) return fail(f, "the partitions", code, err);
  if (!code) note_partitions(f, &metadata->topics[0]);
  rd_kafka_metadata_destroy(metadata);
  return !code || kafka_topic_fail(f->topic, code, err);
}

struct frontier *frontier_open(const struct settings *settings, const char *topic, struct err *err) {
  struct frontier *f = mem_alloc(sizeof *f);
  f->topic = mem_strdup(topic);
  f->hidden = mem_strdup("");
  f->rk = open_client(settings, err);
  if (f->rk && ask_partitions(f, OPEN_MS, err)) return f;
  frontier_close(f);
  return NULL;
}

void frontier_close(struct frontier *f) {
  if (f == NULL) return;
  kafka_client_free(f->rk);
  free(f->partitions);
  free(f->hidden);
  free(f->topic);
  free(f);
}

// As a timestamp, RD_KAFKA_OFFSET_END asks for the partition's end (Kafka protocol, ListOffsets): one request
// to each broker, not one for each partition.
static rd_kafka_resp_err_t ask_ends(struct frontier *f, rd_kafka_topic_partition_list_t *list) {
  for (int i = 0; i < list->cnt; i++) list->elems[i].offset = RD_KAFKA_OFFSET_END;
  rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(f->rk, list, ASK_MS);
  for (int i = 0; !code && i < list->cnt; i++) code = list->elems[i].err;
  return code;
}

static bool ask_committed(struct frontier *f, rd_kafka_topic_partition_list_t *list, struct err *err) {
  rd_kafka_resp_err_t code = rd_kafka_committed(f->rk, list, ASK_MS);
  for (int i = 0; !code && i < list->cnt; i++) code = list->elems[i].err;
  return !code || fail(f, "the committed offsets", code, err);
}

static rd_kafka_topic_partition_list_t *list_partitions(const struct frontier *f) {
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(f->n);
  for (int32_t i = 0; i < f->n; i++) rd_kafka_topic_partition_list_add(list, f->topic, i);
  return list;
}

// ---- hidden partitions ----

// Asks one broker for the ends of the partitions that it leads, and takes them over into `ends`.
static void ask_leader(struct frontier *f, int32_t leader, rd_kafka_topic_partition_list_t *ends) {
  rd_kafka_topic_partition_list_t *led = rd_kafka_topic_partition_list_new(f->n);
  for (int32_t i = 0; i < f->n; i++)
    if (f->partitions[i].leader == leader) rd_kafka_topic_partition_list_add(led, f->topic, i);
  rd_kafka_resp_err_t code = leader < 0 ? RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE : ask_ends(f, led);
  for (int i = 0; i < led->cnt; i++) {
    int32_t partition = led->elems[i].partition;
    f->partitions[partition].hidden = code;
    ends->elems[partition].offset = led->elems[i].offset;
  }
  rd_kafka_topic_partition_list_destroy(led);
}

static bool is_first_of_leader(const struct frontier *f, int32_t partition) {
  for (int32_t i = 0; i < partition; i++)
    if (f->partitions[i].leader == f->partitions[partition].leader) return false;
  return true;
}

// The first error, of those partitions that are hidden.
static rd_kafka_resp_err_t count_hidden(const struct frontier *f, int32_t *n) {
  rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
  *n = 0;
  for (int32_t i = 0; i < f->n; i++) {
    if (!f->partitions[i].hidden) continue;
    if (!code) code = f->partitions[i].hidden;
    ++*n;
  }
  return code;
}

static char *add_number(char *numbers, int32_t i) {
  AUTO_FREE char *before = numbers;
  return mem_printf("%s%s%d", before, *before ? "," : "", (int)i);
}

static void log_hidden(struct frontier *f, rd_kafka_resp_err_t code) {
  char *hidden = mem_strdup("");
  for (int32_t i = 0; i < f->n; i++)
    if (f->partitions[i].hidden) hidden = add_number(hidden, i);
  if (strcmp(hidden, f->hidden) != 0 && *hidden)
    log_warn("the watch cannot see partitions; deadlines and the incidents of providers and endpoints wait",
             LOG_STR("topic", f->topic), LOG_STR("partitions", hidden),
             LOG_STR("error", rd_kafka_err2name(code)));
  if (strcmp(hidden, f->hidden) != 0 && !*hidden)
    log_info("the watch sees all partitions again", LOG_STR("topic", f->topic),
             LOG_STR("partitions", f->hidden));
  free(f->hidden);
  f->hidden = hidden;
}

// One request for all fails as a whole, and does not say because of which. So then, and as long as some are
// hidden, each broker is asked for its own: for what it leads by now. New `ends`, in any case.
static bool find_ends(struct frontier *f, rd_kafka_topic_partition_list_t **ends, int32_t *hidden,
                      struct err *err) {
  *hidden = 0;
  *ends = list_partitions(f);
  if (!*f->hidden) {
    if (!ask_ends(f, *ends)) return true;
    if (!ask_partitions(f, ASK_MS, err)) return false;
    rd_kafka_topic_partition_list_destroy(*ends);
    *ends = list_partitions(f);
  }
  for (int32_t i = 0; i < f->n; i++)
    if (is_first_of_leader(f, i)) ask_leader(f, f->partitions[i].leader, *ends);
  rd_kafka_resp_err_t code = count_hidden(f, hidden);
  if (*hidden == f->n) return fail(f, "the ends", code, err);
  log_hidden(f, code);
  return true;
}

static int32_t partition_of(const struct frontier *f, const char *key) {
  return rd_kafka_msg_partitioner_murmur2(NULL, key, strlen(key), f->n, NULL, NULL);
}

bool frontier_hides(const struct frontier *f, const char *key) {
  return f && f->partitions[partition_of(f, key)].hidden;
}

int32_t frontier_partition(const struct frontier *f, const char *key) {
  if (!frontier_hides(f, key)) return RD_KAFKA_PARTITION_UA;
  int32_t own = partition_of(f, key), i = own;
  do i = (i + 1) % f->n;
  while (f->partitions[i].hidden && i != own);
  return i;
}

// ---- the look ----

// Where nothing is committed, an empty partition is read to its end.
static int64_t committed_of(const rd_kafka_topic_partition_t *rktpar) {
  return rktpar->offset < 0 ? 0 : rktpar->offset;
}

static void mark_all(struct frontier *f, const rd_kafka_topic_partition_list_t *ends,
                     const rd_kafka_topic_partition_list_t *committed, int64_t at_ms,
                     struct frontier_known *known) {
  known->until_ms = known->others_ms = at_ms;
  for (int32_t i = 0; i < f->n; i++) {
    struct partition *p = &f->partitions[i];
    if (!p->hidden)
      frontier_mark(&p->marks, ends->elems[i].offset, committed_of(&committed->elems[i]), at_ms);
    if (p->marks.until_ms < known->until_ms) known->until_ms = p->marks.until_ms;
    if (!p->hidden && p->marks.until_ms < known->others_ms) known->others_ms = p->marks.until_ms;
  }
}

bool frontier_look(struct frontier *f, struct frontier_known *known, struct err *err) {
  int64_t at_ms = clock_wall_ms();
  if (!ask_partitions(f, ASK_MS, err)) return false;
  rd_kafka_topic_partition_list_t *ends;
  bool found = find_ends(f, &ends, &known->hidden, err);
  rd_kafka_topic_partition_list_t *committed = list_partitions(f);
  bool ok = found && ask_committed(f, committed, err);
  if (ok) mark_all(f, ends, committed, at_ms, known);
  rd_kafka_topic_partition_list_destroy(ends);
  rd_kafka_topic_partition_list_destroy(committed);
  return ok;
}
