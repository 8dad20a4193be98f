"""Candidates are encoded from what they change alone: they get the logits of their raw cells all the same."""

from __future__ import annotations

import numpy as np
import pytest

from tabnet_engine.explain.counterfactual.constraints import Constraints
from tabnet_engine.explain.counterfactual.moves import Moves
from tabnet_engine.explain.counterfactual.probe import Probe
from tabnet_engine.explain.counterfactual.wanted import wanted_class
from tabnet_engine.explain.subject import Steering


@pytest.mark.parametrize("row", [0, 3, 7])
def test_what_is_encoded_of_changed_columns_is_what_whole_rows_give(additive, row):
    world, scorer, reference = additive, additive.scorer, additive.reference
    space = reference.space.extended(world.frame)
    matrix = space.matrix(world.frame)
    own = matrix[row]
    moves = Moves.build(reference.scale, own, reference.observed, Constraints())
    wanted = wanted_class(scorer.targets, "yes")
    probe = Probe(scorer, space, reference.scale, moves, wanted, 3, Steering())
    generator = np.random.default_rng(row)
    takes = [np.zeros(len(own), dtype=bool), np.ones(len(own), dtype=bool), *(generator.random((6, len(own))) < 0.4)]
    for taken in takes:
        candidates = np.where(taken, matrix[generator.permutation(len(matrix))[:20]], own)
        whole = scorer.encoder.transform(space.frame(candidates))
        changed = np.flatnonzero(moves.changed(candidates).any(axis=0)).tolist() or [0]
        parts = scorer.encoder.transform_changed(space.frame(candidates, changed), probe._own_encoded)
        np.testing.assert_array_equal(parts.numeric, whole.numeric)
        np.testing.assert_array_equal(parts.categorical, whole.categorical)
        np.testing.assert_array_equal(probe._logits(candidates), scorer.logits(space.frame(candidates)))
