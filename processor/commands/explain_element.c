// SPDX-License-Identifier: MIT
// What is read is the fact that the processor would make of the element; the rest says where it comes from.
#include "common/base/mem.h"
#include "common/provider/personal.h"
#include "common/provider/provider_answer.h"
#include "common/provider/provider_explain.h"
#include "common/provider/provider_mask.h"
#include "common/provider/provider_read.h"
#include "processor/commands/explain.h"
#include "processor/commands/explain_text.h"
#include "processor/commands/terminal.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void explain_fini(struct explain *explain) {
  free(explain->reports);
}

void explain_line(const char *name, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  AUTO_FREE char *text = mem_vprintf(fmt, args);
  va_end(args);
  printf("  %-11s ", name);
  terminal_print(text);
  putchar('\n');
}

// ---- an element beside its rule

struct view {
  const struct explain *explain;
  const json_t *element;
  json_t *masked;     // the element as it is stored
  const json_t *rule; // the kind as the file has it; NULL: none fits
  char *rule_text;    // its JSON, or ""
  size_t nth;         // of the kind; provider_kinds_count(): none fits
  char *unnamed;      // keys that the kind leaves out: "time, reference"
};

static size_t kind_of(const struct provider *provider, const json_t *element) {
  size_t nth = 0, n = provider_kinds_count(provider);
  while (nth < n && !provider_kind_fits(provider, nth, element)) nth++;
  return nth;
}

static struct view view_of(const struct explain *explain, const json_t *element) {
  struct view view = {.explain = explain, .element = element, .nth = kind_of(explain->provider, element)};
  view.masked = json_deep_copy(element);
  provider_mask_element(explain->provider, view.masked);
  if (view.nth < provider_kinds_count(explain->provider))
    view.rule = provider_kind_at(explain->provider, view.nth);
  view.rule_text = view.rule ? json_text(view.rule) : mem_strdup("");
  return view;
}

static void view_fini(struct view *view) {
  json_decref(view->masked);
  free(view->rule_text);
  free(view->unnamed);
}

static const char *text_of(const json_t *object, const char *key) {
  return mem_or_empty(json_string_value(json_object_get(object, key)));
}

json_t *explain_at(const json_t *in, const char *place) {
  struct json_pointer pointer;
  if (!json_pointer_init(&pointer, place, NULL)) return NULL;
  json_t *value = json_at(in, &pointer);
  json_pointer_fini(&pointer);
  return value;
}

static const json_t *value_at(const json_t *in, const char *place) {
  const json_t *value = explain_at(in, place);
  return json_is_null(value) ? NULL : value;
}

static const char *better_place(const char *first, const char *next, const json_t *in) {
  bool has_value = *first && value_at(in, first);
  return !*first || (!has_value && *next && value_at(in, next)) ? next : first;
}

// The first of a rule's places with a value, whatever lists and objects are around them; else the first of
// them. "": there is none.
static const char *place_of(const json_t *node, const json_t *in) {
  const char *key, *best = "", *text = json_string_value(node);
  json_t *inner;
  size_t i;
  if (text) return *text == '/' ? text : "";
  json_array_foreach(node, i, inner) best = better_place(best, place_of(inner, in), in);
  json_object_foreach((json_t *)(uintptr_t)node, key, inner) best =
      better_place(best, place_of(inner, in), in);
  return best;
}

char *explain_found(const json_t *in, const json_t *masked, const char *place, const char *rule) {
  const json_t *value = value_at(masked, place), *own = value_at(in, place);
  bool is_empty = json_is_string(own) && !json_string_length(own);
  AUTO_FREE char *shown = explain_value(is_empty ? own : value);
  bool is_header = strncmp(place, "/@header/", strlen("/@header/")) == 0;
  if (!value && is_header) return mem_printf("nothing at %s: give it with --header, if it was sent", place);
  AUTO_FREE char *nearest = value ? NULL : explain_nearest(in, place, rule);
  if (value) return mem_printf("%s at %s", shown, place);
  return mem_printf("nothing at %s%s%s%s", place, nearest ? "; is it " : "", mem_or_empty(nearest),
                    nearest ? "?" : "");
}

static char *found_at(const struct view *view, const char *place) {
  return explain_found(view->element, view->masked, place, view->rule_text);
}

// Text or a number, and not empty.
static bool is_usable(const json_t *value) {
  char buf[24];
  const char *text = json_scalar_text(value, buf);
  return text && *text;
}

// Why a rule's places give nothing. New string.
static char *missing(const struct view *view, const json_t *node) {
  const char *place = place_of(node, view->element);
  const json_t *part;
  size_t i;
  json_array_foreach(json_object_get(node, "parts"), i, part) { // of an id
    if (!is_usable(value_at(view->element, place_of(part, view->element)))) return missing(view, part);
  }
  if (!*place) return mem_strdup("nothing that can be used");
  AUTO_FREE char *found = found_at(view, place);
  return mem_printf("%s%s", value_at(view->masked, place) ? "no use can be made of " : "", found);
}

// A line for what the kind reads under `key`: the text, or why there is none.
static void print_read(struct view *view, const char *key, const char *text) {
  const json_t *node = json_object_get(view->rule, key);
  if (text) {
    AUTO_FREE char *shown = explain_shown(text);
    explain_line(key, "%s", shown);
  } else if (node) {
    AUTO_FREE char *why = missing(view, node);
    explain_line(key, "–  %s", why);
  } else {
    char *longer = mem_printf("%s%s%s", mem_or_empty(view->unnamed), view->unnamed ? ", " : "", key);
    free(view->unnamed);
    view->unnamed = longer;
  }
}

// A blank and a zone behind a time of day, so behind more digits than a date has: "9999-99-99 99:99 99:99".
static bool has_lost_plus(const char *form) {
  enum { DATE_DIGITS = 8 };
  const char *zone = strrchr(form, ' ');
  size_t digits = 0;
  if (!zone || (strcmp(zone, " 99:99") != 0 && strcmp(zone, " 9999") != 0)) return false;
  for (const char *at = form; at < zone; at++) digits += *at == '9';
  return digits > DATE_DIGITS;
}

static void print_time(struct view *view, int64_t time_ms) {
  const json_t *node = json_object_get(view->rule, "time");
  const char *place = place_of(node, view->element);
  const json_t *value = value_at(view->element, place);
  char text[TERMINAL_TIME_SIZE];
  if (time_ms >= 0) {
    terminal_format_time(time_ms, text);
    explain_line("time", "%s%s", text,
                 time_ms > view->explain->now_ms ? ", in the future: the time of arrival counts" : "");
  } else if (node && value) {
    char buf[24];
    AUTO_FREE char *form = explain_form(mem_or_empty(json_scalar_text(value, buf)));
    explain_line(
        "time", "–  no time that can be read at %s, where 9 is a digit: \"%s\"%s; the time of arrival counts",
        place, form, has_lost_plus(form) ? " (a + that was not encoded becomes a blank)" : "");
  } else if (node) {
    AUTO_FREE char *why = missing(view, node);
    explain_line("time", "–  %s: the time of arrival counts", why);
  } else {
    print_read(view, "time", NULL);
  }
}

static void print_left(const struct view *view) {
  AUTO_FREE char *places = explain_places(view->element, view->rule_text);
  if (view->unnamed) explain_line("no rule", "%s", view->unnamed);
  if (*places) explain_line("not read", "%s", places);
}

// The kinds behind the one that is used. One without conditions is there for the rest.
static void print_rivals(const struct view *view) {
  const struct provider *provider = view->explain->provider;
  for (size_t i = view->nth + 1; i < provider_kinds_count(provider); i++) {
    if (!provider_kind_has_when(provider, i) || !provider_kind_fits(provider, i, view->element)) continue;
    explain_line("note", "the kind \"%s\" (/webhook/kinds/%zu) fits, too; the first that fits is used",
                 text_of(provider_kind_at(provider, i), "name"), i);
  }
}

// ---- receipts

// "; is it "Delivered"? …" or "". New string.
static char *near_said(const struct explain *explain, const json_t *codes, const char *code) {
  const char *ignore, *near = provider_code_near(explain->provider, codes, code, &ignore);
  if (!near) return mem_strdup("");
  return mem_printf("; is it \"%s\"? then \"codes_ignore\": %s says so", near, ignore);
}

static char *unlisted_said(const struct view *view, const char *code) {
  AUTO_FREE char *near = near_said(view->explain, provider_outcomes(view->explain->provider), code);
  if (json_object_get(view->rule, "otherwise"))
    return mem_printf("not listed in /outcomes, so /webhook/kinds/%zu/otherwise counts%s", view->nth, near);
  return mem_printf("not listed in /outcomes, so it is a failure; add it to /outcomes with what it means "
                    "(on_its_way if it is no result)%s",
                    near);
}

// Of several places of a rule, the one that this text was read at. NULL: there is only one.
static const char *read_at(const struct view *view, const json_t *places, const char *text) {
  const json_t *place;
  size_t i;
  json_array_foreach(json_array_size(places) > 1 ? places : NULL, i, place) {
    char buf[24];
    const char *found = json_compared_text(value_at(view->element, json_string_value(place)), buf);
    if (found && strcmp(found, text) == 0) return json_string_value(place);
  }
  return NULL;
}

static char *unlisted_code_said(const struct view *view, const struct provider_receipt *receipt) {
  const char *place = read_at(view, json_object_get(view->rule, "code"), receipt->code);
  AUTO_FREE char *code = explain_shown(receipt->code);
  AUTO_FREE char *unlisted = unlisted_said(view, receipt->code);
  return mem_printf("%s%s%s → %s: %s", code, place ? ", read at " : "", mem_or_empty(place),
                    provider_outcome_name(receipt->outcome), unlisted);
}

static char *code_said(const struct view *view, const struct provider_receipt *receipt) {
  if (!receipt->known_code) return unlisted_code_said(view, receipt);
  const char *outcome = provider_outcome_name(receipt->outcome);
  AUTO_FREE char *code = explain_shown(receipt->code);
  if (receipt->outcome == OUTCOME_ON_ITS_WAY)
    return mem_printf("%s → %s: no result; one is still due", code, outcome);
  if (receipt->scope) return mem_printf("%s → %s, of the %s", code, outcome, receipt->scope);
  return mem_printf("%s → %s%s", code, outcome, receipt->about_recipient ? ", about the recipient" : "");
}

// Where there is nothing, the place that the rule names.
static char *dedupe_part(const struct view *view, const char *value, size_t i) {
  const char *place = json_string_value(json_array_get(json_object_get(view->rule, "dedupe"), i));
  return *value || !place ? explain_shown(value) : mem_printf("(nothing at %s)", place);
}

// By the masked element, since a dedupe value may be the recipient.
static void print_dedupe(const struct view *view) {
  struct provider_receipt receipt = {0};
  AUTO_FREE char *text = mem_strdup("the id");
  if (provider_read_receipt(view->explain->provider, view->masked, &receipt, NULL))
    for (size_t i = 0; i < receipt.n_dedupe; i++) {
      AUTO_FREE char *part = dedupe_part(view, receipt.dedupe[i], i);
      char *longer = mem_printf("%s, %s", text, part);
      free(text);
      text = longer;
    }
  provider_receipt_fini(&receipt);
  explain_line("dedupe", "%s", text);
}

// Places to mask at which there is nothing: a wrong one would leave in the database what it should hide.
static void print_not_masked(const struct view *view) {
  const json_t *place;
  size_t i;
  json_array_foreach(json_object_get(view->rule, "masked"), i, place) {
    if (value_at(view->element, json_string_value(place))) continue;
    AUTO_FREE char *found = found_at(view, json_string_value(place));
    explain_line("masked", "–  %s", found);
  }
}

static void note_repeat(struct explain *explain, size_t nth, struct uuid id) {
  for (size_t i = 0; i < explain->n_reports; i++) {
    if (memcmp(&explain->reports[i].id, &id, sizeof id) != 0) continue;
    explain_line("note", "the same report as element %zu: it counts once", explain->reports[i].nth);
    return;
  }
  explain->reports = mem_grow(explain->reports, explain->n_reports + 1, sizeof *explain->reports);
  explain->reports[explain->n_reports++] = (struct explain_report){id, nth};
}

// Where the element gives none, the code's own.
static void print_reason(struct view *view, const char *reason) {
  const json_t *node = json_object_get(view->rule, "reason");
  if (!reason || !node || is_usable(value_at(view->element, place_of(node, view->element)))) {
    print_read(view, "reason", reason);
    return;
  }
  AUTO_FREE char *shown = explain_shown(reason);
  AUTO_FREE char *why = missing(view, node);
  explain_line("reason", "%s, as /outcomes says: %s", shown, why);
}

static void print_receipt(struct explain *explain, struct view *view, const struct fact *fact, size_t nth) {
  struct provider_receipt receipt;
  if (!provider_read_receipt(explain->provider, view->element, &receipt, NULL))
    return; // as the fact says, it is one
  AUTO_FREE char *code = code_said(view, &receipt);
  explain_line("code", "%s", code);
  print_reason(view, fact->signal.reason);
  print_time(view, receipt.time_ms);
  print_read(view, "channel", fact->signal.channel);
  print_read(view, "recipient", fact->signal.recipient);
  print_read(view, "reference", fact->signal.reference);
  print_dedupe(view);
  print_not_masked(view);
  note_repeat(explain, nth, fact->row_id);
  provider_receipt_fini(&receipt);
}

// ---- contacts

static void print_consents(const struct contact_said *said) {
  const char *name;
  json_t *value;
  json_object_foreach(said->details.consents, name, value)
      explain_line("consent", "%s: %s", name, json_is_true(value) ? "given" : "withdrawn");
}

static void print_contact(struct explain *explain, struct view *view, const struct contact_said *said) {
  struct provider_contact contact;
  if (!provider_read_contact(explain->provider, view->element, &contact, NULL)) return; // likewise
  explain_line("says", said->is_delete ? "the person is gone" : "this is all that is known of the person");
  print_read(view, "provider_id", said->mark.provider_id);
  if (!said->is_delete) {
    print_read(view, "phone", said->details.phone);
    print_read(view, "email", said->details.email);
    print_consents(said);
  }
  if (said->mark.has_version)
    explain_line("version", "%" PRId64, said->mark.version);
  else
    print_read(view, "version", NULL);
  print_time(view, contact.time_ms);
}

// ---- what goes to quarantine

// Where the next elements were looked for in what was not cut further.
static void print_level(const struct view *view, size_t level) {
  const struct json_pointer *place;
  for (size_t i = 0; (place = provider_level_place(view->explain->provider, level, i)); i++) {
    AUTO_FREE char *found = found_at(view, place->text);
    explain_line("rule", "/webhook/elements: %s", found);
  }
}

static void print_has(const json_t *document) {
  AUTO_FREE char *places = explain_places(document, ""), *value = explain_value(document);
  explain_line("it has", "%s", *places ? places : value);
}

static void print_unmet(const struct view *view, size_t nth) {
  const struct provider *provider = view->explain->provider;
  struct provider_unmet unmet = provider_kind_unmet(provider, nth, view->element);
  const char *name = text_of(provider_kind_at(provider, nth), "name");
  AUTO_FREE char *found = found_at(view, unmet.place);
  AUTO_FREE char *expected = unmet.expected ? json_dumps(unmet.expected, 0) : NULL;
  if (*unmet.rule)
    explain_line("rule", "/webhook/kinds/%zu/when/%s, \"%s\": %s%s%s", nth, unmet.rule, name, found,
                 expected ? ", expected one of " : "", mem_or_empty(expected));
  else
    explain_line("rule", "/webhook/kinds/%zu/when, \"%s\": it does not hold", nth, name);
}

// The rule of a kind that fits, but for this key.
static void print_unusable(const struct view *view, const char *key) {
  const json_t *node = json_object_get(view->rule, key);
  AUTO_FREE char *why = missing(view, node);
  explain_line("rule", "/webhook/kinds/%zu/%s, \"%s\": %s", view->nth, key, text_of(view->rule, "name"), why);
  explain_line("mend", "name in this rule where the %s is", key);
}

static void print_bad_consents(const struct view *view) {
  explain_line("rule", "/webhook/kinds/%zu/consents, \"%s\"", view->nth, text_of(view->rule, "name"));
  explain_line("mend", "name in this rule places of true, false or null");
}

static void print_no_kind(const struct view *view) {
  for (size_t i = 0; i < provider_kinds_count(view->explain->provider); i++) print_unmet(view, i);
  explain_line("mend",
               "change a \"when\"; or add a kind, \"kind\": \"other\" for what reports on no message");
}

static void print_broken_rules(const struct view *view, bool has_id) {
  if (!json_is_object(view->element)) return;
  if (!view->rule)
    print_no_kind(view);
  else if (!has_id)
    print_unusable(view, "id");
  else if (strcmp(text_of(view->rule, "kind"), "receipt") == 0)
    print_unusable(view, "code");
  else
    print_bad_consents(view);
  print_has(view->element);
}

static void print_unread(struct view *view, const char *why, bool has_id) {
  puts("would go to quarantine");
  explain_line("reason", "%s", why);
  if (view) print_broken_rules(view, has_id);
}

// ---- one element

static const char *event_type_of(enum framing_kind kind) {
  static const char *const types[] = {[FRAMING_RECEIPT] = EVENT_RECEIPT,
                                      [FRAMING_CONTACT] = EVENT_CONTACT,
                                      [FRAMING_OTHER] = EVENT_OTHER,
                                      [FRAMING_QUARANTINED] = EVENT_QUARANTINED};
  return types[kind];
}

static void interpret_as(const struct explain *explain, const char *type, const char *value, size_t len,
                         struct fact *fact) {
  const struct event ev = {
      .type = type, .provider = provider_name(explain->provider), .time_ms = explain->now_ms};
  interpret_event(&explain->interpreter, &ev, value, len, fact);
}

static void print_understood(struct explain *explain, struct view *view,
                             const struct framing_element *element, const struct fact *fact, size_t nth) {
  static const char *const said[] = {[FRAMING_RECEIPT] = "a receipt",
                                     [FRAMING_CONTACT] = "a contact",
                                     [FRAMING_OTHER] = "other (kept and counted, changes no status)"};
  printf("%s, by the kind \"%s\" (/webhook/kinds/%zu)\n", said[element->kind], text_of(view->rule, "name"),
         view->nth);
  print_read(view, "id", element->id);
  if (element->kind == FRAMING_RECEIPT) print_receipt(explain, view, fact, nth);
  if (element->kind == FRAMING_CONTACT) print_contact(explain, view, fact->contact);
  if (element->kind != FRAMING_OTHER) print_left(view);
  print_rivals(view);
}

static bool explain_framed(struct explain *explain, size_t nth, const struct framing_element *element,
                           struct view *view) {
  struct fact fact;
  if (!view || element->kind == FRAMING_QUARANTINED) { // without a view it is not JSON
    print_unread(view, mem_or_empty(element->reason), false);
    if (view) print_level(view, element->n_steps);
    return false;
  }
  interpret_as(explain, event_type_of(element->kind), element->bytes, element->len, &fact);
  bool good = fact.type != FACT_UNCLEAR;
  if (good)
    print_understood(explain, view, element, &fact, nth);
  else
    print_unread(view, fact.why, true);
  fact_fini(&fact);
  return good;
}

bool explain_element(struct explain *explain, size_t nth, const char *place,
                     const struct framing_element *element, struct json_span text) {
  AUTO_JSON *value = json_parse(text.from, (size_t)(text.to - text.from), NULL);
  struct view view = {0};
  if (value) view = view_of(explain, value);
  printf("element %zu, %s: ", nth, place);
  bool good = explain_framed(explain, nth, element, value ? &view : NULL);
  view_fini(&view);
  return good;
}

// ---- a whole that is not understood

static struct view view_of_whole(const struct explain *explain, const json_t *document) {
  return (struct view){.explain = explain,
                       .element = document,
                       .masked = json_deep_copy(document),
                       .rule_text = mem_strdup("")};
}

static void print_no_json(const struct explain *explain, const char *text) {
  if (!provider_reads_forms(explain->provider) && explain_is_form(text))
    explain_line("mend", "this looks like a form: \"body\": \"form\" in webhook reads it, or \"methods\": "
                         "[\"GET\"] if it is a query");
  else
    explain_line("mend", "standard input has to be the body, exactly as it was sent");
}

void explain_uncut(const struct explain *explain, const json_t *document, const char *text, const char *why) {
  puts("the whole body: would go to quarantine");
  explain_line("reason", "%s", why);
  if (!document) {
    print_no_json(explain, text);
    return;
  }
  struct view view = view_of_whole(explain, document);
  print_level(&view, 0);
  explain_line("mend", "name in this rule where the list of elements is, or the only one");
  print_has(document);
  view_fini(&view);
}

// ---- the answer

void explain_answer(const struct explain *explain, const struct provider_answer *own, const char *body) {
  const char *place;
  AUTO_JSON *document = json_parse(body, strlen(body), NULL);
  struct view view = view_of_whole(explain, document);
  for (size_t i = 0; (place = provider_ack_missing(explain->provider, own, body, strlen(body), i)); i++) {
    AUTO_FREE char *found = document ? found_at(&view, place) : mem_printf("nothing at %s", place);
    explain_line("no value", "\"${%s}\" becomes \"\": %s", place, found);
  }
  view_fini(&view);
}

// ---- one recipient of a send answer

static bool has_part(const json_t *shape, const char *key, const json_t *in) {
  const json_t *node = json_object_get(shape, key), *parts = json_object_get(node, "parts"), *part;
  size_t i;
  json_array_foreach(parts, i, part) if (!is_usable(value_at(in, place_of(part, in)))) return false;
  return !node || parts || is_usable(value_at(in, place_of(node, in)));
}

// The nth list of a shape. NULL: there are fewer.
static const char *list_place(const json_t *shape, size_t nth) {
  const json_t *each = json_object_get(shape, "each");
  if (json_is_string(each)) return nth == 0 ? json_string_value(each) : NULL;
  return json_string_value(json_array_get(each, nth));
}

// The first entry of an answer, or all of the answer if the shape has no list. Borrowed.
static json_t *first_entry(json_t *answer, const json_t *shape) {
  const char *place;
  json_t *entry = NULL;
  if (!list_place(shape, 0)) return answer;
  for (size_t i = 0; !entry && (place = list_place(shape, i)); i++)
    entry = json_array_get(explain_at(answer, place), 0);
  return entry;
}

// An answer with this recipient only.
struct recipient {
  const struct provider_acceptance *read;
  json_t *answer;
  struct provider_used_shape used;
  struct view whole, entry; // of the answer, and of the recipient in it
};

// Takes `rule_text`.
static struct view view_by_shape(const struct explain *explain, const json_t *in, json_t *masked,
                                 const json_t *shape, char *rule_text) {
  return (struct view){.explain = explain,
                       .element = in,
                       .masked = json_incref(masked),
                       .rule = shape,
                       .rule_text = rule_text};
}

// What of the shape reads the entry of a list: a place of the whole answer may have the same name.
static char *rule_of_entry(const json_t *shape) {
  static const char *const of_whole[] = {"requires", "shared_id", "shared_reference"};
  AUTO_JSON *own = json_copy((json_t *)(uintptr_t)shape);
  for (size_t i = 0; i < COUNT_OF(of_whole); i++)
    if (json_object_get(shape, "each")) json_object_del(own, of_whole[i]);
  return json_text(own);
}

static struct recipient recipient_of(const struct explain *explain, const json_t *response,
                                     const struct provider_acceptance *list, size_t i) {
  const struct provider *provider = explain->provider;
  struct recipient recipient = {.read = &list[i],
                                .answer = provider_narrow(provider, response, i),
                                .used = provider_used_shape(provider, response)};
  const json_t *shape = json_array_get(provider_shapes(provider), recipient.used.nth);
  AUTO_JSON *masked = json_deep_copy(recipient.answer);
  provider_mask_response(provider, masked);
  recipient.whole = view_by_shape(explain, recipient.answer, masked, shape, json_text(shape));
  recipient.entry = view_by_shape(explain, first_entry(recipient.answer, shape), first_entry(masked, shape),
                                  shape, rule_of_entry(shape));
  return recipient;
}

static void recipient_fini(struct recipient *recipient) {
  view_fini(&recipient->entry);
  view_fini(&recipient->whole);
  json_decref(recipient->answer);
}

// Why a rule of a shape gives nothing. Of several places it names one only if another name is like it, since
// an answer seldom has all of them. New string, which may be empty.
static char *missing_of_several(const struct view *view, const json_t *node) {
  const json_t *place;
  size_t i;
  if (json_array_size(node) < 2 || value_at(view->element, place_of(node, view->element)))
    return missing(view, node);
  json_array_foreach(node, i, place) {
    const char *text = json_string_value(place);
    AUTO_FREE char *nearest = explain_nearest(view->element, text, view->rule_text);
    if (nearest) return mem_printf("nothing at %s; is it %s?", text, nearest);
  }
  return mem_strdup("");
}

static void print_of_shape(struct view *view, const char *key, const char *rule, const char *text) {
  const json_t *node = json_object_get(view->rule, rule);
  if (text || !node) {
    print_read(view, key, text);
    return;
  }
  AUTO_FREE char *why = missing_of_several(view, node);
  explain_line(key, "–%s%s", *why ? "  " : "", why);
}

// A place of the entry, or else one of the whole answer.
static void print_shared(struct recipient *recipient, const char *key, const char *shared, bool is_shared,
                         const char *text) {
  if (is_shared && !text)
    print_of_shape(&recipient->whole, key, shared, text);
  else
    print_of_shape(&recipient->entry, key, key, text);
}

static void print_refusal_of_all(const struct recipient *recipient) {
  AUTO_FREE char *found = found_at(&recipient->whole, recipient->used.unmet);
  AUTO_FREE char *code = recipient->read->code ? explain_shown(recipient->read->code) : NULL;
  if (code)
    explain_line("code", "%s → refused: not listed in /acceptance/shapes/%zu/requires at %s", code,
                 recipient->used.nth, recipient->used.unmet);
  else
    explain_line("code",
                 "–  %s: without what /acceptance/shapes/%zu/requires lists each recipient counts as refused",
                 found, recipient->used.nth);
}

static void print_acceptance_code(struct recipient *recipient) {
  const struct provider_acceptance *read = recipient->read;
  const json_t *node = json_object_get(recipient->entry.rule, "code");
  if (recipient->used.unmet) {
    print_refusal_of_all(recipient);
  } else if (read->accepted) {
    print_read(&recipient->entry, "code", read->code);
  } else if (read->code) {
    AUTO_FREE char *code = explain_shown(read->code);
    AUTO_FREE char *near =
        near_said(recipient->entry.explain, json_object_get(recipient->entry.rule, "accepted"), read->code);
    explain_line("code", "%s → refused: not listed in /acceptance/shapes/%zu/accepted%s", code,
                 recipient->used.nth, near);
  } else {
    AUTO_FREE char *why = missing_of_several(&recipient->entry, node);
    explain_line("code", "–  %s%swithout a code each recipient counts as refused", why, *why ? ": " : "");
  }
}

static void print_recipient(struct recipient *recipient) {
  const struct provider_acceptance *read = recipient->read;
  const json_t *shape = recipient->whole.rule;
  AUTO_FREE char *reason = read->reason ? personal_mask_text(read->reason) : NULL;
  AUTO_FREE char *to = read->recipient ? personal_mask(read->recipient) : NULL;
  print_shared(recipient, "id", "shared_id", !has_part(shape, "shared_id", recipient->answer), read->id);
  print_acceptance_code(recipient);
  if (!read->accepted) print_of_shape(&recipient->entry, "reason", "reason", reason);
  print_of_shape(&recipient->entry, "channel", "channel", read->channel);
  print_of_shape(&recipient->entry, "recipient", "recipient", to);
  bool is_shared = !json_object_get(shape, "reference") && json_object_get(shape, "shared_reference");
  print_shared(recipient, "reference", "shared_reference", is_shared, read->reference);
  print_left(&recipient->entry);
}

// The processor reads the registration that ingress makes of it.
static bool is_registered(const struct explain *explain, const char *id, json_t *answer) {
  struct fact fact;
  AUTO_JSON *registration = json_pack("{s:s,s:O}", "notification_id", id, "response", answer);
  AUTO_FREE char *value = json_text(registration);
  interpret_as(explain, EVENT_ACCEPTED, value, strlen(value), &fact);
  bool good = fact.type != FACT_UNCLEAR;
  if (!good) explain_line("reason", "would go to quarantine: %s", fact.why);
  fact_fini(&fact);
  return good;
}

bool explain_acceptance(struct explain *explain, const json_t *response,
                        const struct provider_acceptance *list, size_t i) {
  struct recipient recipient = recipient_of(explain, response, list, i);
  printf("recipient %zu: %s\n", i + 1, list[i].accepted ? "accepted" : "refused by the send API");
  print_recipient(&recipient);
  bool good = !list[i].id || is_registered(explain, list[i].id, recipient.answer);
  if (!list[i].id) explain_line("note", "it has no id, so nothing is registered");
  recipient_fini(&recipient);
  return good;
}

// The place within the entry would read as one of the whole answer, so its entry stands before it.
static void print_entry(const struct view *response, size_t nth, const json_t *shape, const char *list,
                        size_t i) {
  struct view view = *response;
  view.element = json_array_get(value_at(response->element, list), i);
  view.masked = json_array_get(value_at(response->masked, list), i);
  AUTO_FREE char *why = missing(&view, json_object_get(shape, "id"));
  explain_line("rule", "/acceptance/shapes/%zu/id: in the entry %s/%zu, %s", nth, list, i, why);
  explain_line("mend", "name in this rule where the id is within an entry");
}

// The shape that is used, by its lists: its first entry without an id.
static void print_used_shape(const struct view *response, size_t nth, const json_t *shape) {
  const char *list;
  if (!has_part(shape, "shared_id", response->element)) {
    AUTO_FREE char *why = missing(response, json_object_get(shape, "shared_id"));
    explain_line("rule", "/acceptance/shapes/%zu/shared_id: %s", nth, why);
    explain_line("mend", "name in this rule where the id of the whole answer is");
    return;
  }
  for (size_t k = 0; (list = list_place(shape, k)); k++) {
    const json_t *entries = value_at(response->element, list), *entry;
    size_t i;
    json_array_foreach(entries, i, entry) {
      if (has_part(shape, "id", entry)) continue;
      print_entry(response, nth, shape, list, i);
      return;
    }
  }
}

static void print_shape(const struct view *response, size_t nth, const json_t *shape) {
  const char *key = json_object_get(shape, "each") ? "each" : "id";
  AUTO_FREE char *why = missing(response, json_object_get(shape, key));
  explain_line("rule", "/acceptance/shapes/%zu/%s: %s", nth, key, why);
}

// The rules of the shape that is used, or of all if none is.
static void print_shapes(const struct view *response, const json_t *shapes) {
  const struct provider *provider = response->explain->provider;
  struct provider_used_shape used = provider_used_shape(provider, response->element);
  const json_t *shape;
  size_t i;
  if ((shape = json_array_get(shapes, used.nth))) {
    print_used_shape(response, used.nth, shape);
    return;
  }
  json_array_foreach(shapes, i, shape) print_shape(response, i, shape);
  if (i > 0)
    explain_line("mend", "name in a rule where the list of recipients is, or the id of the only one");
}

void explain_no_acceptance(const struct explain *explain, const json_t *response, const char *why) {
  struct view view = view_of_whole(explain, response);
  provider_mask_response(explain->provider, view.masked);
  puts("the send answer: ingress would refuse it with 400, and register nothing");
  explain_line("reason", "%s", why);
  print_shapes(&view, provider_shapes(explain->provider));
  print_has(response);
  view_fini(&view);
}
