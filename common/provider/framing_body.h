// SPDX-License-Identifier: MIT
// Private to framing.c: the JSON that a body is, or that is made of it. Pure.
#pragma once
#include "common/provider/framing.h"

// Where the file reads forms, and the text begins no JSON object or array, *text becomes the JSON object of
// the form's names. A name with one value has it as a text, one with several has an array of texts. *made is
// that JSON, new, or NULL: *text is as it was. Then a text that is JSON itself, where the file names its
// place, takes its own place as JSON; one that is not stays a text. False: it is no form, or becomes too
// long.
MUST_CHECK bool framing_body_make(const struct provider *provider, struct json_span *text, char **made,
                                  struct err *err);
