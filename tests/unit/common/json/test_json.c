// SPDX-License-Identifier: MIT
#include "common/base/mem.h"
#include "common/json/json.h"
#include "tests/unit/support/guarded.h"
#include "tests/unit/support/spans.h"
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define TEXT(literal) literal, sizeof(literal) - 1

static const struct {
  const char *text;
  size_t len;
  const char *written; // compact
} accepted[] = {
    {TEXT("{\"b\":1,\"a\":[true,null,1.5]}"), "{\"b\":1,\"a\":[true,null,1.5]}"},
    {TEXT(" \t\r\n\"text\" \n"), "\"text\""},
    {TEXT("0"), "0"},
    {TEXT("\"\\ud83d\\ude9a\""), "\"🚚\""},
    {TEXT("9223372036854775807"), "9223372036854775807"},
    {TEXT("-9223372036854775808"), "-9223372036854775808"},
    {TEXT("9223372036854775808"), "9.2233720368547758e18"},
    {TEXT("-9223372036854775809"), "-9.2233720368547758e18"},
    {TEXT("[99999999999999999999,7]"), "[1e20,7]"},
    {TEXT("{\"id\":5,\"\\\"99999999999999999999\":99999999999999999999, \"t\" : \"99999999999999999999\"}"),
     "{\"id\":5,\"\\\"99999999999999999999\":1e20,\"t\":\"99999999999999999999\"}"},
    {TEXT("[0.30000000000000004,99999999999999999999e1,99999999999999999999]"),
     "[0.30000000000000004,1e21,1e20]"},
    {TEXT("1e999"), "\"1e999\""},
    {TEXT("[1e-999,1e305]"), "[0.0,9.9999999999999994e304]"}, // the same beside what is quoted
    {TEXT("[1e999,1e-999,1e305]"), "[\"1e999\",0.0,9.9999999999999994e304]"},
    {TEXT("[-1E+999,{\"a\":1e999 , \"1e999\":0.5e-2},99999999999999999999,1e-5]"),
     "[\"-1E+999\",{\"a\":\"1e999\",\"1e999\":0.0050000000000000001},1e20,1.0000000000000001e-5]"},
};

static void test_what_is_json_is_read(void **state) {
  for (size_t i = 0; i < COUNT_OF(accepted); i++) {
    struct err err = {0};
    AUTO_JSON *value = json_parse(accepted[i].text, accepted[i].len, &err);
    if (!value) fail_msg("%s: %s", accepted[i].text, err.text);
    AUTO_FREE char *written = json_text(value);
    assert_string_equal(written, accepted[i].written);
  }
}

// Postgres' numeric has 131072 digits before the point and 16383 behind it; a double has 308.
static const struct {
  const char *text, *quoted; // NULL: the text stays
} numbers[] = {
    {"{\"a\":1.50,\"b\":[-0,1E5,9223372036854775808],\"c\":1e295}", NULL},
    {"{\"a\":1e-20000}", "{\"a\":\"1e-20000\"}"},
    {"[1e200000,-1E+200000 ,{\"b\":0e-20000}]", "[\"1e200000\",\"-1E+200000\" ,{\"b\":\"0e-20000\"}]"},
    {"1e99999999999999999999999", "\"1e99999999999999999999999\""},
    {"{\"1e20000\":\"\\\"1e20000\",\"b\":\"-1e20000\"}", NULL},
    {"[01e20000]", NULL},
    {"[1e20000x,1e20000-1,1e5e20000,1.e20000,-e20000]", NULL},
    {"{1e20000:1,1e20000 :1}", NULL},
    {"1e20000", "\"1e20000\""},
    {"[0.5e20000,-10.25E-20000]", "[\"0.5e20000\",\"-10.25E-20000\"]"},
    {"-", NULL},
    {"\"1e20000", NULL},
    {"", NULL},
};

static void check_quoted(const char *text, const char *quoted) {
  size_t len = strlen(text), out_len = 0;
  struct guarded guarded;
  guarded_init(&guarded);
  AUTO_FREE char *out = json_quote_huge_numbers(guarded_copy(&guarded, text, len), len, &out_len);
  guarded_fini(&guarded);
  if ((out == NULL) != (quoted == NULL)) fail_msg("%.80s", text);
  if (quoted == NULL) return;
  assert_int_equal(out_len, strlen(quoted));
  assert_memory_equal(out, quoted, out_len);
}

static void test_huge_numbers_become_strings_and_nothing_else_changes(void **state) {
  for (size_t i = 0; i < COUNT_OF(numbers); i++) check_quoted(numbers[i].text, numbers[i].quoted);
}

static void test_digits_and_exponent_together_make_a_number_huge(void **state) {
  enum { DIGITS = 300 };
  char text[DIGITS + 1] = "";
  memset(text, '7', DIGITS);
  check_quoted(text, NULL);
  strcpy(text + DIGITS - 4, "e4"); // 298 characters and 4
  AUTO_FREE char *quoted = mem_printf("\"%s\"", text);
  check_quoted(text, quoted);
  strcpy(text + DIGITS - 4, "e2");
  check_quoted(text, NULL);
}

// Each is long enough; only those that are numbers are quoted.
static void test_a_huge_number_may_end_the_text(void **state) {
  static const char *const ends[] = {"", ".5", "e5", "E+5", "e-5", ".", "e", "e+", ".5e", ".5e-"};
  enum { NUMBERS = 5 };
  for (size_t i = 0; i < COUNT_OF(ends); i++) {
    char digits[301] = "";
    memset(digits, '7', sizeof digits - 1);
    AUTO_FREE char *text = mem_printf("7%s%s", digits, ends[i]);
    AUTO_FREE char *quoted = mem_printf("\"%s\"", text);
    check_quoted(text, i < NUMBERS ? quoted : NULL);
  }
}

// With one byte of them replaced by each of `bytes` in turn they are as jansson alone reads them, or refused
// as there.
static void test_every_text_is_what_jansson_makes_of_it(void **state) {
  static const char *const texts[] = {
      "{\"a\":[1,{\"b\":\"x\\u0041\"}],\"cc\":-1.5e3,\"d\":{},\"e\":[]}",
      " [ true , \"é한\" , [ ] , null ] ",
      "{\"key\" : \"\", \"kez\":\t\"\x7f\",\"k\\ty\":0}",
      "\"text\"",
  };
  static const char bytes[] = "\0\t\n\x1f !\"'+,-.01:E[\\]aeklntuz{|}\x7f\x80\xc0\xc3\xe9\xed\xf4\xff";
  struct guarded guarded;
  guarded_init(&guarded);
  for (size_t i = 0; i < COUNT_OF(texts); i++) {
    size_t len = strlen(texts[i]);
    for (size_t at = 0; at < len; at++) {
      for (size_t j = 0; j < sizeof bytes - 1; j++) {
        AUTO_FREE char *changed = mem_strdup(texts[i]);
        changed[at] = bytes[j];
        const char *text = guarded_copy(&guarded, changed, len);
        size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY;
        AUTO_JSON *expected = bytes[j] ? json_loadb(text, len, flags, NULL) : NULL;
        AUTO_JSON *value = json_parse(text, len, NULL);
        AUTO_FREE char *expected_text = expected ? json_text(expected) : mem_strdup("refused");
        AUTO_FREE char *value_text = value ? json_text(value) : mem_strdup("refused");
        assert_string_equal(value_text, expected_text);
      }
    }
  }
  guarded_fini(&guarded);
}

// ---- what jansson is called for ----

json_t *__real_json_loadb(const char *text, size_t len, size_t flags, json_error_t *error);
static int loads;

json_t *__wrap_json_loadb(const char *text, size_t len, size_t flags, json_error_t *error) {
  loads++;
  return __real_json_loadb(text, len, flags, error);
}

// jansson reads byte by byte: of a document without escapes it only reads the numbers and the literals.
static void test_objects_arrays_and_plain_strings_are_read_without_jansson(void **state) {
  static const struct {
    const char *text;
    int loads;
  } cases[] = {{"{}", 0},
               {"[]", 0},
               {"\"text\"", 0},
               {" [ \"a\" , { \"b c\" : [ \" ~é한\" ] , \"d\" : \"\" } , [ ] , { } ] ", 0},
               {"[1,true,null,\"x\"]", 3},
               {"{\"a\":{\"b\":{}},\"c\":-1.5e3}", 1},
               {"[\"a\\n\",\"b\"]", 1},
               {"[\"a\\n\",\"b\\n\"]", 2}};
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    loads = 0;
    AUTO_JSON *value = json_parse(cases[i].text, strlen(cases[i].text), NULL);
    assert_non_null(value);
    if (loads != cases[i].loads) fail_msg("%s: %d", cases[i].text, loads);
  }
}

// A text with a fault is read once more as a whole. Numbers are tried, and the text is written otherwise,
// only if one of them is too large.
static void test_only_a_number_too_large_is_written_otherwise(void **state) {
  static const struct {
    const char *text;
    int loads;
  } cases[] = {{"{\"a\" 1}", 1}, {"x", 2}, {"1e999", 4}};
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    loads = 0;
    json_decref(json_parse(cases[i].text, strlen(cases[i].text), NULL));
    if (loads != cases[i].loads) fail_msg("%s: %d", cases[i].text, loads);
  }
}

// ---- memory ----

static void test_values_are_placed_in_the_block_while_there_is_room(void **state) {
  _Alignas(16) char bytes[2 * 16 + 8];
  json_malloc_t allocate;
  json_free_t release;
  json_get_alloc_funcs(&allocate, &release);
  json_block_begin(bytes, sizeof bytes);
  static const size_t sizes[] = {16, 1, 5};
  char *values[COUNT_OF(sizes)];
  for (size_t i = 0; i < COUNT_OF(sizes); i++) values[i] = allocate(sizes[i]);
  assert_ptr_equal(values[0], bytes);
  assert_ptr_equal(values[1], bytes + 16);
  assert_true(values[2] &&
              (values[2] < bytes || values[2] >= bytes + sizeof bytes)); // 8 bytes are not enough
  for (size_t i = 0; i < COUNT_OF(sizes); i++) release(values[i]);
  json_block_end();
  char *outside = allocate(1);
  assert_ptr_not_equal(outside, bytes + 16);
  release(outside);
}

static void test_the_whole_block_can_be_used(void **state) {
  _Alignas(16) char bytes[32];
  json_malloc_t allocate;
  json_free_t release;
  json_get_alloc_funcs(&allocate, &release);
  json_block_begin(bytes, sizeof bytes);
  void *first = allocate(16), *second = allocate(16), *third = allocate(1);
  assert_ptr_equal(first, bytes);
  assert_ptr_equal(second, bytes + 16);
  assert_ptr_not_equal(third, bytes + 32);
  release(first);
  release(second);
  release(third);
  json_block_end();
}

static void test_a_value_right_behind_the_block_is_given_back(void **state) {
  enum { BYTES = 5000 }; // too many for a cache that counts as used
  size_t before = mallinfo2().uordblks;
  json_malloc_t allocate;
  json_free_t release;
  json_get_alloc_funcs(&allocate, &release);
  char *value = malloc(BYTES);
  json_block_begin(value - 16, 16);
  release(value);
  json_block_end();
  assert_in_range(mallinfo2().uordblks, 0, before + BYTES / 2);
}

static void test_values_outside_of_a_block_are_given_back(void **state) {
  static const char text[] = "{\"a\":[\"b\",17]}";
  size_t before = mallinfo2().uordblks;
  for (int i = 0; i < 1000; i++) {
    AUTO_JSON *value = json_parse(text, strlen(text), NULL);
    assert_non_null(value);
  }
  assert_in_range(mallinfo2().uordblks, 0, before + 10000);
}

// ---- what is refused ----

static const struct {
  const char *text;
  size_t len;
  const char *cause;
} refused[] = {
    {TEXT(""), "the text is empty"},
    {TEXT(" \n\t "), "the text is empty"},
    {TEXT("{\"SECRET\":1"), "not JSON: '}' expected near end of file at byte 11"},
    {TEXT("{\"SECRET\""), "not JSON: ':' expected near end of file at byte 9"},
    {TEXT("[1] SECRET"), "not JSON: end of file expected at byte"},
    {TEXT("[1,SECRET]"), "not JSON: invalid token at byte"},
    {TEXT("SECRET"), "not JSON: invalid token at byte"},
    {TEXT("{\"SECRET\":1,\"SECRET\":2}"), "JSON that is not accepted: duplicate object key at byte"},
    {TEXT("{\"SECRET\":{\"SECRET2\":1,\"SECRET2\":2}}"),
     "JSON that is not accepted: duplicate object key at byte"},
    {TEXT("\"SECRET"), "not JSON: premature end of input at byte"},
    {TEXT("\"SECRET \\x\""), "not JSON: invalid escape at byte"},
    {TEXT("\"SECRET\\u0000\""), "JSON that is not accepted: \\u0000 is not allowed at byte"},
    {TEXT("\"SEC\0RET\""), "not JSON: control character 0x0 at byte"},
    {TEXT("\"SECRET\n\""), "not JSON: unexpected newline at byte"},
    {TEXT("{\n\"a\":1,\n}"), "not JSON: string or '}' expected at byte 10, line 3"},
    {TEXT("\"\\ud800 SECRET\""), "not JSON: invalid Unicode at byte"},
    {TEXT("\"\\udc00 SECRET\""), "not JSON: invalid Unicode at byte"},
    {TEXT("\"\\uSECRET\""), "not JSON: invalid escape at byte"},
    {TEXT("\"\xff SECRET\""), "not JSON: unable to decode byte 0xff at byte"},
    {TEXT("\"\xed\xa0\x80\""), "not JSON: unable to decode byte 0xed at byte"},
    {TEXT("[1,2,]"), "not JSON: unexpected token at byte 6"},
    {TEXT("{\"SECRET\":1,}"), "not JSON: string or '}' expected at byte"},
    {TEXT("{\"SECRET\":\"a\"\"SECRET\":2}"), "not JSON: '}' expected at byte"},
    {TEXT("{\"SECRET\":1,\"SECRE\\u0054\":2}"), "JSON that is not accepted: duplicate object key at byte"},
    {TEXT("[1e999,01e999]"), "not JSON: "},
    {TEXT("[1e999,0x1p9999]"), "not JSON: "},
    {TEXT("{1e999 :1}"), "JSON that is not accepted: real number overflow at byte"},
    {TEXT("[1e999x]"), "JSON that is not accepted: real number overflow at byte"},
    {TEXT("-"), "not JSON: invalid token at byte"},
    {TEXT("[01]"), "not JSON: invalid token at byte"},
    {TEXT("'SECRET near '"), "not JSON: invalid token at byte"},
    {TEXT("{\"a\" 'SECRET near ' :1}"), "not JSON: ':' expected at byte"},
    {TEXT("\xef\xbb\xbf{}"), "not JSON: invalid token at byte"},
    {TEXT("{\"\\u0000SECRET\":1}"),
     "JSON that is not accepted: NUL byte in object key not supported at byte"},
};

static void test_what_is_not_is_refused_with_cause_and_place_but_no_content(void **state) {
  for (size_t i = 0; i < COUNT_OF(refused); i++) {
    struct err err = {0};
    AUTO_JSON *value = json_parse(refused[i].text, refused[i].len, &err);
    assert_null(value);
    if (strstr(err.text, refused[i].cause) != err.text) fail_msg("%s: %s", refused[i].text, err.text);
    assert_null(strstr(err.text, "SECRET"));
  }
}

static char *nested(size_t depth) {
  char *text = mem_alloc(2 * depth + 1);
  memset(text, '[', depth);
  memset(text + depth, ']', depth);
  return text;
}

static void test_nesting_is_bounded_before_it_can_hurt(void **state) {
  static const struct {
    size_t depth;
    bool ok;
  } depths[] = {{1, true}, {64, true}, {65, false}, {1000, false}, {400000, false}};
  for (size_t i = 0; i < COUNT_OF(depths); i++) {
    struct err err = {0};
    AUTO_FREE char *text = nested(depths[i].depth);
    AUTO_JSON *value = json_parse(text, 2 * depths[i].depth, &err);
    assert_int_equal(value != NULL, depths[i].ok);
    if (!value) assert_string_equal(err.text, "the JSON is nested deeper than 64 levels at byte 64");
  }
}

static void test_values_are_counted_before_they_can_hurt(void **state) {
  static const struct {
    const char *unit;
    size_t n, error_at; // 0: it is read
  } rows[] = {
      {"1,", 49999, 0},       {"1,", 50000, 99998},      {"{},", 24999, 0},
      {"{},", 170000, 74998}, {"\"[,,,{,\",", 40000, 0},
  };
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    AUTO_FREE char *text = mem_alloc(rows[i].n * strlen(rows[i].unit) + 8);
    char *at = stpcpy(text, "[");
    for (size_t j = 0; j < rows[i].n; j++) at = stpcpy(at, rows[i].unit);
    strcpy(at - 1, "]");
    struct err err = {0};
    AUTO_JSON *value = json_parse(text, strlen(text), &err);
    AUTO_FREE char *expected =
        rows[i].error_at
            ? mem_printf("the JSON contains more than 50000 values at byte %zu", rows[i].error_at)
            : mem_strdup("");
    assert_string_equal(err.text, expected);
    assert_int_equal(!value, rows[i].error_at > 0);
  }
}

static void test_the_values_of_a_text_are_counted_up_to_one_too_many(void **state) {
  static const struct {
    const char *unit;
    size_t n, values;
  } rows[] = {{"", 0, 1},           {"1,", 1, 3},         {"{\"a,\":[]},", 2, 8},
              {"1,", 49998, 50000}, {"1,", 49999, 50001}, {"1,", 60000, 50001}};
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    AUTO_FREE char *text = mem_alloc(rows[i].n * strlen(rows[i].unit) + 8);
    char *at = stpcpy(text, rows[i].n ? "[" : "");
    for (size_t j = 0; j < rows[i].n; j++) at = stpcpy(at, rows[i].unit);
    strcpy(at, rows[i].n ? "1]" : "1");
    assert_int_equal(json_values(text, strlen(text)), rows[i].values);
  }
}

static void test_brackets_in_strings_are_no_nesting(void **state) {
  char text[400];
  memset(text, '[', sizeof text);
  memcpy(text, "[\"\\\"", 4);
  memcpy(text + sizeof text - 2, "\"]", 2);
  struct err err = {0};
  AUTO_JSON *value = json_parse(text, sizeof text, &err);
  assert_non_null(value);
}

static void *parse_on_small_stack(void *arg) {
  AUTO_FREE char *text = nested(64);
  AUTO_JSON *value = json_parse(text, 128, NULL);
  AUTO_FREE char *written = json_text(value);
  return strlen(written) == 128 ? arg : NULL;
}

// civetweb's worker threads have no more.
static void test_deepest_nesting_fits_a_stack_of_100_KiB(void **state) {
  pthread_attr_t attr;
  pthread_t thread;
  void *result = NULL;
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, 100 * 1024);
  assert_int_equal(pthread_create(&thread, &attr, parse_on_small_stack, &result), 0);
  pthread_join(thread, &result);
  pthread_attr_destroy(&attr);
  assert_non_null(result);
}

static void test_no_prefix_of_a_document_is_read_past_its_end(void **state) {
  static const char whole[] = "{\"a\\\"\":[1,{\"b\":\"\\u0041\\\\\"},99999999999999999999],\"c\":null}";
  struct guarded guarded;
  guarded_init(&guarded);
  for (size_t len = 0; len < sizeof whole - 1; len++) {
    AUTO_JSON *value = json_parse(guarded_copy(&guarded, whole, len), len, NULL);
    assert_null(value);
  }
  guarded_fini(&guarded);
}

// The document of RFC 6901 section 5.
static const char rfc6901[] =
    "{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/b\":1,\"c%d\":2,\"e^f\":3,\"g|h\":4,\"i\\\\j\":5,"
    "\"k\\\"l\":6,\" \":7,\"m~n\":8}";

static const struct {
  const char *document, *pointer, *found; // NULL: nothing there
} places[] = {
    {rfc6901, "", rfc6901},
    {rfc6901, "/foo", "[\"bar\",\"baz\"]"},
    {rfc6901, "/foo/0", "\"bar\""},
    {rfc6901, "/foo/1", "\"baz\""},
    {rfc6901, "/", "0"},
    {rfc6901, "/a~1b", "1"},
    {rfc6901, "/c%d", "2"},
    {rfc6901, "/e^f", "3"},
    {rfc6901, "/g|h", "4"},
    {rfc6901, "/i\\j", "5"},
    {rfc6901, "/k\"l", "6"},
    {rfc6901, "/ ", "7"},
    {rfc6901, "/m~0n", "8"},
    {rfc6901, "/foo/2", NULL},
    {rfc6901, "/foo/-", NULL},
    {rfc6901, "/foo/01", NULL},
    {rfc6901, "/foo/+1", NULL},
    {rfc6901, "/foo/", NULL},
    {rfc6901, "/foo/0/x", NULL},
    {rfc6901, "/foo/99999999999999999999", NULL},
    {rfc6901, "/nothing", NULL},
    {rfc6901, "/fo", NULL},
    {rfc6901, "/fooo", NULL},
    {"{\"a\":{\"b\":{\"c\":[[],[{\"d\":-1.5e3}]]}}}", "/a/b/c/1/0/d", "-1.5e3"},
    {"{\"\\u0065vents\":[{\"id\":1}]}", "/events/0/id", "1"},
    {"{\"\\ub3c4\\uCC29\":true}", "/도착", "true"},
    {"{\"\\ud83d\\ude9a\":true,\"x\":false}", "/🚚", "true"},
    {"{\"a\\n\\t\\/\":true}", "/a\n\t~1", "true"},
    {"{\"a\\u00e9\":1,\"aé!\":2}", "/aé", "1"},
    {"{\"x\":\"}]\\\"{[,:\",\"y\":2}", "/y", "2"},
    {"{\"x\":[\"]\",{\"]\":\"}\"}],\"y\":2}", "/y", "2"},
    {" \n{ \"a\" : [ 1 , { \"b\" : \"x\" } ] , \"c\" : null } \n", "/a/1", "{ \"b\" : \"x\" }"},
    {" \n{ \"a\" : [ 1 , { \"b\" : \"x\" } ] , \"c\" : null } \n", "/c", "null"},
    {" \n{ \"a\" : [ 1 , { \"b\" : \"x\" } ] , \"c\" : null } \n", "",
     "{ \"a\" : [ 1 , { \"b\" : \"x\" } ] , \"c\" : null }"},
    {"[]", "/0", NULL},
    {"[ ]", "/0", NULL},
    {"{}", "/0", NULL},
    {"{ }", "/", NULL},
    {"[[1,2],[3]]", "/1/0", "3"},
    {"[[1],[2,3]]", "/1/-", NULL},
    {"[[1],[2,3]]", "/1/01", NULL},
    {"[1]", "/0", "1"},
    {"{\"0\":\"object\"}", "/0", "\"object\""},
    {"5", "", "5"},
    {"5", "/0", NULL},
    {"\"text\"", "", "\"text\""},
};

// The parsed value and the bytes must be the same thing, for every place.
static void test_pointers_find_the_value_and_its_exact_bytes(void **state) {
  for (size_t i = 0; i < COUNT_OF(places); i++) {
    const char *document = places[i].document, *found = places[i].found;
    struct err err = {0};
    struct json_pointer pointer;
    AUTO_JSON *root = json_parse(document, strlen(document), &err);
    assert_non_null(root);
    assert_true(json_pointer_init(&pointer, places[i].pointer, &err));
    AUTO_FREE char *exact = mem_strdup(document); // no NUL to lean on
    exact = mem_grow(exact, strlen(document), 1);
    json_t *value = json_at(root, &pointer);
    size_t start = 0, len = 0;
    bool spanned = span_at(exact, strlen(document), &pointer, &start, &len) == JSON_FOUND;
    if (!value != !found || spanned != (found != NULL)) print_error("%s %s\n", document, places[i].pointer);
    assert_true(!value == !found);
    assert_int_equal(spanned, found != NULL);
    if (found) {
      assert_int_equal(len, strlen(found));
      assert_memory_equal(document + start, found, len);
      AUTO_JSON *again = json_parse(document + start, len, &err);
      assert_true(json_equal(value, again));
    }
    json_pointer_fini(&pointer);
  }
}

static void test_ill_formed_pointers_are_refused(void **state) {
  static const char *const texts[] = {"a", "a/b", " /a", "/a~", "/a~2", "/~", "/~0~", "#/a"};
  for (size_t i = 0; i < COUNT_OF(texts); i++) {
    struct json_pointer pointer;
    struct err err = {0};
    assert_false(json_pointer_init(&pointer, texts[i], &err));
    assert_non_null(strstr(err.text, texts[i]));
  }
}

static void test_pointer_parts_are_unescaped_in_the_right_order(void **state) {
  struct json_pointer pointer;
  struct err err;
  assert_true(json_pointer_init(&pointer, "/~01/~10//x", &err));
  assert_int_equal(pointer.n_parts, 4);
  assert_string_equal(pointer.parts[0], "~1");
  assert_string_equal(pointer.parts[1], "/0");
  assert_string_equal(pointer.parts[2], "");
  assert_string_equal(pointer.parts[3], "x");
  assert_string_equal(pointer.text, "/~01/~10//x");
  json_pointer_fini(&pointer);
}

static const struct {
  const char *document, *pointer, *after; // NULL: nothing was there
} replacements[] = {
    {"{\"a\":{\"b\":1},\"c\":2}", "/a/b", "{\"a\":{\"b\":\"***\"},\"c\":2}"},
    {"{\"a\":[1,2]}", "/a/1", "{\"a\":[1,\"***\"]}"},
    {"{\"a\":[1,2]}", "/a/2", NULL},
    {"{\"a\":[1,2]}", "/a/-", NULL},
    {"{\"a\":1}", "/b", NULL},
    {"{\"a\":1}", "/a/b", NULL},
    {"{\"a\":1}", "", NULL},
    {"[[1]]", "/0/0", "[[\"***\"]]"},
};

static void test_replacing_changes_what_is_there_and_nothing_else(void **state) {
  for (size_t i = 0; i < COUNT_OF(replacements); i++) {
    const char *document = replacements[i].document, *after = replacements[i].after;
    struct json_pointer pointer;
    AUTO_JSON *root = json_parse(document, strlen(document), NULL);
    assert_true(json_pointer_init(&pointer, replacements[i].pointer, NULL));
    assert_int_equal(json_replace_at(root, &pointer, json_string("***")), after != NULL);
    AUTO_FREE char *text = json_text(root);
    assert_string_equal(text, after ? after : document);
    json_pointer_fini(&pointer);
  }
}

static void test_ids_are_strings_or_integers(void **state) {
  static const struct {
    const char *document, *text;
  } ids[] = {{"\"m-1\"", "m-1"}, {"17", "17"},  {"-9223372036854775808", "-9223372036854775808"},
             {"\"\"", NULL},     {"1.5", NULL}, {"true", NULL},
             {"null", NULL},     {"{}", NULL},  {"[\"a\"]", NULL}};
  for (size_t i = 0; i < COUNT_OF(ids); i++) {
    char buf[24];
    AUTO_JSON *value = json_parse(ids[i].document, strlen(ids[i].document), NULL);
    const char *text = json_scalar_text(value, buf);
    assert_true(!text == !ids[i].text);
    if (text) assert_string_equal(text, ids[i].text);
  }
  assert_null(json_scalar_text(NULL, NULL));
}

static const struct {
  const char *array, *elements[4];
} arrays[] = {
    {"[]", {NULL}},
    {"[ \n]", {NULL}},
    {"[1]", {"1", NULL}},
    {"[ 1 , \"a,]\" ,{\"b\":[2,3]} ] ", {"1", "\"a,]\"", "{\"b\":[2,3]}", NULL}},
    {"[[],[[]],null]", {"[]", "[[]]", "null", NULL}},
    {"{\"a\":1}", {NULL}},
    {"5", {NULL}},
    {"", {NULL}},
};

static void test_array_elements_are_stepped_through_byte_for_byte(void **state) {
  for (size_t i = 0; i < COUNT_OF(arrays); i++) {
    size_t n = 0, start, len;
    const char *cursor = NULL;
    while (span_next(arrays[i].array, strlen(arrays[i].array), &cursor, &start, &len)) {
      assert_non_null(arrays[i].elements[n]);
      assert_int_equal(len, strlen(arrays[i].elements[n]));
      assert_memory_equal(arrays[i].array + start, arrays[i].elements[n], len);
      n++;
    }
    assert_null(arrays[i].elements[n]);
  }
}

// A text that json_parse() never saw is read wrongly, perhaps, but not past its end, and not for ever.
static void test_spans_of_broken_text_stay_inside_it(void **state) {
  static const char whole[] = "[{\"a\\u00e9\":[1,{\"b\":\"\\ud83d\\ude9a\\\"\"}],\"c\":{\"d\":nul}},[2,3]]";
  struct guarded guarded;
  struct json_pointer pointer;
  guarded_init(&guarded);
  assert_true(json_pointer_init(&pointer, "/0/c/d", NULL));
  for (size_t from = 0; from < sizeof whole - 1; from++) {
    for (size_t len = 0; from + len < sizeof whole; len++) {
      const char *exact = guarded_copy(&guarded, whole + from, len);
      size_t start, out_len, steps = 0;
      const char *cursor = NULL;
      if (span_at(exact, len, &pointer, &start, &out_len) == JSON_FOUND) assert_true(start + out_len <= len);
      if (scalar_at(exact, len, &pointer, &start, &out_len)) assert_true(start + out_len <= len);
      size_t n = len + 1;
      if (json_span_count((struct json_span){exact, exact + len}, &n)) assert_true(n <= len);
      while (span_next(exact, len, &cursor, &start, &out_len)) {
        assert_true(start + out_len <= len);
        assert_true(++steps <= len);
      }
    }
  }
  json_pointer_fini(&pointer);
  guarded_fini(&guarded);
}

// Cut by brackets, commas and quotes alone: what is no JSON in a value costs the others nothing.
static void test_a_place_is_found_beside_what_is_no_json(void **state) {
  static const struct {
    const char *text, *pointer;
    enum json_found found;
    const char *value; // of FOUND
  } cases[] = {
      {"{\"a\":\"\\ud800\",\"b\":[1]}", "/b", JSON_FOUND, "[1]"},
      {"{\"a\":\"\\u0000\",\"a\":nul,\"b\":01}", "/b", JSON_FOUND, "01"},
      {"{\"a\":{\"x\":1,\"x\":2},\"b\":{\"x\":\xff}}", "/b", JSON_FOUND, "{\"x\":\xff}"},
      {"{\"\\ud83d\":1,\"b\":2}", "/b", JSON_FOUND, "2"},
      {"[{\"b\":\"\n\"},{]}", "/0/b", JSON_BROKEN, NULL},
      {"[\"\\ud800\",{\"b\":2}]", "/1/b", JSON_FOUND, "2"},
      {"{\"a\":\"\\ud800\"}", "/b", JSON_ABSENT, NULL},
      {"{\"a\":5}", "/a/b", JSON_ABSENT, NULL},
      {"[1]", "/1", JSON_ABSENT, NULL},
      {"{\"b\":1,\"b\":2}", "/b", JSON_BROKEN, NULL},
      {"{\"b\":1,\"\\u0062\":2}", "/b", JSON_BROKEN, NULL},
      {"{\"b\":1", "/b", JSON_BROKEN, NULL},
      {"{\"b\":1]", "/b", JSON_BROKEN, NULL},
      {"{\"b\":1}x", "/b", JSON_BROKEN, NULL},
      {"{\"b\":1,}", "/b", JSON_BROKEN, NULL},
      {"{\"b\":,\"c\":1}", "/c", JSON_BROKEN, NULL},
      {"{\"b\" 1}", "/b", JSON_BROKEN, NULL},
      {"{b:1}", "/b", JSON_BROKEN, NULL},
      {"[1,,2]", "/2", JSON_BROKEN, NULL},
      {"[1 2]", "/0", JSON_BROKEN, NULL},
      {"[", "/0", JSON_BROKEN, NULL},
      {"{\"", "/b", JSON_BROKEN, NULL},
      {"{}", "/b", JSON_ABSENT, NULL},
      {"{ }", "/b", JSON_ABSENT, NULL},
      {"{", "/b", JSON_BROKEN, NULL},
      {"{\"b\":1,", "/b", JSON_BROKEN, NULL},
      {"{\"b\"", "/b", JSON_BROKEN, NULL},
      {"{\"b\":", "/b", JSON_BROKEN, NULL},
      {"[0,1,2,3,4,5,6,7,8,9]", "/9", JSON_FOUND, "9"},
      {"", "", JSON_BROKEN, NULL},
      {" ", "", JSON_BROKEN, NULL},
  };
  struct guarded guarded;
  guarded_init(&guarded);
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct json_pointer pointer;
    size_t start, len, n = strlen(cases[i].text);
    assert_true(json_pointer_init(&pointer, cases[i].pointer, NULL));
    enum json_found found = span_at(guarded_copy(&guarded, cases[i].text, n), n, &pointer, &start, &len);
    if (found != cases[i].found) fail_msg("%s: %d", cases[i].text, found);
    if (found == JSON_FOUND) {
      assert_int_equal(len, strlen(cases[i].value));
      assert_memory_equal(cases[i].text + start, cases[i].value, len);
    }
    json_pointer_fini(&pointer);
  }
  guarded_fini(&guarded);
}

static void test_a_scalar_is_found_in_what_is_no_json(void **state) {
  static const struct {
    const char *text, *pointer, *value; // NULL: none
  } cases[] = {
      {"{\"k\":\"x\"}", "/k", "\"x\""},
      {"{\"k\":17}", "/k", "17"},
      {"{\"k\":99999999999999999999}", "/k", "99999999999999999999"},
      {"{\"k\":\"\\ud83d\\ude9a\"}", "/k", "\"\\ud83d\\ude9a\""},
      {"{\"k\":true}", "/k", NULL},
      {"{\"k\":null}", "/k", NULL},
      {"{\"k\":{}}", "/k", NULL},
      {"{\"k\":01}", "/k", NULL},
      {"{\"k\":\"\\ud83d\"}", "/k", NULL},
      // what can be read is not searched: it is not there
      {"{\"a\":{\"k\":\"x\"}}", "/k", NULL},
      {"{\"t\":\"\\\"k\\\":\\\"x\\\"\"}", "/k", NULL},
      // cut off
      {"{\"k\":\"x\",\"t\":\"abc", "/k", "\"x\""},
      {"{\"t\":{\"a\":[1,2],\"k\":\"x\"", "/k", "\"x\""},
      {"{\"k\":17,", "/k", "17"},
      {"{\"k\":17", "/k", NULL},
      {"{\"k\":\"x", "/k", NULL},
      {"{\"k\":", "/k", NULL},
      {"{\"k\"", "/k", NULL},
      // a quote too many, a name twice, something behind it
      {"{\"t\":\"he said \"no\"\",\"k\":\"x\"}", "/k", "\"x\""},
      {"{\"t\":\"5\" wide\",\"k\":\"x\"}", "/k", "\"x\""},
      {"{\"k\":\"x\",\"k\":\"x\"}", "/k", "\"x\""},
      {"{\"k\":\"\\ud800\",\"k\":\"y\"}", "/k", "\"y\""},
      {"{\"k\":\"x\"}}", "/k", "\"x\""},
      {"x {\"k\" :\n \"x\"}", "/k", "\"x\""},
      {"{\"t\":\"\\\"k\\\":\\\"x\\\"\"", "/k", NULL},
      // every name on the way
      {"{\"k\":\"a\",\"p\":{\"k\":\"x\",", "/p/k", "\"x\""},
      {"{\"k\":\"a\",\"q\":{\"k\":\"x\",", "/p/k", NULL},
      {"not json", "/k", NULL},
      {"\"k\":", "/k", NULL},
      {"", "/k", NULL},
      {"{", "", NULL},
      {"{} x", "", NULL},
      // no colon, a name inside a text, an empty name
      {"{\"k\"; \"x\"", "/k", NULL},
      {"{\"t\":\"he said \\\"k\":\"x\"", "/k", NULL},
      {"\"k\":\"x\",", "/k", "\"x\""},
      {"{\"\":{},\"\":\"x\"", "/", "\"x\""},
  };
  struct guarded guarded;
  guarded_init(&guarded);
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct json_pointer pointer;
    size_t start = 0, len = 0, n = strlen(cases[i].text);
    assert_true(json_pointer_init(&pointer, cases[i].pointer, NULL));
    const char *exact = guarded_copy(&guarded, cases[i].text, n);
    bool found = scalar_at(exact, n, &pointer, &start, &len);
    if (found != (cases[i].value != NULL)) fail_msg("%s: %d", cases[i].text, found);
    if (found && (len != strlen(cases[i].value) || memcmp(exact + start, cases[i].value, len) != 0))
      fail_msg("%s: %.*s", cases[i].text, (int)len, exact + start);
    json_pointer_fini(&pointer);
  }
  guarded_fini(&guarded);
}

// Names that begin values which never end: each byte is looked at a bounded number of times.
static void test_the_search_is_linear_whatever_the_text(void **state) {
  static const char *const units[] = {"\"k\":1",    "\"k\":\"", "\"k\"",  "\"k\":[",
                                      "\"k\":\"\\", "\"",       "{\"k\":"};
  enum { BYTES = 1024 * 1024 };
  struct json_pointer pointer;
  AUTO_FREE char *text = mem_alloc(BYTES + 16);
  assert_true(json_pointer_init(&pointer, "/k", NULL));
  for (size_t i = 0; i < COUNT_OF(units); i++) {
    size_t start, len, n = 0;
    while (n < BYTES) n = (size_t)(stpcpy(text + n, units[i]) - text);
    struct timespec from, to;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
    bool found = scalar_at(text, n, &pointer, &start, &len);
    if (found) assert_true(start + len <= n);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
    assert_in_range(to.tv_sec - from.tv_sec, 0, 2);
  }
  json_pointer_fini(&pointer);
}

static void test_a_string_of_escapes_is_skipped_in_linear_time(void **state) {
  enum { BYTES = 1024 * 1024 };
  AUTO_FREE char *text = mem_alloc(BYTES);
  memset(text, '\\', BYTES);
  memcpy(text, "[\"", 2);
  memcpy(text + BYTES - 2, "\"]", 2);
  struct timespec from, to;
  size_t n;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
  assert_true(json_span_count((struct json_span){text, text + BYTES}, &n));
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
  assert_int_equal(n, 1);
  assert_in_range(to.tv_sec - from.tv_sec, 0, 2);
}

static void test_a_byte_order_mark_at_the_start_is_left_out(void **state) {
  static const struct {
    const char *text, *without;
  } cases[] = {{"\xef\xbb\xbf{}", "{}"},
               {"\xef\xbb\xbf", ""},
               {"{}", "{}"},
               {"\xef\xbb", "\xef\xbb"},
               {"", ""},
               {" \xef\xbb\xbf", " \xef\xbb\xbf"}};
  struct guarded guarded;
  guarded_init(&guarded);
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    size_t len = strlen(cases[i].text);
    struct json_span span = json_without_mark(guarded_copy(&guarded, cases[i].text, len), len);
    assert_int_equal(span.to - span.from, strlen(cases[i].without));
    assert_memory_equal(span.from, cases[i].without, strlen(cases[i].without));
  }
  guarded_fini(&guarded);
}

static void test_arrays_are_counted_only_when_they_can_be_stepped_through(void **state) {
  static const struct {
    const char *array;
    int n; // -1: it is none
  } cases[] = {{"[]", 0},
               {"[ ]", 0},
               {"[1]", 1},
               {"[ 1 , [2,3] , \"\\ud800\" ]", 3},
               {"[{\"a\":nul},1]", 2},
               {"[1,]", -1},
               {"[,1]", -1},
               {"[1 2]", -1},
               {"[1", -1},
               {"[", -1},
               {"", -1},
               {"{}", -1},
               {"x]", -1},
               {"]", -1},
               {"[1}", -1}};
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    size_t n = 0;
    bool counted =
        json_span_count((struct json_span){cases[i].array, cases[i].array + strlen(cases[i].array)}, &n);
    if (counted != (cases[i].n >= 0)) fail_msg("%s: %d", cases[i].array, counted);
    if (counted) assert_int_equal(n, cases[i].n);
  }
}

static void test_a_nul_byte_is_refused_wherever_it_stands(void **state) {
  static const char text[] = "{\"a\":[\"b\",17]}";
  for (size_t at = 0; at <= strlen(text); at++) {
    struct err err;
    AUTO_FREE char *copy = mem_alloc(sizeof text);
    memcpy(copy, text, at); // the NUL that was there stays
    memcpy(copy + at + 1, text + at, strlen(text) - at);
    assert_null(json_parse(copy, sizeof text, &err));
    assert_true(*err.text);
  }
  struct err err;
  assert_null(json_parse("17\0", 3, &err));
  assert_string_equal(err.text, "not JSON: a NUL byte at byte 2");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_what_is_json_is_read),
      cmocka_unit_test(test_huge_numbers_become_strings_and_nothing_else_changes),
      cmocka_unit_test(test_digits_and_exponent_together_make_a_number_huge),
      cmocka_unit_test(test_a_huge_number_may_end_the_text),
      cmocka_unit_test(test_every_text_is_what_jansson_makes_of_it),
      cmocka_unit_test(test_objects_arrays_and_plain_strings_are_read_without_jansson),
      cmocka_unit_test(test_only_a_number_too_large_is_written_otherwise),
      cmocka_unit_test(test_values_are_placed_in_the_block_while_there_is_room),
      cmocka_unit_test(test_the_whole_block_can_be_used),
      cmocka_unit_test(test_a_value_right_behind_the_block_is_given_back),
      cmocka_unit_test(test_values_outside_of_a_block_are_given_back),
      cmocka_unit_test(test_what_is_not_is_refused_with_cause_and_place_but_no_content),
      cmocka_unit_test(test_nesting_is_bounded_before_it_can_hurt),
      cmocka_unit_test(test_values_are_counted_before_they_can_hurt),
      cmocka_unit_test(test_the_values_of_a_text_are_counted_up_to_one_too_many),
      cmocka_unit_test(test_brackets_in_strings_are_no_nesting),
      cmocka_unit_test(test_deepest_nesting_fits_a_stack_of_100_KiB),
      cmocka_unit_test(test_no_prefix_of_a_document_is_read_past_its_end),
      cmocka_unit_test(test_pointers_find_the_value_and_its_exact_bytes),
      cmocka_unit_test(test_ill_formed_pointers_are_refused),
      cmocka_unit_test(test_pointer_parts_are_unescaped_in_the_right_order),
      cmocka_unit_test(test_replacing_changes_what_is_there_and_nothing_else),
      cmocka_unit_test(test_ids_are_strings_or_integers),
      cmocka_unit_test(test_array_elements_are_stepped_through_byte_for_byte),
      cmocka_unit_test(test_spans_of_broken_text_stay_inside_it),
      cmocka_unit_test(test_a_nul_byte_is_refused_wherever_it_stands),
      cmocka_unit_test(test_a_place_is_found_beside_what_is_no_json),
      cmocka_unit_test(test_a_scalar_is_found_in_what_is_no_json),
      cmocka_unit_test(test_the_search_is_linear_whatever_the_text),
      cmocka_unit_test(test_a_string_of_escapes_is_skipped_in_linear_time),
      cmocka_unit_test(test_a_byte_order_mark_at_the_start_is_left_out),
      cmocka_unit_test(test_arrays_are_counted_only_when_they_can_be_stepped_through),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
