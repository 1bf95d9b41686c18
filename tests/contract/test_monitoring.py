# SPDX-License-Identifier: MIT
"""The files of deploy/prometheus, deploy/alertmanager and deploy/grafana: Prometheus's and Alertmanager's own tools accept them, every metric
and label that they name exists, and every rule is tested and documented."""

import json
import re
from functools import cache
from pathlib import Path

import pytest
import yaml
from support import builds, prometheus
from support.prometheus import DASHBOARDS, DEPLOY, QUERIES, RULES

pytestmark = pytest.mark.quick

RULES_FILE = DEPLOY / "prometheus" / "rules.yml"
TESTS_FILE = DEPLOY / "prometheus" / "rules_test.yml"
SCRAPES = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text("utf-8"))["scrape_configs"]
ALERTMANAGER = yaml.safe_load((DEPLOY / "alertmanager" / "alertmanager.yml").read_text("utf-8"))
PROVISIONING = DEPLOY / "grafana" / "provisioning"

OF_TARGETS = {"job", "instance", "namespace"}  # labels that the scrape adds
OTHERS = {"up": set(), "process_start_time_seconds": set()}
ROW = re.compile(r'\{"(dochak_\w+)",\s*(?:"(?:[^"\\]|\\.)*"\s*)+,\s*(METRIC_\w+),\s*(?:NULL|"([\w,]+)")\}')
SELECTOR = re.compile(r"\b(up|process_\w+|dochak_\w+)(?:\{([^}]*)\})?")
GROUPING = re.compile(r"\b(?:by|on|without) \(([^)]*)\)")


@cache
def metrics() -> dict[str, set[str]]:
    """Name to labels, from the tables that the programs have."""
    found = dict(OTHERS)
    for source in ("ingress/counters.c", "processor/main.c"):
        rows = ROW.findall((builds.ROOT / source).read_text("utf-8"))
        assert len(rows) > 10
        for name, kind, labels in rows:
            of = set(filter(None, labels.split(",")))
            parts = ("_bucket", "_sum", "_count") if kind in ("METRIC_SECONDS", "METRIC_SIZES") else ("",)
            found.update({name + part: of | ({"le"} if part == "_bucket" else set()) for part in parts})
    return found


def unknown_in(expression: str) -> list[str]:
    """Metrics and labels that do not exist."""
    faults, labels = [], set(OF_TARGETS)
    for name, matchers in SELECTOR.findall(expression):
        if name not in metrics():
            faults.append(name)
            continue
        labels |= metrics()[name]
        named = set(re.findall(r"(\w+) *(?:=~|!~|!=|=)", matchers))
        faults += [f"{name}{{{label}}}" for label in named - metrics()[name] - OF_TARGETS]
    grouped = {label.strip() for group in GROUPING.findall(expression) for label in group.split(",")}
    return faults + sorted(grouped - labels)


def templates_of(rule: dict) -> set[str]:
    return set(re.findall(r"\$labels\.(\w+)", json.dumps(rule["annotations"])))


# --- rules


def test_prometheus_accepts_rules_and_configuration() -> None:
    prometheus.run("promtool", "check", "rules", RULES_FILE)
    prometheus.run("promtool", "check", "config", "--syntax-only", DEPLOY / "prometheus" / "prometheus.yml")


def test_every_rule_fires_and_is_quiet_as_its_test_says() -> None:
    prometheus.run("promtool", "test", "rules", TESTS_FILE)


def test_every_rule_has_a_test_in_which_it_fires() -> None:
    fired = set()
    for group in yaml.safe_load(TESTS_FILE.read_text("utf-8"))["tests"]:
        for test in group.get("promql_expr_test", []):
            samples = [sample["labels"] for sample in test.get("exp_samples", [])]
            named = re.findall(r'alertname="(\w+)"', test["expr"] if samples else "")
            fired |= set(named) | set(re.findall(r'alertname="(\w+)"', " ".join(samples)))
    assert fired == RULES.keys()


@pytest.mark.parametrize("name", RULES)
def test_a_rule_says_what_happened_and_what_to_do(name: str) -> None:
    rule = RULES[name]
    assert rule["labels"] == {"severity": rule["labels"]["severity"]}
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["annotations"].keys() == {"summary", "description", "runbook"}
    assert all(text.endswith(".") for key, text in rule["annotations"].items() if key != "runbook")


@pytest.mark.parametrize("name", RULES)
def test_a_rule_has_its_section_in_the_documents(name: str) -> None:
    assert RULES[name]["annotations"]["runbook"] == f"docs/deployment.md#{name.lower()}"
    pages = "\n".join(path.read_text("utf-8") for path in (builds.ROOT / "docs").glob("deployment*.md"))
    sections = re.findall(r"^### (Dochak\w+)$", pages, re.MULTILINE)
    assert sections.count(name) == 1
    assert set(sections) == RULES.keys()


@pytest.mark.parametrize("name", RULES)
def test_a_rule_names_metrics_and_labels_that_exist(name: str) -> None:
    rule = RULES[name]
    assert not unknown_in(rule["expr"])
    labels = set().union(*(metrics().get(metric, set()) for metric, _ in SELECTOR.findall(rule["expr"])))
    assert templates_of(rule) <= labels | OF_TARGETS


def test_what_does_not_exist_is_found() -> None:
    assert unknown_in('sum by (endpoint) (rate(dochak_ingress_answers_total{status="1", job="j"}[5m]))') == []
    assert unknown_in("dochak_ingress_nothing > 0") == ["dochak_ingress_nothing"]
    assert unknown_in('dochak_ingress_ready{status="1"}') == ["dochak_ingress_ready{status}"]
    assert unknown_in("sum by (endpoint) (dochak_ingress_ready)") == ["endpoint"]


def test_the_jobs_are_those_that_prometheus_scrapes() -> None:
    """Services of docker compose, at the ports that are the settings' defaults."""
    expressions = [rule["expr"] for rule in RULES.values()] + [query for _, query in QUERIES]
    named = set(re.findall(r'job="([^"]+)"', " ".join(expressions)))
    ours = {scrape["job_name"]: scrape["dns_sd_configs"][0] for scrape in SCRAPES if "dns_sd_configs" in scrape}
    assert named == ours.keys() == {"dochak-ingress", "dochak-processor"}
    settings = (builds.ROOT / "common" / "config" / "settings.c").read_text("utf-8")
    services = yaml.safe_load((builds.ROOT / "docker-compose.yml").read_text("utf-8"))["services"]
    for job, found in ours.items():
        service = job.removeprefix("dochak-")
        assert found["names"] == [service] and service in services
        assert found["type"] == "A"
        default = rf'"DOCHAK_{service.upper()}_OPS_LISTEN", TYPE_LISTEN, \w+, "0\.0\.0\.0:{found["port"]}"'
        assert re.search(default, settings)


# --- Alertmanager


def test_alertmanager_accepts_its_configuration() -> None:
    prometheus.run("amtool", "check-config", DEPLOY / "alertmanager" / "alertmanager.yml")


def test_alertmanager_names_rules_and_severities_that_exist() -> None:
    text = json.dumps(ALERTMANAGER)
    assert set(re.findall(r"Dochak\w+", text)) <= RULES.keys()
    receivers = {receiver["name"] for receiver in ALERTMANAGER["receivers"]}
    assert receivers == {"page", "ticket"} == {rule["labels"]["severity"] for rule in RULES.values()}


# --- Grafana


def test_there_are_dashboards() -> None:
    assert DASHBOARDS.keys() == {"ingress", "processor"}


def test_the_data_source_is_that_of_the_dashboards() -> None:
    (source,) = yaml.safe_load((PROVISIONING / "datasources" / "prometheus.yml").read_text("utf-8"))["datasources"]
    for dashboard in DASHBOARDS.values():
        for panel in dashboard["panels"]:
            assert panel["datasource"] == {"type": "prometheus", "uid": source["uid"]}


@pytest.mark.parametrize("name", DASHBOARDS)
def test_a_dashboard_is_whole(name: str) -> None:
    dashboard = DASHBOARDS[name]
    panels = dashboard["panels"]
    assert dashboard["uid"] == f"dochak-{name}" and "id" not in dashboard  # Grafana gives ids of its own
    assert len({panel["id"] for panel in panels}) == len({panel["title"] for panel in panels}) == len(panels)
    assert all(panel["description"] and panel["targets"] for panel in panels)
    cells = [
        (x, y)
        for at in (panel["gridPos"] for panel in panels)
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    ]
    assert len(cells) == len(set(cells)) and max(x for x, _ in cells) < 24


@pytest.mark.parametrize(("panel", "query"), QUERIES)
def test_a_panel_names_metrics_and_labels_that_exist(panel: str, query: str) -> None:
    assert not unknown_in(query)


def test_prometheus_understands_every_query(tmp_path: Path) -> None:
    """As expressions of rules."""
    expressions = [query.replace("$__rate_interval", "1m") for _, query in QUERIES]
    rules = [{"record": f"panel:{number}", "expr": expression} for number, expression in enumerate(expressions)]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    prometheus.run("promtool", "check", "rules", tmp_path / "rules.yml")
