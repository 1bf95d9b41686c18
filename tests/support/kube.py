# SPDX-License-Identifier: MIT
"""One namespace of the cluster that KUBECONFIG names, by kubectl and helm as an operator uses them."""

import json
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from support import builds
from support.wait import until

FETCH = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=5).read().decode())"
UNPACK = """
import json, pathlib, sys
for name, text in json.load(sys.stdin).items():
    path = pathlib.Path("/work", name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
"""


def run(*command: str, stdin: str | None = None, deadline: float = 120, check: bool = True) -> subprocess.CompletedProcess:
    done = subprocess.run(command, input=stdin, capture_output=True, encoding="utf-8", timeout=deadline)
    assert not check or done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done


class Namespace:
    def __init__(self, name: str):
        self.name = name

    def kubectl(self, *arguments: str, stdin: str | None = None, deadline: float = 240, check: bool = True) -> str:
        return run("kubectl", "-n", self.name, *arguments, stdin=stdin, deadline=deadline, check=check).stdout

    def helm(self, *arguments: str, deadline: float = 330, check: bool = True) -> subprocess.CompletedProcess:
        return run("helm", "-n", self.name, *arguments, deadline=deadline, check=check)

    def get(self, *what: str) -> list[dict]:
        return json.loads(self.kubectl("get", *what, "-o", "json"))["items"]

    def apply(self, *objects: dict) -> None:
        self.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}))

    def secret(self, name: str, **values: str) -> None:
        self.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": values})

    def pods(self, component: str) -> dict[str, dict]:
        """Of ours, by name; those that end are left out."""
        found = self.get("pods", "-l", f"app.kubernetes.io/component={component}")
        return {pod["metadata"]["name"]: pod for pod in found if "deletionTimestamp" not in pod["metadata"]}

    def ready(self, component: str) -> set[str]:
        return {name for name, pod in self.pods(component).items() if is_ready(pod)}

    def wait_ready(self, component: str, count: int, deadline: float = 120) -> None:
        def there() -> bool:
            return len(self.ready(component)) == count == len(self.pods(component))

        until(f"{count} pods of {component} are ready", there, deadline, every=0.5)

    def metrics(self, pod: dict, port: int) -> dict[str, float]:
        """Without those that have labels."""
        text = self.in_sender(FETCH, f"http://{pod['status']['podIP']}:{port}/metrics")
        return {line.split()[0]: float(line.split()[1]) for line in text.splitlines() if line[:1] not in "#" and "{" not in line}

    def in_sender(self, script: str, *arguments: str, stdin: str | None = None) -> str:
        """Runs Python in the pod `sender`."""
        return self.kubectl("exec", "-i", "sender", "--", "python3", "-c", script, *arguments, stdin=stdin)

    @contextmanager
    def forwarded(self, target: str, port: int, to: int) -> Iterator[None]:
        process = subprocess.Popen(
            ["kubectl", "-n", self.name, "port-forward", target, f"{port}:{to}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            until(f"{target} is forwarded", lambda: _listens(port), 30, every=0.1)
            yield
        finally:
            process.terminate()
            process.wait(10)

    def describe(self) -> str:
        """For a test that failed."""
        said = [self.kubectl("get", "pods,pvc,jobs,pdb", "-o", "wide", check=False), self.kubectl("get", "events", check=False)[-6000:]]
        for pod in self.get("pods"):
            name = pod["metadata"]["name"]
            said.append(f"--- {name}\n" + self.kubectl("logs", name, "--tail=40", check=False))
            said.append(self.kubectl("logs", name, "--previous", "--tail=40", check=False))
        return "\n".join(said)

    def delete(self) -> None:
        run("kubectl", "delete", "namespace", self.name, "--wait=true", deadline=180, check=False)


def is_ready(pod: dict) -> bool:
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", []))


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


class SenderPod:
    """kube_send.py in the pod `sender`."""

    FILES = (
        *(f"tests/chaos/{name}" for name in ("sender.py", "traffic.py", "providers/standard.json")),
        *(f"tests/support/{name}" for name in ("builds.py", "kube_send.py", "payloads.py")),
        *(f"schemas/providers/{name}.json" for name in ("bizgo", "blux")),
    )

    def __init__(self, namespace: Namespace, order: dict):
        self._namespace = namespace
        self._copy()
        self._process = subprocess.Popen(
            ["kubectl", "-n", namespace.name, "exec", "-i", "sender", "--"]
            + ["env", "PYTHONPATH=/work/tests", "PYTHONUNBUFFERED=1", "python3", "-m", "support.kube_send"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        self.last: dict = {"settled": 0}
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self._process.stdout:
            self.last = json.loads(line)

    def _copy(self) -> None:
        files = {name: (builds.ROOT / name).read_text("utf-8") for name in self.FILES}
        self._namespace.in_sender(UNPACK, stdin=json.dumps(files))

    @property
    def cut(self) -> int:
        """Requests that got no answer."""
        return self.last.get("answers", {}).get("0", 0)

    def wait_more(self, receipts: int, deadline: float = 120) -> None:
        """Until so many more are settled than now."""
        until_count = self.last["settled"] + receipts

        def there() -> bool:
            assert self._reader.is_alive(), f"the sender has ended: {self.last}"
            return self.last["settled"] >= until_count

        until(f"{until_count} receipts are settled", there, deadline, every=0.1)

    def stop(self) -> dict:
        """Ends with the chunk that was begun, and waits until all that was sent is acknowledged or given up."""
        self._process.stdin.write("stop\n")
        self._process.stdin.flush()
        assert self._process.wait(180) == 0
        self._reader.join(10)
        return self.last
