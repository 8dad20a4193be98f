import subprocess
import sys

import pytest

from tabnet_engine.data.profile import Topic, profile_table
from tabnet_engine.data.samples import SAMPLES, load_sample, sample_schema
from tabnet_engine.data.schema import Role, Task
from tabnet_engine.errors import SchemaError


@pytest.mark.parametrize(
    ("name", "shape", "task", "classes"),
    [
        ("credit", (5000, 13), Task.BINARY, ("approved", "declined")),
        ("breast_cancer", (569, 31), Task.BINARY, ("benign", "malignant")),
        ("diabetes", (442, 11), Task.REGRESSION, ()),
    ],
)
def test_every_sample_loads_with_its_target(name, shape, task, classes):
    sample = load_sample(name)
    schema = sample_schema(sample)
    assert sample.frame.shape == shape
    assert (schema.task, schema.classes) == (task, classes)
    assert schema.target.name == sample.target
    assert not [w for w in profile_table(sample.frame, schema).warnings if w.topic is Topic.LEAKAGE]


def test_the_list_names_what_can_be_loaded():
    assert [info.name for info in SAMPLES] == ["credit", "breast_cancer", "diabetes"]
    for info in SAMPLES:
        sample = load_sample(info.name)
        assert (sample.title, sample.description) == (info.title, info.description)
        assert f"{len(sample.frame):,}" in info.description


def test_the_truth_of_the_credit_sample_is_there():
    sample = load_sample("credit")
    schema = sample_schema(sample)
    assert set(sample.truth.deciding) <= set(schema.feature_names)
    assert schema.classes[1] == sample.truth.positive
    assert schema.row_id.name == "applicant_id"
    assert schema.column("income_eur").unit == "EUR"
    assert load_sample("diabetes").truth is None


def test_only_plain_column_types():
    for info in SAMPLES:
        types = set(map(str, load_sample(info.name).frame.dtypes))
        assert types <= {"int64", "float64", "bool", "datetime64[us]", "str"}


def test_no_column_of_the_shipped_samples_is_left_out():
    for name in ("breast_cancer", "diabetes"):
        roles = {column.role for column in sample_schema(load_sample(name)).columns}
        assert roles == {Role.FEATURE, Role.TARGET}


def test_an_unknown_sample_is_named():
    with pytest.raises(SchemaError, match='there is no sample "iris"; the samples are "credit", "breast_cancer"'):
        load_sample("iris")


def test_listing_the_samples_imports_nothing_heavy():
    code = (
        "import sys; import tabnet_engine.data.samples, tabnet_engine.data.profile; "
        "print([m for m in ('torch', 'sklearn', 'scipy', 'shap') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
