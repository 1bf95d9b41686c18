// SPDX-License-Identifier: MIT
// The operator's file of librdkafka settings (DOCHAK_KAFKA_PROPERTIES), "name=value" a line. Refuses the
// settings that would break a promise, by name and with the reason. An error names file, line and setting,
// and never a value, which may be a secret. Thread: any.
#pragma once
#include "common/base/err.h"
#include "common/base/faults.h"
#include <librdkafka/rdkafka.h>

// Sets what the file says; false with the first error. The empty path is no file.
MUST_CHECK bool kafka_properties_set(rd_kafka_conf_t *conf, const char *path, struct err *err);
// Sets nothing; false with every error of the file.
MUST_CHECK bool kafka_properties_check(const char *path, struct faults *faults);
