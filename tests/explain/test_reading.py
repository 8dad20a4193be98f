"""The sentences that users read: exact wording, no mask ever called a reason."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tabnet_engine.data.schema import Task
from tabnet_engine.data.target_set import TargetCodecs
from tabnet_engine.data.targets import TargetCodec
from tabnet_engine.explain.mask_summaries import summarise_masks
from tabnet_engine.explain.reading import Score, attribution_sentences, summary_sentences, timeline_sentences
from tabnet_engine.explain.timeline import step_timeline
from tabnet_engine.explain.wording import additivity_words, amount, column_name, joined, percent, probability, signed

TARGETS = TargetCodecs(
    (
        TargetCodec("income", Task.BINARY, ("<=50K", ">50K")),
        TargetCodec("tree", Task.MULTICLASS, ("oak", "pine", "fir")),
        TargetCodec("price", Task.REGRESSION),
    )
)


@pytest.mark.parametrize(
    ("output", "name", "task"),
    [
        (0, "the log-odds of income = >50K", Task.BINARY),
        (1, "the score of tree = oak", Task.MULTICLASS),
        (3, "the score of tree = fir", Task.MULTICLASS),
        (4, "the predicted price", Task.REGRESSION),
    ],
)
def test_an_output_of_several_targets_says_whose_it_is(output, name, task):
    assert Score.of_output(TARGETS, output) == Score(name, task)


def test_an_output_of_one_target_is_named_as_ever():
    for codec in TARGETS.codecs:
        for output, name in enumerate(codec.outputs):
            assert Score.of_output(TargetCodecs((codec,)), output) == Score.of(codec.task, name)


def test_a_class_or_target_called_by_a_number_does_not_look_like_a_quantity():
    assert Score.of(Task.REGRESSION, "4").name == "the predicted column 4"
    assert Score.of(Task.BINARY, "1").name == "the log-odds of class 1"
    assert Score.of(Task.MULTICLASS, "7").name == "the score of class 7"


INCOME = Score.of(Task.BINARY, ">50K")


def explained(cases, masks, sizes, contributions, base=0.0):
    masks, sizes = np.array(masks, dtype=np.float32), np.array(sizes, dtype=np.float32)
    contributions = np.array(contributions, dtype=np.float32)
    start = cases.masks(n_rows=1, n_steps=len(masks), n_features=masks.shape[1])
    return dataclasses.replace(
        start,
        features=("capital-gain", "age", "job", "hours")[: masks.shape[1]],
        masks=masks[:, None, :],
        step_sizes=sizes[:, None],
        contributions=contributions[:, None, None],
        logits=np.array([[contributions.sum(dtype=float) + base]]),
        base=np.array([base]),
    )


def test_a_timeline_reads_step_by_step(cases):
    explanation = explained(
        cases,
        masks=[[0.62, 0.2, 0.18, 0], [0.3, 0.4, 0.3, 0], [0, 0, 0, 1], [0.25, 0.25, 0.25, 0.25]],
        sizes=[2, 1, 1, 0],
        contributions=[0.814, -0.3, 0, 0],
    )
    assert timeline_sentences(step_timeline(explanation, 10), INCOME) == (
        "Step 1 read mostly capital-gain (62 %) and added 0.81 to the log-odds of >50K.",
        "Step 2 read mostly age (40 %) and capital-gain (30 %) and took 0.30 from the log-odds of >50K.",
        "Step 3 read only hours (100 %) and added nothing to the log-odds of >50K.",
        "Step 4 read mostly capital-gain (25 %), age (25 %) and job (25 %), but had no part in the decision.",
        "The steps together make the log-odds of >50K +0.51, a probability of 63 %.",
    )


def test_a_flat_mask_and_a_regression(cases):
    explanation = explained(cases, masks=[[0.25] * 4], sizes=[1], contributions=[-1500.0], base=4000.0)
    explanation = dataclasses.replace(explanation, masks=np.full((1, 1, 4), 0.25, dtype=np.float32))
    sentences = timeline_sentences(step_timeline(explanation, 10, top=1), Score.of(Task.REGRESSION, "count"))
    assert sentences == (
        "Step 1 read many columns, most of all capital-gain (25 %) and took 1,500 from the predicted count.",
        "Starting from 4,000, the steps together make the predicted count 2,500.",
    )


def test_a_step_without_named_columns(cases):
    explanation = explained(cases, masks=[[1, 0]], sizes=[1], contributions=[1.0])
    timeline = step_timeline(explanation, 10, top=0)
    assert timeline_sentences(timeline, INCOME)[0].startswith("Step 1 read no column and added 1.00 to")


def test_attributions_compare_with_the_background_and_name_the_strongest(cases):
    values = np.array([[[0.5], [-2.0], [0.0], [0.25], [0.1]]])
    attribution = cases.attribution(values, features=("age", "gain", "sex", "job", "hours"))
    assert attribution_sentences(attribution, 10, INCOME, values={"gain": "7,298", "age": "39"}, limit=2) == (
        (
            "In this row the log-odds of >50K is −1.65, a probability of 16 %: 1.15 below the mean of the 3 background "
            "rows (−0.50, a probability of 38 %)."
        ),
        "gain = 7,298 moved the log-odds of >50K down by 2.00 (± 0.010).",
        "age = 39 moved the log-odds of >50K up by 0.50 (± 0.010).",
        "The other 2 columns together moved it by +0.35.",
    )
    one_left = attribution_sentences(attribution, 10, INCOME, limit=3)
    assert one_left[-1] == "The other 1 column moved it by +0.10."
    everything = attribution_sentences(dataclasses.replace(attribution, standard_error=None), 10, INCOME, limit=9)
    assert len(everything) == 5
    assert everything[1] == "gain moved the log-odds of >50K down by 2.00."
    with pytest.raises(KeyError, match="row 3 is not among the 1"):
        attribution_sentences(attribution, 3, INCOME)


def test_a_class_of_several_is_compared_by_its_score(cases):
    attribution = cases.attribution(np.array([[[0.5, 1.0]]]))
    first = attribution_sentences(attribution, 10, Score.of(Task.MULTICLASS, "pine"), output=1)[0]
    assert first == "In this row the score of pine is +1.50: 1.00 above the mean of the 3 background rows (+0.50)."


def test_a_summary_reads_step_by_step(cases):
    explanation = cases.masks(n_rows=4, n_steps=2, n_features=2)
    masks = np.zeros((2, 4, 2), dtype=np.float32)
    masks[0, :, 0] = 1
    masks[1] = [[0.5, 0.5], [0.5, 0.5], [0.5, 0.5], [0, 1]]
    sizes = np.array([[3, 3, 3, 0], [1, 1, 1, 0]], dtype=np.float32)
    summary = summarise_masks(dataclasses.replace(explanation, masks=masks, step_sizes=sizes))
    assert summary_sentences(summary) == (
        "Step 1 makes 75 % of the decision on average; it reads f0 (100 %) most, and 1.0 columns in a row.",
        (
            "Step 2 makes 25 % of the decision on average; it reads f1 (62 %) and f0 (38 %) most, "
            "and 1.8 columns in a row."
        ),
        "Read by more than one step: f0 (75 % of rows).",
        "In 1 of 4 rows no step was active; there the score is the base alone.",
    )


def test_a_summary_without_reuse_or_silent_rows_ends_with_the_steps(cases):
    explanation = cases.masks(n_rows=2, n_steps=2, n_features=2)
    masks = np.array([[[1, 0], [1, 0]], [[0, 1], [0, 1]]], dtype=np.float32)
    assert len(summary_sentences(summarise_masks(dataclasses.replace(explanation, masks=masks)))) == 2


def test_the_wording_never_calls_what_was_read_a_reason(cases):
    explanation = cases.masks(n_rows=30, n_steps=3, n_features=5)
    sentences = [*summary_sentences(summarise_masks(explanation))]
    sentences += timeline_sentences(step_timeline(explanation, 12), INCOME)
    assert sentences
    assert not any(word in text.lower() for text in sentences for word in ("reason", "because", "explains", "cause"))


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0.00"), (0.8149, "0.81"), (-12.34, "12.3"), (1234567.8, "1,234,568"), (0.00123, "0.0012"), (3e-9, "3.0e-09")],
)
def test_amounts(value, text):
    assert amount(value) == text


def test_shares_signs_and_lists():
    assert [percent(share) for share in (0, 0.002, 0.626, 1)] == ["0 %", "under 1 %", "63 %", "100 %"]
    assert [percent(share) for share in (0.9949, 0.9951, 0.9999, 1 - 1e-7)] == [
        "99 %",
        "over 99 %",
        "over 99 %",
        "100 %",
    ]
    certain = [probability(share) for share in (1e-9, 0.0004, 0.5791, 0.9994, 0.9997, 1.0)]
    assert certain == ["under 0.1 %", "under 0.1 %", "57.9 %", "99.9 %", "over 99.9 %", "over 99.9 %"]
    assert additivity_words(0.0) == "values and base add up to the score"
    assert additivity_words(2e-7).endswith("by at most 2.0e-07")
    assert (signed(-0.5), signed(0.5), signed(0)) == ("−0.50", "+0.50", "+0.00")
    assert [joined(["a", "b", "c"][:n]) for n in range(4)] == ["", "a", "a and b", "a, b and c"]


def test_columns_without_a_header_are_introduced(cases):
    assert [column_name(name) for name in ("age", "9", "x9", "²")] == ["age", "column 9", "x9", "²"]
    explanation = dataclasses.replace(
        explained(cases, masks=[[0.62, 0.38]], sizes=[2], contributions=[1.0]), features=("9", "10")
    )
    assert timeline_sentences(step_timeline(explanation, 10), INCOME)[0] == (
        "Step 1 read mostly column 9 (62 %) and added 1.00 to the log-odds of >50K."
    )
    attribution = cases.attribution(np.array([[[0.5]]]), features=("9",))
    assert attribution_sentences(attribution, 10, INCOME)[1].startswith("Column 9 moved the log-odds of >50K up")
