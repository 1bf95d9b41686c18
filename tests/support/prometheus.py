# SPDX-License-Identifier: MIT
"""A real Prometheus and a real Alertmanager, and what they say. scripts/prometheus.sh fetches their programs."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlencode

import yaml

from support import builds, http
from support.wait import until

DEPLOY = builds.ROOT / "deploy"
_RULES = yaml.safe_load((DEPLOY / "prometheus" / "rules.yml").read_text("utf-8"))
RULES = {rule["alert"]: rule for group in _RULES["groups"] for rule in group["rules"]}
DASHBOARDS = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))}
QUERIES = [
    (f"{name}: {panel['title']}", target["expr"])
    for name, dashboard in DASHBOARDS.items()
    for panel in dashboard["panels"]
    for target in panel["targets"]
]
FOLDER = builds.ROOT / ".cache" / "prometheus" / "usr" / "bin"
SHARE = FOLDER.parent / "share"


def program(*names: str) -> Path:
    """The first of the names that is there."""
    for name in names:
        if path := shutil.which(name, path=f"{FOLDER}:{os.environ['PATH']}"):
            return Path(path)
    raise AssertionError(f"{names[0]} is not there: scripts/prometheus.sh get")


def run(name: str, *arguments: str | Path) -> str:
    """What promtool or amtool prints. It has to be content."""
    done = subprocess.run([program(name), *arguments], capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, f"{name} {arguments}:\n{done.stdout}{done.stderr}"
    return done.stdout


class _Daemon:
    """Runs within `with`, in a folder of its own."""

    def __init__(self, name: str, port: int, log: Path, *command: str | Path):
        self.name, self.port, self.log = name, port, log
        self._command = command

    def __enter__(self):
        with self.log.open("wb") as log:
            self._process = subprocess.Popen([*map(str, self._command)], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until(f"{self.name} is ready", self._is_ready, 30)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(30)

    def _is_ready(self) -> bool:
        assert self._process.poll() is None, self.log.read_text()
        try:
            return http.request(self.port, "GET", "/-/ready").status == 200
        except OSError:
            return False

    def ask(self, path: str, **query: str):
        answer = http.request(self.port, "GET", f"{path}?{urlencode(query)}")
        assert answer.status == 200, answer
        return json.loads(answer.body)


class Prometheus(_Daemon):
    def __init__(self, folder: Path, port: int, configuration: Path):
        super().__init__(
            "Prometheus",
            port,
            folder / "prometheus.log",
            program("prometheus"),
            f"--config.file={configuration}",
            f"--storage.tsdb.path={folder / 'prometheus'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--rules.alert.resend-delay=1s",
        )

    def query(self, expression: str) -> list[dict]:
        """An instant vector; raises if Prometheus does not understand it."""
        return self.ask("/api/v1/query", query=expression)["data"]["result"]

    def alerts(self, state: str) -> set[str]:
        """The names of those that are `pending` or `firing`."""
        return {alert["labels"]["alertname"] for alert in self.ask("/api/v1/alerts")["data"]["alerts"] if alert["state"] == state}

    def up(self) -> dict[str, bool]:
        """By job."""
        return {sample["metric"]["job"]: sample["value"][1] == "1" for sample in self.query("up")}


class Alertmanager(_Daemon):
    # Debian's reads templates from /usr/share, so the unpacked ones are laid over it, for this process only.
    WITH_SHARE = ["unshare", "--mount", "sh", "-c", 'mount -t overlay share -o "lowerdir=$0:/usr/share" /usr/share && exec "$@"']

    def __init__(self, folder: Path, port: int, configuration: Path):
        super().__init__(
            "Alertmanager",
            port,
            folder / "alertmanager.log",
            *([*self.WITH_SHARE, SHARE] if SHARE.exists() else []),
            program("prometheus-alertmanager", "alertmanager"),
            f"--config.file={configuration}",
            f"--storage.path={folder / 'alertmanager'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
        )

    def receivers(self) -> dict[str, str]:
        """Of each alert that fires and is not inhibited: who gets it."""
        alerts = self.ask("/api/v2/alerts", inhibited="false")
        return {alert["labels"]["alertname"]: alert["receivers"][0]["name"] for alert in alerts}
