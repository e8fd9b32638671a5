"""The Terraform module with its variables filled in: as much of its language as it uses, and no provider."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from typing import Any

from tests.deploy.aws.evaluated import ACCOUNT, DEPLOY, PARTITION, REGION

KINDS = {
    "aws_dynamodb_table": ("table", "name"),
    "aws_s3_bucket": ("bucket", "bucket"),
    "aws_kinesis_stream": ("stream", "name"),
    "aws_sqs_queue": ("queue", "name"),
    "aws_sns_topic": ("topic", "name"),
    "aws_lambda_function": ("function", "function_name"),
    "aws_cloudwatch_log_group": ("logs", "name"),
}
"""What has a name that others know: kind, and the argument that holds it."""
_HERE = {
    "data.aws_caller_identity.here.account_id": ACCOUNT,
    "data.aws_region.here.region": REGION,
    "data.aws_partition.here.partition": PARTITION,
    "path.module": str(DEPLOY / "terraform"),
}
_TOKEN = re.compile(
    r'\s*(?:(?P<string>"(?:\\.|\$\{[^}]*\}|[^"\\])*")|(?P<number>\d+)|(?P<op>==|!=|\|\||[?:()\[\]{},=])|'
    r"(?P<name>[a-z_][a-z0-9_]*(?:\.[a-z_][a-z0-9_]*|\[(?:0|\*)\])*))",
    re.IGNORECASE,
)


def snake(name: str) -> str:
    """A parameter's name as Terraform spells it."""
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()


@functools.cache
def parsed() -> dict[str, list[Any]]:
    """All files as python-hcl2 reads them."""
    import hcl2

    found: dict[str, list[Any]] = {}
    for path in sorted((DEPLOY / "terraform").glob("*.tf")):
        for section, blocks in hcl2.loads(path.read_text()).items():
            found.setdefault(section, []).extend(blocks)
    return found


def bare(text: str) -> str:
    """A label without its quotes."""
    return text.strip('"')


class Module:
    """The resources that there are for some variables.

    Parameters
    ----------
    given : dict
        Parameters of the template; the others have the module's defaults.

    Attributes
    ----------
    resources : list of (str, str, dict)
        Type, label and arguments.
    """

    def __init__(self, given: dict[str, Any]) -> None:
        self._variables = {
            bare(name): self(about["default"]) if "default" in about else None
            for block in parsed()["variable"]
            for name, about in block.items()
        }
        for name, value in given.items():
            assert snake(name) in self._variables, name
            self._variables[snake(name)] = {"true": True, "false": False}.get(value, value)
        self._locals = {name: one for block in parsed()["locals"] for name, one in block.items()}
        self._raw = {
            (section, bare(kind), bare(label)): about
            for section in ("resource", "data")
            for block in parsed()[section]
            for kind, labels in block.items()
            for label, about in labels.items()
        }
        self.resources = [
            (kind, label, self(about))
            for (section, kind, label), about in self._raw.items()
            if section == "resource" and self._count(about)
        ]

    def _count(self, about: dict[str, Any]) -> int:
        return int(self(about["count"])) if "count" in about else 1

    def __call__(self, node: Any) -> Any:
        """A value as it is for these variables."""
        if isinstance(node, list):
            return [self(one) for one in node]
        if isinstance(node, dict):
            return self._block(node)
        if isinstance(node, str) and node.startswith("${") and node.endswith("}"):
            return Expression(node[2:-1], self).value()
        return self.text(node) if isinstance(node, str) and node.startswith('"') else node

    def _block(self, node: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {
            bare(key): self(one)
            for key, one in node.items()
            if not key.startswith("__") and key not in ("dynamic", "lifecycle", "depends_on", "count")
        }
        for dynamic in node.get("dynamic", []):
            ((label, about),) = dynamic.items()
            found.setdefault(bare(label), []).extend(self(about["content"]) if self(about["for_each"]) else [])
        return found

    def text(self, quoted: str) -> str:
        """A string with what stands in it put in."""
        inner = quoted[1:-1].replace('\\"', '"').replace("\\\\", "\\")
        return re.sub(r"\$\{([^}]*)\}", lambda match: str(Expression(match[1], self).value()), inner)

    def name(self, path: str) -> Any:
        """What a name stands for: a variable, a local, an attribute of a resource."""
        if path in _HERE:
            return _HERE[path]
        words = {"true": True, "false": False, "null": None}
        if path in words:
            return words[path]
        first, _, rest = path.partition(".")
        if first == "var":
            return self._variables[rest]
        if first == "local":
            return self(self._locals[rest])
        section, (kind, label, attribute) = ("data", rest.split(".")) if first == "data" else (
            "resource", path.split(".")
        )  # fmt: skip
        label, _, index = label.partition("[")
        about = self._raw[section, kind, label]
        if index == "*]":
            return [self._attribute(kind, label, attribute, about)] if self._count(about) else []
        assert bool(index) == ("count" in about), f"{path}: an index where there is a count, and there only"
        return self._attribute(kind, label, attribute, about)

    def _attribute(self, kind: str, label: str, attribute: str, about: dict[str, Any]) -> Any:
        if kind == "aws_iam_policy_document":
            return self(about)["statement"]
        if kind == "aws_iam_role":
            return {"arn": f"arn(role {label})", "id": label}[attribute]
        of, key = KINDS[kind]
        own = self(about[key])
        if attribute in (key, "name") or (attribute == "id" and of == "bucket"):
            return own
        word = {"id": "url", "url": "url"}.get(attribute, attribute)
        return f"{word}({of} {own})"


class Expression:
    """An expression: names, strings, numbers, lists, objects, four functions, ``?:``, ``||``, ``==`` and ``!=``."""

    def __init__(self, text: str, module: Module) -> None:
        self._module = module
        self._tokens: list[tuple[str, str]] = []
        at = 0
        while text[at:].strip():
            match = _TOKEN.match(text, at)
            assert match, f"this is not understood: {text[at:]!r}"
            self._tokens.append((str(match.lastgroup), str(match[str(match.lastgroup)])))
            at = match.end()

    def value(self) -> Any:
        """What it is worth."""
        found = self._choice()
        assert not self._tokens, self._tokens
        return found

    def _take(self, *wanted: str) -> str | None:
        return self._tokens.pop(0)[1] if self._tokens and self._tokens[0][1] in wanted else None

    def _choice(self) -> Any:
        found = self._either()
        if self._take("?"):
            first = self._choice()
            assert self._take(":")
            second = self._choice()
            return first if found else second
        return found

    def _either(self) -> Any:
        found = self._same()
        while self._take("||"):
            other = self._same()
            found = found or other
        return found

    def _same(self) -> Any:
        found = self._one()
        while operator := self._take("==", "!="):
            found = (found == self._one()) == (operator == "==")
        return found

    def _one(self) -> Any:
        kind, text = self._tokens.pop(0)
        if kind == "string":
            return self._module.text(text)
        if kind == "number":
            return int(text)
        if text == "[":
            return self._many("]")
        if text == "{":
            found = {}
            while not self._take("}"):
                key = self._tokens.pop(0)[1]
                assert self._take("=", ":")
                found[bare(key)] = self._choice()
                self._take(",")
            return found
        assert kind == "name", text
        if self._take("("):
            return _FUNCTIONS[text](*self._many(")"))
        return self._module.name(text)

    def _many(self, end: str) -> list[Any]:
        found = []
        while not self._take(end):
            found.append(self._choice())
            self._take(",")
        return found


def _rendered(path: str, values: dict[str, Any]) -> str:
    return re.sub(r"\$\{(\w+)\}", lambda match: str(values[match[1]]), Path(path).read_text())


_FUNCTIONS: dict[str, Any] = {
    "concat": lambda *lists: [one for many in lists for one in many],
    "jsonencode": lambda value: json.loads(json.dumps(value)),
    "templatefile": _rendered,
}
