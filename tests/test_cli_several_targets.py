"""Several targets on the command line: names with commas, a task for each, warnings, predictions of all."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabnet_engine.__main__ import main
from tabnet_engine.commands.arguments import column_names

SMALL = ["--set", "max_epochs=1", "--set", "n_shap_rows=2", "--set", "n_background=3", "--set", "n_steps=2"]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(200, 3)).round(3)
    frame = pd.DataFrame(
        {
            "x": x[:, 0],
            "y": x[:, 1],
            "z": x[:, 2],
            "stars, final": generator.integers(1, 6, 200),
            "bought": np.where(x[:, 0] + generator.normal(size=200) > 0, "yes", "no"),
            "copy": (10 * x[:, 2]).round(2),
        }
    )
    path = tmp_path_factory.mktemp("shop") / "shop.csv"
    frame.to_csv(path, index=False)
    return path


def train(shop: Path, out: Path, target: str, *more: str) -> int:
    return main(["train", "--table", str(shop), "--target", target, *SMALL, *more, "--out", str(out)])


def heads(out: Path) -> dict[str, str]:
    stored = json.loads((out / "schema.json").read_text())["target"]["targets"]
    return {item["name"]: item["task"] for item in stored}


def test_one_column_and_one_with_a_comma_in_its_name(shop: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    out = tmp_path / "run"
    assert train(shop, out, "bought,stars, final", "--ignore", "copy") == 0
    summary = json.loads(capfd.readouterr().out)
    assert summary["task"] == "multitask"
    assert {"bought: auc", "stars, final: accuracy"} <= set(summary["test"])
    assert heads(out) == {"stars, final": "multiclass", "bought": "binary"}

    predictions = tmp_path / "p.csv"
    new = tmp_path / "new.csv"
    pd.read_csv(shop)[["x", "y", "z"]].to_csv(new, index=False)
    assert main(["predict", "--run", str(out), "--table", str(new), "--out", str(predictions)]) == 0
    table = pd.read_csv(predictions)
    assert len(table) == 200
    shares = [name for name in table if name.startswith("probability_stars, final = ")]
    assert len(shares) == 5
    assert np.allclose(table[shares].sum(axis=1), 1)
    assert set(table["prediction_bought"]) <= {"yes", "no"}


def test_the_whole_text_wins_when_it_is_a_column(shop: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    assert train(shop, tmp_path / "run", "stars, final", "--task", "regression", "--ignore", "copy") == 0
    assert json.loads(capfd.readouterr().out)["task"] == "regression"


def test_each_of_several_targets_may_have_its_own_task_and_class(shop: Path, tmp_path: Path):
    more = ("--task", "stars, final=regression", "--positive", "bought=no", "--ignore", "copy")
    assert train(shop, tmp_path / "run", "stars, final,bought", *more) == 0
    assert heads(tmp_path / "run") == {"stars, final": "regression", "bought": "binary"}
    assert json.loads((tmp_path / "run" / "manifest.json").read_text())["outputs"] == ["stars, final", "bought = no"]


def test_a_column_that_gives_a_target_away_is_warned_of(shop: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    assert train(shop, tmp_path / "run", "z") == 0
    (warning,) = [line for line in capfd.readouterr().err.splitlines() if line.startswith("warning: ")]
    assert '"copy" alone predicts' in warning
    assert train(shop, tmp_path / "clean", "z", "--ignore", "copy") == 0
    assert "warning: " not in capfd.readouterr().err


@pytest.mark.parametrize(
    ("target", "more", "text"),
    [
        ("bought,x,bought", (), "named twice"),
        ("bought,nowhere", (), "'nowhere'"),
        ("bought,x", ("--task", "guess"), "--task takes one of auto"),
        ("bought,x", ("--task", "x=guess"), "--task takes one of auto"),
        ("bought", ("--task", "multitask"), "multitask needs several targets"),
        ("bought,x", ("--positive", "yes"), "COL=CLASS"),
        ("bought,x", ("--positive", "bought=maybe"), '"maybe" is no class'),
        ("bought,x", ("--ignore", "x"), "named by --target and by --ignore"),
        ("bought,x", ("--set", "task_weights=1,2,3"), "task_weights"),
        ("bought", ("--set", "d_categorical=0"), "d_categorical must be between 1 and 256, got 0"),
        ("bought", ("--set", "preset=golden"), "preset must be one of best, paper"),
        (",", (), "no target"),
    ],
)
def test_a_mistake_is_one_line(
    target: str, more: tuple[str, ...], text: str, shop: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    assert train(shop, tmp_path / "run", target, *more) == 2
    error = capfd.readouterr().err.splitlines()[-1]
    assert error.startswith("error: ")
    assert text in error
    assert not (tmp_path / "run").exists()


NAMES = st.lists(st.text("ab, ", min_size=1, max_size=4), min_size=1, max_size=5, unique=True)


@given(names=NAMES)
def test_a_name_alone_is_always_found_whatever_commas_it_holds(names: list[str]):
    for name in names:
        assert column_names(name, set(names)) == (name,)


@given(names=st.lists(st.text("abc", min_size=1, max_size=3), min_size=1, max_size=6, unique=True))
def test_names_without_commas_come_back_as_they_were_joined(names: list[str]):
    assert column_names(",".join(names), set(names)) == tuple(names)
    assert column_names(" , ".join(names), set(names)) == tuple(names)


def test_the_longest_name_wins_and_unknown_ones_stay():
    assert column_names("a,b,c", {"a", "b", "a,b"}) == ("a,b", "c")
    assert column_names("x,,y", {"y"}) == ("x", "y")


def test_categories_that_training_did_not_see_are_said_when_they_are_predicted(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    frame = pd.DataFrame({"shape": ["round", "square"] * 20, "size": np.arange(40) % 7, "y": np.arange(40) % 2})
    frame.to_csv(tmp_path / "seen.csv", index=False)
    assert train(tmp_path / "seen.csv", tmp_path / "run", "y") == 0
    frame.assign(shape=["round", "oval"] * 20).to_csv(tmp_path / "new.csv", index=False)
    files = ("--run", str(tmp_path / "run"), "--table", str(tmp_path / "new.csv"), "--out", str(tmp_path / "out.csv"))
    capfd.readouterr()
    assert main(["predict", *files]) == 0
    assert "column 'shape': 20 of 40 cells hold categories that training did not see" in capfd.readouterr().err
