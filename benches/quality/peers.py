"""Peers that detectors are measured beside: raw scores only, the calibration and alerts are everybody's."""

from __future__ import annotations

from benches.quality.judge import Candidate
from watchband.detectors import DETECTORS

PEERS: dict[str, Candidate] = {}


def candidates(names: list[str] | None = None) -> dict[str, Candidate]:
    """Detectors and peers by name; all of them by default."""
    every = [name for name in DETECTORS.names() if name != "threshold"] + list(PEERS)
    return {n: PEERS[n] if n in PEERS else DETECTORS.build({"type": n}) for n in names or every}
