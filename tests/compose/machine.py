# SPDX-License-Identifier: MIT
"""A clean Docker engine with a copy of this checkout, and a machine outside of it from which a provider calls."""

import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

from support import builds

ENGINE = builds.ROOT / "tests" / "compose" / "engine.sh"
# The addresses are of a range that documents use (RFC 5737); both ends are namespaces on this machine.
HOST, SENDER = "198.51.100.1", "198.51.100.2"
# `docker compose` of the texts, on a machine that has only docker-compose 1.29.
COMPOSE_1 = 'docker() { if [[ $1 == compose ]]; then shift; docker-compose "$@"; else command docker "$@"; fi; }\n'


class Machine:
    """The project is `dochak`, since its folder is called so."""

    def __init__(self, folder: Path):
        self.engine, self.project = folder, folder.with_name(f"{folder.name}-files") / "dochak"
        self._outside = f"{folder.name}-o"
        self._compose = COMPOSE_1 if subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode else ""

    def start(self) -> None:
        self._engine("start", str(self.engine))
        self._engine("images", str(self.engine))
        self._copy_checkout()
        self._connect_outside()

    def stop(self) -> None:
        subprocess.run(["ip", "netns", "del", self._outside], check=False, capture_output=True)
        self._engine("stop", str(self.engine))
        shutil.rmtree(self.project.parent, ignore_errors=True)

    def sh(self, script: str, *, check: bool = True, timeout: float = 300, **environment: str) -> str:
        """What the script prints, run in the project's folder by a person on this machine."""
        command = [ENGINE, "run", self.engine, "bash", "-c", f"{self._compose}set -euo pipefail\n{script}"]
        done = subprocess.run(
            command,
            cwd=self.project,
            env={**os.environ, **environment},
            capture_output=True,
            encoding="utf-8",
            timeout=timeout,
            check=False,
        )
        assert not check or done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
        return done.stdout + ("" if check else done.stderr)

    def outside(self, *command: str) -> subprocess.CompletedProcess:
        """Run on the machine of a provider, whose address is SENDER."""
        inside = ["nsenter", f"--net=/run/netns/{self._outside}", *command]
        return subprocess.run(inside, cwd=self.project, capture_output=True, encoding="utf-8", timeout=60, check=False)

    def docker(self, *arguments: str) -> str:
        return self.sh(" ".join(["docker", *(f"'{argument}'" for argument in arguments)]))

    def inspect(self, name: str) -> dict:
        return json.loads(self.docker("inspect", name))[0]

    def containers(self) -> list[str]:
        """Their names, those that have ended too."""
        return self.sh("docker ps -a --format '{{.Names}}'").split()

    def container(self, service: str, number: int = 1) -> str:
        found = [name for name in self.containers() if re.fullmatch(rf"dochak[-_]{service}[-_]{number}", name)]
        assert len(found) == 1, f"{service}: {self.containers()}"
        return found[0]

    def secrets(self) -> dict[str, str]:
        """All keys of the store, by the names of its files."""
        folder = Path(self.docker("volume", "inspect", "-f", "{{.Mountpoint}}", "dochak_secrets").strip())
        return {path.name: path.read_text().strip() for path in folder.iterdir()}

    def query(self, sql: str) -> str:
        return self.sh(f'docker compose exec -T postgres psql -U dochak -XqtA -c "{sql}"').strip()

    def cpu_seconds_of_program(self, name: str) -> float:
        """Which the container's first process has used, without those that health checks start."""
        fields = Path(f"/proc/{self.inspect(name)['State']['Pid']}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def write(self, name: str, text: str, mode: int = 0o644) -> None:
        path = self.project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)

    def cpu_seconds(self, name: str) -> float:
        """Which the container has used until now, its health checks among them."""
        id_ = self.inspect(name)["Id"]
        for path in Path("/sys/fs/cgroup").glob(f"**/{self.engine.name}/{id_}/cpuacct.usage"):
            return int(path.read_text()) / 1e9
        path = next(Path("/sys/fs/cgroup").glob(f"**/{self.engine.name}/{id_}/cpu.stat"))
        return int(re.search(r"^usage_usec (\d+)$", path.read_text(), re.MULTILINE)[1]) / 1e6

    def _engine(self, *arguments: str) -> None:
        done = subprocess.run([ENGINE, *arguments], capture_output=True, encoding="utf-8", check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def _copy_checkout(self) -> None:
        names = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=builds.ROOT, capture_output=True, check=True
        ).stdout
        self.project.mkdir(parents=True)
        pack = ["tar", "--null", "--ignore-failed-read", "-T", "-", "-c"]
        tar = subprocess.run(pack, cwd=builds.ROOT, input=names, capture_output=True, check=False)
        subprocess.run(["tar", "-x"], cwd=self.project, input=tar.stdout, check=True)

    def _connect_outside(self) -> None:
        inside, outside = self.engine.name, self._outside
        for command in (
            f"ip netns add {outside}",
            f"ip link add out0 netns {inside} type veth peer name in0 netns {outside}",
            f"ip -n {inside} addr add {HOST}/30 dev out0",
            f"ip -n {inside} link set out0 up",
            f"ip -n {outside} addr add {SENDER}/30 dev in0",
            f"ip -n {outside} link set in0 up",
            f"ip -n {outside} link set lo up",
        ):
            subprocess.run(command.split(), check=True)


def until(what: str, probe, deadline: float = 60.0):
    """The probe's first true value. Not that of support.wait: here no program of ours is built."""
    end = time.monotonic() + deadline
    while not (value := probe()):
        assert time.monotonic() < end, f"after {deadline:.0f} s still not so: {what}"
        time.sleep(0.2)
    return value


def until_equal(what: str, probe, wanted: object, deadline: float = 60.0) -> None:
    end = time.monotonic() + deadline
    while (value := probe()) != wanted:
        assert time.monotonic() < end, f"after {deadline:.0f} s still not so: {what}: {wanted!r} was expected, and it is {value!r}"
        time.sleep(0.2)
