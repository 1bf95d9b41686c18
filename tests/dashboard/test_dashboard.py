# SPDX-License-Identifier: MIT
"""The dashboard in a real browser, on real services: what an operator sees when a provider fails, and what each page promises."""

import json
import re
from collections.abc import Iterator
from functools import cache, partial

import pytest
from dashboard.picture import QUIET_PROVIDER
from dashboard.picture import overview as invented_overview
from dashboard.visit import DESK, PHONE, address, launch, visit
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright
from support import builds, http, payloads
from support.api import Api, check_contract
from support.judge import watch_says
from support.wait import until
from support.world import World

pytestmark = [pytest.mark.long, pytest.mark.skipif(not builds.is_plain(), reason="the page is the same in each build")]

FIRST_VIEW_BYTES = 100_000
ALL_IS_WELL, FAILING = "Everything arrives", "bizgo is failing"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = launch(playwright)
        expect.set_options(timeout=15_000 * builds.patience())
        yield chromium
        chromium.close()


CONTACTS = """
INSERT INTO contact (provider, contact_id, provider_id, deleted, phone, phone_hash, email, consents, version, changed_at, deleted_at)
SELECT 'channeltalk', 'member/1', 'own-1', false, recipient, recipient_hash, 'h***@example.com', '{"email": true, "texting": false}'::jsonb, 7,
       timestamptz '2026-01-12 02:00:00Z', NULL::timestamptz FROM notification WHERE notification_id = 'story/1'
UNION ALL
SELECT 'channeltalk', 'member/2', 'own-2', true, NULL, NULL, NULL, '{}', NULL, NULL, timestamptz '2026-01-12 03:00:00Z'
"""


def start(world: World) -> Api:
    world.new_ingress().start().wait_ready()
    api = Api(world).start()
    if http.request(api.port, "GET", "/").status == 404:
        pytest.skip("the processor was built without npm, so without the dashboard")
    api.processor.wait_ready()
    api.world = world
    return api


@pytest.fixture(scope="module")
def filled(module_worlds, kafka, postgres) -> Api:
    """Something on each page. Nothing changes any more."""
    world = module_worlds.new(kafka, postgres)
    api = start(world)
    world.register(payloads.accepted("bizgo", "waiting", recipient=payloads.PHONE_E164, reference="order-18"))
    world.register(payloads.accepted("bizgo", "story/1", recipient=payloads.PHONE_E164, reference="order-17", channel="ALIMTALK"))
    world.bizgo(payloads.bizgo("arrived", "10000", reportTime=payloads.ago(0)))
    world.bizgo(payloads.bizgo("story/1", "64008", reportText="계정 사용 권한 없음"))
    world.blux(payloads.blux_event("blux-1"))
    world.post("bizgo/alimtalk", b"no JSON")
    world.settle()
    world.sql(CONTACTS)
    until("the watch has looked", lambda: api.get("/v1/overview")["watch"])
    return api


def pages(api: Api) -> dict[str, str]:
    (incident,) = api.get("/v1/incidents")["items"]
    return {
        "overview": "",
        "provider": "#/providers/bizgo",
        "incidents": "#/incidents",
        "incident": f"#/incidents/{incident['incident_id']}",
        "messages": "#/messages?status=DEAD_LETTER&code=64008",
        "message": "#/messages/bizgo/story%2F1",
        "quarantine": "#/quarantine?redriven=no",
        "alerts": "#/alerts",
        "contacts": "#/contacts",
        "contact": "#/contacts/channeltalk/member%2F1",
    }


def settled(page: Page) -> None:
    """What was asked for first is shown."""
    expect(page.locator("main h1")).to_be_visible()
    expect(page.locator("main .loading")).to_have_count(0)


def title(page: Page, text: str | re.Pattern) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(text)


def end_incident(api: Api) -> None:
    """As the watch does it, but without the minute or two until it has judged. tests/integration/test_incidents.py waits for that."""
    world = api.world
    world.bizgo(payloads.bizgo("good-2", "10000", reportTime=payloads.ago(0)))
    world.settle()
    judged = """to_char((judged_until + interval '1 ms') AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')"""
    (row,) = world.sql(f"SELECT incident_id::text, endpoint, scope, {judged} AS judged_until FROM incident")
    watch_says(world, "dochak.provider.restored.v1", kind="failing", check_first=[], **row)
    until("the incident is over", lambda: not api.get("/v1/incidents", status="open")["items"])


# --- the story that it is for


def test_from_healthy_to_an_incident_to_one_messages_story_and_back(world: World, browser: Browser) -> None:
    api = start(world)
    world.register(payloads.accepted("bizgo", "walk-1", recipient=payloads.PHONE_E164, reference="order-17", channel="ALIMTALK"))
    world.bizgo(payloads.bizgo("good-1", "10000", reportTime=payloads.ago(0)))
    world.settle()
    with visit(browser, api) as visited:
        page = visited.page
        title(page, ALL_IS_WELL)
        card = page.locator(".provider", has_text="bizgo")
        expect(card).to_contain_text("Healthy")
        expect(card).to_contain_text("1 delivered")
        expect(page.get_by_text("No incident is open.").first).to_be_visible()

        for number in range(45):
            world.bizgo(payloads.bizgo(f"walk-{number + 1}", "64008", reportText="계정 사용 권한 없음"))
        title(page, FAILING)  # it came by itself
        expect(page.get_by_role("status").first).to_contain_text("64008 계정 사용 권한 없음")
        expect(card).to_contain_text("Messages of the whole account fail until somebody acts.")

        page.get_by_role("link", name=FAILING).click()
        title(page, FAILING)
        expect(page.get_by_role("heading", name="What to look at first")).to_be_visible()
        expect(page.locator(".checks")).to_contain_text("BizGo console: is the account suspended?")
        page.get_by_role("link", name="Messages that did not arrive").click()
        title(page, "Messages: bizgo, Not arrived")
        page.get_by_role("link", name=re.compile(r"walk-1\b")).click()
        title(page, "bizgo message walk-1")
        expect(page.locator(".timeline h3")).to_have_text(
            ["Accepted by the send API", "Receipt: Failed, and the next ones will fail, too", "Alert: The message did not arrive"]
        )
        expect(page.get_by_role("link", name="order-17")).to_be_visible()

        end_incident(api)
        page.get_by_role("link", name="Overview").click()
        title(page, ALL_IS_WELL)
        page.get_by_role("link", name="Past incidents").click()
        expect(page.locator(".row.incident")).to_contain_text(["Over"])


def test_what_is_wrong_stands_first(filled: Api, browser: Browser) -> None:
    """A provider with an incident before the others, what fails before what was delivered, what to do before what is known."""
    overview = filled.get("/v1/overview")
    for provider in overview["providers"]:
        provider["provider"] = {"bizgo": "z", "blux": "a"}.get(provider["provider"], provider["provider"])
    for incident in overview["incidents"]:
        incident["provider"] = "z"
    with visit(browser, filled, "#/providers/bizgo") as visited:
        page = visited.page
        expect(page.locator("td:first-child")).to_have_text(["64008", "10000"])
        page.goto(f"{address(filled)}{pages(filled)['incident']}")
        expect(page.locator("main h2").first).to_have_text("What to look at first")
        page.route("**/v1/overview", lambda route: route.fulfill(json=overview))
        page.get_by_role("link", name="Overview", exact=True).click()
        expect(page.locator(".provider h3")).to_have_text(["z", "a"])


# What the query API says of a provider of each kind: its overview is mocked, for the sake of the kinds that take weeks.
NOW, EARLIER = "2026-12-01T12:00:00Z", "2026-12-01T11:55:00Z"
IRREGULAR = {"standing": "irregular", "speaks_from": None, "horizon": None, "floor": None}
FLOOR = {"calls": 2, "within_s": 7200}
UNNOTICED = "Without a floor in the endpoints file nothing notices that its calls stop: docs/silence.md."


def endpoint(silence: dict | None, **more) -> dict:
    counts = {"calls": 3, "good": 3, "refused": 0, "refused_by": {}, "failed": 0}
    times = {"last_receipt_at": None, "last_other_at": None}
    return {"endpoint": "its/endpoint", "healthy": True, **times, **counts, "silence": silence, **more}


# What is given, and what its card and its page say: the state, the lines of the card, the lines of the endpoint.
KINDS = {
    "registered": (
        {"last_receipt_at": EARLIER, "endpoints": [endpoint({**IRREGULAR, "standing": "registered"}, last_receipt_at=EARLIER)]},
        "Healthy",
        ["Last receipt 5 min ago", "An alert comes for each registered message whose receipt is late."],
        ["3 calls in 15 min · Last receipt 5 min ago", "An alert comes for each registered message whose receipt is late."],
    ),
    "registered, without a receipt": (
        {"pending": 3, "last_other_at": EARLIER, "oldest_pending_at": EARLIER, "endpoints": [endpoint(None, last_other_at=EARLIER)]},
        "No receipt yet",
        ["Last webhook 5 min ago, not about your messages"],
        ["3 calls in 15 min · Last webhook 5 min ago, not about your messages", "The watch has not judged it yet."],
    ),
    "not registered": (
        {"last_receipt_at": EARLIER, "endpoints": [endpoint({**IRREGULAR, "standing": "watching", "horizon": "2026-12-01T13:00:00Z"}, last_receipt_at=EARLIER)]},
        "Healthy",
        ["Last receipt 5 min ago", "If its calls stopped now, the alert would come at 13:00."],
        ["3 calls in 15 min · Last receipt 5 min ago", "If its calls stopped now, the alert would come at 13:00."],
    ),
    "learning": (
        {"last_receipt_at": EARLIER, "endpoints": [endpoint({**IRREGULAR, "standing": "learning", "speaks_from": "2026-12-20T00:00:00Z"}, last_receipt_at=EARLIER)]},
        "Healthy",
        ["Last receipt 5 min ago", "The rhythm of its calls is being learned until Dec 20, 00:00."],
        ["3 calls in 15 min · Last receipt 5 min ago", "The rhythm of its calls is being learned until Dec 20, 00:00.", UNNOTICED],
    ),
    "of people": (
        {"last_other_at": EARLIER, "has_contacts": True, "endpoints": [endpoint(IRREGULAR, last_other_at=EARLIER)]},
        "Healthy",
        ["Last webhook 5 min ago, not about your messages", "Its calls are too irregular to notice by them that they stop."],
        ["3 calls in 15 min · Last webhook 5 min ago, not about your messages", "Its calls are too irregular to notice by them that they stop.", UNNOTICED],
    ),
    "only a floor": (
        {"last_receipt_at": EARLIER, "endpoints": [endpoint({**IRREGULAR, "floor": FLOOR}, last_receipt_at=EARLIER)]},
        "Healthy",
        ["Last receipt 5 min ago", "An alert comes if there are fewer than 2 calls within 2 h."],
        [
            "3 calls in 15 min · Last receipt 5 min ago",
            "Its calls are too irregular to notice by them that they stop.",
            "An alert comes if there are fewer than 2 calls within 2 h.",
        ],
    ),
    "only asked": (
        {"pending": 3, "last_answer_at": EARLIER, "endpoints": []},
        "Only asked",
        ["Last answer 5 min ago, when asked"],
        [],
    ),
    "never called": (
        {"endpoints": [endpoint(None, calls=0)]},
        "Nothing received yet",
        ["0 calls in 15 min"],
        ["0 calls in 15 min", "The watch has not judged it yet."],
    ),
    "without an endpoint": ({"pending": 3, "endpoints": []}, "No receipt yet", ["Ingress has no endpoint for its webhooks"], []),
}


def fulfill(answer: str, route: Route) -> None:
    route.fulfill(content_type="application/json", body=answer)


def without_counters(page: Page) -> None:
    """The API refuses to count a day that is long over by its own clock."""
    page.route("**/v1/stats?*", partial(fulfill, json.dumps({"deliveries": []})))
    page.route("**/v1/stats/codes?*", partial(fulfill, json.dumps({"codes": []})))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_said_of_a_provider_is_true_of_its_kind(filled: Api, browser: Browser, kind: str) -> None:
    given, state, card_lines, endpoint_lines = KINDS[kind]
    overview = filled.get("/v1/overview")
    overview |= {"at": NOW, "incidents": [], "providers": [{"provider": "one", **QUIET_PROVIDER, **given}]}
    overview["watch"] |= {"looked_at": NOW, "known_until": NOW}
    answer = http.Answer(200, {"content-type": "application/json", "cache-control": "no-store"}, json.dumps(overview).encode())
    check_contract("/v1/overview", answer)
    with visit(browser, filled, at=NOW) as visited:
        page = visited.page
        page.route("**/v1/overview", partial(fulfill, json.dumps(overview)))
        without_counters(page)
        page.reload()
        has_reported = state == "Healthy"
        title(page, ALL_IS_WELL if has_reported else "Waiting for the first receipt")
        card = page.locator(".provider")
        expect(card.locator(".state")).to_have_text(state)
        expect(card.locator("p.muted")).to_have_text(card_lines)
        expect(card.locator(".figures")).to_have_count(0 if kind == "of people" else 1)
        page.get_by_role("link", name="one", exact=True).click()
        expect(page.locator(".title .state")).to_have_text(state)
        expect(page.locator(".row .muted")).to_have_text(endpoint_lines)
        if endpoint_lines:
            called = "Nothing received yet" if kind == "never called" else "Healthy"
            expect(page.locator(".row .badge")).to_have_text(called)
        if kind == "of people":
            expect(page.locator("main")).not_to_contain_text("receipt yet")
            expect(page.get_by_role("heading", name="Last 24 hours", exact=True)).to_have_count(0)
            page.get_by_role("link", name="Contacts of this provider").click()
            title(page, "Contacts: one")
        else:
            expect(page.get_by_role("heading", name="Last 24 hours", exact=True)).to_be_visible()


def test_who_has_not_reported_is_counted_where_all_is_well(filled: Api, browser: Browser) -> None:
    overview = filled.get("/v1/overview")
    providers = [{"provider": kind, **QUIET_PROVIDER, **KINDS[kind][0]} for kind in ("registered", "of people", "only asked", "never called")]
    with visit(browser, filled) as visited:
        page = visited.page
        for known, text in ((4, "2 providers have not reported by webhook yet."), (2, "All providers report.")):
            answer = json.dumps({**overview, "incidents": [], "providers": [{**one, "pending": 0} for one in providers[:known]]})
            page.unroute_all()
            page.route("**/v1/overview", partial(fulfill, answer))
            title(page, ALL_IS_WELL)
            expect(page.locator(".verdict")).to_contain_text(text)


# --- the key


def test_the_key_is_asked_for_once_and_kept_for_the_session_only(filled: Api, browser: Browser) -> None:
    with visit(browser, filled, with_key=False) as visited:
        page = visited.page
        title(page, "API key")
        page.get_by_label("Key", exact=True).fill("not the key")
        page.get_by_role("button", name="Open").click()
        expect(page.get_by_role("alert")).to_have_text("The key is not valid.")
        page.get_by_label("Key", exact=True).fill(filled.key)
        page.keyboard.press("Enter")
        title(page, FAILING)
        page.reload()
        title(page, FAILING)
        kept = page.evaluate("[Object.values(sessionStorage), JSON.stringify(localStorage), document.cookie, location.href]")
        assert kept[0] == [filled.key] and filled.key not in "".join(kept[1:])
        page.get_by_role("button", name="Forget the key").click()
        title(page, "API key")
        assert page.evaluate("Object.values(sessionStorage)") == []
    with visit(browser, filled, with_key=False) as visited:  # another tab
        title(visited.page, "API key")
    assert not [url for url in visited.requests if "/v1/" in url], "without a key there is nothing to ask"


def test_a_key_that_is_refused_later_is_asked_for_again(filled: Api, browser: Browser) -> None:
    with visit(browser, filled) as visited:
        visited.may_be_refused = True
        title(visited.page, FAILING)
        visited.page.evaluate("sessionStorage.setItem('dochak.key', 'another-key-than-that-of-before-0123')")
        title(visited.page, "API key")
        assert visited.page.evaluate("Object.values(sessionStorage)") == []


# --- what it costs, and what it may do


def test_the_first_view_is_small_and_there_at_once(filled: Api, browser: Browser) -> None:
    with visit(browser, filled) as visited:
        page = visited.page
        title(page, FAILING)
        network = page.context.new_cdp_session(page)
        sizes, seconds = [], []
        network.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
        network.send("Network.enable")
        for _ in range(3):  # the machine may do something else at one of them
            sizes.clear()
            page.reload()
            title(page, FAILING)
            seconds.append(page.evaluate("performance.now()") / 1000)
        print(f"first view: {sum(sizes)} bytes in {len(sizes)} answers, {min(seconds):.2f} s")
        assert len(sizes) >= 4 and sum(sizes) <= FIRST_VIEW_BYTES
        assert min(seconds) <= 1 * builds.patience()


@pytest.mark.parametrize(("path", "media"), [("/", "text/html"), ("/app.js", "text/javascript"), ("/app.css", "text/css")])
def test_the_files_of_the_page_are_packed_and_guarded(filled: Api, path: str, media: str) -> None:
    answer = http.request(filled.port, "GET", path)
    assert answer.status == 200
    assert answer.headers["content-type"].startswith(media)
    assert answer.headers["content-encoding"] == "gzip" and answer.body[:2] == b"\x1f\x8b"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; ")
    assert "unsafe" not in policy and "http" not in policy and "*" not in policy
    assert {"frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"} <= set(policy.split("; "))
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert http.request(filled.port, "HEAD", path).status == 200
    assert http.request(filled.port, "POST", path).status == 401


def test_nothing_is_asked_while_the_tab_is_hidden(filled: Api, browser: Browser) -> None:
    with visit(browser, filled, with_key=False) as visited:
        page = visited.page
        page.clock.install()
        page.add_init_script(f"sessionStorage.setItem('dochak.key', '{filled.key}')")
        page.reload()
        title(page, FAILING)

        def show(visible: bool) -> None:
            page.evaluate(
                """visible => {
                    Object.defineProperty(document, 'hidden', { value: !visible, configurable: true })
                    document.dispatchEvent(new Event('visibilitychange'))
                }""",
                visible,
            )

        with page.expect_response("**/v1/overview"):
            page.clock.run_for(6_000)
        show(False)
        before = len(visited.requests)
        page.clock.run_for(60_000)
        assert visited.requests[before:] == []
        with page.expect_response("**/v1/overview"):
            show(True)


def test_what_is_known_stays_while_the_processor_is_away(world: World, browser: Browser) -> None:
    api = start(world)
    world.bizgo(payloads.bizgo("good-1", "10000", reportTime=payloads.ago(0)))
    world.settle()
    with visit(browser, api) as visited:
        page = visited.page
        title(page, ALL_IS_WELL)
        api.processor.stop()
        expect(page.get_by_role("alert")).to_contain_text("The processor has not answered since")
        title(page, ALL_IS_WELL)
        expect(page.locator(".verdict")).to_contain_text("as of")
        page.get_by_role("link", name="bizgo", exact=True).click()
        title(page, "Provider bizgo")
        expect(page.get_by_role("alert")).to_have_count(1)  # three things are asked for
        expect(page.get_by_role("alert")).to_contain_text("The last answer came at")
        expect(page.get_by_role("alert")).to_contain_text("This page asks again every 5 seconds by itself.")
        expect(page.locator("main")).to_contain_text("./dev logs processor")
        api.start()
        expect(page.get_by_role("alert")).to_have_count(0)
        assert all("net::ERR_" in fault for fault in visited.faults), visited.faults
        visited.faults.clear()


# --- finding


def test_a_message_is_found_by_reference_recipient_and_id(filled: Api, browser: Browser) -> None:
    with visit(browser, filled, "#/messages") as visited:
        page = visited.page

        def find(by: str, text: str) -> None:
            page.get_by_label("Find by").select_option(label=by)
            page.get_by_label("Text to find").fill(text)
            page.get_by_role("button", name="Search").click()

        rows = page.locator(".row.message strong")
        text = page.get_by_label("Text to find")
        text.fill("typed so far")
        with page.expect_response("**/v1/notifications*"):  # the page shows the list anew
            pass
        page.get_by_label("Status").select_option(label="Arrived")
        expect(rows).to_have_text(["blux-1", "arrived"])
        expect(text).to_have_value("typed so far")
        page.get_by_role("link", name="Reset").click()
        expect(text).to_have_value("")
        find("Reference", "order-17")
        expect(rows).to_have_text(["story/1"])
        find("Id", "arrived")
        expect(rows).to_have_text(["arrived"])
        find("Phone, e-mail", "010-8765-4321")
        expect(rows).to_have_text(["story/1", "waiting"])
        assert not [url for url in [page.url, *visited.requests] if "8765" in url], "a number is in an address"
        find("Phone, e-mail", "010-0000-0000")
        expect(page.get_by_text("No message to this number or address is known.")).to_be_visible()
        page.get_by_role("link", name="Reset").click()
        expect(rows).to_have_count(4)
        find("Code", "64008")
        expect(rows).to_have_text(["story/1"])
        expect(page.get_by_label("Status")).to_have_value("DEAD_LETTER")
        page.get_by_label("Status").select_option(label="All")
        expect(rows).to_have_count(4)


def test_what_is_overdue_is_listed(filled: Api, browser: Browser) -> None:
    with visit(browser, filled) as visited:
        page = visited.page
        page.locator(".provider", has_text="bizgo").get_by_role("link", name="Overdue").click()
        expect(page.get_by_label("Status")).to_have_value("overdue")
        expect(page.get_by_text("Only a message that your application registered has a deadline")).to_be_visible()
        assert "overdue=yes" in page.url
        page.get_by_role("link", name='Remove "Provider: bizgo"').click()
        expect(page.get_by_text("No receipt is overdue.")).to_be_visible()  # of any provider
        filled.world.sql("UPDATE notification SET due_at = now() - interval '1 s' WHERE notification_id = 'waiting'")
        try:
            expect(page.locator(".row.message strong")).to_have_text(["waiting"])
            expect(page.locator(".row.message")).to_contain_text(re.compile(r"overdue for \d+ s"))
        finally:
            filled.world.sql("UPDATE notification SET due_at = now() + interval '1 day' WHERE notification_id = 'waiting'")


def test_a_search_that_gets_no_answer_does_not_say_that_nothing_was_found(filled: Api, browser: Browser) -> None:
    with visit(browser, filled, "#/messages") as visited:
        page = visited.page
        expect(page.locator(".row.message")).to_have_count(4)
        page.route("**/v1/notifications?limit=1", lambda route: route.abort())
        page.get_by_label("Find by").select_option(label="Phone, e-mail")
        page.get_by_label("Text to find").fill("010-8765-4321")
        page.get_by_role("button", name="Search").click()
        expect(page.get_by_role("status")).to_contain_text("The processor does not answer.")
        visited.faults = [fault for fault in visited.faults if "net::ERR_FAILED" not in fault]


def test_an_alert_leads_to_what_it_is_about(filled: Api, browser: Browser) -> None:
    with visit(browser, filled, "#/alerts") as visited:
        page = visited.page
        rows = page.locator(".row")
        expect(rows).to_have_count(3)
        for kind, row, heading in (
            ("The message did not arrive", "story/1", "bizgo message story/1"),
            ("The provider is failing", FAILING, FAILING),
            ("Input was not understood", "bizgo/alimtalk", "Quarantine: bizgo"),
        ):
            page.get_by_role("link", name="Alerts", exact=True).click()
            page.get_by_label("Kind").select_option(label=kind)
            expect(rows.locator("strong")).to_have_text([row])
            rows.click()
            title(page, heading)


def test_alerts_are_listed_up_to_a_time(filled: Api, browser: Browser) -> None:
    with visit(browser, filled, "#/alerts", timezone_id="Asia/Seoul") as visited:
        page = visited.page
        expect(page.locator(".row")).to_have_count(3)
        page.get_by_label("Before").fill("2026-01-12T11:00")
        expect(page.get_by_text("Nothing matches all that is chosen.")).to_be_visible()
        assert "until=2026-01-12T02%3A00%3A00.000Z" in page.url
        page.reload()
        expect(page.get_by_label("Before")).to_have_value("2026-01-12T11:00")
        page.get_by_role("link", name='Remove "Before: Jan 12, 11:00:00 UTC+9"').click()
        expect(page.locator(".row")).to_have_count(3)
        expect(page.get_by_label("Before")).to_have_value("")


SINCE = {"messages": "Since", "contacts": "Since", "alerts": "Since", "incidents": "Found since", "quarantine": "Since"}


@pytest.mark.parametrize("name", SINCE)
def test_a_list_is_narrowed_to_a_time_by_its_address_and_by_the_keyboard(filled: Api, browser: Browser, name: str) -> None:
    """On the smallest phone."""
    rows = len(filled.get(f"/v1/{ {'messages': 'notifications'}.get(name, name) }")["items"])
    small = {"viewport": {"width": 320, "height": 568}, "timezone_id": "Europe/Berlin"}
    with visit(browser, filled, f"#/{name}?since=2026-01-01T00:00:00%2B09:00&until=2099-01-01T00:00:00Z", **small) as visited:
        page = visited.page
        expect(page.locator("main .row")).to_have_count(rows)
        title(page, f"{name.capitalize()}: since Dec 31, 2025, 16:00:00 UTC+1, before Jan 1, 2099, 01:00:00 UTC+1")
        page.locator(".choices summary").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_label(f"{SINCE[name]} (UTC+1)")).to_have_value("2025-12-31T16:00")
        expect(page.locator("[name=until]")).to_have_value("2099-01-01T01:00")
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        for _ in range(20):  # from the summary to the year
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.name") == "since":
                break
        for _ in range(2):
            page.keyboard.press("Tab")
        page.keyboard.type("2098")
        expect(page.get_by_text("Nothing matches all that is chosen.")).to_be_visible()
        expect(page.locator("[name=since]")).to_be_focused()
        assert "since=2098-12-31T15%3A00%3A00.000Z" in page.url
        page.keyboard.press("ArrowUp")
        page.keyboard.press("ArrowUp")
        expect(page.get_by_text(f'"{SINCE[name]}" has to be earlier than')).to_be_visible()
        page.get_by_role("link", name=re.compile(rf'Remove "{SINCE[name]}: ')).focus()
        page.keyboard.press("Enter")
        expect(page.locator("main .row")).to_have_count(rows)
        assert "since=" not in page.url


def test_what_did_not_arrive_within_a_day_is_listed_as_it_is_counted(filled: Api, browser: Browser) -> None:
    filled.world.sql(
        "INSERT INTO notification (provider, notification_id, status, code, first_seen_at, version)"
        " VALUES ('bizgo', 'of-last-week', 'DEAD_LETTER', '64008', now() - interval '7 days', 1)"
    )
    try:
        with visit(browser, filled) as visited:
            page = visited.page
            figure = page.locator(".provider", has_text="bizgo").get_by_role("link", name="Not arrived, 24 h")
            expect(figure.locator("strong")).to_have_text("1")
            figure.click()
            expect(page.locator(".row.message strong")).to_have_text(["story/1"])
            page.get_by_role("link", name="Overview").click()
            page.get_by_role("link", name="bizgo", exact=True).click()
            page.locator(".facts").get_by_role("link", name="1").last.click()
            expect(page.locator(".row.message strong")).to_have_text(["story/1"])
    finally:
        filled.world.sql("DELETE FROM notification WHERE notification_id = 'of-last-week'")


def test_a_contact_is_found_by_number_and_consent_and_leads_to_the_messages_to_it(filled: Api, browser: Browser) -> None:
    with visit(browser, filled, "#/contacts") as visited:
        page = visited.page
        rows = page.locator(".row strong")
        expect(rows).to_have_text(["member/2", "member/1"])
        page.get_by_label("Consent").select_option(label="texting: withdrawn")
        expect(rows).to_have_text(["member/1"])
        page.get_by_role("link", name="Reset").click()
        page.get_by_label("Status").select_option(label="Deleted")
        expect(rows).to_have_text(["member/2"])
        page.get_by_role("link", name="Reset").click()
        page.get_by_label("Text to find").fill("010-8765-4321")
        page.get_by_role("button", name="Search").click()
        expect(rows).to_have_text(["member/1"])
        assert not [url for url in [page.url, *visited.requests] if "8765" in url], "a number is in an address"
        page.get_by_role("link", name="member/1").click()
        title(page, "channeltalk contact member/1")
        expect(page.locator(".consents .badge")).to_have_text(["email: given", "texting: withdrawn"])
        page.get_by_role("link", name="Messages to this number").click()
        expect(page.locator(".row.message strong")).to_have_text(["story/1", "waiting"])
        page.get_by_role("link", name="story/1").click()
        page.get_by_role("link", name="Contacts with this number or address").click()
        expect(rows).to_have_text(["member/1"])


def test_a_time_of_another_year_names_it(filled: Api, browser: Browser) -> None:
    with visit(browser, filled, "#/contacts/channeltalk/member%2F1") as visited:
        page = visited.page
        for now, time in (("2026-06-01", "Jan 12, 02:00:00"), ("2027-06-01", "Jan 12, 2026, 02:00:00")):
            page.clock.set_fixed_time(f"{now}T00:00:00Z")
            page.reload()
            expect(page.locator(".facts time").first).to_have_text(time)


ZONES = {
    "Asia/Seoul": ("Times are in Asia/Seoul, UTC+9", "Jan 12, 11:00:00"),
    "Europe/Berlin": ("Times are in Europe/Berlin, UTC+1", "Jan 12, 03:00:00"),
    "America/St_Johns": ("Times are in America/St_Johns, UTC-3:30", "Jan 11, 22:30:00"),
    "UTC": ("Times are in UTC", "Jan 12, 02:00:00"),
}
NO_UTC = """[...document.querySelectorAll('main time')].filter(({ title, dateTime }) =>
    !/^\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d\\.\\d{3} UTC$/.test(title) || dateTime !== title.replace(' ', 'T').replace(' UTC', 'Z'))
    .map((one) => one.outerHTML)"""
BARE = """() => {
    const texts = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT), found = []
    while (texts.nextNode()) {
        const { data, parentElement } = texts.currentNode
        if (/\\d\\d:\\d\\d|\\d ago/.test(data) && !/UTC/.test(data) && !parentElement.closest('time, pre')) found.push(data)
    }
    return found
}"""


@pytest.mark.parametrize("zone", ZONES)
def test_the_zone_of_times_is_named_and_each_is_there_in_utc(filled: Api, browser: Browser, zone: str) -> None:
    says, changed_at = ZONES[zone]
    with visit(browser, filled, at=NOW, timezone_id=zone) as visited:
        page = visited.page
        without_counters(page)
        for name, place in {**pages(filled), "filtered": "#/alerts?until=2099-01-01T00:00:00Z"}.items():
            page.goto(f"{address(filled)}{place}")
            page.reload()
            settled(page)
            expect(page.locator(".zone")).to_have_text(says)
            expect(page.locator("main time").first).to_be_attached()
            assert page.evaluate(NO_UTC) == [], name
            assert page.evaluate(BARE) == [], name
            if name == "contact":
                expect(page.locator(".facts time").first).to_have_text(changed_at)
                expect(page.locator(".facts time").first).to_have_attribute("title", "2026-01-12 02:00:00.000 UTC")


def test_the_zone_is_in_sight_on_a_phone(filled: Api, browser: Browser) -> None:
    for locale in ("en-GB", "ko-KR"):
        with visit(browser, filled, viewport={"width": 320, "height": 568}, timezone_id="Asia/Seoul", locale=locale) as visited:
            expect(visited.page.locator(".zone")).to_be_in_viewport()
            expect(visited.page.locator(".zone")).to_contain_text("Asia/Seoul, UTC+9")
    with visit(browser, filled, with_key=False) as visited:  # there is no time
        title(visited.page, "API key")
        expect(visited.page.locator(".zone")).to_have_count(0)


def test_a_time_of_the_other_season_says_its_own_offset(filled: Api, browser: Browser) -> None:
    with visit(browser, filled, "#/contacts/channeltalk/member%2F1", timezone_id="Europe/Berlin") as visited:
        page = visited.page
        page.clock.install(time="2026-10-25T00:59:50Z")  # ten seconds before its summer ends
        page.reload()
        time = page.locator(".facts time").first
        expect(page.locator(".zone")).to_have_text("Times are in Europe/Berlin, UTC+2")
        expect(time).to_have_text("Jan 12, 03:00:00 UTC+1")
        page.clock.run_for(20_000)
        expect(page.locator(".zone")).to_have_text("Times are in Europe/Berlin, UTC+1")
        expect(time).to_have_text("Jan 12, 03:00:00")


def test_a_quarantined_record_is_taken_in_again(filled: Api, browser: Browser) -> None:
    with visit(browser, filled, "#/quarantine") as visited:
        visited.page.get_by_role("button", name="Take in again").click()
        expect(visited.page.get_by_text("0 taken in, 0 known before, 1 still not understood")).to_be_visible()


# --- for everybody


@cache
def axe() -> str:
    return (builds.ROOT / "dashboard" / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")


def violations(page: Page) -> list[str]:
    page.evaluate(axe())
    found = page.evaluate("axe.run().then(({ violations }) => violations)")
    return [f"{rule['id']}: {[node['html'] for node in rule['nodes']]}" for rule in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page(filled: Api, browser: Browser, scheme: str) -> None:
    for name, place in pages(filled).items():
        with visit(browser, filled, place, color_scheme=scheme) as visited:
            settled(visited.page)
            visited.page.evaluate("for (const closed of document.querySelectorAll('details')) closed.open = true")
            assert violations(visited.page) == [], name
    with visit(browser, filled, with_key=False, color_scheme=scheme) as visited:
        assert violations(visited.page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_where_something_is_missing(filled: Api, browser: Browser, scheme: str) -> None:
    for place in (*NOT_THERE, "#/providers/nobody", "#/odd", "#/messages?reference=nobody&provider=blux", "#/alerts?kind=odd"):
        with visit(browser, filled, place, color_scheme=scheme) as visited:
            settled(visited.page)
            expect(visited.page.locator(".note, .empty, .lead").first).to_be_visible()
            assert violations(visited.page) == [], place
            forget(visited.faults, "40")
    with visit(browser, filled, color_scheme=scheme) as visited:
        settled(visited.page)
        visited.page.route("**/v1/**", lambda route: route.abort())
        expect(visited.page.get_by_role("alert")).to_be_visible()
        assert violations(visited.page) == []
        forget(visited.faults, "net::ERR_")


@pytest.mark.parametrize("locale", ["en-GB", "ko-KR"])
def test_no_page_is_wider_than_a_phone(filled: Api, browser: Browser, locale: str) -> None:
    for name, place in pages(filled).items():
        with visit(browser, filled, place, viewport=PHONE, locale=locale) as visited:
            settled(visited.page)
            for width in (320, PHONE["width"], 736, DESK["width"]):
                visited.page.set_viewport_size({"width": width, "height": 700})
                assert visited.page.evaluate("document.documentElement.scrollWidth") <= width, (name, width)


@pytest.mark.parametrize("locale", ["en-GB", "ko-KR"])
def test_a_long_code_widens_no_phone(filled: Api, browser: Browser, locale: str) -> None:
    """Blux has names for codes."""
    with visit(browser, filled, viewport={"width": 320, "height": 700}, locale=locale) as visited:
        page = visited.page
        page.route("**/v1/overview", partial(fulfill, json.dumps(invented_overview())))
        page.reload()
        expect(page.get_by_text("notification:sms:receive_failed")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_a_list_begins_on_the_first_screen_of_a_phone(filled: Api, browser: Browser) -> None:
    for place in ("#/messages", "#/contacts", "#/alerts", "#/incidents"):
        with visit(browser, filled, place, viewport={"width": 320, "height": 568}) as visited:
            expect(visited.page.locator(".row strong").first).to_be_in_viewport()


def test_the_browsers_language_is_spoken_and_another_one_can_be_chosen(filled: Api, browser: Browser) -> None:
    with visit(browser, filled, locale="ko-KR") as visited:
        page = visited.page
        title(page, "bizgo 발송 실패")
        assert page.evaluate("document.documentElement.lang") == "ko"
        page.get_by_role("button", name="English").click()
        title(page, FAILING)
        page.reload()
        title(page, FAILING)
        page.get_by_role("button", name="한국어").click()
        title(page, "bizgo 발송 실패")
    with visit(browser, filled, locale="fr-FR") as visited:
        title(visited.page, FAILING)


def test_the_keyboard_reaches_everything(filled: Api, browser: Browser) -> None:
    with visit(browser, filled) as visited:
        page = visited.page
        title(page, FAILING)
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_be_focused()
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name=FAILING)).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="What to look at first")).to_be_visible()
        expect(page.locator("main")).to_be_focused()


def test_the_keyboard_stays_where_it_was_used(filled: Api, browser: Browser) -> None:
    with visit(browser, filled, "#/messages") as visited:
        page = visited.page
        expect(page.locator(".row.message")).to_have_count(4)
        text = page.get_by_label("Text to find")
        text.fill("order-17")
        page.keyboard.press("Enter")
        expect(page.locator(".row.message")).to_have_count(1)
        expect(text).to_be_focused()
        page.goto(f"{address(filled)}#/quarantine")
        again = page.get_by_role("button", name="Take in again")
        again.focus()
        page.keyboard.press("Enter")
        expect(page.get_by_text("1 still not understood")).to_be_visible()
        expect(again).to_be_focused()


# --- what is not there


def forget(faults: list[str], what: str) -> None:
    faults[:] = [fault for fault in faults if what not in fault]


NOT_THERE = {
    "#/messages/bizgo/no%2Fbody": ("bizgo message no/body", "No message of bizgo with the id no/body was found.", "Search this id at all providers"),
    "#/incidents/nobody": ("Incident nobody", "No incident with the id nobody was found.", "All incidents"),
    "#/contacts/channeltalk/nobody": (
        "channeltalk contact nobody",
        "No contact of channeltalk with the id nobody was found.",
        "Search this id at all providers",
    ),
}


@pytest.mark.parametrize("place", NOT_THERE)
def test_what_is_not_there_is_not_asked_for_again(filled: Api, browser: Browser, place: str) -> None:
    heading, text, way_on = NOT_THERE[place]
    with visit(browser, filled, place) as visited:
        page = visited.page
        page.clock.install()
        page.reload()
        title(page, heading)
        expect(page).to_have_title(f"{heading} · dochak")
        expect(page.get_by_role("alert")).to_contain_text(text)
        expect(page.get_by_role("heading", name="Possible reasons")).to_be_visible()
        before = len(visited.requests)
        page.clock.run_for(60_000)
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        assert visited.requests[before:] == []
        with page.expect_response("**/v1/**"):
            page.get_by_role("button", name="Ask again").click()
        expect(page.get_by_role("alert")).to_contain_text(text)
        page.get_by_role("link", name=way_on).click()
        expect(page.locator("main .row").or_(page.get_by_text("Nothing matches all that is chosen.")).first).to_be_visible()
        forget(visited.faults, "404")


def test_a_message_that_comes_after_all_is_shown_when_asked_again(filled: Api, browser: Browser) -> None:
    with visit(browser, filled, "#/overview") as visited:
        page = visited.page
        title(page, "There is no page overview")
        page.route("**/v1/notifications/bizgo/arrived", lambda route: route.fulfill(status=404, json={"detail": "not yet"}))
        page.evaluate("location.hash = '#/messages/bizgo/arrived'")
        expect(page.get_by_role("alert")).to_contain_text("No message of bizgo with the id arrived was found.")
        page.unroute("**/v1/notifications/bizgo/arrived")
        page.get_by_role("button", name="Ask again").click()
        expect(page.locator("main")).to_be_focused()
        expect(page.locator(".timeline")).to_be_visible()
        expect(page.get_by_role("alert")).to_have_count(0)
        forget(visited.faults, "404")


def test_a_provider_that_is_not_there_is_named_and_the_known_ones_are_listed(filled: Api, browser: Browser) -> None:
    with visit(browser, filled, "#/providers/nobody") as visited:
        page = visited.page
        title(page, "Provider nobody")
        expect(page.get_by_role("alert")).to_have_text("No provider nobody is known.")
        page.get_by_role("link", name="bizgo", exact=True).click()
        title(page, "Provider bizgo")


def test_a_question_that_the_api_refuses_is_not_asked_again_and_can_be_mended(filled: Api, browser: Browser) -> None:
    with visit(browser, filled, "#/alerts?kind=odd&until=odd") as visited:
        page = visited.page
        page.clock.install()
        page.reload()
        expect(page.get_by_role("alert")).to_contain_text("The query API answers 400:")
        before = len(visited.requests)
        page.clock.run_for(60_000)
        assert visited.requests[before:] == []
        page.get_by_role("link", name='Remove "Kind: odd"').click()
        page.get_by_role("link", name='Remove "Before: odd"').click()
        expect(page.locator(".row")).to_have_count(3)
        forget(visited.faults, "400")


EMPTY = {
    "messages": ("No message is known yet.", "dochak-processor doctor"),
    "contacts": ("No contact is known yet.", "docs/webhooks.md"),
    "alerts": ("No alert has been raised yet.", "docs/alerts.md"),
    "incidents": ("No incident has been found yet.", "docs/operations.md"),
    "quarantine": ("The quarantine is empty", "all input so far was understood"),
}


@pytest.mark.parametrize("name", EMPTY)
def test_an_empty_list_says_why_and_what_to_do(filled: Api, browser: Browser, name: str) -> None:
    api_name = {"messages": "notifications"}.get(name, name)
    with visit(browser, filled) as visited:
        page = visited.page
        page.route(re.compile(rf"/v1/{api_name}(\?|$)"), lambda route: route.fulfill(json={"items": [], "next": None}))
        page.evaluate(f"location.hash = '#/{name}'")
        for text in EMPTY[name]:
            expect(page.locator(".empty")).to_contain_text(text)
        page.locator("[name=provider]").select_option("blux")
        expect(page.locator(".empty")).to_contain_text("Nothing matches all that is chosen.")
        title(page, f"{name.capitalize()}: blux")
        expect(page).to_have_title(f"{name.capitalize()}: blux · dochak")
        page.get_by_role("link", name='Remove "Provider: blux"').click()
        expect(page.locator("main")).to_be_focused()
        expect(page.locator(".empty")).to_contain_text(EMPTY[name][0])
        assert page.url.endswith(f"#/{name}")


def test_a_proxy_without_a_processor_behind_it_is_an_outage(filled: Api, browser: Browser) -> None:
    with visit(browser, filled) as visited:
        page = visited.page
        page.route("**/v1/**", lambda route: route.fulfill(status=502, content_type="text/html", body="<h1>Bad Gateway</h1>"))
        page.evaluate("location.hash = '#/messages'")
        expect(page.get_by_role("alert")).to_contain_text("something else than the query API answers, with HTTP status 502")
        expect(page.locator("main")).to_contain_text("docker compose logs processor")
        page.unroute("**/v1/**")
        expect(page.locator(".row.message")).to_have_count(4)
        expect(page.get_by_role("alert")).to_have_count(0)
        expect(page.locator("[name=provider] option")).to_have_text(["All", "bizgo", "blux"])  # asked for until it is there
        forget(visited.faults, "502")


# --- what each page is called


def test_each_page_says_what_it_shows(filled: Api, browser: Browser) -> None:
    of = {
        "en-GB": {
            "overview": (FAILING, "Overview"),
            "provider": ("Provider bizgo",) * 2,
            "incidents": ("Incidents",) * 2,
            "incident": (FAILING, re.compile(rf"^{FAILING} · .*\d\d:\d\d:\d\d UTC(\+\d+)? · dochak$")),
            "messages": ("Messages: Not arrived, 64008",) * 2,
            "message": ("bizgo message story/1",) * 2,
            "quarantine": ("Quarantine: Waiting",) * 2,
            "alerts": ("Alerts",) * 2,
            "contacts": ("Contacts",) * 2,
            "contact": ("channeltalk contact member/1",) * 2,
        },
        "ko-KR": {
            "provider": ("발송사 bizgo",) * 2,
            "messages": ("메시지: 미도달, 64008",) * 2,
            "message": ("bizgo 메시지 story/1",) * 2,
            "contact": ("channeltalk 연락처 member/1",) * 2,
        },
    }
    for locale, names in of.items():
        for name, (heading, tab) in names.items():
            with visit(browser, filled, pages(filled)[name], locale=locale) as visited:
                title(visited.page, heading)
                expect(visited.page).to_have_title(f"{tab} · dochak" if isinstance(tab, str) else tab)
