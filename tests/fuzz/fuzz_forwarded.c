// SPDX-License-Identifier: MIT
// X-Forwarded-For behind a trusted proxy, as up to three headers. What is taken for the client stands in the
// list, or is the proxy itself.
#include "ingress/sender/forwarded.h"
#include "tests/fuzz/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
  struct network proxy = {.prefix = 104};
  if (!address_parse("10.0.0.0", 8, &proxy.address)) abort();
  struct networks trusted = {&proxy, 1};
  struct input input = input_open(bytes, len);
  struct mg_request_info info = {.remote_addr = "10.0.0.1"};
  struct request req = {.info = &info};
  for (int i = 0; i < 3; i++)
    info.http_headers[i] = (struct mg_header){"X-Forwarded-For", input_line(&input)};
  for (; info.num_headers <= 3; info.num_headers++) {
    struct address client, again;
    char text[ADDRESS_TEXT_SIZE], fault[FORWARDED_FAULT_SIZE] = "";
    if (!forwarded_client(&req, &trusted, &client, fault)) {
      if (strlen(fault) == 0 || strlen(fault) >= sizeof fault - 1) abort();
      for (const char *c = fault; *c; c++)
        if (*c < ' ' || *c > '~') abort();
      continue;
    }
    address_text(&client, text);
    if (!address_parse(text, strlen(text), &again) || memcmp(&client, &again, sizeof client) != 0) abort();
    if (info.num_headers == 0 && strcmp(text, "10.0.0.1") != 0) abort();
  }
  free(input.text);
  return 0;
}
