# SPDX-License-Identifier: MIT
"""The order in which a notification's events arrive decides nothing but which alerts were due on the way."""

import itertools
from datetime import datetime

import pytest

from support import payloads
from support.world import World

DEAD_LETTERED, RECOVERED = "dochak.notification.dead_lettered.v1", "dochak.notification.recovered.v1"
# first_seen_at, updated_at and version tell of the way, all else of the end.
END = """SELECT status, outcome, code, reason, contradicted_by, channel, recipient, recipient_hash, reference, accepted_at, resolved_at,
                due_at, expires_at, next_look_at FROM notification WHERE provider = %s AND notification_id = %s"""


def orders(letters: str, longest: int) -> list[str]:
    """Every sequence of these letters, repeats included, in which each stands at least once."""
    return [
        "".join(sequence)
        for length in range(len(letters), longest + 1)
        for sequence in itertools.product(letters, repeat=length)
        if set(sequence) == set(letters)
    ]


def alerts_due(order: str) -> list[str]:
    failed_first = "F" in order and ("S" not in order or order.index("F") < order.index("S"))
    return [DEAD_LETTERED, RECOVERED][: 1 + ("S" in order)] if failed_first else []


def accept(world: World, provider: str, msg_key: str, accepted_at: str) -> None:
    world.register(
        payloads.accepted(
            provider,
            msg_key,
            recipient=payloads.PHONE_E164,
            reference="order-17",
            channel="ALIMTALK",
            accepted_at=accepted_at,
        )
    )


def send(world: World, provider: str, msg_key: str, letter: str, accepted_at: str) -> None:
    if letter == "A":
        accept(world, provider, msg_key, accepted_at)
    elif provider == "blux":
        world.blux(payloads.blux_event(msg_key, delivered=letter == "S"))
    elif letter == "F":
        world.bizgo(payloads.bizgo(msg_key, "63019", "ALIMTALK", reportTime=payloads.reported(3)))
    elif letter == "S":
        world.bizgo(payloads.bizgo(msg_key, "10000", "SMS", reportTime=payloads.reported(9)))
    else:
        world.bizgo(payloads.bizgo(msg_key, "63005", "ALIMTALK", reportTime=payloads.reported(1)))


def play(world: World, provider: str, sequences: list[str], accepted_at: str) -> dict[str, str]:
    """Sends them all, one event at a time, interleaved; the sequence by its notification id."""
    by_id = {f"{provider}-{sequence}": sequence for sequence in sequences}
    for step in range(max(map(len, sequences))):
        for msg_key, sequence in by_id.items():
            if step < len(sequence):
                send(world, provider, msg_key, sequence[step], accepted_at)
    return by_id


def check(world: World, provider: str, by_id: dict[str, str]) -> None:
    world.settle()
    ends = {msg_key: world.sql(END, provider, msg_key) for msg_key in by_id}
    assert all(len(rows) == 1 for rows in ends.values())
    first = next(iter(ends.values()))[0]
    assert {msg_key: rows[0] for msg_key, rows in ends.items() if rows[0] != first} == {}, f"not the end of the others: {first}"
    told = {msg_key: [alert.type for alert in world.alerts(msg_key)] for msg_key in by_id}
    assert told == {msg_key: alerts_due(order) for msg_key, order in by_id.items()}


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({}, id="as it comes"),
        pytest.param({"DOCHAK_BATCH_MAX_RECORDS": "1"}, id="a batch for each event"),
        pytest.param({"DOCHAK_BATCH_MAX_MS": "2000"}, id="all in one batch"),
    ],
)
def test_every_order_of_acceptance_failure_and_success_ends_the_same(world: World, settings: dict[str, str]) -> None:
    world.new_ingress().start().wait_ready()
    processor = world.new_processor(**settings)
    live = not settings
    if live:
        processor.start().wait_ready()
    sequences = orders("AFS", 4)
    assert len(sequences) == 6 + 36
    accepted_at = payloads.ago(1)
    played = {provider: play(world, provider, sequences, accepted_at) for provider in ("bizgo", "blux")}
    if not live:
        processor.start()
    for provider, by_id in played.items():
        check(world, provider, by_id)
    row = world.row("bizgo", "bizgo-AFS")
    assert (row["status"], row["outcome"], row["code"], row["channel"]) == ("SENT", "delivered", "10000", "SMS")
    assert (row["contradicted_by"], row["reference"], row["recipient"]) == ("63019", "order-17", "+8210****4321")
    assert row["accepted_at"] == datetime.fromisoformat(accepted_at) and row["resolved_at"] is not None
    assert (row["due_at"], row["expires_at"], row["next_look_at"]) == (None, None, None)  # nobody waits any more
    # Whom the message went to is our application's word, whatever the provider repeats.
    assert world.row("blux", "blux-SFA")["recipient"] == "+8210****4321"


@pytest.mark.parametrize(("letters", "status", "outcome"), [("AUS", "SENT", "delivered"), ("AUF", "DEAD_LETTER", "failed")])
def test_an_uncertain_report_before_or_after_decides_nothing(dochak: World, letters: str, status: str, outcome: str) -> None:
    sequences = orders(letters, 4)
    by_id = play(dochak, "bizgo", sequences, payloads.ago(1))
    dochak.settle()
    rows = [dochak.row("bizgo", msg_key) for msg_key in by_id]
    assert {(row["status"], row["outcome"]) for row in rows} == {(status, outcome)}
    assert {(row["recipient"], row["reference"]) for row in rows} == {("+8210****4321", "order-17")}
    told = {msg_key: [alert.type for alert in dochak.alerts(msg_key)] for msg_key in by_id}
    assert told == {msg_key: alerts_due(order) for msg_key, order in by_id.items()}
