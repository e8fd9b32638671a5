"""Rewrite the generated parts of the docs: what stands between ``<!-- NAME -->`` and ``<!-- /NAME -->``.

``aws parameters`` are those of the template for AWS, other ``aws NAME`` its costs; ``members NAME`` is the table of a
preset's members; ``simulated NAME`` that of the kinds, scenes or faults of the simulator; ``scenes`` that of the
promises that ``watchband bench scenes`` plays; ``searches`` is where tuning looks for better parameters; ``settings
NAME`` the keys of a section or kind of the configuration (``engine``, ``sink_slack``), ``kinds NAME`` its sources,
sinks or stores; ``features families`` and ``features sets`` what features there are; ``params NAME`` is the parameter
table of a detector or of another fold (a detector's own page may leave out the name).
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tools import aws, aws_costs
from watchband.analysis.tuning.space import table as searches
from watchband.apps.cli.simulate_list import document
from watchband.apps.config import schema
from watchband.core import params
from watchband.evaluation.scenarios.catalogue import SCENES
from watchband.evaluation.scenarios.scene import EVERY
from watchband.features.families import KINDS
from watchband.features.feature_set import FeatureSet
from watchband.features.sets import SETS
from watchband.pipeline.calibrate import Calibrate
from watchband.pipeline.catalogue import CATALOGUE
from watchband.pipeline.ensemble import Ensemble
from watchband.pipeline.policy import Policy
from watchband.pipeline.prepare import Prepare
from watchband.pipeline.pulse import Pulse

AWS = {"parameters": aws.parameters, **aws_costs.TABLES}
ROOT = Path(__file__).resolve().parent.parent
TITLE = re.compile(r"^# `?([a-z_0-9]+)`?", re.MULTILINE)
FOLDS: dict[str, type] = {"calibrate": Calibrate, "policy": Policy, "prepare": Prepare, "pulse": Pulse}
"""What has parameters and is no detector."""
SCHEMA = ROOT / "docs" / "watchband.schema.json"
MARK = re.compile(
    r"(<!-- (aws|params|detectors|features|kinds|members|scenes|searches|settings|simulated)(?: (\w+))? -->\n).*?"
    r"(<!-- /\2 -->)",
    re.DOTALL,
)


def detector_table() -> str:
    """Every detector with maturity, bytes a series and cost."""
    lines = ["| detector | maturity | bytes a series | cost |", "|---|---|---|---|"]
    for name in CATALOGUE.names():
        detector = CATALOGUE.build({"type": name})
        link = f"[`{name}`]({name}.md)"
        lines.append(f"| {link} | {detector.maturity} | {detector.state_bytes_max:,} | {detector.cost} |")
    return "\n".join(lines) + "\n"


def member_table(name: str) -> str:
    """The members of a preset with their weights and what they read."""
    preset = CATALOGUE.build({"type": name})
    assert isinstance(preset, Ensemble)
    lines = ["| member | detector | weight | strength | reads | in an outage |", "|---|---|---|---|---|---|"]
    for m in preset.members:
        link = f"[`{m.detector.name}`]({m.detector.name}.md)"
        lines.append(
            f"| {m.label} | {link} | {m.weight:.3g} | {m.strength:g} | {m.reads} | {'holds' if m.holds else 'learns'} |"
        )
    return "\n".join(lines) + "\n"


def scene_table() -> str:
    """Every scene: what is promised, by which detectors, which complaint it answers."""
    lines = [f"| scene | promise | complaint answered | {' | '.join(EVERY)} |", "|---" * (3 + len(EVERY)) + "|"]
    for scene in SCENES.values():
        cells = ["held" if name in scene.detectors else "–" for name in EVERY]
        answered = f"{scene.complaint} ({'; '.join(scene.sources)})"
        lines.append(f"| `{scene.name}` | {scene.promise} | {answered} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def simulated_table(key: str) -> str:
    """What ``watchband simulate --list`` names: ``kinds``, ``scenes`` or ``faults``."""
    columns = {"kinds": ("kind", "constants"), "scenes": ("scene",), "faults": ("fault", "expected", "size in noise")}
    lines = ["| " + " | ".join((*columns[key], "what it is")) + " |", "|---" * (len(columns[key]) + 1) + "|"]
    for row in document()[key]:
        cells = [f"`{row['name']}`"]
        if key == "kinds":
            cells.append(", ".join(f"`{name}`" for name in row["constants"]))
        elif key == "faults":
            cells += [row["expect"], "–" if row["size"] is None else f"{row['size'][0]:g} to {row['size'][1]:g}"]
        lines.append("| " + " | ".join((*cells, row["summary"])) + " |")
    return "\n".join(lines) + "\n"


def feature_families() -> str:
    """Every family with its features, their formulas and units."""
    lines = ["| family | sizes | feature | formula | unit | slots kept a column |", "|---|---|---|---|---|---|"]
    for name, kind in KINDS.items():
        sizes = _sizes(kind.sizes)
        for feature in kind.features:
            kept = "0" if not feature.back else f"{feature.n or ('n' if feature.back == 1 else f'{feature.back}n')}"
            kept += " + 1" * bool(feature.start)
            told = feature.name.format(p="", c="x", d="y", n="n")
            first = f"| `{name}` | {sizes} " if feature is kind.features[0] else "| | "
            formula = feature.formula.replace("|", "\\|")
            lines.append(f"{first}| `{told}` | {formula} | {feature.unit} | {kept} |")
    return "\n".join(lines) + "\n"


def _sizes(sizes: tuple[int, ...]) -> str:
    if len(sizes) > 8:
        return f"{sizes[0]} to {sizes[-1]}"
    return ", ".join(map(str, sizes)) or "–"


def feature_sets() -> str:
    """Every named set: columns, features, slots it looks back on, bytes a series."""
    lines = ["| set | columns | features | looks back | bytes a series | what it is |", "|---|---|---|---|---|---|"]
    for name, known in SETS.items():
        made = FeatureSet.named(name)
        lines.append(
            f"| `{name}` | {len(made.columns)} | {len(made)} | {made.lookback} slots | {made.state_bytes_max:,} | "
            f"{known.what} |"
        )
    return "\n".join(lines) + "\n"


def generated(text: str) -> str:
    """The page with its generated parts as they should be."""
    title = TITLE.search(text)

    def fill(match: re.Match[str]) -> str:
        kind, name = match[2], match[3]
        if kind == "detectors":
            body = detector_table()
        elif kind == "features":
            body = feature_sets() if name == "sets" else feature_families()
        elif kind == "aws":
            body = AWS[name]()
        elif kind == "scenes":
            body = scene_table()
        elif kind == "simulated":
            body = simulated_table(name)
        elif kind == "searches":
            body = searches()
        elif kind == "settings":
            body = schema.table(schema.settings_named(name))
        elif kind == "kinds":
            body = schema.kinds_table(name)
        elif kind == "members":
            body = member_table(name)
        else:
            named = name or (title[1] if title else "")
            body = params.table(FOLDS[named] if named in FOLDS else CATALOGUE.get(named))
        return match[1] + body + match[4]

    return MARK.sub(fill, text)


def main() -> None:
    for path in sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]):
        text = path.read_text()
        if (new := generated(text)) != text:
            path.write_text(new)
    SCHEMA.write_text(schema.text())
    # In a process of its own, since it runs a service.
    subprocess.run([sys.executable, "-m", "tests.apps.server.test_examples"], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
