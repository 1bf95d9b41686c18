# SPDX-License-Identifier: MIT
"""`dochak-processor incidents` shows what a person on call needs, and nothing that a terminal would take for a command."""

import json
import re
import uuid

from support import contract
from support.service import run_once
from support.world import World

COLUMNS = (
    "incident_id, kind, provider, endpoint, scope, since, opened_at, closed_at, judged_until, gap_ms, faults, folded, details"
)
DETAILS = {
    "summary": "bizgo reports that messages of this account fail until somebody acts: 64008, blocked",
    "cause": None,
    "example": "key-17",
    "check_first": ["ask BizGo", "look at the profile"],
    "counts": {"account_faults": 3},
    "codes": [{"code": "64008", "reason": "blocked", "count": 3}],
}


def add(world: World, kind: str, provider: str, since: str, closed: str | None = None, **more) -> str:
    """An incident that began so long ago, and closed so long ago or not at all."""
    id_ = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{kind} {provider} {since}"))
    given = {"endpoint": "", "scope": "", "folded": 0, **more}
    details = json.dumps({**DETAILS, **given.pop("details", {})})
    world.sql(
        f"""INSERT INTO incident ({COLUMNS}) VALUES (%s, %s, %s, %s, %s, now() - %s::interval, now() - %s::interval,
            now() - %s::interval, now(), 0, 3, %s, %s)""",
        *(id_, kind, provider, given["endpoint"], given["scope"], since, since, closed, given["folded"], details),
    )
    return id_


def look(world: World, ago: str) -> None:
    """The watch last looked so long ago."""
    world.sql(
        "INSERT INTO watch_look (instance, leads_since, looked_at, hidden_partitions) VALUES ('test', now(), now() - %s::interval, 0)"
        " ON CONFLICT (one) DO UPDATE SET looked_at = excluded.looked_at",
        ago,
    )


def incidents(world: World, *arguments: str, looked: str = "4 seconds") -> str:
    look(world, looked)
    return shown(world, *arguments)


def shown(world: World, *arguments: str) -> str:
    done = run_once("processor", world.env(TZ="Asia/Seoul"), "incidents", *arguments)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def heads(text: str) -> list[str]:
    return [block.splitlines()[0] for block in text.split("\n\n") if block]


def test_without_incidents_it_says_so(world: World) -> None:
    assert incidents(world) == "no incident is open\n"
    add(world, "silent", "blux", "40 days", "31 days")
    assert incidents(world, "--all") == "no incident is open, and none closed in the last 30 days\n"
    assert incidents(world, "--all", "--json") == ""


def test_where_nobody_watches_it_says_so_first(world: World) -> None:
    assert shown(world).startswith("no processor has watched yet: ")
    first, blank, *rest = incidents(world, looked="3 hours 5 minutes 10 seconds").splitlines()
    assert re.match(r"no processor watches: the last look was 3 h 5 min ago, at \d{4}-.*\+09:00; .* dochak-processor doctor says why", first)
    assert (blank, rest) == ("", ["no incident is open"])
    add(world, "silent", "bizgo", "1 hour")
    assert "\n\nsilent  bizgo\n" in incidents(world, looked="2 minutes")
    assert json.loads(incidents(world, "--json", looked="2 minutes"))["kind"] == "silent"


def test_an_open_incident_is_shown_with_what_to_check_first(world: World) -> None:
    add(world, "failing", "bizgo", "2 hours 14 minutes 3 seconds", endpoint="bizgo/alimtalk", scope="account", folded=31)
    lines = incidents(world).splitlines()
    time = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+09:00"
    assert re.fullmatch(rf"  open, since {time}, for 2 h 14 min", lines.pop(1))
    assert re.fullmatch(rf"  alert of {time}: {DETAILS['summary']}", lines.pop(2))
    assert lines == [
        "failing  bizgo  bizgo/alimtalk  account",
        "  31 overdue notifications raised no alert of their own",
        "  for example: key-17",
        "  check first:",
        "    - ask BizGo",
        "    - look at the profile",
    ]


def test_the_newest_comes_first_and_closed_ones_only_if_asked_for(world: World) -> None:
    add(world, "slow", "bizgo", "3 hours")
    add(world, "silent", "blux", "2 minutes", details={"cause": "refusing is open: the check ip refuses all"})
    add(world, "refusing", "blux", "5 days", "3 days", endpoint="blux/sms")
    add(world, "unreachable", "", "29 days 1 hour", "29 days", scope="ingress")
    add(world, "failing", "bizgo", "40 days", "31 days")
    open_, all_ = incidents(world), incidents(world, "--all")
    assert heads(open_) == ["silent  blux", "slow  bizgo"]
    assert "  cause: refusing is open: the check ip refuses all\n" in open_
    assert heads(all_) == ["silent  blux", "slow  bizgo", "refusing  blux  blux/sms", "unreachable  ingress"]
    assert re.search(r"  closed, since .*\+09:00 until .*\+09:00, for 2 d\n", all_)


def test_json_has_the_members_of_the_alert(world: World) -> None:
    opened = add(world, "silent", "blux", "2 minutes", folded=7)
    closed = add(world, "unreachable", "", "2 days", "1 day", scope="ingress", details={"example": None, "codes": []})
    rows = [json.loads(line) for line in incidents(world, "--all", "--json").splitlines()]
    assert [(row["incident_id"], row["status"], row["folded_overdue"]) for row in rows] == [(opened, "open", 7), (closed, "closed", 0)]
    assert (rows[1]["provider"], rows[1]["endpoint"], rows[1]["scope"]) == (None, None, "ingress")
    for row in rows:
        contract.check_json("alert.schema.json", {**row, "occurred_at": row["opened_at"]})


def test_control_characters_do_not_reach_the_terminal(world: World) -> None:
    add(world, "silent", "blux", "2 minutes", details={"summary": "a\x1b[2Jb", "check_first": ["c\rd"]})
    text = incidents(world)
    assert ": a?[2Jb\n" in text and "    - c?d\n" in text


def test_it_says_when_the_silence_of_an_endpoint_would_be_found(world: World) -> None:
    world.sql(
        """INSERT INTO rhythm (endpoint, provider, state, floor, minute, standing, speaks_from, horizon, score, bar) VALUES
           ('a/new', 'a', '{}', '{}', now(), 'learning', '2026-12-27T00:00:00+09:00', NULL, 0, 1),
           ('b/young', 'a', '{}', '{}', now(), 'learning', NULL, NULL, 0, 1),
           ('c/usual', 'a', '{}', '{}', now(), 'watching', NULL, '2026-11-29T14:25:00+09:00', 0, 1),
           ('d/rare', 'a', '{}', '{}', now(), 'irregular', NULL, NULL, 0, 1),
           ('e/known', 'a', '{}', '{}', now(), 'registered', NULL, NULL, 0, 1)"""
    )
    assert incidents(world).splitlines() == [
        "no incident is open",
        "",
        "silence of endpoints:",
        "  a/new: learning; speaks from 2026-12-27 00:00:00+09:00",
        "  b/young: learning",
        "  c/usual: if calls stopped now, the alert would come at 2026-11-29 14:25:00+09:00",
        "  d/rare: too irregular to watch; set a floor in the endpoints file",
        "  e/known: its messages are registered, so a missing receipt is overdue",
    ]
    assert incidents(world, "--json") == ""
    world.sql(
        """INSERT INTO endpoint_minute SELECT date_trunc('minute', now()) - ago, endpoint, 'i', gen_random_uuid(), 'a', 0, 0, 0, '{}', 0, 0, 0, NULL, false
           FROM (VALUES ('a/new', interval '1 minute'), ('b/young', interval '23 hours'), ('c/usual', interval '25 hours')) AS given (endpoint, ago)"""
    )
    assert [line.split(":")[0] for line in incidents(world).splitlines()[3:]] == ["  a/new", "  b/young"]  # the others are gone


def test_it_takes_no_other_argument(world: World) -> None:
    for argument in ("--since", "bizgo"):
        done = run_once("processor", world.env(), "incidents", argument)
        assert done.returncode == 2 and "--help lists what there is" in done.stderr, done
