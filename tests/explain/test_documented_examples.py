"""The examples in docs/explanations.md run as they stand, and name the methods that there are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tabnet_engine.config import ModelConfig, TrainingConfig
from tabnet_engine.data.kinds import propose_schema
from tabnet_engine.data.synthetic import credit_applications
from tabnet_engine.data.tasks import set_target
from tabnet_engine.explain.signed.methods import METHODS, REFUSED
from tabnet_engine.runs.artefact import DatasetRef, save_run
from tabnet_engine.training.experiment import train_model

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "explanations.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the document says is there already: a run and its table."""
    frame, _ = credit_applications(1_500)
    model = train_model(
        frame,
        set_target(propose_schema(frame), frame, "decision"),
        ModelConfig(n_d=8, n_a=8, n_steps=2, n_bins=8),
        TrainingConfig(max_epochs=30, batch_size=128, device="cpu"),
    )
    folder = tmp_path_factory.mktemp("documented") / "credit"
    reference = DatasetRef("ab" * 32, "credit.csv", len(frame), frame.shape[1])
    return {"run": save_run(model, folder, dataset=reference, read_options={}, title="credit"), "frame": frame}


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 2


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_example_runs_and_says_something(
    example: str, names: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    exec(compile(example, "docs/explanations.md", "exec"), dict(names))  # noqa: S102 - our own document
    assert len(capsys.readouterr().out.splitlines()) >= 3


def test_every_method_is_described() -> None:
    assert [name for name in (*METHODS, *REFUSED, "masks", "permutation") if f"`{name}`" not in DOCUMENT] == []
