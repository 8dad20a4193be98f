import numpy as np
import pandas as pd
import pytest

from tabnet_engine.data.encoding import TableEncoder
from tabnet_engine.data.kinds import propose_schema, set_target
from tabnet_engine.data.schema import Kind
from tabnet_engine.data.synthetic import credit_applications, credit_contributions

FRAME, TRUTH = credit_applications()


def test_the_table_has_every_kind_and_some_missing_cells():
    kinds = {column.name: column.kind for column in propose_schema(FRAME).columns}
    assert kinds["applicant_id"] is Kind.IDENTIFIER
    assert kinds["application_date"] is Kind.DATETIME
    assert kinds["newsletter"] is Kind.BOOLEAN
    assert kinds["loan_purpose"] is kinds["region"] is Kind.CATEGORY
    assert kinds["debt_ratio"] is kinds["missed_payments"] is Kind.NUMBER
    assert 0.03 < FRAME.isna().to_numpy().mean() < 0.05
    assert set(FRAME["decision"]) == {"approved", "declined"}
    assert FRAME.shape == (5000, 13)


def test_values_are_plausible():
    assert FRAME["debt_ratio"].between(0, 1).sum() == FRAME["debt_ratio"].notna().sum()
    assert FRAME["age_years"].min() >= 19
    assert (FRAME["employment_years"] <= FRAME["age_years"] - 17)[FRAME["age_years"].notna()].mean() > 0.94
    assert FRAME["income_eur"].median() == pytest.approx(38_000, rel=0.05)
    assert FRAME["applicant_id"].is_unique
    assert 0.25 < (FRAME["decision"] == "declined").mean() < 0.42


def test_one_level_is_rare():
    assert 0 < FRAME["region"].value_counts(normalize=True).min() < 0.01
    assert 0 < FRAME["loan_purpose"].value_counts(normalize=True).min() < 0.015


def test_the_same_seed_gives_the_same_table():
    again, truth = credit_applications()
    pd.testing.assert_frame_equal(again, FRAME)
    assert np.array_equal(truth.log_odds, TRUTH.log_odds)
    assert not credit_applications(100, seed=1)[0].equals(credit_applications(100, seed=2)[0])


def test_the_truth_adds_up():
    assert TRUTH.contributions.columns.tolist() == list(TRUTH.deciding)
    np.testing.assert_allclose(TRUTH.contributions.sum(axis=1) + TRUTH.intercept, TRUTH.log_odds)


def test_the_written_rule_is_the_rule():
    row = pd.DataFrame(
        {
            "debt_ratio": [0.57],
            "missed_payments": [6.0],
            "income_eur": [38_000.0 * np.e],
            "employment_years": [20.0],
            "loan_purpose": ["business"],
        }
    )
    terms = credit_contributions(row).iloc[0]
    assert terms["debt_ratio"] == pytest.approx(10 * 0.2 + 1)
    assert terms["missed_payments"] == pytest.approx(1.5 * 4 - 1.25)
    assert terms["income_eur"] == pytest.approx(-2.6)
    assert terms["employment_years"] == pytest.approx(1.4 - 0.35 * 8)
    assert terms["loan_purpose"] == 1.8
    for number in (
        "10 (debt_ratio",
        "1.5 min(missed_payments, 4)",
        "2.6 ln(income_eur",
        "0.35 min(employment_years, 8)",
    ):
        assert number in TRUTH.rule
    assert str(TRUTH.intercept) in TRUTH.rule


def test_a_missing_cell_adds_nothing():
    for name in TRUTH.deciding:
        assert (TRUTH.contributions.loc[FRAME[name].isna(), name] == 0).all()
        assert (TRUTH.contributions.loc[FRAME[name].notna(), name] != 0).any()


def test_directions_are_those_of_the_terms():
    terms = credit_contributions(FRAME)
    for name, sign in (("debt_ratio", 1), ("missed_payments", 1), ("income_eur", -1), ("employment_years", -1)):
        present = FRAME[name].notna()
        assert sign * np.corrcoef(FRAME.loc[present, name], terms.loc[present, name])[0, 1] > 0.8
        assert ("decline" in TRUTH.directions[name]) == (sign > 0)
    assert set(TRUTH.directions) == set(TRUTH.deciding)


def test_deciding_columns_are_ranked_and_clearly_apart_from_nothing():
    assert list(TRUTH.importance) == sorted(TRUTH.importance, reverse=True)
    assert TRUTH.importance[-1] > 0.7
    assert not set(TRUTH.deciding) & set(TRUTH.decoys)
    assert {*TRUTH.deciding, *TRUTH.decoys, "applicant_id", "decision"} == set(FRAME.columns)


def test_one_decoy_goes_with_a_deciding_column():
    assert FRAME[TRUTH.correlated_decoy].corr(FRAME[TRUTH.correlated_with]) == pytest.approx(0.6, abs=0.08)
    assert TRUTH.correlated_with in TRUTH.deciding
    others = FRAME[["age_years", "loan_amount_eur"]].corrwith(FRAME["income_eur"]).abs()
    assert others.max() < 0.1


def test_decoys_decide_nothing_once_the_deciding_columns_are_known():
    residual = (FRAME["decision"] == "declined") - 1 / (1 + np.exp(-TRUTH.log_odds))
    for name in ("age_years", "rent_eur", "loan_amount_eur"):
        assert abs(FRAME[name].corr(residual)) < 0.04
    assert abs(residual.groupby(FRAME["newsletter"]).mean().diff().iloc[-1]) < 0.03


def test_the_ceiling_is_the_auc_of_the_truth():
    from sklearn.metrics import roc_auc_score

    assert TRUTH.auc_ceiling == pytest.approx(roc_auc_score(FRAME["decision"] == TRUTH.positive, TRUTH.log_odds))
    assert 0.91 < TRUTH.auc_ceiling < 0.95


def test_a_simple_model_on_the_encoded_table_comes_near_the_ceiling():
    """The rule can be learned from what the network is given, without any deep learning."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score

    schema = set_target(propose_schema(FRAME), FRAME, "decision")
    encoded = TableEncoder.fit(FRAME, schema).transform(FRAME)
    one_hot = [np.eye(encoded.categorical.max() + 1)[column] for column in encoded.categorical.T]
    missing = np.isnan(encoded.numeric)
    design = np.hstack([np.nan_to_num(encoded.numeric), missing, *one_hot])
    y = FRAME["decision"] == "declined"
    model = LogisticRegression(max_iter=500).fit(design[:4000], y[:4000])
    assert roc_auc_score(y[4000:], model.decision_function(design[4000:])) > TRUTH.auc_ceiling - 0.03


def test_small_tables():
    frame, truth = credit_applications(1)
    assert len(frame) == 1
    assert np.isnan(truth.auc_ceiling)
    with pytest.raises(ValueError, match="n_rows must be at least 1, got 0"):
        credit_applications(0)
