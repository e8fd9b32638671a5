"""What a look at an account found: each with what is to be done about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

OK, MISSING, ADVICE, UNKNOWN = "ok", "missing", "advice", "unknown"
LEVELS = (MISSING, ADVICE, UNKNOWN, OK)
"""From what stops a start to what is well."""


@dataclass(frozen=True)
class Statement:
    """A statement of a policy that allows something.

    Parameters
    ----------
    sid : str
        Its name, letters and digits only.
    actions, resources : tuple of str
        What is allowed, on what.
    condition : tuple of (str, str, str)
        Operator, key and value; empty: none.
    """

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    condition: tuple[str, str, str] | None = None

    def only(self, actions: Iterable[str]) -> Statement:
        """The same for some of its actions."""
        wanted = frozenset(actions)
        return Statement(self.sid, tuple(a for a in self.actions if a in wanted), self.resources, self.condition)

    def document(self) -> dict[str, Any]:
        """As IAM has it."""
        found: dict[str, Any] = {
            "Sid": self.sid,
            "Effect": "Allow",
            "Action": list(self.actions),
            "Resource": list(self.resources),
        }
        if self.condition is not None:
            operator, key, value = self.condition
            found["Condition"] = {operator: {key: value}}
        return found


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Parameters
    ----------
    level : str
        ``ok``, ``missing``, ``advice`` or ``unknown``.
    about : str
        What it is about: ``credentials``, ``store``, ``source stream``.
    says : str
        What was found.
    fix : str
        What to do; empty where nothing is to be done.
    statement : Statement, optional
        What a policy lacks.
    """

    level: str
    about: str
    says: str
    fix: str = ""
    statement: Statement | None = None

    def document(self) -> dict[str, Any]:
        """The same for machines."""
        found: dict[str, Any] = {"level": self.level, "about": self.about, "says": self.says}
        if self.fix:
            found["fix"] = self.fix
        if self.statement is not None:
            found["statement"] = self.statement.document()
        return found


@dataclass
class Report:
    """Everything that was found.

    Attributes
    ----------
    who : dict
        Account, region, ARN and where the credentials come from, of each access.
    findings : list of Finding
        In the order of looking.
    """

    who: list[dict[str, str]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def add(self, level: str, about: str, says: str, fix: str = "", statement: Statement | None = None) -> None:
        """Note something."""
        self.findings.append(Finding(level, about, says, fix, statement))

    @property
    def missing(self) -> Sequence[Finding]:
        """What stops a start."""
        return [one for one in self.findings if one.level == MISSING]

    def policy(self) -> dict[str, Any] | None:
        """One policy with every statement that is missing, or none.

        Examples
        --------
        >>> report = Report()
        >>> report.policy() is None
        True
        >>> report.add(MISSING, "store", "no", statement=Statement("Store", ("dynamodb:GetItem",), ("arn:x",)))
        >>> report.policy()["Statement"][0]["Action"]
        ['dynamodb:GetItem']
        """
        lacking: dict[tuple[str, tuple[str, ...]], Statement] = {}
        for one in self.missing:
            if one.statement is not None:
                key = (one.statement.sid, one.statement.resources)
                known = lacking.get(key)
                actions = tuple(dict.fromkeys((*(known.actions if known else ()), *one.statement.actions)))
                lacking[key] = Statement(key[0], actions, key[1], one.statement.condition)
        if not lacking:
            return None
        return {"Version": "2012-10-17", "Statement": [one.document() for one in lacking.values()]}

    def document(self) -> dict[str, Any]:
        """The same for machines."""
        counts = {level: sum(one.level == level for one in self.findings) for level in LEVELS}
        return {
            "ready": not self.missing,
            "counts": counts,
            "who": self.who,
            "findings": [one.document() for one in self.findings],
            "policy": self.policy(),
        }
