# SPDX-License-Identifier: MIT
"""One run: derives the plan from the seed, plays it, and has the outcome judged."""

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from chaos import checker, faults, traffic
from chaos.checker import Verdict
from chaos.faults import Fault
from chaos.stage import RECOVERY, Ground, Stage
from support.wait import until
from support.wires import Ambush

UNDERWAY = 3  # faults at once
LEAD = 100  # receipts between a fault's turn and the fault
SMALL_BATCH = 200  # of one seed in four: more commits to be cut off at
SLOWEST = 2 * RECOVERY  # seconds that a step of the run may take


@dataclass
class Plan:
    seed: int
    receipts: int
    faults: list[Fault]
    names: tuple[str, str]  # DOCHAK_INSTANCE of the two processors
    batch: int | None = None  # DOCHAK_BATCH_MAX_RECORDS; None: the product's own

    def __str__(self) -> str:
        named = " and ".join(name or "nameless" for name in self.names)
        batches = f"batches of {self.batch}" if self.batch else "batches as large as usual"
        head = f"seed {self.seed}: {self.receipts} receipts, processors {named}, {batches}, {len(self.faults)} faults:"
        return "\n".join([head, *map(str, self.faults)])


def derive(seed: int, receipts: int, count: int, kinds: list[faults.Kind] | None = None) -> Plan:
    names = [("one", "two"), ("", ""), ("one", "")][seed % 3]
    batch = SMALL_BATCH if seed % 4 == 3 else None
    return Plan(seed, receipts, faults.derive(seed, receipts, count, kinds), names, batch)


@dataclass
class Outcome:
    verdict: Verdict
    failures: list[str]  # what did not come back, died by itself or said what it must not
    facts: list[str] = field(default_factory=list)
    strikes: list[str] = field(default_factory=list)  # which faults struck and which did not
    logs: dict[str, str] = field(default_factory=dict)  # of everybody, unless all is good

    @property
    def is_good(self) -> bool:
        return self.verdict.is_good and not self.failures


class Director:
    """Has each fault strike where it is planned, at most UNDERWAY at once and one at a time on each target."""

    def __init__(self, stage: Stage, plan: Plan, say: Callable[[str], None]):
        self._stage = stage
        self._plan = plan
        self._say = say
        self._began = time.monotonic()
        self._underway: dict[str, threading.Thread] = {}
        self.failures: list[str] = []
        self._skipped: list[Fault] = []
        self._struck: list[Fault] = []
        self._ambushes: list[tuple[Fault, Ambush]] = []

    def play(self) -> None:
        for fault in self._plan.faults:
            self._wait_reached(fault.at)
            if self._stage.can(fault):
                self._wait_for_turn(fault)
                self._begin(fault)
            else:
                self._skipped.append(fault)
        self._stage.sender.allow(float("inf"))
        until("the last fault is over", lambda: not self._targets(), SLOWEST)

    def strikes(self) -> list[str]:
        """How many did, and which did not."""
        missed = [fault for fault, ambush in self._ambushes if not ambush.has_struck]
        struck = len(self._struck) + len(self._ambushes) - len(missed)
        return [
            *(f"skipped, since there is no small disk: {fault}" for fault in self._skipped),
            *(f"did not strike, since nobody said the word: {fault}" for fault in missed),
            f"{struck} of {len(self._plan.faults)} faults struck",
        ]

    def _wait_reached(self, receipts: int) -> None:
        sender = self._stage.sender
        sender.allow(receipts)
        until(f"{receipts} receipts are acknowledged", lambda: sender.is_done or sender.settled >= receipts, SLOWEST, every=0.001)

    def _time(self) -> str:
        return f"{time.monotonic() - self._began:6.1f} s"

    def _targets(self) -> list[str]:
        """What faults are underway on."""
        return [target for target, thread in self._underway.items() if thread.is_alive()]

    def _wait_for_turn(self, fault: Fault) -> None:
        most = 0 if fault.alone else UNDERWAY - 1
        until(f"its turn has come: {fault}", lambda: fault.kind.target not in (busy := self._targets()) and len(busy) <= most, SLOWEST)
        if fault.alone:
            began = time.monotonic()
            self._stage.wait_whole()
            if (seconds := time.monotonic() - began) > 1:
                self._say(f"{self._time()} whole after {seconds:.1f} s")

    def _begin(self, fault: Fault) -> None:
        """In the middle of the work, which may have stood still for its turn to come."""
        self._wait_reached(fault.at + LEAD)
        self._say(f"{self._time()} {fault}")
        thread = threading.Thread(target=self._strike, args=(fault,), daemon=True)
        self._underway[fault.kind.target] = thread
        thread.start()

    def _strike(self, fault: Fault) -> None:
        began = time.monotonic()
        try:
            if ambush := self._stage.strike(fault):
                self._ambushes.append((fault, ambush))
            else:
                self._struck.append(fault)
        except Exception as error:  # told when the run is over
            self.failures.append(f"{fault}: {error}")
        if (seconds := time.monotonic() - began) > fault.seconds + 1:
            self._say(f"{self._time()} over after {seconds:.1f} s: {fault.kind}")


def play(plan: Plan, ground: Ground, say: Callable[[str], None] = print) -> Outcome:
    sys.setswitchinterval(0.001)  # seconds: the sender, the wires and the director take turns
    posts = traffic.derive(plan.seed, plan.receipts)
    with Stage(ground, plan.names, plan.batch) as stage:
        began = time.monotonic()
        sender = stage.new_sender(posts, limit=0).start()
        director = Director(stage, plan, say)
        try:
            director.play()
            sender.join(SLOWEST)
            sent_after = time.monotonic() - began
            stage.settle()
        except AssertionError as error:
            verdict, failures = Verdict(lost=sender.lost, late=sender.late), [*director.failures, str(error)]
            return Outcome(verdict, failures, strikes=director.strikes(), logs=stage.logs())
        settled_after = time.monotonic() - began
        final = checker.look(stage.world)
        acked = traffic.signals(posts[number] for number in sender.acked)
        verdict = checker.judge(traffic.signals(posts), acked, final, sender.failed)
        verdict.lost += sender.lost
        verdict.late += sender.late
        facts = [
            f"{plan.receipts} receipts in {len(posts)} requests: sent in {sent_after:.0f} s, settled after {settled_after:.0f} s",
            f"answers (0: none) {dict(sender.answers)}; the slowest of an ingress that nobody disturbed took {sender.slowest:.1f} s",
            f"{len(final.events)} events, {len(final.receipts)} receipts, {len(final.alerts)} alerts, {sum(final.folded.values())} folded",
            f"{len(final.incidents)} alerts of incidents: {', '.join(sorted(map(str, final.incidents)))}",
            stage.traces(),
        ]
        outcome = Outcome(verdict, [*director.failures, *stage.end()], facts, director.strikes())
        return outcome if outcome.is_good else replace(outcome, logs=stage.logs())
