"""What the docs say of the infrastructure on AWS: the parameters of its template."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

TEMPLATE = Path(__file__).resolve().parent.parent / "deploy" / "aws" / "template.yaml"


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms, which are not needed here."""


_Loader.add_multi_constructor("!", lambda loader, suffix, node: None)


@cache
def template() -> dict[str, Any]:
    """The template, without what its functions would give."""
    found: dict[str, Any] = yaml.load(TEMPLATE.read_text(), _Loader)
    return found


def parameters() -> str:
    """The table of parameters, in the order of the template."""
    found: dict[str, dict[str, Any]] = template()["Parameters"]
    lines = ["| parameter | default | meaning |", "|---|---|---|"]
    for name, about in found.items():
        default = about.get("Default")
        shown = "required" if default is None else f"`{default}`" if default != "" else ""
        lines.append(f"| `{name}` | {shown} | {about['Description']} |")
    return "\n".join(lines) + "\n"
