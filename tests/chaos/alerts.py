# SPDX-License-Identifier: MIT
"""The stage of the chaos harness with a Prometheus that scrapes it and an Alertmanager: which alerts does a fault raise?

The rules are those of deploy/prometheus/rules.yml in a hurry: every duration in them (`for`, windows, `N * 60`) is divided by SPEED, and
nothing else is changed. Prometheus scrapes every 20 s of the rules' time. DOCHAK_ALERTS_SPEED changes SPEED: a busy machine needs less.
"""

import json
import os
import re
import time
from pathlib import Path

import yaml
from chaos.stage import Stage
from support.prometheus import DEPLOY, Alertmanager, Prometheus
from support.service import Service
from support.wait import until
from support.world import free_port

SPEED = int(os.environ.get("DOCHAK_ALERTS_SPEED", "20"))
SECONDS = {"s": 1, "m": 60, "h": 3600}


def hurried(rules: str) -> str:
    """The rules with durations that are SPEED times shorter."""

    def shorter(match: re.Match) -> str:
        before, number, unit = match.groups()
        return f"{before}{int(number) * SECONDS[unit] * 1000 // SPEED}ms"

    rules = re.sub(r"(\[|for: )(\d+)([smh])\b", shorter, rules)
    return re.sub(r"\b(\d+) \* 60\b", rf"\1 * 60 / {SPEED}", rules)


class Watch:
    """Prometheus and Alertmanager, within `with`."""

    def __init__(self, folder: Path, hurry: bool):
        folder.mkdir()
        self._targets = folder / "targets.json"
        self._targets.write_text("[]")
        rules = (DEPLOY / "prometheus" / "rules.yml").read_text("utf-8")
        (folder / "rules.yml").write_text(hurried(rules) if hurry else rules)
        self.alertmanager = Alertmanager(folder, free_port(), DEPLOY / "alertmanager" / "alertmanager.yml")
        every = f"{20_000 // SPEED if hurry else 5_000}ms"
        configuration = {
            "global": {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every},
            "rule_files": [str(folder / "rules.yml")],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{self.alertmanager.port}"]}]}]},
            "scrape_configs": [{"job_name": "dochak", "file_sd_configs": [{"files": [str(self._targets)], "refresh_interval": "1s"}]}],
        }
        (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration))
        self.prometheus = Prometheus(folder, free_port(), folder / "prometheus.yml")

    def __enter__(self) -> "Watch":
        self.alertmanager.__enter__()
        self.prometheus.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.prometheus.__exit__(*error)
        self.alertmanager.__exit__(*error)

    def scrape(self, jobs: dict[Service, str]) -> None:
        groups = [{"targets": [f"127.0.0.1:{service.ports['ops']}"], "labels": {"job": job}} for service, job in jobs.items()]
        fresh = self._targets.with_suffix(".new")
        fresh.write_text(json.dumps(groups))
        fresh.rename(self._targets)

    def firing(self) -> set[str]:
        """But for open incidents: how long they stay open depends on the provider files, not on the rules."""
        return self.prometheus.alerts("firing") - {"DochakIncidentOpen"}

    def wait_firing(self, expected: set[str], deadline: float, seen: set[str]) -> float:
        """Until all of them fire, not necessarily at once; the seconds that it took. Adds whatever fires to `seen`."""
        began = time.monotonic()

        def fire() -> bool:
            seen.update(self.firing())
            return expected <= seen

        try:
            until(f"{sorted(expected)} fire", fire, deadline, every=0.3)
        except AssertionError as error:
            raise AssertionError(f"{sorted(expected - seen)} did not fire; {sorted(seen)} did") from error
        return time.monotonic() - began

    def wait_quiet(self, deadline: float, seen: set[str]) -> float:
        """Until no alert fires; the seconds that it took."""
        began = time.monotonic()

        def is_quiet() -> bool:
            seen.update(firing := self.firing())
            return not firing

        until("no alert fires", is_quiet, deadline, every=0.3)
        return time.monotonic() - began


class Scraped(Stage):
    """A stage whose services Prometheus scrapes."""

    def __init__(self, watch: Watch, *arguments):
        super().__init__(*arguments)
        self._watch = watch

    def __enter__(self) -> "Scraped":
        super().__enter__()
        self.show_targets()
        return self

    def show_targets(self) -> None:
        """Those of now."""
        self._watch.scrape({service: f"dochak-{service.name}" for service in self.world.services})


class Small(Scraped):
    """With a small spool and small batches, so that little is enough to fill the one and to slow down the others."""

    def _settings(self) -> dict[str, str]:
        small = {"DOCHAK_SPOOL_MAX_BYTES": str(16 * 1024 * 1024), "DOCHAK_WORKERS": "4", "DOCHAK_BATCH_MAX_RECORDS": "20"}
        return {**super()._settings(), **small}
