"""Random weights: which parts change, that the units stay, and that explanations of the model must not survive."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tabnet_engine.explain.background import draw_background
from tabnet_engine.explain.subject import ChosenRows, Subject
from tabnet_engine.explain.trust.explaining import Explainer
from tabnet_engine.explain.trust.randomisation import STAGES, cascade_findings, randomised
from tabnet_engine.explain.trust.row_values import RowValues


@pytest.fixture(scope="module")
def case(trained):
    run, frame = trained
    encoded = run.encoder.transform(frame)
    train = run.splits.train
    y = run.targets.encode(frame, rows=train)
    background = draw_background(encoded, train, y, task=run.targets.task, n_rows=10, seed=0)
    chosen = ChosenRows.from_table(encoded, np.arange(0, 60, 3))
    return Subject.of_run(run), chosen, background


def changed(first, second):
    """Names of the parameters that differ."""
    theirs = dict(second.named_parameters())
    return {name for name, value in first.named_parameters() if not torch.equal(value, theirs[name])}


def test_every_parameter_belongs_to_one_stage(case):
    names = [name for name, _ in case[0].network.named_parameters()]
    owners = {name: [stage for stage, parts in STAGES.items() if name.startswith(parts)] for name in names}
    assert {name: found for name, found in owners.items() if len(found) != 1} == {}
    assert {found[0] for found in owners.values()} == set(STAGES)


def test_a_cascade_reaches_down_stage_by_stage(case):
    subject, _, background = case
    before = {name: value.clone() for name, value in subject.network.state_dict().items()}
    sizes = []
    for stage in STAGES:
        random = randomised(subject, background.encoded, stage=stage, seed=1)
        reached = changed(subject.network, random.network)
        allowed = [part for name in list(STAGES)[: list(STAGES).index(stage) + 1] for part in STAGES[name]]
        assert all(name.startswith(tuple(allowed)) for name in reached)
        sizes.append(len(reached))
        torch.testing.assert_close(random.network.output_scale, subject.network.output_scale)
        assert not random.network.training
    assert sizes == sorted(sizes)
    assert sizes[0] == 1
    assert all(torch.equal(value, before[name]) for name, value in subject.network.state_dict().items())


def test_the_seed_decides_and_the_global_random_state_stays(case):
    subject, chosen, background = case
    state = torch.random.get_rng_state()
    first, again, other = (randomised(subject, background.encoded, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), state)
    np.testing.assert_array_equal(first.logits(chosen.table), again.logits(chosen.table))
    assert (first.logits(chosen.table) != other.logits(chosen.table)).any()
    with pytest.raises(ValueError, match="a stage is one of head"):
        randomised(subject, background.encoded, stage="tail")


def test_random_activations_neither_fade_nor_blow_up(case):
    subject, chosen, background = case
    for seed in range(3):
        logits = randomised(subject, background.encoded, seed=seed).logits(chosen.table)
        assert 0.01 < logits.std() < 100
    one = background.encoded.take([0])
    assert np.isfinite(randomised(subject, one, seed=0).logits(chosen.table)).all(), "one row has no statistics"


@pytest.mark.parametrize("method", ["masks", "shap"])
def test_similarity_falls_on_a_random_network_and_not_for_an_explanation_that_ignores_the_weights(case, method):
    subject, chosen, background = case
    outputs = np.zeros(len(chosen), dtype=np.int64)
    explainer = Explainer(method=method)
    original = explainer(subject, chosen, background).values(outputs)
    stages = {
        stage: explainer(randomised(subject, background.encoded, stage=stage, seed=3), chosen, background).values(
            outputs
        )
        for stage in ("head", "embedding")
    }
    found = {finding.key: finding for finding in cascade_findings(original, stages, top_k=2, seed=3)}
    whole = found["spearman after embedding"]
    assert whole.stands
    assert whole.reading.startswith(("below", "well below"))
    assert whole.estimate.value < 0.9
    assert found["jaccard after embedding"].estimate.value < 1
    assert ("signed_spearman after embedding" in found) == (method == "shap")
    if method == "masks":
        assert found["spearman after head"].estimate.value == pytest.approx(1), "masks do not see the head"
    ignoring = RowValues(
        method=method, features=original.features, rows=original.rows, values=original.values, is_signed=False
    ) if method == "masks" else original  # fmt: skip
    planted = cascade_findings(original, {"embedding": ignoring}, top_k=2, seed=3)
    assert not any(finding.stands for finding in planted)
    assert planted[0].reading == "not told apart from an explanation that does not look at the weights"


def test_norms_behind_new_weights_follow_the_background_and_all_others_stay(case):
    subject, _, background = case
    before = subject.network.state_dict()
    partly = randomised(subject, background.encoded, stage="layers of each step", seed=1).network
    wholly = randomised(subject, background.encoded, seed=1).network
    means = {name for name in before if name.endswith("running_mean")}
    followed = {name for name in means if not torch.equal(partly.state_dict()[name], before[name])}
    assert followed == {"encoder.transformer.norm.running_mean"}
    assert {name for name in means if not torch.equal(wholly.state_dict()[name], before[name])} == means
    # What the input norm lets through has the spread of the background rows, as in a network before training.
    numeric, categorical = (
        torch.from_numpy(background.encoded.numeric),
        torch.from_numpy(background.encoded.categorical),
    )
    with torch.no_grad():
        normed = wholly.encoder.input_norm(wholly.embedding(numeric, categorical).t())
    torch.testing.assert_close(normed.mean(dim=1), torch.zeros(len(normed)), atol=1e-4, rtol=0)
    trained, drawn = subject.network.encoder.input_norm, wholly.encoder.input_norm
    assert (drawn.momentum, drawn.virtual_batch_size) == (trained.momentum, trained.virtual_batch_size)
