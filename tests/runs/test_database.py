from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from tabnet_engine.errors import StorageError
from tabnet_engine.runs import database
from tabnet_engine.runs.database import metadata, open_database, reading, stored_datasets, writing
from tabnet_engine.runs.parts import folder_lock

DATASET = {
    "dataset_id": "a",
    "name": "n",
    "sha256": "s",
    "n_rows": 1,
    "n_columns": 1,
    "n_bytes": 1,
    "created": "2026",
    "options": {},
    "notes": [],
}


def test_the_database_is_in_wal_mode_with_foreign_keys(tmp_path: Path) -> None:
    engine = open_database(tmp_path)
    with reading(engine) as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
        assert connection.execute(text("PRAGMA busy_timeout")).scalar() == 30_000
    engine.dispose()


def _insert_and_fail(connection: Connection) -> None:
    connection.execute(stored_datasets.insert().values(**DATASET))
    raise ZeroDivisionError


def test_a_writing_transaction_that_fails_leaves_nothing(tmp_path: Path) -> None:
    engine = open_database(tmp_path)
    with pytest.raises(ZeroDivisionError), writing(engine) as connection:
        _insert_and_fail(connection)
    with reading(engine) as connection:
        assert connection.execute(stored_datasets.select()).all() == []
    engine.dispose()


def test_readers_do_not_wait_for_a_writer_and_writers_wait_for_each_other(tmp_path: Path) -> None:
    engine = open_database(tmp_path)
    entered, order = threading.Event(), []

    def slow_writer() -> None:
        with writing(engine) as connection:
            connection.execute(stored_datasets.insert().values(**DATASET))
            entered.set()
            time.sleep(0.3)
            order.append("first")

    thread = threading.Thread(target=slow_writer)
    thread.start()
    assert entered.wait(5)
    with reading(engine) as connection:
        assert connection.execute(stored_datasets.select()).all() == []
        order.append("reader")
    with writing(engine) as connection:
        order.append("second")
        assert len(connection.execute(stored_datasets.select()).all()) == 1
    thread.join()
    assert order == ["reader", "first", "second"]
    engine.dispose()


def test_a_broken_rule_of_ours_is_not_blamed_on_the_disk(tmp_path: Path) -> None:
    engine = open_database(tmp_path)
    with writing(engine) as connection:
        connection.execute(stored_datasets.insert().values(**DATASET))
    with pytest.raises(IntegrityError), writing(engine) as connection:
        connection.execute(stored_datasets.insert().values(**DATASET))
    engine.dispose()


def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    engine = open_database(tmp_path)
    with writing(engine) as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
        connection.execute(text(f"PRAGMA max_page_count={pages}"))
    with pytest.raises(StorageError, match="the disk is full; free some space"), writing(engine) as connection:
        connection.execute(stored_datasets.insert().values(**{**DATASET, "notes": ["x" * 100_000]}))
    with reading(engine) as connection:
        assert connection.execute(stored_datasets.select()).all() == []
    engine.dispose()


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("attempt to write a readonly database", "check who owns the workspace folder"),
        ("unable to open database file", "check who owns the workspace folder"),
        ("database is locked", "another process kept it locked for 30 s"),
        ("disk I/O error", "it answered 'disk I/O error'"),
    ],
)
def test_every_refusal_of_the_database_is_one_sentence(tmp_path: Path, reason: str, words: str) -> None:
    engine = open_database(tmp_path)
    with pytest.raises(StorageError) as caught, writing(engine):
        raise sqlite3.OperationalError(reason)
    assert words in str(caught.value)
    engine.dispose()


def test_a_file_that_is_no_database_is_named_damaged(tmp_path: Path) -> None:
    (tmp_path / "workspace.db").write_bytes(b"this is no database at all" * 100)
    with pytest.raises(StorageError, match=r"workspace\.db is damaged"):
        open_database(tmp_path)


def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    engine = open_database(tmp_path)
    with writing(engine) as connection:
        connection.execute(text(f"PRAGMA user_version={database.DATABASE_VERSION + 1}"))
    engine.dispose()
    with pytest.raises(StorageError, match="made by a newer version"):
        open_database(tmp_path)


def test_making_a_database_waits_for_whoever_makes_it_already(tmp_path: Path) -> None:
    """Two that change the journal mode at once would not wait for each other: one would find it locked."""
    made = threading.Thread(target=lambda: open_database(tmp_path).dispose())
    with folder_lock(tmp_path, exclusive=True):
        made.start()
        made.join(timeout=0.4)
        assert made.is_alive()
    made.join(timeout=10)
    assert not made.is_alive()
    with folder_lock(tmp_path, exclusive=True):
        open_database(tmp_path).dispose()  # once made, opening waits for nobody


OPEN_AND_WRITE = """
import sys
from pathlib import Path
from tabnet_engine.runs.database import open_database, stored_datasets, writing
for line in sys.stdin:
    engine = open_database(Path(line.strip()))
    for number in range(2):
        with writing(engine) as connection:
            found = len(connection.execute(stored_datasets.select()).all())
            connection.execute(stored_datasets.insert().values(
                dataset_id=f"{sys.argv[1]}-{number}", name=str(found), sha256="s", n_rows=1, n_columns=1, n_bytes=1,
                created="2026", options={}, notes=[]))
    engine.dispose()
    print("done", flush=True)
"""


def test_several_processes_make_and_fill_one_database_at_once(tmp_path: Path) -> None:
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN_AND_WRITE, str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(3)
    ]
    for number in range(4):
        root = tmp_path / str(number)
        root.mkdir()
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.write(f"{root}\n")
            worker.stdin.flush()
        assert [worker.stdout.readline() for worker in workers if worker.stdout] == ["done\n"] * 3
        # Each read what the one before had written: no two read the same number of rows.
        with reading(engine := open_database(root)) as connection:
            seen = [row.name for row in connection.execute(stored_datasets.select())]
        engine.dispose()
        assert sorted(map(int, seen)) == list(range(6))
    for worker in workers:
        worker.communicate(timeout=10)
    assert set(metadata.tables) == {"datasets", "holds"}
