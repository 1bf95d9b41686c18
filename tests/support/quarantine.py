# SPDX-License-Identifier: MIT
"""What stands in quarantine, and the alerts about it: one a day for all records of a kind."""

import re

from support.topics import Record
from support.world import World

QUARANTINED = "dochak.payload.quarantined.v1"


def alerts_by_place(world: World) -> dict[tuple, Record]:
    return {(a.data["topic"], a.data["partition"], a.data["offset"]): a for a in world.alerts() if a.type == QUARANTINED}


def kind(record: Record) -> tuple:
    """What records have in common of which the first one alone raises an alert."""
    given = dict(record.headers)  # as bytes: some are no text
    if "original_ce_type" in given:
        return ("type", given["original_ce_type"])
    return (given.get("ce_endpoint"), re.sub(r"[0-9][0-9a-fA-Fx]*", "0", re.sub('".*"', "", given["ce_reason"].decode())))


def check_told(world: World) -> None:
    """Within a day: each kind has one alert, which tells the truth about one record of it, and the others are counted."""
    records = world.topics.read("quarantine")
    told = alerts_by_place(world)
    about = [record for record in records if (record.topic, record.partition, record.offset) in told]
    kinds = [kind(record) for record in about]
    assert len(told) == len(about) and len(kinds) == len(set(kinds)), f"alerts about nothing, or twice of a kind: {kinds}"
    assert set(kinds) == {kind(record) for record in records}
    for record in about:
        data = told[record.topic, record.partition, record.offset].data
        assert (data["size_bytes"], data["reason"]) == (len(record.value or b""), record.header("ce_reason")), record
        assert (data["endpoint"], data["provider"]) == (record.header("ce_endpoint"), record.header("ce_provider")), record
    (row,) = world.sql("SELECT sum(folded)::int AS n FROM quarantine_alert")
    assert (row["n"] or 0) == len(records) - len(about)
