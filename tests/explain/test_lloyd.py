"""k-means and silhouette against scikit-learn, and on what breaks naive versions."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import silhouette_score

from tabnet_engine.explain.lloyd import _means, k_means, mean_silhouette, pairwise_distances


def blobs(n_each=30, n_blobs=4, seed=0):
    generator = np.random.default_rng(seed)
    centres = np.eye(n_blobs) * 10
    return np.repeat(centres, n_each, axis=0) + generator.normal(size=(n_each * n_blobs, n_blobs))


def test_blobs_are_found_with_their_means():
    points = blobs()
    centres, labels = k_means(points, 4, n_starts=4, seed=0)
    for blob in range(4):
        own = labels[30 * blob : 30 * (blob + 1)]
        assert len(set(own.tolist())) == 1
        np.testing.assert_allclose(centres[own[0]], points[30 * blob : 30 * (blob + 1)].mean(axis=0))


def test_the_same_seed_gives_the_same_labels():
    points = np.random.default_rng(1).normal(size=(200, 6))
    first, second = (k_means(points, 5, n_starts=2, seed=7) for _ in range(2))
    np.testing.assert_array_equal(first[1], second[1])


def test_no_point_is_nearer_to_another_centre():
    points = np.random.default_rng(2).normal(size=(150, 3))
    centres, labels = k_means(points, 6, n_starts=3, seed=0)
    distances = np.linalg.norm(points[:, None] - centres[None], axis=2)
    np.testing.assert_array_equal(distances.argmin(axis=1), labels)


def test_points_that_repeat_leave_no_cluster_empty():
    points = np.repeat(np.arange(3.0)[:, None], 40, axis=0)
    _, labels = k_means(points, 3, n_starts=1, seed=0)
    assert len(np.unique(labels)) == 3


def test_a_cluster_that_lost_its_points_moves_to_the_farthest_one():
    points = np.array([[0.0], [1.0], [9.0]])
    centres = _means(points, np.zeros(3, dtype=np.int64), 2, np.array([0.0, 1.0, 81.0]))
    assert centres[:, 0].tolist() == [10 / 3, 9.0]


def test_the_silhouette_is_that_of_the_definition():
    points = blobs(10, 3)
    labels = np.random.default_rng(0).integers(0, 4, 30)
    labels[0] = 9  # a cluster of one point
    expected = silhouette_score(points, labels)
    assert mean_silhouette(pairwise_distances(points), labels) == pytest.approx(expected)


def test_one_cluster_has_no_silhouette():
    assert mean_silhouette(np.zeros((3, 3)), np.zeros(3, dtype=np.int64)) is None
    assert mean_silhouette(np.zeros((3, 3)), np.arange(3)) is None
