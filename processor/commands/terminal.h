// SPDX-License-Identifier: MIT
// Output of a command, for people and as lines of JSON.
#pragma once
#include <jansson.h>
#include <stdint.h>

// Text from outside may contain what a terminal takes for a command: each control character becomes "?".
void terminal_print(const char *text);

// A line on stdout.
void terminal_print_json(const json_t *value);

enum { TERMINAL_TIME_SIZE = sizeof "2026-01-12 11:00:03+09:00" };
// In the local zone (TZ).
void terminal_format_time(int64_t wall_ms, char out[TERMINAL_TIME_SIZE]);

enum { TERMINAL_DURATION_SIZE = 48 };
// The two largest units: "14 s", "2 h 5 min". Less than nothing is "0 s".
void terminal_format_duration(int64_t ms, char out[TERMINAL_DURATION_SIZE]);
