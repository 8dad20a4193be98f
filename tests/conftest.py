"""What tests of the command line share: a table and a run trained on it, made once."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

from tests.cli import SMALL

# How long an example takes says how busy the machine is; tests of speed measure what they mean.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


@pytest.fixture(scope="session")
def credit_csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tabnet_engine.data.synthetic import credit_applications

    path = tmp_path_factory.mktemp("cli") / "credit.csv"
    credit_applications(n_rows=600, seed=1)[0].to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def credit_run(credit_csv: Path) -> Path:
    """Not to be written into."""
    from tabnet_engine.__main__ import main

    folder = credit_csv.parent / "run"
    assert main(["train", "--table", str(credit_csv), "--target", "decision", *SMALL, "--out", str(folder)]) == 0
    return folder
