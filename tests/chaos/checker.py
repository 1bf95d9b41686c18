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
    at: datetime = EPOCH  # by the provider's clock, where it says so; of the watch's, the deadline


@dataclass
class Alert:
    id: str
    type: str
    provider: str
    notification_id: str
    code: str | None
    partition: int


class Incident(NamedTuple):
    """An alert that one opens, or closes; or any alert that is about no notification."""

    type: str
    id: str  # of the incident
    provider: str | None
    subject: str | None
    scope: str | None = None
    counts: dict[str, int] = {}  # noqa: RUF012

    @property
    def key(self) -> tuple:
        return (self.type, self.provider, self.subject, self.scope)

    def __str__(self) -> str:
        return f"{self.type.removeprefix('dochak.')} {self.subject} {self.scope}"


OF_INCIDENTS = ("dochak.provider.", "dochak.endpoint.")
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
    incidents: list[Incident] = field(default_factory=list)
    folded: Counter[str] = field(default_factory=Counter)  # overdue notifications of a provider that an incident took in


# --- looking


def _receipt_name(provider: str, id_: str, code: str, element: dict) -> tuple:
    return ("receipt", provider, id_, element.get("serviceType") if provider == "bizgo" else None, code)


def _event_name(record: Record) -> tuple:
    provider, id_, element = record.header("ce_provider"), record.key.decode(), record.data
    if record.type == "dochak.notification.accepted.v1":
        return ("acceptance", provider, id_)
    if record.type == "dochak.webhook.received.v1":
        return ("other", provider, id_)
    if record.type != "dochak.receipt.received.v1":
        return (record.type, provider, id_)  # the watch's
    code = {"bizgo": element.get("reportCode"), "blux": element.get("event_type"), "standard": element.get("state")}[provider]
    return _receipt_name(provider, id_, code, element)


def _event(record: Record) -> Event:
    at = record.data.get("deadline") or record.data.get("reportTime") or record.data.get("payload", {}).get("received_at") or record.header("ce_time")
    return Event(record.partition, _event_name(record), datetime.fromisoformat(at))


def is_all_overdue_said(world: World) -> bool:
    """Once a notification was said to be overdue, its next deadline is days away."""
    return not world.sql("SELECT 1 FROM notification WHERE status = 'PENDING' AND next_look_at < now() + interval '1 day' LIMIT 1")


def look(world: World) -> Final:
    """After everything has come to rest."""
    columns = ", ".join(f"{column} AS {field}" for field, column in FIELDS.items())
    rows = world.sql(f"SELECT provider, notification_id, {columns} FROM notification")
    receipts = world.sql("SELECT provider, notification_id, outcome, code, element FROM receipt")
    alerts = world.topics.read("alerts")
    folded = world.sql("SELECT provider, sum(folded)::integer AS n FROM incident GROUP BY 1")
    return Final(
        events=[_event(record) for record in world.topics.read("events")],
        notifications={(row.pop("provider"), row.pop("notification_id")): row for row in rows},
        receipts=[(_receipt_name(r["provider"], r["notification_id"], r["code"], r["element"]), r["outcome"]) for r in receipts],
        alerts=[
            Alert(r.id, r.type, r.header("ce_provider"), r.header("ce_subject"), json.loads(r.value).get("code"), r.partition)
            for r in alerts
            if r.type in rules.IN_ORDER
        ],
        quarantined=len(world.topics.read("quarantine")),
        incidents=[_incident(r) for r in alerts if r.type not in rules.IN_ORDER],
        folded=Counter({row["provider"]: row["n"] for row in folded}),
    )


def _incident(record: Record) -> Incident:
    data = json.loads(record.value)
    of = (record.header("ce_provider"), record.header("ce_subject"))
    return Incident(record.type, data.get("incident_id", record.id), *of, data.get("scope"), data.get("counts", {}))


# --- judging


def judge(sent: Iterable[Signal], acked: Iterable[Signal], final: Final, failed: Counter[str]) -> Verdict:
    """`acked` are those of the signals that somebody was told 2xx for; `failed` is how many requests of each sender got no 2xx."""
    verdict = Verdict()
    known = {signal.name: signal for signal in sent}
    stories = _stories_in_the_log(known, final, verdict)
    in_log = {event.name for event in final.events}
    verdict.lost += [f"acknowledged, but not in the log: {name}" for name in {s.name for s in acked} - in_log]
    expected = {key: rules.after(signals) for key, signals in stories.items()}
    _compare_notifications(stories, expected, final, verdict)
    _compare_receipts({name for name in in_log & known.keys() if name[0] == "receipt"}, known, final, verdict)
    _compare_alerts(expected, final, verdict)
    _compare_overdue(expected, verdict)
    _compare_incidents([signal for signals in stories.values() for signal in signals], final, failed, verdict)
    if final.quarantined:
        verdict.wrong.append(f"{final.quarantined} records in quarantine")
    return verdict


def _stories_in_the_log(known: dict[tuple, Signal], final: Final, verdict: Verdict) -> dict[tuple[str, str], list[Signal]]:
    """What the log says of each notification, in its order."""
    stories: dict[tuple[str, str], list[Signal]] = defaultdict(list)
    partitions: dict[tuple[str, str], int] = {}
    for partition, name, at in final.events:
        key = name[1:3]
        signal = Signal(*key, "overdue") if name[0] == rules.OVERDUE else known.get(name)
        if name[0].startswith(OF_INCIDENTS):
            continue  # seen by their alerts
        if signal is None:
            verdict.wrong.append(f"in the log, but never sent: {name}")
        elif partitions.setdefault(key, partition) != partition:
            verdict.wrong.append(f"in two partitions: {name}")
        elif name[0] != "other":
            stories[key].append(replace(signal, at=at))
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
    missing = wanted.keys() - told.keys()
    verdict.lost += [f"no alert {name}" for name in missing if name[0] != rules.OVERDUE]
    _compare_folded(Counter(provider for type_, provider, _ in missing if type_ == rules.OVERDUE), final.folded, verdict)
    verdict.wrong += [f"an alert without a cause: {name}" for name in told.keys() - wanted.keys()]
    for name, alerts in told.items():
        if len(alerts) > 1:
            verdict.doubled.append(f"{len(alerts)} times alert {name}")
        if name in wanted and alerts[0].code != wanted[name]:
            verdict.wrong.append(f"alert {name} tells code {alerts[0].code}, not {wanted[name]}")
    _check_order_of_alerts(final, verdict)


def _compare_folded(silent: Counter[str], folded: Counter[str], verdict: Verdict) -> None:
    """An overdue notification has an alert, or an incident that is open counts it."""
    for provider in silent.keys() | folded.keys():
        if silent[provider] != folded[provider]:
            found = verdict.lost if silent[provider] > folded[provider] else verdict.doubled
            found.append(f"{silent[provider]} overdue notifications of {provider} have no alert, and {folded[provider]} were folded")


def _compare_overdue(expected: dict[tuple, rules.Expected], verdict: Verdict) -> None:
    for key, want in expected.items():
        verdict.wrong += [f"overdue by a deadline that it never had: {key}, {at}" for at in want.unfounded]
        if want.due and rules.OVERDUE not in want.alerts:
            verdict.lost.append(f"never said to be overdue: {key}")


def _compare_incidents(said: list[Signal], final: Final, failed: Counter[str], verdict: Verdict) -> None:
    wanted = rules.incidents(said)
    closed = [incident for incident in final.incidents if incident.type in rules.RESTORED]
    opened = [incident for incident in final.incidents if incident.type not in rules.RESTORED]
    verdict.lost += [f"no incident {key}" for key in wanted - {incident.key for incident in opened}]
    verdict.wrong += [f"an incident without a cause: {i.key}" for i in opened if i.key not in wanted and not _is_explained(i, said, failed)]
    began = {incident.id for incident in opened}
    verdict.wrong += [f"over, but never began: {incident.key}" for incident in closed if incident.id not in began]
    alerts = Counter((incident.type, incident.id) for incident in final.incidents)
    verdict.doubled += [f"{count} times alert {alert}" for alert, count in alerts.items() if count > 1]
    over = Counter(incident.key[1:] for incident in closed)
    for key, count in Counter(incident.key for incident in opened).items():
        if count > 1 + over[key[1:]]:
            verdict.doubled.append(f"{count} times incident {key}, {over[key[1:]]} times over")


def _is_explained(incident: Incident, said: list[Signal], failed: Counter[str]) -> bool:
    """By what the faults do to requests, or by a stretch of bad luck in what was sent."""
    if incident.type == rules.AT_RISK:
        return incident.counts["failed"] <= failed[incident.provider]
    if incident.type == rules.FAILING and incident.scope is None:
        sent = {signal.name for signal in said if signal.provider == incident.provider and signal.kind == "failed"}
        return incident.counts["delivered"] < incident.counts["failed"] <= len(sent)
    return False


def _check_order_of_alerts(final: Final, verdict: Verdict) -> None:
    """Who reads a partition is not told that a notification has recovered before it is told that it was lost, or overdue."""
    told: dict[tuple, list[Alert]] = defaultdict(list)
    for alert in final.alerts:
        told[alert.provider, alert.notification_id].append(alert)
    for key, alerts in told.items():
        if len({alert.partition for alert in alerts}) > 1:
            verdict.wrong.append(f"alerts in two partitions: {key}")
        elif (types := [alert.type for alert in alerts]) != sorted(types, key=rules.IN_ORDER.index):
            verdict.wrong.append(f"told in the wrong order: {key}, {types}")
