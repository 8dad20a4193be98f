"""What counts as approved in a report: target, favourable outcome and cutoff, as settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from pages._ui import groups_choices, kept
from tabnet_engine.data.schema import Task
from tabnet_engine.explain.groups.decision import likely_favourable
from tabnet_engine.texts.speaking import say

if TYPE_CHECKING:
    from tabnet_engine.data.targets import TargetCodec
    from tabnet_engine.runs.run import Run

__all__ = ["chosen_outcome", "chosen_outcomes", "chosen_target"]

_NOBODY = "-"  # no class has that key: classes go by their number


def chosen_outcome(run: Run, *, is_needed: bool = True) -> dict[str, Any]:
    """Draw the controls; the names are those of the settings.

    Args:
        run: whose target is decided upon.
        is_needed: whether there is no report without a rule.

    Raises:
        UserError: a cutoff that is no number.
    """
    target = chosen_target(run)
    codec, _ = run.targets.of(target)
    left, right = st.columns(2, vertical_alignment="bottom")
    if codec.task is Task.REGRESSION:
        return {"target": target, **_limit(left, right, is_needed=is_needed)}
    with left:
        favourable = _favourable(codec)
    with right:
        cutoff = _share(several=codec.task is Task.MULTICLASS)
    return {"target": target, "favourable": favourable, "cutoff": cutoff}


def chosen_outcomes(run: Run) -> dict[str, Any]:
    """The same for a comparison, whose champion may have a cutoff of its own.

    Raises:
        UserError: a cutoff that is no number.
    """
    settings = chosen_outcome(run, is_needed=False)
    typed = kept.text(
        "champion_cutoff",
        say("Cutoff of the champion"),
        placeholder=say("the same"),
        help_text=say("Where the run in use until now approves from another value; empty: from the same one."),
    )
    return {**settings, "baseline_cutoff": groups_choices.typed_number(typed)}


def chosen_target(run: Run) -> str:
    """Which target is decided upon; asked only where there are several."""
    names = run.targets.names
    if len(names) == 1:
        return names[0]
    help_text = say("What is decided upon.")
    return kept.choice("target", say("Target"), {name: name for name in names}, help_text=help_text)


def _favourable(codec: TargetCodec) -> str:
    """The class that is decided in a person's favour; "" while nobody chose it, which the report says."""
    likely = likely_favourable(codec)
    nobody = say("choose one") if likely is None else say("{name}, by its name", name=likely)
    options = {_NOBODY: nobody, **{str(code): name for code, name in enumerate(codec.classes)}}
    chosen = kept.choice(
        "favourable",
        say("Favourable outcome"),
        options,
        help_text=say(
            "The class that is decided in a person's favour, such as a loan that is granted. Until you choose one, the "
            "report says that it was taken by its name."
        ),
    )
    return "" if chosen == _NOBODY else codec.classes[int(chosen)]


def _share(*, several: bool) -> float | None:
    if not several:
        return kept.amount(
            "cutoff",
            say("Cutoff"),
            0.01,
            0.99,
            default=0.5,
            help_text=say("The probability of the favourable outcome from which a row is approved."),
        )
    typed = kept.text(
        "cutoff",
        say("Cutoff"),
        placeholder=say("the predicted class"),
        help_text=say("The probability from which a row is approved; empty: where it is the likeliest class."),
    )
    return groups_choices.typed_number(typed)


def _limit(left: Any, right: Any, *, is_needed: bool) -> dict[str, Any]:
    """From which quantity a row is approved."""
    nothing = say("needed: from which quantity on") if is_needed else say("none: nobody is approved or declined")
    with left:
        typed = kept.text(
            "cutoff",
            say("Cutoff"),
            placeholder=nothing,
            help_text=say("The prediction, in the target's own unit, from which a row is approved."),
        )
    with right:
        high = kept.toggle("high", say("High is favourable"), default=True)
    return {"cutoff": groups_choices.typed_number(typed), "is_high_favourable": high}
