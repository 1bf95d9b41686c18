# SPDX-License-Identifier: MIT
"""What the Helm chart promises, as far as reading and rendering it can tell: its values are the ones that its README and its schema list,
each pod runs under Pod Security `restricted`, and no secret is in a value. What needs helm is skipped without it."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache

import jsonschema_rs
import pytest
from support import builds

yaml = pytest.importorskip("yaml")
pytestmark = pytest.mark.quick

CHART = builds.ROOT / "deploy" / "helm" / "dochak"
EXAMPLES = builds.ROOT / "deploy" / "kubernetes" / "examples"
VALUES = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
SCHEMA = json.loads((CHART / "values.schema.json").read_text("utf-8"))
README = (CHART / "README.md").read_text("utf-8")
ENDPOINTS = json.loads((builds.ROOT / "schemas" / "endpoints.schema.json").read_text("utf-8"))
EXAMPLE_VALUES = sorted(path.name for path in EXAMPLES.glob("values-*.yaml"))
# What the chart itself sets, and what only a Secret may hold.
FIXED = {"DOCHAK_INGRESS_LISTEN", "DOCHAK_INGRESS_OPS_LISTEN", "DOCHAK_PROCESSOR_OPS_LISTEN", "DOCHAK_ENDPOINTS_FILE", "DOCHAK_SPOOL_DIR"}
FIXED |= {"DOCHAK_RUNTIME_ROLE", "DOCHAK_TRUSTED_PROXIES", "DOCHAK_SECRETS_DIR"}
FIXED |= {"DOCHAK_HOLIDAYS_FILE", "DOCHAK_PUBLIC_CA"}  # files, which have values of their own
FIXED |= {"DOCHAK_INSTANCE"}  # two pods of one name would fence each other off
FIXED |= {"DOCHAK_API_LISTEN", "DOCHAK_API_ROLE"}
EVERYTHING = {
    "public": {"host": "a.example.com", "ingress": {"enabled": True}, "httpRoute": {"enabled": True, "parentRefs": [{"name": "gateway"}]}},
    "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "prometheusRule": {"enabled": True},
    "processor": {
        "autoscaling": {"enabled": True, "authenticationRef": "kafka"},
        "settings": {"DOCHAK_BATCH_MAX_RECORDS": 1000},
        "holidays": "zone +09:00\n\n2026-01-01 New Year's Day\n",
        "publicCaSecret": "our-authority",
    },
    "ingress": {
        "trustedProxies": ["10.0.0.0/8"],
        "settings": {"DOCHAK_BODIES_MAX_BYTES": 1099511627776},
        "kafkaPropertiesSecret": "kafka-properties",
        "podAnnotations": {"example.com/a": "b"},
    },
    "kafka": {"bootstrap": "a:9093,b:9094,c", "properties": {"security.protocol": "ssl"}},
    "postgres": {"caSecret": "postgres-ca", "parameters": {"PGCONNECT_TIMEOUT": 5}},
    "providers": {"standard": {"a": 1000000}, "other": "{}\n"},
    "pingSecret": "ping",
    "api": {"secret": "query-key", "role": "dochak_api", "port": 8081},
    "networkPolicy": {"apiFrom": [{"podSelector": {"matchLabels": {"app": "proxy"}}}]},
    "nodeSelector": {"a": "b"},
    "tolerations": [{"key": "a", "operator": "Exists"}],
    "image": {"pullSecrets": ["registry"]},
}
needs_helm = pytest.mark.skipif(not shutil.which("helm"), reason="helm is not there")


def leaves(schema: dict, path: str = "") -> Iterator[str]:
    for name, part in schema["properties"].items():
        if "properties" in part:
            yield from leaves(part, f"{path}{name}.")
        elif name != "global":  # Helm's own
            yield path + name


def value(path: str):
    found = VALUES
    for name in path.split("."):
        found = found[name]
    return found


def paths(values: dict, known: set[str], path: str = "") -> Iterator[str]:
    """Of what values.yaml sets, down to what the schema knows as one value."""
    for name, part in values.items():
        if path + name in known or not isinstance(part, dict):
            yield path + name
        else:
            yield from paths(part, known, f"{path}{name}.")


def documented() -> dict[str, str]:
    """The table of README.md: value to default."""
    table = README.partition("<!-- values -->")[2].partition("<!-- /values -->")[0]
    return dict(re.findall(r"^\| `([\w.]+)` \| (.*?) \| .*\S \|$", table, re.MULTILINE))


@cache
def settings() -> dict[str, tuple[set[str], bool]]:
    """Of the table that is the manual: name to who reads it and whether it is a secret."""
    source = (builds.ROOT / "common" / "config" / "settings.c").read_text("utf-8")
    found = {}
    for row, services, name, kind in re.findall(r"^    (ROW|NUMBER|SECRET)\(([\w| ]+), (\S+), (\w+),", source, re.MULTILINE):
        name = "DOCHAK_" + name.strip('"').removeprefix("DOCHAK_")
        readers, _ = found.get(name, (set(), False))
        readers |= {"INGRESS", "PROCESSOR"} & set(services.replace("BOTH", "INGRESS | PROCESSOR").split(" | "))
        found[name] = (readers, row == "SECRET" or kind in ("TYPE_SECRET", "TYPE_KEY"))
    return found


def test_schema_values_and_readme_list_the_same():
    known = list(leaves(SCHEMA))
    assert known == list(documented())
    assert set(known) == set(paths(VALUES, set(known)))


def test_the_readme_gives_the_defaults():
    for path, default in documented().items():
        if default.startswith("`"):
            assert yaml.safe_load(default.strip("`")) == value(path), path


def test_the_schema_allows_only_what_it_lists():
    def check(schema: dict, path: str) -> None:
        if "properties" in schema:
            assert schema["additionalProperties"] is False, path
            for name, part in schema["properties"].items():
                check(part, f"{path}.{name}")

    jsonschema_rs.meta.validate(SCHEMA)
    check(SCHEMA, "")


@pytest.mark.parametrize("service", ["ingress", "processor"])
def test_every_setting_can_be_given_but_for_secrets(service: str):
    """The others have a value of their own (FIXED, and what both programs read)."""
    allowed = SCHEMA["properties"][service]["properties"]["settings"]["propertyNames"]["enum"]
    assert set(allowed) == {name for name, (by, secret) in settings().items() if by == {service.upper()} and not secret} - FIXED


def test_the_endpoints_by_default_are_an_endpoints_file():
    jsonschema_rs.Draft202012Validator(ENDPOINTS).validate(VALUES["ingress"]["endpoints"])


@pytest.mark.parametrize("name", EXAMPLE_VALUES)
def test_the_values_of_examples_are_valid(name: str):
    jsonschema_rs.Draft7Validator(SCHEMA).validate(yaml.safe_load((EXAMPLES / name).read_text("utf-8")))


def test_its_version_is_the_programs():
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text("utf-8"))
    version = re.search(r"project\(dochak VERSION (\S+)", (builds.ROOT / "CMakeLists.txt").read_text("utf-8"))[1]
    assert chart["appVersion"] == version


def test_its_rules_are_the_ones_of_prometheus():
    """A chart reads only its own folder, so it has a copy."""
    assert (CHART / "files" / "rules.yml").read_text("utf-8") == (builds.ROOT / "deploy" / "prometheus" / "rules.yml").read_text("utf-8")


# --- rendered


def helm(*arguments: str, values: dict | None = None, check: bool = True) -> subprocess.CompletedProcess:
    given = ["-f", "-"] if values is not None else []
    text = json.dumps(values) if values is not None else None
    command = ["helm", *arguments, "--kube-version", "1.33.0", str(CHART), *given]  # a helm that go has built takes 1.20
    return subprocess.run(command, input=text, capture_output=True, encoding="utf-8", timeout=60, check=check)


@cache
def rendered(which: str) -> list[dict]:
    values = {"default": {}, "everything": EVERYTHING}.get(which)
    if values is None:
        values = yaml.safe_load((EXAMPLES / which).read_text("utf-8"))
    return [document for document in yaml.safe_load_all(helm("template", "dochak", values=values).stdout) if document]


def pods(which: str) -> dict[str, tuple[dict, dict]]:
    """Component to labels and spec."""
    templates = [document["spec"]["template"] for document in rendered(which) if document["kind"] in ("StatefulSet", "Deployment", "Job")]
    return {t["metadata"]["labels"]["app.kubernetes.io/component"]: (t["metadata"]["labels"], t["spec"]) for t in templates}


def of_kind(which: str, kind: str) -> list[dict]:
    return [document for document in rendered(which) if document["kind"] == kind]


each_rendering = pytest.mark.parametrize("which", ["default", "everything", *EXAMPLE_VALUES])


@needs_helm
def test_lint_has_nothing_to_say():
    done = helm("lint", "--strict", check=False)
    assert done.returncode == 0, done.stdout


@needs_helm
@each_rendering
def test_every_pod_is_restricted(which: str):
    assert pods(which).keys() == {"ingress", "processor", "migrate"}
    for _, spec in pods(which).values():
        assert spec["securityContext"]["runAsNonRoot"] and spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False and spec["enableServiceLinks"] is False
        (container,) = spec["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["requests"] and container["resources"]["limits"]["memory"]


@needs_helm
@each_rendering
def test_every_variable_is_a_setting_and_no_secret(which: str):
    for component, (_, spec) in pods(which).items():
        names = [variable["name"] for variable in spec["containers"][0]["env"]]
        assert len(names) == len(set(names)), component
        for name in names:
            if name.startswith("DOCHAK_"):
                by, secret = settings()[name]
                assert ("INGRESS" if component == "ingress" else "PROCESSOR") in by and not secret, name
            else:
                assert name.startswith("PG") and component != "ingress" and name != "PGPASSWORD", name
        assert all(variable.get("valueFrom", {}).keys() <= {"fieldRef"} for variable in spec["containers"][0]["env"])
    assert not of_kind(which, "Secret")


@needs_helm
@each_rendering
def test_both_services_read_the_endpoints(which: str):
    """Ingress answers at them; the watch needs the zone and the floor of each."""
    given = {component for component, (_, spec) in pods(which).items() for v in spec["containers"][0]["env"] if v["name"] == "DOCHAK_ENDPOINTS_FILE"}
    assert given == {"ingress", "processor"}


@needs_helm
@each_rendering
def test_every_volume_is_mounted_once(which: str):
    for component, (_, spec) in pods(which).items():
        mounted = [mount["name"] for mount in spec["containers"][0]["volumeMounts"]]
        claims = ["spool"] if component == "ingress" else []
        assert sorted(mounted) == sorted([volume["name"] for volume in spec["volumes"]] + claims)


@needs_helm
@each_rendering
def test_every_file_that_a_variable_names_is_mounted(which: str):
    """But for what is in the image."""
    for component, (_, spec) in pods(which).items():
        mounted = [mount["mountPath"] for mount in spec["containers"][0]["volumeMounts"]]
        for variable in spec["containers"][0]["env"]:
            path = variable.get("value", "")
            if path.startswith("/") and not path.startswith("/etc/ssl/certs/"):
                assert any(f"{path}/".startswith(f"{folder}/") for folder in mounted), f"{component}: {variable}"


@needs_helm
def test_the_processor_alone_has_its_holidays_and_its_authority():
    (holidays,) = [d for d in of_kind("everything", "ConfigMap") if d["metadata"]["name"].endswith("-holidays")]
    assert holidays["data"]["holidays.txt"].strip() == EVERYTHING["processor"]["holidays"].strip()
    found = {}
    for component, (_, spec) in pods("everything").items():
        volumes = {volume["name"]: volume for volume in spec["volumes"]}
        found[component] = [volumes[name] for name in ("holidays", "public-ca") if name in volumes]
    ca = {"name": "public-ca", "secret": {"secretName": "our-authority", "items": [{"key": "ca.crt", "path": "ca.crt"}]}}
    of_processor = [{"name": "holidays", "configMap": {"name": holidays["metadata"]["name"]}}, ca]
    assert found == {"ingress": [], "processor": of_processor, "migrate": []}
    variables = {v["name"] for component in ("ingress", "migrate") for v in pods("everything")[component][1]["containers"][0]["env"]}
    assert not variables & {"DOCHAK_HOLIDAYS_FILE", "DOCHAK_PUBLIC_CA"}


@needs_helm
@each_rendering
def test_every_selector_finds_its_pods(which: str):
    labels = [labels for labels, _ in pods(which).values()]
    kinds = ("StatefulSet", "Deployment", "PodDisruptionBudget")
    selectors = [d["spec"]["selector"]["matchLabels"] for d in rendered(which) if d["kind"] in kinds]
    selectors += [d["spec"]["podSelector"]["matchLabels"] for d in of_kind(which, "NetworkPolicy")]
    selectors += [d["spec"]["selector"] for d in of_kind(which, "Service") if d["metadata"]["name"].endswith("-ingress")]
    assert len(selectors) == 8
    for selector in selectors:
        assert len([one for one in labels if selector.items() <= one.items()]) == 1, selector


@needs_helm
def test_what_migrate_reads_is_there_before_it():
    """A hook runs before all that is no hook."""
    for document in rendered("everything"):
        hook = document["metadata"].get("annotations", {}).get("helm.sh/hook")
        is_of_migrate = document["metadata"]["labels"]["app.kubernetes.io/component"] == "migrate"
        assert hook == ("pre-install,pre-upgrade" if is_of_migrate else None)
    _, spec = pods("everything")["migrate"]
    read = {volume["configMap"]["name"] for volume in spec["volumes"] if "configMap" in volume}
    assert read == {d["metadata"]["name"] for d in of_kind("everything", "ConfigMap") if "annotations" in d["metadata"]} != set()


@needs_helm
def test_no_hook_that_succeeded_outlives_the_release():
    """`helm uninstall` removes no hook."""
    annotations = [document["metadata"].get("annotations", {}) for document in rendered("everything")]
    policies = [of["helm.sh/hook-delete-policy"] for of in annotations if "helm.sh/hook" in of]
    assert policies == ["before-hook-creation,hook-succeeded"] * 3


@needs_helm
def test_the_rules_expect_the_services_of_their_own_namespace():
    """And of no other, since what is in another may be uninstalled."""
    text = helm("template", "dochak", "--namespace", "shop", values=EVERYTHING).stdout
    (spec,) = [d["spec"] for d in yaml.safe_load_all(text) if d and d["kind"] == "PrometheusRule"]
    rules = {rule["alert"]: rule["expr"] for rule in spec["groups"][0]["rules"]}
    original = yaml.safe_load((CHART / "files" / "rules.yml").read_text("utf-8"))["groups"][0]["rules"]
    changed = {rule["alert"] for rule in original if rules[rule["alert"]] != rule["expr"]}
    assert changed == {"DochakIngressDown", "DochakProcessorDown"} and len(rules) == len(original)
    for name in changed:
        selectors = re.findall(r"\bup\b(?:\{[^}]*\})?", rules[name])
        assert set(selectors) == {f'up{{job="dochak-{name[6:-4].lower()}", namespace="shop"}}'}, name


def secrets_of(which: str, component: str) -> dict[str, list[str]]:
    """Secret to the keys of it that are in a pod's folder of secrets; "*": all."""
    _, spec = pods(which)[component]
    (volume,) = [volume for volume in spec["volumes"] if volume["name"] == "secrets"]
    found: dict[str, list[str]] = {}
    for source in volume["projected"]["sources"]:
        found.setdefault(source["secret"]["name"], []).extend(item["key"] for item in source["secret"].get("items", [{"key": "*"}]))
    return found


@needs_helm
def test_each_pod_has_its_own_secrets_and_two_share_the_ping_key():
    owner = {"dochak-migrate": ["DOCHAK_PG_PASSWORD", "DOCHAK_KAFKA_PASSWORD"], "dochak-processor": ["DOCHAK_RECIPIENT_KEY"]}
    api = {"query-key": ["DOCHAK_API_KEY", "DOCHAK_API_POSTGRES_URL"]}
    for which, ping, query in (("default", {}, {}), ("everything", {"ping": ["DOCHAK_PING_KEY"]}, api)):
        assert secrets_of(which, "ingress") == {"dochak-ingress": ["*"]} | ping
        assert secrets_of(which, "processor") == {"dochak-processor": ["*"]} | ping | query
        assert secrets_of(which, "migrate") == owner


def allowed_in(which: str, component: str) -> dict[str, list | None]:
    """Port to the peers that may call it; None: all."""
    (policy,) = [d for d in of_kind(which, "NetworkPolicy") if d["metadata"]["name"].endswith(component)]
    return {rule["ports"][0]["port"]: rule.get("from") for rule in policy["spec"]["ingress"]}


@needs_helm
def test_the_query_api_is_there_with_its_key_and_open_to_whom_you_name():
    assert not [d for d in of_kind("default", "Service") if d["metadata"]["name"].endswith("-api")]
    assert allowed_in("default", "-processor").keys() == {"ops"}
    (service,) = [d["spec"] for d in of_kind("everything", "Service") if d["metadata"]["name"].endswith("-api")]
    assert service["type"] == "ClusterIP" and service["publishNotReadyAddresses"] is True
    assert service["ports"] == [{"name": "api", "port": 8081, "targetPort": "api"}]
    labels, spec = pods("everything")["processor"]
    assert service["selector"].items() <= labels.items()
    assert {"name": "api", "containerPort": 8081} in spec["containers"][0]["ports"]
    assert allowed_in("everything", "-processor")["api"] == EVERYTHING["networkPolicy"]["apiFrom"]
    assert "api" not in allowed_in("everything", "-ingress")
    unnamed = helm("template", "dochak", values={"api": {"secret": "query-key"}}).stdout
    rules = [d["spec"]["ingress"] for d in yaml.safe_load_all(unnamed) if d and d["kind"] == "NetworkPolicy" and d["metadata"]["name"].endswith("-processor")]
    assert [[rule["ports"][0]["port"] for rule in policy] for policy in rules] == [["ops"]]


@needs_helm
def test_only_migrate_knows_the_role_of_the_query_api():
    names = {c: {v["name"]: v.get("value") for v in spec["containers"][0]["env"]} for c, (_, spec) in pods("everything").items()}
    assert names["migrate"]["DOCHAK_API_ROLE"] == "dochak_api"
    assert "DOCHAK_API_ROLE" not in names["processor"] and "DOCHAK_API_ROLE" not in names["ingress"]


@needs_helm
def test_numbers_stay_what_they_are():
    by_name = {v["name"]: v.get("value") for _, spec in pods("everything").values() for v in spec["containers"][0]["env"]}
    assert by_name["DOCHAK_BODIES_MAX_BYTES"] == "1099511627776"
    assert by_name["PGCONNECT_TIMEOUT"] == "5" and by_name["PGPORT"] == "5432"
    (providers,) = [d["data"] for d in of_kind("everything", "ConfigMap") if d["metadata"]["name"].endswith("-providers")]
    assert json.loads(providers["standard.json"]) == {"a": 1000000} and providers["other.json"].strip() == "{}"


@needs_helm
def test_a_change_of_what_pods_read_restarts_them():
    def checksum(component: str, **more: dict) -> str:
        text = helm("template", "dochak", values={**EVERYTHING, **more}).stdout
        with_pods = [d for d in yaml.safe_load_all(text) if d and d["kind"] in ("StatefulSet", "Deployment")]
        (found,) = [d for d in with_pods if d["metadata"]["name"].endswith(component)]
        return found["spec"]["template"]["metadata"]["annotations"]["checksum/config"]

    endpoints = {"ingress": {"endpoints": {"endpoints": []}}}
    assert checksum("-ingress") != checksum("-ingress", **endpoints) and checksum("-processor") != checksum("-processor", **endpoints)
    assert checksum("-processor") != checksum("-processor", providers={}) and checksum("-ingress") != checksum("-ingress", providers={})
    holidays = {"processor": {"holidays": "zone +09:00\n2027-01-01 New Year's Day\n"}}
    assert checksum("-processor") != checksum("-processor", **holidays) and checksum("-ingress") == checksum("-ingress", **holidays)


@needs_helm
def test_only_two_paths_lead_inside():
    (ingress,), (route,) = of_kind("everything", "Ingress"), of_kind("everything", "HTTPRoute")
    assert [path["path"] for path in ingress["spec"]["rules"][0]["http"]["paths"]] == ["/webhook/", "/v1/"]
    assert [match["path"]["value"] for match in route["spec"]["rules"][0]["matches"]] == ["/webhook/", "/v1/"]


def called(component: str, values: dict) -> list[list[int]]:
    """The ports of each rule for what a pod calls, in the order of the policy."""
    policies = [d for d in yaml.safe_load_all(helm("template", "dochak", values=values).stdout) if d and d["kind"] == "NetworkPolicy"]
    (policy,) = [policy for policy in policies if policy["metadata"]["name"].endswith(component)]
    return [[port["port"] for port in rule["ports"]] for rule in policy["spec"]["egress"]]


NAMES_KAFKA_POSTGRES = [[53, 53], [9092], [5432]]


@needs_helm
@pytest.mark.parametrize(
    ("url", "ports"), [("https://a.example.com", [443]), ("http://a.example.com/x", [80]), ("https://a.example.com:8443/x", [8443]), ("", None)]
)
def test_a_processor_may_call_the_public_url_and_nobody_else_may(url: str, ports: list[int] | None):
    given = {"processor": {"settings": {"DOCHAK_PUBLIC_URL": url}}}
    assert called("-processor", given) == NAMES_KAFKA_POSTGRES + ([ports] if ports else [])
    assert called("-migrate", given) == NAMES_KAFKA_POSTGRES and called("-ingress", given) == NAMES_KAFKA_POSTGRES[:2]


@needs_helm
def test_a_processor_may_call_the_providers_that_it_asks_and_nobody_else_may():
    ask = {"bizgo": {"form": "v2", "secrets": {"api_key": "DOCHAK_SECRET_ASK_BIZGO_KEY"}}}
    ask["sandbox"] = {**ask["bizgo"], "base": "https://sandbox.example.com:8443"}
    endpoints = {**VALUES["ingress"]["endpoints"], "ask": ask}
    jsonschema_rs.Draft202012Validator(ENDPOINTS).validate(endpoints)
    given = {"ingress": {"endpoints": endpoints}, "processor": {"settings": {"DOCHAK_PUBLIC_URL": "https://a.example.com"}}}
    assert called("-processor", given) == [*NAMES_KAFKA_POSTGRES, [443, 8443]]
    assert called("-migrate", given) == NAMES_KAFKA_POSTGRES and called("-ingress", given) == NAMES_KAFKA_POSTGRES[:2]


@needs_helm
@pytest.mark.parametrize(
    "values, named",
    [
        ({"ingres": {}}, "ingres"),
        ({"ingress": {"replicas": 0}}, "/ingress/replicas"),
        ({"ingress": {"settings": {"DOCHAK_INGRES_THREADS": 8}}}, "DOCHAK_INGRES_THREADS"),
        ({"ingress": {"settings": {"DOCHAK_INGRESS_KEY": "x" * 16}}}, "DOCHAK_INGRESS_KEY"),
        ({"processor": {"settings": {"DOCHAK_INSTANCE": "one"}}}, "DOCHAK_INSTANCE"),
        ({"processor": {"settings": {"DOCHAK_PUBLIC_CA": "/ca.crt"}}}, "DOCHAK_PUBLIC_CA"),
        ({"processor": {"publicCaSecret": "Not a name"}}, "/processor/publicCaSecret"),
        ({"processor": {"replicas": "two"}}, "/processor/replicas"),
        ({"kafka": {"properties": {"sasl.password": "x"}}}, "sasl.password"),
        ({"postgres": {"parameters": {"PGPASSWORD": "x"}}}, "PGPASSWORD"),
        ({"postgres": {"sslmode": "on"}}, "/postgres/sslmode"),
        ({"pingSecret": "Not a name"}, "/pingSecret"),
        ({"api": {"secret": "Not a name"}}, "/api/secret"),
        ({"api": {"key": "x" * 32}}, "key"),
        ({"ingress": {"preStopSeconds": 1}}, "/ingress/preStopSeconds"),
        ({"ingress": {"preStopSeconds": 30}}, "ingress.terminationGracePeriodSeconds"),
        ({"public": {"ingress": {"enabled": True}}}, "/public/host"),
        ({"ingress": {"trustedProxies": ["the-proxy"]}}, "/ingress/trustedProxies/0"),
    ],
)
def test_a_wrong_value_is_named(values: dict, named: str):
    done = helm("template", "dochak", values=values, check=False)
    assert done.returncode != 0 and named in done.stderr, done.stderr
