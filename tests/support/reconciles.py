# SPDX-License-Identifier: MIT
"""A dochak that may ask the fake APIs of providers, and the command that does."""

import json
import subprocess
from contextlib import suppress
from pathlib import Path

from support import builds, http, payloads
from support.provider_apis import Api, BizGo, ChannelTalk, Twilio, report, user
from support.replays import count
from support.service import run_once, told
from support.wait import until, until_equal
from support.world import World

SECRETS = {
    "DOCHAK_SECRET_BIZGO_API_KEY": BizGo.API_KEY,
    "DOCHAK_SECRET_BIZGO_CLIENT": BizGo.CLIENT_ID,
    "DOCHAK_SECRET_BIZGO_PASSWORD": BizGo.CLIENT_PASSWORD,
    "DOCHAK_SECRET_CHANNELTALK_KEY": ChannelTalk.ACCESS_KEY,
    "DOCHAK_SECRET_CHANNELTALK_SECRET": ChannelTalk.ACCESS_SECRET,
    "DOCHAK_SECRET_TWILIO_BASIC": Twilio.BASIC,
}
NAMES = {
    "v2": ("bizgo", {"api_key": "DOCHAK_SECRET_BIZGO_API_KEY"}),
    "v1": ("bizgo", {"client_id": "DOCHAK_SECRET_BIZGO_CLIENT", "client_password": "DOCHAK_SECRET_BIZGO_PASSWORD"}),
    "v5": ("channeltalk", {"access_key": "DOCHAK_SECRET_CHANNELTALK_KEY", "access_secret": "DOCHAK_SECRET_CHANNELTALK_SECRET"}),
    "v2010": ("twilio", {"basic": "DOCHAK_SECRET_TWILIO_BASIC"}),
}
TOKEN = "channeltalk-token-0123456789"
OVERDUE_AT_ONCE = {"receipt_within_s": 1, "expires_after_s": 86400}
QUICKLY = 2000  # requests a second: as fast as it goes


class Asking:
    """Settings of a world whose processors read provider files of the test's own, and whose `reconcile` asks the API. By themselves they ask nothing,
    unless the account says so."""

    def __init__(self, world: World, api: Api, form: str, ca: Path | None = None, expects: dict | None = None, account: dict | None = None, **rules):
        self.world, self.api, self.form = world, api, form
        self.provider, names = NAMES[form]
        folder = self._write_providers({"per_second": QUICKLY, **rules}, expects or {})
        account = {"form": form, "base": api.url, "secrets": names, "every_s": 0, **({"ca": str(ca)} if ca else {}), **(account or {})}
        world.endpoints_file.write_text(
            json.dumps(
                {
                    "endpoints": [
                        {"endpoint": "bizgo/alimtalk", "provider": "bizgo", "secret_path": ["DOCHAK_SECRET_BIZGO_PATH"]},
                        {
                            "endpoint": "channeltalk/users",
                            "provider": "channeltalk",
                            "checks": {"query_token": {"secrets": ["DOCHAK_SECRET_CHANNELTALK_TOKEN"]}},
                        },
                    ],
                    "ask": {self.provider: account},
                }
            )
        )
        self.settings = {"DOCHAK_PROVIDERS_DIR": str(folder), "DOCHAK_SECRET_CHANNELTALK_TOKEN": TOKEN, **SECRETS}

    def _write_providers(self, rules: dict, expects: dict) -> Path:
        folder = self.world.folder / "asking"
        folder.mkdir(exist_ok=True)
        for file in (builds.ROOT / "schemas/providers").glob("*.json"):
            document = json.loads(file.read_text("utf-8"))
            document["expects"] = {**document.get("expects", {}), **expects}
            for form in document.get("ask", []):
                form.update(rules)
            (folder / file.name).write_text(json.dumps(document))
        return folder

    def start(self) -> "Asking":
        self.world.new_ingress(**self.settings).start().wait_ready()
        self.world.new_processor(**self.settings).start().wait_ready()
        return self

    def run(self, *arguments: str, code: int = 0, **settings: str) -> subprocess.CompletedProcess:
        """reconcile, and that it tells no secret."""
        env = self.world.env(**{**self.settings, **settings})
        done = run_once("processor", env, "reconcile", self.provider, *arguments, timeout=600)
        assert done.returncode == code, done
        check_silence(self.world, done.stdout + done.stderr)
        return done

    def begin(self, *arguments: str, **settings: str) -> subprocess.Popen:
        program = [*builds.WRAPPER, builds.program("processor"), "reconcile", self.provider, *arguments]
        env = self.world.env(**{**self.settings, **settings})
        return subprocess.Popen(program, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def sums(self, *arguments: str, code: int = 0, **settings: str) -> dict:
        """Of a run with --json."""
        lines = self.run(*arguments, "--json", code=code, **settings).stdout.splitlines()
        return json.loads(lines[-1])["sums"]


def check_silence(world: World, text: str) -> None:
    for secret in told([*world.secrets, *SECRETS.values(), TOKEN, "token-"], text):
        raise AssertionError(f"reconcile tells {secret!r}: {text}")


def end(process: subprocess.Popen, seconds: float = 60) -> tuple[str, str]:
    with suppress(subprocess.TimeoutExpired):
        return process.communicate(timeout=seconds * builds.patience())
    process.kill()
    raise AssertionError(f"reconcile did not end: {process.communicate()}")


def kill_after(process: subprocess.Popen, api: Api, requests: int) -> None:
    """SIGKILL, once so many requests have arrived."""
    deadline = 60 + requests / 100  # the rate of the slowest
    until(f"{requests} requests have arrived", lambda: len(api.arrived) >= requests or process.poll() is not None, deadline, every=0.002)
    assert process.poll() is None, process.communicate()
    process.kill()
    process.communicate()


def decided(world: World) -> list[list]:
    """Notifications that have a result, and what came of it. The watch alerts about the others in its own time."""
    world.settle()
    tables = ("notification WHERE status <> 'PENDING'", "receipt", "acceptance", "alert WHERE type <> 'dochak.notification.overdue.v1'")
    columns = {tables[3]: "alert_id, type, subject, data"}
    return [world.sql(f"SELECT {columns.get(table, '*')} FROM {table} ORDER BY 1, 2") for table in tables]


# --- messages of BizGo whose webhooks were lost


def register(world: World, ids: list[str]) -> None:
    for first in range(0, len(ids), 500):
        world.register([payloads.accepted("bizgo", id_, recipient=payloads.PHONES[0]) for id_ in ids[first : first + 500]])


def wait_overdue(world: World, n: int) -> None:
    question = "notification WHERE status = 'PENDING' AND due_at <= now()"
    until_equal(f"{n} are overdue", lambda: count(world, question), n, 60)
    world.settle()


def lost(world: World, api: BizGo, n: int, form: str = "v2", **rules) -> tuple[Asking, dict[str, str]]:
    """So many messages that are overdue, and what became of each. No webhook has come."""
    asking = Asking(world, api, form, expects=OVERDUE_AT_ONCE, **rules).start()
    return asking, lose(world, api, n)


def lose(world: World, api: BizGo, n: int) -> dict[str, str]:
    statuses = {}
    for i in range(n):
        id_ = payloads.new_id()
        reports, status = [
            ([report(id_, "10000")], "SENT"),
            ([report(id_, "63019", reportText="call 010-1234-5678")], "DEAD_LETTER"),
            ([report(id_, "63019"), report(id_, "10000", "SMS", to=payloads.PHONE)], "SENT"),  # fell back
            ([report(id_, "77777")], "DEAD_LETTER"),
            ([], "PENDING"),
        ][i % 5]
        api.reports[id_], statuses[id_] = reports, status
    register(world, list(statuses))
    world.settle()
    wait_overdue(world, count(world, "notification WHERE status = 'PENDING'"))
    return statuses


def has(statuses: dict[str, str], status: str) -> int:
    return sum(one == status for one in statuses.values())


def check_statuses(world: World, statuses: dict[str, str]) -> None:
    world.settle()
    found = world.statuses()
    assert {id_: found[id_] for id_ in statuses} == statuses


# --- people of Channel Talk


def phone(number: int) -> str:
    return f"+8210{number:08d}"


def made(number: int, **more) -> dict:
    fields = {"mobileNumber": phone(number), "email": f"p{number}@example.com", "unsubscribeTexting": number % 3 == 0, **more}
    return user(f"member-{number}", **fields)


def webhook(event: str, entity: dict) -> bytes:
    return payloads.to_bytes({"event": event, "type": "user", "entity": entity})


def post_all(world: World, bodies: list[bytes]) -> None:
    """One call each, as Channel Talk makes them."""
    connection = http.Connection(world.ingress.ports["public"])
    for body in bodies:
        answer = connection.post(f"/webhook/channeltalk/users?token={TOKEN}", body, {"Content-Type": "application/json"})
        assert answer.status == 200, answer
    connection.close()


def known(world: World, api: ChannelTalk, n: int, changed_ms: int = 0, **rules) -> Asking:
    """So many members, each of whom has come by webhook."""
    asking = Asking(world, api, "v5", **rules).start()
    more = {"updatedAt": changed_ms} if changed_ms else {}
    api.users = {f"member-{i}": made(i, **more) for i in range(n)}
    post_all(world, [webhook("upsert", one) for one in api.users.values()])
    world.settle(300)
    return asking
