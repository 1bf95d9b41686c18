// SPDX-License-Identifier: MIT
#include "common/ops/http.h"

#include "common/base/mem.h"
#include "common/json/json.h"

const char *http_status_text(int status) {
  switch (status) {
  case 200:
    return "OK";
  case 202:
    return "Accepted";
  case 204:
    return "No Content";
  case 400:
    return "Bad Request";
  case 401:
    return "Unauthorized";
  case 403:
    return "Forbidden";
  case 404:
    return "Not Found";
  case 405:
    return "Method Not Allowed";
  case 413:
    return "Content Too Large";
  case 414:
    return "URI Too Long";
  case 415:
    return "Unsupported Media Type";
  case 417:
    return "Expectation Failed";
  case 431:
    return "Request Header Fields Too Large";
  case 500:
    return "Internal Server Error";
  case 503:
    return "Service Unavailable";
  case 505:
    return "HTTP Version Not Supported";
  }
  return "Status";
}

char *http_error_body(const char *code, const char *message) {
  AUTO_JSON *body = json_pack("{s:{s:s,s:s}}", "error", "code", code, "message", message);
  return body ? json_text(body) : mem_strdup("{\"error\":{\"code\":\"internal\",\"message\":\"not UTF-8\"}}");
}
