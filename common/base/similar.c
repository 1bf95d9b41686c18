// SPDX-License-Identifier: MIT
#include "common/base/similar.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

enum { NAME_MAX_BYTES = 64 };

static size_t least(size_t a, size_t b) {
  return a < b ? a : b;
}

static bool same_letter(char a, char b) {
  return tolower((unsigned char)a) == tolower((unsigned char)b);
}

// The optimal string alignment distance. Both names have at most NAME_MAX_BYTES.
static size_t distance(const char *a, const char *b) {
  size_t rows[3][NAME_MAX_BYTES + 1] = {{0}}; // of a's letters, the last three
  size_t n = strlen(a), len = strlen(b);
  for (size_t j = 0; j <= len; j++) rows[0][j] = j;
  for (size_t i = 1; i <= n; i++) {
    size_t *row = rows[i % 3], *last = rows[(i - 1) % 3], *before = rows[(i + 1) % 3];
    row[0] = i;
    for (size_t j = 1; j <= len; j++) {
      row[j] = least(least(last[j], row[j - 1]) + 1, last[j - 1] + !same_letter(a[i - 1], b[j - 1]));
      bool swapped = i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) && same_letter(a[i - 2], b[j - 1]);
      if (swapped) row[j] = least(row[j], before[j - 2] + 1);
    }
  }
  return rows[n % 3][len];
}

void similar_try(struct similar *similar, const char *known) {
  size_t len = strlen(known);
  if (strlen(similar->given) > NAME_MAX_BYTES || len > NAME_MAX_BYTES) return;
  size_t apart = distance(similar->given, known);
  if (apart > len / 3 || (similar->best && apart >= similar->distance)) return;
  similar->best = known;
  similar->distance = apart;
}
