// SPDX-License-Identifier: MIT
// A contact: what a provider says about a person, joined from all that it said. Pure: no clock, no I/O. Not
// for: what an element says (interpret), or how rows are stored and locked (tables/contact, batch/contacts).
//
// The order of arrival does not matter: a row keeps the newest upsert and the newest deletes apart, and is
// deleted if one of these is not older than the upsert. Versions are compared where both have one and are
// about the same object of the provider (a member who is deleted and comes back is another object, whose
// versions begin anew); everything else is compared by time. The time of an answer is when it was asked:
// whatever else the provider said before is older than that. Only an answer that has an older version of the
// same object than is known is of an outdated copy, and changes nothing. A delete without a version, such as
// the answer 404, counts only until the provider is asked again and knows the contact. A row that is deleted
// comes back only with the details of an upsert.
//
// The order of arrival matters where versions and times contradict each other, and where one object of the
// provider has had two ids of the operator: what names only the object goes to those that are known by then.
#pragma once
#include "common/provider/personal.h"
#include "processor/rules/ledger.h"
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// When something was said, and about which object. Times are Unix milliseconds.
struct contact_mark {
  bool has_version;
  int64_t version;
  int64_t at;        // NO_TIME: nothing was said
  int64_t asked_at;  // when the provider was asked and said so; NO_TIME: it was not asked
  char *provider_id; // owned, NULL: not said
};

// What is known of a person. Strings are owned, NULL: none.
struct contact_details {
  char *phone, *email; // masked
  uint8_t phone_hash[PERSONAL_HASH_SIZE], email_hash[PERSONAL_HASH_SIZE];
  json_t *consents; // object: true is given, false is withdrawn; what is not said is not there. NULL is {}
  char *whole;      // JSON of both as they were sent, never stored as it is; NULL: not wanted
};

// What one element says.
struct contact_said {
  char *id; // of the contact: the id that the operator gave it, else the provider's own
  bool is_delete;
  int64_t received_at;
  // `at` by the provider's clock if known, else when the provider was asked, else when it was received. None
  // of its times is later than that.
  struct contact_mark mark;
  struct contact_details details; // of an upsert
};
void contact_said_fini(struct contact_said *said);

// A row of table contact.
struct contact_row {
  const char *provider; // borrowed
  char *id;             // owned
  struct contact_mark upsert;
  struct contact_mark deletion; // the newest delete that has a version; it has no asked_at
  int64_t gone_at;              // the newest delete that has none or is an answer, or NO_TIME
  int64_t gone_learned_at;      // when the last of these was asked for, else received, or NO_TIME
  json_t *other_ids;            // the provider's other ids of the contact: sorted strings; NULL: none
  bool is_deleted;              // then it has no details
  bool is_stored;               // the table has it
  struct contact_details details;
  uint8_t *sealed; // `whole`, encrypted, as it was read; NULL: none
  size_t sealed_len;
};
void contact_row_init(struct contact_row *row, const char *provider, const char *id);
void contact_row_fini(struct contact_row *row);
// The provider's own id of the contact, borrowed, or NULL.
const char *contact_provider_id(const struct contact_row *row);
// Whether the contact is, or ever was, this object of the provider.
bool contact_is_object(const struct contact_row *row, const char *provider_id);

enum contact_change {
  CONTACT_SAME,    // it is a repeat, or older
  CONTACT_MARKED,  // only the marks move
  CONTACT_CHANGED, // the row has other details, or comes back
  CONTACT_DELETED,
};
// Joins what an element says into the row.
enum contact_change contact_join(struct contact_row *row, const struct contact_said *said);
// Joins another row of the same person, such as what a provider said before it named the member.
enum contact_change contact_merge(struct contact_row *row, const struct contact_row *other);

// Whether the row has another telephone number, e-mail address or consent than the element says, or is
// deleted otherwise. A consent that the element does not mention is no difference. `row` NULL: there is none.
bool contact_differs(const struct contact_row *row, const struct contact_said *said);
// Whether the element is newer than what the row has of its kind, upsert or delete, though it may say the
// same. `row` NULL: there is none.
bool contact_is_newer(const struct contact_row *row, const struct contact_said *said);
// Whether `after` has the consent withdrawn and `before` did not. Either may be NULL.
bool contact_is_withdrawn(const json_t *before, const json_t *after, const char *consent);
