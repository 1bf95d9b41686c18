# SPDX-License-Identifier: MIT
"""The one Postgres of a benchmark, with the distribution's settings, and its databases."""

import subprocess
import time
from pathlib import Path

import process
import psycopg
from program import ROOT
from psycopg.rows import dict_row

USER = "dochak"


class Postgres:
    def __init__(self, folder: Path):
        self._folder = folder

    def _run(self, verb: str) -> None:
        done = subprocess.run([ROOT / "scripts" / "postgres.sh", verb, self._folder], capture_output=True, text=True, timeout=120)
        if done.returncode:
            raise SystemExit(f"postgres {verb}:\n{done.stdout}{done.stderr}")

    # --- its life

    def start(self) -> None:
        self._run("start")
        self._run("wait")

    def wipe(self) -> None:
        """Ends it, whatever it does, and leaves nothing. Also what an earlier benchmark left that was itself killed."""
        self._run("wipe")

    def preload(self, library: str) -> None:
        """Starts it anew with that library, or with none."""
        with self.connect("postgres") as connection:
            # '' would be a list with one library that has no name.
            wanted = f"SET shared_preload_libraries = '{library}'" if library else "RESET shared_preload_libraries"
            connection.execute(f"ALTER SYSTEM {wanted}")
        self._run("stop")
        self.start()

    @property
    def pid(self) -> int:
        return int((self._folder / "pid").read_text().split()[0])

    @property
    def cpu_seconds(self) -> float:
        return process.tree_cpu_seconds(self.pid)

    @property
    def version(self) -> str:
        with self.connect("postgres") as connection:
            version = connection.execute("SHOW server_version").fetchone()[0].split()[0]
        return f"Postgres {version}, the distribution's settings"

    # --- its databases

    def environment(self, database: str) -> dict[str, str]:
        return {"PGHOST": "127.0.0.1", "PGPORT": str(self._port), "PGUSER": USER, "PGDATABASE": database}

    @property
    def _port(self) -> int:
        return int((self._folder / "port").read_text())

    def connect(self, database: str, autocommit: bool = True) -> psycopg.Connection:
        return psycopg.connect(host="127.0.0.1", port=self._port, user=USER, dbname=database, autocommit=autocommit)

    def create(self, database: str, template: str | None = None) -> None:
        """Anew, empty or as a copy; then everything is on disk, so that nobody pays for what was before."""
        copy = f'TEMPLATE "{template}" STRATEGY file_copy' if template else ""
        with self.connect("postgres") as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
            connection.execute(f'CREATE DATABASE "{database}" {copy}')
            connection.execute("CHECKPOINT")

    def drop(self, database: str) -> None:
        with self.connect("postgres") as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    def updates(self, database: str, table: str) -> tuple[int, int]:
        """All, and those of them that touched no index (HOT). A session tells of its own at its end."""
        with self.connect(database) as connection:
            question = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = %s"
            return connection.execute(question, (table,)).fetchone()

    def count_statements(self, database: str) -> None:
        """From now on; pg_stat_statements is preloaded."""
        with self.connect(database) as connection:
            connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
            connection.execute("SELECT pg_stat_statements_reset()")

    def statements(self, database: str) -> list[dict]:
        """What was executed since then: text, how often, how long in all, WAL."""
        question = """SELECT s.query, s.calls, s.total_exec_time / 1000 AS seconds, s.wal_bytes::bigint AS wal_bytes
                      FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid WHERE d.datname = current_database()"""
        with self.connect(database) as connection:
            return connection.cursor(row_factory=dict_row).execute(question).fetchall()

    def sizes(self, database: str) -> list[dict]:
        """Of each table and index: bytes, and entries as the last VACUUM has counted them."""
        question = """SELECT t.relname AS table, c.relname AS name, c.reltuples::bigint AS entries,
                             CASE c.relkind WHEN 'r' THEN pg_table_size(c.oid) ELSE pg_relation_size(c.oid) END AS bytes
                      FROM pg_class t JOIN pg_class c ON c.oid = t.oid OR c.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = t.oid)
                      WHERE t.relkind = 'r' AND t.relnamespace = 'public'::regnamespace
                      ORDER BY t.relname, c.relkind DESC, c.relname"""
        with self.connect(database) as connection:
            return connection.cursor(row_factory=dict_row).execute(question).fetchall()

    def vacuum(self, database: str, table: str) -> dict:
        """What it takes, and how many dead rows there were."""
        with self.connect(database) as connection:
            dead = connection.execute("SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = %s", (table,)).fetchone()[0]
            began, cpu, wal = time.monotonic(), self.cpu_seconds, self.wal_bytes()
            connection.execute(f"VACUUM (ANALYZE) {table}")
            seconds, cpu, wal = time.monotonic() - began, self.cpu_seconds - cpu, self.wal_bytes() - wal
        return {"table": table, "dead": dead, "seconds": seconds, "cpu_seconds": cpu, "wal_bytes": wal}

    def wal_bytes(self) -> int:
        """Written since ever."""
        with self.connect("postgres") as connection:
            return int(connection.execute("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn").fetchone()[0])
