"""Run the notebooks of ``examples/notebooks`` and compare what they give with what they store.

``python -m tools.notebooks`` says what differs; ``--write`` stores the new outputs; names choose notebooks. Cells are
plain Python and run in this process, in a fresh namespace and an empty folder: no kernel has to be installed to check
them, and any kernel runs them as well. The last expression of a cell and open figures are its outputs, as in Jupyter. A
cell with the tag ``varies`` declares noise: that it has outputs of these kinds is compared, not what they say.
"""

from __future__ import annotations

import ast
import base64
import contextlib
import io
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent.parent / "examples" / "notebooks"
VARIES = "varies"
DPI = 64
TEXT_MAX = 4_000
"""Characters a cell may say: a notebook is read, not scrolled."""


def notebooks() -> list[Path]:
    """All of them, in the order in which they are read."""
    return sorted(FOLDER.glob("*.ipynb"))


def load(path: Path) -> dict[str, Any]:
    """A notebook as it is stored."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def executed(notebook: dict[str, Any]) -> dict[str, Any]:
    """The same notebook with the outputs of a fresh run.

    Raises
    ------
    ValueError
        A cell says more than ``TEXT_MAX`` characters, or names a path of this machine.
    """
    space: dict[str, Any] = {"__name__": "__main__"}
    cells, number = [], 0
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder), _quiet_pictures():
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                number += 1
                outputs = _run("".join(cell["source"]), space, number)
                cell = {**cell, "execution_count": number, "outputs": outputs}
                said = json.dumps([o for o in outputs if "image/png" not in o.get("data", {})])
                for path in (folder, str(FOLDER.parent.parent), str(Path.home()) + os.sep):
                    if path in said:
                        raise ValueError(f"Cell {number} names {path}; name files without a folder.")
                if len(said) > TEXT_MAX:
                    raise ValueError(f"Cell {number} says {len(said)} characters; {TEXT_MAX} at most. Show less.")
            cells.append(cell)
    return {**notebook, "cells": cells}


def _run(source: str, space: dict[str, Any], number: int) -> list[dict[str, Any]]:
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    out, value = io.StringIO(), None
    name = f"cell {number}"
    with contextlib.redirect_stdout(out):
        exec(compile(tree, name, "exec"), space)
        if last is not None and not source.rstrip().endswith(";"):
            value = eval(compile(ast.Expression(last.value), name, "eval"), space)
        elif last is not None:
            exec(compile(ast.Module([last], []), name, "exec"), space)
    outputs: list[dict[str, Any]] = []
    if out.getvalue():
        outputs.append({"output_type": "stream", "name": "stdout", "text": _lines(out.getvalue())})
    if _figure(value):
        outputs.append(_picture(value))
    elif value is not None:
        data = {"text/plain": _lines(repr(value))}
        outputs.append({"output_type": "execute_result", "execution_count": number, "data": data, "metadata": {}})
    return outputs + [_picture(one) for one in _open_figures() if one is not value]


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def _figure(value: object) -> bool:
    return type(value).__module__.startswith("matplotlib.figure")


def _picture(figure: Any) -> dict[str, Any]:
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=DPI, metadata={"Software": None})
    text = base64.b64encode(data.getvalue()).decode()
    return {"output_type": "display_data", "data": {"image/png": text, "text/plain": ["<Figure>"]}, "metadata": {}}


def _open_figures() -> list[Any]:
    if "matplotlib.pyplot" not in sys.modules:
        return []
    import matplotlib.pyplot as plt

    found = [plt.figure(number) for number in plt.get_fignums()]
    plt.close("all")
    return found


@contextlib.contextmanager
def _quiet_pictures() -> Iterator[None]:
    before = os.environ.get("MPLBACKEND")
    os.environ["MPLBACKEND"] = "agg"
    try:
        yield
    finally:
        if before is None:
            del os.environ["MPLBACKEND"]
        else:
            os.environ["MPLBACKEND"] = before


def differences(stored: dict[str, Any], fresh: dict[str, Any]) -> list[str]:
    """What a run gives otherwise than is stored; of pictures only that they are there."""
    found = []
    pairs = zip(stored["cells"], fresh["cells"], strict=True)
    for number, (old, new) in enumerate(((a, b) for a, b in pairs if a["cell_type"] == "code"), 1):
        varies = VARIES in old["metadata"].get("tags", [])
        before, after = ([_said(o, varies=varies) for o in c["outputs"]] for c in (old, new))
        if before != after:
            found.append(f"cell {number}: stored {before!r}, now {after!r}")
    return found


def _said(output: dict[str, Any], *, varies: bool) -> str:
    if "image/png" in output.get("data", {}):
        return "a picture"
    if varies:
        return str(output["output_type"])
    return "".join(output["text"] if output["output_type"] == "stream" else output["data"]["text/plain"])


def written(notebook: dict[str, Any]) -> str:
    """The text of a notebook file: sorted, one line end at its end, so that only what changed differs."""
    return json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def main(words: list[str]) -> int:
    """Compare, or write with ``--write``; 1 where something differs."""
    names = [w for w in words if not w.startswith("-")]
    status = 0
    for path in notebooks():
        if names and path.stem not in names and path.name not in names:
            continue
        stored = load(path)
        fresh = executed(stored)
        if "--write" in words:
            path.write_text(written(fresh), encoding="utf-8")
        elif told := differences(stored, fresh):
            print(f"{path.name}:\n  " + "\n  ".join(told))
            status = 1
    return status


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
