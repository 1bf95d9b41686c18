// SPDX-License-Identifier: MIT
#include "common/base/mem.h"
#include "ingress/sender/network.h"
#include "tests/unit/support/faults.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static bool load(const char *text, struct networks *out, struct err *err) {
  json_t *texts = json_pack("[s]", text);
  struct faults faults = {0};
  *out = (struct networks){0};
  networks_load(out, texts, &faults);
  bool good = faults.n == 0;
  faults_first(&faults, err);
  json_decref(texts);
  return good;
}

static const struct {
  const char *network, *address;
  bool held;
} members[] = {
    {"10.0.0.0/8", "10.0.0.0", true},
    {"10.0.0.0/8", "10.255.255.255", true},
    {"10.0.0.0/8", "11.0.0.0", false},
    {"10.0.0.0/8", "9.255.255.255", false},
    {"10.0.0.0/8", "::ffff:10.1.2.3", true},
    {"10.0.0.0/8", "::ffff:0a01:0203", true},
    {"10.0.0.0/8", "::10.1.2.3", false},
    {"10.0.0.0/8", "a00::", false},
    {"10.0.0.1", "10.0.0.1", true},
    {"10.0.0.1", "10.0.0.2", false},
    {"10.0.0.1/32", "10.0.0.1", true},
    {"10.0.0.0/31", "10.0.0.1", true},
    {"10.0.0.0/31", "10.0.0.2", false},
    {"192.168.128.0/17", "192.168.255.1", true},
    {"192.168.128.0/17", "192.168.127.255", false},
    {"172.16.0.0/12", "172.31.255.255", true},
    {"172.16.0.0/12", "172.32.0.0", false},
    {"0.0.0.0/0", "8.8.8.8", true},
    {"0.0.0.0/0", "::1", false},
    {"0.0.0.0/0", "2001:db8::1", false},
    {"::/0", "2001:db8::1", true},
    {"::/0", "8.8.8.8", false},
    {"::/0", "::ffff:8.8.8.8", false},
    {"::ffff:10.0.0.0/104", "10.9.9.9", true},
    {"::ffff:10.0.0.0/104", "11.9.9.9", false},
    {"::ffff:0:0/96", "1.2.3.4", true},
    {"::ffff:10.0.0.1", "10.0.0.1", true},
    {"2001:db8::/32", "2001:db8:ffff::1", true},
    {"2001:db8::/32", "2001:db9::1", false},
    {"2001:db8::/33", "2001:db8:7fff::1", true},
    {"2001:db8::/33", "2001:db8:8000::1", false},
    {"2001:DB8::1", "2001:db8:0:0:0:0:0:1", true},
    {"2001:db8::1/128", "2001:db8::2", false},
    {"::1", "::1", true},
    {"::1", "127.0.0.1", false},
    {"fe80::/10", "febf::1", true},
    {"fe80::/10", "fec0::1", false},
    {"::/1", "7fff::", true},
    {"::/1", "8000::", false},
    {"::/80", "1.2.3.4", false},
};

static void test_membership(void **state) {
  for (size_t i = 0; i < COUNT_OF(members); i++) {
    struct networks networks;
    struct address address;
    struct err err = {.text = "address"};
    if (!load(members[i].network, &networks, &err) ||
        !address_parse(members[i].address, strlen(members[i].address), &address))
      fail_msg("%s, %s: %s", members[i].network, members[i].address, err.text);
    if (networks_hold(&networks, &address) != members[i].held)
      fail_msg("%s in %s", members[i].address, members[i].network);
    networks_fini(&networks);
  }
}

static void test_what_is_no_network_is_refused(void **state) {
  static const char *const bad[] = {
      "",           "10.0.0.0/33",  "10.0.0.0/",    "10.0.0.0/08", "10.0.0.0/-1", "10.0.0.0/8x",
      "10.0.0.1/8", "10.0.0.0/8/8", "10.0.0",       "10.0.0.256",  "010.0.0.1",   "/8",
      "::/129",     "::1/64",       "2001:db8:::1", "fe80::1%lo",  "[::1]",       "10.0.0.0/255.0.0.0",
      "0.0.0.1/0",  "all",          " 10.0.0.1",    "10.0.0.1 ",   "10.0.0.1:80", "::ffff:10.0.0.0/95",
      "::1/",       "::1/x",        "::1/0128",     "::1/-0",
  };
  for (size_t i = 0; i < COUNT_OF(bad); i++) {
    struct networks networks;
    struct err err;
    if (load(bad[i], &networks, &err)) fail_msg("%s", bad[i]);
    assert_memory_equal(err.text, "/0: expected ", 13);
    networks_fini(&networks);
  }
}

static void test_none_hold_nobody(void **state) {
  struct networks none = {0};
  struct address address;
  networks_load(&none, NULL, NULL);
  assert_true(address_parse("10.0.0.1", 8, &address));
  assert_false(networks_hold(&none, &address));
  networks_fini(&none);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_membership),
      cmocka_unit_test(test_what_is_no_network_is_refused),
      cmocka_unit_test(test_none_hold_nobody),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
