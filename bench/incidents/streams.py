# SPDX-License-Identifier: MIT
"""Simulated providers: how many messages they take in each minute, and which receipts come when. A stream is an array of Minute."""

import ctypes
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from watch import Minute

HOUR, DAY = 60, 1440
# Messages in each hour of a day that begins at midnight in Korea, as parts of the mean; the stream begins at 09:00 there (midnight UTC).
NIGHT_AND_DAY = (0.3, 0.15, 0.1, 0.07, 0.07, 0.1, 0.25, 0.6, 1, 1.4, 1.6, 1.6, 1.5, 1.6, 1.7, 1.7, 1.7, 1.7, 1.6, 1.6, 1.6, 1.5, 1.1, 0.7)
OFFICE = (0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.03, 0.1, 0.5, 2.2, 2.6, 2.6, 1.8, 2.4, 2.6, 2.6, 2.5, 2.2, 0.8, 0.4, 0.2, 0.1, 0.05, 0.03)
FLAT = (1,) * 24
ZONE_HOURS = 9


def poisson(rng: random.Random, mean: float) -> int:
    if mean > 30:
        return max(0, round(rng.gauss(mean, mean**0.5)))
    if mean <= 0:
        return 0
    n, rest = 0, rng.expovariate(mean)
    while rest < 1:
        n, rest = n + 1, rest + rng.expovariate(mean)
    return n


def binomial(rng: random.Random, n: int, p: float) -> int:
    if n <= 12:
        return sum(rng.random() < p for _ in range(n))
    if n * p < 10:
        return min(n, poisson(rng, n * p))
    return min(n, max(0, round(rng.gauss(n * p, (n * p * (1 - p)) ** 0.5))))


def traffic(rng: random.Random, days: int, a_day: float, profile: tuple = FLAT, weekend: float = 1, noise: float = 0) -> list[int]:
    """Messages accepted in each minute; the first day is a Monday."""
    counts = []
    for hour in range(days * 24):
        local = hour + ZONE_HOURS
        day = 1 if local // 24 % 7 < 5 else weekend
        mean = a_day / DAY * profile[local % 24] * 24 / sum(profile) * day * rng.lognormvariate(0, noise)
        counts += [poisson(rng, mean) for _ in range(HOUR)]
    return counts


@dataclass
class Share:
    """Of the messages. The rest is delivered within a minute."""

    invalid: float = 0.0  # no such number: fails at once, about the recipient
    off: float = 0.0  # handset off: fails a day later, about the recipient
    failed: float = 0.0  # for any other reason
    late: float = 0.0  # delivered after 6 to 90 minutes
    never: float = 0.0  # no receipt


@dataclass
class Fault:
    """What the provider does to the messages, or the receipts, of some minutes."""

    kind: str  # "failing", "silent", "slow", "pause"
    begin: int
    end: int
    share: float = 1.0


@dataclass
class Campaign:
    begin: int
    messages: int
    share: Share
    delivered_within: int = 40  # minutes


@dataclass
class Stream:
    rng: random.Random
    minutes: int
    faults: list[Fault] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.array = (Minute * self.minutes)()

    def receipts(self, accepted: int, delay: int, outcome: str, n: int) -> None:
        """n receipts at accepted + delay; a silent provider, or one that pauses, sends them when that is over."""
        at = accepted + delay
        for fault in self.faults:
            if fault.kind in ("silent", "pause") and fault.begin <= at < fault.end:
                at = fault.end + (self.rng.randrange(5) if fault.kind == "silent" else 0)
        if at - accepted <= 5 and accepted < self.minutes:
            self.array[accepted].in_time += n
        if at < self.minutes:
            setattr(self.array[at], outcome, getattr(self.array[at], outcome) + n)

    def spread(self, accepted: int, first: int, last: int, outcome: str, n: int) -> None:
        """As receipts(), but evenly over the delays from first to last."""
        each, rest = divmod(n, last - first + 1)
        for delay in range(first, last + 1) if each else ():
            self.receipts(accepted, delay, outcome, each)
        for _ in range(rest):
            self.receipts(accepted, self.rng.randint(first, last), outcome, 1)

    def take(self, accepted: int, n: int, share: Share, delivered_within: int = 1) -> None:
        rng, left = self.rng, n
        self.array[accepted].taken += n
        fails = sum(f.share for f in self.faults if f.kind == "failing" and f.begin <= accepted < f.end)
        slow = sum(f.share for f in self.faults if f.kind == "slow" and f.begin <= accepted < f.end)
        for p, outcome, first, last in (
            (fails, "failed", 0, 1),
            (share.never, "", 0, 0),
            (share.invalid, "recipient_fault", 0, 1),
            (share.off, "recipient_fault", DAY - 30, DAY + 30),
            (share.failed, "failed", 0, 1),
            (slow, "delivered", 15, 90),
            (share.late, "delivered", 6, 90),
        ):
            some = binomial(rng, left, p) if p else 0
            left -= some
            if outcome:
                self.spread(accepted, first, last, outcome, some)
        self.spread(accepted, 0, delivered_within, "delivered", left)


def stream_of(
    rng: random.Random, counts: list[int], share: Share, faults: Sequence[Fault] = (), campaigns: Sequence[Campaign] = ()
) -> ctypes.Array:
    stream = Stream(rng, len(counts), list(faults))
    for minute, n in enumerate(counts):
        if n:
            stream.take(minute, n, share)
    for campaign in campaigns:
        for i in range(4):  # 200 messages a second at most
            stream.take(campaign.begin + i, campaign.messages // 4, campaign.share, campaign.delivered_within)
    return stream.array


def pauses(rng: random.Random, minutes: int, a_month: float) -> list[Fault]:
    """Short ones, which are no incident."""
    begins = [rng.randrange(minutes) for _ in range(poisson(rng, a_month * minutes / (30 * DAY)))]
    return [Fault("pause", begin, begin + rng.randint(3, 8)) for begin in begins]
