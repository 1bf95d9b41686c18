# SPDX-License-Identifier: MIT
"""examples/alert-consumers: each shows each alert once, also when it is killed and started again, and reads only what is committed."""

import json
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from support import builds, cached, payloads
from support.examples import Program, Slack
from support.topics import QUIET, TIMEOUT
from support.world import OWNER, PARTITIONS, World

EXAMPLES = "examples/alert-consumers"
pytestmark = pytest.mark.long  # three starts each


# --- the programs, built where that is needed


def python(name: str) -> list[str | Path]:
    return [sys.executable, builds.ROOT / EXAMPLES / "python" / name]


def node() -> list[str | Path]:
    return ["node", cached.npm(f"{EXAMPLES}/node") / "consumer.js"]


def go() -> list[str | Path]:
    return [cached.go(f"{EXAMPLES}/go")]


def spring() -> list[str | Path]:
    """Its process lives for seconds, so it is not compiled for years."""
    return ["java", "-XX:TieredStopAtLevel=1", "-Xmx256m", "-jar", cached.maven(f"{EXAMPLES}/spring")]


def kcat() -> list[str | Path]:
    cached.need("kcat")
    return [builds.ROOT / EXAMPLES / "kcat" / "consumer.sh"]


CONSUMERS: dict[str, Callable[[], list[str | Path]]] = {
    "python": lambda: python("consumer.py"),
    "node": node,
    "go": go,
    "spring": spring,
    "kcat": kcat,
}
# Their builds fetch much, and run for minutes on a busy machine.
NAMES = [pytest.param(name, marks=pytest.mark.slow) if name in ("go", "spring") else name for name in CONSUMERS]


def example(dochak: World, folder: Path, command: list[str | Path], **environment: str) -> Program:
    return Program(
        command,
        folder,
        KAFKA_BOOTSTRAP=dochak.kafka.address,
        ALERTS_TOPIC=dochak.topics.name("alerts"),
        STATE_FILE=str(folder / "state"),
        **environment,
    )


# --- alerts


def lose_messages(dochak: World) -> list[str]:
    """Real dead letters, at least one in each partition of the topic: the ids of their notifications."""
    lost, partitions = [], set()
    while len(partitions) < PARTITIONS:
        ids = [payloads.new_id() for _ in range(8)]
        for msg_key in ids:
            dochak.bizgo(payloads.bizgo(msg_key, "63019"))
        dochak.settle()
        partitions |= {record.partition for record in dochak.alerts() if record.header("ce_subject") in ids}
        lost += ids
    return lost


def abort_alerts(dochak: World) -> str:
    """As a processor does that is fenced in the middle of a batch: one in each partition. Their notification id."""
    producer = Producer({"bootstrap.servers": dochak.kafka.address, "transactional.id": f"aborted-{uuid.uuid4()}", **QUIET})
    producer.init_transactions(TIMEOUT * builds.patience())
    producer.begin_transaction()
    msg_key = payloads.new_id("abort")
    for partition in range(PARTITIONS):
        headers = {"ce_specversion": "1.0", "ce_id": str(uuid.uuid4()), "ce_type": "dochak.notification.dead_lettered.v1"}
        producer.produce(dochak.topics.name("alerts"), json.dumps({"notification_id": msg_key}), headers=headers, partition=partition)
    producer.flush(TIMEOUT * builds.patience())
    producer.abort_transaction(TIMEOUT * builds.patience())
    return msg_key


class Group:
    """A consumer group, seen by somebody who is no member of it."""

    def __init__(self, dochak: World):
        self.name = f"example-{uuid.uuid4()}"
        self._dochak = dochak
        self._onlooker = Consumer({"bootstrap.servers": dochak.kafka.address, "group.id": self.name, **QUIET})

    def has_done(self) -> bool:
        """It has committed the offsets of all alerts there are."""
        topics = self._dochak.topics
        topics.read("alerts")
        partitions = [TopicPartition(topics.name("alerts"), number) for number in range(PARTITIONS)]
        committed = {partition.partition: partition.offset for partition in self._onlooker.committed(partitions, TIMEOUT)}
        return all(committed[partition] >= offset for partition, offset in topics.reader("alerts").next_offsets().items())


@pytest.mark.parametrize("name", NAMES)
def test_each_alert_is_shown_once_also_after_kills(dochak: World, tmp_path: Path, name: str) -> None:
    database = dochak.another_database("") if name == "spring" else ""
    postgres = {"PGHOST": "127.0.0.1", "PGPORT": str(dochak.postgres.port), "PGUSER": OWNER, "PGDATABASE": database}
    group = Group(dochak)
    with example(dochak, tmp_path, CONSUMERS[name](), **postgres) as program:

        def live(ids: list[str], group: Group) -> None:
            """Until it has shown these and done all there are; then it is killed."""
            program.start(GROUP_ID=group.name)
            program.wait_for("it has shown the alerts", lambda: all(msg_key in program.output for msg_key in ids))
            if name == "kcat":  # without a group; the last it has shown is the last it remembers
                remembered = tmp_path / "state"
                count = len(dochak.alerts())
                program.wait_for("it remembers all", lambda: len(remembered.read_text().splitlines()) == count)
            else:
                program.wait_for("it has committed all", group.has_done)
            program.kill()

        aborted = abort_alerts(dochak)
        lost = lose_messages(dochak)
        live(lost, group)
        lost += (more := lose_messages(dochak))
        live(more, group)
        lost += (more := lose_messages(dochak))
        live(more, Group(dochak))  # all alerts come again, as where it was killed before it committed an offset
        shown = program.output
    assert not not_once(lost, lambda msg_key: shown.count(f'"{msg_key}"'))
    assert aborted not in shown


@pytest.mark.parametrize("name", ["python", pytest.param("go", marks=pytest.mark.slow), "kcat"])  # in Node.js and Java a print does not fail
def test_an_alert_whose_handling_failed_comes_again(dochak: World, tmp_path: Path, name: str) -> None:
    lost, group = lose_messages(dochak), Group(dochak)
    with example(dochak, tmp_path, CONSUMERS[name]()) as program:
        assert program.start(stdout=Path("/dev/full"), GROUP_ID=group.name).wait_exit(60) != 0
        program.start(GROUP_ID=group.name)
        program.wait_for("it has shown the alerts", lambda: not not_once(lost, lambda msg_key: program.output.count(f'"{msg_key}"')))


def not_once(ids: list[str], count: Callable[[str], int]) -> dict[str, int]:
    """Those that are there another number of times."""
    return {msg_key: number for msg_key in ids if (number := count(msg_key)) != 1}


# --- Slack


def not_posted_once(slack: Slack, ids: list[str]) -> dict[str, int]:
    return not_once(ids, lambda msg_key: sum(msg_key in text for text in slack.messages))


def test_slack_gets_each_alert_once_also_after_kills(dochak: World, tmp_path: Path) -> None:
    lost, group = lose_messages(dochak), Group(dochak)
    with Slack().running() as slack, example(dochak, tmp_path, python("slack.py"), SLACK_WEBHOOK_URL=slack.url) as bridge:

        def live(group: Group) -> None:
            bridge.start(GROUP_ID=group.name)
            bridge.wait_for("it has committed all", group.has_done)
            bridge.kill()

        live(group)
        lost += lose_messages(dochak)
        live(group)
        lost += lose_messages(dochak)
        live(Group(dochak))
        assert not not_posted_once(slack, lost), bridge.output


def test_an_alert_that_slack_has_not_taken_comes_again(dochak: World, tmp_path: Path) -> None:
    """Slack fails once; then it fails until the bridge is killed; then it refuses the webhook for good, until somebody has seen to it."""
    lost, group = lose_messages(dochak), Group(dochak)
    with Slack().running() as slack, example(dochak, tmp_path, python("slack.py"), SLACK_WEBHOOK_URL=slack.url) as bridge:
        answers = iter([500, None])
        slack.refuse = lambda _body: next(answers, 503)
        bridge.start(GROUP_ID=group.name)
        bridge.wait_for("it has asked again", lambda: len(slack.requests) >= 3)
        assert slack.requests[0] == slack.requests[1] != slack.requests[2]
        bridge.kill()

        slack.refuse = lambda _body: 404  # no_service: the webhook is gone
        lost += lose_messages(dochak)
        assert bridge.start(GROUP_ID=group.name).wait_exit() != 0
        assert "404" in bridge.output

        slack.refuse = lambda _body: None
        bridge.start(GROUP_ID=group.name)
        bridge.wait_for("it has committed all", group.has_done)
        assert not not_posted_once(slack, lost), bridge.output


def test_slack_gets_only_the_kinds_that_are_wanted(dochak: World, tmp_path: Path) -> None:
    dochak.bizgo(payloads.bizgo(payloads.new_id(), "64008"))
    dochak.settle()
    incidents = [alert.data for alert in dochak.alerts() if alert.type == "dochak.provider.failing.v1"]
    group = Group(dochak)
    with Slack().running() as slack:
        with example(dochak, tmp_path, python("slack.py"), SLACK_WEBHOOK_URL=slack.url, WANTED="dochak.provider,dochak.endpoint") as bridge:
            bridge.start(GROUP_ID=group.name)
            bridge.wait_for("it has committed all", group.has_done)
    assert len(slack.messages) == len(incidents) > 0
    for incident in incidents:
        (text,) = [text for text in slack.messages if incident["summary"].replace("&", "&amp;") in text]
        assert text.startswith("*provider.failing* bizgo") and incident["check_first"][0] in text
