# SPDX-License-Identifier: MIT
"""What docker-compose.yml promises, as far as reading it can tell: settings that exist, no secret in it, to each container its own
keys only, nothing of ours as root, everything waited for. No Docker is needed; the keys' script runs for real."""

import json
import re
import stat
import subprocess
from functools import cache
from pathlib import Path

import pytest
from support import builds

yaml = pytest.importorskip("yaml")
pytestmark = pytest.mark.quick

KEYS = "/run/dochak"
COMPOSE = (builds.ROOT / "docker-compose.yml").read_text("utf-8")
DOCKERFILE = (builds.ROOT / "Dockerfile").read_text("utf-8")
EXAMPLE = (builds.ROOT / ".env.example").read_text("utf-8")
SCRIPT = (builds.ROOT / "deploy" / "compose" / "secrets.sh").read_text("utf-8")
SERVICES = yaml.safe_load(COMPOSE)["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("dochak:")}
ONCE = {name for name, service in SERVICES.items() if service["restart"] == "no"}
ENVIRONMENT = sorted((name, key, value) for name, service in SERVICES.items() for key, value in service.get("environment", {}).items())
# The services that are started without a profile.
ALWAYS = {"secrets", "kafka", "postgres", "roles", "migrate", "ingress", "processor"}
# Of docker-compose.yml itself; no program reads them.
OF_THE_FILE = {"DOCHAK_ALERTMANAGER", "DOCHAK_CONFIG", "DOCHAK_DOMAIN", "DOCHAK_SUBNET", "DOCHAK_TLS"}
# The volume that each reader of keys mounts, and the files in it.
READERS = {
    "ingress_keys": (
        {"ingress"},
        {"DOCHAK_INGRESS_KEY", "DOCHAK_PING_KEY", "DOCHAK_SECRET_BIZGO_PATH", "DOCHAK_SECRET_BLUX_PATH", "DOCHAK_SECRET_CHANNELTALK_TOKEN"},
    ),
    "processor_keys": (
        {"processor"},
        {"DOCHAK_RECIPIENT_KEY", "DOCHAK_PG_PASSWORD", "DOCHAK_PING_KEY", "DOCHAK_API_KEY", "DOCHAK_API_POSTGRES_URL"},
    ),
    "owner_keys": ({"roles", "migrate"}, {"DOCHAK_RECIPIENT_KEY", "DOCHAK_PG_PASSWORD", "runtime_password", "api_password"}),
    "postgres_keys": ({"postgres"}, {"postgres_password"}),
    "grafana_keys": ({"grafana"}, {"grafana_password"}),
}


@cache
def settings() -> dict[str, str]:
    """Name to type, from the table that is the manual."""
    source = (builds.ROOT / "common" / "config" / "settings.c").read_text("utf-8")
    rows = re.findall(r'^    (ROW|NUMBER|SECRET)\([\w| ]+, "(DOCHAK_\w+)", (\w+),', source, re.MULTILINE)
    assert len(rows) > 10
    types = {"NUMBER": "TYPE_INT", "SECRET": "TYPE_SECRET"}
    return {name: types.get(row, option) for row, name, option in rows}


def mounts(service: dict) -> dict[str, str]:
    """Target to source, of the volumes in short form."""
    found = (volume.split(":") for volume in service.get("volumes", []) if isinstance(volume, str))
    return {parts[-2] if parts[-1] == "ro" else parts[-1]: parts[0] for parts in found}


class Keys:
    """The script, on folders of its own. It changes no owner, so that it needs no root; `owners` says whose each file would be."""

    def __init__(self, folder: Path):
        self.made, self.own, self._shipped, self._chowned = folder / "made", folder / "own", folder / "shipped", folder / "chowned"
        (self.made / "store").mkdir(parents=True)
        self.own.mkdir()
        (self._shipped / "providers").mkdir(parents=True)
        (self._shipped / "endpoints.json").write_bytes((builds.ROOT / "deploy" / "dev" / "endpoints.json").read_bytes())
        for path in (builds.ROOT / "schemas" / "providers").glob("*.json"):
            (self._shipped / "providers" / path.name).write_bytes(path.read_bytes())

    def run(self, command: str, *, check: bool = True) -> subprocess.CompletedProcess:
        script = SCRIPT
        for theirs, ours in {"OWN=/own": self.own, "MADE=/made": self.made, "SHIPPED=/usr/share/dochak": self._shipped}.items():
            assert script.count(theirs) == 1
            script = script.replace(theirs, f"{theirs.partition('=')[0]}={ours}")
        script = f'chown() {{ echo "$@" >>{self._chowned}; }}\n{script}'
        return subprocess.run(["bash", "-s", command], input=script, capture_output=True, encoding="utf-8", timeout=30, check=check)

    def add(self, name: str, text: str) -> None:
        (self.own / name).parent.mkdir(exist_ok=True)
        (self.own / name).write_text(text)

    def given(self, volume: str) -> dict[str, str]:
        folder = self.made / volume.removesuffix("_keys")
        return {str(path.relative_to(folder)): path.read_text("utf-8").strip() for path in folder.rglob("*") if path.is_file()}

    def owners(self) -> dict[str, str]:
        return {path.replace("/new.", "/"): owner for owner, path in (line.split() for line in self._chowned.read_text().splitlines())}


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path)


# --- settings


def test_ours_are_the_known_four():
    assert OURS.keys() == {"secrets", "migrate", "ingress", "processor"}
    assert {name for name in SERVICES if "profiles" not in SERVICES[name]} == ALWAYS
    assert ONCE & ALWAYS == {"secrets", "roles", "migrate"}


def test_every_setting_is_known():
    named = {key for name, key, _ in ENVIRONMENT if name in ALWAYS and key.startswith("DOCHAK_")}
    assert named
    assert not named - settings().keys()
    assert set(re.findall(r"\$\{(DOCHAK_\w+)", COMPOSE)) - settings().keys() == OF_THE_FILE


def test_the_example_names_every_setting_of_the_file_with_its_default():
    defaults = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", COMPOSE))
    shown = dict(re.findall(r"^#(\w+)=(.*)$", EXAMPLE, re.MULTILINE))
    assert shown.pop("COMPOSE_PROFILES")  # Docker's own
    assert shown == defaults


# --- secrets


def test_no_secret_stands_in_it():
    secret = re.compile(r"PASSWORD|SECRET|_KEY|TOKEN|CREDENTIAL")
    for service, key, value in ENVIRONMENT:
        if secret.search(key):
            assert value.startswith(KEYS) and (key.endswith("_FILE") or key == "DOCHAK_SECRETS_DIR"), f"{service}: {key}"
    assert not re.search(r"[0-9a-fA-F]{24}", COMPOSE + DOCKERFILE)
    assert not re.search(r"^\s*ENV ", DOCKERFILE, re.MULTILINE)


def test_each_volume_of_keys_is_mounted_by_its_readers_only():
    mounted = {}
    for name, service in SERVICES.items():
        for target, source in mounts(service).items():
            if name != "secrets" and (source == "secrets" or source.endswith("_keys")):
                assert target == KEYS, f"{name}: {source}"
                mounted.setdefault(source, set()).add(name)
    assert mounted == {volume: names for volume, (names, _) in READERS.items()}
    assert set(mounts(SERVICES["secrets"]).values()) == {"secrets", "config", *READERS}
    assert all(f"{volume}:{KEYS}:ro" in SERVICES[name]["volumes"] for volume, (names, _) in READERS.items() for name in names)


def test_each_reader_is_given_what_it_needs_and_no_more(keys: Keys):
    keys.run("make")
    for volume, (_, files) in READERS.items():
        assert keys.given(volume).keys() == files, volume
    owner, processor = keys.given("owner_keys"), keys.given("processor_keys")
    assert owner["DOCHAK_PG_PASSWORD"] == keys.given("postgres_keys")["postgres_password"] != processor["DOCHAK_PG_PASSWORD"]
    assert owner["runtime_password"] == processor["DOCHAK_PG_PASSWORD"]
    assert owner["DOCHAK_RECIPIENT_KEY"] == processor["DOCHAK_RECIPIENT_KEY"]
    assert keys.given("ingress_keys")["DOCHAK_PING_KEY"] == processor["DOCHAK_PING_KEY"]
    assert processor["DOCHAK_API_POSTGRES_URL"] == f"user=dochak_api password={owner['api_password']}"


def test_every_file_of_keys_that_is_named_is_given():
    named = set(re.findall(rf"{KEYS}/(\w+)", COMPOSE))
    assert named == {"postgres_password", "DOCHAK_PG_PASSWORD", "runtime_password", "api_password", "grafana_password"}
    assert named <= set.union(*(files for _, files in READERS.values()))


def test_keys_are_made_once_and_all_differ(keys: Keys):
    keys.run("make")
    made = keys.given("store")
    assert made.pop("api_postgres_url") == f"user=dochak_api password={made['api_password']}"
    assert len(made) == len(set(made.values())) == 11
    assert all(re.fullmatch(r"[0-9a-f]{32}", key) for key in made.values())
    keys.run("make")
    assert made.items() <= keys.given("store").items()


def test_an_installation_of_an_earlier_version_keeps_its_keys(keys: Keys):
    names = "ingress_key recipient_key bizgo_path blux_path postgres_password runtime_password pgpass runtime_pgpass".split()
    for name in names:
        (keys.made / "store" / name).write_text(f"earlier-{name}\n")
    keys.run("make")
    kept = {name: f"earlier-{name}" for name in names if "pgpass" not in name}
    new = {
        "grafana_password": keys.given("grafana_keys")["grafana_password"],
        "ping_key": keys.given("ingress_keys")["DOCHAK_PING_KEY"],
        "channeltalk_token": keys.given("ingress_keys")["DOCHAK_SECRET_CHANNELTALK_TOKEN"],
        "api_key": keys.given("processor_keys")["DOCHAK_API_KEY"],
        "api_password": keys.given("owner_keys")["api_password"],
        "api_postgres_url": keys.given("processor_keys")["DOCHAK_API_POSTGRES_URL"],
    }
    assert keys.given("store") == kept | new
    assert keys.given("ingress_keys")["DOCHAK_INGRESS_KEY"] == "earlier-ingress_key"
    assert keys.given("owner_keys")["DOCHAK_PG_PASSWORD"] == "earlier-postgres_password"


def test_keys_are_readable_by_their_reader_only(keys: Keys):
    keys.run("make")
    owners = keys.owners()
    for volume, (names, _) in READERS.items():
        for path in (keys.made / volume.removesuffix("_keys")).iterdir():
            if names == {"postgres"}:  # its user is the image's, and nothing else mounts the volume
                assert stat.S_IMODE(path.stat().st_mode) == 0o444
            else:
                assert stat.S_IMODE(path.stat().st_mode) == 0o400
                assert owners[str(path)] == ("472:0" if names == {"grafana"} else "10001:10001")


def test_a_start_cut_short_leaves_no_half_key(keys: Keys):
    (keys.made / "ingress").mkdir()
    for name in ("store/new.ingress_key", "ingress/new.DOCHAK_INGRESS_KEY"):
        (keys.made / name).write_text("half")
        (keys.made / name).chmod(0o400)
    keys.run("make")
    assert re.fullmatch(r"[0-9a-f]{32}", keys.given("store")["ingress_key"])
    assert not list(keys.made.rglob("new.*"))


def test_every_secret_of_the_shipped_endpoints_file_is_given(keys: Keys):
    keys.run("make")
    named = set(re.findall(r"DOCHAK_SECRET_\w+", keys.given("config")["endpoints.json"]))
    assert named == {name for name in keys.given("ingress_keys") if name.startswith("DOCHAK_SECRET_")}


def test_show_says_what_run_env_says(keys: Keys):
    shown = dict(line.split("=", 1) for line in keys.run("show").stdout.splitlines())
    made = keys.given("store")
    assert (shown["DOCHAK_INGRESS_KEY"], shown["DOCHAK_API_KEY"]) == (made["ingress_key"], made["api_key"])
    assert shown["DOCHAK_WEBHOOK_BIZGO"].endswith(f"/webhook/bizgo/alimtalk/{made['bizgo_path']}")
    assert shown["DOCHAK_WEBHOOK_BLUX"].endswith(f"/webhook/blux/sms/{made['blux_path']}")
    assert shown["DOCHAK_WEBHOOK_CHANNELTALK"].endswith(f"/webhook/channeltalk/users?token={made['channeltalk_token']}")
    dev = (builds.ROOT / "scripts" / "settings.sh").read_text("utf-8")
    assert not [name for name in shown if not name.startswith("GRAFANA_") and not re.search(rf"\b(assignment|webhook) {name} ", dev)]


# --- own configuration


def test_own_secrets_reach_ingress_only_and_go_when_they_are_removed(keys: Keys):
    keys.add("secrets/.gitkeep", "")
    keys.add("secrets/DOCHAK_SECRET_ACME_PATH", "a path of our own")
    keys.add("secrets/DOCHAK_SECRET_BLUX_PATH", "ours in place of the generated one")
    keys.add("secrets/DOCHAK_INGRESS_KEY", "new-key-0123456789,old-key-0123456789\n")
    keys.run("make")
    given = keys.given("ingress_keys")
    assert given["DOCHAK_SECRET_ACME_PATH"] == "a path of our own"
    assert given["DOCHAK_SECRET_BLUX_PATH"] == "ours in place of the generated one"
    assert all("ACME" not in name for volume in ("processor_keys", "owner_keys", "postgres_keys", "config") for name in keys.given(volume))
    assert "DOCHAK_INGRESS_KEY=new-key-0123456789\n" in keys.run("show").stdout
    for path in (keys.own / "secrets").iterdir():
        path.unlink()
    keys.run("make")
    assert keys.given("ingress_keys").keys() == READERS["ingress_keys"][1]
    assert keys.given("ingress_keys")["DOCHAK_SECRET_BLUX_PATH"] == keys.given("store")["blux_path"]


def test_an_own_ping_key_reaches_ingress_and_processor(keys: Keys):
    keys.add("secrets/DOCHAK_PING_KEY", "ours in place of the generated one")
    keys.run("make")
    given = {volume: keys.given(volume).get("DOCHAK_PING_KEY") for volume in READERS}
    assert {volume for volume, key in given.items() if key} == {"ingress_keys", "processor_keys"}
    assert given["ingress_keys"] == given["processor_keys"] == "ours in place of the generated one"


@pytest.mark.parametrize("name", ["DOCHAK_API_KEY", "DOCHAK_CONTACT_KEY", "DOCHAK_SECRET_ASK_BIZGO_KEY"])
def test_what_only_the_processor_uses_reaches_it_only(keys: Keys, name: str):
    keys.add(f"secrets/{name}", "0123456789abcdef" * 4)
    keys.run("make")
    holders = [volume for volume in READERS if name in keys.given(volume)]
    assert holders == ["processor_keys"]
    assert keys.given("processor_keys")[name] == "0123456789abcdef" * 4
    (keys.own / "secrets" / name).unlink()
    keys.run("make")
    assert keys.given("processor_keys").keys() == READERS["processor_keys"][1]


@pytest.mark.parametrize("name", ["DOCHAK_RECIPIENT_KEY", "acme", "DOCHAK_SECRET_acme"])
def test_an_own_secret_that_nothing_would_read_is_an_error(keys: Keys, name: str):
    keys.add(f"secrets/{name}", "x" * 32)
    refused = keys.run("make", check=False)
    assert refused.returncode == 1
    assert f"secrets/{name}: only" in refused.stderr


def test_own_endpoints_and_provider_files_come_in_place_of_the_shipped_ones_and_beside_them(keys: Keys):
    shipped = {path.name for path in (builds.ROOT / "schemas" / "providers").glob("*.json")}
    keys.run("make")
    assert keys.given("config").keys() == {"endpoints.json"} | {f"providers/{name}" for name in shipped}
    keys.add("endpoints.json", '{"ours": 1}')
    keys.add("providers/acme.json", '{"acme": 1}')
    keys.add("providers/blux.json", '{"blux": 1}')
    keys.run("make")
    given = keys.given("config")
    assert (
        given["endpoints.json"] == '{"ours": 1}'
        and given["providers/acme.json"] == '{"acme": 1}'
        and given["providers/blux.json"] == '{"blux": 1}'
    )
    assert given.keys() == {"endpoints.json", "providers/acme.json"} | {f"providers/{name}" for name in shipped}
    (keys.own / "endpoints.json").unlink()
    (keys.own / "providers" / "acme.json").unlink()
    keys.run("make")
    assert keys.given("config").keys() == {"endpoints.json"} | {f"providers/{name}" for name in shipped}


def test_the_folder_of_own_files_is_in_no_image_and_not_in_git():
    ignored = (builds.ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert ignored[1] == "*"
    assert {line for line in ignored if line.startswith("!deploy")} == {
        "!deploy/compose/secrets.sh",
        "!deploy/dev/endpoints.json",
        "!deploy/image",
    }
    for name in ("endpoints.json", "providers/acme.json", "secrets/DOCHAK_SECRET_ACME_PATH", "tls/key.pem"):
        command = ["git", "check-ignore", "-q", f"deploy/compose/config/{name}"]
        assert subprocess.run(command, cwd=builds.ROOT, check=False).returncode == 0, name


# --- containers


def test_what_lasts_comes_back_and_has_a_health_check():
    for name, service in SERVICES.items():
        if name not in ONCE:
            assert service["restart"] == "unless-stopped", name
        if name in ALWAYS - ONCE:
            assert service["healthcheck"]["test"], name


def test_every_start_waits_for_what_it_needs():
    for name, service in SERVICES.items():
        for needed, how in service.get("depends_on", {}).items():
            wanted = "service_completed_successfully" if needed in ONCE else "service_healthy" if name in ALWAYS else "service_started"
            assert how["condition"] == wanted, f"{name}: {needed}"
    assert SERVICES["migrate"]["depends_on"].keys() == {"secrets", "kafka", "postgres", "roles"}
    assert all("migrate" in SERVICES[name]["depends_on"] for name in ("ingress", "processor"))


def test_every_container_is_bounded_and_gains_no_rights():
    for name, service in SERVICES.items():
        assert service["mem_limit"], name
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert service["logging"]["options"].keys() == {"max-size", "max-file"}, name


def test_ours_need_no_right_at_all():
    for name in OURS.keys() - {"secrets"}:
        assert OURS[name]["user"] == "10001:10001", name
        assert "cap_add" not in OURS[name], name
    assert re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE) == ["10001:10001"]


def test_kafka_reads_the_settings_of_its_log_from_our_file():
    kafka = SERVICES["kafka"]
    source = mounts(kafka)[kafka["environment"]["KAFKA_LOG4J_OPTS"].partition("=")[2]]
    root = yaml.safe_load((builds.ROOT / source).read_text("utf-8"))["Configuration"]["Loggers"]["Root"]
    assert root["level"] == "WARN"


def test_no_registry_is_asked_for_our_image():
    assert all(service["pull_policy"] == "never" for service in OURS.values())
    assert [name for name, service in SERVICES.items() if "build" in service] == ["secrets"]


def test_two_processors_do_not_share_a_name():
    assert "DOCHAK_INSTANCE" not in SERVICES["processor"]["environment"]


def test_only_migrate_is_the_owner_of_the_tables():
    """The processor is the role that migrate grants its rights to, with a password of its own."""
    migrate, processor = (SERVICES[name]["environment"] for name in ("migrate", "processor"))
    assert (
        processor["PGUSER"] == migrate["DOCHAK_RUNTIME_ROLE"] != migrate["PGUSER"] == SERVICES["postgres"]["environment"]["POSTGRES_USER"]
    )
    assert f"CREATE ROLE {processor['PGUSER']} LOGIN'" in SERVICES["roles"]["command"][-1]


def test_the_query_api_is_a_role_that_only_reads():
    """migrate grants it what it reads, and refuses one that could do more."""
    migrate = SERVICES["migrate"]["environment"]
    assert migrate["DOCHAK_API_ROLE"] not in (migrate["DOCHAK_RUNTIME_ROLE"], migrate["PGUSER"])
    assert f"CREATE ROLE {migrate['DOCHAK_API_ROLE']} LOGIN'" in SERVICES["roles"]["command"][-1]
    assert f"user={migrate['DOCHAK_API_ROLE']} " in SCRIPT


def test_only_the_proxy_can_be_reached_from_other_machines():
    ports = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert sum(len(ports[name]) for name in ports.keys() & ALWAYS) == 5
    assert all(port.startswith("127.0.0.1:") for name, published in ports.items() if name != "caddy" for port in published)
    assert [port.rpartition(":")[2] for port in ports["caddy"]] == ["80", "443"]
    # Over IPv6 Docker would give the proxy the gateway's address for the sender's.
    assert all(port.startswith("0.0.0.0:") for port in ports["caddy"])


def test_no_port_is_one_of_dev_up():
    dev = set(re.findall(r"^    settle_port .* (\d+)$", (builds.ROOT / "scripts" / "settings.sh").read_text("utf-8"), re.MULTILINE))
    assert len(dev) == 6
    assert not dev & set(re.findall(r"_PORT:-(\d+)\}", COMPOSE))


def test_ingress_trusts_the_network_that_it_is_in():
    networks = yaml.safe_load(COMPOSE)["networks"]
    subnet = networks["default"]["ipam"]["config"][0]["subnet"]
    assert SERVICES["ingress"]["environment"]["DOCHAK_TRUSTED_PROXIES"] == subnet
    assert re.fullmatch(r"\$\{DOCHAK_SUBNET:-[\d.]+/24\}", subnet)


def test_kafka_is_the_one_that_dev_runs():
    version = re.search(r"<artifactId>kafka_2.13</artifactId>\s*<version>([^<]+)<", (builds.ROOT / "scripts/kafka/pom.xml").read_text())
    assert SERVICES["kafka"]["image"] == SERVICES["alerts"]["image"] == f"apache/kafka:{version[1]}"


# --- image


def test_the_image_says_its_version():
    version = re.search(r"^project\(dochak VERSION (\S+)", (builds.ROOT / "CMakeLists.txt").read_text("utf-8"), re.MULTILINE)
    assert re.findall(r"^ARG VERSION=(\S+)$", DOCKERFILE, re.MULTILINE) == [version[1]]


PACKAGES = """\
installed librdkafka1 2.0.2-1+b1 amd64 librdkafka 2.0.2-1
installed libssl3 1:3.0.17-1~deb12u2 amd64 openssl 3.0.17-1~deb12u2
config-files gone 1.0 all gone 1.0
installed libstdc++6 12.2.0-14 amd64 gcc-12 12.2.0-14
"""


def test_the_list_of_what_the_image_contains_is_cyclonedx(tmp_path: Path):
    (tmp_path / "dpkg-query").write_text(f"#!/bin/sh\ncat <<'E'\n{PACKAGES}E\n")
    (tmp_path / "dpkg-query").chmod(0o755)
    script = (builds.ROOT / "deploy" / "image" / "sbom.sh").read_text("utf-8").replace(". /etc/os-release", "ID=debian VERSION_ID=12")
    printed = subprocess.run(
        ["sh", "-s", "0.1.0", str(builds.ROOT / "dashboard" / "package-lock.json")], input=script, capture_output=True, encoding="utf-8", check=True, env={"PATH": f"{tmp_path}:/usr/bin:/bin"}
    )
    document = json.loads(printed.stdout)
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.5")
    assert document["metadata"]["component"]["version"] == "0.1.0"
    npm = json.loads((builds.ROOT / "dashboard" / "package.json").read_text("utf-8"))["dependencies"]
    listed = [(component["purl"], component["name"], component["version"]) for component in document["components"]]
    assert listed[: len(npm)] == [(f"pkg:npm/{name}@{version}", name, version) for name, version in sorted(npm.items())]
    debian = document["components"][len(npm) :]
    assert [component["name"] for component in debian] == ["librdkafka1", "libssl3", "libstdc++6"]
    assert debian[1] == {
        "type": "library",
        "bom-ref": "pkg:deb/debian/libssl3@1%3A3.0.17-1~deb12u2?arch=amd64&distro=debian-12",
        "name": "libssl3",
        "version": "1:3.0.17-1~deb12u2",
        "purl": "pkg:deb/debian/libssl3@1%3A3.0.17-1~deb12u2?arch=amd64&distro=debian-12&upstream=openssl%403.0.17-1~deb12u2",
    }
    assert "libstdc%2B%2B6@" in debian[2]["purl"]
