// SPDX-License-Identifier: MIT
// The front door: what one call of our own public URL found, and when that is an incident. Not for: making
// the call (processor/watch/front_door_check.h). Pure; its clock is the time of the call.
#pragma once
#include "common/base/address.h"
#include <stdbool.h>
#include <stdint.h>

// How far a call got. Of a failure the stage is what failed, in the order of a call.
enum front_door_stage {
  FRONT_DOOR_OK,
  FRONT_DOOR_NAME,     // the host's name has no address
  FRONT_DOOR_CONNECT,  // no connection to any of its addresses
  FRONT_DOOR_TLS,      // handshake, chain, host's name or dates of the certificate
  FRONT_DOOR_HTTP,     // another answer than 200, or none that is HTTP
  FRONT_DOOR_NOT_OURS, // 200, but not from an ingress of this dochak
  FRONT_DOOR_SLOW,     // later than a provider waits, or not within the time of the call
  FRONT_DOOR_STAGES
};
// "ok", "name", "connect", "tls", "http", "not_ours", "slow".
const char *front_door_stage_name(enum front_door_stage stage);

enum { FRONT_DOOR_TEXT_SIZE = 320 };

// Plain data: copied, and thrown away.
struct front_door_result {
  int64_t at; // when the call began, Unix milliseconds; 0: there was no call yet
  enum front_door_stage stage;
  char text[FRONT_DOOR_TEXT_SIZE]; // what a person has to know: cause, and what was expected; one line
  int64_t ms;                      // the whole call
  int64_t certificate_ends_at;     // Unix milliseconds; 0: not known, as without TLS or before a handshake
  int64_t cert_days;               // from `at` to then, rounded down; 0 without certificate_ends_at
  char address[ADDRESS_TEXT_SIZE]; // of the caller, as ingress saw it; "": not known
};

// How near the end of the certificate is: 14 and 3 days, and less, before it.
enum front_door_certificate { CERTIFICATE_GOOD, CERTIFICATE_ENDS, CERTIFICATE_ENDS_SOON };
enum { CERTIFICATE_ENDS_DAYS = 14, CERTIFICATE_ENDS_SOON_DAYS = 3 };

// What the judgement knows of the calls before. Zeroed: nothing is open. A processor that takes over sets
// `unreachable` and `certificate` to what is open, and leaves the rest zero.
struct front_door_state {
  int64_t judged_at;     // `at` of the last result
  unsigned failed, good; // calls in a row
  int64_t failed_since;  // `at` of the first of those that failed
  bool unreachable;
  enum front_door_certificate certificate; // the last level that was opened
};

enum front_door_move { FRONT_DOOR_STAY, FRONT_DOOR_OPEN, FRONT_DOOR_CLOSE };

struct front_door_verdict {
  enum front_door_move unreachable;
  int64_t since; // of OPEN: the first failure in a row, Unix milliseconds
  enum front_door_move certificate;
  enum front_door_certificate level; // of certificate: the level that opens or was open until now
};

// `unreachable` opens at the third failure in a row and closes at the second good call in a row. The
// certificate opens once at each level, and closes when more than 14 days are left: from one level to the
// next is an OPEN alone, and back from the nearer one to the other nothing. A result that was judged already
// and one without a call change nothing. A certificate that a failed call did not show stays as it was.
struct front_door_verdict front_door_judge(struct front_door_state *state,
                                           const struct front_door_result *result);
