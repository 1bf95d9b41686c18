# SPDX-License-Identifier: MIT
"""A connection is cut in place of the answer that would say whether it happened, or swallows everything: nobody guesses, it is looked up."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from support.servers import QUICK_JAVA, Server
from support.thirds import check_all, ids_of, post_all, stored
from support.wait import until
from support.wires import Wire
from support.world import World, free_port

EVENTS = 400
ROUNDS = 4  # how often one word is cut


@contextmanager
def wired(upstream: int, port: int = 0) -> Iterator[Wire]:
    wire = Wire(port or free_port())
    wire.upstream = upstream
    wire.start()
    try:
        yield wire
    finally:
        wire.stop()


@pytest.fixture(scope="module")
def wired_kafka(run_folder) -> Iterator[tuple[Server, Wire]]:
    """Whose clients are told to come by the wire."""
    server = Server("kafka", run_folder / "kafka-test_cuts", **QUICK_JAVA)
    server.folder.mkdir()
    port = free_port()
    (server.folder / "extra.properties").write_text(f"advertised.listeners=PLAINTEXT://127.0.0.1:{port}\n")
    try:
        server.start()
        with wired(server.port, port) as wire:
            yield server, wire
    finally:
        server.wipe()


def cut_again_and_again(world: World, wire: Wire, word: str) -> None:
    for round_ in range(1, ROUNDS + 1):
        before = stored(world)
        wire.cut_after(word)
        until(f"{word} {round_} was cut", lambda: wire.cut_at_word >= round_ or world.topics.settled(), 60)
        until("the processor works", lambda: stored(world) > before or world.topics.settled(), 60)
    print(f"{wire.cut_at_word} connections were cut after {word}")
    assert wire.cut_at_word >= 2


def test_a_commit_whose_answer_never_came_is_looked_up(worlds, kafka: Server, postgres: Server) -> None:
    world = worlds.new(kafka, postgres)
    world.new_ingress().start().wait_ready()
    ids = post_all(world, ids_of(EVENTS))
    with wired(postgres.port) as wire:
        processor = world.new_processor(DOCHAK_BATCH_MAX_RECORDS="20", DOCHAK_WORKERS="1", PGPORT=str(wire.port)).start()
        cut_again_and_again(world, wire, "COMMIT")
        check_all(world, ids)
        retries = processor.metrics()['dochak_processor_retries_total{part="postgres",class="connection"}']
        assert retries >= wire.cut_at_word
        processor.stop()


@pytest.mark.parametrize("word", ["EndTxn", "TxnOffsetCommit", "Produce"])
def test_a_request_of_a_transaction_whose_answer_never_came_tells_nothing_twice(
    worlds, wired_kafka: tuple[Server, Wire], postgres: Server, word: str
) -> None:
    server, wire = wired_kafka
    world = worlds.new(server, postgres)
    world.new_ingress().start().wait_ready()
    ids = post_all(world, ids_of(EVENTS))
    wire.reset()
    processor = world.new_processor(DOCHAK_BATCH_MAX_RECORDS="20", DOCHAK_WORKERS="1").start()
    processor.expected_errors = ["librdkafka"]
    world.ingress.expected_errors = ["librdkafka"]
    cut_again_and_again(world, wire, word)
    check_all(world, ids)
