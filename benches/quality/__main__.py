"""``python -m benches.quality [--only services,simulated] [--detectors a,b] [--fast] [--json FILE] [--write]``."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from pathlib import Path

from benches.quality import page, tables
from benches.quality.data import SOURCES, numenta_rows
from benches.quality.figures import halves
from benches.quality.joined import JOINED, Joined
from benches.quality.kept import keep, kept
from benches.quality.peers import PEERS, candidates
from benches.quality.report import document, summary
from benches.quality.run import Run, evaluate_runs
from watchband.evaluation.candidate import Candidate

TOGETHER = 6
Candidates = dict[str, Candidate | Joined]


def parser() -> argparse.ArgumentParser:
    """The arguments."""
    told = argparse.ArgumentParser(prog="python -m benches.quality", description=__doc__)
    told.add_argument("--only", default=",".join(SOURCES), help=f"families: {', '.join(SOURCES)}")
    told.add_argument(
        "--detectors", default="", help=f"names of detectors, or of peers: {', '.join([*PEERS, *JOINED])}"
    )
    told.add_argument("--fast", action="store_true", help="every third series")
    told.add_argument("--thin", default="", help="families of which every third series runs")
    told.add_argument("--replicas", type=int, default=1, help="simulated series of each family")
    told.add_argument("--seed", type=int, default=0, help="of the simulated series")
    told.add_argument("--against", default="auto", help="which candidate is compared with the others")
    told.add_argument("--processes", type=int, help="at a time; as many as there are cores by default")
    told.add_argument("--json", type=Path, help="write the figures there")
    told.add_argument("--again", help="measure only these anew, or none if empty; else the runs kept on disk")
    told.add_argument("--write", action="store_true", help="keep the record in the docs and fill in the page")
    told.add_argument("--page", action="store_true", help="fill in the page from the record that is there, and end")
    told.add_argument("--halves", action="store_true", help="name the files of the benchmark's two halves and end")
    return told


def chosen(names: str) -> Candidates:
    """What takes part; by default everything that is installed. A comma and a space belong to a name."""
    if not names:
        return {**candidates(), **{name: one for name, one in JOINED.items() if one.installed}}
    listed = names.replace(", ", "\0").split(",")
    every = [name.replace("\0", ", ") for name in listed]
    plain = candidates([name for name in every if name not in JOINED])
    return {name: JOINED[name] if name in JOINED else plain[name] for name in every}


def measured(
    every: dict[str, Candidate | Joined],
    only: list[str],
    given: argparse.Namespace,
    again: str | None,
) -> tuple[dict[str, Run], dict[str, str]]:
    """The runs of all candidates, and the commit of each; with ``again`` those and what is missing are made."""
    thin = [name for name in given.thin.split(",") if name]
    what = f"{sorted(only)} fast {given.fast} thin {sorted(thin)} replicas {given.replicas} seed {given.seed}"
    anew = chosen(again) if again else {}
    runs: dict[str, Run] = {}
    commits: dict[str, str] = {}
    for label in every:
        if again is not None and label not in anew and (found := kept(label, what)):
            runs[label], commits[label] = found
    now = page.commit()
    rest = [label for label in every if label not in runs]
    series = {"fast": given.fast, "thin": thin, "replicas": given.replicas, "seed": given.seed}
    for begin in range(0, len(rest), TOGETHER):
        # A few at a time: what has been measured is kept, whatever becomes of the others.
        some = {label: every[label] for label in rest[begin : begin + TOGETHER]}
        for label, run in evaluate_runs(some, only, processes=given.processes, **series).items():
            keep(run, what, now)
            runs[label], commits[label] = run, now
        print(f"measured: {', '.join(some)}", file=sys.stderr, flush=True)
    return {label: runs[label] for label in every}, commits


def main(arguments: list[str] | None = None) -> int:
    told = parser()
    given = told.parse_args(arguments)
    if given.halves:
        print(json.dumps({k: v for k, v in halves(list(numenta_rows())).items() if k != "whole"}, indent=1))
        return 0
    if given.page:
        page.renew()
        return 0
    only = given.only.split(",")
    if unknown := sorted(set(only) - set(SOURCES)):
        told.error(f"no family is called {unknown[0]!r}; there are {', '.join(SOURCES)}")
    every = chosen(given.detectors)
    runs, commits = measured(every, only, given, given.again)
    found = {label: summary(runs[label]) for label in every}
    said = document(runs, found, given.against)
    print(tables.everything(said))
    if given.json:
        given.json.write_text(json.dumps(found, indent=1))
    if given.write:
        words = sys.argv[1:] if arguments is None else arguments
        command = os.environ.get("WATCHBAND_QUALITY_COMMAND") or shlex.join(["python", "-m", "benches.quality", *words])
        page.write({"made": page.made(command, said, only, given.seed, given.replicas, commits), **said})
    return 0


if __name__ == "__main__":
    sys.exit(main())
