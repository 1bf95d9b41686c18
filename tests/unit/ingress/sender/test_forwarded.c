// SPDX-License-Identifier: MIT
#include "common/base/mem.h"
#include "ingress/sender/endpoints.h"
#include "ingress/sender/forwarded.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

// Trusted are 10.0.0.0/8 and fd00::/8. NULL as client: refused.
static const struct {
  const char *peer, *first, *second, *client;
} rows[] = {
    // an untrusted peer is the sender
    {"192.0.2.1", NULL, NULL, "192.0.2.1"},
    {"192.0.2.1", "203.0.113.7", NULL, "192.0.2.1"},
    {"192.0.2.1", "10.0.0.1", NULL, "192.0.2.1"},
    {"192.0.2.1", "nonsense", NULL, "192.0.2.1"},
    {"2001:db8::9", "203.0.113.7", NULL, "2001:db8::9"},
    {"::ffff:192.0.2.1", "203.0.113.7", NULL, "192.0.2.1"},
    // a trusted proxy names the sender
    {"10.0.0.1", NULL, NULL, "10.0.0.1"},
    {"10.0.0.1", "203.0.113.7", NULL, "203.0.113.7"},
    {"::ffff:10.0.0.1", "203.0.113.7", NULL, "203.0.113.7"},
    {"fd00::1", "203.0.113.7", NULL, "203.0.113.7"},
    {"10.0.0.1", "2001:db8::7", NULL, "2001:db8::7"},
    {"10.0.0.1", "[2001:db8::7]", NULL, "2001:db8::7"},
    {"10.0.0.1", "[2001:db8::7]:443", NULL, "2001:db8::7"},
    {"10.0.0.1", "203.0.113.7:61234", NULL, "203.0.113.7"},
    {"10.0.0.1", "::ffff:203.0.113.7", NULL, "203.0.113.7"},
    {"10.0.0.1", " \t203.0.113.7 \t", NULL, "203.0.113.7"},
    // the rightmost that is no proxy
    {"10.0.0.1", "198.51.100.1, 203.0.113.7", NULL, "203.0.113.7"},
    {"10.0.0.1", "198.51.100.1,203.0.113.7,10.0.0.2", NULL, "203.0.113.7"},
    {"10.0.0.1", "198.51.100.1, 203.0.113.7, 10.0.0.2, 10.0.0.3", NULL, "203.0.113.7"},
    {"10.0.0.1", "198.51.100.1, 10.0.0.2, 203.0.113.7", NULL, "203.0.113.7"},
    {"10.0.0.1", "10.0.0.9, 203.0.113.7, 10.0.0.2", NULL, "203.0.113.7"},
    {"10.0.0.1", "203.0.113.7, fd00::2, ::ffff:10.0.0.2", NULL, "203.0.113.7"},
    {"10.0.0.1", "198.51.100.1, 198.51.100.1", NULL, "198.51.100.1"},
    {"10.0.0.1", "127.0.0.1, 203.0.113.7", NULL, "203.0.113.7"},
    {"10.0.0.1", "203.0.113.7, 127.0.0.1", NULL, "127.0.0.1"},
    // nothing but proxies: the leftmost
    {"10.0.0.1", "10.0.0.2", NULL, "10.0.0.2"},
    {"10.0.0.1", "10.0.0.4, 10.0.0.3, 10.0.0.2", NULL, "10.0.0.4"},
    {"10.0.0.1", "10.0.0.4", "10.0.0.3", "10.0.0.4"},
    // several headers are one list
    {"10.0.0.1", "198.51.100.1", "203.0.113.7", "203.0.113.7"},
    {"10.0.0.1", "203.0.113.7", "10.0.0.2", "203.0.113.7"},
    {"10.0.0.1", "198.51.100.1, 203.0.113.7", "10.0.0.3, 10.0.0.2", "203.0.113.7"},
    {"10.0.0.1", "198.51.100.1", "x", NULL},
    {"10.0.0.1", "x", "198.51.100.1", "198.51.100.1"},
    {"10.0.0.1", "x", "10.0.0.2", NULL},
    {"10.0.0.1", "", "198.51.100.1", "198.51.100.1"},
    {"10.0.0.1", "198.51.100.1", "", NULL},
    // what stands left of the deciding address does not matter
    {"10.0.0.1", "unknown, 203.0.113.7", NULL, "203.0.113.7"},
    {"10.0.0.1", "_hidden, 203.0.113.7", NULL, "203.0.113.7"},
    {"10.0.0.1", "unknown, 203.0.113.7, 10.0.0.2", NULL, "203.0.113.7"},
    {"10.0.0.1", ",203.0.113.7", NULL, "203.0.113.7"},
    {"10.0.0.1", ", ,,203.0.113.7", NULL, "203.0.113.7"},
    {"10.0.0.1", "for=203.0.113.9;proto=https, 203.0.113.7", NULL, "203.0.113.7"},
    {"10.0.0.1", "203.0.113.9:x, 203.0.113.7", NULL, "203.0.113.7"},
    {"10.0.0.1", "fe80::1%eth0, [2001:db8::7]:443", NULL, "2001:db8::7"},
    {"10.0.0.1", "\x01\xff\"'<>, 203.0.113.7", NULL, "203.0.113.7"},
    {"10.0.0.1", "unknown", "203.0.113.7", "203.0.113.7"},
    // but where it has to be read, it fails
    {"10.0.0.1", "203.0.113.7, unknown, 10.0.0.2", NULL, NULL},
    {"10.0.0.1", "unknown, 10.0.0.3, 10.0.0.2", NULL, NULL},
    // malformed
    {"10.0.0.1", "", NULL, NULL},
    {"10.0.0.1", " ", NULL, NULL},
    {"10.0.0.1", ",", NULL, NULL},
    {"10.0.0.1", "203.0.113.7,", NULL, NULL},
    {"10.0.0.1", "203.0.113.7,,10.0.0.2", NULL, NULL},
    {"10.0.0.1", "unknown", NULL, NULL},
    {"10.0.0.1", "_hidden", NULL, NULL},
    {"10.0.0.1", "203.0.113.7, unknown", NULL, NULL},
    {"10.0.0.1", "203.0.113", NULL, NULL},
    {"10.0.0.1", "203.0.113.256", NULL, NULL},
    {"10.0.0.1", "203.0.113.07", NULL, NULL},
    {"10.0.0.1", "203.0.113.7:", NULL, NULL},
    {"10.0.0.1", "203.0.113.7:x", NULL, NULL},
    {"10.0.0.1", "203.0.113.7:_p1", NULL, NULL},
    {"10.0.0.1", "203.0.113.7:65536", NULL, NULL},
    {"10.0.0.1", "203.0.113.7:123456", NULL, NULL},
    {"10.0.0.1", "203.0.113.7:1:2", NULL, NULL},
    {"10.0.0.1", "203.0.113.7 198.51.100.1", NULL, NULL},
    {"10.0.0.1", "203.0.113.7; 198.51.100.1", NULL, NULL},
    {"10.0.0.1", "\"203.0.113.7\"", NULL, NULL},
    {"10.0.0.1", "for=203.0.113.7", NULL, NULL},
    {"10.0.0.1", "[203.0.113.7]", NULL, NULL},
    {"10.0.0.1", "[2001:db8::7", NULL, NULL},
    {"10.0.0.1", "[2001:db8::7]x", NULL, NULL},
    {"10.0.0.1", "[2001:db8::7]:", NULL, NULL},
    {"10.0.0.1", "[]", NULL, NULL},
    {"10.0.0.1", "[", NULL, NULL},
    {"10.0.0.1", "]", NULL, NULL},
    {"10.0.0.1", "fe80::1%eth0", NULL, NULL},
    {"10.0.0.1", "203.0.113.7/32", NULL, NULL},
    {"10.0.0.1", "0x7f.0.0.1", NULL, NULL},
    {"10.0.0.1", "2130706433", NULL, NULL},
    // a peer without an address
    {"", NULL, NULL, NULL},
    {"unix:", "203.0.113.7", NULL, NULL},
};

static struct networks trusted;

static bool find_client(const char *peer, const struct networks *believed, const struct mg_header *headers,
                        size_t n, struct address *client, char *fault) {
  struct mg_request_info info = {.num_headers = (int)n};
  struct request req = {.info = &info};
  strcpy(info.remote_addr, peer);
  memcpy(info.http_headers, headers, n * sizeof *headers);
  return forwarded_client(&req, believed, client, fault);
}

static bool client_of(const char *peer, const char *first, const char *second,
                      const struct networks *believed, char text[ADDRESS_TEXT_SIZE]) {
  struct mg_header headers[] = {{"Host", "x"}, {"X-Forwarded-For", first}, {"x-forwarded-FOR", second}};
  struct address client;
  if (!find_client(peer, believed, headers, 1 + !!first + !!second, &client, NULL)) return false;
  address_text(&client, text);
  return true;
}

static void test_the_client_is_the_rightmost_untrusted_address(void **state) {
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    char text[ADDRESS_TEXT_SIZE] = "refused";
    bool good = client_of(rows[i].peer, rows[i].first, rows[i].second, &trusted, text);
    const char *expected = rows[i].client ? rows[i].client : "refused";
    if (good != (rows[i].client != NULL) || strcmp(text, expected) != 0)
      fail_msg("row %zu, %s: expected %s, got %s", i, rows[i].first ? rows[i].first : "no header", expected,
               text);
  }
}

static void test_without_proxies_nobody_is_believed(void **state) {
  char text[ADDRESS_TEXT_SIZE];
  struct networks none = {0};
  assert_true(client_of("10.0.0.1", "203.0.113.7", NULL, &none, text));
  assert_string_equal(text, "10.0.0.1");
}

static void test_a_list_of_proxies_is_bounded_and_what_the_sender_wrote_is_not(void **state) {
  char text[ADDRESS_TEXT_SIZE], list[8192] = "10.0.0.2";
  for (int i = 1; i < 32; i++) strcat(list, ",10.0.0.2");
  assert_true(client_of("10.0.0.1", list, NULL, &trusted, text));
  assert_false(client_of("10.0.0.1", list, "10.0.0.2", &trusted, text));
  assert_true(client_of("10.0.0.1", list, "10.0.0.2, 203.0.113.7", &trusted, text));
  memset(list, 'x', 8000);
  strcpy(list + 8000, ", 203.0.113.7");
  assert_true(client_of("10.0.0.1", list, NULL, &trusted, text));
  assert_string_equal(text, "203.0.113.7");
}

static const struct {
  const char *peer, *list, *fault;
} faults[] = {
    {"10.0.0.1", "203.0.113.7, unknown", "an entry of X-Forwarded-For is no address: \"unknown\""},
    {"10.0.0.1", "203.0.113.7,", "an entry of X-Forwarded-For is no address: \"\""},
    {"10.0.0.1", "a\x1b[2Jb\xff", "an entry of X-Forwarded-For is no address: \"a?[2Jb?\""},
    {"10.0.0.1", "0123456789012345678901234567890123456789012345678901234567890123456789",
     "an entry of X-Forwarded-For is no address: \"012345678901234567890123456789012345678901234567...\""},
    {"10.0.0.1", "~ a!", "an entry of X-Forwarded-For is no address: \"~ a!\""},
    {"10.0.0.1", "\x1f\x7f", "an entry of X-Forwarded-For is no address: \"??\""},
    {"unix:", "203.0.113.7", "the connection has no remote address: \"unix:\""},
};

static void test_an_unreadable_address_is_reported_with_what_was_read(void **state) {
  for (size_t i = 0; i < COUNT_OF(faults); i++) {
    struct mg_header header = {"X-Forwarded-For", faults[i].list};
    struct address client;
    char fault[FORWARDED_FAULT_SIZE];
    assert_false(find_client(faults[i].peer, &trusted, &header, 1, &client, fault));
    assert_string_equal(fault, faults[i].fault);
  }
}

int main(void) {
  json_t *texts = json_pack("[s,s]", "10.0.0.0/8", "fd00::/8");
  networks_load(&trusted, texts, NULL);
  json_decref(texts);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_client_is_the_rightmost_untrusted_address),
      cmocka_unit_test(test_without_proxies_nobody_is_believed),
      cmocka_unit_test(test_a_list_of_proxies_is_bounded_and_what_the_sender_wrote_is_not),
      cmocka_unit_test(test_an_unreadable_address_is_reported_with_what_was_read),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  networks_fini(&trusted);
  return failed;
}
