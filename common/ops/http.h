// SPDX-License-Identifier: MIT
// What all our answers over HTTP share.
#pragma once

// "Not Found"; "Status" for one that has no name here.
const char *http_status_text(int status);
// {"error":{"code":…,"message":…}}: for callers of our own API, not for providers. New string.
char *http_error_body(const char *code, const char *message);
