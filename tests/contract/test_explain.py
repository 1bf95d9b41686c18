# SPDX-License-Identifier: MIT
"""dochak-processor explain: what a person who writes a provider file sees. No server, no setting, no secret."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from support import builds

pytestmark = pytest.mark.quick
README = builds.ROOT / "schemas" / "providers" / "README.md"
EXAMPLES = builds.ROOT / "schemas" / "examples"
# Of the example bodies and the ones below, in the forms in which they stand there.
PERSONAL = re.compile(r"\+?8210\d{8}|010\d{8}|010-\d{4}-\d{4}|hana@example\.com")


def explain(*arguments: str | Path, body: str | bytes = "", **env: str) -> subprocess.CompletedProcess:
    """Never shows whom the body names, and never fails in any other way than it says."""
    done = subprocess.run(
        [builds.program("processor"), "explain", *arguments],
        input=body.encode() if isinstance(body, str) else body,
        env={**builds.base_environment(), "TZ": "KST-9", **env},
        capture_output=True,
        timeout=60 * builds.patience(),
        check=False,
    )
    shown = subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())
    assert shown.returncode in (0, 1, 2), shown
    assert not PERSONAL.search(shown.stdout + shown.stderr), shown
    return shown


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README.read_text("utf-8"), re.MULTILINE | re.DOTALL)


BODY, ACME = blocks("json")[:2]


@pytest.fixture
def acme(tmp_path: Path) -> Path:
    return written(tmp_path, json.loads(ACME))


def written(folder: Path, document: dict) -> Path:
    path = folder / f"{document['provider']}.json"
    path.write_text(json.dumps(document), "utf-8")
    return path


def lines(shown: subprocess.CompletedProcess, name: str) -> list[str]:
    """What stands behind this name, element by element."""
    return [line[14:] for line in shown.stdout.splitlines() if line.startswith(f"  {name} ")]


# --- what the documents show


def test_the_samples_of_the_readme_are_true(acme: Path) -> None:
    bad = re.search(r"So for `(\{.*\})`", README.read_text("utf-8"))[1]
    for body, code, sample in zip((BODY, bad), (0, 1), blocks("text"), strict=True):
        shown = explain("--file", acme, body=body)
        assert (shown.stdout, shown.returncode) == (sample, code), shown


def test_help_names_each_argument() -> None:
    shown = explain("--help")
    assert shown.returncode == 0 and shown.stderr == ""
    assert all(name in shown.stdout for name in ("--provider NAME", "--endpoint NAME", "--file FILE", "--acceptance"))


# --- every example of the shipped providers


def webhooks() -> list[Path]:
    return sorted(path.parent for path in EXAMPLES.glob("webhook/*/*/body.*"))


def body_of(folder: Path) -> bytes:
    """Exactly as it was sent: body.json, or body.form."""
    return next(folder.glob("body.*")).read_bytes()


def headers_of(folder: Path) -> list[str]:
    """The arguments for headers.json."""
    path = folder / "headers.json"
    return [f"--header={name}: {value}" for name, value in json.loads(path.read_text("utf-8")).items()] if path.exists() else []


def is_understood(element: dict) -> bool:
    return "not_understood" not in element


@pytest.mark.parametrize("folder", webhooks(), ids=lambda folder: f"{folder.parent.name}-{folder.name}")
def test_it_says_what_the_programs_read(folder: Path) -> None:
    expected = json.loads((folder / "expected.json").read_text("utf-8"))
    shown = explain("--provider", folder.parent.name, *headers_of(folder), body=body_of(folder))
    elements = expected["elements"]
    heads = re.findall(r"^(?:element \d+, [^:]*|the whole body): (.*)$", shown.stdout, re.MULTILINE)
    assert len(heads) == len(elements), shown
    assert [head != "would go to quarantine" for head in heads] == [is_understood(element) for element in elements], shown
    assert shown.returncode == (not all(is_understood(element) for element in elements))
    outcomes = [element["outcome"] for element in elements if "outcome" in element]
    assert [re.search(r"→ (\w+)", code)[1] for code in lines(shown, "code")] == outcomes, shown
    assert f"answer: {expected['ack']['status']} " in shown.stdout


def example(name: str) -> Path:
    """A provider file of the examples."""
    return EXAMPLES / "provider" / "valid" / f"{name}.json"


def test_a_form_is_shown_by_its_names_and_so_is_what_is_wrong_with_it() -> None:
    shown = explain("--file", example("body-as-a-form"), body="MessageSid=SM1&MessageStatus=undelivered&ErrorCode=30003&To=%2B821012345678\n")
    assert shown.returncode == 0 and "element 1, the whole body: a receipt" in shown.stdout, shown
    assert lines(shown, "code") == ["30003 → failed, about the recipient"] and lines(shown, "recipient") == ["+8210****5678"], shown
    assert 'answer: 200 {"got":"SM1"}' in shown.stdout, shown
    shown = explain("--file", example("body-as-a-form"), body="MessageId=SM1&MessageStatus=delivered")
    assert shown.returncode == 1 and "nothing at /MessageSid; is it /MessageId?" in shown.stdout, shown
    shown = explain("--file", example("body-as-a-form"), body="MessageSid=%")
    assert shown.returncode == 1 and "reason      not a form: " in shown.stdout, shown


FORM = "MessageSid=SM1&MessageStatus=delivered"


@pytest.mark.parametrize(
    ("before", "behind", "said"),
    [
        ("", "", []),
        ("", "&back=https://acme.example/?id=1", []),
        ("back=https://acme.example/?id=1&", "", []),
        ("?", "", ["the query begins behind the ?"]),
        ("https://acme.example/webhook/a/b?", "", ["the query begins behind the ?"]),
        ("/webhook/a/b?", "\n", ["the query begins behind the ?"]),
        ("GET /webhook/a/b?", " HTTP/1.1\r\n", ["the query begins behind the ?, and ends in front of HTTP"]),
        ("?from=acme&", "", ["the query begins behind the ?"]),
    ],
)
def test_a_query_that_was_pasted_with_more_says_where_it_begins(before: str, behind: str, said: list[str]) -> None:
    shown = explain("--file", example("body-as-a-form"), body=before + FORM + behind)
    mends = [line for line in lines(shown, "mend") if not line.startswith("change a")]
    assert [line for line in mends if "query" in line] == said, shown
    assert "looks like a form" not in shown.stdout and (shown.returncode == 0 or said), shown


def test_lists_inside_lists_are_shown_with_their_places() -> None:
    statuses = [{"id": "w1", "status": "read", "recipient_id": "821012345678"}, {"id": "w2", "status": "odd"}]
    changes = [{"value": {"statuses": statuses}}, {"value": {"messages": [{}]}}, {"value": {"status": statuses}}]
    shown = explain("--file", example("levels"), body=json.dumps({"entry": [{"changes": changes}]}))
    assert re.findall(r"^element \d+, (.*)$", shown.stdout, re.MULTILINE) == [
        '/entry/0/changes/0/value/statuses/0: a receipt, by the kind "status" (/webhook/kinds/0)',
        "/entry/0/changes/0/value/statuses/1: would go to quarantine",
        '/entry/0/changes/1: other (kept and counted, changes no status), by the kind "incoming" (/webhook/kinds/2)',
        "/entry/0/changes/2: would go to quarantine",
    ], shown
    assert "rule        /webhook/elements: nothing at /value/statuses; is it /value/status?" in shown.stdout, shown
    assert shown.returncode == 1 and "2 of 4 elements" in shown.stderr
    shown = explain("--file", example("levels"), body="{}")
    assert "the whole body: would go to quarantine" in shown.stdout and "rule        /webhook/elements: nothing at /entry" in shown.stdout, shown


def test_what_stands_outside_of_an_element_is_shown_with_it() -> None:
    statuses = [{"code": 402, "status": "Failed", "recipients": ["821012345678", "8211"]}, {"status": "Queued", "count": 7}]
    body = {"type": "delivery_report_sms", "batch_id": "b1", "statuses": statuses}
    shown = explain("--file", example("what-stands-outside-of-an-element"), body=json.dumps(body))
    assert shown.returncode == 0 and "element 2, /statuses/0/recipients/1: a receipt" in shown.stdout, shown
    assert [line.split("/")[0] for line in lines(shown, "id")] == ["b1", "b1"] and lines(shown, "not read") == [], shown
    assert lines(shown, "code") == ["402 → failed, about the recipient"] * 2, shown
    del body["batch_id"]
    shown = explain("--file", example("what-stands-outside-of-an-element"), body=json.dumps(body | {"batch": "b1"}))
    assert shown.returncode == 1 and "failed without a usable id at /@body/batch_id" in shown.stdout, shown
    assert 'rule        /webhook/kinds/1/id, "failed": nothing at /@body/batch_id' in shown.stdout, shown


def test_a_header_is_given_beside_the_body() -> None:
    body = json.dumps({"id": "m1", "code": "4000"})
    headers = ("--header", "X-Acme-Event-Name: SINGLE-REPORT", "--header=x-acme-event-id:e-17")
    shown = explain("--file", example("headers"), *headers, body=body)
    assert shown.returncode == 0 and lines(shown, "dedupe") == ["the id, e-17, 4000"], shown
    shown = explain("--file", example("headers"), body=body)
    assert shown.returncode == 1 and "nothing at /@header/x-acme-event-name" in shown.stdout and "--header" in shown.stdout, shown
    shown = explain("--file", example("headers"), "--header", "X-Acme-Event-Name", body=body)
    assert shown.returncode == 2 and "--header: expected a name, a colon and a value" in shown.stderr, shown


def test_json_inside_of_a_text_is_shown_as_json() -> None:
    message = {"eventType": "Bounce", "mail": {"messageId": "m1"}, "bounce": {"bounceType": "Permanent"}}
    for text in (message | {"bounce": {"bounceType": "Permanent", "bouncedRecipients": [{"emailAddress": "hana@example.com"}]}}, message):
        body = {"Type": "Notification", "MessageId": "s1", "Message": json.dumps(text)}
        shown = explain("--file", example("json-in-a-text"), body=json.dumps(body))
        assert 'answer: 200 {"message":"m1"}' in shown.stdout, shown
        if text is message:
            assert shown.returncode == 1 and "rule        /webhook/elements: nothing at /Message/delivery/recipients" in shown.stdout, shown
        else:
            assert shown.returncode == 0 and lines(shown, "code") == ["Permanent → failed, about the recipient"], shown


def answers() -> list[Path]:
    return sorted(path.parent for path in EXAMPLES.glob("acceptance/*/*/response.json"))


@pytest.mark.parametrize("folder", answers(), ids=lambda folder: f"{folder.parent.name}-{folder.name}")
def test_it_says_what_ingress_reads_of_a_send_answer(folder: Path) -> None:
    expected = json.loads((folder / "expected.json").read_text("utf-8"))
    shown = explain("--provider", folder.parent.name, "--acceptance", body=(folder / "response.json").read_bytes())
    if "error" in expected:
        assert shown.returncode == 1 and f"  reason      {expected['error']}" in shown.stdout, shown
        return
    assert shown.returncode == 0, shown
    verdicts = re.findall(r"^recipient \d+: (\w+)", shown.stdout, re.MULTILINE)
    assert verdicts == ["accepted" if entry["accepted"] else "refused" for entry in expected["acceptances"]], shown


# --- a file and a body that do not fit


def quarantined(shown: subprocess.CompletedProcess, *parts: str) -> None:
    assert shown.returncode == 1 and "would go to quarantine" in shown.stdout and "would go to quarantine" in shown.stderr, shown
    assert "answer: 200" in shown.stdout, shown  # the provider is answered all the same
    assert [part for part in parts if part not in shown.stdout] == [], shown


LIKE_A_FORM = 'this looks like a form: "body": "form" in webhook reads it, or "methods": ["GET"] if it is a query'


@pytest.mark.parametrize(
    ("body", "parts"),
    [
        ("", ["the whole body: ", "reason      the body is empty", "mend        standard input has to be the body"]),
        ("id=m-17&to=01012345678", ["the whole body: ", "reason      not JSON: ", "at byte 2", f"mend        {LIKE_A_FORM}\n"]),
        ("id=m-17\r\n", [f"mend        {LIKE_A_FORM}\n"]),
        ("?id=m-17&state=D", [f"mend        {LIKE_A_FORM}\n", "mend        the query begins behind the ?\n"]),
        ("id: m-17\nstate=D", ["mend        standard input has to be the body"]),
        ("<result id=17/>", ["mend        standard input has to be the body"]),
        ("state=D\nid=m-17", ["mend        standard input has to be the body"]),
        (BODY[:-20], ["the whole body: ", "reason      not JSON: "]),
        ('{"result": [{"id": "m-17"}]}', ['expected an object or an array at "/results"', "/webhook/elements: nothing at /results; is it /result?", "it has      /result"]),
        ('{"results": 5}', ["/webhook/elements: 5 at /results"]),
        ("[]", ["/webhook/elements: nothing at /results", "it has      a list"]),
        ('{"results": [5]}', ["element 1, /results/0", "reason      provider acme: expected an object"]),
        ('{"results": [{"id": "m-17"}]}', ['/webhook/kinds/0/when/present, "result": nothing at /state', '"kind": "other"', "it has      /id"]),
        ('{"results": [{"id": "m-17", "state": {"x": 1}}]}', ['/webhook/kinds/0/code, "result": no use can be made of an object at /state']),
        ('{"results": [{"id": "", "state": "D"}]}', ['/webhook/kinds/0/id, "result": no use can be made of "" at /id']),
        ('{"results": [{"ident": "", "id": null, "state": "D"}]}', ['/webhook/kinds/0/id, "result": nothing at /id']),
    ],
)
def test_what_would_go_to_quarantine_is_shown_with_its_rule(acme: Path, body: str, parts: list[str]) -> None:
    quarantined(explain("--file", acme, body=body), *parts)


def test_a_byte_order_mark_hides_no_rule(kinds: Path) -> None:
    shown = explain("--file", kinds, body="\ufeff" + '{"state": "D", "text": "hi"}')
    quarantined(shown, "element 1, the whole body: ", '/webhook/kinds/0/when/absent, "report": "hi" at /text')


def test_a_bad_element_does_not_hide_its_neighbours(acme: Path) -> None:
    shown = explain("--file", acme, body='{"results": [{"id": "m-1", "state": "D"}, {}, {"id": "m-3", "state": "N"}]}')
    assert shown.stderr == "dochak-processor: explain: 1 of 3 elements would go to quarantine\n"
    assert lines(shown, "id") == ["m-1", "m-3"] and "element 2, /results/1: would go to quarantine" in shown.stdout


def test_an_answer_says_what_it_would_repeat_and_does_not_find(tmp_path: Path) -> None:
    document = json.loads(ACME)
    document["webhook"]["ack"]["body"] = {"id": "${/requestid}", "again": ["${/request_id}", "${/results}"]}
    shown = explain("--file", written(tmp_path, document), body=BODY)
    assert '\nanswer: 200 {"id":"","again":["r-81",""]}\n' in shown.stdout
    assert lines(shown, "no value") == [
        '"${/requestid}" becomes "": nothing at /requestid; is it /request_id?',
        '"${/results}" becomes "": a list at /results',
    ]
    shown = explain("--file", written(tmp_path, document), body="requestid=1")
    assert '"${/requestid}" becomes "": nothing at /requestid' in lines(shown, "no value")


def test_a_place_to_mask_with_nothing_there_is_named(tmp_path: Path) -> None:
    document = json.loads(ACME)
    document["webhook"]["kinds"][0]["masked"] = ["/text", "/too"]
    shown = explain("--file", written(tmp_path, document), body='{"results": [{"id": "m", "to": "01012345678", "state": "D", "text": "x"}]}')
    assert lines(shown, "masked") == ["–  nothing at /too; is it /to?"]


def test_the_answer_to_a_kind_is_that_of_the_kind(tmp_path: Path) -> None:
    document = json.loads(ACME)
    document["webhook"]["kinds"][0]["ack"] = {"status": 202, "text": "OK"}
    assert "\nanswer: 202 OK (text/plain)\n" in explain("--file", written(tmp_path, document), body=BODY).stdout
    document["webhook"]["kinds"][0]["ack"] = {"status": 204}
    assert "\nanswer: 204 with an empty body\n" in explain("--file", written(tmp_path, document), body=BODY).stdout


def test_no_element_is_no_fault(acme: Path) -> None:
    shown = explain("--file", acme, body='{"results": []}')
    assert shown.returncode == 0 and shown.stdout.startswith("no element: ")


UNLISTED = "not listed in /outcomes, so it is a failure; add it to /outcomes with what it means (on_its_way if it is no result)"


def test_an_unlisted_code_is_a_failure_and_says_where_to_list_it(acme: Path) -> None:
    shown = explain("--file", acme, body='{"results": [{"id": "m-1", "state": "Q", "text": "to 01012345678"}]}')
    assert shown.returncode == 0
    assert lines(shown, "code") == [f"Q → failed: {UNLISTED}"]
    assert lines(shown, "reason") == ["unknown code Q: to 010****5678"]


def changed(folder: Path, **rules: object) -> Path:
    """The example with other rules in its kind."""
    document = json.loads(ACME)
    document["webhook"]["kinds"][0].update(rules)
    return written(folder, document)


def test_a_place_that_only_dedupe_names_is_suggested_too(tmp_path: Path) -> None:
    shown = explain("--file", changed(tmp_path, id="/idd"), body='{"results": [{"id": "m-1", "state": "D"}]}')
    assert shown.returncode == 1 and lines(shown, "rule") == ['/webhook/kinds/0/id, "result": nothing at /idd; is it /id?']


def test_the_part_of_an_id_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    shown = explain("--file", changed(tmp_path, id={"parts": ["/id", "/to"]}), body='{"results": [{"id": "m-1", "state": "D", "to": ""}]}')
    assert shown.returncode == 1
    assert lines(shown, "rule") == ['/webhook/kinds/0/id, "result": no use can be made of "" at /to']


def test_a_dedupe_place_with_nothing_is_named(tmp_path: Path) -> None:
    shown = explain("--file", changed(tmp_path, dedupe=["/no", "/state"]), body='{"results": [{"id": "m-1", "state": "D"}]}')
    assert shown.returncode == 0 and lines(shown, "dedupe") == ["the id, (nothing at /no), D"]


@pytest.mark.parametrize(
    ("state", "ignored", "near"),
    [
        ('"d"', None, '; is it "D"? then "codes_ignore": ["case"] says so'),
        ('"d"', ["leading_zeros"], '; is it "D"? then "codes_ignore": ["case", "leading_zeros"] says so'),
        ('"007"', None, '; is it "7"? then "codes_ignore": ["leading_zeros"] says so'),
        ("3", None, '; is it "03"? then "codes_ignore": ["leading_zeros"] says so'),
        ("3", ["case"], '; is it "03"? then "codes_ignore": ["case", "leading_zeros"] says so'),
        ('"DD"', None, ""),
        ('"70"', None, ""),
    ],
)
def test_an_unlisted_code_in_another_form_names_the_listed_one(tmp_path: Path, state: str, ignored: list[str] | None, near: str) -> None:
    document = json.loads(ACME) | ({"codes_ignore": ignored} if ignored else {})
    document["outcomes"] |= {"7": {"outcome": "delivered"}, "03": {"outcome": "delivered"}}
    shown = explain("--file", written(tmp_path, document), body=f'{{"results": [{{"id": "m-1", "state": {state}}}]}}')
    assert lines(shown, "code")[0].endswith(f" → failed: {UNLISTED}{near}"), shown
    document["acceptance"]["shapes"][0]["accepted"] = ["D", "7", "03"]
    shown = explain("--file", written(tmp_path, document), "--acceptance", body=f'{{"messages": [{{"id": "m-1", "status": {state}}}]}}')
    assert lines(shown, "code")[0].endswith(f" → refused: not listed in /acceptance/shapes/0/accepted{near}"), shown
    document["webhook"]["kinds"][0]["otherwise"] = {"outcome": "unconfirmed", "reason": "no known result"}
    shown = explain("--file", written(tmp_path, document), body=f'{{"results": [{{"id": "m-1", "state": {state}}}]}}')
    assert lines(shown, "code")[0].endswith(f"/webhook/kinds/0/otherwise counts{near}"), shown


def test_an_unlisted_code_of_several_places_says_where_it_was_read(tmp_path: Path) -> None:
    document = json.loads(ACME)
    document["webhook"]["kinds"][0]["code"] = ["/error", "/state"]
    document["outcomes"]["true"] = {"outcome": "delivered"}
    elements = [{"error": 77, "state": "D"}, {"error": "", "state": "Q"}, {"error": "x" * 65, "state": False}, {"error": None, "state": "D"}]
    shown = explain("--file", written(tmp_path, document), body=json.dumps({"results": [{"id": "m-1"} | element for element in elements]}))
    assert lines(shown, "code") == [
        f"77, read at /error → failed: {UNLISTED}",
        f"Q, read at /state → failed: {UNLISTED}",
        f"false, read at /state → failed: {UNLISTED}",
        "D → delivered",
    ], shown


def test_no_result_yet_and_an_unlisted_code_with_an_otherwise_say_so(tmp_path: Path) -> None:
    document = json.loads(ACME)
    document["outcomes"]["W"] = {"outcome": "on_its_way"}
    document["webhook"]["kinds"][0]["otherwise"] = {"outcome": "unconfirmed", "reason": "no known result"}
    shown = explain("--file", written(tmp_path, document), body='{"results": [{"id": "m-1", "state": "W"}, {"id": "m-1", "state": "Q"}]}')
    assert shown.returncode == 0, shown
    assert lines(shown, "code") == [
        "W → on_its_way: no result; one is still due",
        "Q → unconfirmed: not listed in /outcomes, so /webhook/kinds/0/otherwise counts",
    ]


LOST_PLUS = "(a + that was not encoded becomes a blank)"


@pytest.mark.parametrize(
    ("time", "said"),
    [
        ('"2026-01-12T02:00:03Z"', "2026-01-12 11:00:03+09:00"),
        ('"2999-01-12 11:00:03"', "2999-01-12 11:00:03+09:00, in the future: the time of arrival counts"),
        ('"12/Jan 11:00"', '–  no time that can be read at /at, where 9 is a digit: "99/aaa 99:99"; the time of arrival counts'),
        ('"01012345678"', '–  no time that can be read at /at, where 9 is a digit: "99999999999"; the time of arrival counts'),
        ('"2026-01-12 11:00"', '–  no time that can be read at /at, where 9 is a digit: "9999-99-99 99:99"; the time of arrival counts'),
        ('"2026-01-12T11:00:03 09:00"', f'–  no time that can be read at /at, where 9 is a digit: "9999-99-99a99:99:99 99:99" {LOST_PLUS}; the time of arrival counts'),
        ('"12 Jan 2026 11:00 0900"', f'–  no time that can be read at /at, where 9 is a digit: "99 aaa 9999 99:99 9999" {LOST_PLUS}; the time of arrival counts'),
        ("null", "–  nothing at /at: the time of arrival counts"),
    ],
)
def test_a_time_is_shown_as_it_is_read_or_why_it_is_not(acme: Path, time: str, said: str) -> None:
    shown = explain("--file", acme, body=f'{{"results": [{{"id": "m-1", "state": "D", "at": {time}}}]}}')
    assert shown.returncode == 0 and lines(shown, "time") == [said]


def test_a_wrong_pointer_is_named_with_the_place_that_was_meant(tmp_path: Path) -> None:
    document = json.loads(ACME)
    document["webhook"]["kinds"][0]["recipient"] = "/too"
    document["webhook"]["kinds"][0]["time"] = "/received"
    shown = explain("--file", written(tmp_path, document), body=BODY)
    assert lines(shown, "recipient") == ["–  nothing at /too; is it /to?"] * 2
    assert lines(shown, "time") == ["–  nothing at /received: the time of arrival counts"] * 2
    assert lines(shown, "not read") == ["/to, /at", "/to"]


@pytest.mark.parametrize(
    ("reason", "places"),
    [
        ("/payload/errors/0/text", ["/payload/errors/0/title", "/payload/errors/1", "/payload/deep/a"]),
        ("/payload/errors/1/text", ["/payload/errors/0", "/payload/errors/1/title", "/payload/deep/a"]),
        ("/payload/deep/a/b/c/d", ["/payload/errors", "/payload/deep/a/x", "/payload/deep/a/b/c/e", "/payload/deep/a/b/list"]),
        ("/payload/deep/a/b/list/1", ["/payload/errors", "/payload/deep/a/x", "/payload/deep/a/b/c", "/payload/deep/a/b/list/0"]),
        ("/payload/none", ["/payload/errors", "/payload/deep/a"]),
    ],
)
def test_what_is_left_inside_of_what_is_read_is_listed(tmp_path: Path, reason: str, places: list[str]) -> None:
    errors = [{"text": "no such number", "title": "bad"}, {"text": "off", "title": "late"}]
    deep = {"a": {"x": 1, "b": {"c": {"d": "text", "e": 2}, "list": ["one", "two"]}}}
    element = {"id": "m-1", "state": "D", "payload": {"errors": errors, "deep": deep}}
    shown = explain("--file", changed(tmp_path, reason=reason), body=json.dumps({"results": [element]}))
    assert shown.returncode == 0 and lines(shown, "not read") == [", ".join(places)], shown


def test_the_same_report_twice_counts_once(acme: Path) -> None:
    again = '{"id": "m-1", "state": "D", "at": "2026-01-12 11:00:03"}'
    shown = explain("--file", acme, body=f'{{"results": [{again}, {{"id": "m-1", "state": "N"}}, {again}]}}')
    assert lines(shown, "note") == ["the same report as element 1: it counts once"] and shown.returncode == 0


KINDS = [
    {"name": "report", "kind": "receipt", "when": {"present": ["/state"], "absent": ["/text"]}, "id": {"parts": ["/request", "/number"]}}
    | {"code": "/state", "dedupe": ["/request", "/to", "/log"], "recipient": "/to", "masked": ["/log"]},
    {"name": "reply", "kind": "other", "when": {"equals": {"/type": ["reply", "reply2"]}}, "id": "/request"},
    {"name": "late", "kind": "receipt", "when": {"equals_any_case": {"/type": ["late"]}}, "id": "/request", "code": "/state"} | {"dedupe": ["/request"]},
    {"name": "person", "kind": "contact", "when": {"present": ["/person"]}, "id": "/person", "phone": "/tel", "email": "/mail", "version": "/version"}
    | {"consents": {"sms": {"at": "/sms", "withdrawn": False}}, "deleted": [{"equals": {"/gone": ["yes"]}}]},
]


@pytest.fixture
def kinds(tmp_path: Path) -> Path:
    document = json.loads(ACME)
    document["webhook"] |= {"elements": "", "kinds": KINDS, "ack": {"status": 200, "body": {"to": "${/to}", "log": "${/log}"}}}
    return written(tmp_path, document)


def test_each_kind_that_does_not_fit_says_why(kinds: Path) -> None:
    body = '{"state": "D", "text": "hi", "type": "Reply", "number": 1}'
    shown = explain("--file", kinds, body=body)
    quarantined(shown, "element 1, the whole body: ")
    assert lines(shown, "rule") == [
        '/webhook/kinds/0/when/absent, "report": "hi" at /text',
        '/webhook/kinds/1/when/equals, "reply": "Reply" at /type, expected one of ["reply", "reply2"]',
        '/webhook/kinds/2/when/equals_any_case, "late": "Reply" at /type, expected one of ["late"]',
        '/webhook/kinds/3/when/present, "person": nothing at /person',
    ]


def test_two_kinds_that_clash_are_named(kinds: Path) -> None:
    shown = explain("--file", kinds, body='{"state": "D", "type": "reply", "request": "r/1", "number": 3}')
    assert lines(shown, "id") == ["r~11/3"] and shown.returncode == 0
    assert lines(shown, "note") == ['the kind "reply" (/webhook/kinds/1) fits, too; the first that fits is used']


def test_a_kind_for_all_the_rest_clashes_with_none(tmp_path: Path) -> None:
    document = json.loads(ACME)
    document["webhook"]["kinds"].append({"name": "rest", "kind": "other"})
    shown = explain("--file", written(tmp_path, document), body=BODY)
    assert lines(shown, "id") == ["m-17", "m-18"] and lines(shown, "note") == []


def test_a_part_of_an_id_that_is_missing_is_named(kinds: Path) -> None:
    shown = explain("--file", kinds, body='{"state": "D", "request": "r-1", "numbr": 3}')
    quarantined(shown, '/webhook/kinds/0/id, "report": nothing at /number; is it /numbr?')


def test_other_is_said_to_change_nothing(kinds: Path) -> None:
    shown = explain("--file", kinds, body='{"type": "reply", "request": "r-1", "text": "01012345678"}')
    assert shown.stdout.startswith('element 1, the whole body: other (kept and counted, changes no status), by the kind "reply" (/webhook/kinds/1)\n')


def test_a_contact_is_shown_with_its_consents(kinds: Path) -> None:
    shown = explain("--file", kinds, body='{"person": "p-1", "tel": "010-1234-5678", "mail": "hana@example.com", "sms": true, "version": 7}')
    assert (lines(shown, "phone"), lines(shown, "email"), lines(shown, "consent")) == (["010****5678"], ["h***@example.com"], ["sms: given"])
    assert (lines(shown, "version"), lines(shown, "says")) == (["7"], ["this is all that is known of the person"])
    shown = explain("--file", kinds, body='{"person": "p-1", "gone": "yes", "tel": "010-1234-5678"}')
    assert (lines(shown, "says"), lines(shown, "phone")) == (["the person is gone"], [])
    shown = explain("--file", kinds, body='{"person": "p-1", "sms": "yes"}')
    quarantined(shown, "other than true, false or null at /sms", '/webhook/kinds/3/consents, "person"')


@pytest.mark.parametrize("number", ["01012345678", "+821012345678", "821012345678", "010-1234-5678"])
@pytest.mark.parametrize("place", ["/request", "/number", "/state", "/to", "/type", "/log", "/person", "/other"])
def test_no_place_shows_a_whole_number(kinds: Path, number: str, place: str) -> None:
    """explain() looks at it."""
    body = {"state": "D", "request": "r-1", "number": 1, "to": "01087654321", "type": "reply", "log": "x", "sms": True}
    explain("--file", kinds, body=json.dumps(body | {place[1:]: number}))
    explain("--file", kinds, body=json.dumps({place[1:]: number, "text": f"call {number}"}))


def test_a_masked_place_is_shown_masked_wherever_it_is_used(kinds: Path) -> None:
    shown = explain("--file", kinds, body='{"state": "D", "request": "r-1", "number": 1, "to": "447700900123", "log": "dear Hana"}')
    assert "Hana" not in shown.stdout and "447700900123" not in shown.stdout
    assert lines(shown, "dedupe") == ["the id, r-1, 4477****0123, ***, D"]
    assert 'answer: 200 {"to":"4477****0123","log":"***"}' in shown.stdout


def test_a_command_for_the_terminal_is_not_passed_on(acme: Path) -> None:
    shown = explain("--file", acme, body='{"results": [{"id": "m-1", "state": "D\\u0007", "te\\u001b[2Jxt": "x"}, {"id": "m-2", "st\\u001b[2J": 1}]}')
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", shown.stdout), shown


# --- a send answer


def test_each_recipient_of_a_send_answer_is_shown(acme: Path) -> None:
    answer = {"messages": [{"id": "m-17", "to": "01012345678", "status": "queued"}, {"to": "01087654321", "status": "blocked"}]}
    shown = explain("--file", acme, "--acceptance", body=json.dumps(answer))
    assert shown.returncode == 0 and "answer:" not in shown.stdout
    assert re.findall(r"^recipient \d: (.*)$", shown.stdout, re.MULTILINE) == ["accepted", "refused by the send API"]
    assert (lines(shown, "id"), lines(shown, "code"), lines(shown, "recipient")) == (["m-17", "–  nothing at /id"], ["queued", "blocked → refused: not listed in /acceptance/shapes/0/accepted"], ["010****5678", "010****4321"])
    assert lines(shown, "no rule") == ["channel, reference", "reason, channel, reference"]
    assert lines(shown, "note") == ["it has no id, so nothing is registered"]


def with_shape(folder: Path, **rules: object) -> Path:
    """The example with other rules for its send answers; None is no rule."""
    document = json.loads(ACME)
    shape = document["acceptance"]["shapes"][0] | rules
    document["acceptance"]["shapes"] = [{key: rule for key, rule in shape.items() if rule is not None}]
    return written(folder, document)


@pytest.mark.parametrize(
    ("rules", "name", "said"),
    [
        ({"code": "/state"}, "code", "–  nothing at /state; is it /status?: without a code each recipient counts as refused"),
        ({"code": ["/state", "/result"]}, "code", "–  nothing at /state; is it /status?: without a code each recipient counts as refused"),
        ({"code": ["/a", "/b"]}, "code", "–  without a code each recipient counts as refused"),
        ({"code": "/parts"}, "code", "–  no use can be made of a list at /parts: without a code each recipient counts as refused"),
        ({"accepted": ["sent"]}, "code", "queued → refused: not listed in /acceptance/shapes/0/accepted"),
        ({"reference": "/reff"}, "reference", "–  nothing at /reff; is it /ref?"),
        ({"reference": ["/reference", "/reff"]}, "reference", "–  nothing at /reff; is it /ref?"),
        ({"reference": ["/a", "/b"]}, "reference", "–"),
        ({"reference": "/a"}, "reference", "–  nothing at /a"),
        ({"shared_reference": "/requestid"}, "reference", "–  nothing at /requestid; is it /request_id?"),
        ({"recipient": "/too"}, "recipient", "–  nothing at /too; is it /to?"),
        ({"channel": "/chanel"}, "channel", "–  nothing at /chanel; is it /channel?"),
        ({"accepted": ["sent"], "reason": "/texts"}, "reason", "–  nothing at /texts; is it /text?"),
        ({"requires": {"/request_id": ["r-1"]}}, "code", "r-81 → refused: not listed in /acceptance/shapes/0/requires at /request_id"),
        ({"requires": {"/requestid": ["r-1"]}}, "code", "–  nothing at /requestid; is it /request_id?: without what /acceptance/shapes/0/requires lists each recipient counts as refused"),
        ({"requires": {"/request_id": ["r-1"]}, "id": "/idd"}, "id", "–  nothing at /idd; is it /id?"),
        ({"requires": {"/request_id": ["r-1"]}, "shared_id": "/requestid"}, "id", "–  nothing at /requestid; is it /request_id?"),
        ({}, "not read", "/parts, /ref, /text, /channel"),
    ],
)
def test_what_is_not_found_in_a_send_answer_is_named_with_its_place(tmp_path: Path, rules: dict, name: str, said: str) -> None:
    entry = {"id": "m-1", "to": "01012345678", "status": "queued", "parts": [], "ref": "a-1", "text": "to 01012345678", "channel": "SMS"}
    answer = {"request_id": "r-81", "messages": [{"id": "m-0", "to": "01087654321"}, entry]}
    shown = explain("--file", with_shape(tmp_path, **rules), "--acceptance", body=json.dumps(answer))
    assert shown.returncode == 0 and lines(shown, name)[-1] == said, shown
    if "id" in rules:  # without a list, an answer without an id is not read
        return
    rules = {key: rule for key, rule in rules.items() if not key.startswith("shared")} | {"each": None}
    shown = explain("--file", with_shape(tmp_path, **rules), "--acceptance", body=json.dumps({**entry, "request_id": "r-81"}))
    assert shown.returncode == 0 and len(re.findall("^recipient", shown.stdout, re.MULTILINE)) == 1, shown


@pytest.mark.parametrize(
    ("answer", "parts"),
    [
        ('{"message": []}', ["/acceptance/shapes/0/each: nothing at /messages; is it /message?", "it has      /message"]),
        ('{"messages": []}', ["/messages: expected one recipient or more"]),
        ('{"messages": [{"id": "m-1", "status": "queued"}, {"ID": "m-2", "status": "queued"}]}',
         ["/acceptance/shapes/0/id: in the entry /messages/1, nothing at /id; is it /ID?", "mend        name in this rule where the id is within an entry"]),
        ('{"messages": {}}', ["mend        name in a rule where the list of recipients is, or the id of the only one"]),
        ("[]", ["for example with a list at /messages"]),
        ('{"messages": [{"ID": "m-1", "status": "queued"}]}', ["/messages/0/id: expected a notification id", "/acceptance/shapes/0/id: in the entry /messages/0, nothing at /id; is it /ID?"]),
    ],
)
def test_a_send_answer_that_cannot_be_read_is_shown_with_its_rule(acme: Path, answer: str, parts: list[str]) -> None:
    shown = explain("--file", acme, "--acceptance", body=answer)
    assert (shown.returncode, shown.stderr) == (1, "dochak-processor: explain: the send answer cannot be read\n")
    assert [part for part in parts if part not in shown.stdout] == [], shown


def test_of_several_lists_the_entry_without_an_id_is_named() -> None:
    file = EXAMPLES / "provider/valid/acceptance-of-several-lists.json"
    answer = {"failedMessageList": [{"messageId": "a", "statusCode": "1062"}], "sent": {"messageList": [{"messageID": "b", "statusCode": "2000"}]}}
    shown = explain("--file", file, "--acceptance", body=json.dumps(answer))
    assert lines(shown, "reason") == ["/sent/messageList/0/messageId: expected a notification id"]
    assert lines(shown, "rule") == ["/acceptance/shapes/0/id: in the entry /sent/messageList/0, nothing at /messageId; is it /messageID?"]
    shown = explain("--file", file, "--acceptance", body=json.dumps({"failedMessageList": []}))
    assert lines(shown, "reason") == ["/failedMessageList and /sent/messageList: expected one recipient or more"]


def test_a_place_of_the_whole_answer_is_called_so(tmp_path: Path) -> None:
    document = json.loads(ACME)
    document["acceptance"]["shapes"][0]["each"] = ""
    shown = explain("--file", written(tmp_path, document), "--acceptance", body="[]")
    assert lines(shown, "reason") == ["the whole answer: expected one recipient or more"]


def test_a_send_answer_that_is_no_json_is_told_with_the_place(acme: Path) -> None:
    shown = explain("--file", acme, "--acceptance", body="<html>")
    assert (shown.returncode, shown.stderr) == (1, "dochak-processor: the send answer: not JSON: invalid token at byte 1\n")


# --- what is asked for


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ([], "expected --provider NAME, --endpoint NAME or --file FILE"),
        (["--provider"], "--provider: needs a value"),
        (["--provider", "a", "--provider", "b"], "--provider: given twice"),
        (["--file", "a.json", "--provider", "a"], "--file names the provider file already"),
        (["body.json"], 'unknown argument "body.json"'),
    ],
)
def test_wrong_usage_ends_with_2(arguments: list[str], part: str) -> None:
    shown = explain(*arguments)
    assert (shown.returncode, shown.stdout) == (2, "") and part in shown.stderr and "--help" in shown.stderr


def test_an_unknown_provider_is_told_the_known_ones() -> None:
    shown = explain("--provider", "acme", body="{}")
    assert shown.returncode == 1 and 'no provider file "acme"' in shown.stderr and "bizgo" in shown.stderr and "channeltalk" in shown.stderr


def test_a_folder_of_ones_own_is_read(acme: Path) -> None:
    shown = explain("--provider", "acme", body=BODY, DOCHAK_PROVIDERS_DIR=str(acme.parent))
    assert shown.returncode == 0 and lines(shown, "id") == ["m-17", "m-18"]


@pytest.mark.parametrize("by_folder", [False, True])
def test_a_fault_in_the_file_is_told_with_file_and_place(tmp_path: Path, by_folder: bool) -> None:
    document = json.loads(ACME)
    document["webhook"]["kinds"][0]["id"] = "id"
    path = written(tmp_path, document)
    shown = explain("--provider", "acme", body=BODY, DOCHAK_PROVIDERS_DIR=str(tmp_path)) if by_folder else explain("--file", path, body=BODY)
    assert shown.returncode == 1 and f"{path}: /webhook/kinds/0/id: expected a JSON Pointer" in shown.stderr and shown.stdout == ""


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    shown = explain("--file", tmp_path / "acme.json", body=BODY)
    assert shown.returncode == 1 and f"{tmp_path}/acme.json: No such file" in shown.stderr


def test_an_endpoint_stands_for_its_provider(tmp_path: Path) -> None:
    endpoints = tmp_path / "endpoints.json"
    endpoints.write_text('{"endpoints": [{"endpoint": "bizgo/sms", "provider": "bizgo", "secret_path": ["DOCHAK_SECRET_X"]}]}')
    body = (EXAMPLES / "webhook" / "bizgo" / "alimtalk-delivered" / "body.json").read_bytes()
    listed = {"body": body, "DOCHAK_ENDPOINTS_FILE": str(endpoints)}
    assert explain("--endpoint", "bizgo/sms", **listed).stdout == explain("--provider", "bizgo", body=body).stdout
    assert explain("--endpoint", "bizgo/sms", "--provider", "bizgo", **listed).returncode == 0
    assert "has the provider bizgo, not blux" in explain("--endpoint", "bizgo/sms", "--provider", "blux", **listed).stderr
    assert f'{endpoints} lists no endpoint "bizgo"' in explain("--endpoint", "bizgo", **listed).stderr
    assert "DOCHAK_ENDPOINTS_FILE is not set" in explain("--endpoint", "bizgo/sms", body=body).stderr


def test_a_body_is_bounded_as_ingress_bounds_it(acme: Path) -> None:
    body = BODY.replace('"r-81"', f'"{"r" * 2000}"')
    shown = explain("--file", acme, body=body, DOCHAK_BODY_MAX_BYTES="1024")
    assert (shown.returncode, shown.stdout) == (1, "") and "more than 1024 bytes (DOCHAK_BODY_MAX_BYTES)" in shown.stderr and "413" in shown.stderr
    assert explain("--file", acme, body=body, DOCHAK_BODY_MAX_BYTES=str(len(body))).returncode == 0


def test_a_form_of_the_largest_size_is_not_too_large_as_json() -> None:
    form = (EXAMPLES / "webhook" / "twilio" / "delivered" / "body.form").read_text().strip() + "&a=1" * 300
    shown = explain("--provider", "twilio", body=form, DOCHAK_BODY_MAX_BYTES=str(len(form)))
    assert shown.returncode == 0, shown.stderr


def test_an_endpoint_with_a_limit_of_its_own_is_bounded_by_that(tmp_path: Path) -> None:
    endpoints = tmp_path / "endpoints.json"
    endpoints.write_text(json.dumps({"endpoints": [{"endpoint": "a/b", "provider": "acme", "max_body_bytes": 4096}]}))
    folder = tmp_path / "files"
    folder.mkdir()
    written(folder, json.loads(ACME))
    settings = {"DOCHAK_PROVIDERS_DIR": str(folder), "DOCHAK_ENDPOINTS_FILE": str(endpoints), "DOCHAK_BODY_MAX_BYTES": "1024"}
    element = {"id": "m", "to": "01012345678", "state": "D"}
    many = json.dumps({"results": [element] * 30})
    assert 1024 < len(many) < 4096 and explain("--endpoint", "a/b", body=many, **settings).returncode == 0
    shown = explain("--endpoint", "a/b", body=many.ljust(4097), **settings)
    assert shown.returncode == 1 and "more than 4096 bytes (max_body_bytes of the endpoint)" in shown.stderr
    shown = explain("--endpoint", "a/b", "--acceptance", body=many, **settings)  # is no call of the endpoint
    assert shown.returncode == 1 and "more than 1024 bytes (DOCHAK_BODY_MAX_BYTES)" in shown.stderr
    large = json.dumps({"results": [element, {**element, "text": "x" * 1024}]})
    shown = explain("--endpoint", "a/b", body=large, **settings)
    assert shown.returncode == 1 and "element 2 has more than 1024 bytes (DOCHAK_BODY_MAX_BYTES): ingress would answer 413" in shown.stderr


def test_the_most_elements_are_shown_and_more_are_not_cut(acme: Path) -> None:
    def body(n: int) -> str:
        return json.dumps({"results": [{"id": i, "state": "D"} for i in range(n)]}, separators=(",", ":"))

    assert explain("--file", acme, body=body(10000)).stdout.count(": a receipt") == 10000
    quarantined(explain("--file", acme, body=body(10001)), "the whole body: ", "more than 10000 elements in one body")


def test_a_full_disk_is_told(acme: Path) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run([builds.program("processor"), "explain", "--file", acme], input=BODY.encode(), env=builds.base_environment(), stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1 and b"stdout is incomplete" in done.stderr


# --- answers of ask

ARRIVED = {"msgKey": "m-17", "reportCode": "10000", "serviceType": "ALIMTALK", "to": "01012345678"}


def inquiry(report, code: str = "A000") -> str:
    return json.dumps({"common": {"authCode": "A000"}, "data": {"code": code, "data": {"report": report}}})


def answered(body: str, *arguments: str, provider: str = "bizgo", form: str = "v2", id_: str = "m-17") -> subprocess.CompletedProcess:
    return explain("--provider", provider, "--answer", form, "--id", id_, *arguments, body=body)


def test_an_answer_is_read_as_reconcile_reads_it() -> None:
    shown = answered(inquiry([ARRIVED, {**ARRIVED, "reportCode": "3018", "serviceType": "SMS"}]))
    assert shown.returncode == 0, shown
    assert shown.stdout.startswith("answer 200, by /ask/0/answers/0: found\n  code        A000\nelement 1, /data/data/report/0: a receipt")
    assert lines(shown, "id") == ["m-17", "m-17"] and "element 2, /data/data/report/1: a receipt" in shown.stdout


def test_a_report_about_another_id_spoils_its_answer() -> None:
    shown = answered(inquiry([ARRIVED, {**ARRIVED, "msgKey": "m-18"}]))
    assert shown.returncode == 1 and "by /ask/0/answers/0: unclear" in shown.stdout
    assert lines(shown, "note") == ["its id is not the one of --id, so nothing of the whole answer is used"]


def test_an_element_that_no_kind_reads_spoils_its_answer() -> None:
    shown = answered(inquiry([{"msgKey": "m-17"}]))
    assert shown.returncode == 1 and "element 1, /data/data/report/0: would go to quarantine" in shown.stdout
    assert "/reportCode" in lines(shown, "rule")[0] and not lines(shown, "note")


@pytest.mark.parametrize("report", [[], None])
def test_an_answer_without_elements_is_no_result_yet(report) -> None:
    shown = answered(inquiry(report))
    assert shown.returncode == 0 and "nothing: there is no result yet" in shown.stdout.splitlines()[0]
    assert lines(shown, "note")[0].startswith("no element"), shown


@pytest.mark.parametrize("report", [7, {"msgKey": "m-17"}])
def test_an_answer_without_a_list_is_unclear(report) -> None:
    shown = answered(inquiry(report))
    assert shown.returncode == 1 and "unclear" in shown.stdout.splitlines()[0]
    assert lines(shown, "rule")[0].startswith("/ask/0/answers/0/each: no list"), shown


@pytest.mark.parametrize(("body", "said"), [(inquiry(None, "A020"), "/ask/0/answers/1: again"), (inquiry(None, "A001"), "/ask/0/answers/3: stop")])
def test_an_entry_without_result_says_what_follows(body: str, said: str) -> None:
    shown = answered(body)
    assert shown.returncode == 0 and said in shown.stdout.splitlines()[0]


def test_each_entry_says_what_an_answer_misses() -> None:
    shown = answered(inquiry([ARRIVED], "A000").replace("authCode", "authcode"), "--status", "418")
    assert shown.returncode == 1 and "answer 418, by its status, since no entry of /ask/0/answers fits: unclear" in shown.stdout
    assert lines(shown, "rule")[:2] == [
        "/ask/0/answers/0/when/status: 418, expected one of [200]",
        '/ask/0/answers/1/when/equals: nothing at /common/authCode; is it /common/authcode?, expected one of ["A000"]',
    ]
    assert len(lines(shown, "rule")) == 4 and lines(shown, "mend") and lines(shown, "it has")


@pytest.mark.parametrize(("status", "said", "code"), [("502", "again", 0), ("401", "stop", 0), ("400", "unclear", 1)])
def test_without_an_entry_the_status_counts(status: str, said: str, code: int) -> None:
    shown = answered("<html>", "--status", status)
    assert shown.returncode == code and f"fits: {said}" in shown.stdout
    assert "/ask/0/answers/1/when: the answer is no JSON" in lines(shown, "rule")
    assert bool(lines(shown, "mend")) == bool(code)


def test_an_element_that_is_made_of_an_answer_is_shown() -> None:
    user = {"id": "u-1", "memberId": "u-1", "type": "member", "profile": {"mobileNumber": "+821012345678"}}
    shown = answered(json.dumps({"user": user}), provider="channeltalk", form="v5", id_="u-1")
    assert shown.returncode == 0 and "element 1, made of the answer: a contact" in shown.stdout, shown
    gone = answered("", "--status", "404", provider="channeltalk", form="v5", id_="u-1")
    assert gone.returncode == 0 and lines(gone, "says") == ["the person is gone"], gone


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--answer", "v2"], "--answer FORM and --id ID belong together"),
        (["--id", "m-17"], "--answer FORM and --id ID belong together"),
        (["--answer", "v2", "--id", "m-17", "--acceptance"], "leave out --acceptance"),
        (["--answer", "v2", "--id", "m-17", "--status", "99"], "100 to 599"),
        (["--status", "404"], "100 to 599"),
    ],
)
def test_arguments_of_answers_that_do_not_fit(arguments: list[str], said: str) -> None:
    shown = explain("--provider", "bizgo", *arguments, body="{}")
    assert (shown.returncode, shown.stdout) == (2, "") and said in shown.stderr


def test_a_question_that_the_file_does_not_have() -> None:
    shown = answered("{}", form="v7")
    assert shown.returncode == 1 and 'has v2, v1 in "ask", not v7' in shown.stderr
    shown = answered("{}", provider="blux")
    assert shown.returncode == 1 and 'has no question in "ask", so not v2' in shown.stderr


# --- ./dev


def test_dev_runs_it_with_the_files_of_the_checkout(tmp_path: Path) -> None:
    """In a checkout that is built, whatever was exported from .run/env."""
    program = tmp_path / "build" / "release" / "bin" / "dochak-processor"
    program.parent.mkdir(parents=True)
    program.symlink_to(builds.program("processor"))
    for name in ("dev", "scripts", "deploy", "common", "processor"):
        (tmp_path / name).symlink_to(builds.ROOT / name)
    (tmp_path / "schemas" / "providers").mkdir(parents=True)
    (tmp_path / "schemas" / "x.schema.json").touch()
    os.utime(tmp_path / "schemas" / "x.schema.json", (0, 0))
    written(tmp_path / "schemas" / "providers", json.loads(ACME))
    env = {**builds.base_environment(), "DOCHAK_INGRESS_URL": "http://127.0.0.1:1"}
    done = subprocess.run([tmp_path / "dev", "explain", "--provider", "acme"], input=BODY, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "") and lines(done, "id") == ["m-17", "m-18"]
