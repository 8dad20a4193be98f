"""Reading a part of many row groups by several threads gives what was written."""

import numpy as np
import pytest

from tabnet_engine.explain import stored_arrays


@pytest.mark.parametrize("at_once", [1, 2, 3])
def test_many_groups_are_put_together_in_their_order(tmp_path, monkeypatch, at_once):
    monkeypatch.setattr(stored_arrays, "_GROUPS_AT_ONCE", at_once)
    sizes = [3, 1, 5, 2, 4, 1, 7]
    row = np.arange(sum(sizes))
    mask, other = np.random.default_rng(0).random((2, len(row), 3)).astype(np.float32)
    ends = np.cumsum(sizes)
    chunks = [
        {"row": row[end - size : end], "mask": mask[end - size : end], "other": other[end - size : end]}
        for size, end in zip(sizes, ends, strict=True)
    ]
    stored_arrays.write_arrays(tmp_path / "a.parquet", iter(chunks))
    read = stored_arrays._read(tmp_path / "a.parquet", None, {})
    np.testing.assert_array_equal(read["row"], row)
    np.testing.assert_array_equal(read["mask"], mask)
    assert read["mask"].dtype == np.float32
    stacks = {"both": ["other", "mask"]}
    for rows in (None, row):
        stacked = stored_arrays._read(tmp_path / "a.parquet", rows, stacks)
        assert sorted(stacked) == ["both", "row"]
        np.testing.assert_array_equal(stacked["row"], row)
        np.testing.assert_array_equal(stacked["both"], [other, mask])
