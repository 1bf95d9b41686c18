// SPDX-License-Identifier: MIT
// What an incident rule decides for one minute. Pure rules give it; the batch opens and closes the incident.
#pragma once

enum verdict { VERDICT_NOTHING, VERDICT_OPEN, VERDICT_CLOSE };
