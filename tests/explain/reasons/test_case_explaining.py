"""A whole case of a trained network: what it says agrees with the model, and protected columns are never dropped."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
import torch

from tabnet_engine.config import ReportConfig
from tabnet_engine.data.splits import Splits
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.counterfactual.result import NearestMiss
from tabnet_engine.explain.counterfactual.space import with_values
from tabnet_engine.explain.estimates import Estimate
from tabnet_engine.explain.groups.decision import Decision
from tabnet_engine.explain.groups.proxies import Proxy, ProxyReport
from tabnet_engine.explain.groups.stored import keep_proxies
from tabnet_engine.explain.reasons.by_methods import ByMethods
from tabnet_engine.explain.reasons.case_explaining import CaseExplainer
from tabnet_engine.explain.reasons.replaying import counterfactual_differences, replay_case
from tabnet_engine.explain.reasons.scoring import FavourableScore
from tabnet_engine.runs.artefact import save_run
from tabnet_engine.texts.speaking import speaking


def config(**asked) -> ReportConfig:
    # The network of two epochs knows little: a cutoff in the middle of its scores.
    return ReportConfig(**{"n_reference": 8, "n_repetitions": 3, "max_changes": 2, **asked})


@pytest.fixture(scope="module")
def middle(trained) -> float:
    """The median probability of "yes" over the table."""
    from tabnet_engine.explain.subject import Subject

    run, frame = trained
    logits = Subject.of_run(run).logits(run.encoder.transform(frame))[:, 0]
    return float(np.median(1 / (1 + np.exp(-logits))))


@pytest.fixture(scope="module")
def explainer(trained, middle) -> CaseExplainer:
    return CaseExplainer.of_run(*trained, config(favourable="yes", cutoff=middle))


@pytest.fixture(scope="module")
def rows(explainer) -> tuple[int, int]:
    """A declined row and one of the reference itself."""
    encoded = explainer.model.encoder.transform(explainer.frame)
    selected = explainer.model.score.selected(explainer.model.subject.logits(encoded))
    return int(np.flatnonzero(~selected)[-1]), explainer.population.rows[0]


@pytest.fixture(scope="module")
def cases_of(explainer, rows):
    return tuple(explainer.explain(row) for row in rows)


def test_a_row_is_scored_alike_alone_and_among_others(explainer, trained):
    from tabnet_engine.explain.subject import Subject

    run, frame = trained
    table, subject = run.encoder.transform(frame), explainer.model.subject
    logits = subject.logits(table)
    np.testing.assert_allclose(logits, Subject.of_run(run).logits(table), rtol=1e-12)
    for place in (0, 17, 59):
        np.testing.assert_allclose(subject.logits(table.take([place]))[0], logits[place], rtol=1e-14)
    assert subject.logits(table.take(np.arange(0))).shape == (0, 1)


def test_the_numbers_of_a_case_fit_together(cases_of, explainer):
    for case, is_favourable in zip(cases_of, (False, True), strict=True):
        assert case.score.is_favourable is is_favourable
        assert (case.score.margin >= 0) is is_favourable
        assert case.timeline.logits @ case.weights == pytest.approx(case.score.value, abs=1e-5)
        total = sum(item.value for item in case.contributions)
        assert total == pytest.approx(case.score.value - case.reference.mean_score, abs=1e-9)
        assert case.reasons
        assert all((reason.contribution.value > 0) is is_favourable for reason in case.reasons)
        assert [reason.rank for reason in case.reasons] == list(range(1, len(case.reasons) + 1))
        assert case.row not in case.reference.rows
        assert {method.method for method in case.methods} == {"masks", "shap", "integrated_gradients", "ablation"}
        for reason in case.reasons:
            assert 0 < reason.share <= 1
            assert set(reason.ranks) == {"masks", "integrated_gradients", "ablation"}
            assert [item.n_repetitions <= 3 for item in reason.kept] == [True] * len(reason.kept)
        assert case.timeline.logits[0] == pytest.approx(case.score.value)  # "yes" is the output itself
        assert case.output == "yes"
        assert case.calibration
        assert case.evaluation
        assert json.loads(json.dumps(case.to_mapping()))["row"] == case.row
    assert explainer.population.rows == cases_of[0].reference.rows


def test_every_method_is_signed_towards_the_favourable_outcome(explainer, rows):
    """With the other class favourable every signed value turns round, and what was read stays."""
    model, row = explainer.model, rows[0]
    turned = FavourableScore.of(model.targets, "bought", Decision(favourable="no", cutoff=0.5))
    found = [
        ByMethods.of(own.measure(explainer.received(row), row, explainer.shared))
        for own in (model, dataclasses.replace(model, score=turned))
    ]
    for mine, theirs in zip(found[0].methods, found[1].methods, strict=True):
        sign = -1.0 if mine.is_signed else 1.0
        assert np.any(mine.values)
        np.testing.assert_allclose(theirs.values, sign * np.array(mine.values), atol=1e-12)
        assert mine.ranks == theirs.ranks
    assert found[0].agreement == pytest.approx(found[1].agreement)


def test_a_reason_is_moved_through_raw_cells_as_anyone_could(cases_of, explainer):
    case = cases_of[0]
    model = explainer.model
    line = explainer.received(case.row)
    typical = {cell.column: cell.value for cell in measured_typical(explainer, case.row)}
    for reason in case.reasons:
        moved = with_values(line, {reason.column: typical[reason.column]})
        score = model.subject.logits(model.encoder.transform(moved))[0, 0]
        assert score - case.score.value == pytest.approx(reason.moved, abs=1e-9)
        assert reason.flips == bool(model.score.selected([[score]])[0])
    together = with_values(line, {reason.column: typical[reason.column] for reason in case.reasons})
    assert model.subject.logits(model.encoder.transform(together))[0, 0] == pytest.approx(case.joint.after)


def measured_typical(explainer, row):
    return explainer.model.measure(explainer.received(row), row, explainer._reference(row)).typical[0]


def test_the_same_request_gives_the_same_case_in_any_language_and_order(trained, middle, rows, cases_of):
    again = CaseExplainer.of_run(*trained, config(favourable="yes", cutoff=middle))
    with speaking("zh"):
        other = [again.explain(row) for row in reversed(rows)][::-1]
    for case, repeated in zip(cases_of, other, strict=True):
        assert json.dumps(repeated.to_mapping()) == json.dumps(case.to_mapping())


def test_the_evidence_alone_gives_the_same_case(trained, middle, rows, cases_of, explainer):
    run, _ = trained
    asked = config(favourable="yes", cutoff=middle)
    for row, case in zip(rows, cases_of, strict=True):
        stored = json.loads(json.dumps(case.to_mapping()))
        cells, reference = explainer.received(row), explainer.reference_rows(row)
        replayed = replay_case(run, cells, reference, asked, row)
        assert replayed.differences(stored) == ()
        assert replayed.reasons == tuple(reason.column for reason in case.reasons)
        assert counterfactual_differences(run, cells, asked, stored["counterfactual"]) == ()


def test_whatever_is_changed_in_the_evidence_is_said(trained, middle, rows, cases_of, explainer):
    run, _ = trained
    row, asked = rows[0], config(favourable="yes", cutoff=middle)
    cells, reference = explainer.received(row), explainer.reference_rows(row)
    replayed = replay_case(run, cells, reference, asked, row)

    def told(change) -> str:
        stored = json.loads(json.dumps(cases_of[0].to_mapping()))
        change(stored)
        return " ".join(replayed.differences(stored))

    def swap(stored) -> None:
        stored["reasons"].reverse()

    with speaking("zh"):
        assert told(lambda _: None) == "", "what is equal is equal to a reader of another language"
    assert "Different: the score. The evidence says" in told(lambda stored: stored["score"].update(value=9.0))
    assert "whether the row is approved" in told(lambda stored: stored["score"].update(is_favourable=True))
    column = cases_of[0].contributions[0].column
    assert f"contribution of '{column}'" in told(lambda stored: stored["contributions"][0].update(value=0.5))
    assert f"reference value of '{column}'" in told(lambda stored: stored["contributions"][0].update(reference="x"))
    assert "the principal reasons" in told(lambda stored: stored["reasons"].pop())
    assert len(cases_of[0].reasons) < 2 or "the principal reasons" in told(swap)
    assert "alone is moved" in told(lambda stored: stored["reasons"][0].update(moved=7.0))
    assert "the reason '" in told(lambda stored: stored["reasons"][0]["contribution"].update(actual="x"))
    assert "after the reasons are moved" in told(lambda stored: stored["joint"].update(after=7.0))
    assert "left out" in told(lambda stored: stored["left_out"].append("age"))
    with pytest.raises(ExplanationError, match="the stored case cannot be read"):
        told(lambda stored: stored.pop("contributions"))
    other = cells.assign(age=20.0 if cells["age"].isna().all() else float(cells["age"].iloc[0]) + 25)
    again = replay_case(run, other, reference, asked, row)
    assert again.differences(json.loads(json.dumps(cases_of[0].to_mapping())))
    fewer = replay_case(run, cells, reference.iloc[1:], asked, row)
    assert fewer.differences(json.loads(json.dumps(cases_of[0].to_mapping())))
    with pytest.raises(ExplanationError, match="holds no reference row"):
        replay_case(run, cells, reference.iloc[:0], asked, row)


def test_a_changed_proposal_in_the_evidence_is_said(trained, middle, cases_of, explainer):
    run, _ = trained
    case = next(case for case in cases_of if case.counterfactual is not None and case.counterfactual.counterfactuals)
    asked, cells = config(favourable="yes", cutoff=middle), explainer.received(case.row)

    def told(change) -> str:
        stored = json.loads(json.dumps(case.counterfactual.to_mapping()))
        change(stored)
        return " ".join(counterfactual_differences(run, cells, asked, stored))

    sign = -1.0 if case.score.is_favourable else 1.0  # further beyond the cutoff, so that it still turns the outcome
    assert told(lambda stored: None) == ""

    def raise_score(stored) -> None:
        stored["counterfactuals"][0]["logits"][0] += sign

    assert "the score of the row with proposal 1" in told(raise_score)
    item = case.counterfactual.counterfactuals[0]
    for by, is_told in ((0.0, False), (0.5, True)):
        logits = tuple(logit + by for logit in item.logits)
        miss = NearestMiss(changes=item.changes, logits=logits, shortfall=1.0, likeness=item.likeness, outcome="no")
        stored = dataclasses.replace(case.counterfactual, nearest_miss=miss).to_mapping()
        found = " ".join(counterfactual_differences(run, cells, asked, stored))
        assert ("with the changes that came closest" in found) == is_told
    with pytest.raises(ExplanationError, match="the stored counterfactuals cannot be read"):
        told(lambda stored: stored["logits"].__setitem__(0, 0.123))
    other = config(favourable="yes", cutoff=middle - 0.01)
    assert "the outcome that changes are proposed for" in " ".join(
        counterfactual_differences(run, cells, other, case.counterfactual.to_mapping())
    )


def test_a_protected_reason_blocks_and_stays_among_the_reasons(trained, middle, rows, cases_of):
    first = cases_of[0].reasons[0].column
    guarded = CaseExplainer.of_run(*trained, config(favourable="yes", cutoff=middle, protected=(first,)))
    case = guarded.explain(rows[0])
    assert [reason.column for reason in case.reasons] == [reason.column for reason in cases_of[0].reasons]
    assert case.protection.is_blocked
    assert (case.protection.offending[0].column, case.protection.offending[0].is_itself) == (first, True)
    if case.counterfactual is not None:
        assert all(first not in [change.column for change in item.changes]
                   for item in case.counterfactual.counterfactuals)  # fmt: skip
    assert not cases_of[0].protection.is_blocked


def test_a_proxy_of_a_protected_column_blocks_as_well(run, frame, middle, rows, cases_of):
    first = cases_of[0].reasons[0].column
    weak = next(name for name in frame.columns[:4] if name != first)
    report = ProxyReport(
        column="origin",
        groups=("x", "y"),
        proxies=tuple(
            Proxy(column=name, strength=Estimate(value=value, low=value - 0.05, high=value + 0.05, n=60), is_read=True)
            for name, value in ((first, 0.4), (weak, 0.08))
        ),
        joint_read=Estimate(value=0.4),
        joint_all=Estimate(value=0.4),
        left_out={},
        is_feature=False,
        n_rows=60,
        how="as told",
        selection="60 rows",
        seed=0,
    )
    run = keep_proxies(run, report)
    wider = frame.assign(origin="x")
    asked = config(favourable="yes", cutoff=middle, protected=("origin",), n_counterfactuals=0)
    case = CaseExplainer.of_run(run, wider, asked).explain(rows[0])
    assert [(link.column, link.protected, link.is_itself) for link in case.protection.offending] == [
        (first, "origin", False)
    ]
    assert weak not in [link.column for link in case.protection.links]
    assert case.counterfactual is None
    assert case.why_no_counterfactual == "None were asked for."


def test_a_copy_of_a_protected_column_is_found_and_one_that_divides_nobody_is_said(trained, middle, rows):
    run, frame = trained
    wider = frame.assign(origin=np.where(frame["job"] == "clerk", "north", "south"), same="x")
    wider["empty"] = None
    asked = config(favourable="yes", cutoff=middle, protected=("origin", "same", "empty"), n_repetitions=0)
    explainer = CaseExplainer.of_run(run, wider, asked)
    proxies = [link for link in explainer.protected.links if not link.is_itself]
    assert [(link.column, link.protected) for link in proxies] == [("job", "origin")]
    assert set(explainer.protected.not_examined) == {"same", "empty"}
    assert all(reason.kept == () for reason in explainer.explain(rows[0]).reasons)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"protected": ("agee",)}, "there is no column 'agee' to protect"),
        ({"protected": ("bought",)}, "'bought' is what is decided"),
        ({"favourable": "maybe"}, "'maybe' is no class of 'bought'"),
        ({"favourable": "yes", "cutoff": 0.9999}, "none of .* is approved"),
    ],
)
def test_what_cannot_be_met_is_said_before_any_row(trained, asked, message):
    with pytest.raises(ExplanationError, match=message):
        CaseExplainer.of_run(*trained, config(**asked))


@pytest.mark.parametrize("row", [-1, 60, 10_000])
def test_a_row_that_is_not_there_is_said_with_the_range(explainer, row):
    with pytest.raises(ExplanationError, match=r"there is no row .*; the table has 60 rows, numbered from 0 to 59"):
        explainer.explain(row)


def test_a_run_without_test_rows_or_without_its_table_still_explains(trained, middle, tmp_path):
    run, frame = trained
    model, nothing = run.model(), np.empty(0, dtype=np.int64)
    asked = config(favourable="yes", cutoff=middle, n_repetitions=0, n_counterfactuals=0)

    def saved(name: str, splits: Splits):
        return save_run(
            dataclasses.replace(model, splits=splits), tmp_path / name, dataset=run.manifest.dataset, read_options={},
            title=name,
        )  # fmt: skip

    splits = model.splits
    no_test = saved("no test", Splits(splits.train, np.concatenate([splits.validation, splits.test]), nothing))
    assert "validation rows" in CaseExplainer.of_run(no_test, frame, asked).evaluation
    imported = CaseExplainer.of_run(saved("imported", Splits(nothing, nothing, nothing)), frame, asked)
    assert imported.calibration == {}
    assert imported.evaluation.startswith("no row was held out")
    assert imported.population.n_candidates == len(frame)
    assert "which of them trained the model is not known" in imported.population.candidates
    other = CaseExplainer.of_run(run, pd.concat([frame, frame.iloc[:5]], ignore_index=True), asked)
    assert "not the one that the run was trained on" in other.population.candidates
    assert other.calibration == {}
    assert "not in the given table" in other.evaluation
    with pytest.raises(ExplanationError, match="the table has no row"):
        CaseExplainer.of_run(run, frame.iloc[:0], asked)


def test_a_network_of_no_numbers_is_one_sentence(trained, tmp_path):
    run, frame = trained
    model = run.model()
    with torch.no_grad():
        next(iter(model.network.parameters())).fill_(float("nan"))
    broken = save_run(model, tmp_path / "nan", dataset=run.manifest.dataset, read_options={}, title="broken")
    with pytest.raises(ExplanationError, match="weights that are infinite or no numbers"):
        CaseExplainer.of_run(broken, frame, config(favourable="yes"))
