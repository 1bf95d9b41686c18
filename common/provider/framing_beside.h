// SPDX-License-Identifier: MIT
// Private to framing.c: the values outside of an element that the file reads with it. Pure.
#pragma once
#include "common/provider/framing.h"
#include "common/provider/provider_file.h"

// What the file reads of this source, as members that go in front of an element's own: "\"@body\":{…},". The
// source is `in` (the body, or the element of a level), or the head of the request. Of what is not there the
// member has nothing, but it is there itself: so no element can bring one of its own. New; NULL: the file
// reads nothing of the source.
char *framing_beside(const struct provider *provider, enum provider_source source, struct json_span in,
                     const struct framing_head *head);
// The element with these members, of which some may be NULL. If it is no object, it becomes the member
// "@element" of one. New string of *len bytes.
char *framing_join(char *const members[PROVIDER_SOURCES], struct json_span element, size_t *len);
