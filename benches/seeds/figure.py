"""One figure: what the document says, what is found here, from which data, by which command, what to think of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

Verdict = Literal["same", "differs", "only here", "wrong there", "cannot be had", "no data here"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A line of the table.

    Parameters
    ----------
    seed, name : str
        Which document, and what is counted or measured.
    told : str
        What the document says.
    here : str
        What is found here.
    verdict : Verdict
        Whether that is the same; ``differs`` is a failure of ours, ``wrong there`` one of the document, ``only here``
        what the document should have told.
    data, command : str
        Where it comes from and how it is had again.
    remark : str
        What to think of it.
    """

    seed: str
    name: str
    told: str
    here: str
    verdict: Verdict
    data: str
    command: str
    remark: str = ""


def counted(seed: str, name: str, told: int, here: int, data: str, command: str, remark: str = "") -> Figure:
    """A whole number, which is to be the very same."""
    return Figure(seed, name, f"{told:,}", f"{here:,}", "same" if told == here else "differs", data, command, remark)


def measured(seed: str, name: str, told: str, here: float, data: str, command: str, remark: str = "") -> Figure:
    """A number that is to be the same in every digit of the document."""
    digits = len(told.partition(".")[2])
    same = math.isclose(float(told), here, abs_tol=0.5000001 * 10**-digits)
    return Figure(seed, name, told, f"{here:.{digits + 2}f}", "same" if same else "differs", data, command, remark)


def table(figures: Sequence[Figure]) -> str:
    """As Markdown."""
    lines = ["| seed | figure | there | here | verdict | data | command | remark |", "|---" * 8 + "|"]
    for f in figures:
        cells = (f.seed, f.name, f.told, f.here, f.verdict, f.data, f"`{f.command}`" if f.command else "", f.remark)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def documents(figures: Sequence[Figure]) -> list[dict[str, Any]]:
    """For ``--json``."""
    return [asdict(figure) for figure in figures]
