# SPDX-License-Identifier: MIT
"""The chaos harness in CI: one short seed, and the proof that its checker can fail."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from chaos import broken, checker, faults, rules, run, traffic
from chaos.checker import Alert, Event, Final, Incident, Verdict
from chaos.stage import Ground
from support import builds

KINDS = [
    faults.BY_NAME[name]
    for name in (
        "kill ingress",
        "kill processor-1",
        "kill kafka",
        "kill postgres",
        "freeze ingress",
        "freeze processor-2",
        "restart processor-1",
        "cut after COMMIT postgres-wire",
    )
]


@pytest.fixture(scope="module")
def ground(run_folder: Path) -> Iterator[Ground]:
    with Ground(run_folder / "chaos") as ground:
        yield ground


def show(outcome: run.Outcome) -> None:
    print("\n".join([str(outcome.verdict), *outcome.facts, *outcome.verdict.examples(), *outcome.failures, *outcome.strikes]))
    for name, log in outcome.logs.items():
        print(f"--- {name}'s log ends:\n{log[-4000:]}")


def finds(verdict: Verdict, found: str, text: str) -> bool:
    return any(text in one for one in getattr(verdict, found))


@pytest.mark.long
@pytest.mark.usefixtures("plain_build")
def test_nothing_is_lost_doubled_wrong_or_late_whatever_dies(ground: Ground) -> None:
    plan = run.derive(seed=3, receipts=3000, count=len(KINDS), kinds=KINDS)
    print(plan)
    outcome = run.play(plan, ground)
    show(outcome)
    assert outcome.is_good
    assert outcome.strikes == [f"{len(KINDS)} of {len(KINDS)} faults struck"]


@pytest.mark.usefixtures("plain_build")
@pytest.mark.parametrize(
    ("name", "found", "text"), [("offsets", "doubled", "times alert"), ("row", "lost", "acknowledged, but not in the log")]
)
def test_a_build_that_is_broken_is_found_out(ground: Ground, monkeypatch: pytest.MonkeyPatch, name: str, found: str, text: str) -> None:
    """By what it does wrong, and by nothing that befell the run. A fault may strike where it does no harm, so there are more seeds."""
    monkeypatch.setattr(builds, "BIN_DIR", broken.build(name))
    for seed in range(1, 6):
        outcome = run.play(broken.derive(name, seed), ground)
        show(outcome)
        assert not outcome.failures
        if finds(outcome.verdict, found, text):
            return
    pytest.fail(f"five runs found nothing of {name}")


# --- the plan


def test_a_seed_is_a_plan() -> None:
    assert str(run.derive(7, 5000, 50)) == str(run.derive(7, 5000, 50)) != str(run.derive(8, 5000, 50))
    assert traffic.derive(7, 5000) == traffic.derive(7, 5000)
    assert sum(post.receipts for post in traffic.derive(7, 5000)) == 5000


# --- the checker, fed with an end that was doctored

SENT = list(traffic.signals(traffic.derive(1, 500)))


def right_end() -> Final:
    """What a system that never fails leaves behind."""
    stories = defaultdict(list)
    for signal in SENT:
        if signal.kind != "other":
            stories[signal.provider, signal.id].append(signal)
    overdue = [replace(said[0], kind="overdue", at=due) for said in stories.values() if (due := rules.after(said).due)]
    for signal in overdue:
        stories[signal.provider, signal.id].append(signal)
    expected = {key: rules.after(signals) for key, signals in stories.items()}
    alerts = [(type_, *key, code, hash(key) % 4) for key, want in expected.items() for type_, code in want.alerts.items()]
    return Final(
        events=[
            *(Event(hash(signal.id) % 4, signal.name) for signal in SENT),
            *(Event(hash(signal.id) % 4, (rules.OVERDUE, signal.provider, signal.id), signal.at) for signal in overdue),
        ],
        notifications={key: {field: getattr(want, field) for field in checker.FIELDS} for key, want in expected.items()},
        receipts=[(name, kind) for name, kind in {signal.name: signal.kind for signal in SENT if signal.is_receipt}.items()],
        alerts=[Alert(f"id-{number}", *alert) for number, alert in enumerate(alerts)],
        quarantined=0,
        incidents=[Incident(type_, f"id-{n}", *of) for n, (type_, *of) in enumerate(sorted(rules.incidents(SENT)))],
    )


def judge(final: Final) -> Verdict:
    return checker.judge(SENT, SENT, final, Counter({"bizgo": 500}))


def test_the_checker_has_nothing_to_say_about_the_right_end() -> None:
    verdict = judge(right_end())
    assert verdict.is_good, verdict.examples()


def _forget_event(final: Final) -> None:
    name = final.receipts[0][0]
    final.events = [event for event in final.events if event.name != name]


def _changer(field: str, from_: object, to: object) -> Callable[[Final], None]:
    """Of one notification, where the field is so; ...: anything."""

    def change(final: Final) -> None:
        next(row for row in final.notifications.values() if row[field] == from_ or (from_ is ... and row[field]))[field] = to

    return change


def _first_recovered(final: Final) -> int:
    return next(number for number, alert in enumerate(final.alerts) if alert.type == rules.RECOVERED)


def _tell_recovered_first(final: Final) -> None:
    final.alerts.insert(0, final.alerts.pop(_first_recovered(final)))


def _tell_elsewhere(final: Final) -> None:
    final.alerts[_first_recovered(final)].partition = 9


def _overdue(final: Final) -> int:
    """Which event is the last that says so."""
    return max(number for number, event in enumerate(final.events) if event.name[0] == rules.OVERDUE)


def _say_overdue_early(final: Final) -> None:
    event = final.events[_overdue(final)]
    final.events[_overdue(final)] = event._replace(at=event.at - timedelta(seconds=1))


def _fold(final: Final) -> None:
    """Takes an alert away."""
    alert = next(alert for alert in final.alerts if alert.type == rules.OVERDUE)
    final.alerts.remove(alert)
    final.folded[alert.provider] += 1


def _fold_twice(final: Final) -> None:
    _fold(final)
    final.folded.update(dict.fromkeys(final.folded, 1))


def _adder(type_: str, id_: str, *of: object) -> Callable[[Final], None]:
    return lambda final: final.incidents.append(Incident(type_, id_, *of))


ACCOUNT = ("bizgo", "bizgo/alimtalk", "account")
OVER = rules.RESTORED[0]


def _move(final: Final) -> None:
    repeated = next(name for _, name, _ in final.events if sum(event.name == name for event in final.events) > 1)
    at = next(number for number, event in enumerate(final.events) if event.name == repeated)
    final.events[at] = Event(9, repeated)


@pytest.mark.parametrize(
    ("doctor", "found", "text"),
    [
        (_forget_event, "lost", "acknowledged, but not in the log"),
        (lambda final: final.receipts.pop(), "lost", "no receipt"),
        (lambda final: final.alerts.pop(), "lost", "no alert"),
        (lambda final: final.notifications.popitem(), "lost", "no notification"),
        (lambda final: final.alerts.append(final.alerts[0]), "doubled", "2 times alert"),
        (lambda final: final.alerts.append(replace(final.alerts[0], id="another")), "doubled", "2 times alert"),
        (lambda final: final.receipts.append(final.receipts[0]), "doubled", "2 times receipt"),
        (_changer("status", "SENT", "DEAD_LETTER"), "wrong", "which in any order should be SENT"),
        (_changer("status", "SENT", "DEAD_LETTER"), "wrong", "status is DEAD_LETTER, which should be SENT"),
        (_changer("outcome", "failed", "account_fault"), "wrong", "outcome is account_fault, which should be failed"),
        (_changer("code", ..., "0"), "wrong", "code is 0"),
        (_changer("contradicted_by", ..., None), "wrong", "contradicted_by is None"),
        (_changer("contradicted_by", None, "0"), "wrong", "contradicted_by is 0, which should be None"),
        (_changer("accepted", True, False), "wrong", "accepted is False"),
        (_changer("accepted", False, True), "wrong", "accepted is True"),
        (_changer("reference", ..., None), "wrong", "reference is None"),
        (_changer("reference", None, "order-of-another"), "wrong", "reference is order-of-another"),
        (_changer("recipient", "+8210****4321", "010****5678"), "wrong", "recipient is 010****5678"),
        (_changer("recipient", None, "+8210****4321"), "wrong", "recipient is +8210****4321"),
        (_tell_recovered_first, "wrong", "told in the wrong order"),
        (lambda final: final.events.pop(_overdue(final)), "lost", "never said to be overdue"),
        (_say_overdue_early, "wrong", "a deadline that it never had"),
        (_fold_twice, "doubled", "2 were folded"),
        (lambda final: final.incidents.pop(), "lost", "no incident"),
        (lambda final: final.incidents.append(final.incidents[0]), "doubled", "2 times alert"),
        (_adder(rules.FAILING, "another", *ACCOUNT), "doubled", "2 times incident"),
        (_adder(OVER, "another", *ACCOUNT), "wrong", "over, but never began"),
        (_adder("dochak.provider.silent.v1", "x", "bizgo", "bizgo"), "wrong", "an incident without a cause"),
        (_adder("dochak.events.lost.v1", "x", None, None), "wrong", "an incident without a cause"),
        (_adder(rules.AT_RISK, "x", "bizgo", "bizgo", "half", {"failed": 501}), "wrong", "an incident without a cause"),
        (_adder(rules.FAILING, "x", "bizgo", "bizgo", None, {"failed": 20, "delivered": 20}), "wrong", "an incident without a cause"),
        (_tell_elsewhere, "wrong", "alerts in two partitions"),
        (_move, "wrong", "in two partitions"),
        (lambda final: final.alerts.append(Alert("id", rules.RECOVERED, "blux", "nobody", None, 0)), "wrong", "an alert without a cause"),
        (lambda final: final.notifications.update({("blux", "nobody"): {}}), "wrong", "a notification that nobody sent"),
        (lambda final: final.events.append(Event(0, ("receipt", "blux", "nobody", None, ""))), "wrong", "in the log, but never sent"),
        (lambda final: setattr(final, "quarantined", 1), "wrong", "in quarantine"),
    ],
)
def test_the_checker_finds_what_is_not_right(doctor: Callable[[Final], object], found: str, text: str) -> None:
    final = right_end()
    doctor(final)
    verdict = judge(final)
    assert finds(verdict, found, text), verdict.examples()


@pytest.mark.parametrize(
    "doctor",
    [
        _fold,
        _adder(OVER, "id-0", *ACCOUNT),
        _adder(rules.AT_RISK, "x", "bizgo", "bizgo", "half", {"failed": 500}),
        _adder(rules.FAILING, "x", "bizgo", "bizgo", None, {"failed": 21, "delivered": 20}),
    ],
    ids=["folded", "over", "at risk", "bad luck"],
)
def test_what_has_its_cause_is_right(doctor: Callable[[Final], object]) -> None:
    final = right_end()
    doctor(final)
    verdict = judge(final)
    assert verdict.is_good, verdict.examples()


def test_a_fallback_ends_the_same_in_either_order_but_is_told_only_when_it_failed_first() -> None:
    failed, delivered = (
        traffic.Signal("bizgo", "x", kind, code, channel)
        for kind, code, channel in (("failed", "1", "ALIMTALK"), ("delivered", "2", "SMS"))
    )
    assert [(rules.after(order).status, list(rules.after(order).alerts)) for order in ([failed, delivered], [delivered, failed])] == [
        ("SENT", [rules.DEAD_LETTERED, rules.RECOVERED]),
        ("SENT", []),
    ]
