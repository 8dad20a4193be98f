"""The workspace's database: SQLite in WAL mode, written in short transactions that lock at their start.

A deferred transaction that reads and then writes fails under WAL when another process wrote in between;
``BEGIN IMMEDIATE`` waits for its turn instead, so every writing transaction starts with it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    URL,
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    create_engine,
    event,
    inspect,
    select,
    text,
)
from sqlalchemy.exc import DatabaseError, IntegrityError

from tabnet_engine.errors import StorageError, UserError
from tabnet_engine.runs.parts import folder_lock

__all__ = [
    "ensure_tables",
    "hold_items",
    "metadata",
    "open_database",
    "reading",
    "refuse_if_held",
    "release_items",
    "stored_datasets",
    "writing",
]

DATABASE = "workspace.db"
DATABASE_VERSION = 1
BUSY_SECONDS = 30
_READ_ONLY = "tabnet_read_only"

metadata = MetaData()

stored_datasets = Table(
    "datasets",
    metadata,
    Column("dataset_id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("sha256", String, nullable=False),
    Column("n_rows", Integer, nullable=False),
    Column("n_columns", Integer, nullable=False),
    Column("n_bytes", Integer, nullable=False),
    Column("created", String, nullable=False),
    Column("options", JSON, nullable=False),
    Column("notes", JSON, nullable=False),
)

# Who uses what: a dataset or run that is held is not deleted. Jobs write here; this room only asks.
holds = Table(
    "holds",
    metadata,
    Column("kind", String, nullable=False),
    Column("item_id", String, nullable=False),
    Column("holder", String, nullable=False),
    Column("title", String, nullable=False),
    PrimaryKeyConstraint("kind", "item_id", "holder"),
)


def open_database(root: Path) -> Engine:
    """Open, and on first use make, the database of the workspace at ``root``.

    Raises:
        StorageError: it cannot be opened, is no database, or was made by a newer version.
    """
    url = URL.create("sqlite", database=str(root / DATABASE))
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _prepare_connection)
    event.listen(engine, "begin", _begin)
    _turn_on_wal(engine, root)
    ensure_tables(engine, metadata)
    return engine


def _turn_on_wal(engine: Engine, root: Path) -> None:
    """Let readers and a writer work at the same time; the file remembers it.

    Changing the mode does not wait for others as a transaction does, hence the lock.
    """
    with _database_errors(), engine.connect() as connection:
        raw = connection.connection.cursor()
        if raw.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            with folder_lock(root, exclusive=True):
                raw.execute("PRAGMA journal_mode=WAL")


def _prepare_connection(connection: Any, _record: Any) -> None:
    # The driver's own implicit BEGIN would come before ours.
    connection.isolation_level = None
    for pragma in ("foreign_keys=ON", "synchronous=NORMAL"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    read_only = connection.get_execution_options().get(_READ_ONLY, False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that may write: committed when the block ends well, else undone.

    Raises:
        StorageError: the database refuses (full disk, no permission, locked for too long, damaged).
    """
    with _database_errors(), engine.begin() as connection:
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that only reads, which waits for no writer.

    Raises:
        StorageError: as :func:`writing`.
    """
    with _database_errors(), engine.connect() as connection:
        yield connection.execution_options(**{_READ_ONLY: True})


@contextmanager
def _database_errors() -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        raise  # our own rule was broken: a defect, not the disk's fault
    except (DatabaseError, sqlite3.DatabaseError) as error:
        raise StorageError(_explain(str(getattr(error, "orig", error)))) from error


def _explain(reason: str) -> str:
    lowered = reason.lower()
    if "full" in lowered:
        advice = "the disk is full; free some space and try again"
    elif "readonly" in lowered or "unable to open" in lowered:
        advice = "it may not be opened or written; check who owns the workspace folder"
    elif "locked" in lowered:
        advice = f"another process kept it locked for {BUSY_SECONDS} s; try again"
    elif "not a database" in lowered or "malformed" in lowered:
        advice = f"{DATABASE} is damaged; move it away and restart: tables must then be uploaded again, runs stay"
    else:
        advice = f"it answered {reason!r}; check the disk and try again"
    return f"the workspace's database cannot be used: {advice}"


def ensure_tables(engine: Engine, tables: MetaData) -> None:
    """Make the tables that are not there yet; safe when several processes do so at once.

    Raises:
        StorageError: the database was made by a newer version, or refuses.
    """
    with reading(engine) as connection:
        version = connection.execute(text("PRAGMA user_version")).scalar_one()
        present = set(inspect(connection).get_table_names())
    if version > DATABASE_VERSION:
        raise StorageError(
            f"the workspace was made by a newer version (database {version}, this program knows {DATABASE_VERSION}); "
            "open it with that version or choose another workspace"
        )
    if present.issuperset(tables.tables):
        return
    with writing(engine) as connection:
        tables.create_all(connection)
        connection.execute(text(f"PRAGMA user_version={DATABASE_VERSION}"))


def hold_items(connection: Connection, holder: str, title: str, items: Iterable[tuple[str, str]]) -> None:
    """Keep datasets and runs, as (kind, id), from being deleted until :func:`release_items`."""
    rows = [{"kind": kind, "item_id": item_id, "holder": holder, "title": title} for kind, item_id in items]
    if rows:
        connection.execute(holds.insert(), rows)


def release_items(connection: Connection, holder: str) -> None:
    """Let go of everything that ``holder`` holds."""
    connection.execute(holds.delete().where(holds.c.holder == holder))


def refuse_if_held(connection: Connection, kind: str, item_id: str, name: str) -> None:
    """Ask before deleting.

    Raises:
        UserError: somebody holds the item; the text names who.
    """
    chosen = select(holds.c.title).where(holds.c.kind == kind, holds.c.item_id == item_id).limit(1)
    title = connection.execute(chosen).scalar()
    if title is not None:
        raise UserError(
            f"the {kind} {name!r} is used by the job {title!r}, which has not ended; "
            "wait for it or cancel it, then delete"
        )
