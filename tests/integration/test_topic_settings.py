# SPDX-License-Identifier: MIT
"""The settings of the topics: how migrate creates them, and what it says of those that somebody else has created."""

import pytest

from support import builds
from support.service import run_once
from support.topics import Topics
from support.world import PARTITIONS, World

MONTH_MS, WEEK_MS = 30 * 24 * 60 * 60 * 1000, 7 * 24 * 60 * 60 * 1000


@pytest.fixture
def bare(worlds, kafka, postgres) -> World:
    """Nothing was migrated here."""
    return worlds.new(kafka, postgres, migrated=False)


def configs(world: World, short: str, config: str) -> str:
    return f"kafka-configs.sh --bootstrap-server {world.kafka.address} --alter --topic {world.topics.name(short)} --add-config {config}"


def kafka_lines(said: str) -> list[str]:
    return [line for line in said.splitlines() if line.startswith("kafka: ")]


@pytest.mark.parametrize(("days", "expected"), [(None, MONTH_MS), ("7", WEEK_MS)])
def test_topics_are_created_with_an_explicit_retention(bare: World, days: str | None, expected: int) -> None:
    done = run_once("processor", bare.owner_env(**({"DOCHAK_TOPIC_RETENTION_DAYS": days} if days else {})), "migrate")
    assert done.returncode == 0 and kafka_lines(done.stdout) == ["kafka: 3 topics created"], done
    for short in Topics.NAMES:
        config = bare.topics.config(short)
        assert (config["retention.ms"], config["cleanup.policy"]) == (str(expected), "delete"), short


def test_an_existing_topic_with_another_retention_is_named_with_the_command_and_left_alone(world: World) -> None:
    done = run_once("processor", world.owner_env(DOCHAK_TOPIC_RETENTION_DAYS="7"), "migrate")
    assert done.returncode == 0 and done.stderr == "", done
    for short in Topics.NAMES:
        said = f"retention.ms {MONTH_MS}, DOCHAK_TOPIC_RETENTION_DAYS asks for 7 days: {configs(world, short, f'retention.ms={WEEK_MS}')}"
        assert f"kafka: {world.topics.name(short)}: {said}" in done.stdout.splitlines()
        assert world.topics.config(short)["retention.ms"] == str(MONTH_MS)
    for short in ("events", "quarantine"):
        assert world.topics.config(short)["cleanup.policy"] == "delete"
    assert kafka_lines(world.migrate()) == ["kafka: 0 topics created"]


def test_a_topic_that_a_broker_made_by_its_defaults_is_named(bare: World) -> None:
    bare.topics.create("events", 1, retention_bytes="1000000", max_message_bytes="1000", retention_ms=str(MONTH_MS))
    done = run_once("processor", bare.owner_env(), "migrate")
    assert done.returncode == 0 and done.stderr == "", done
    name = bare.topics.name("events")
    created, *said = kafka_lines(done.stdout)
    assert created == "kafka: 2 topics created" and len(said) == 3, said
    assert said[0].startswith(f"kafka: {name}: partitions 1, DOCHAK_TOPIC_PARTITIONS asks for {PARTITIONS}: kafka-topics.sh ")
    assert said[0].endswith(f"--alter --topic {name} --partitions {PARTITIONS}")
    assert said[1].endswith(configs(bare, "events", "retention.bytes=-1"))
    assert said[2].endswith(configs(bare, "events", "max.message.bytes=1048576"))


def test_more_replicas_than_a_topic_has_are_asked_for_in_vain(world: World) -> None:
    done = run_once("processor", world.owner_env(DOCHAK_TOPIC_REPLICATION="2"), "migrate")
    assert done.returncode == 0, done
    assert sum("replication 1, DOCHAK_TOPIC_REPLICATION asks for 2" in line for line in kafka_lines(done.stdout)) == 3


@pytest.mark.parametrize("short", Topics.NAMES)
@pytest.mark.parametrize("policy", ["compact", "compact,delete"])
def test_a_compacted_topic_is_refused(bare: World, short: str, policy: str) -> None:
    """Of several records about a notification Kafka would keep the last one."""
    bare.topics.create(short, PARTITIONS, cleanup_policy=policy, retention_ms=str(MONTH_MS))
    done = run_once("processor", bare.owner_env(), "migrate")
    assert done.returncode == 1 and "cleanup.policy" in done.stderr, done
    assert configs(bare, short, "cleanup.policy=delete") in done.stdout, done


def test_a_dry_run_says_what_is_missing_and_changes_nothing(bare: World) -> None:
    migrations = sorted(path.name for path in (builds.ROOT / "schemas" / "postgres").glob("*.sql"))
    done = run_once("processor", bare.owner_env(), "migrate", "--dry-run")
    assert done.returncode == 0 and done.stderr == "", done
    assert done.stdout.splitlines() == [*(f"postgres: {name} would be applied" for name in migrations), "kafka: 3 topics would be created"]
    assert bare.sql("SELECT 1 FROM pg_class WHERE relname = 'schema_migration'") == [] and bare.topics.are_gone()
    bare.migrate()
    done = run_once("processor", bare.owner_env(DOCHAK_TOPIC_RETENTION_DAYS="7"), "migrate", "--dry-run")
    said = done.stdout.splitlines()
    assert done.returncode == 0 and said[0] == "kafka: 0 topics would be created" and len(said) == 4, done


def test_migrate_is_a_command_like_the_others() -> None:
    done = run_once("processor", builds.base_environment(), "migrate", "--help")
    assert done.returncode == 0 and "--dry-run" in done.stdout and done.stderr == "", done
    for argument in ("--colour", "now"):
        done = run_once("processor", builds.base_environment(), "migrate", argument)
        assert done.returncode == 2 and f'"{argument}"' in done.stderr and "--help" in done.stderr, done
