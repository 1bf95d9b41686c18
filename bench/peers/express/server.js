// SPDX-License-Identifier: MIT
// A webhook receiver in JavaScript: Express and kafkajs, answering when Kafka has acknowledged the record.
const express = require("express");
const { Kafka, Partitioners } = require("kafkajs");

const { PORT, TOPIC, KAFKA_BOOTSTRAP } = process.env;

const kafka = new Kafka({ clientId: "bench", brokers: [KAFKA_BOOTSTRAP] });
const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
const app = express();

app.post("/webhook/bizgo", express.json(), async (req, res) => {
  const { msgKey } = req.body;
  if (!msgKey) return res.sendStatus(400);
  try {
    await producer.send({ topic: TOPIC, acks: -1, messages: [{ key: msgKey, value: JSON.stringify(req.body) }] });
  } catch {
    return res.sendStatus(503);
  }
  res.json({ msgKey });
});

producer.connect().then(() => app.listen(PORT, "127.0.0.1"));
