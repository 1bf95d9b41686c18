# SPDX-License-Identifier: MIT
"""picture.py PAGE FILE: takes the picture of the first view, of invented data. PAGE is what dashboard/build.sh has built. No server runs: the browser
gets the page and the overview from here, at a fixed time."""

import json
import math
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Route, expect, sync_playwright
from support import builds

from dashboard.visit import launch

ADDRESS = "http://dochak.example/"
NOW = datetime(2026, 1, 12, 2, 44, 20, tzinfo=UTC)
STEPS, STEP = 36, timedelta(minutes=5)
FAILS_FROM = timedelta(minutes=18)


def ago(**how_long: float) -> str:
    return (NOW - timedelta(**how_long)).isoformat().replace("+00:00", "Z")


def wave(most: int, least: int, turns: float) -> list[int]:
    return [round(least + (most - least) * (1 + math.cos(2 * math.pi * turns * i / STEPS)) / 2) for i in range(STEPS)]


def reason(provider: str, code: str) -> str | None:
    document = json.loads((builds.ROOT / "schemas" / "providers" / f"{provider}.json").read_text("utf-8"))
    return document["outcomes"][code].get("reason")


def endpoint(name: str, calls: int, refused: int = 0, standing: str = "registered", **more) -> dict:
    return {
        "endpoint": name,
        "healthy": True,
        "last_receipt_at": ago(seconds=9),
        "last_other_at": None,
        "calls": calls,
        "good": calls - refused,
        "refused": refused,
        "refused_by": {"ip": refused} if refused else {},
        "failed": 0,
        "silence": {"standing": standing, "speaks_from": None, "horizon": None, "floor": None},
        **more,
    }


QUIET_PROVIDER = {
    "healthy": True,
    "last_receipt_at": None,
    "last_other_at": None,
    "last_answer_at": None,
    "has_contacts": False,
    "pending": 0,
    "overdue": 0,
    "oldest_pending_at": None,
    "dead_letters": 0,
    "failures": [],
    "traffic": {"since": "2026-12-01T09:00:00Z", "step_s": 300, "accepted": [0] * STEPS, "delivered": [0] * STEPS, "failed": [0] * STEPS},
}


def provider(name: str, delivered: list[int], failed: list[int], endpoints: list[dict], **more) -> dict:
    began = datetime.fromtimestamp(NOW.timestamp() // 300 * 300, UTC) - (STEPS - 1) * STEP
    accepted = [good + bad for good, bad in zip(delivered, failed, strict=True)]
    return {
        "provider": name,
        **QUIET_PROVIDER,
        "last_receipt_at": ago(seconds=9),
        "traffic": {"since": began.isoformat(), "step_s": 300, "accepted": accepted, "delivered": delivered, "failed": failed},
        "endpoints": endpoints,
        **more,
    }


def bizgo() -> dict:
    sent, broken = wave(290, 190, 2.5), math.ceil(FAILS_FROM / STEP)
    delivered = sent[:-broken] + [110] + [0] * (broken - 1)
    failed = [3 * (i % 3 == 0) for i in range(STEPS - broken)] + [sent[-broken] - 110] + sent[-broken + 1 :]
    failures = [("64008", "account_fault", sum(failed[-broken:])), ("63020", "recipient_fault", 7)]
    return provider(
        "bizgo",
        delivered,
        failed,
        [endpoint("bizgo/alimtalk", 940)],
        healthy=False,
        pending=16,
        overdue=4,
        oldest_pending_at=ago(minutes=31),
        dead_letters=845,
        failures=[
            {"code": code, "channel": "ALIMTALK", "reason": reason("bizgo", code), "outcome": outcome, "records": records}
            for code, outcome, records in failures
        ],
    )


CODE = "notification:sms:receive_failed"


def blux() -> dict:
    delivered = wave(130, 190, 1)
    failures = [{"code": CODE, "channel": "SMS", "reason": reason("blux", CODE), "outcome": "failed", "records": 12}]
    return provider("blux", delivered, [i % 4 for i in range(STEPS)], [endpoint("blux/sms", 512, refused=6)], pending=10, dead_letters=54, failures=failures)


def channeltalk() -> dict:
    last = {"last_receipt_at": None, "last_other_at": ago(seconds=50)}
    users = endpoint("channeltalk/users", 37, standing="watching", **last)
    users["silence"]["horizon"] = ago(minutes=-37)
    return provider("channeltalk", [0] * STEPS, [0] * STEPS, [users], **last, has_contacts=True)


def overview() -> dict:
    incident = {
        "incident_id": "2b1f6f0e-6b0c-5c1e-9d3f-0a4d6a1b2c3d",
        "kind": "failing",
        "status": "open",
        "provider": "bizgo",
        "endpoint": None,
        "scope": "account",
        "since": ago(minutes=FAILS_FROM / timedelta(minutes=1)),
        "opened_at": ago(minutes=17.9),
        "closed_at": None,
        "folded_overdue": 0,
        "codes": [{"code": "64008", "reason": "계정 사용 권한 없음", "count": 1}],
    }
    return {
        "at": ago(),
        "incidents": [incident],
        "providers": [bizgo(), blux(), channeltalk()],
        "ingress": {"reported_at": ago(seconds=20), "instances": 2, "spooled": 0, "spooled_since": None},
        "front_door": {"called_at": ago(seconds=13), "result": "ok", "text": "", "took_ms": 84, "certificate_ends_at": ago(days=-70)},
        "watch": {"instance": "processor-0", "leads_since": ago(days=2), "looked_at": ago(), "known_until": ago(seconds=2), "hidden_partitions": 0},
        "quarantined": 1,
    }


def take(page_folder: Path, file: Path) -> None:
    def answer(route: Route) -> None:
        name = route.request.url.removeprefix(ADDRESS)
        if name == "v1/overview":
            route.fulfill(json=overview())
        else:
            route.fulfill(path=page_folder / (name or "index.html"))

    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page(viewport={"width": 1280, "height": 800}, locale="en-GB", timezone_id="Asia/Seoul", color_scheme="light")
        page.clock.set_fixed_time(NOW)
        page.add_init_script("sessionStorage.setItem('dochak.key', 'of nothing')")
        page.route(f"{ADDRESS}**", answer)
        page.goto(ADDRESS)
        expect(page.get_by_role("heading", level=1)).to_have_text("bizgo is failing")
        page.screenshot(path=file, full_page=True)
        browser.close()


if __name__ == "__main__":
    take(Path(sys.argv[1]), Path(sys.argv[2]))
