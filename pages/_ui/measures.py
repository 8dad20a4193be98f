"""What each measure is and is not: one line each beside the figure, and all of them on a page of their own.

The texts are data: a key, a title, what the measure is, what it is not, and where it comes from.
"""

from __future__ import annotations

from dataclasses import dataclass

from tabnet_engine.texts.speaking import language, msg, say

__all__ = ["MEASURES", "Measure", "help_text"]


@dataclass(frozen=True)
class Measure:
    """One measure in plain words; every text is marked by ``msg``.

    ``source`` is the paper or the section that defines it; empty for our own.
    """

    title: str
    is_: str
    is_not: str
    source: str = ""


MEASURES: dict[str, Measure] = {
    "mask": Measure(
        msg("Mask"),
        msg("The share of a decision step's reading that goes to a column; the shares of a step add up to 100 %."),
        msg("Not a reason: it says what was read, not which way it pushed, nor whether it mattered."),
        "Arik & Pfister 2021, section 3.2",
    ),
    "aggregate_mask": Measure(
        msg("Aggregated mask"),
        msg("The masks of all steps of a row, each weighed by how much the step put into the decision."),
        msg("Not signed, and not comparable with SHAP in its unit: only shares and ranks can be compared."),
        "Arik & Pfister 2021, section 3.5",
    ),
    "step_contribution": Measure(
        msg("Contribution of a step"),
        msg("What a decision step added to the score, exactly: the steps and the base make up the score."),
        msg("Not the effect of one column: a step reads several, and earlier steps shape what it sees."),
        "Arik & Pfister 2021, equation 6",
    ),
    "shap": Measure(
        msg("SHAP value"),
        msg("How far a column moved the score of a row from the mean over the background rows, up or down."),
        msg("Not a cause, and not what happens when the person changes it; it depends on the background."),
        "Lundberg & Lee 2017",
    ),
    "mean_abs_shap": Measure(
        msg("Mean |SHAP|"),
        msg("How far a column moves the score on average over rows, up or down alike."),
        msg("Not a direction, and not a share of accuracy."),
        "Lundberg et al. 2020",
    ),
    "gradients": Measure(
        msg("Expected gradients"),
        msg("The slopes along straight paths from many background rows to the row, summed; they make up the score."),
        msg("Not exact: the sum may miss the score by the error stated."),
        "Erion et al. 2021",
    ),
    "integrated_gradients": Measure(
        msg("Integrated gradients"),
        msg("The slopes along one straight path from the mean of the background to the row, summed."),
        msg("Not free of the choice of that one baseline."),
        "Sundararajan et al. 2017",
    ),
    "ablation": Measure(
        msg("Ablation"),
        msg("How far the score falls when one column alone becomes unknown."),
        msg("Does not add up to the score: columns that can stand in for each other all look unimportant."),
    ),
    "permutation": Measure(
        msg("Permutation importance"),
        msg("How much larger the error on held-out rows gets when a column's values are dealt out to other rows."),
        msg("Not the importance of a column's information where another column carries the same."),
        "Breiman 2001; Fisher et al. 2019",
    ),
    "standard_error": Measure(
        msg("95 % interval"),
        msg("The range in which the value would be found in 95 of 100 repetitions of the sampling."),
        msg("Not the uncertainty of the model itself, which another training would show."),
    ),
    "spearman": Measure(
        msg("Rank agreement"),
        msg("How alike two orders of the columns are: 1 is the same order, 0 is no relation, -1 is reversed."),
        msg("Not a proof that either is right."),
        "Spearman 1904",
    ),
    "partial_dependence": Measure(
        msg("Partial dependence"),
        msg("The mean score when a column is set to one value in every row."),
        msg("Not to be trusted where such rows do not occur; those points are marked."),
        "Friedman 2001",
    ),
    "accumulated_effects": Measure(
        msg("Accumulated local effects"),
        msg("The change of the score as a column moves from value to value among rows that really have it."),
        msg("Not the score itself: the curve is centred, and says nothing of interactions."),
        "Apley & Zhu 2020",
    ),
    "interaction": Measure(
        msg("Interaction (Friedman's H)"),
        msg("The share of two columns' joint effect that neither has alone: 0 is none, 1 is all of it."),
        msg("Not a size in the unit of the score: two weak columns can interact strongly."),
        "Friedman & Popescu 2008",
    ),
    "deletion": Measure(
        msg("Deletion and insertion"),
        msg("How fast the score moves when the named columns become unknown first, against a random order."),
        msg("Not a proof of the order below the first columns."),
        "Petsiuk et al. 2018",
    ),
    "robustness": Measure(
        msg("Robustness of a reason"),
        msg("The share of small changes, other backgrounds and other trainings that keep the column leading."),
        msg("Not the truth of the reason: a stable explanation can be stably wrong."),
    ),
    "counterfactual": Measure(
        msg("Counterfactual"),
        msg("A change of few cells after which the model, asked again, decides otherwise."),
        msg("Not advice and not a promise: nothing is said about what else would change in life."),
        "Wachter et al. 2018",
    ),
    "archetype": Measure(
        msg("Archetype"),
        msg("Rows whose steps read the same columns in the same order."),
        msg("Not a group of people: it says how they were read, not who they are."),
    ),
    "selection_rate": Measure(
        msg("Selection rate"),
        msg("The share of a group that gets the favourable decision at the cutoff."),
        msg("Not fairness by itself: groups may differ in what is decided upon."),
    ),
    "selection_ratio": Measure(
        msg("Selection ratio"),
        msg("A group's selection rate as a share of that of the reference group; below 0.8 calls for a closer look."),
        msg("Not a verdict of law."),
    ),
    "calibration": Measure(
        msg("Calibration"),
        msg("Whether, of the rows with a probability of p, a share of p really had the outcome."),
        msg("Not accuracy: a model that always says the mean is calibrated."),
    ),
    "proxy": Measure(
        msg("Proxy"),
        msg("How well a column lets one guess the protected one, measured on rows held out."),
        msg("Not a proof that the model uses it so."),
    ),
    "reconstruction": Measure(
        msg("Reconstruction error"),
        msg("The error on hidden cells in standard deviations: 0 is exact, 1 is no better than the column's mean."),
        msg("Not the quality of a later prediction."),
        "Arik & Pfister 2021, section 3.6",
    ),
    "what_if": Measure(
        msg("What-if"),
        msg("What the model itself answers when cells of one row are set to other values, all others as they are."),
        msg("Not what would happen in life: other columns would seldom stay as they are."),
    ),
    "plausibility": Measure(
        msg("Plausibility of a proposal"),
        msg("The share of training rows that lie farther from their own nearest rows than the proposal does."),
        msg("Not a probability, and not whether a person could make the change."),
        "Keane & Smyth 2020",
    ),
    "row_distance": Measure(
        msg("Distance of two rows"),
        msg("The sum over the columns of the share of training rows between the two values; 0 is the same row."),
        msg("Not weighed by what matters to the model: every column counts alike."),
        "Gower 1971",
    ),
    "group_errors": Measure(
        msg("Errors by group"),
        msg("Of a group's rows without a favourable outcome, the share that is selected; of those with one, not."),
        msg("Not a cause: groups whose cases are harder to tell have more errors under any model."),
        "Hardt, Price & Srebro 2016",
    ),
    "mask_health": Measure(
        msg("Mask health"),
        msg("Signs that masks say little: a step without weight, one column for all rows, no selection, a row's name."),
        msg("Not a verdict on the model: a model can predict well with masks that do not select."),
    ),
    "reading_flow": Measure(
        msg("Flow of the reading"),
        msg("How the reading of one step is followed by that of the next, in the same row, on average over rows."),
        msg("Not a cause: a step does not read a column because the one before read another."),
    ),
    "leading_path": Measure(
        msg("Path of a row"),
        msg("The column that each step of a row reads most, one step after the other."),
        msg("Not all that was read: a step may read several columns nearly alike."),
    ),
    "paired_difference": Measure(
        msg("Difference on the same rows"),
        msg("How much the second run's score is above the first's on the very same rows, with its 95 % interval."),
        msg("Not the difference of two trainings in general: another seed or split would give another one."),
        "DeLong et al. 1988; Agresti & Min 2005",
    ),
    "changed_decision": Measure(
        msg("Changed decision"),
        msg("A row to which the two runs give different classes at their usual cutoff."),
        msg("Not a mistake by itself: compare what really came, where it is known."),
    ),
    "changed_reason": Measure(
        msg("Changed reason"),
        msg("A row whose leading columns are not the same in both runs, by the masks or by signed values."),
        msg("Not a changed decision: two runs can decide alike for different reasons."),
    ),
    "cross_error": Measure(
        msg("Error of the other columns"),
        msg("How much worse the other columns are filled in when this one is destroyed, against the undamaged cells."),
        msg("Not the column's own error, which is shown apart, and not the accuracy of a later prediction."),
    ),
    "worth": Measure(
        msg("Worth of a pretraining"),
        msg("The score of a training from the pretraining minus that of the same training from random weights."),
        msg("Not a promise for other targets, or for more labelled rows than were tried."),
    ),
}


def help_text(key: str) -> str:
    """One line for the question mark beside a measure, with the way to the page of all measures."""
    measure = MEASURES[key]
    return f"{say(measure.is_)} {say(measure.is_not)} [{say('More')}](measures?measure={key}&lang={language()})"
