"""The table of a comparison, line by line as it is measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ..interval import FEWEST_TURNS, Verdict, at_most
from .measurement import Figure
from .ratios import Ratio

__all__ = ["Line", "head", "line", "unmeasured"]

_WIDTHS: Final = (52, 13, 13, 7, 14, 5)
_ALIGN: Final = "<>>>>>"
_SAID: Final = {
    Verdict.MET: "met",
    Verdict.MISSED: "MISSED",
    Verdict.UNDECIDED: "not decided",
}
_TOO_FEW: Final = f"not judged by fewer than {FEWEST_TURNS} pairs"


@dataclass(frozen=True, slots=True)
class Line:
    """One line.

    Args:
        text: What is printed.
        verdict: What became of its limit; met where there is none.
    """

    text: str
    verdict: Verdict = Verdict.MET


def head(other: str) -> str:
    """Return the line of titles.

    Args:
        other: Name of the other build.
    """
    return _columns(("", "present", other, "ratio", "spread", "pairs"))


def line(figure: Figure, ratio: Ratio) -> Line:
    """Return the line of a figure.

    Args:
        figure: What was measured.
        ratio: What came of it.
    """
    columns = _columns(
        (
            figure.what,
            _value(ratio.present, figure.unit),
            _value(ratio.other, figure.unit),
            f"{ratio.by.middle:.3f}×",
            f"{ratio.by.low:.3f} to {ratio.by.high:.3f}",
            str(ratio.by.turns),
        )
    )
    if figure.limit is None:
        return Line(columns)
    verdict = at_most(figure.limit, ratio.by)
    said = _TOO_FEW if ratio.by.turns < FEWEST_TURNS else _SAID[verdict]
    return Line(f"{columns}  ≤ {figure.limit:g}×: {said}", verdict)


def unmeasured(figures: Sequence[Figure], instead: str) -> list[Line]:
    """Return the lines of figures that could not be measured.

    Args:
        figures: What could not be measured.
        instead: Why not.
    """
    return [Line(f"{figure.what:{_WIDTHS[0]}}  {instead}") for figure in figures]


def _columns(cells: Sequence[str]) -> str:
    aligned = zip(cells, _ALIGN, _WIDTHS, strict=True)
    return "  ".join(f"{cell:{align}{width}}" for cell, align, width in aligned)


def _value(value: float, unit: str) -> str:
    return f"{value:,.1f} {unit}"
