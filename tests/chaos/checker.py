# SPDX-License-Identifier: MIT
"""Whether the right thing has come out: compares what was sent with what there is in the end, and knows nothing of how it came about.

The log of events decides what depends on the order: the rules, run over it once, say which alerts there have to be.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from chaos import rules
from chaos.traffic import EPOCH, Signal
from support.topics import Record
from support.world import World


@dataclass
class Verdict:
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return ", ".join(f"{name} {len(found)}" for name, found in vars(self).items())

    @property
    def is_good(self) -> bool:
        return not any(vars(self).values())

    def examples(self, most: int = 10) -> list[str]:
        return [f"{name}: {one}" for name, found in vars(self).items() for one in found[:most]]


class Event(NamedTuple):
    partition: int
    name: tuple
    at: datetime = EPOCH  # by the provider's clock, where it says so


@dataclass
class Alert:
    id: str
    type: str
    provider: str
    notification_id: str
    code: str | None
    partition: int


FIELDS = {  # of a notification, as rules.Expected has them
    "status": "status",
    "outcome": "outcome",
    "code": "code",
    "contradicted_by": "contradicted_by",
    "accepted": "accepted_at IS NOT NULL",
    "reference": "reference",
    "recipient": "recipient",
}


@dataclass
class Final:
    """What there is in the end."""

    events: list[Event]  # each partition in its order
    notifications: dict[tuple[str, str], dict]  # by provider and id: FIELDS
    receipts: list[tuple[tuple, str]]  # name and outcome
    alerts: list[Alert]  # each partition in its order
    quarantined: int


# --- looking


def _receipt_name(provider: str, id_: str, code: str, element: dict) -> tuple:
    return ("receipt", provider, id_, element.get("serviceType") if provider == "bizgo" else None, code)


def _event_name(record: Record) -> tuple:
    provider, id_, element = record.header("ce_provider"), record.key.decode(), record.data
    if record.type == "dochak.notification.accepted.v1":
        return ("acceptance", provider, id_)
    if record.type == "dochak.webhook.received.v1":
        return ("other", provider, id_)
    code = {"bizgo": element.get("reportCode"), "blux": element.get("event_type"), "standard": element.get("state")}[provider]
    return _receipt_name(provider, id_, code, element)


def _event(record: Record) -> Event:
    at = record.data.get("reportTime") or record.data.get("payload", {}).get("received_at") or record.header("ce_time")
    return Event(record.partition, _event_name(record), datetime.fromisoformat(at))


def look(world: World) -> Final:
    """After everything has come to rest."""
    columns = ", ".join(f"{column} AS {field}" for field, column in FIELDS.items())
    rows = world.sql(f"SELECT provider, notification_id, {columns} FROM notification")
    receipts = world.sql("SELECT provider, notification_id, outcome, code, element FROM receipt")
    return Final(
        events=[_event(record) for record in world.topics.read("events")],
        notifications={(row.pop("provider"), row.pop("notification_id")): row for row in rows},
        receipts=[(_receipt_name(r["provider"], r["notification_id"], r["code"], r["element"]), r["outcome"]) for r in receipts],
        alerts=[
            Alert(r.id, r.type, r.header("ce_provider"), r.header("ce_subject"), json.loads(r.value).get("code"), r.partition)
            for r in world.topics.read("alerts")
        ],
        quarantined=len(world.topics.read("quarantine")),
    )


# --- judging


def judge(sent: Iterable[Signal], acked: Iterable[Signal], final: Final) -> Verdict:
    """`acked` are those of the signals that somebody was told 2xx for."""
    verdict = Verdict()
    known = {signal.name: signal for signal in sent}
    stories = _stories_in_the_log(known, final, verdict)
    in_log = {event.name for event in final.events}
    verdict.lost += [f"acknowledged, but not in the log: {name}" for name in {s.name for s in acked} - in_log]
    expected = {key: rules.after(signals) for key, signals in stories.items()}
    _compare_notifications(stories, expected, final, verdict)
    _compare_receipts({name for name in in_log & known.keys() if name[0] == "receipt"}, known, final, verdict)
    _compare_alerts(expected, final, verdict)
    if final.quarantined:
        verdict.wrong.append(f"{final.quarantined} records in quarantine")
    return verdict


def _stories_in_the_log(known: dict[tuple, Signal], final: Final, verdict: Verdict) -> dict[tuple[str, str], list[Signal]]:
    """What the log says of each notification, in its order."""
    stories: dict[tuple[str, str], list[Signal]] = defaultdict(list)
    partitions: dict[tuple[str, str], int] = {}
    for partition, name, at in final.events:
        key = name[1:3]
        if name not in known:
            verdict.wrong.append(f"in the log, but never sent: {name}")
        elif partitions.setdefault(key, partition) != partition:
            verdict.wrong.append(f"in two partitions: {name}")
        elif name[0] != "other":
            stories[key].append(replace(known[name], at=at))
    return stories


def _compare_notifications(stories: dict, expected: dict[tuple, rules.Expected], final: Final, verdict: Verdict) -> None:
    for key, want in expected.items():
        row = final.notifications.get(key)
        if row is None:
            verdict.lost.append(f"no notification {key}")
            continue
        in_any_order = rules.status_in_any_order({signal.kind for signal in stories[key]})
        if row["status"] != in_any_order:
            verdict.wrong.append(f"notification {key} is {row['status']}, which in any order should be {in_any_order}")
        for field_ in FIELDS:
            if row[field_] != (should := getattr(want, field_)):
                verdict.wrong.append(f"notification {key}: {field_} is {row[field_]}, which should be {should}; it is {row}")
    verdict.wrong += [f"a notification that nobody sent: {key}" for key in final.notifications.keys() - expected.keys()]


def _compare_receipts(wanted: set[tuple], known: dict[tuple, Signal], final: Final, verdict: Verdict) -> None:
    there = Counter(name for name, _ in final.receipts)
    verdict.lost += [f"no receipt {name}" for name in wanted - there.keys()]
    verdict.doubled += [f"{count} times receipt {name}" for name, count in there.items() if count > 1]
    verdict.wrong += [f"a receipt that nobody sent: {name}" for name in there.keys() - wanted]
    verdict.wrong += [
        f"receipt {name} counts as {outcome}" for name, outcome in final.receipts if name in wanted and known[name].kind != outcome
    ]


def _compare_alerts(expected: dict[tuple, rules.Expected], final: Final, verdict: Verdict) -> None:
    told: dict[tuple, list[Alert]] = defaultdict(list)
    for alert in final.alerts:
        told[alert.type, alert.provider, alert.notification_id].append(alert)
    wanted = {(type_, *key): code for key, want in expected.items() for type_, code in want.alerts.items()}
    verdict.lost += [f"no alert {name}" for name in wanted.keys() - told.keys()]
    verdict.wrong += [f"an alert without a cause: {name}" for name in told.keys() - wanted.keys()]
    for name, alerts in told.items():
        if len(alerts) > 1:
            verdict.doubled.append(f"{len(alerts)} times alert {name}")
        if name in wanted and alerts[0].code != wanted[name]:
            verdict.wrong.append(f"alert {name} tells code {alerts[0].code}, not {wanted[name]}")
    _check_order_of_alerts(final, verdict)


def _check_order_of_alerts(final: Final, verdict: Verdict) -> None:
    """Who reads a partition is not told that a notification has recovered before it is told that it was lost."""
    told: dict[tuple, list[Alert]] = defaultdict(list)
    for alert in final.alerts:
        told[alert.provider, alert.notification_id].append(alert)
    for key, alerts in told.items():
        if len({alert.partition for alert in alerts}) > 1:
            verdict.wrong.append(f"alerts in two partitions: {key}")
        elif alerts[0].type == rules.RECOVERED:
            verdict.wrong.append(f"recovered is told first: {key}")
