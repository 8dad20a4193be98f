"""One colour for each feature and class, whatever the page and the order it draws in."""

from __future__ import annotations

from tabnet_engine.figures import theme
from tabnet_engine.figures.identity import CLASS_COLORS, ColorScheme


def test_leading_features_have_a_colour_of_their_own_and_the_rest_share_grey() -> None:
    names = [f"column {number}" for number in range(40)]
    scheme = ColorScheme.of(names, ["no", "yes"])
    leading = [scheme.feature(name) for name in names[: len(theme.PALETTE)]]
    assert len(set(leading)) == len(leading) == len(theme.PALETTE)
    assert {scheme.feature(name) for name in [*names[len(theme.PALETTE) :], "unknown"]} == {theme.NEUTRAL}


def test_a_colour_belongs_to_the_name_not_to_the_place_in_a_chart() -> None:
    scheme = ColorScheme.of(["a", "b", "c"], ["x", "y"])
    assert {name: scheme.feature(name) for name in ("c", "a")} == {name: scheme.feature(name) for name in ("a", "c")}
    assert ColorScheme.of(["a", "b", "c"], ["x", "y"]).feature("b") == scheme.feature("b")


def test_classes_differ_and_the_first_are_neither_up_nor_down_nor_the_rest() -> None:
    scheme = ColorScheme.of([], [f"class {number}" for number in range(9)])
    shown = [scheme.of_class(f"class {number}") for number in range(9)]
    assert len(set(shown[:7])) == 7
    assert shown[7:] == shown[:2]
    assert scheme.of_class("unknown") == theme.NEUTRAL
    assert len(set(CLASS_COLORS)) == len(CLASS_COLORS)
    assert theme.NEUTRAL not in CLASS_COLORS
    assert not {theme.POSITIVE, theme.NEGATIVE} & set(shown[:5])
