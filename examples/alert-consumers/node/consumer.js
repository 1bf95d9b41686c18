// SPDX-License-Identifier: MIT
// Shows each alert once. It may be killed at any moment: an alert that handle() did not finish comes again.
//
//   npm install && KAFKA_BOOTSTRAP=localhost:9092 node consumer.js
//
// What was seen is in STATE_FILE, one ce_id a line. KafkaJS reads only committed records, unless it is told otherwise.
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { Kafka, logLevel } from 'kafkajs';

const env = process.env;
const stateFile = env.STATE_FILE ?? 'seen.txt';
const seen = new Set(existsSync(stateFile) ? readFileSync(stateFile, 'utf8').split('\n') : []);

// What you do with an alert. If it throws, KafkaJS delivers the alert again.
async function handle(type, alert) {
  console.log(type, JSON.stringify(alert));
}

async function onAlert({ topic, partition, message }) {
  const id = message.headers.ce_id.toString();
  if (!seen.has(id)) {
    await handle(message.headers.ce_type.toString(), JSON.parse(message.value.toString()));
    appendFileSync(stateFile, `${id}\n`, { flush: true }); // synced to the disk
    seen.add(id);
  }
  await consumer.commitOffsets([{ topic, partition, offset: String(BigInt(message.offset) + 1n) }]);
}

const kafka = new Kafka({ clientId: 'alert-consumer', brokers: (env.KAFKA_BOOTSTRAP ?? 'localhost:9092').split(','), logLevel: logLevel.ERROR });
const consumer = kafka.consumer({ groupId: env.GROUP_ID ?? 'on-call-node', sessionTimeout: 6000, readUncommitted: false });
consumer.on(consumer.events.CRASH, ({ payload }) => payload.restart || process.exit(1)); // what starts it again is outside
await consumer.connect();
await consumer.subscribe({ topic: env.ALERTS_TOPIC ?? 'dochak.alerts', fromBeginning: true });
await consumer.run({ autoCommit: false, eachMessage: onAlert });
