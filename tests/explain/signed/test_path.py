"""Integrals along paths: against closed forms with and without kinks, and what a small budget gives."""

from __future__ import annotations

import numpy as np
import pytest

from tabnet_engine.explain.signed.path import integrate_paths


class Sheet:
    """Paths of functions whose players are known: values (L, K) and slopes (L, P, K) by formula; counts points."""

    def __init__(self, parts, slopes) -> None:
        self._parts, self._slopes = parts, slopes
        self.n_slopes = 0

    def values(self, paths, at):
        return self._parts(paths, at).sum(axis=1)

    def slopes(self, paths, at):
        self.n_slopes += len(at)
        return self._slopes(paths, at)

    def exact(self, n_paths):
        paths = np.arange(n_paths)
        ends = self._parts(paths, np.ones(n_paths)) - self._parts(paths, np.zeros(n_paths))
        return ends.sum(axis=0)


def kinked(seed: int = 0) -> Sheet:
    """Two outputs of three players; the first two bend at a place of their own on each path."""
    bends = np.random.default_rng(seed).random((20, 2))

    def parts(paths, at):
        bent = np.stack([np.maximum(at - bends[paths, 0], 0), -2 * np.abs(at - bends[paths, 1])], axis=1)
        smooth = np.sin(3 * at)[:, None]
        first = np.concatenate([bent, smooth], axis=1)
        return np.stack([first, first[:, ::-1] * 10], axis=2)

    def slopes(paths, at):
        bent = np.stack([(at > bends[paths, 0]) * 1.0, -2 * np.sign(at - bends[paths, 1])], axis=1)
        first = np.concatenate([bent, 3 * np.cos(3 * at)[:, None]], axis=1)
        return np.stack([first, first[:, ::-1] * 10], axis=2)

    return Sheet(parts, slopes)


@pytest.mark.parametrize("seed", range(5))
def test_kinks_are_found_and_each_player_gets_its_own_integral(seed):
    sheet, n_paths = kinked(seed), 20
    found = integrate_paths(sheet, n_paths, tolerance=np.array([1e-5, 1e-4]) * n_paths, max_points=10_000 * n_paths)
    assert found.is_converged
    assert found.n_points == sheet.n_slopes < 120 * n_paths
    np.testing.assert_allclose(found.parts, sheet.exact(n_paths), atol=3e-4 * n_paths)
    gain = sheet.exact(n_paths).sum(axis=0)
    assert (np.abs(found.parts.sum(axis=0) - gain) <= np.array([1e-5, 1e-4]) * n_paths).all()
    np.testing.assert_allclose(found.missed, gain - found.parts.sum(axis=0), atol=1e-9)


def test_what_misses_by_chance_cancels_is_not_taken_for_converged():
    """Two paths bend in mirror image: together they miss nothing, each by itself does."""

    def parts(paths, at):
        sign = np.where(paths == 0, 1.0, -1.0)
        return (sign * np.maximum(at - 0.51, 0))[:, None, None]

    def slopes(paths, at):
        return (np.where(paths == 0, 1.0, -1.0) * (at > 0.51))[:, None, None]

    sheet = Sheet(parts, slopes)
    found = integrate_paths(sheet, 2, tolerance=np.array([1e-6]), max_points=1_000)
    assert found.is_converged
    assert found.n_points > 40


def test_a_budget_is_never_exceeded_and_what_it_missed_is_told():
    sheet = kinked()
    for budget in (20, 100, 333, 1_001):
        found = integrate_paths(sheet, 20, tolerance=np.array([1e-9, 1e-9]), max_points=budget)
        assert found.n_points <= budget
        assert not found.is_converged
        assert (found.missed != 0).any()


def test_a_path_that_leads_nowhere_costs_no_refinement():
    zero = Sheet(lambda paths, at: np.zeros((len(at), 2, 1)), lambda paths, at: np.zeros((len(at), 2, 1)))
    found = integrate_paths(zero, 3, tolerance=np.array([1e-5]), max_points=1_000, first_pieces=4)
    assert found.n_points == 12
    assert (found.parts == 0).all()
