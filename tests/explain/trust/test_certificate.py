"""The certificate: never empty, whole in JSON, kept with the run, and plain about what is missing."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from tabnet_engine.errors import DamagedRunError, ExplanationError
from tabnet_engine.explain.estimates import mean_estimate
from tabnet_engine.explain.trust.certificate import (
    CERTIFICATE,
    Certificate,
    RowFaithfulness,
    has_certificate,
    load_certificate,
    save_certificate,
)
from tabnet_engine.explain.trust.faithfulness import Curve
from tabnet_engine.explain.trust.finding import Family, NotMeasured, measure_rows
from tabnet_engine.explain.trust.method_agreement import compare_rows
from tabnet_engine.explain.trust.reasons import kept_reasons
from tabnet_engine.explain.trust.row_values import RowValues
from tabnet_engine.runs.artefact import load_run


def finding(values, family=Family.AGREEMENT):
    return measure_rows(
        np.asarray(values, float),
        {"random": np.zeros(len(values))},
        family=family, key="k", name="measure", subject="SHAP", how="So.", seed=0, best=1.0,
    )  # fmt: skip


def certificate(**changes):
    explained = RowValues(
        method="shap", features=("a", "b"), rows=np.array([3, 5]), values=np.array([[1.0, -2], [0, 0]]), is_signed=True
    )
    gap = NotMeasured(family=Family.STABILITY, name="stability to the seed", reason="there is no table")
    flat = (mean_estimate([0, 0]),) * 2
    curve = Curve(method="", target="bought", kind="deletion", shares=(0.0, 1.0), distances=flat)
    areas = RowFaithfulness(method="shap", target="bought", rows=(3, 5), area=(0.1, 0.2), random=(0.1, 0.1))
    facts = {
        "run_id": "run-1",
        "title": "people",
        "weights_sha256": "ab" * 32,
        "created": "2026-01-01T00:00:00Z",
        "versions": {"engine": "1"},
        "settings": {"n_rows": 4},
        "rows": "4 test rows",
        "background": "a background of 3 rows",
        "algorithms": {"shap": "exact"},
        "findings": (finding([0.5, 0.6, 0.55]), finding([0.5, -0.6, 0.0], Family.STABILITY)),
        "not_measured": (gap,),
        "agreement": (compare_rows(explained, explained, top_k=1, target="bought"),),
        "curves": (curve,),
        "faithfulness": (areas,),
        "reasons": (kept_reasons(explained, [explained], cause="again", target="bought", top_k=2),),
    }
    return Certificate(**{**facts, **changes})


def test_with_nothing_measured_it_is_impossible():
    with pytest.raises(ValueError, match="at least one measured figure"):
        certificate(findings=())
    with pytest.raises(ValueError, match="at least one measured figure"):
        certificate(findings=(finding([np.nan, np.nan]),))


def test_it_says_what_stands_and_what_is_missing():
    kept = certificate()
    assert [one.family for one in kept.standing] == [Family.AGREEMENT]
    assert len(kept.of_family(Family.STABILITY)) == 1
    assert kept.note.startswith("1 of 2 figures are told apart")
    assert "not measured: stability to the seed" in kept.note
    assert kept.sentences[-1] == "Not measured: stability to the seed, since there is no table."


def test_json_keeps_everything():
    kept = certificate()
    again = Certificate.from_mapping(json.loads(kept.to_json()))
    assert again.to_mapping() == kept.to_mapping()
    assert again.findings == kept.findings
    np.testing.assert_array_equal(again.agreement[0].spearman, kept.agreement[0].spearman)
    assert np.isnan(again.agreement[0].sign[1]), "a row without a reason has no agreement"
    with pytest.raises(ValueError, match="format is 99"):
        Certificate.from_mapping({**kept.to_mapping(), "format": 99})
    with pytest.raises(ValueError, match="its area"):
        dataclasses.replace(kept.faithfulness[0], rows=(1,))


def test_it_is_kept_with_the_run_and_checked(run):
    assert not has_certificate(run)
    with pytest.raises(ExplanationError, match="no certificate yet; certify it"):
        load_certificate(run)
    run = save_certificate(run, certificate())
    loaded = load_run(run.folder)
    assert CERTIFICATE in loaded.manifest.parts
    assert load_certificate(loaded).to_mapping() == certificate().to_mapping()
    run = save_certificate(loaded, certificate(title="again"))
    assert load_certificate(run).title == "again"
    (run.folder / CERTIFICATE).write_text("{}", encoding="utf-8")
    with pytest.raises(DamagedRunError, match=r"certificate.json"):
        load_certificate(run)


def test_a_certificate_that_is_no_certificate_is_a_damaged_run(run):
    from tabnet_engine.runs.artefact import add_part

    run = add_part(run, CERTIFICATE, lambda path: path.write_text('{"format": 1}', encoding="utf-8") and None)
    with pytest.raises(DamagedRunError, match="certificate cannot be read"):
        load_certificate(run)
