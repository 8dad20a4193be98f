"""Every signed method by its name, one call for all of them.

Shapes: B explained rows, P players, K outputs. Pages import this for the names: torch and shap are imported by the
methods, when they run.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tabnet_engine.errors import ConfigError, ExplanationError
from tabnet_engine.explain.attribution import Attribution
from tabnet_engine.explain.background import BackgroundSample
from tabnet_engine.explain.players import Players
from tabnet_engine.explain.signed.budget import default_evaluations
from tabnet_engine.explain.subject import ChosenRows, Steering, Subject
from tabnet_engine.texts.speaking import msg

__all__ = [
    "METHODS",
    "REFUSED",
    "SIGNED_METHODS",
    "MethodFacts",
    "SignedMethod",
    "exact_is_cheap",
    "explain_rows",
]

# Up to so many coalitions "shap" computes Shapley values exactly even where sampling would take fewer.
CHEAP_COALITIONS = 256


@dataclass(frozen=True, kw_only=True)
class MethodFacts:
    """What a reader must know of a method.

    All texts are marked by ``msg``.
    ``name`` stands in tables and legends, ``title`` where there is room; ``what`` and ``what_not`` are a sentence
    each. The values of a complete method and its base sum to the logit. ``has_standard_error`` says whether the
    values are estimates with an error of their own.
    """

    name: str
    title: str
    what: str
    what_not: str
    is_complete: bool = True
    has_standard_error: bool = False


_SHAPLEY_NOT = msg(
    "It mixes columns of different rows, so it may ask the model about rows that do not occur; it says how the model "
    "behaves, not what causes what."
)

METHODS: Mapping[str, MethodFacts] = {
    "shap": MethodFacts(
        name=msg("SHAP"),
        title=msg("SHAP (exact or sampled)"),
        what=msg(
            "Shapley values: what each column adds to the score, averaged over every order in which the columns "
            "become known; exact for few columns, else from a sample of orders."
        ),
        what_not=_SHAPLEY_NOT,
        has_standard_error=True,
    ),
    "exact": MethodFacts(
        name=msg("exact Shapley"),
        title=msg("Shapley values, exact"),
        what=msg("Shapley values from all combinations of known columns, without sampling."),
        what_not=_SHAPLEY_NOT,
    ),
    "sampling": MethodFacts(
        name=msg("sampled Shapley"),
        title=msg("Shapley values, sampled"),
        what=msg("Shapley values from random orders of the columns, each walked forwards and backwards."),
        what_not=msg(
            "It is an estimate and comes with its standard error. It mixes columns of different rows, so it may ask "
            "the model about rows that do not occur; it says how the model behaves, not what causes what."
        ),
        has_standard_error=True,
    ),
    "gradients": MethodFacts(
        name=msg("expected gradients"),
        title=msg("Expected gradients"),
        what=msg(
            "The model's slope in each column, added up along the straight paths from all background rows to the row."
        ),
        what_not=msg(
            "It is no Shapley value: it follows straight lines between rows, on which a category lies between "
            "two others."
        ),
    ),
    "integrated_gradients": MethodFacts(
        name=msg("integrated gradients"),
        title=msg("Integrated gradients"),
        what=msg(
            "The model's slope in each column, added up along one straight path from the mean of the background to "
            "the row."
        ),
        what_not=msg(
            "It is no Shapley value, and it starts at an average that no row has, so its base value differs "
            "from that of the other methods."
        ),
    ),
    "ablation": MethodFacts(
        name=msg("ablation"),
        title=msg("Ablation, one column at a time"),
        what=msg("How much the score falls when one column becomes unknown and all others stay."),
        what_not=msg(
            "The values do not sum to the score: what two columns say together is counted twice or not at all."
        ),
        is_complete=False,
    ),
    "shap_permutation": MethodFacts(
        name=msg("shap permutation"),
        title=msg("PermutationExplainer of the shap package"),
        what=msg("Shapley values from random orders of the columns, by the shap package."),
        what_not=msg(
            "It states no standard error. It mixes columns of different rows, so it may ask the model about rows that "
            "do not occur; it says how the model behaves, not what causes what."
        ),
    ),
    "shap_kernel": MethodFacts(
        name=msg("shap kernel"),
        title=msg("KernelExplainer of the shap package"),
        what=msg("Shapley values by weighted least squares over combinations of known columns, by the shap package."),
        what_not=msg(
            "It states no standard error where it samples. It mixes columns of different rows, so it may ask the "
            "model about rows that do not occur; it says how the model behaves, not what causes what."
        ),
    ),
    "shap_exact": MethodFacts(
        name=msg("shap exact"),
        title=msg("ExactExplainer of the shap package"),
        what=msg("Shapley values from all combinations of known columns, by the shap package."),
        what_not=_SHAPLEY_NOT,
    ),
}

SIGNED_METHODS = tuple(METHODS)

REFUSED: Mapping[str, str] = {
    "shap_deep": "shap's DeepExplainer cannot explain this network: it watches layers only and does not see the "
    "gates, masks and sparsemax between them, so its values miss the score many times over; use gradients or shap",
    "shap_gradient": "shap's GradientExplainer cannot explain this network: it gives exactly 0 to every embedded "
    "category, and its values miss the score; use gradients, which follows the embedded inputs",
}


@dataclass(frozen=True, kw_only=True)
class SignedMethod:
    """Which method with which budget.

    ``n_evaluations`` counts coalitions (for gradients: points of the path) per row, None for the method's default.
    ``target_error`` is the standard error, in the unit of the logits, at which a sampling method stops before its
    budget; for gradients it is how much values and base may miss the logit by. None uses the whole budget, for
    gradients ``path_error``, which is on the scale of each output, or their default. A method that neither samples
    nor integrates is exact, which meets any target; the explainers of the shap package cannot stop early, so they
    spend their budget. ``groups`` are columns that move
    together, by the group's name.

    Raises:
        ConfigError: an unknown method, or one that cannot explain this network; the text says why.
    """

    name: str = "shap"
    n_evaluations: int | None = None
    target_error: float | None = None
    path_error: float | None = None
    seed: int = 0
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.name in REFUSED:
            raise ConfigError(REFUSED[self.name])
        if self.name not in METHODS:
            raise ConfigError(f"a signed method is one of {', '.join(METHODS)}, got {self.name!r}")

    @property
    def facts(self) -> MethodFacts:
        """What a reader must know of it."""
        return METHODS[self.name]


def explain_rows(
    subject: Subject,
    chosen: ChosenRows,
    background: BackgroundSample,
    method: SignedMethod,
    *,
    steering: Steering | None = None,
) -> Attribution:
    """Explain the logits of the chosen rows by one method.

    Raises:
        ExplanationError: a budget that cannot be met, an empty background, a group that names an unknown column, or
            values that fail their own check.
        JobCancelledError: the steering asked to stop.
    """
    players = Players.grouped(subject.layout.feature_names, method.groups)
    return _COMPUTE[method.name](_Request(subject, chosen, background, players, method, steering))


def exact_is_cheap(n_players: int, n_evaluations: int | None) -> bool:
    """Whether ``shap`` is exact for so many players: all 2^P coalitions are within the budget.

    It depends on the number of players alone, so all rows of a table are explained alike. Without a budget
    CHEAP_COALITIONS are always paid for.
    """
    budget = max(CHEAP_COALITIONS, default_evaluations(n_players)) if n_evaluations is None else n_evaluations
    return bool(2**n_players <= budget)


@dataclass(frozen=True)
class _Request:
    """What :func:`explain_rows` was asked for, with its players."""

    subject: Subject
    chosen: ChosenRows
    background: BackgroundSample
    players: Players
    method: SignedMethod
    steering: Steering | None

    @property
    def places(self) -> tuple[Subject, ChosenRows, BackgroundSample]:
        """What every method is told first."""
        return self.subject, self.chosen, self.background

    @property
    def shared(self) -> dict[str, Any]:
        """What every method is told by name."""
        return {"players": self.players, "steering": self.steering}


def _shap(request: _Request) -> Attribution:
    cheap = exact_is_cheap(len(request.players), request.method.n_evaluations)
    return dataclasses.replace((_exact if cheap else _sampling)(request), method="shap")


def _exact(request: _Request) -> Attribution:
    from tabnet_engine.explain.signed.exact import exact_shapley

    n_players, budget = len(request.players), request.method.n_evaluations
    if budget is not None and budget < 2**n_players:
        raise ExplanationError(
            f"{budget:,} evaluations are too few for exact values of {n_players:,} columns: {2**n_players:,} are "
            "needed, one for each combination of columns; raise n_evaluations or choose sampling"
        )
    found = exact_shapley(*request.places, **request.shared)
    return dataclasses.replace(found, seed=request.method.seed)


def _sampling(request: _Request) -> Attribution:
    from tabnet_engine.explain.signed.sampling import sampled_shapley

    method = request.method
    return sampled_shapley(
        *request.places,
        n_evaluations=method.n_evaluations,
        target_error=method.target_error,
        seed=method.seed,
        **request.shared,
    )


def _gradients(request: _Request) -> Attribution:
    from tabnet_engine.explain.signed import gradients

    method = request.method
    integrate = gradients.expected_gradients if method.name == "gradients" else gradients.integrated_gradients
    return integrate(
        *request.places,
        n_points=method.n_evaluations,
        target_error=method.target_error,
        path_error=method.path_error,
        seed=method.seed,
        **request.shared,
    )


def _ablation(request: _Request) -> Attribution:
    from tabnet_engine.explain.signed.ablation import ablation

    method = request.method
    return ablation(*request.places, n_evaluations=method.n_evaluations, seed=method.seed, **request.shared)


def _package(request: _Request) -> Attribution:
    from tabnet_engine.explain.signed.shap_package import package_shapley

    method = request.method
    return package_shapley(
        *request.places,
        explainer=method.name,
        n_evaluations=method.n_evaluations,
        seed=method.seed,
        **request.shared,
    )


_COMPUTE: Mapping[str, Callable[[_Request], Attribution]] = {
    "shap": _shap,
    "exact": _exact,
    "sampling": _sampling,
    "gradients": _gradients,
    "integrated_gradients": _gradients,
    "ablation": _ablation,
    "shap_permutation": _package,
    "shap_kernel": _package,
    "shap_exact": _package,
}
