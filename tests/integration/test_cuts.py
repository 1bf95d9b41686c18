# SPDX-License-Identifier: MIT
"""A connection is cut in place of the answer that would say whether it happened, or swallows everything: nobody guesses, it is looked up."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from support.servers import QUICK_JAVA, Server
from support.thirds import check_all, ids_of, post_all
from support.wires import Wire
from support.world import free_port

pytestmark = pytest.mark.long

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


def cut_the_next(wire: Wire, word: str) -> None:
    wire.reset()
    for _ in range(ROUNDS):
        wire.cut_after(word)


def test_a_commit_whose_answer_never_came_is_looked_up(worlds, kafka: Server, postgres: Server) -> None:
    world = worlds.new(kafka, postgres)
    world.new_ingress().start().wait_ready()
    ids = post_all(world, ids_of(EVENTS))
    with wired(postgres.port) as wire:
        cut_the_next(wire, "COMMIT")
        processor = world.new_processor(DOCHAK_BATCH_MAX_RECORDS="20", DOCHAK_WORKERS="1", PGPORT=str(wire.port)).start()
        check_all(world, ids)
        assert wire.cut_at_word == ROUNDS
        retries = processor.metrics()['dochak_processor_retries_total{part="postgres",class="connection"}']
        assert retries >= ROUNDS
        processor.stop()


@pytest.mark.parametrize("word", ["EndTxn", "TxnOffsetCommit", "Produce"])
def test_a_request_of_a_transaction_whose_answer_never_came_tells_nothing_twice(
    worlds, wired_kafka: tuple[Server, Wire], postgres: Server, word: str
) -> None:
    server, wire = wired_kafka
    world = worlds.new(server, postgres)
    world.new_ingress().start().wait_ready()
    ids = post_all(world, ids_of(EVENTS))
    cut_the_next(wire, word)
    processor = world.new_processor(DOCHAK_BATCH_MAX_RECORDS="20", DOCHAK_WORKERS="1").start()
    processor.expected_errors = ["librdkafka"]
    world.ingress.expected_errors = ["librdkafka"]
    check_all(world, ids)
    assert wire.cut_at_word == ROUNDS
