"""How firm the reasons of one row are: measured for the row, or taken from the certificate."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from tabnet_engine.config import ExplainConfig
from tabnet_engine.data.schema import Task
from tabnet_engine.explain.background import draw_background
from tabnet_engine.explain.row_robustness import (
    RowRobustness,
    certified_robustness,
    measured_robustness,
    robustness_sentences,
)
from tabnet_engine.explain.single_row import RowExplainer
from tabnet_engine.explain.store import save_background
from tabnet_engine.explain.trust.reasons import KeptReasons

CAUSE = "background rows drawn again"


def kept(rows, method="shap", sign_kept=((1.0, 0.7, 0.2),), target="bought"):
    n_rows = len(rows)
    shares = np.array(sign_kept * n_rows)
    return KeptReasons(
        cause=CAUSE,
        method=method,
        target=target,
        features=("age", "job", "joined", "member"),
        rows=np.array(rows),
        leaders=np.tile([2, 0, 1], (n_rows, 1)),
        values=np.ones((n_rows, 3)),
        kept=np.maximum(shares, 0.5),
        sign_kept=shares,
        repetitions=np.full(n_rows, 7),
    )


def test_a_row_is_measured_with_the_repetitions_that_it_says(run, frame):
    encoded, y = run.encoder.transform(frame), run.codec.encode(frame, rows=run.splits.train)
    sample = draw_background(encoded, run.splits.train, y, task=Task.BINARY, n_rows=8, seed=0)
    explainer = RowExplainer.of_run(save_background(run, sample), ExplainConfig(seed=4))
    found = measured_robustness(explainer, run.targets, frame.iloc[[1]], 1, 0, n_repetitions=4, seconds=60)
    assert [reasons.repetitions.tolist() for reasons in found.reasons] == [[4], [4]]
    original = explainer.explain(frame.iloc[[1]], row=1).attribution.values[0, :, 0]
    leaders = [run.encoder.layout.feature_names[index] for index in np.argsort(-np.abs(original))[:3]]
    assert list(dict.fromkeys(found.table()["column"])) == leaders
    again = measured_robustness(explainer, run.targets, frame.iloc[[1]], 1, 0, n_repetitions=4, seconds=60)
    np.testing.assert_array_equal(found.table()["sign_kept"], again.table()["sign_kept"])
    hurried = measured_robustness(explainer, run.targets, frame.iloc[[1]], 1, 0, n_repetitions=9, seconds=0)
    assert {int(reasons.repetitions[0]) for reasons in hurried.reasons} == {3}


def test_words_follow_the_least_firm_cause():
    found = RowRobustness(row=5, reasons=(kept([5]),), is_certified=True)
    firm, between, shaky, how = robustness_sentences(found, method="shap")
    assert firm.endswith("joined.")
    assert between.endswith("age.")
    assert shaky.endswith("job.")
    assert how == "Measured by 7 repetitions: background rows drawn again."


def test_the_certificate_answers_for_its_rows_target_and_output_only(run):
    certificate = SimpleNamespace(reasons=(kept([3, 5]), kept([5], method="masks"), kept([5], method="gradients")))
    logits = np.array([0.4])
    found = certified_robustness(certificate, run.targets, logits, 5, 0)
    assert found is not None
    assert [reasons.method for reasons in found.reasons] == ["shap", "masks"]
    assert [reasons.rows.tolist() for reasons in found.reasons] == [[5], [5]]
    assert certified_robustness(certificate, run.targets, logits, 4, 0) is None
    other = SimpleNamespace(reasons=(kept([5], target="other"),))
    assert certified_robustness(other, run.targets, logits, 5, 0) is None


def test_nothing_repeated_is_said():
    nothing = RowRobustness(row=5, reasons=(), is_certified=False)
    assert "No repetition could be made" in robustness_sentences(nothing)[0]
    assert len(nothing.table()) == 0


@pytest.mark.parametrize("method", ["masks", None])
def test_sentences_can_be_of_one_method_alone(method):
    found = RowRobustness(row=5, reasons=(kept([5]), kept([5], "masks", ((1.0, 1.0, 1.0),))), is_certified=True)
    text = " ".join(robustness_sentences(found, method=method))
    assert ("Not firm" in text) == (method is None)
