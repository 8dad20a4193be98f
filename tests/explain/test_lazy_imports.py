"""Pages import these modules at start: none of them may load torch, shap or the learners behind it."""

from __future__ import annotations

import subprocess
import sys

import pytest

LIGHT = (
    "agreement",
    "attribution",
    "autoencoder.correlated",
    "autoencoder.explanation",
    "autoencoder.importance",
    "autoencoder.information",
    "autoencoder.magnitudes",
    "autoencoder.matrix",
    "autoencoder.models",
    "autoencoder.pretrained",
    "autoencoder.shapley",
    "autoencoder.stored",
    "background",
    "dependence",
    "effects.accumulated",
    "effects.band",
    "effects.curve",
    "effects.grid",
    "effects.interaction_result",
    "effects.interactions",
    "effects.ordering",
    "effects.overview",
    "effects.partial",
    "effects.permutation",
    "effects.permutation_result",
    "effects.points",
    "effects.pseudo_values",
    "effects.slices",
    "effects.source",
    "effects.support",
    "effects.swaps",
    "importance",
    "long_table",
    "mask_summaries",
    "masks",
    "reading",
    "shap_summary",
    "signed.budget",
    "signed.exact",
    "signed.game",
    "signed.mixtures",
    "signed.sampling",
    "single_row",
    "store",
    "subject",
    "timeline",
    "wording",
)


def test_reading_stored_explanations_loads_no_heavy_library():
    imports = ", ".join(f"tabnet_engine.explain.{name}" for name in LIGHT)
    heavy = "torch shap sklearn scipy numba matplotlib pyarrow.parquet"
    script = f"import sys, {imports}; print(*[name for name in {heavy.split()!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == []


@pytest.mark.parametrize("name", LIGHT)
def test_every_public_name_exists(name):
    module = __import__(f"tabnet_engine.explain.{name}", fromlist=["x"])
    assert all(hasattr(module, public) for public in module.__all__)
