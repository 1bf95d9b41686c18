// SPDX-License-Identifier: MIT
// Reads a send response: its recipients, and what the send API said about each. Pure: no clock, no I/O. The
// response is not trusted: no error quotes it. Not for: masking (provider_mask.h). Thread: any.
#pragma once
#include "common/provider/provider.h"

// One recipient of a send API's response. Strings are borrowed from the response, the provider or the
// buffers, or NULL. `id` is NULL only for a refused recipient to which the provider gave no id.
struct provider_acceptance {
  const char *id, *channel, *recipient, *reference, *code;
  const char *reason;
  bool accepted; // false: the send API refused this recipient
  char id_buf[PROVIDER_ID_SIZE];
  char buf[5][24];
};
// Limits of one response: recipients, and the bytes of all narrowed responses.
enum { PROVIDER_RECIPIENTS_MAX = 500, PROVIDER_NARROWED_MAX_BYTES = 4 * 1024 * 1024 };
// Reads a raw send response; *out is a new array of *n ≥ 1. False: no shape in the provider file fits, an
// entry has no id, or a limit is exceeded; the error names the pointer.
MUST_CHECK bool provider_read_acceptance(const struct provider *provider, const json_t *response,
                                         struct provider_acceptance **out, size_t *n, struct err *err);
// The response with only the recipient of list[i]; read again, it gives one equal acceptance. New, but it
// shares parts with the response: change neither.
json_t *provider_narrow(const struct provider *provider, const json_t *response, size_t i);

// The shape by which provider_read_acceptance() reads a send answer. Borrowed.
struct provider_used_shape {
  size_t nth;        // of provider_shapes(); their number: none fits
  const char *unmet; // the place in its `requires` by which each recipient counts as refused; NULL: none
};
struct provider_used_shape provider_used_shape(const struct provider *provider, const json_t *response);
