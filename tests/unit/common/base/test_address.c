// SPDX-License-Identifier: MIT
#include "common/base/address.h"
#include "common/base/mem.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_text_and_back(void **state) {
  static const char *const rows[][2] = {
      {"10.0.0.1", "10.0.0.1"},
      {"::ffff:10.0.0.1", "10.0.0.1"},
      {"2001:DB8:0::1", "2001:db8::1"},
      {"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
  };
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    struct address address;
    char text[ADDRESS_TEXT_SIZE];
    assert_true(address_parse(rows[i][0], strlen(rows[i][0]), &address));
    address_text(&address, text);
    assert_string_equal(text, rows[i][1]);
  }
  struct address address;
  assert_false(address_parse("10.0.0.1\0", 9, &address));
  static char longest[100];
  memset(longest, '1', sizeof longest);
  assert_false(address_parse(longest, sizeof longest, &address));
}

static void test_inner_networks_by_their_borders(void **state) {
  static const struct {
    const char *text;
    bool inner;
  } rows[] = {
      {"10.0.0.0", true},    {"9.255.255.255", false}, {"11.0.0.0", false},
      {"172.16.0.0", true},  {"172.31.255.255", true}, {"172.15.0.1", false},
      {"172.32.0.1", false}, {"192.168.7.1", true},    {"192.167.7.1", false},
      {"127.0.0.1", true},   {"169.254.1.1", true},    {"169.253.1.1", false},
      {"100.64.0.1", true},  {"100.127.9.9", true},    {"100.128.0.1", false},
      {"100.63.0.1", false}, {"203.0.113.7", false},   {"::1", true},
      {"::2", false},        {"fc00::1", true},        {"fdff::1", true},
      {"fe00::1", false},    {"fe80::1", true},        {"febf::1", true},
      {"fec0::1", false},    {"2001:db8::1", false},   {"::ffff:10.0.0.1", true},
      {"a00::1", false},
  };
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    struct address address;
    assert_true(address_parse(rows[i].text, strlen(rows[i].text), &address));
    if (address_is_inner(&address) != rows[i].inner) fail_msg("%s", rows[i].text);
  }
}

enum { REFUSED = -2, NONE = ADDRESS_NO_PORT };

static const struct {
  const char *text, *address;
  int port;
} ports[] = {
    {"10.0.0.1", "10.0.0.1", NONE},
    {"10.0.0.1:443", "10.0.0.1", 443},
    {"10.0.0.1:0", "10.0.0.1", 0},
    {"10.0.0.1:65535", "10.0.0.1", 65535},
    {"::1", "::1", NONE},
    {"[::1]", "::1", NONE},
    {"[::1]:80", "::1", 80},
    {"::ffff:10.0.0.1", "10.0.0.1", NONE},
    {"[::ffff:10.0.0.1]:80", "10.0.0.1", 80},
    {"", NULL, REFUSED},
    {":80", NULL, REFUSED},
    {"80", NULL, REFUSED},
    {"10.0.0.1:", NULL, REFUSED},
    {"10.0.0.1:x", NULL, REFUSED},
    {"10.0.0.1:65536", NULL, REFUSED},
    {"10.0.0.1:123456", NULL, REFUSED},
    {"10.0.0.1:99999999999", NULL, REFUSED},
    {"10.0.0.1:-1", NULL, REFUSED},
    {"10.0.0.1:1:2", NULL, REFUSED},
    {"10.0.0.1 :80", NULL, REFUSED},
    {"10.0.0.01", NULL, REFUSED},
    {"[10.0.0.1]", NULL, REFUSED},
    {"[::1", NULL, REFUSED},
    {"[::1]80", NULL, REFUSED},
    {"[::1]:", NULL, REFUSED},
    {"[]", NULL, REFUSED},
    {"[", NULL, REFUSED},
    {"]", NULL, REFUSED},
    {"fe80::1%eth0", NULL, REFUSED},
    {"localhost:80", NULL, REFUSED},
};

static void test_an_address_may_carry_a_port(void **state) {
  for (size_t i = 0; i < COUNT_OF(ports); i++) {
    struct address address;
    char text[ADDRESS_TEXT_SIZE] = "";
    int port = REFUSED;
    bool good = address_port_parse(ports[i].text, strlen(ports[i].text), &address, &port);
    if (good != (ports[i].address != NULL)) fail_msg("%s", ports[i].text);
    if (!good) continue;
    address_text(&address, text);
    assert_string_equal(text, ports[i].address);
    assert_int_equal(port, ports[i].port);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_text_and_back),
      cmocka_unit_test(test_inner_networks_by_their_borders),
      cmocka_unit_test(test_an_address_may_carry_a_port),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
