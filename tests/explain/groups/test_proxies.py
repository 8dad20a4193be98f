"""Proxies: the planted one leads, noise is not told apart, columns the model does not read are looked at."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from tabnet_engine.data.schema import Column, FeatureSchema, Kind, Role, Task
from tabnet_engine.errors import ExplanationError
from tabnet_engine.explain.groups.finding_proxies import find_proxies
from tabnet_engine.explain.groups.membership import groups_of_column
from tabnet_engine.explain.groups.proxies import ProxyReport
from tabnet_engine.explain.groups.stored import has_proxies, load_proxies, save_proxies


def table(n=900, seed=0):
    generator = np.random.default_rng(seed)
    sex = generator.choice(["f", "m"], n)
    is_f = sex == "f"
    hidden = generator.random(n) < 0.5
    return pd.DataFrame(
        {
            "sex": sex,
            "height": np.where(is_f, 165, 178) + generator.normal(0, 7, n),
            "title": np.where(generator.random(n) < 0.9, np.where(is_f, "Ms", "Mr"), None),
            "noise": generator.normal(size=n),
            "kind": generator.choice(list("abc"), n),
            "half": hidden,
            "xor": hidden ^ is_f,
            "day": pd.Timestamp("2020-01-01") + pd.to_timedelta(generator.integers(0, 500, n), unit="D"),
            "id": [f"p{row}" for row in range(n)],
            "empty": np.full(n, np.nan),
            "bought": np.where(is_f, "yes", "no"),
        }
    )


KINDS = {"height": Kind.NUMBER, "title": Kind.CATEGORY, "noise": Kind.NUMBER, "kind": Kind.CATEGORY,
         "half": Kind.BOOLEAN, "day": Kind.DATETIME}  # fmt: skip


def schema(**kinds):
    columns = [Column(name=name, kind=kind) for name, kind in {**KINDS, **kinds}.items()]
    target = Column(name="bought", kind=Kind.CATEGORY, role=Role.TARGET)
    return FeatureSchema(columns=(*columns, target), task=Task.BINARY, classes=("no", "yes"))


@pytest.fixture(scope="module")
def report():
    frame = table()
    return find_proxies(frame, schema(), groups_of_column(frame, schema(), "sex"), seed=1)


def test_the_planted_proxy_is_first_and_noise_is_not_told_apart(report):
    strength = {proxy.column: proxy for proxy in report.proxies}
    assert [proxy.column for proxy in report.proxies[:2]] == ["title", "height"]
    assert strength["title"].strength.low > 0.8
    assert strength["height"].is_told_apart
    for name in ("noise", "kind", "half", "day", "empty"):
        assert not strength[name].is_told_apart
        assert abs(strength[name].strength.value) < 0.05


def test_columns_that_only_tell_together_are_told_by_the_joint_model(report):
    strength = {proxy.column: proxy for proxy in report.proxies}
    assert not strength["xor"].is_told_apart
    assert report.joint_read.value > 0.7
    assert not strength["xor"].is_read
    frame = table()[["sex", "half", "xor"]]
    together = find_proxies(frame, schema(), groups_of_column(frame, schema(), "sex"))
    assert together.joint_all.value > 0.95
    assert together.joint_read.high < 0.1


def test_targets_and_names_of_rows_are_no_candidates(report):
    names = [proxy.column for proxy in report.proxies]
    assert not {"bought", "sex", "id"} & set(names)
    assert report.left_out == {"id": "a different value in most rows"}
    assert any("Not looked at: id" in sentence for sentence in report.sentences)
    assert any("title (" in sentence for sentence in report.sentences)
    assert not report.is_feature


def test_a_protected_column_that_the_model_reads_is_said():
    frame = table()
    found = find_proxies(frame, schema(sex=Kind.CATEGORY), groups_of_column(frame, schema(), "sex"))
    assert found.is_feature
    assert found.sentences[0].startswith("The model reads sex itself")
    assert "sex" not in [proxy.column for proxy in found.proxies]


def test_strength_does_not_come_from_the_rows_it_was_learned_on():
    generator = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"sex": generator.choice(["f", "m"], 400), "code": generator.integers(0, 100, 400).astype(str)}
    )
    found = find_proxies(frame, schema(), groups_of_column(frame, schema(), "sex"))
    assert found.proxies[0].strength.value < 0.02
    assert found.joint_all.value < 0.05


def test_many_groups_and_a_numeric_column():
    generator = np.random.default_rng(0)
    town = generator.integers(0, 30, 800)
    frame = pd.DataFrame({"town": [f"t{code}" for code in town], "post": town * 10.0, "noise": generator.random(800)})
    found = find_proxies(frame, schema(), groups_of_column(frame, schema(), "town"))
    assert len(found.groups) == 10
    assert found.groups[-1] == "all smaller groups"
    assert found.proxies[0].column == "post"
    height = find_proxies(table(), schema(), groups_of_column(table(), schema(), "height"))
    assert {proxy.column for proxy in height.proxies[:2]} == {"sex", "title"}


def test_what_cannot_be_looked_for_is_refused():
    frame = table(30)
    with pytest.raises(ExplanationError, match="at least 2 groups and 50 rows"):
        find_proxies(frame, schema(), groups_of_column(frame, schema(), "sex"))
    alike = table(100).assign(sex="f")
    with pytest.raises(ExplanationError, match="1 groups in 100 rows"):
        find_proxies(alike, schema(), groups_of_column(alike, schema(), "sex"))
    parts = groups_of_column(frame, schema(), "sex")
    with pytest.raises(ValueError, match="not those of a table"):
        find_proxies(table(31), schema(), parts)


def test_a_table_of_nothing_but_the_protected_column():
    frame = table(100)[["sex"]]
    found = find_proxies(frame, schema(), groups_of_column(frame, schema(), "sex"))
    assert found.proxies == ()
    assert found.joint_all.value is None
    assert "an unknown share" in " ".join(found.sentences)


def test_a_report_survives_json_and_the_run_folder(report, run):
    text = json.dumps(report.to_mapping(), allow_nan=False)
    again = ProxyReport.from_mapping(json.loads(text))
    assert json.dumps(again.to_mapping()) == text
    assert again.sentences == report.sentences
    assert list(again.table()["column"][:2]) == ["title", "height"]
    saved = save_proxies(run, [report])
    assert has_proxies(saved)
    assert load_proxies(saved)[0].to_mapping() == report.to_mapping()
