#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
read -ra heap <<<"${KAFKA_HEAP_OPTS:--Xmx512M}"
mkdir -p /opt/kafka/logs
exec java "${heap[@]}" -Dlog4j2.configurationFile=/opt/kafka/config/tools-log4j2.yaml -cp '/opt/kafka/libs/*' \
    org.apache.kafka.tools.consumer.ConsoleConsumer "$@"
