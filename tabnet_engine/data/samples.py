"""Tables to try the product with: generated here or shipped with scikit-learn; nothing is downloaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pandas as pd

from tabnet_engine.data.kinds import propose_schema, set_role, set_target
from tabnet_engine.data.schema import FeatureSchema, Role
from tabnet_engine.data.synthetic import CreditTruth, credit_applications
from tabnet_engine.data.wording import listed, quoted
from tabnet_engine.errors import SchemaError
from tabnet_engine.texts.speaking import msg

__all__ = ["SAMPLES", "Sample", "SampleInfo", "load_sample", "sample_schema"]


@dataclass(frozen=True)
class SampleInfo:
    """What a list of samples shows before one is loaded."""

    name: str
    title: str
    description: str


SAMPLES = (
    SampleInfo(
        "credit",
        msg("Credit applications"),
        "5,000 generated applications, declined or approved by a rule that is known: what an explanation says can be "
        "checked against the truth. Five columns decide; rent only goes with income.",
    ),
    SampleInfo(
        "breast_cancer",
        msg("Breast cancer"),
        "569 tumours, malignant or benign, with 30 measurements of their cell nuclei (Wolberg, Street, Mangasarian "
        "1995; shipped with scikit-learn).",
    ),
    SampleInfo(
        "diabetes",
        msg("Diabetes"),
        "442 patients and how far their diabetes went on within a year, a number to predict from ten measurements "
        "(Efron, Hastie, Johnstone, Tibshirani 2004; shipped with scikit-learn).",
    ),
)


@dataclass(frozen=True, eq=False)
class Sample:
    """A table with its story; ``units`` name the units of columns, ``truth`` the rule where it is known."""

    frame: pd.DataFrame
    name: str
    title: str
    description: str
    target: str
    truth: CreditTruth | None = None
    positive: str | None = None
    row_id: str | None = None
    units: Mapping[str, str] = field(default_factory=dict)


def load_sample(name: str) -> Sample:
    """The sample called ``name``, one of :data:`SAMPLES`; the same at every call.

    Raises:
        SchemaError: no sample has that name.
    """
    info = next((sample for sample in SAMPLES if sample.name == name), None)
    if info is None:
        names = listed([sample.name for sample in SAMPLES])
        raise SchemaError(f"there is no sample {quoted(name)}; the samples are {names}")
    return _LOADERS[name](info)


def sample_schema(sample: Sample) -> FeatureSchema:
    """The proposed schema of a sample with its target, row id and units set."""
    schema = set_target(propose_schema(sample.frame), sample.frame, sample.target, positive=sample.positive)
    if sample.row_id is not None:
        schema = set_role(schema, sample.row_id, Role.ROW_ID)
    for column, unit in sample.units.items():
        schema = schema.with_column(column, unit=unit)
    return schema


def _credit(info: SampleInfo) -> Sample:
    frame, truth = credit_applications()
    euros = dict.fromkeys(("income_eur", "rent_eur", "loan_amount_eur"), "EUR")
    years = dict.fromkeys(("age_years", "employment_years"), "years")
    return Sample(
        frame=frame,
        name=info.name,
        title=info.title,
        description=info.description,
        target="decision",
        truth=truth,
        positive=truth.positive,
        row_id="applicant_id",
        units={**euros, **years},
    )


def _breast_cancer(info: SampleInfo) -> Sample:
    from sklearn.datasets import load_breast_cancer

    bunch = load_breast_cancer(as_frame=True)
    names = pd.Series(["malignant", "benign"], dtype="str")
    frame = bunch.data.assign(diagnosis=names.take(bunch.target).to_numpy())
    frame["diagnosis"] = frame["diagnosis"].astype("str")
    return Sample(
        frame=frame,
        name=info.name,
        title=info.title,
        description=info.description,
        target="diagnosis",
        positive="malignant",
    )


_DIABETES_NAMES = {
    "age": "age_years",
    "sex": "sex",
    "bmi": "body_mass_index",
    "bp": "blood_pressure",
    "s1": "cholesterol",
    "s2": "ldl",
    "s3": "hdl",
    "s4": "cholesterol_to_hdl",
    "s5": "log_triglycerides",
    "s6": "blood_sugar",
}


def _diabetes(info: SampleInfo) -> Sample:
    from sklearn.datasets import load_diabetes

    bunch = load_diabetes(as_frame=True, scaled=False)
    frame = bunch.data.rename(columns=_DIABETES_NAMES).assign(progression=bunch.target)
    return Sample(
        frame=frame,
        name=info.name,
        title=info.title,
        description=info.description,
        target="progression",
        units={"age_years": "years", "body_mass_index": "kg/m²", "blood_pressure": "mmHg"},
    )


_LOADERS: Mapping[str, Callable[[SampleInfo], Sample]] = {
    "credit": _credit,
    "breast_cancer": _breast_cancer,
    "diabetes": _diabetes,
}
