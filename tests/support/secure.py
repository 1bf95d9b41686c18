# SPDX-License-Identifier: MIT
"""A broker and a database that let nobody in without TLS and a password or a certificate, with the ACLs that docs/deployment.md lists."""

import ctypes
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import confluent_kafka
import psycopg
import pytest
from confluent_kafka import Consumer, KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from support import builds, payloads
from support.servers import QUICK_JAVA, Server
from support.service import Service
from support.topics import QUIET
from support.wait import until
from support.world import World, free_port

HOST = "localhost"  # the name in the servers' certificates
WRONG_HOST = "127.0.0.1"  # which leads to the same servers
PASSWORD = "kafka-password-of-{}"  # of a user
MECHANISMS = {"plain": "PLAIN", "scram": "SCRAM-SHA-512"}


def reason(service: Service) -> str:
    """Why it is not ready; nothing where it is, or does not listen yet."""
    service.check_alive()
    try:
        ready = service.get("/readyz")
    except OSError:
        return ""
    return "" if ready.status == 200 else ready.json()["reason"]


def arrived_and_lost(world: World) -> tuple[str, str]:
    """Registers two messages and sends their reports; returns when the one is SENT and the other DEAD_LETTER."""
    arrived, lost = payloads.new_id(), payloads.new_id()
    for id_ in (arrived, lost):
        world.register(payloads.sent("bizgo", {"code": "A000", "result": "Success", "msgKey": id_}, recipient=payloads.PHONE_E164))
        world.wait_row("bizgo", id_, status="PENDING")
    world.bizgo(payloads.bizgo(arrived, "10000"))
    world.bizgo(payloads.bizgo(lost, "64008"))
    world.wait_row("bizgo", arrived, status="SENT")
    world.wait_row("bizgo", lost, status="DEAD_LETTER")
    return arrived, lost


# --- librdkafka

SCRAM_FROM = 0x020601FF  # an older one cannot use SCRAM with Kafka 4.0 or newer


def system_can_scram() -> bool:
    return ctypes.CDLL("librdkafka.so.1").rd_kafka_version() >= SCRAM_FROM


def newer_librdkafka() -> dict[str, str]:
    """An environment in which our programs run with the librdkafka of the tests' own Kafka client."""
    if not builds.is_plain():
        pytest.skip("a sanitizer must be loaded before any other library")
    (library,) = (Path(confluent_kafka.__file__).parents[1] / "confluent_kafka.libs").glob("librdkafka-*.so.1")
    return {"LD_PRELOAD": str(library)}


# --- certificates


def openssl(*arguments: str | Path) -> None:
    done = subprocess.run([builds.tool("openssl"), *map(str, arguments)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done


class Authority:
    """A CA, whose certificates are files in its folder: NAME.crt, NAME.key, and NAME.pem that holds both."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir()
        self.certificate = folder / "ca.crt"
        self._key = folder / "ca.key"
        self._new_key(self._key)
        openssl("req", "-x509", "-new", "-key", self._key, "-out", self.certificate, "-days", "2", "-subj", f"/CN=CA {folder.name}")

    @staticmethod
    def _new_key(path: Path) -> None:
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path)

    def issue(self, name: str, host: str | None = None, days: int = 2) -> Path:
        """For a client, or for a server of that name. With negative days it has expired. The file that holds both."""
        key, request, certificate, both = (self.folder / f"{name}.{end}" for end in ("key", "csr", "crt", "pem"))
        extensions = self.folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName=DNS:{host}\n" if host else "keyUsage=digitalSignature\n")
        self._new_key(key)
        openssl("req", "-new", "-key", key, "-out", request, "-subj", f"/CN={name}")
        signing = ("-CA", self.certificate, "-CAkey", self._key, "-CAcreateserial", "-extfile", extensions)
        openssl("x509", "-req", "-in", request, *signing, "-days", days, "-out", certificate)
        both.write_text(key.read_text() + certificate.read_text())
        return both


# --- the ACLs of the docs

ROW = re.compile(r"^\| (\w+) \| (topic|group|transactional id) \| (begins with )?`([^`]+)` \| (\w+) \|", re.MULTILINE)
RESOURCES = {"topic": ResourceType.TOPIC, "group": ResourceType.GROUP, "transactional id": ResourceType.TRANSACTIONAL_ID}
OPERATIONS = {"DescribeConfigs": AclOperation.DESCRIBE_CONFIGS}  # all others are named as in Kafka's tools


@dataclass(frozen=True)
class Acl:
    user: str
    resource: str
    prefixed: bool
    name: str
    operation: str

    def __str__(self) -> str:
        return f"{self.user} {self.operation} {self.resource} {self.name}"

    def _place(self) -> tuple:
        pattern = ResourcePatternType.PREFIXED if self.prefixed else ResourcePatternType.LITERAL
        operation = OPERATIONS.get(self.operation) or AclOperation[self.operation.upper()]
        return RESOURCES[self.resource], self.name, pattern, f"User:{self.user}", "*", operation, AclPermissionType.ALLOW

    @property
    def binding(self) -> AclBinding:
        return AclBinding(*self._place())

    @property
    def filter(self) -> AclBindingFilter:
        return AclBindingFilter(*self._place())


def documented_acls() -> list[Acl]:
    """The table between the marks <!-- acls -->, wherever in docs/ it is."""
    pages = [page.read_text("utf-8") for page in (builds.ROOT / "docs").glob("*.md")]
    (table,) = [page.split("<!-- acls -->")[1].split("<!-- /acls -->")[0] for page in pages if "<!-- acls -->" in page]
    acls = [Acl(user, resource, bool(prefixed), name, operation) for user, resource, prefixed, name, operation in ROW.findall(table)]
    assert len(acls) == len(re.findall(r"^\| ", table, re.MULTILINE)) - 1, f"a row of the table cannot be read: {table}"  # its head
    return acls


# --- Kafka

# On top of the launcher's settings. The test itself is ANONYMOUS, who may do everything.
KAFKA_PROPERTIES = """
listeners=PLAINTEXT://127.0.0.1:{port},SASL_SSL://127.0.0.1:{sasl},SSL://127.0.0.1:{mtls},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},SASL_SSL://{host}:{sasl},SSL://{host}:{mtls}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,SSL:SSL,CONTROLLER:PLAINTEXT
controller.quorum.voters=1@127.0.0.1:{controller}
ssl.keystore.type=PEM
ssl.keystore.location={certificate}
ssl.truststore.type=PEM
ssl.truststore.location={ca}
listener.name.ssl.ssl.client.auth=required
listener.name.sasl_ssl.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required {users};
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
ssl.principal.mapping.rules=RULE:^CN=(.*)$/$1/
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=false
super.users=User:ANONYMOUS
"""


class SecureKafka(Server):
    """`address` is for the test itself; bootstrap() and properties() are how a user reaches it."""

    def __init__(self, folder: Path, acls: list[Acl]):
        super().__init__("kafka", folder, free_port(), KAFKA_HEAP_OPTS="-Xms64m -Xmx256m", **QUICK_JAVA)
        self.sasl_port, self.mtls_port, self._controller = free_port(), free_port(), free_port()
        self._acls = acls
        self.users = sorted({acl.user for acl in acls})
        folder.mkdir()
        self.ca = Authority(folder / "ours")
        self.other_ca = Authority(folder / "other")
        self._write_properties(self.ca.issue("broker", HOST))

    def _write_properties(self, certificate: Path) -> None:
        text = KAFKA_PROPERTIES.format(
            port=self.port,
            sasl=self.sasl_port,
            mtls=self.mtls_port,
            controller=self._controller,
            host=HOST,
            users=" ".join(f'user_{user}="{PASSWORD.format(user)}"' for user in self.users),
            certificate=certificate,
            ca=self.ca.certificate,
        )
        (self.folder / "extra.properties").write_text(text)

    def start(self) -> None:
        super().start()
        self.admin = AdminClient({"bootstrap.servers": self.address, **QUIET})
        for user in self.users:
            self.set_password(user, PASSWORD.format(user))
            self.ca.issue(user)
        self.allow(*self._acls)

    # --- users

    def set_password(self, user: str, password: str) -> None:
        """Of SCRAM, from the next connection on."""
        change = UserScramCredentialUpsertion(user, ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096), password.encode())
        self.admin.alter_user_scram_credentials([change])[user].result(20)

    def allow(self, *acls: Acl) -> None:
        for future in self.admin.create_acls([acl.binding for acl in acls]).values():
            future.result(20)
        until("the broker knows the ACLs", lambda: all(self.admin.describe_acls(acl.filter).result(20) for acl in acls))

    def forbid(self, acl: Acl) -> None:
        (future,) = self.admin.delete_acls([acl.filter]).values()
        assert len(future.result(20)) == 1
        until("the broker has forgotten the ACL", lambda: not self.admin.describe_acls(acl.filter).result(20))

    # --- how a user reaches it

    def bootstrap(self, way: str, host: str = HOST) -> str:
        return f"{host}:{self.mtls_port if way == 'mtls' else self.sasl_port}"

    def properties(self, way: str, user: str) -> dict[str, str]:
        """As docs/deployment.md has them."""
        if way == "mtls":
            mine = {
                "security.protocol": "SSL",
                "ssl.certificate.location": str(self.ca.folder / f"{user}.crt"),
                "ssl.key.location": str(self.ca.folder / f"{user}.key"),
            }
        else:
            mine = {
                "security.protocol": "SASL_SSL",
                "sasl.mechanism": MECHANISMS[way],
                "sasl.username": user,
                "sasl.password": PASSWORD.format(user),
            }
        # The launcher's listeners are of IPv4, and a name may have an address of either kind.
        return {**mine, "ssl.ca.location": str(self.ca.certificate), "broker.address.family": "v4"}

    def consumer(self, way: str, user: str, group: str, topic: str) -> "AlertReader":
        settings = {"bootstrap.servers": self.bootstrap(way), **self.properties(way, user), **QUIET}
        return AlertReader({**settings, "group.id": group, "isolation.level": "read_committed", "auto.offset.reset": "earliest"}, topic)


class AlertReader:
    """A consumer in a group, as one of a team that wants to hear of losses."""

    def __init__(self, settings: dict[str, str], topic: str):
        self._consumer = Consumer(settings)
        self._consumer.subscribe([topic])
        self.subjects: list[str] = []

    def poll(self) -> None:
        message = self._consumer.poll(0.1)
        if message is None:
            return
        if message.error():
            raise KafkaException(message.error())
        self.subjects.append((message.key() or b"").decode())

    def wait(self, subject: str) -> None:
        def there() -> bool:
            self.poll()
            return subject in self.subjects

        until(f"an alert about {subject}", there, 30, every=0)

    def close(self) -> None:
        self._consumer.close()


def write_properties(path: Path, properties: dict[str, str]) -> Path:
    """At once, as a Secret's volume changes: nobody reads half of it."""
    fresh = path.with_suffix(".fresh")
    fresh.write_text("".join(f"{name}={value}\n" for name, value in properties.items()))
    return fresh.rename(path)


# --- Postgres

HBA = """
# The test itself; the services have to show a password, on a connection with TLS.
host all dochak 127.0.0.1/32 trust
hostssl all {role} 127.0.0.1/32 scram-sha-256
"""


class SecurePostgres(Server):
    def __init__(self, folder: Path):
        super().__init__("postgres", folder)
        folder.mkdir(mode=0o711)
        self.ca = Authority(folder / "ours")
        self.other_ca = Authority(folder / "other")

    def start(self) -> None:
        super().start()
        self.use_certificate(self.ca, HOST)
        self.allow("all")
        self.ask("ALTER SYSTEM SET ssl = on")
        self.ask("ALTER SYSTEM SET password_encryption = 'scram-sha-256'")
        self.reload()

    def ask(self, statement: str) -> list[tuple]:
        with psycopg.connect(host="127.0.0.1", port=self.port, user="dochak", dbname="postgres", autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def use_certificate(self, ca: Authority, host: str, days: int = 2) -> None:
        """From the next reload on."""
        ca.issue("server", host, days)
        for end in ("crt", "key"):
            self._place(f"server.{end}", (ca.folder / f"server.{end}").read_text())

    def allow(self, role: str) -> None:
        """The only one that may connect; from the next reload on."""
        self._place("pg_hba.conf", HBA.format(role=role))

    def _place(self, name: str, text: str) -> None:
        """A file in its data folder, which belongs to the server's user."""
        data = (self.folder / "data").resolve()
        path = data / name
        path.write_text(text)
        path.chmod(0o600)
        shutil.chown(path, data.stat().st_uid, data.stat().st_gid)

    def reload(self) -> None:
        """Returns once the next connection gets it."""
        (before,) = self.ask("SELECT pg_conf_load_time()")
        self.ask("SELECT pg_reload_conf()")
        until("the server has read its files", lambda: self.ask("SELECT pg_conf_load_time()") != [before])
