# SPDX-License-Identifier: MIT
"""The chart on a real cluster: from nothing to an alert, then everything that a cluster does to pods, under load.

    KUBECONFIG=FILE DOCHAK_TEST_IMAGE=dochak:test ./dev test -m slow tests/kubernetes -s

kubectl and helm must be in PATH, and the cluster needs a default StorageClass (volumes.sh makes one). Each test makes a namespace under Pod
Security `restricted`, with Kafka and Postgres as plain pods, and removes it. Images, which the cluster's nodes have or can pull:

    DOCHAK_TEST_IMAGE             this version; without it the tests are skipped
    DOCHAK_TEST_NEXT_IMAGE        one with a later migration, for the upgrade (standins.sh makes it)
    DOCHAK_TEST_KAFKA_IMAGE       apache/kafka:4.1.1
    DOCHAK_TEST_POSTGRES_IMAGE    postgres:15-bookworm
    DOCHAK_TEST_PYTHON_IMAGE      python:3.13-slim-bookworm
    DOCHAK_TEST_RATE              500 receipts a second
"""

import base64
import itertools
import json
import os
import secrets
import string
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import yaml
from chaos import checker, traffic
from chaos.traffic import Post, Signal
from psycopg.rows import dict_row
from support import builds, payloads
from support.kube import Namespace, SenderPod, is_ready, run
from support.kube_send import chunk_of
from support.topics import Topics
from support.wait import until, until_equal

CHART = builds.ROOT / "deploy" / "helm" / "dochak"
EXAMPLES = builds.ROOT / "deploy" / "kubernetes" / "examples"
HERE = Path(__file__).parent
IMAGE = os.environ.get("DOCHAK_TEST_IMAGE")
NEXT_IMAGE = os.environ.get("DOCHAK_TEST_NEXT_IMAGE")
IMAGES = {
    "KAFKA_IMAGE": os.environ.get("DOCHAK_TEST_KAFKA_IMAGE", "apache/kafka:4.1.1"),
    "POSTGRES_IMAGE": os.environ.get("DOCHAK_TEST_POSTGRES_IMAGE", "postgres:15-bookworm"),
    "PYTHON_IMAGE": os.environ.get("DOCHAK_TEST_PYTHON_IMAGE", "python:3.13-slim-bookworm"),
}
RATE = int(os.environ.get("DOCHAK_TEST_RATE", "500"))  # receipts a second
KAFKA_PORT, POSTGRES_PORT = 19092, 25432  # of this machine; the first one is in servers.yaml
STANDARD_SECRET = f"whsec_{base64.b64encode(b'standard webhooks in kubernetes').decode()}"
POST = """
import sys, urllib.request
headers = {"Content-Type": "application/json", "Authorization": f"Bearer {sys.argv[2]}"}
print(urllib.request.urlopen(urllib.request.Request(sys.argv[1], sys.stdin.buffer.read(), headers), timeout=10).status)
"""
SEEDS = itertools.count(1)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800), pytest.mark.skipif(not IMAGE, reason="DOCHAK_TEST_IMAGE is not set")]


def endpoints() -> list[dict]:
    return [
        {"endpoint": "bizgo/alimtalk", "provider": "bizgo", "secret_path": ["DOCHAK_SECRET_BIZGO_PATH"]},
        {"endpoint": "blux/sms", "provider": "blux", "secret_path": ["DOCHAK_SECRET_BLUX_PATH"]},
        {"endpoint": "standard/hooks", "provider": "standard", "checks": {"standard_webhooks": {"secrets": ["DOCHAK_SECRET_STANDARD"]}}},
    ]


def values(image: str, folder: Path) -> Path:
    repository, tag = image.rsplit(":", 1)
    path = folder / "values.yaml"
    path.write_text(
        yaml.safe_dump(
            {
                "image": {"repository": repository, "tag": tag},
                "postgres": {"sslmode": "disable"},
                "providers": traffic.provider_files(),
                "networkPolicy": {"monitoringFrom": [{"podSelector": {}}]},
                "ingress": {"endpoints": {"endpoints": endpoints()}, "spool": {"size": "2Gi"}},
            }
        )
    )
    return path


class Stores:
    """Kafka and Postgres as checker.look() reads them."""

    def __init__(self):
        self.topics = Topics(f"127.0.0.1:{KAFKA_PORT}", "dochak.", "dochak-processor")

    def connect(self, password: str) -> "Stores":
        self._connection = psycopg.connect(
            host="127.0.0.1", port=POSTGRES_PORT, user="dochak", dbname="dochak", password=password, autocommit=True, row_factory=dict_row
        )
        return self

    def sql(self, statement: str) -> list[dict]:
        return self._connection.execute(statement).fetchall()


class Load:
    """What one sender sends until end(). A test that fails ends it, too, or the next one would never see all worked off."""

    def __init__(self, release: "Release", rate: int = RATE):
        self.seed = next(SEEDS)
        self._release, self._outcome = release, None
        self.pod = SenderPod(
            release.namespace,
            {
                "seed": self.seed,
                "rate": rate,
                "host": "dochak-ingress",
                "port": 80,
                "key": release.keys["DOCHAK_INGRESS_KEY"],
                "standard_secret": STANDARD_SECRET,
                "paths": {
                    "bizgo": f"/webhook/bizgo/alimtalk/{release.keys['DOCHAK_SECRET_BIZGO_PATH']}",
                    "blux": f"/webhook/blux/sms/{release.keys['DOCHAK_SECRET_BLUX_PATH']}",
                    "standard": "/webhook/standard/hooks",
                    "application": "/v1/notifications",
                },
            },
        )

    def __enter__(self) -> "Load":
        return self

    def __exit__(self, *_) -> None:
        self.end()

    def end(self) -> dict:
        """The outcome. Of the release is known from here on what was sent."""
        if self._outcome is None:
            self._outcome = self.pod.stop()
            posts = [post for number in range(self._outcome["chunks"]) for post in chunk_of(self.seed, number)]
            self._release.sent += traffic.signals(posts)
            self._release.acked += traffic.signals(posts[number] for number in self._outcome["acked"])
            self._release.failed.update(self._outcome["failed"])
        return self._outcome


class Release:
    """A namespace with Kafka, Postgres and a sender's pod, and dochak as the chart installs it."""

    def __init__(self, folder: Path):
        self.namespace = Namespace(f"dochak-test-{secrets.token_hex(3)}")
        self.folder = folder
        self.keys = {name: secrets.token_hex(16) for name in ("DOCHAK_INGRESS_KEY", "DOCHAK_SECRET_BIZGO_PATH", "DOCHAK_SECRET_BLUX_PATH")}
        self.keys["DOCHAK_SECRET_STANDARD"] = STANDARD_SECRET
        self.owner_password, self.password = secrets.token_hex(16), secrets.token_hex(16)
        self.sent: list[Signal] = []
        self.acked: list[Signal] = []
        self.failed: Counter[str] = Counter()  # requests of each sender that got no 2xx

    # --- before the chart

    def prepare(self) -> "Release":
        labels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn", "audit")}
        self.namespace.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace.name, "labels": labels}})
        self.namespace.secret("dochak-ingress", **self.keys)
        self.namespace.secret("dochak-processor", DOCHAK_RECIPIENT_KEY=secrets.token_hex(16), DOCHAK_PG_PASSWORD=self.password)
        self.namespace.secret("dochak-migrate", DOCHAK_PG_PASSWORD=self.owner_password)
        servers = string.Template((HERE / "servers.yaml").read_text("utf-8")).substitute(IMAGES)
        self.namespace.kubectl("apply", "-f", "-", stdin=servers)
        for name in ("kafka", "postgres"):
            self.namespace.kubectl("rollout", "status", f"statefulset/{name}", "--timeout=200s")
        self.namespace.kubectl("wait", "--for=condition=Ready", "pod/sender", "--timeout=200s")
        role = f"CREATE DATABASE dochak; CREATE ROLE dochak_runtime LOGIN PASSWORD '{self.password}'"
        for statement in role.split("; "):
            self.namespace.kubectl("exec", "postgres-0", "--", "psql", "-qh", "/tmp", "-U", "dochak", "postgres", "-c", statement)
        return self

    # --- the chart

    def helm(self, command: str, *more: str, chart: Path = CHART, image: str = IMAGE, check: bool = True) -> subprocess.CompletedProcess:
        path = values(image, self.folder)
        return self.namespace.helm(command, "dochak", str(chart), "-f", str(path), "--wait", "--timeout", "5m", *more, check=check)

    # --- sending and judging

    def post(self, path: str, body: bytes) -> int:
        """From the sender's pod; the status of the answer."""
        return int(self.namespace.in_sender(POST, f"http://dochak-ingress{path}", self.keys["DOCHAK_INGRESS_KEY"], stdin=body.decode()))

    def send(self, post: Post) -> None:
        """One request, outside of any load."""
        paths = {"bizgo": f"/webhook/bizgo/alimtalk/{self.keys['DOCHAK_SECRET_BIZGO_PATH']}", "application": "/v1/notifications"}
        status = self.post(paths[post.sender], post.body)
        assert status in (200, 202), status
        self.sent += post.signals
        self.acked += post.signals

    @contextmanager
    def stores(self) -> Iterator[Stores]:
        kafka = self.namespace.forwarded("pod/kafka-0", KAFKA_PORT, KAFKA_PORT)
        with kafka, self.namespace.forwarded("pod/postgres-0", POSTGRES_PORT, 5432):
            stores = Stores().connect(self.owner_password)
            try:
                yield stores
            finally:
                stores.topics.close()

    def spooled(self) -> float:
        return sum(self.namespace.metrics(pod, 9080)["dochak_ingress_spool_events"] for pod in self.namespace.pods("ingress").values())

    def judge(self, load: Load) -> checker.Verdict:
        """Ends the load, waits until all is worked off, and compares what was sent since the release was made with what is there."""
        outcome = load.end()
        until_equal("the spools are empty", lambda: self.spooled(), 0, 120, every=1)
        with self.stores() as stores:
            until("everything is worked off", stores.topics.settled, 180, every=0.5)
            # Where events waited in a spool when a minute ended, the watch waits for three more.
            until("all that is overdue was said to be so", lambda: checker.is_all_overdue_said(stores), 300, every=0.5)
            until("that is worked off, too", stores.topics.settled, 180, every=0.5)
            final = checker.look(stores)
        verdict = checker.judge(self.sent, self.acked, final, self.failed)
        verdict.lost += outcome["lost"]
        verdict.late += outcome["late"]
        answers = {int(status): count for status, count in outcome["answers"].items()}
        print(
            f"\n{outcome['settled']} receipts in {outcome['seconds']:.0f} s, answers (0: connection cut) {answers}, the slowest took "
            f"{outcome['slowest']:.2f} s; {len(final.events)} events, {len(final.receipts)} receipts, {len(final.alerts)} alerts, "
            f"{len(final.incidents)} of incidents: {', '.join(sorted(map(str, final.incidents)))}"
        )
        print("\n".join([str(verdict), *verdict.examples()]))
        return verdict


@contextmanager
def releases(folder: Path, request: pytest.FixtureRequest) -> Iterator[Release]:
    release = Release(folder)
    failed_before = request.session.testsfailed
    try:
        yield release.prepare()
    except BaseException:
        print(release.namespace.describe())
        raise
    finally:
        if request.session.testsfailed > failed_before:
            print(release.namespace.describe())
        release.namespace.delete()


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Release]:
    with releases(tmp_path_factory.mktemp("release"), request) as made:
        began = time.monotonic()
        made.helm("install")
        print(f"\nhelm install took {time.monotonic() - began:.0f} s")
        yield made


def demo() -> Iterator[Post]:
    """The story of README.md: the send API took the message, and then the account was suspended."""
    id_ = payloads.new_id("demo")
    for signal in (Signal("bizgo", id_, "accepted"), Signal("bizgo", id_, "account_fault", "64008", "ALIMTALK")):
        yield Post(signal.sender, (signal,), 0)


def test_an_install_from_nothing_leads_to_the_alert(release: Release) -> None:
    began = time.monotonic()
    posts = list(demo())
    for post in posts:
        release.send(post)
    id_ = posts[0].signals[0].id
    with release.stores() as stores:
        alerts = {alert.type: alert for alert in stores.topics.reader("alerts").wait_count(2, 30)}
        assert alerts.keys() == {"dochak.notification.dead_lettered.v1", "dochak.provider.failing.v1"}  # its account, too
        alert = alerts["dochak.notification.dead_lettered.v1"]
        assert (alert.key.decode(), alert.data["code"]) == (id_, "64008")
        row = stores.sql(f"SELECT status, code FROM notification WHERE notification_id = '{id_}'")
        assert row == [{"status": "DEAD_LETTER", "code": "64008"}]
    print(f"\nto the alert: {time.monotonic() - began:.1f} s, kubectl included")


def test_no_pod_holds_more_than_it_needs(release: Release) -> None:
    """Each sees its own secrets only, none of them in a variable, and no token of the cluster."""
    seen = {}
    for component in ("ingress", "processor"):
        pod = next(iter(release.namespace.pods(component)))
        script = "ls /run/dochak/secrets; env; ls /var/run/secrets 2>&1; touch /x 2>&1; id -u"
        seen[component] = release.namespace.kubectl("exec", pod, "--", "sh", "-c", script)
        assert "Read-only file system" in seen[component] and seen[component].endswith("10001\n")
        assert "serviceaccount" not in seen[component]
        assert not [secret for secret in (*release.keys.values(), release.password, release.owner_password) if secret in seen[component]]
    assert "DOCHAK_PG_PASSWORD" not in seen["ingress"] and "DOCHAK_INGRESS_KEY" not in seen["processor"]


def objects(*arguments: str) -> list[dict]:
    text = run("helm", "template", "another", str(CHART), "--kube-version", "1.33.0", *arguments).stdout
    return [document for document in yaml.safe_load_all(text) if document]


def test_the_api_server_takes_every_manifest(release: Release) -> None:
    """Strictly, without a change: the built-in kinds, and those of others whose CRDs are there."""
    kinds = set(release.namespace.kubectl("api-resources", "--no-headers", "-o", "name").split())
    parts = ("public.ingress", "public.httpRoute", "serviceMonitor", "prometheusRule", "processor.autoscaling")
    everything = [f"{part}.enabled=true" for part in parts] + ["public.host=a.example.com", "public.httpRoute.parentRefs[0].name=gateway"]
    rendered = objects()
    rendered += objects(*itertools.chain.from_iterable(("--set", value) for value in everything))
    for path in sorted(EXAMPLES.glob("*.yaml")):
        if path.name.startswith("values-"):
            rendered += objects("-f", str(path))
        else:
            rendered += [document for document in yaml.safe_load_all(path.read_text("utf-8")) if document]
    skipped = set()
    for document in rendered:
        group = document["apiVersion"].rpartition("/")[0]
        if group and not any(kind.endswith(f".{group}") for kind in kinds):
            skipped.add(f"{document['kind']}.{group}")
            continue
        release.namespace.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", stdin=json.dumps(document))
    print(f"\n{len(rendered)} manifests; no CRD for {sorted(skipped) or 'none of them'}")


# --- under load


class Watch:
    """Which pods that were ready became unready without being told to end, and why by their own account."""

    def __init__(self, namespace: Namespace, component: str):
        self._namespace, self._component = namespace, component
        self.fell: dict[str, str] = {}
        self._ready: set[str] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._stop.set()
        self._thread.join(30)

    def _run(self) -> None:
        while not self._stop.wait(1):
            for name, pod in self._namespace.pods(self._component).items():
                if is_ready(pod):
                    self._ready.add(name)
                elif name in self._ready and name not in self.fell:
                    asked = ("exec", name, "--", "sh", "-c", f"dochak-{self._component} --ready 2>&1")
                    self.fell[name] = self._namespace.kubectl(*asked, check=False)


def update(release: Release) -> None:
    """Both services, pod by pod: a setting changes."""
    release.helm("upgrade", "--set", "logLevel=debug", "--set", "migrate.enabled=false")


def force_delete(release: Release) -> None:
    for component, count in (("ingress", 2), ("processor", 2)):
        pod = sorted(release.namespace.ready(component))[0]
        release.namespace.kubectl("delete", "pod", pod, "--force", "--grace-period=0")
        until(f"{pod} is another one", lambda: len(release.namespace.pods(component)) >= count, 30)
        release.namespace.wait_ready(component, count)


def drain(release: Release) -> None:
    """Of one node. Where there is no other, the budget must keep one pod of each until the node takes pods again."""
    namespace = release.namespace
    node = next(iter(namespace.pods("ingress").values()))["spec"]["nodeName"]
    selector = "app.kubernetes.io/name=dochak"
    draining = subprocess.Popen(
        ["kubectl", "drain", node, f"--pod-selector={selector}", "--delete-emptydir-data", "--ignore-daemonsets", "--timeout=180s"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    try:
        if len(json.loads(run("kubectl", "get", "nodes", "-o", "json").stdout)["items"]) == 1:
            for _ in range(15):
                assert namespace.ready("ingress") and namespace.ready("processor")
                time.sleep(1)
            assert len(namespace.ready("ingress")) == len(namespace.ready("processor")) == 1
            run("kubectl", "uncordon", node)
        said, _ = draining.communicate(timeout=200)
        assert draining.returncode == 0, said
        assert "violate the pod's disruption budget" in said, said
    finally:
        draining.kill()
        run("kubectl", "uncordon", node)
    namespace.wait_ready("ingress", 2)
    namespace.wait_ready("processor", 2)


def restart_kafka(release: Release) -> None:
    """Until every partition is worked on again: a processor that has lost Kafka is not ready, and the next step must not meet that."""
    release.namespace.kubectl("delete", "pod", "kafka-0")
    release.namespace.kubectl("rollout", "status", "statefulset/kafka", "--timeout=200s")
    began = time.monotonic()
    with release.stores() as stores:
        ends = {partition: end for partition, end in stores.topics.ends("events").items() if end}

        def is_worked_off() -> bool:
            committed = stores.topics.committed("events")
            return all(committed.get(partition, -1) >= end for partition, end in ends.items())

        until("what was there when Kafka came back is worked off", is_worked_off, 120, every=0.5)
    release.namespace.wait_ready("processor", 2)
    print(f"\nKafka's new pod was ready; {time.monotonic() - began:.0f} s later all partitions were worked on", end="")


def scale(release: Release) -> None:
    """A rebalance makes no processor unready, or scaling by readiness would never come to rest."""
    with Watch(release.namespace, "processor") as watch:
        for count in (1, 4, 1):
            release.namespace.kubectl("scale", "deployment/dochak-processor", f"--replicas={count}")
            release.namespace.wait_ready("processor", count)
            time.sleep(5)
    release.namespace.kubectl("scale", "deployment/dochak-processor", "--replicas=2")
    assert not watch.fell


STEPS: list[Callable[[Release], None]] = [update, force_delete, drain, restart_kafka, scale]


def test_what_a_cluster_does_to_pods_loses_nothing(release: Release) -> None:
    with Load(release) as load:
        load.pod.wait_more(5 * RATE)
        for step in STEPS:
            began, cut = time.monotonic(), load.pod.cut
            step(release)
            load.pod.wait_more(5 * RATE)
            print(f"\n{step.__name__}: {time.monotonic() - began:.0f} s, {load.pod.cut - cut} connections were cut or refused", end="")
        assert release.judge(load).is_good


def test_the_spool_outlives_its_pods(release: Release) -> None:
    release.namespace.kubectl("scale", "statefulset/kafka", "--replicas=0")
    with Load(release) as load:
        load.pod.wait_more(10 * RATE)
        before = release.spooled()
        assert before > 0
        names = list(release.namespace.pods("ingress"))
        uids = {pod["metadata"]["uid"] for pod in release.namespace.pods("ingress").values()}
        release.namespace.kubectl("delete", "pod", "--force", "--grace-period=0", *names)
        until("both are new", lambda: not uids & {pod["metadata"]["uid"] for pod in release.namespace.pods("ingress").values()}, 60)
        release.namespace.wait_ready("ingress", 2)
        after = release.spooled()
        assert after >= before
        print(f"\n{before:.0f} events in the spools, {after:.0f} after both pods were deleted", end="")
        release.namespace.kubectl("scale", "statefulset/kafka", "--replicas=1")
        release.namespace.kubectl("rollout", "status", "statefulset/kafka", "--timeout=200s")
        load.pod.wait_more(5 * RATE)
        assert release.judge(load).is_good


# --- the upgrade


def chart_before(folder: Path) -> Path | None:
    """As it was before its last change."""
    git = ["git", "-C", str(builds.ROOT)]
    commits = run(*git, "log", "-2", "--format=%H", "--", str(CHART)).stdout.split()
    if len(commits) < 2:
        return None
    archive = folder / "chart.tar"
    run(*git, "archive", "-o", str(archive), commits[1], "deploy/helm/dochak")
    run("tar", "-C", str(folder), "-xf", str(archive))
    return folder / "deploy" / "helm" / "dochak"


@pytest.mark.skipif(not NEXT_IMAGE, reason="DOCHAK_TEST_NEXT_IMAGE is not set")
def test_an_upgrade_with_a_migration_loses_nothing(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    chart = chart_before(tmp_path)
    if chart is None:
        pytest.skip("the chart has no earlier version")
    with releases(tmp_path, request) as release:
        release.helm("install", chart=chart)
        with Load(release) as load:
            load.pod.wait_more(5 * RATE)
            began = time.monotonic()
            release.helm("upgrade", image=NEXT_IMAGE)
            print(f"\nhelm upgrade took {time.monotonic() - began:.0f} s", end="")
            load.pod.wait_more(5 * RATE)
            assert release.judge(load).is_good
        with release.stores() as stores:
            assert stores.sql("SELECT count(*) AS n FROM schema_migration WHERE version >= 900") == [{"n": 1}]
