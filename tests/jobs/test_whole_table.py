"""What explaining a run says of its whole table: archetypes of its rows, effects of its leading columns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tabnet_engine.config import ExplainConfig
from tabnet_engine.data.kinds import propose_schema
from tabnet_engine.data.synthetic import credit_applications
from tabnet_engine.data.tasks import set_target
from tabnet_engine.errors import DamagedRunError, ExplanationError
from tabnet_engine.explain import store
from tabnet_engine.explain.archetype_store import load_archetypes
from tabnet_engine.explain.effects.stored import has_effects, load_effects, load_permutation
from tabnet_engine.jobs.explaining import explain_run
from tabnet_engine.jobs.pipeline import Source, train_run
from tabnet_engine.runs.artefact import DatasetRef, Run

QUICK = {"max_epochs": 1, "n_shap_rows": 4, "n_background": 5, "n_steps": 2, "n_d": 4, "n_a": 4, "n_effect_columns": 2}
FEW = ExplainConfig(methods=(), n_shap_rows=0, n_background=5, n_effect_columns=0)


def credit(n_rows: int) -> Source:
    frame, _ = credit_applications(n_rows)
    schema = set_target(propose_schema(frame), frame, "decision")
    return Source(frame, schema, DatasetRef("ab" * 32, "credit.csv", n_rows, frame.shape[1]), {})


@pytest.fixture(scope="module")
def explained(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train_run(credit(160), tmp_path_factory.mktemp("whole") / "run", QUICK, title="credit")


def test_every_row_with_masks_has_an_archetype(explained: Run) -> None:
    archetypes, masks = load_archetypes(explained), store.load_masks(explained)
    np.testing.assert_array_equal(archetypes.rows, masks.rows)
    assert sum(found.n_rows for found in archetypes.archetypes) == masks.n_rows
    assert all(found.rates for found in archetypes.archetypes)


def test_effects_are_of_the_leading_columns_over_held_out_rows(explained: Run) -> None:
    effects = load_effects(explained)
    ranking = next(found for found in store.load_importances(explained) if found.method == "permutation")
    assert effects.columns == tuple(ranking.features[place] for place in ranking.order[:2])
    assert effects.chosen_by == "permutation importance"
    np.testing.assert_allclose(load_permutation(explained).importance().values, ranking.values)
    assert all("test rows" in curve.selection for curve in effects.curves)


def test_a_few_held_out_rows_have_curves_but_no_interactions(tmp_path: Path) -> None:
    settings = {**QUICK, "n_importance_rows": 2}
    effects = load_effects(train_run(credit(60), tmp_path / "run", settings, title="few"))
    assert effects.interactions is None
    assert "interactions" in effects.not_drawn


def test_effects_can_be_left_out_and_their_absence_is_said(explained: Run, tmp_path: Path) -> None:
    run = train_run(credit(60), tmp_path / "run", {**QUICK, "n_effect_columns": 0}, title="none")
    assert not has_effects(run)
    with pytest.raises(ExplanationError, match="has no effects of columns yet"):
        load_effects(run)
    frame = credit(160).frame
    assert has_effects(explain_run(explained, frame, FEW))  # an earlier result stays


def test_effects_that_cannot_be_read_are_damage(tmp_path: Path) -> None:
    run = train_run(credit(60), tmp_path / "run", {**QUICK, "n_effect_columns": 1}, title="damaged")
    with pytest.raises(DamagedRunError, match="effects"):
        load_effects(store.save_json(run, "effects", {"columns": 3}))
