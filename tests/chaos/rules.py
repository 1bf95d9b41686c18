# SPDX-License-Identifier: MIT
"""What has to become of a notification: the status rules of processor/rules/ledger.c, written down a second time and on their own; and
which incidents of a provider there have to be."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from chaos.traffic import ENDPOINTS, EPOCH, RECEIPT_WITHIN_S, RECIPIENT, REPORTED, Signal

OVERDUE, DEAD_LETTERED, RECOVERED = IN_ORDER = [f"dochak.notification.{name}.v1" for name in ("overdue", "dead_lettered", "recovered")]
FAILING, AT_RISK = "dochak.provider.failing.v1", "dochak.endpoint.at_risk.v1"
RESTORED = ("dochak.provider.restored.v1", "dochak.endpoint.restored.v1")

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
    accepted_at: datetime | None = None
    unconfirmed_at: datetime | None = None
    deadlines: set[datetime] = field(default_factory=set)  # each that it had while it was open
    unfounded: list[datetime] = field(default_factory=list)  # deadlines that were said to have passed, and that it never had
    alerts: dict[str, str] = field(default_factory=dict)  # type → the code it tells

    @property
    def due(self) -> datetime | None:
        """When a receipt is due. None: no longer, or it may take longer than any run."""
        if self.status != "PENDING" or self.unconfirmed_at:
            return None
        return self.accepted_at and self.accepted_at + timedelta(seconds=RECEIPT_WITHIN_S)


def after(signals: Iterable[Signal]) -> Expected:
    """In the order of the log; a receipt that comes again says nothing new."""
    expected, seen = Expected(), set()
    for signal in signals:
        if signal.is_receipt and signal.name in seen:
            continue
        if signal.kind == "overdue":
            _say_overdue(expected, signal)
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
        if expected.due:
            expected.deadlines.add(expected.due)
    return expected


def _say_overdue(expected: Expected, signal: Signal) -> None:
    """Once, and only if that is the deadline still."""
    if signal.at not in expected.deadlines:
        expected.unfounded.append(signal.at)
    elif expected.due and signal.at >= expected.due:
        expected.alerts.setdefault(OVERDUE, expected.code)


def _merge(expected: Expected, signal: Signal) -> None:
    """What our application says of whom it wrote to counts for more than what a receipt repeats, whichever comes first."""
    if signal.is_acceptance:
        expected.accepted |= signal.kind == "accepted"
        expected.reference, expected.recipient = signal.reference, RECIPIENT[1]
        if signal.kind == "accepted":
            expected.accepted_at = min(expected.accepted_at or signal.at, signal.at)
    elif expected.recipient is None:
        expected.recipient = REPORTED.get(signal.provider)
    if signal.kind == "unconfirmed":
        expected.unconfirmed_at = max(expected.unconfirmed_at or signal.at, signal.at)


def status_in_any_order(kinds: set[str]) -> str:
    """Of all that was said about a notification, whoever said it first."""
    if "delivered" in kinds:
        return "SENT"
    return "DEAD_LETTER" if kinds & {"failed", "account_fault", "rejected"} else "PENDING"


def incidents(signals: Iterable[Signal]) -> set[tuple[str, str, str, str]]:
    """Type, provider, endpoint and scope: the first account fault says that the next messages of the account fail, too."""
    return {(FAILING, signal.provider, ENDPOINTS[signal.provider], "account") for signal in signals if signal.kind == "account_fault"}
