"""Pages import these modules at start: none of them may load torch, shap or the learners behind it."""

from __future__ import annotations

import subprocess
import sys

import pytest

LIGHT = (
    "agreement",
    "attribution",
    "background",
    "importance",
    "long_table",
    "mask_summaries",
    "masks",
    "raw_columns",
    "reading",
    "shap_summary",
    "shapley",
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
