# SPDX-License-Identifier: MIT
"""What has to become of a notification: the status rules of processor/rules/ledger.c, written down a second time and on their own."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from chaos.traffic import EPOCH, RECIPIENT, REPORTED, Signal

DEAD_LETTERED, RECOVERED = "dochak.notification.dead_lettered.v1", "dochak.notification.recovered.v1"

# status and signal → the next status, and whether the signal decides: then the row's outcome and code are its. Where the status stays
# what it is, one that decides must also be earlier than what has decided; at the same time, have the lesser code.
RULES: dict[tuple[str | None, str], tuple[str, bool]] = {
    (None, "accepted"): ("PENDING", False),
    (None, "rejected"): ("DEAD_LETTER", True),
    (None, "delivered"): ("SENT", True),
    (None, "failed"): ("DEAD_LETTER", True),
    (None, "unconfirmed"): ("PENDING", True),
    ("PENDING", "accepted"): ("PENDING", False),
    ("PENDING", "rejected"): ("DEAD_LETTER", True),
    ("PENDING", "delivered"): ("SENT", True),
    ("PENDING", "failed"): ("DEAD_LETTER", True),
    ("PENDING", "unconfirmed"): ("PENDING", True),
    ("SENT", "accepted"): ("SENT", False),
    ("SENT", "rejected"): ("SENT", False),
    ("SENT", "delivered"): ("SENT", True),
    ("SENT", "failed"): ("SENT", False),
    ("SENT", "unconfirmed"): ("SENT", False),
    ("DEAD_LETTER", "accepted"): ("DEAD_LETTER", False),
    ("DEAD_LETTER", "rejected"): ("DEAD_LETTER", True),
    ("DEAD_LETTER", "delivered"): ("SENT", True),
    ("DEAD_LETTER", "failed"): ("DEAD_LETTER", True),
    ("DEAD_LETTER", "unconfirmed"): ("DEAD_LETTER", False),
}
ALERTS = {
    (None, "DEAD_LETTER"): DEAD_LETTERED,
    ("PENDING", "DEAD_LETTER"): DEAD_LETTERED,
    ("DEAD_LETTER", "SENT"): RECOVERED,
}


# Where the status is SENT in the end: whose code said that it did not arrive.
CONTRADICTS = {
    ("DEAD_LETTER", "delivered"): "the row's",
    ("SENT", "failed"): "the signal's",
    ("SENT", "rejected"): "the signal's",
}


@dataclass
class Expected:
    status: str | None = None
    outcome: str | None = None
    code: str | None = None
    contradicted_by: str | None = None
    accepted: bool = False  # by the send API, at some time
    reference: str | None = None
    recipient: str | None = None  # masked
    decided: tuple[datetime, str] = (EPOCH, "")  # when, and by which code
    alerts: dict[str, str] = field(default_factory=dict)  # type → the code it tells


def after(signals: Iterable[Signal]) -> Expected:
    """In the order of the log; a receipt that comes again says nothing new."""
    expected, seen = Expected(), set()
    for signal in signals:
        if signal.is_receipt and signal.name in seen:
            continue
        seen.add(signal.name)
        before = expected.status
        kind = "failed" if signal.kind == "account_fault" else signal.kind
        expected.status, decides = RULES[before, kind]
        if whose := CONTRADICTS.get((before, kind)):
            expected.contradicted_by = expected.code if whose == "the row's" else signal.code
        _merge(expected, signal)
        decided = (signal.at, signal.code or "")
        if decides and (expected.status != before or before == "PENDING" or decided < expected.decided):
            expected.outcome, expected.code, expected.decided = signal.kind, signal.code, decided
        if alert := ALERTS.get((before, expected.status)):
            expected.alerts[alert] = expected.code
    return expected


def _merge(expected: Expected, signal: Signal) -> None:
    """What our application says of whom it wrote to counts for more than what a receipt repeats, whichever comes first."""
    if signal.is_acceptance:
        expected.accepted |= signal.kind == "accepted"
        expected.reference, expected.recipient = signal.reference, RECIPIENT[1]
    elif expected.recipient is None:
        expected.recipient = REPORTED.get(signal.provider)


def status_in_any_order(kinds: set[str]) -> str:
    """Of all that was said about a notification, whoever said it first."""
    if "delivered" in kinds:
        return "SENT"
    return "DEAD_LETTER" if kinds & {"failed", "account_fault", "rejected"} else "PENDING"
