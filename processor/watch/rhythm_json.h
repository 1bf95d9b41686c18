// SPDX-License-Identifier: MIT
// The states of the silence rules as JSON, to be stored. Pure. Thread: any.
#pragma once
#include "processor/rules/floor.h"
#include "processor/rules/rhythm.h"

// New texts. Not `alive` and `expected` of a rhythm (rhythm_refill()).
char *rhythm_state_text(const struct rhythm_state *state);
char *floor_state_text(const struct floor_state *state);
// False: it is of another version, and *out is left alone.
bool rhythm_state_parse(const char *text, struct rhythm_state *out);
bool floor_state_parse(const char *text, struct floor_state *out);
