# SPDX-License-Identifier: MIT
"""Faults of a whole provider: one alert when one begins, one when it is over."""

import json
import ssl
import threading
import time
from collections.abc import Callable
from http.client import HTTPSConnection
from pathlib import Path

import pytest

from support import builds, http, payloads
from support.deadlines import pass_minutes, start, with_times
from support.judge import open_incident, watch_says
from support.proxy import Proxy
from support.secure import Authority
from support.wait import until, until_equal
from support.world import World, free_port

FAILING, SILENT, SLOW, RESTORED = (f"dochak.provider.{name}.v1" for name in ("failing", "silent", "slow", "restored"))
UNREACHABLE = "dochak.endpoint.unreachable.v1"
OVERDUE, REFUSING = "dochak.notification.overdue.v1", "dochak.endpoint.refusing.v1"


def incidents(world: World, *types: str) -> list:
    return [alert for alert in world.alerts() if alert.type in types]


@pytest.mark.parametrize("code", ["64008", "50010"])
def test_the_first_account_fault_opens_one_incident_and_2000_more_open_none(world: World, code: str) -> None:
    """The seed's month: sends are accepted, and every receipt says that the account may not send."""
    world.start()
    for i in range(20):
        world.bizgo(payloads.bizgo(f"good-{i}", "10000"))
    world.bizgo(payloads.bizgo("first", code))
    (opened,) = until("the incident is there", lambda: incidents(world, FAILING))
    assert (opened.data["kind"], opened.data["status"], opened.data["provider"]) == ("failing", "open", "bizgo")
    assert (opened.data["endpoint"], opened.data["scope"], opened.data["example"]) == ("bizgo/alimtalk", "account", "first")
    assert [code["code"] for code in opened.data["codes"]] == [code]
    assert opened.data["check_first"], opened.data
    age = opened.timestamp - [e for e in world.records("events", "first")][0].timestamp
    assert age <= 1000, f"{age} ms from the receipt to the alert"
    for i in range(2000):
        world.bizgo(payloads.bizgo(f"m{i}", code))
    world.settle(120)
    assert len(incidents(world, FAILING, RESTORED)) == 1
    (row,) = world.sql("SELECT * FROM incident")
    assert (row["faults"], row["closed_at"]) == (2001, None)


def test_a_mistyped_template_is_one_incident_of_that_scope(world: World) -> None:
    world.start()
    for i, code in enumerate(["33121", "64008", "33121"]):
        world.bizgo(payloads.bizgo(f"m{i}", code))
    world.settle()
    assert sorted(alert.data["scope"] for alert in incidents(world, FAILING)) == ["account", "template"]
    assert world.sql("SELECT scope, faults FROM incident ORDER BY scope") == [
        {"scope": "account", "faults": 1},
        {"scope": "template", "faults": 2},
    ]


class Application:
    """Registers a message each so many seconds. Its receipt comes at once, or not while the provider is quiet or does not take our
    certificate."""

    def __init__(self, world: World, every: float, prefix: str = "m", post: Callable[[dict], None] | None = None):
        self.world, self.every, self.prefix = world, every, prefix
        self.post = post or world.bizgo
        self.sent: list[str] = []
        self.unreported: list[str] = []
        self.quiet, self._stop = threading.Event(), threading.Event()
        self.last_receipt = 0.0
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Application":
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self.every):
            self.world.register(payloads.accepted("bizgo", name := f"{self.prefix}{len(self.sent)}"))
            try:
                if self.quiet.is_set():
                    self.unreported.append(name)
                else:
                    self.report(name)
            except ssl.SSLCertVerificationError:
                self.unreported.append(name)
            self.sent.append(name)

    def report(self, name: str) -> None:
        self.post(payloads.bizgo(name, "10000", reportTime=payloads.ago(0)))
        self.last_receipt = time.time()


def silence(world: World, every: float, before: int, window_s: int, more: int = 0) -> None:
    """Sends go on and receipts stop; later they come after all. Two alerts say so, and no other one."""
    with Application(world, every) as application:
        until("messages are delivered", lambda: len(application.sent) >= before, 60 + before * every * 2)
        application.quiet.set()
        for i in range(0, more, 500):
            names = [f"more-{n}" for n in range(i, min(i + 500, more))]
            world.register([payloads.accepted("bizgo", name) for name in names])
            application.unreported += names
        (opened,) = until("the incident is there", lambda: incidents(world, SILENT), window_s + 180)
    late_s = opened.timestamp / 1000 - application.last_receipt - window_s
    print(f"{late_s:.1f} s after the window: {opened.data}")
    assert opened.data["counts"]["due"] >= 5 and opened.data["example"].startswith("m")
    if window_s >= 60:
        assert -1 < late_s <= 5 * builds.patience(), late_s
    until("all that is overdue is folded", lambda: world.sql("SELECT sum(folded) AS n FROM incident")[0]["n"] >= max(more, 5), 360)
    for name in application.unreported:
        application.report(name)
    (closed,) = until("the incident is over", lambda: incidents(world, RESTORED), window_s + 300)
    assert closed.data["incident_id"] == opened.data["incident_id"] and "docs/outage.md" in closed.data["summary"]
    world.settle(120)
    until_equal("all are sent", lambda: set(world.statuses().values()), {"SENT"}, 60)
    assert [alert.type for alert in world.alerts()] == [SILENT, RESTORED]
    print(f"{closed.data['folded_overdue']} of {len(application.unreported)} were overdue")
    assert closed.data["folded_overdue"] >= max(more, 5)


@pytest.mark.long
def test_a_provider_that_reports_nothing_is_one_alert_for_all_its_messages(world: World) -> None:
    start(world, receipt_within_s=5, expires_after_s=3600, silent_after_s=20)
    silence(world, 0.5, 20, 20)


@pytest.mark.long
def test_the_first_messages_of_a_provider_that_reports_nothing_are_one_alert(world: World) -> None:
    """A webhook that was never registered: there is no last receipt from which on the window could count."""
    start(world, receipt_within_s=5, expires_after_s=3600, silent_after_s=20)
    world.register([payloads.accepted("bizgo", f"m{i}") for i in range(8)])
    until("the incident is there", lambda: incidents(world, SILENT), 150)
    until_equal("all are folded", lambda: world.sql("SELECT sum(folded) AS n FROM incident")[0]["n"], 8)
    world.settle()
    assert [alert.type for alert in world.alerts()] == [SILENT]


def add_endpoint(world: World, name: str, called: str) -> None:
    """Another one of bizgo, which was last called so long ago."""
    document = json.loads(world.endpoints_file.read_text("utf-8"))
    document["endpoints"].append({"endpoint": name, "provider": "bizgo", "secret_path": ["DOCHAK_SECRET_BIZGO_PATH"]})
    world.endpoints_file.write_text(json.dumps(document))
    world.sql("INSERT INTO rhythm VALUES (%s, 'bizgo', '{}', '{}', now(), 'learning', NULL, NULL, 0, 0)", name)
    world.sql("INSERT INTO endpoint_hour VALUES (%s, date_trunc('hour', now() - %s::interval), 5, 5, 60)", name, called)


def test_an_incident_of_one_endpoint_folds_no_message_whose_receipt_another_one_could_bring(world: World) -> None:
    """It is not known which one would."""
    add_endpoint(world, "bizgo/sms", "2 days")
    add_endpoint(world, "bizgo/unused", "8 days")
    start(world, receipt_within_s=1, expires_after_s=3600)
    minute = int(time.time()) // 60
    open_incident(world, "failing", minute, "bizgo", "bizgo/alimtalk", "account")
    world.register(payloads.accepted("bizgo", "alone"))
    until_equal("it raises its own alert", lambda: [alert.type for alert in world.alerts("alone")], [OVERDUE])
    assert world.sql("SELECT sum(folded) AS n FROM incident")[0]["n"] == 0
    open_incident(world, "failing", minute, "bizgo", "bizgo/sms", "account")
    world.register(payloads.accepted("bizgo", "folded"))
    until_equal("it is folded", lambda: world.sql("SELECT min(folded) AS n FROM incident")[0]["n"], 1)
    world.settle()
    assert world.alerts("folded") == []


def test_an_incident_of_the_whole_provider_folds_messages_of_all_its_endpoints(world: World) -> None:
    add_endpoint(world, "bizgo/sms", "2 days")
    start(world, receipt_within_s=1, expires_after_s=3600)
    open_incident(world, "silent", int(time.time()) // 60, "bizgo")
    world.register(payloads.accepted("bizgo", "folded"))
    until_equal("it is folded", lambda: world.sql("SELECT folded AS n FROM incident")[0]["n"], 1)
    world.settle()
    assert world.alerts() == []


def age_messages(world: World, minutes: int) -> None:
    """While no processor runs: all that was accepted and received is so much older, and ingress was there before that."""
    pass_minutes(world, minutes)
    for column in ("accepted_at", "first_seen_at", "due_at", "expires_at", "next_look_at"):
        world.sql(f"UPDATE notification SET {column} = {column} - interval '{minutes} minutes'")
    world.sql(
        """INSERT INTO endpoint_minute SELECT minute, 'bizgo/alimtalk', 'before', gen_random_uuid(), 'bizgo', 0, 0, 0, '{}', 0, 0, 0, NULL, false
           FROM generate_series(date_trunc('minute', now()) - interval '1 hour', now(), interval '1 minute') AS minute"""
    )


def test_a_campaign_that_breaks_off_is_one_alert(world: World) -> None:
    """Its messages are overdue before that is known, and were all accepted before the last receipt."""
    world.start()
    processor = world.services[-1]
    world.register([payloads.accepted("bizgo", f"m{i}") for i in range(60)])
    for i in range(5):
        world.bizgo(payloads.bizgo(f"m{i}", "10000"))
    world.settle()
    for minutes, found in ((7, []), (5, [SILENT])):
        processor.stop()
        age_messages(world, minutes)
        processor.start().wait_ready()
        until("the watch has looked", lambda: processor.metrics().get("dochak_processor_watch_seconds_count", 0) >= 6, 60)
        until_equal("the incident", lambda found=found: [alert.type for alert in world.alerts()], found, 30)
    until_equal("all are folded", lambda: world.sql("SELECT folded AS n FROM incident")[0]["n"], 55, 60)
    world.settle()
    (opened,) = world.alerts()
    assert opened.data["counts"] == {"due": 55} and opened.data["example"].startswith("m")


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_ten_thousand_overdue_messages_are_one_alert_at_the_end_of_the_window(world: World) -> None:
    """1,000 an hour, by BizGo's own times: a quarter of an hour."""
    world.start()
    silence(world, 3.6, 30, 600, more=10000)


@pytest.mark.long
def test_account_faults_that_have_ended_close_with_one_alert(world: World) -> None:
    start(world, silent_after_s=2)
    for i in range(60):
        world.bizgo(payloads.bizgo_korean_seed(f"m{i}"))
        world.settle()
    (opened,) = incidents(world, FAILING)

    def delivered() -> list:
        world.bizgo(payloads.bizgo(payloads.new_id(), "10000"))
        return incidents(world, RESTORED)

    (closed,) = until("the incident is over", delivered, 240, every=1)
    assert closed.data["incident_id"] == opened.data["incident_id"]
    assert (closed.data["status"], closed.data["kind"], closed.data["scope"]) == ("closed", "failing", "account")
    assert "send again what failed meanwhile" in closed.data["summary"]
    world.settle()
    assert len(incidents(world, FAILING, RESTORED)) == 2


def test_a_fault_right_after_the_closing_judgement_opens_an_incident(world: World) -> None:
    """The processor closes it a moment after the watch has judged, by a clock that may be ahead of ingress's."""
    start(world, silent_after_s=2)
    world.bizgo(payloads.bizgo("before", "64008"))
    world.settle()
    judged = """to_char((judged_until + interval '1 ms') AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')"""
    (row,) = world.sql(f"SELECT incident_id::text, endpoint, scope, {judged} AS judged_until FROM incident")
    watch_says(world, RESTORED, kind="failing", check_first=[], **row)
    until("it is over", lambda: incidents(world, RESTORED))
    world.sql("UPDATE incident SET closed_at = now() + interval '1 minute'")
    world.bizgo(payloads.bizgo("after", "64008"))
    until_equal("there is another one", lambda: len(incidents(world, FAILING)), 2)


# --- by rate: what the watch reads is made older, so that minutes need not be waited for


def begin_anew(world: World) -> None:
    processor = world.services[-1]
    processor.stop()
    processor.start().wait_ready()


@pytest.mark.long
def test_most_receipts_failed_is_one_incident_until_most_are_delivered(world: World) -> None:
    world.start()
    for i in range(30):
        world.bizgo(payloads.bizgo(f"m{i}", "10000" if i % 5 == 0 else "22000"))
    world.settle()
    pass_minutes(world, 2)
    begin_anew(world)
    (opened,) = until("the incident is there", lambda: incidents(world, FAILING), 60)
    assert (opened.data["scope"], opened.data["endpoint"]) == (None, None)
    counts = opened.data["counts"]  # not all of them where a minute ended meanwhile
    assert counts["failed"] > counts["delivered"] and sum(counts.values()) >= 20
    assert [code["code"] for code in opened.data["codes"]] == ["22000"]
    assert opened.data["example"].startswith("m")
    pass_minutes(world, 20)
    for i in range(30):
        world.bizgo(payloads.bizgo(f"n{i}", "22000" if i % 10 == 0 else "10000"))
    world.settle()
    pass_minutes(world, 2)
    begin_anew(world)
    (closed,) = until("it is over", lambda: incidents(world, RESTORED), 60)
    assert closed.data["incident_id"] == opened.data["incident_id"]
    assert (closed.data["kind"], closed.data["status"]) == ("failing", "closed")
    assert "send again what failed meanwhile" in closed.data["summary"]
    begin_anew(world)
    until("another leads, and has looked", lambda: world.services[-1].metrics().get("dochak_processor_watch_seconds_count", 0) >= 3, 60)
    world.settle()
    assert len(incidents(world, FAILING, RESTORED)) == 2


# A provider whose receipts are late in one case of fifty, and an ingress that was there all the time.
USUAL = """
INSERT INTO provider_hour (hour, provider, taken, late)
SELECT date_trunc('hour', now()) - n * interval '1 hour', 'blux', 1000, 20 FROM generate_series(25, 240) AS n;
INSERT INTO endpoint_minute (minute, endpoint, instance, event_id, provider, calls, good, refused, refused_by, failed, failed_in_a_row, spooled, leaving)
SELECT date_trunc('minute', now()) - n * interval '1 minute', 'blux/sms', 'test', gen_random_uuid(), 'blux', 0, 0, 0, '{}', 0, 0, 0, false
FROM generate_series(0, 120) AS n
"""


def send(world: World, name: str, minutes: range) -> None:
    """Three messages that were accepted in each of the minutes before this one, all reported now."""
    accepted = {f"{name}-{minute}-{i}": payloads.ago(60 * minute) for minute in minutes for i in range(3)}
    world.register([payloads.accepted("blux", id_, accepted_at=at) for id_, at in accepted.items()])
    world.blux(*(payloads.blux_event(id_, received_at=payloads.ago(0)) for id_ in accepted))


@pytest.mark.long
def test_receipts_that_come_late_are_slow_until_they_come_in_time(world: World) -> None:
    """Three messages a minute: of half an hour the receipts are late, then they come at once."""
    world.sql(USUAL)
    settings = with_times(world, receipt_within_s=60, expires_after_s=7200)
    world.new_ingress(**settings).start().wait_ready()
    processor = world.new_processor(**settings)
    send(world, "late", range(2, 32))
    processor.start().wait_ready()
    (opened,) = until("the incident is there", lambda: incidents(world, SLOW), 60)
    assert (opened.data["scope"], opened.data["endpoint"], opened.data["cause"]) == (None, None, None)
    assert opened.data["counts"]["late"] == opened.data["counts"]["accepted"] >= 20
    for minute in range(25):
        send(world, f"good-{minute}", range(1))
        world.settle()
        pass_minutes(world, 1)
    begin_anew(world)
    (closed,) = until("it is over", lambda: incidents(world, RESTORED), 60)
    assert closed.data["incident_id"] == opened.data["incident_id"]
    assert (closed.data["kind"], closed.data["status"]) == ("slow", "closed")
    world.settle()
    assert [alert.type for alert in world.alerts()] == [SLOW, RESTORED]


def call_often(world: World, stop: threading.Event, key: str) -> threading.Thread:
    """About 30 calls a minute to BizGo's endpoint, with that secret in the path."""

    def call() -> None:
        while not stop.wait(2):
            data = payloads.to_bytes(payloads.bizgo(payloads.new_id(), "10000"))
            http.request(world.ingress.ports["public"], "POST", f"/webhook/bizgo/alimtalk/{key}", data, {"Content-Type": "application/json"})

    thread = threading.Thread(target=call)
    thread.start()
    return thread


def rotate_secret(world: World, **settings: str) -> None:
    """On our side only, after one good call."""
    world.bizgo(payloads.bizgo("good", "10000"))
    world.ingress.stop()
    world.keys["BIZGO"] = "bizgo-after-the-rotation"
    world.new_ingress(**settings).start().wait_ready()


# 1,020 calls an hour, before another ingress took over.
BUSY = """
INSERT INTO endpoint_minute (minute, endpoint, instance, event_id, provider, calls, good, refused, refused_by, failed, failed_in_a_row, spooled, leaving)
SELECT date_trunc('minute', now()) - n * interval '1 minute', 'bizgo/alimtalk', 'before', gen_random_uuid(), 'bizgo', 17, 17, 0, '{}', 0, 0, 0, n = 1
FROM generate_series(1, 120) AS n
"""


@pytest.mark.long
def test_a_rotated_secret_is_refusing_within_two_minutes(world: World) -> None:
    world.sql(BUSY)
    world.start()
    old, stop = world.keys["BIZGO"], threading.Event()
    rotate_secret(world)
    began = time.time()
    thread = call_often(world, stop, old)
    try:
        (opened,) = until("the incident is there", lambda: incidents(world, REFUSING), 240)
    finally:
        stop.set()
        thread.join()
    print(f"{opened.timestamp / 1000 - began:.0f} s after the first refusal: {opened.data}")
    assert opened.timestamp / 1000 - began <= 120
    assert (opened.data["endpoint"], opened.data["provider"]) == ("bizgo/alimtalk", "bizgo")
    assert "secret_path" in opened.data["summary"]
    world.keys["BIZGO"] = old


# --- our own TLS proxy


def over_tls(world: World, port: int, ca: Path) -> Callable[[dict], None]:
    """How a provider posts a report: it calls nobody whose certificate it does not take."""
    context = ssl.create_default_context(cafile=ca)

    def post(report: dict) -> None:
        connection = HTTPSConnection("localhost", port, context=context, timeout=15)
        try:
            connection.request("POST", world.path("bizgo/alimtalk"), payloads.to_bytes(report), {"Content-Type": "application/json"})
            assert connection.getresponse().status == 200
        finally:
            connection.close()

    return post


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_rotated_secret_is_the_cause_of_a_silence(world: World) -> None:
    """The provider reports on each message, with the old one."""
    settings = with_times(world, receipt_within_s=5, expires_after_s=3600, silent_after_s=180)
    world.new_ingress(**settings).start().wait_ready()
    world.new_processor(**settings).start().wait_ready()
    old, stop = world.keys["BIZGO"], threading.Event()
    rotate_secret(world, **settings)
    thread = call_often(world, stop, old)
    application = Application(world, 2)
    application.quiet.set()
    try:
        with application:
            (silent,) = until("the silence is said", lambda: incidents(world, SILENT), 420)
    finally:
        stop.set()
        thread.join()
    world.keys["BIZGO"] = old
    assert silent.data["cause"].startswith("refusing is open: ") and "secret_path" in silent.data["cause"]


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_an_expired_certificate_is_unreachable_and_the_cause_of_a_silence(world: World, tmp_path: Path) -> None:
    """nginx in front of ingress, as docs/webhooks.md has it. The provider and the watch look at the same certificate."""
    ca, port = Authority(world.folder / "ca"), free_port()
    good, expired = ca.issue("good", "localhost", 90), ca.issue("expired", "localhost", -1)
    settings = with_times(world, receipt_within_s=5, expires_after_s=3600, silent_after_s=20)
    door = {"DOCHAK_PUBLIC_URL": f"https://localhost:{port}", "DOCHAK_PUBLIC_CA": str(ca.certificate)}
    upstreams = [world.new_ingress(**settings).start().wait_ready().ports["public"]]
    post = over_tls(world, port, ca.certificate)
    with Proxy(tmp_path, port, upstreams, good), Application(world, 0.5, "before-", post) as application:
        world.new_processor(**settings, **door).start().wait_ready()
        until("messages are delivered", lambda: list(world.statuses().values()).count("SENT") >= 10, 60)
        assert not application.unreported
    with Proxy(tmp_path, port, upstreams, expired):
        (opened,) = until("it is said to be unreachable", lambda: incidents(world, UNREACHABLE), 300)
        assert "expired" in opened.data["summary"] and opened.data["scope"] == "front door"
        with Application(world, 0.5, "after-", post) as application:
            (silent,) = until("the silence is said", lambda: incidents(world, SILENT), 240)
        assert application.unreported == application.sent
    print(silent.data)
    assert "unreachable" in silent.data["cause"] and "expired" in silent.data["cause"]
    assert silent.data["example"].startswith("after-")
    assert len(incidents(world, UNREACHABLE)) == 1
