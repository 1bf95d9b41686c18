# SPDX-License-Identifier: MIT
"""README.md's section on Docker and docs/deployment.md, walked through on a clean engine, one step after the other. Run it by hand and
before a release: ./dev test -m slow -k rehearsal -s"""

import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from compose.machine import HOST, SENDER, Machine, until, until_equal
from support import builds, payloads, prometheus

pytestmark = [
    pytest.mark.slow,
    pytest.mark.alone,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(
        os.geteuid() != 0 or not all(map(shutil.which, ("dockerd", "slirp4netns", "debootstrap"))),
        reason="needs root, and the packages docker.io, docker-compose, slirp4netns and debootstrap",
    ),
]

DOMAIN = "api.example.test"
MIB = 1024 * 1024
# What debian:bookworm-slim takes up. A stand-in may be larger, so the limit of 100 MB is for what we add.
SLIM, LIMIT = 75e6, 100e6
# Percent of a core. librdkafka 2.0.2 waits in whole milliseconds for its timer of a second and spins for the rest: each client costs a twentieth
# of a percent, and where a clock is slow to read a tenth. A processor has five.
IDLE = {"ingress": 0.5, "processor": 0.75}
KEYS = 12  # in the store, with the connection string that has one of them
# docker-compose 1.29 makes those of unused profiles too.
DECLARED = (builds.ROOT / "docker-compose.yml").read_text("utf-8").partition("\nvolumes:\n")[2].partition("\nnetworks:\n")[0]
NAMED_VOLUMES = set(re.findall(r"^  (\w+):", DECLARED, re.MULTILINE))
ACME = {
    "provider": "acme",
    "webhook": {
        "elements": "/results",
        "kinds": [
            {"name": "result", "kind": "receipt", "id": "/id", "code": "/state", "channel": {"value": "SMS"}, "dedupe": ["/id", "/state"]}
        ],
        "ack": {"status": 200, "body": {"ok": True}},
        "refused": {"status": 403},
        "budget_ms": 1500,
        "deadline_ms": 4500,
    },
    "outcomes": {"D": {"outcome": "delivered"}},
}


def block(page: str, heading: str) -> str:
    """The shell commands under a heading."""
    section = (builds.ROOT / page).read_text("utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return "".join(re.findall(r"^```sh\n(.*?)^```", section, re.MULTILINE | re.DOTALL))


def lines_with(text: str, *marks: str) -> str:
    """The commands, whole ones of several lines too, that contain one of the marks."""
    commands = re.sub(r"\\\n *", " ", text).splitlines()
    return "\n".join(line for line in commands if any(mark in line for mark in marks))


def report(text: str) -> None:
    print(f"\n  {text}", end="")


def bizgo(id_: str, code: str = "10000") -> str:
    return json.dumps(payloads.bizgo(id_, code))


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    machine = Machine(Path(f"/tmp/dochak-{os.getpid()}"))  # short: it is the name of a network and of a socket
    try:
        machine.start()
        yield machine
    finally:
        machine.stop()


@pytest.fixture(scope="module")
def shown(machine: Machine) -> dict[str, str]:
    return dict(line.split("=", 1) for line in machine.sh("docker compose run --rm -T secrets show").splitlines() if "=" in line)


def status(machine: Machine, id_: str) -> str:
    return machine.query(f"SELECT status FROM notification WHERE notification_id = '{id_}'")


def becomes(machine: Machine, id_: str, wanted: str) -> None:
    until_equal(f"{id_} is {wanted}", lambda: status(machine, id_), wanted)


def is_healthy(machine: Machine, service: str, number: int = 1) -> bool:
    return machine.inspect(machine.container(service, number))["State"]["Health"]["Status"] == "healthy"


def healthy(machine: Machine, *services: str) -> None:
    until(f"{' and '.join(services)} are healthy", lambda: all(is_healthy(machine, service) for service in services), 120)


# --- the first steps


def test_the_readme_leads_from_nothing_to_the_alert(machine: Machine):
    commands = block("README.md", "Run it with Docker")
    began = time.monotonic()
    machine.sh(lines_with(commands, "up -d  "), timeout=1500)
    report(f"docker compose up -d: {time.monotonic() - began:.0f} s, with the build")
    calls = lines_with(commands, "secrets show") + "\n" + lines_with(block("README.md", "Run it"), "curl -H")
    assert calls.count("curl -H") == 3
    began = time.monotonic()
    until("ingress answers", lambda: "202" in machine.sh(calls.replace("curl -H", "curl -sS -w '%{http_code}\\n' -H"), check=False))
    becomes(machine, "try-1", "DEAD_LETTER")
    assert "try-1" in machine.sh(lines_with(commands, "exec postgres").replace("exec ", "exec -T "))
    alert = until("the alert is on the topic", lambda: lines_with(read_alerts(machine, commands), "ce_type:dochak.notification.dead_lettered.v1"))
    report(f"from the first call to the alert as a consumer prints it: {time.monotonic() - began:.0f} s")
    assert "try-1" in alert and '"reference":"order-17"' in alert.replace(" ", "")


def read_alerts(machine: Machine, commands: str) -> str:
    return machine.sh(lines_with(commands, "run --rm alerts").replace("run ", "run -T "))


def test_the_reader_of_alerts_ends_without_an_alarming_line(machine: Machine):
    printed = machine.sh("docker compose run -T --rm alerts 2>&1")
    assert not re.search(r"error|exception|warn", printed, re.IGNORECASE), printed


def test_everything_gets_healthy(machine: Machine):
    healthy(machine, "kafka", "postgres", "ingress", "processor")
    machine.sh("docker compose exec -T ingress dochak-ingress --ready && docker compose exec -T processor dochak-processor --ready")


def test_the_first_start_logs_nothing_alarming(machine: Machine):
    alarming = re.compile(r"\b(error|fatal|panic|exception|warn(ing)?|failed)\b", re.IGNORECASE)
    logs = machine.sh("docker compose logs --no-color 2>&1")
    assert not [line for line in logs.splitlines() if alarming.search(line)]


def test_sizes_and_memory(machine: Machine):
    ours, base = (machine.inspect(image)["Size"] for image in ("dochak:local", "debian:bookworm-slim"))
    report(f"dochak:local {ours / 1e6:.1f} MB: {base / 1e6:.1f} MB of its base and {(ours - base) / 1e6:.1f} MB of ours")
    for service in ("kafka", "postgres", "ingress", "processor"):
        report(machine.sh(f"docker stats --no-stream --format '{service}: {{{{.MemUsage}}}}' {machine.container(service)}").strip())
    assert SLIM + ours - base < LIMIT


def test_idle_services_use_little_cpu(machine: Machine):
    """The limit is for the programs. What Docker's health checks start in their containers is reported, too."""
    names = {service: machine.container(service) for service in ("ingress", "processor", "kafka", "postgres")}

    def used() -> dict[str, tuple[float, float]]:
        return {service: (machine.cpu_seconds(name), machine.cpu_seconds_of_program(name)) for service, name in names.items()}

    before = used()
    time.sleep(60)  # the time is what is measured
    percent = {service: [(after - then) / 60 * 100 for after, then in zip(now, before[service])] for service, now in used().items()}
    for service, (container, program) in percent.items():
        report(f"{service}: {container:.2f} % of a core while nothing happens, of which {program:.2f} % are the program's")
    assert all(percent[service][1] <= most for service, most in IDLE.items()), percent


# --- secrets


def test_each_container_lists_only_its_own_secrets(machine: Machine):
    listed = {
        service: set(machine.sh(f"docker compose exec -T {service} ls /run/dochak").split())
        for service in ("ingress", "processor", "postgres")
    }
    assert listed == {
        "ingress": {
            "DOCHAK_INGRESS_KEY", "DOCHAK_PING_KEY", "DOCHAK_SECRET_BIZGO_PATH", "DOCHAK_SECRET_BLUX_PATH", "DOCHAK_SECRET_CHANNELTALK_TOKEN"
        },
        "processor": {"DOCHAK_RECIPIENT_KEY", "DOCHAK_PG_PASSWORD", "DOCHAK_PING_KEY", "DOCHAK_API_KEY", "DOCHAK_API_POSTGRES_URL"},
        "postgres": {"postgres_password"},
    }
    for service in ("kafka", "ingress", "processor", "postgres", "roles", "migrate"):
        volumes = {mount.get("Name", "") for mount in machine.inspect(machine.container(service))["Mounts"]}
        assert "dochak_secrets" not in volumes, service
        assert len([name for name in volumes if name.endswith("_keys")]) == (service != "kafka"), service


def test_no_secret_shows_in_inspect_logs_environments_or_the_image(machine: Machine):
    secrets = machine.secrets()
    assert len(secrets) == KEYS
    everything = machine.sh(
        """
        docker inspect $(docker ps -aq) $(docker volume ls -q) $(docker network ls -q)
        docker inspect dochak:local; docker history --no-trunc dochak:local
        docker compose logs --no-color 2>&1
        docker compose exec -T ingress cat /proc/1/environ; docker compose exec -T processor cat /proc/1/environ
        """
    )
    assert not [name for name, secret in secrets.items() if secret in everything]
    patterns = " ".join(f"-e '{secret}'" for secret in secrets.values())
    assert machine.sh(f"docker save dochak:local | grep -ac {patterns} || true").strip() == "0"


def test_the_image_lists_what_it_contains(machine: Machine):
    document = json.loads(
        machine.sh(re.search(r"`(docker run --rm dochak:local cat \S+)`", (builds.ROOT / "docs/deployment.md").read_text())[1])
    )
    components = {component["name"]: component["version"] for component in document["components"]}
    assert {"librdkafka1", "libcivetweb1", "libjansson4", "libpq5", "libcurl4", "libsqlite3-0", "zlib1g", "libssl3", "libc6"} <= components.keys()
    installed = machine.sh("docker run --rm dochak:local dpkg-query -W -f '${Package} ${Version}\\n'")
    embedded = components.keys() & {"preact", "uplot"}  # in the dashboard: of npm, and in no package of Debian
    assert len(embedded) == 2
    assert {name: components[name] for name in components.keys() - embedded} == dict(line.split() for line in installed.splitlines())


def test_the_front_door_is_proven(machine: Machine):
    """Ingress answers with the proof that the processor asks for: both have the same key."""
    doctor = "docker compose exec -T -e DOCHAK_PUBLIC_URL=http://ingress:8080 processor dochak-processor doctor"
    (line,) = [line for line in machine.sh(doctor, check=False).splitlines() if " front door " in line]
    assert line.startswith("good "), line


# --- own configuration, and the sender's address


def test_own_endpoints_providers_and_secrets(machine: Machine, shown: dict[str, str]):
    """As docs/deployment.md says, in a folder of its own that is closed to others."""
    own = machine.project.parent / "own"
    endpoints = [
        {"endpoint": "bizgo/alimtalk", "provider": "bizgo", "secret_path": ["DOCHAK_SECRET_BIZGO_PATH"]},
        {
            "endpoint": "bizgo/checked",
            "provider": "bizgo",
            "secret_path": ["DOCHAK_SECRET_BIZGO_PATH"],
            "checks": {"ip": {"allow": [SENDER]}},
        },
        {"endpoint": "acme/sms", "provider": "acme", "secret_path": ["DOCHAK_SECRET_ACME_PATH"]},
    ]
    machine.write("../own/endpoints.json", json.dumps({"endpoints": endpoints}), 0o600)
    machine.write("../own/providers/acme.json", json.dumps(ACME), 0o600)
    machine.write("../own/secrets/DOCHAK_SECRET_ACME_PATH", "a-path-of-our-own-0123\n", 0o600)
    for path in (own, *own.rglob("*")):
        os.chown(path, 1234, 1234)
    (own / "secrets").chmod(0o700)
    machine.write(".env", "DOCHAK_CONFIG=../own\n")
    steps = block("docs/deployment.md", "Secrets and own configuration")
    machine.sh(lines_with(steps, "docker compose").replace("run --rm", "run -T --rm"))
    healthy(machine, "ingress", "processor")
    url = f"{shown['DOCHAK_INGRESS_URL']}/webhook/acme/sms/a-path-of-our-own-0123"
    assert (
        machine.sh(f'curl -sS -d \'{{"results": [{{"id": "acme-1", "state": "D"}}]}}\' -H \'Content-Type: application/json\' {url}')
        == '{"ok":true}'
    )
    becomes(machine, "acme-1", "SENT")
    listed = machine.sh("docker compose exec -T ingress ls /run/dochak")
    assert "DOCHAK_SECRET_ACME_PATH" in listed
    assert "ACME" not in machine.sh("docker compose exec -T processor ls /run/dochak")


def checked(shown: dict[str, str]) -> str:
    return shown["DOCHAK_WEBHOOK_BIZGO"].replace("/alimtalk/", "/checked/")


def test_an_ip_check_behind_the_published_port(machine: Machine, shown: dict[str, str]):
    """A proxy on this machine names the sender; without it, the sender is the gateway, which is not allowed."""
    post = "curl -sS -o /dev/null -w '%{http_code}' -H 'Content-Type: application/json'"
    assert machine.sh(f"{post} -d '{bizgo('port-1')}' {checked(shown)}") == "200"  # BizGo gets a 200 even when it is refused
    assert machine.sh(f"{post} -H 'X-Forwarded-For: {SENDER}, 192.0.2.9' -d '{bizgo('port-2')}' {checked(shown)}") == "200"
    assert machine.sh(f"{post} -H 'X-Forwarded-For: {SENDER}' -d '{bizgo('port-3')}' {checked(shown)}") == "200"
    becomes(machine, "port-3", "SENT")
    assert status(machine, "port-1") == status(machine, "port-2") == ""
    refused = [line for line in machine.sh("docker compose logs --no-color ingress").splitlines() if "sender refused" in line]
    assert "172.31.251.1" in refused[0]  # not every refusal is logged


# --- HTTPS


def https(machine: Machine, path: str, *arguments: str, host: str = DOMAIN) -> tuple[str, str]:
    """Called from outside with a certificate that is checked: curl's status (000: none) and its error."""
    done = machine.outside(
        "curl", "-sS", "-m", "10", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", str(machine.project.parent / "root.crt"),
        "--resolve", f"{DOMAIN}:443:{HOST}", *arguments, f"https://{host}{path}",
    )  # fmt: skip
    return done.stdout, done.stderr


def posted(machine: Machine, shown: dict[str, str], id_: str, *arguments: str) -> str:
    path = checked(shown).removeprefix(shown["DOCHAK_INGRESS_URL"])
    return https(machine, path, "-H", "Content-Type: application/json", "-d", bizgo(id_), *arguments)[0]


def caddy_logs(machine: Machine) -> str:
    return machine.sh("docker compose logs --no-color caddy")


@pytest.fixture(scope="module")
def secured(machine: Machine) -> Machine:
    machine.write(".env", f"DOCHAK_CONFIG=../own\nCOMPOSE_PROFILES=https\nDOCHAK_DOMAIN={DOMAIN}\nDOCHAK_TLS=internal\n")
    machine.sh("docker compose up -d")
    authority = re.search(r"`(docker compose exec caddy cat \S+)`", (builds.ROOT / "docs/deployment.md").read_text())[1]
    root = until("Caddy has made its authority", lambda: machine.sh(authority.replace("exec", "exec -T") + " 2>/dev/null || true"))
    (machine.project.parent / "root.crt").write_text(root)
    until_equal("Caddy answers", lambda: https(machine, "/v1/ping")[0], "200")
    return machine


def test_a_webhook_over_https_is_sent_and_seen_with_its_own_address(secured: Machine, shown: dict[str, str]):
    assert posted(secured, shown, "https-1") == "200"
    becomes(secured, "https-1", "SENT")
    assert posted(secured, shown, "https-2", "--http2") == "200"
    becomes(secured, "https-2", "SENT")


def test_a_sender_cannot_claim_an_address_over_https(secured: Machine, shown: dict[str, str]):
    """From this machine itself, whose address is not allowed."""
    path = checked(shown).removeprefix(shown["DOCHAK_INGRESS_URL"])
    call = f"curl -sS --cacert ../root.crt --resolve {DOMAIN}:443:{HOST} -H 'Content-Type: application/json' -H 'X-Forwarded-For: {SENDER}'"
    secured.sh(f"{call} -d '{bizgo('https-3')}' https://{DOMAIN}{path}")
    assert posted(secured, shown, "https-4") == "200"
    becomes(secured, "https-4", "SENT")
    assert status(secured, "https-3") == ""


def test_the_certificate_is_checked(secured: Machine):
    done = secured.outside("curl", "-sS", "-m", "10", "--resolve", f"{DOMAIN}:443:{HOST}", f"https://{DOMAIN}/v1/ping")
    assert done.returncode == 60, done.stderr  # curl's own: the certificate is of no known authority


@pytest.mark.parametrize("path", ["/", "/livez", "/readyz", "/metrics", "/webhook", "/v2/x", "/v1/../metrics"])
def test_nothing_else_can_be_reached(secured: Machine, path: str):
    assert https(secured, path, "--path-as-is")[0] == "404"


def test_another_host_is_not_acknowledged(secured: Machine):
    assert https(secured, "/v1/ping", "-H", "Host: other.example.test")[0] == "404"


def test_plain_http_is_refused_and_stores_nothing(secured: Machine, shown: dict[str, str]):
    path = checked(shown).removeprefix(shown["DOCHAK_INGRESS_URL"])
    done = secured.outside("curl", "-sS", "-i", "-m", "10", "-H", f"Host: {DOMAIN}", "-d", bizgo("plain-1"), f"http://{HOST}{path}")
    assert done.stdout.startswith("HTTP/1.1 403 ") and "Use https" in done.stdout
    assert "location:" not in done.stdout.lower()
    assert posted(secured, shown, "https-5") == "200"
    becomes(secured, "https-5", "SENT")
    assert status(secured, "plain-1") == ""


def test_only_the_proxy_listens_to_the_outside(secured: Machine):
    for port in (18080, 18081, 19080, 19081, 19092, 5432, 9092, 2019):
        assert secured.outside("curl", "-sS", "-m", "3", f"http://{HOST}:{port}/").returncode in (7, 28), port


def test_a_body_over_the_limit_is_refused(secured: Machine, shown: dict[str, str]):
    secured.write("../large", "x" * (2 * MIB))
    path = checked(shown).removeprefix(shown["DOCHAK_INGRESS_URL"])
    answered, error = https(secured, path, "--http1.1", "--data-binary", "@../large")
    assert answered == "413", error


def test_a_slow_sender_gets_no_4xx(secured: Machine, shown: dict[str, str]):
    """Blux never sends again what was answered 4xx."""
    path = checked(shown).removeprefix(shown["DOCHAK_INGRESS_URL"])
    answered, _ = https(secured, path, "--http1.1", "-H", "Content-Length: 1000", "-H", "Expect:", "-d", bizgo("slow-1"), "-m", "9")
    assert answered in ("000", "502", "503", "504")


def test_calls_wait_while_ingress_restarts(secured: Machine, shown: dict[str, str]):
    answers, slowest = [], 0.0
    with ThreadPoolExecutor() as pool:
        restart = pool.submit(secured.sh, "docker compose restart ingress")
        while not restart.done() or len(answers) < 10:
            began = time.monotonic()
            answers.append(posted(secured, shown, f"restart-{len(answers)}"))
            slowest = max(slowest, time.monotonic() - began)
        restart.result()
    report(f"{len(answers)} calls during a restart of ingress: the slowest took {slowest:.1f} s")
    assert set(answers) == {"200"}
    sent = "SELECT count(*) FROM notification WHERE notification_id LIKE 'restart-%' AND status = 'SENT'"
    until_equal("all are SENT", lambda: secured.query(sent), str(len(answers)))


def test_no_path_and_no_secret_is_in_the_log_of_the_proxy(secured: Machine, shown: dict[str, str]):
    secured.sh("docker compose stop ingress")
    assert posted(secured, shown, "away-1") in ("502", "503", "504")
    secured.sh("docker compose start ingress")
    logs = until("the proxy logs the error", lambda: [line for line in caddy_logs(secured).splitlines() if '"error"' in line])
    assert not [line for line in caddy_logs(secured).splitlines() if "/webhook" in line or secured.secrets()["bizgo_path"] in line], logs
    healthy(secured, "ingress")


def test_an_own_certificate(secured: Machine):
    secured.sh(
        f"""
        mkdir -p ../own/tls && cd ../own/tls && umask 077
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN={DOMAIN} \\
            -addext subjectAltName=DNS:{DOMAIN} \\
            -keyout key.pem -out certificate.pem 2>/dev/null
        chown -R 1234:1234 . && cp certificate.pem ../../root.crt
        """
    )
    environment = (secured.project / ".env").read_text().replace("internal", "own")
    secured.write(".env", environment)
    secured.sh("docker compose up -d")
    until_equal("the proxy has our certificate", lambda: https(secured, "/v1/ping")[0], "200")


# --- several processors; the end


def test_two_processors_share_the_work(machine: Machine, shown: dict[str, str]):
    ports = re.findall(r"`(PROCESSOR\w*_PORT=[0-9-]+)`", (builds.ROOT / "docs/deployment.md").read_text())
    assert len(ports) == 2
    with (machine.project / ".env").open("a") as environment:
        environment.write("\n".join([*ports, ""]))
    machine.sh("docker compose up -d --scale processor=2")
    until("both are healthy", lambda: all(is_healthy(machine, "processor", number) for number in (1, 2)), 120)
    ports = {n: machine.sh(f"docker port {machine.container('processor', n)} 9081").strip().rpartition(":")[2] for n in (1, 2)}

    def owned(n: int) -> int:
        metrics = machine.sh(f"curl -sS http://127.0.0.1:{ports[n]}/metrics")
        return len(re.findall(r'^dochak_processor_partition_owned\{topic="dochak.events",.*\} 1$', metrics, re.MULTILINE))

    until_equal("each owns half of the partitions", lambda: [owned(n) for n in (1, 2)], [4, 4])
    post = f"curl -sS -o /dev/null -H 'Content-Type: application/json' {shown['DOCHAK_WEBHOOK_BIZGO']}"
    machine.sh("\n".join(f"{post} -d '{bizgo(f'scale-{number}')}'" for number in range(40)))
    sent = "SELECT count(*) FROM notification WHERE notification_id LIKE 'scale-%' AND status = 'SENT'"
    until_equal("all are SENT", lambda: machine.query(sent), "40")


def test_prometheus_finds_every_ingress_and_processor(machine: Machine):
    """Without Grafana, of which there is no stand-in."""
    watch = "docker compose --profile monitoring"
    machine.sh(f"{watch} up -d prometheus alertmanager")
    healthy(machine, "prometheus", "alertmanager")

    def ask(path: str) -> dict:
        return json.loads(machine.sh(f"curl -sSg 'http://127.0.0.1:19090/api/v1/{path}'"))["data"]

    def up() -> list[tuple[str, str]]:
        return sorted((sample["metric"]["job"], sample["value"][1]) for sample in ask("query?query=up")["result"])

    wanted = [("dochak-ingress", "1"), ("dochak-processor", "1"), ("dochak-processor", "1"), ("prometheus", "1")]
    until_equal("all are scraped", up, wanted)

    def rules() -> dict[str, str]:
        return {rule["name"]: rule["health"] for group in ask("rules")["groups"] for rule in group["rules"]}

    until("all rules were evaluated", lambda: rules() == dict.fromkeys(prometheus.RULES, "ok"))
    assert [found["url"] for found in ask("alertmanagers")["activeAlertmanagers"]] == ["http://alertmanager:9093/api/v2/alerts"]
    logs = machine.sh("docker compose logs --no-color prometheus alertmanager 2>&1")
    assert not re.search(r"level=(warn|error)", logs), logs
    machine.sh(f"{watch} rm -sf prometheus alertmanager")


def test_a_backup_brings_everything_back(machine: Machine):
    text = (builds.ROOT / "docs" / "deployment.md").read_text().partition("\n## Backups\n")[2]
    keys, dump = (re.search(rf"`([^`\n]*>{name}\)?)`", text)[1] for name in (r"keys\.tar", r"dochak\.dump"))
    machine.sh(f"{keys}\n{dump}")
    rows, secrets = machine.query("SELECT count(*) FROM notification"), machine.secrets()
    machine.sh("docker compose down -v --remove-orphans")
    machine.sh(block("docs/deployment.md", "Backups").replace("run --rm roles", "run -T --rm roles"))
    healthy(machine, "ingress", "processor")
    assert machine.query("SELECT count(*) FROM notification") == rows != "0"
    assert machine.secrets() == secrets


def volumes(machine: Machine) -> set[str]:
    return set(machine.sh("docker volume ls -q").split())


def test_data_and_keys_survive_down_and_nothing_else_is_left(machine: Machine):
    rows, secrets = machine.query("SELECT count(*) FROM notification"), machine.secrets()
    machine.sh("docker compose down")
    assert machine.containers() == []
    assert {"dochak_secrets", "dochak_postgres", "dochak_kafka"} < volumes(machine) <= {f"dochak_{name}" for name in NAMED_VOLUMES}
    assert machine.sh("docker network ls --filter type=custom -q") == ""
    began = time.monotonic()
    machine.sh("docker compose up -d")
    healthy(machine, "ingress", "processor")
    report(f"docker compose up -d with data, until everything is healthy: {time.monotonic() - began:.0f} s")
    assert (machine.query("SELECT count(*) FROM notification"), machine.secrets()) == (rows, secrets)


def test_down_with_v_leaves_nothing(machine: Machine):
    machine.sh("docker compose down -v")
    assert (machine.containers(), volumes(machine)) == ([], set())


def test_keys_of_an_earlier_installation_stay(machine: Machine):
    """Its store belongs to the user of our containers, and is closed to others."""
    machine.sh(
        """
        docker run --rm --user 0 -v dochak_secrets:/store dochak:local bash -c '
            umask 077; cd /store
            for key in ingress_key postgres_password pgpass; do echo "earlier-$key" >$key; done
            chmod 0711 . && chown -R 10001:10001 .'
        docker compose run --rm secrets make
        """
    )
    secrets = machine.secrets()
    assert (secrets["ingress_key"], secrets["postgres_password"]) == ("earlier-ingress_key", "earlier-postgres_password")
    assert len(secrets) == KEYS
    machine.sh("docker compose down -v")
    assert (machine.containers(), volumes(machine)) == ([], set())
