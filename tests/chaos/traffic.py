# SPDX-License-Identifier: MIT
"""What is sent in a run, and in which order: a function of the seed and nothing else.

A story is all that is said about one notification. Stories overlap: what belongs to one is shuffled among its neighbours, an
acceptance may come two thousand places after its receipts, and of all requests one in twenty comes again.
"""

import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from support import builds, payloads

EPOCH = datetime.fromtimestamp(0, UTC)
REPEATED = 0.05
ACCEPTED = 0.6  # of the notifications are registered by our application as well
LATE = 0.3  # of the acceptances come after the receipt
NEARBY, FAR = 50, 2000  # places

RECEIPTS = ("delivered", "failed", "account_fault", "unconfirmed")
CODES = {
    "bizgo": {
        "delivered": ["10000"],
        "failed": ["22003", "23001", "63001"],
        "account_fault": ["64008"],
        "unconfirmed": ["63005"],
        "rejected": ["B101"],
        "other": [""],
    },
    "blux": {"delivered": ["notification:sms:received"], "failed": ["notification:sms:receive_failed"]},
    "standard": {
        "delivered": ["delivered"],
        "failed": ["bounced", "blocked"],
        "account_fault": ["suspended"],
        "unconfirmed": ["deferred"],
    },
}
# What becomes of a notification, and how often. bizgo's channels are those of a fallback: ALIMTALK, then SMS.
STORIES: list[tuple[int, tuple[str, ...]]] = [
    (50, ("delivered",)),
    (18, ("failed",)),
    (3, ("account_fault",)),
    (10, ("failed", "delivered")),
    (4, ("failed", "failed")),
    (2, ("account_fault", "failed")),
    (3, ("unconfirmed",)),
    (3, ("unconfirmed", "delivered")),
    (2, ("unconfirmed", "failed")),
    (2, ("rejected",)),
    (1, ("rejected", "delivered")),
    (3, ()),  # accepted, and never heard of again
    (1, ("other",)),  # a message from a handset, at the same address
]
CHANNELS = ("ALIMTALK", "SMS", "SMS")
PROVIDERS = {"bizgo": 5, "blux": 3, "standard": 2}
ENDPOINTS = {"bizgo": "bizgo/alimtalk", "blux": "blux/sms", "standard": "standard/hooks"}
RECEIPT_WITHIN_S = 5  # of all providers: soon, so that in each run some receipts are overdue
RECIPIENT = (payloads.PHONE_E164, "+8210****4321")  # whom our application writes to, and as it may be kept
REPORTED = {"blux": "010****5678"}  # whom a provider's receipts name, where they do
TOGETHER = {"blux": 5, "standard": 3, "application": 10}  # at most so many in one request


@dataclass(frozen=True)
class Signal:
    """One thing said about one notification."""

    provider: str
    id: str
    kind: str  # one of RECEIPTS, "accepted", "rejected", "other"; of the watch, "overdue"
    code: str | None = None
    channel: str | None = None
    at: datetime = EPOCH  # when it was so, as the log has it; unknown before. Of "overdue": the deadline

    @property
    def is_receipt(self) -> bool:
        return self.kind in RECEIPTS

    @property
    def name(self) -> tuple:
        """What makes it the same when it is said again."""
        if self.is_receipt:
            return ("receipt", self.provider, self.id, self.channel, self.code)
        return ("other" if self.kind == "other" else "acceptance", self.provider, self.id)

    @property
    def is_acceptance(self) -> bool:
        return self.kind in ("accepted", "rejected")

    @property
    def reference(self) -> str | None:
        return f"order-{self.id}" if self.is_acceptance else None

    @property
    def sender(self) -> str:
        return "application" if self.is_acceptance else self.provider


@dataclass(frozen=True)
class Post:
    """One request, however often it takes."""

    sender: str  # a provider, or "application"
    signals: tuple[Signal, ...]
    luck: float  # where in their ranges its re-sends lie
    repeat: bool = False  # the sender has it acknowledged already, perhaps, and sends it none the less

    @property
    def body(self) -> bytes:
        return payloads.to_bytes(BODIES[self.sender](self.signals))

    @property
    def receipts(self) -> int:
        return 0 if self.repeat else sum(signal.is_receipt for signal in self.signals)


def provider_files() -> dict[str, dict]:
    """By name."""
    paths = [*(builds.ROOT / "schemas" / "providers").glob("*.json"), Path(__file__).parent / "providers" / "standard.json"]
    files = {path.stem: json.loads(path.read_text("utf-8")) for path in paths}
    for file in files.values():
        file["expects"] = {**file.get("expects", {}), "receipt_within_s": RECEIPT_WITHIN_S}
    return files


def signals(posts: Iterable[Post]) -> Iterator[Signal]:
    return (signal for post in posts for signal in post.signals)


# --- as they are spelled


def _bizgo(signals: tuple[Signal, ...]) -> dict:
    (signal,) = signals
    if signal.kind == "other":
        return {"msgKey": signal.id, "serviceType": "MO", "text": payloads.BODY_MARK}
    return payloads.bizgo(signal.id, signal.code, signal.channel)


def _registration(signal: Signal) -> dict:
    more = {"recipient": RECIPIENT[0], "reference": signal.reference}
    if signal.kind == "rejected":
        return payloads.sent(signal.provider, {"code": signal.code, "result": "refused", "msgKey": signal.id}, **more)
    if signal.provider == "bizgo":
        return payloads.sent("bizgo", {"code": "A000", "msgKey": signal.id}, **more)
    return payloads.accepted(signal.provider, signal.id, **more)


BODIES = {
    "bizgo": _bizgo,
    "blux": lambda signals: payloads.blux(*(payloads.blux_event(signal.id, signal.kind == "delivered") for signal in signals)),
    "standard": lambda signals: {"type": "message.result", "data": [{"id": s.id, "state": s.code} for s in signals]},
    "application": lambda signals: [_registration(signal) for signal in signals],
}


# --- from the seed


def _signals(chance: random.Random, provider: str, id_: str, kinds: tuple[str, ...]) -> list[Signal]:
    """Codes of one kind differ: where the channel is no part of a receipt's name, the code tells two receipts apart."""
    codes = {kind: chance.sample(CODES[provider][kind], kinds.count(kind)) for kind in sorted(set(kinds))}
    channels = iter(CHANNELS)
    return [
        Signal(provider, id_, kind, codes[kind].pop(), next(channels) if provider == "bizgo" and kind in RECEIPTS else None)
        for kind in kinds
    ]


def _can_tell(provider: str, kinds: tuple[str, ...]) -> bool:
    return all(len(CODES[provider].get(kind, [])) >= kinds.count(kind) for kind in kinds)


def _stories(chance: random.Random, seed: int, receipts: int) -> Iterator[list[Signal]]:
    """The signals of one notification after another, the acceptance first, until there are so many receipts."""
    told = number = 0
    possible = {p: [(weight, kinds) for weight, kinds in STORIES if _can_tell(p, kinds)] for p in PROVIDERS}
    while told < receipts:
        number += 1
        (provider,) = chance.choices(list(PROVIDERS), list(PROVIDERS.values()))
        ((_, kinds),) = chance.choices(possible[provider], [weight for weight, _ in possible[provider]])
        if told + len(kinds) > receipts:
            kinds = ("delivered",)
        signals = _signals(chance, provider, f"s{seed}-{number:07}", kinds)
        if not kinds or (chance.random() < ACCEPTED and not {"rejected", "other"} & set(kinds)):
            signals.insert(0, Signal(provider, signals[0].id if signals else f"s{seed}-{number:07}", "accepted"))
        told += sum(signal.is_receipt for signal in signals)
        yield signals


def _place(chance: random.Random, story: int, signal: Signal) -> float:
    """Where in the run a signal is sent; story after story, were there no shuffling."""
    if signal.sender == "application":
        return story + chance.uniform(0, FAR) if chance.random() < LATE else story - chance.uniform(0, NEARBY)
    return story + chance.uniform(0, NEARBY)


def _together(chance: random.Random, signals: Iterable[Signal]) -> Iterator[tuple[Signal, ...]]:
    """Some share a request with those of their sender that come next."""
    waiting: dict[str, list[Signal]] = {}
    room: dict[str, int] = {}
    for signal in signals:
        sender = signal.sender
        if sender not in waiting:
            room[sender] = chance.randint(1, TOGETHER.get(sender, 1))
        waiting.setdefault(sender, []).append(signal)
        if len(waiting[sender]) >= room[sender]:
            yield tuple(waiting.pop(sender))
    yield from map(tuple, waiting.values())


def derive(seed: int, receipts: int) -> list[Post]:
    """All requests in the order in which they are first sent."""
    chance = random.Random(f"traffic {seed}")
    placed = [(_place(chance, number, signal), signal) for number, story in enumerate(_stories(chance, seed, receipts)) for signal in story]
    placed.sort(key=lambda pair: pair[0])
    posts = [Post(signals[0].sender, signals, chance.random()) for signals in _together(chance, (signal for _, signal in placed))]
    order = [(float(place), post) for place, post in enumerate(posts)]
    for place, post in enumerate(posts):
        if chance.random() < REPEATED:
            order.append((place + chance.uniform(1, FAR / 2), Post(post.sender, post.signals, chance.random(), repeat=True)))
    order.sort(key=lambda pair: pair[0])
    return [post for _, post in order]
