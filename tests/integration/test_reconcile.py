# SPDX-License-Identifier: MIT
"""Results that BizGo's webhooks did not bring are asked for, in both forms of its API, however it fails; and nothing is told."""

import json
import re
import secrets
import signal
import subprocess
from collections import Counter

import pytest

from support import builds, payloads
from support.processes import watching
from support.provider_apis import BUSY, FAULTS, Answer, BizGo, Twilio, report
from support.reconciles import OVERDUE_AT_ONCE, Asking, check_statuses, decided, end, has, kill_after, lose, lost, register, wait_overdue
from support.replays import count, everything
from support.secure import Authority
from support.service import run_once
from support.wait import until, until_equal
from support.world import World

DEAD, RECOVERED, OVERDUE = (f"dochak.notification.{name}.v1" for name in ("dead_lettered", "recovered", "overdue"))


def check_alerts(world: World, statuses: dict[str, str]) -> None:
    """Each once: about every dead letter, and about what had failed on its first channel only if that was recovered, too."""
    alerts = Counter((alert.header("ce_subject"), alert.type) for alert in world.notification_alerts())
    assert set(alerts.values()) == {1}, alerts.most_common(3)
    dead, recovered = ({id_ for id_, type_ in alerts if type_ == kind} for kind in (DEAD, RECOVERED))
    assert dead - recovered == {id_ for id_, status in statuses.items() if status == "DEAD_LETTER"} and recovered <= dead


# --- the way of it


@pytest.mark.parametrize("form", ["v2", "v1"])
def test_what_webhooks_did_not_bring_is_asked_for(world: World, bizgo: BizGo, form: str) -> None:
    asking, statuses = lost(world, bizgo, 25, form)
    done = asking.run("--overdue")
    assert re.search("25 asked for: 20 with a result, 5 without one yet, 0 without a usable answer; 20 differed", done.stdout), done
    assert re.search(r"bizgo +PENDING +SENT delivered 10000 +10 ", done.stdout), done
    check_statuses(world, statuses)
    check_alerts(world, statuses)
    assert sorted(bizgo.asked) == sorted(statuses) and bizgo.tokens_given == (form == "v1")

    # The webhooks come after all.
    before = decided(world)
    for id_, reports in bizgo.reports.items():
        for one in reports:
            world.bizgo(one)
    assert decided(world) == before

    # And asking again brings nothing new.
    asked = len(bizgo.asked)
    assert asking.sums("--overdue") == {
        "questions": 5, "found": 0, "nothing": 5, "unclear": 0, "too_old": 0, "differences": 0, "requests": 5 + (form == "v1"),
    }  # fmt: skip
    assert len(bizgo.asked) == asked + 5


def test_what_was_asked_for_is_no_sign_that_webhooks_come(world: World, bizgo: BizGo) -> None:
    asking, statuses = lost(world, bizgo, 10)
    asking.run("--overdue")
    check_statuses(world, statuses)
    lines = (builds.ROOT / "processor/tables/watch_counts.sql").read_text().splitlines()
    statement = "\n".join(line for line in lines if not line.startswith("--")).replace("$1", "%s").replace("$2", "%s")

    def signs() -> set[str]:
        return {row["outcome"] for row in world.sql(statement, "2020-01-01", "2100-01-01")} - {"taken", "in_time"}

    assert signs() == set() and world.sql("SELECT DISTINCT endpoint FROM receipt") == [{"endpoint": None}]
    world.bizgo(payloads.bizgo("by-webhook", "10000"))
    world.settle()
    assert signs() == {"delivered"}


def test_a_dry_run_writes_nothing(world: World, bizgo: BizGo) -> None:
    asking, statuses = lost(world, bizgo, 10)
    before, events = everything(world), len(world.records("events"))
    done = asking.run("--overdue", "--dry-run")
    assert "8 differ;" in done.stdout, done
    assert everything(world) == before and len(world.records("events")) == events
    assert count(world, "ask_run") == count(world, "ask_question") == 0
    asking.run("--overdue")
    check_statuses(world, statuses)


def test_a_time_of_acceptance_is_asked_for(world: World, bizgo: BizGo) -> None:
    """Also what was given up meanwhile; what has a result only with --all."""
    asking = Asking(world, bizgo, "v2", expects={"receipt_within_s": 1, "expires_after_s": 3}).start()
    given_up, known = payloads.new_id(), payloads.new_id()
    register(world, [given_up, known])
    world.bizgo(payloads.bizgo(known, "63019"))
    world.wait_row("bizgo", given_up, status="DEAD_LETTER", outcome="expired")
    bizgo.reports = {given_up: [report(given_up, "10000")], known: [report(known, "63019"), report(known, "10000", "SMS")]}
    assert asking.sums("--since", payloads.ago(600), "--until", payloads.ago(300))["questions"] == 0
    assert asking.sums("--since", payloads.ago(600)) | {"requests": 0} == {
        "questions": 1, "found": 1, "nothing": 0, "unclear": 0, "too_old": 0, "differences": 1, "requests": 0,
    }  # fmt: skip
    world.wait_row("bizgo", given_up, status="SENT")
    assert world.row("bizgo", known)["status"] == "DEAD_LETTER"
    assert asking.sums("--since", payloads.ago(600), "--all")["differences"] == 1
    world.wait_row("bizgo", known, status="SENT")


def test_what_the_provider_has_forgotten_is_not_asked_for(world: World, bizgo: BizGo) -> None:
    asking, _ = lost(world, bizgo, 5)
    (old,) = world.sql("SELECT min(notification_id) AS id FROM notification")
    world.sql("UPDATE notification SET accepted_at = now() - interval '31 days' WHERE notification_id = %s", old["id"])
    sums = asking.sums("--overdue", "--dry-run")
    assert (sums["questions"], sums["too_old"]) == (4, 1) and old["id"] not in bizgo.asked


# --- when it fails


@pytest.mark.long
def test_answers_that_fail_are_asked_for_again(world: World, bizgo: BizGo) -> None:
    asking = Asking(world, bizgo, "v2", expects=OVERDUE_AT_ONCE, timeout_s=1).start()
    for kind in FAULTS:
        statuses, arrived = lose(world, bizgo, 20), len(bizgo.arrived)
        bizgo.fail(0.2, kind)
        sums = asking.sums("--overdue")
        assert sums["unclear"] == 0 and sums["found"] == 16, (kind, sums)
        assert sums["requests"] == len(bizgo.arrived) - arrived > 20, (kind, sums)
        check_statuses(world, statuses)


@pytest.mark.long
def test_all_ways_to_fail_at_once(world: World, bizgo: BizGo) -> None:
    asking, statuses = lost(world, bizgo, 200, timeout_s=1)
    bizgo.fail(0.1, *FAULTS)
    assert asking.sums("--overdue")["found"] == 160
    check_statuses(world, statuses)


DEEP = b'{"a":' * 100000
LASTING = {
    "wrong credentials": (Answer(401, {"common": {"authCode": "A401"}}), "it refuses to answer: answer 401, A401", 8),
    "a blocked account": (
        Answer(403, {"common": {"authCode": "A000"}, "data": {"code": "A110"}}),
        "it refuses to answer: answer 403, A110",
        8,
    ),
    "a redirect": (Answer(302, b"", {"Location": "http://127.0.0.1:1/"}), "it refuses to answer: answer 302", 8),
    "no such path": (Answer(404, {"common": {"authCode": "A404"}}), "20 answers in a row were unusable, the last one: answer 404, A404", 40),
    "about another message": (
        Answer(
            200, {"common": {"authCode": "A000"}, "data": {"code": "A000", "data": {"report": [report("another", "10000")]}}}
        ),
        "20 answers in a row were unusable, the last one: answer 200, A000: it holds an element that is not about this id",
        40,
    ),
    "too long": (Answer(200, b" " * 600000), "20 answers in a row were unusable, the last one: the answer is larger than 512 KiB", 40),
    "a long wait": (Answer(503, b"", {"Retry-After": "3600"}), "it wants no requests for 3600 s", 8),
    "errors": (Answer(500, b"oops"), r"no usable answer for \d+ s, the last one: answer 500", 40),
    "too many requests": (
        Answer(429, b"", {"Retry-After": "1"}),
        "10 pauses that it asked for have not helped, the last answer: answer 429",
        60,
    ),
    "no JSON": (Answer(200, b"<html>"), r"no usable answer for \d+ s, the last one: answer 200: no JSON", 40),
    "too deep": (Answer(200, DEEP), r"no usable answer for \d+ s, the last one: answer 200: no JSON", 40),
    "no answer": (Answer(cut="before"), r"no usable answer for \d+ s, the last one: (Empty reply from server|the connection ended before the answer)", 40),
    "half an answer": (Answer(200, b"{" + b" " * 1000, cut="within"), r"no usable answer for \d+ s, the last one: ", 40),
    "slowness": (Answer(200, b"", pause=60), r"no usable answer for \d+ s, the last one: .*timed out", 40),
}


@pytest.mark.long
def test_a_lasting_fault_ends_it_with_a_clear_last_line(world: World, bizgo: BizGo) -> None:
    asking, statuses = lost(world, bizgo, 50, timeout_s=1)
    for name, (answer, words, most) in LASTING.items():
        arrived = len(bizgo.arrived)
        bizgo.fail_always(answer)
        world.sql("UPDATE ask_run SET not_before = NULL")  # of the fault before
        done = asking.run("--overdue", "--patience", "3", "--restart", code=1)
        last = done.stderr.splitlines()[-1]
        assert re.search(f"^dochak-processor: bizgo: {words}.*; start it again: it goes on from here$", last), (name, done)
        assert len(bizgo.arrived) - arrived <= most, (name, len(bizgo.arrived) - arrived)
        world.settle()
        assert set(world.statuses().values()) == {"PENDING"}, name
    bizgo.fault = lambda _number, _id: None  # it is over
    world.sql("UPDATE ask_run SET not_before = NULL")
    assert "50 of 50 are left" in asking.run("--overdue").stderr
    check_statuses(world, statuses)


def test_a_pause_that_was_asked_for_outlives_the_process(world: World, bizgo: BizGo) -> None:
    asking, statuses = lost(world, bizgo, 5)
    bizgo.fail_always(Answer(429, b"", {"Retry-After": "4"}))
    process = asking.begin("--overdue")
    until_equal("the pause is stored", lambda: count(world, "ask_run WHERE not_before > now()"), 1)
    process.kill()
    process.communicate()
    arrived, bizgo.fault = len(bizgo.arrived), lambda _number, _id: None
    asking.run("--overdue")
    assert bizgo.arrived[arrived] - bizgo.arrived[0] >= 3.9
    check_statuses(world, statuses)


def test_pauses_that_are_asked_for_do_not_try_the_patience(world: World, bizgo: BizGo) -> None:
    asking, statuses = lost(world, bizgo, 10)
    pause = Answer(429, b"", {"Retry-After": "2"})
    bizgo.fault = lambda _number, _id: pause if bizgo.arrived[-1] - bizgo.arrived[0] < 5 else None
    asking.run("--overdue", "--patience", "3")
    check_statuses(world, statuses)


def test_one_id_that_fails_for_ever_holds_up_no_other(world: World, bizgo: BizGo) -> None:
    asking, statuses = lost(world, bizgo, 25)
    sick = next(iter(statuses))
    bizgo.fault = lambda _number, id_: Answer(500) if id_ == sick else None
    done = asking.run("--overdue", code=1)
    assert f"bizgo: 1 of 25 ids got no usable answer, {sick} for example: answer 500" in done.stderr.splitlines()[-1], done
    check_statuses(world, {**statuses, sick: "PENDING"})
    bizgo.fault = lambda _number, _id: None
    assert asking.sums("--overdue")["questions"] == 1 + has(statuses, "PENDING")
    check_statuses(world, statuses)


def test_tokens_end_and_are_fetched_anew(world: World, bizgo: BizGo) -> None:
    asking, statuses = lost(world, bizgo, 40, "v1", per_second=20)
    bizgo.token_lasts = 0.7
    asking.run("--overdue")
    check_statuses(world, statuses)
    assert 2 < bizgo.tokens_given < 10


def test_tokens_that_are_never_taken_end_it(world: World, bizgo: BizGo) -> None:
    asking, _ = lost(world, bizgo, 5, "v1")
    bizgo.fault = lambda _number, id_: Answer(401, {"code": "A001"}) if id_ != "token" else None
    done = asking.run("--overdue", code=1)
    assert "it refuses new tokens, too: answer 401, A001" in done.stderr.splitlines()[-1], done
    assert len(bizgo.arrived) < 40


# --- killed, stopped, started twice


def test_twilio_is_asked_what_its_callbacks_did_not_bring(world: World) -> None:
    statuses = {"delivered": "SENT", "undelivered": "DEAD_LETTER", "failed": "DEAD_LETTER", "sent": "PENDING", "gone": "PENDING"}
    with Twilio().running() as api:
        api.messages = {"delivered": ("delivered", None), "undelivered": ("undelivered", 30003), "failed": ("failed", 30002), "sent": ("sent", None)}
        asking = Asking(world, api, "v2010", expects=OVERDUE_AT_ONCE, account={"base": api.base}).start()
        world.register([payloads.accepted("twilio", id_, recipient="+15550000001") for id_ in statuses])
        wait_overdue(world, len(statuses))
        sums = asking.sums("--overdue", code=1)  # what is gone got no usable answer
        assert (sums["found"], sums["nothing"], sums["unclear"]) == (3, 1, 1), sums
        check_statuses(world, statuses)
    rows = {id_: world.row("twilio", id_) for id_ in statuses}
    assert (rows["undelivered"]["code"], rows["undelivered"]["outcome"]) == ("30003", "failed")
    assert (rows["failed"]["code"], rows["failed"]["outcome"]) == ("30002", "account_fault")


@pytest.mark.parametrize("point", ["reconcile_before_events", "reconcile_after_events"])
def test_killed_between_two_steps_it_goes_on(world: World, bizgo: BizGo, point: str) -> None:
    asking, statuses = lost(world, bizgo, 60, per_second=30)
    for _ in range(2):
        process = asking.begin("--overdue", CRASH_AT=f"{point}:1")
        end(process)
        assert process.returncode == -signal.SIGKILL
    done = asking.run("--overdue")
    assert "goes on with what began at" in done.stderr, done
    check_statuses(world, statuses)
    check_alerts(world, statuses)
    # A checkpoint is due after a second.
    assert len(bizgo.asked) <= 60 + 2 * 2 * 30


def test_what_is_in_kafka_is_not_asked_for_again(world: World, bizgo: BizGo) -> None:
    asking, statuses = lost(world, bizgo, 100, per_second=25)
    for requests in (40, 80):
        kill_after(asking.begin("--overdue"), bizgo, requests)
    asking.run("--overdue")
    check_statuses(world, statuses)
    twice = Counter(bizgo.asked)
    assert set(twice) == set(statuses) and sum(twice.values()) <= 100 + 2 * 2 * 25
    assert bizgo.too_early(25) < BUSY
    (run,) = world.sql("SELECT * FROM ask_run")
    assert run["ended_at"] and (run["found"], run["nothing"], run["differed"]) == (80, 20, 80) and count(world, "ask_question") == 0


def test_stopped_it_stores_what_was_answered(world: World, bizgo: BizGo) -> None:
    asking, statuses = lost(world, bizgo, 100, per_second=25)
    process = asking.begin("--overdue")
    until("a few have been asked for", lambda: len(bizgo.arrived) >= 10)
    process.send_signal(signal.SIGTERM)
    _, said = end(process)
    assert process.returncode == 1 and said.splitlines()[-1] == "dochak-processor: stopped; start it again: it goes on from here"
    assert 100 - len(bizgo.arrived) <= count(world, "ask_question") <= 100 - len(bizgo.arrived) + 4
    asking.run("--overdue")
    check_statuses(world, statuses)


def test_only_one_asks(world: World, bizgo: BizGo) -> None:
    asking, _ = lost(world, bizgo, 30, per_second=5)
    process = asking.begin("--overdue")
    until("it asks", lambda: bizgo.arrived)
    done = asking.run("--overdue", code=1)
    assert "bizgo is being asked by another process already" in done.stderr
    process.send_signal(signal.SIGTERM)
    end(process)


def test_another_choice_waits_until_the_first_has_ended(world: World, bizgo: BizGo) -> None:
    asking, statuses = lost(world, bizgo, 30, per_second=20)
    kill_after(asking.begin("--overdue"), bizgo, 5)
    done = asking.run("--since", "beginning", code=1)
    assert "(--overdue) has not ended; start that again, or forget it with --restart" in done.stderr
    asking.run("--since", "beginning", "--restart")
    check_statuses(world, statuses)
    assert count(world, "ask_run WHERE ended_at IS NULL") == 0


# --- what is told


def test_the_rate_is_never_exceeded(world: World, bizgo: BizGo) -> None:
    asking, statuses = lost(world, bizgo, 60, per_second=10, in_flight=16)
    bizgo.fail(0.05, "cut before the answer")
    asking.run("--overdue")
    check_statuses(world, statuses)
    assert len(bizgo.arrived) >= 60 and bizgo.too_early(10) < BUSY


def test_it_says_how_far_it_is(world: World, bizgo: BizGo) -> None:
    asking, _ = lost(world, bizgo, 130, per_second=10)
    done = asking.run("--overdue")
    lines = [line for line in done.stderr.splitlines() if line.startswith("reconcile: ")]
    assert lines and re.fullmatch(r"reconcile: \d+ of 130 asked, \d+\.\d requests/s, \d+ differ, about .* left", lines[0]), done


def test_each_difference_is_a_line_of_json(world: World, bizgo: BizGo) -> None:
    asking, statuses = lost(world, bizgo, 10)
    *lines, last = (json.loads(line) for line in asking.run("--overdue", "--json").stdout.splitlines())
    assert {line["id"] for line in lines} == {id_ for id_, status in statuses.items() if status != "PENDING"}
    assert {(line["from"], line["to"]) for line in lines} >= {("PENDING", "SENT delivered 10000"), ("PENDING", "DEAD_LETTER failed 63019")}
    assert (last["provider"], last["asked_for"], last["dry_run"], last["sums"]["differences"]) == ("bizgo", "--overdue", False, 8)


def test_no_secret_is_in_the_process_list(world: World, bizgo: BizGo) -> None:
    """Nor in an environment, if the operator has put it into a file."""
    asking, _ = lost(world, bizgo, 20, per_second=10)
    bizgo.API_KEY = f"bizgo-{secrets.token_hex(16)}"  # no other test's
    file = world.folder / "api-key"
    file.write_text(bizgo.API_KEY)
    env = world.env(**asking.settings) | {"DOCHAK_SECRET_BIZGO_API_KEY_FILE": str(file)}
    del env["DOCHAK_SECRET_BIZGO_API_KEY"]
    program = [*builds.WRAPPER, builds.program("processor"), "reconcile", "bizgo", "--overdue"]
    with watching(bizgo.API_KEY, str(file)) as found:
        out, err = end(subprocess.Popen(program, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
    assert found == [str(file)] and "20 asked for: 16 with a result" in out, (found, out, err)
    assert bizgo.API_KEY not in out + err


@pytest.mark.parametrize(
    "leak",
    [
        'bash -c "sleep 0.5; true" "$key"',
        "KEY=$key sleep 0.5",
        'exec -a "curl -H $key" sleep 0.5',
        "(export KEY=$key; setsid bash -c 'sleep 0.5; true' & )",
    ],
)
def test_a_secret_in_the_process_list_would_be_seen(tmp_path, leak: str) -> None:
    secret = secrets.token_hex(16)
    (tmp_path / "key").write_text(secret)
    with watching(secret) as found:
        subprocess.run(["bash", "-c", f"read -r key < {tmp_path}/key; {leak}"], check=True)
        until("it is seen", lambda: found, 2)
    assert found == [secret]


def test_a_recipient_in_an_answer_is_masked_as_in_a_webhook(world: World, bizgo: BizGo) -> None:
    asking, statuses = lost(world, bizgo, 5)
    asking.run("--overdue")
    check_statuses(world, statuses)
    elements = [json.dumps(row["element"]) for row in world.sql("SELECT element FROM receipt")]
    assert any('"to": "010****5678"' in element for element in elements)
    assert not any(payloads.PHONE in element or "1234-5678" in element for element in elements)


# --- an answer that the processor puts aside


def test_an_answer_from_quarantine_goes_back_as_what_it_was(world: World, bizgo: BizGo) -> None:
    """It has no endpoint, as an acceptance has none."""
    asking, statuses = lost(world, bizgo, 10)
    (world.services[-1]).stop()
    folder = world.folder / "broken"
    folder.mkdir()
    for file in (world.folder / "asking").glob("*.json"):
        document = json.loads(file.read_text("utf-8"))
        if document["provider"] == "bizgo":
            document["webhook"]["kinds"][0]["code"] = "/resultCode"
        (folder / file.name).write_text(json.dumps(document))
    broken = world.new_processor(**{**asking.settings, "DOCHAK_PROVIDERS_DIR": str(folder)}).start().wait_ready()
    asking.run("--overdue")
    world.settle()
    n = sum(len(reports) for reports in bizgo.reports.values())
    records = world.topics.read("quarantine")
    assert len(records) == n and {record.header("ce_wastype") for record in records} == {"dochak.receipt.received.v1"}
    assert set(world.statuses().values()) == {"PENDING"}
    broken.stop()
    world.new_processor(**asking.settings).start().wait_ready()
    for redriven, known in ((n, 0), (0, n)):
        done = run_once("processor", world.env(**asking.settings), "quarantine", "redrive")
        assert f"{n} records read: {redriven} elements redriven; {known} were taken in before, 0 still make no sense" in done.stdout, done
        check_statuses(world, statuses)
    assert world.sql("SELECT DISTINCT endpoint FROM receipt") == [{"endpoint": None}]


# --- TLS


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("reconcile") / "ours")


@pytest.fixture(scope="module")
def other_ca(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("reconcile") / "other")


CERTIFICATES = {"of another host": ("other.example.com", 90), "that has expired": ("localhost", -1), "of an unknown CA": ("localhost", 90)}


@pytest.mark.parametrize("name", CERTIFICATES)
def test_a_certificate_that_is_not_right_is_refused(world: World, ca: Authority, other_ca: Authority, name: str) -> None:
    host, days = CERTIFICATES[name]
    trusted = other_ca if name == "of an unknown CA" else ca
    with BizGo(ca.issue(name.replace(" ", "-"), host, days)).running() as api:
        asking = Asking(world, api, "v2", ca=trusted.certificate, expects=OVERDUE_AT_ONCE).start()
        register(world, ids := [payloads.new_id()])
        wait_overdue(world, 1)
        done = asking.run("--overdue", code=1)
        assert re.search("^dochak-processor: bizgo: SSL.*certificate", done.stderr.splitlines()[-1]), done
        assert api.asked == [] and world.statuses() == {ids[0]: "PENDING"}


def test_a_certificate_that_is_right_is_taken(world: World, ca: Authority) -> None:
    with BizGo(ca.issue("right", "localhost")).running() as api:
        asking = Asking(world, api, "v2", ca=ca.certificate, expects=OVERDUE_AT_ONCE).start()
        register(world, ids := [payloads.new_id()])
        api.reports = {ids[0]: [report(ids[0], "10000")]}
        wait_overdue(world, 1)
        asking.run("--overdue")
        check_statuses(world, {ids[0]: "SENT"})


# --- the configuration


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"DOCHAK_ENDPOINTS_FILE": ""}, "the endpoints file (DOCHAK_ENDPOINTS_FILE) has no member /ask/bizgo"),
        ({"DOCHAK_SECRET_BIZGO_API_KEY": ""}, "/ask/bizgo/secrets/api_key: DOCHAK_SECRET_BIZGO_API_KEY: not set"),
    ],
)
def test_what_is_missing_is_said(world: World, bizgo: BizGo, change: dict[str, str], words: str) -> None:
    asking = Asking(world, bizgo, "v2")
    assert words in asking.run("--overdue", code=1, **change).stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("provider", "words"),
    [("blux", 'blux cannot be asked: its provider file has no "ask"'), ("bizgoo", 'there is no provider "bizgoo"; there are apiplex-kakao, ')],
)
def test_a_provider_that_cannot_be_asked_is_said(world: World, bizgo: BizGo, provider: str, words: str) -> None:
    asking = Asking(world, bizgo, "v2")
    asking.provider = provider
    assert words in asking.run("--overdue", code=1).stderr.splitlines()[-1]


@pytest.mark.parametrize(
    "arguments",
    [(), ("--overdue", "--known"), ("--until", "2026-01-12T11:00:00Z"), ("--overdue", "--all"), ("--patience", "0", "--overdue"), ("--patience", "604801", "--overdue"), ("--now",)],
)
def test_arguments_that_make_no_sense_are_refused(world: World, bizgo: BizGo, arguments: tuple[str, ...]) -> None:
    assert "--help lists what there is" in Asking(world, bizgo, "v2").run(*arguments, code=2).stderr


def test_notifications_are_no_contacts(world: World, bizgo: BizGo) -> None:
    assert "bizgo is asked about notifications: expected --overdue or --since" in Asking(world, bizgo, "v2").run("--known", code=1).stderr


# --- many


@pytest.mark.long
def test_ten_thousand_overdue_messages(world: World, bizgo: BizGo) -> None:
    asking, statuses = lost(world, bizgo, 10000)
    bizgo.fail(0.01, "429", "500", "cut before the answer", "no JSON")
    sums = asking.sums("--overdue")
    assert sums["unclear"] == 0 and sums["requests"] == len(bizgo.arrived)
    check_statuses(world, statuses)
    check_alerts(world, statuses)
    before = decided(world)
    for id_ in list(statuses)[:500]:
        for one in bizgo.reports[id_]:
            world.bizgo(one)
    assert decided(world) == before
