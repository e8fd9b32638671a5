"""The flag of every command that looks into a store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DATA = Path("watchband-data")
Data = Annotated[
    Path, typer.Option("--data", help="The store's directory, as 'path' of the section 'store'.", metavar="DIR")
]
