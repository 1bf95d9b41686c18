# SPDX-License-Identifier: MIT
"""The one Apache Kafka that all servers of a benchmark are measured on, and what its topics hold."""

import os
import signal
import subprocess
import time
from pathlib import Path

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

ROOT = Path(__file__).parent.parent
PARTITIONS = 8
TIMEOUT = 10.0


class Broker:
    def __init__(self, folder: Path):
        self._folder = folder

    def _run(self, verb: str, *args: str) -> str:
        done = subprocess.run([ROOT / "scripts" / "kafka.sh", verb, self._folder, *args], capture_output=True, text=True, timeout=120)
        if done.returncode:
            raise SystemExit(f"kafka {verb}:\n{done.stdout}{done.stderr}")
        return done.stdout

    # --- its life

    def start(self) -> None:
        self._run("start")
        self._run("wait")

    def stop(self) -> None:
        self._run("stop")

    def wipe(self) -> None:
        """Ends it, whatever it does, and leaves nothing. Also what an earlier benchmark left that was itself killed."""
        self._run("wipe")

    def freeze(self) -> None:
        """It holds its connections and answers nothing."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    @property
    def pid(self) -> int:
        return int((self._folder / "pid").read_text().split()[0])

    @property
    def address(self) -> str:
        return f"127.0.0.1:{(self._folder / 'port').read_text().strip()}"

    @property
    def version(self) -> str:
        jar = next((self._folder / "jars").glob("kafka_*.jar"))
        return f"Apache Kafka {jar.stem.rpartition('-')[2]}, one broker, {PARTITIONS} partitions a topic"

    # --- its topics

    def _admin(self) -> AdminClient:
        """It takes what it was asked for with it when nobody holds it any more."""
        return AdminClient({"bootstrap.servers": self.address, "log_level": 0})

    def create_topics(self, names: list[str]) -> None:
        admin = self._admin()
        created = admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in names], request_timeout=TIMEOUT)
        for future in created.values():
            future.result()

    def records(self, topic: str) -> int:
        """How many records the topic has ever taken."""
        admin = self._admin()
        ends = {TopicPartition(topic, partition): OffsetSpec.latest() for partition in range(PARTITIONS)}
        asked = admin.list_offsets(ends, request_timeout=TIMEOUT)
        return sum(future.result().offset for future in asked.values())

    def committed(self, group: str, topic: str) -> int:
        """How many of the topic's records the group is done with, if it began at the first one."""
        admin = self._admin()
        asked = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)], request_timeout=TIMEOUT)
        return sum(at.offset for at in asked[group].result().topic_partitions if at.topic == topic)

    def wait_records(self, topic: str, count: int, seconds: float) -> int:
        """How many there are as soon as there are `count`, or at the end of the time. A broker that was away takes a moment."""
        end = time.monotonic() + seconds
        records = 0
        while records < count and time.monotonic() < end:
            try:
                records = self.records(topic)
            except KafkaException:
                pass
            if records < count:
                time.sleep(0.2)
        return records
