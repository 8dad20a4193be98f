"""The words that a regulation profile may use: sections by kind of report, and what can be required of one."""

from __future__ import annotations

from collections.abc import Mapping

from tabnet_engine.config.stated import ModelFacts, Organisation

__all__ = ["CHECKS", "LETTER_KEYS", "SECTION_KEYS", "TEXT_KEYS"]

# Each section's content is built by the function of the same key.
SECTION_KEYS: Mapping[str, tuple[str, ...]] = {
    "decision": (
        *("action", "reasons", "creditor", "rights", "consumer_score"),
        *("procedure", "data_used", "variation", "outcome_role", "fairness", "safety", "human_review"),
        *("identity", "inputs", "score", "reasons_table", "reference", "timeline", "methods", "counterfactual"),
        *("calibration", "settings", "review"),
        "integrity",
    ),
    "notice": (),
    "model": (
        *("model_details", "intended_use", "factors", "metrics", "evaluation_data", "training_data"),
        *("quantitative_analyses", "ethical", "caveats"),
        *("purpose", "design", "data_lineage", "development", "soundness", "outcomes_analysis", "benchmarking"),
        *("sensitivity", "validation", "limitations", "monitoring", "changes", "approvals"),
        *("provider", "intended_purpose", "accuracy", "misuse", "group_performance", "input_specification"),
        *("output_interpretation", "oversight", "resources", "logs"),
        "integrity",
    ),
    "comparison": ("summary", "settings", "metrics", "decisions", "reasons", "limits", "integrity"),
}
# Statements that stand in a letter alone.
LETTER_KEYS = ("score_rights",)
TEXT_KEYS = frozenset((*(key for keys in SECTION_KEYS.values() for key in keys), *LETTER_KEYS))

_MEASURED = {
    "profile.in_force": "this version of the profile may be used on the day of the report",
    "codes.reviewed": "every sentence of a principal reason comes from a reviewed reason code",
    "reasons.given": "there is at least one principal reason",
    "reasons.robust": "how often each principal reason stays one was measured",
    "protected.declared": "at least one protected column was declared",
    "protected.examined": "proxies of every protected column were looked for",
    "favourable.chosen": "somebody chose which outcome is favourable",
    "reference.near": "the reference population lies at or just above the cutoff",
    "calibration.known": "calibration on held-out rows was measured",
    "variation.answered": "how a change would have altered the outcome was answered, or proven to have no answer",
    "consumer_score.stated": "somebody stated whether the model reads a score bought from others, and its facts",
    "evaluation.held_out": "the measures rest on rows that training did not see",
    "measured.intervals": "the measures of the model have intervals",
    "measured.calibration": "the model's calibration was measured",
    "measured.groups": "the model was measured by group",
    "measured.crossed_groups": "the model was measured by combinations of groups",
    "measured.importances": "the importance of columns was computed by several methods",
    "measured.agreement": "the agreement of the methods was measured",
    "measured.certificate": "the trust certificate of the run was made",
    "comparison.same_rows": "both runs were compared on the same rows",
    "comparison.reasons": "the reasons of both runs were compared",
}
# What can be required: what must be measured or chosen, and every text that only people can state.
CHECKS: Mapping[str, str] = {
    **_MEASURED,
    **{f"organisation.{field}": f"the organisation states its {field}" for field in Organisation().to_mapping()},
    **{f"facts.{field}": f"the owner of the model states its {field}" for field in ModelFacts().to_mapping()},
}
