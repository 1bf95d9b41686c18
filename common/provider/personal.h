// SPDX-License-Identifier: MIT
// Recipients (phone numbers, e-mail addresses) are kept only masked and as a keyed hash.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PERSONAL_HASH_SIZE = 32, PERSONAL_TAG_SIZE = 17 };

// "+821012345678" → "+8210****5678", "01012345678" → "010****5678", "ann@x.kr" → "a***@x.kr", other → "***".
// A number may be written in full-width digits, and with tel: or whatsapp: before it. New string.
char *personal_mask(const char *recipient);
// Whether two masked recipients are two for sure: numbers that end otherwise, or e-mail addresses of which
// something else is shown. A number in another form of writing is not another one.
bool personal_differ(const char *masked_a, const char *masked_b);
// A copy of free text in which every run of 9 or more digits, full-width ones too, and every e-mail address
// is masked the same way. Between two digits of a run there may be up to three of: space, dash (of any kind),
// '.',
// '/', '(', ')', '_'; so a long date or an IP address is masked, too. New string.
char *personal_mask_text(const char *text);
// For an id that has to name the recipient: hex of the first 8 bytes of SHA-256 over its plain form. An id
// must not change, so the hash has no key: it hides the number at a glance, but not from an attacker who
// tries all numbers.
void personal_tag(const char *recipient, char out[PERSONAL_TAG_SIZE]);
// HMAC-SHA256 over the recipient in its plain form: ASCII digits only, national Korean numbers (0…) as +82…,
// e-mail in lower case.
void personal_hash(const char *key, const char *recipient, uint8_t out[PERSONAL_HASH_SIZE]);
