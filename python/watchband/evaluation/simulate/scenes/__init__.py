"""Scenes: several series that stand together, with the shapes of systems as they are met in practice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from watchband.core.errors import UnknownNameError
from watchband.evaluation.simulate.scenes.cluster import cluster
from watchband.evaluation.simulate.scenes.evaporator import evaporator
from watchband.evaluation.simulate.scenes.hosts import hosts
from watchband.evaluation.simulate.scenes.mesh import mesh, pair
from watchband.evaluation.simulate.scenes.track import Scene, Track

SCENES: dict[str, Callable[..., Scene]] = {
    "cluster": cluster,
    "evaporator": evaporator,
    "hosts": hosts,
    "mesh": mesh,
    "pair": pair,
}
"""Scenes by name; each takes a seed, those of ``ANY_SPAN`` also ``points`` and ``clock``."""
ANY_SPAN = frozenset({"mesh", "pair"})
"""Scenes of any interval and length; the others are as they are met."""


def scene(name: str, seed: int = 0, **span: Any) -> Scene:
    """The scene of that name; ``span`` is ``points`` and ``clock`` for those that take any.

    Raises
    ------
    UnknownNameError
        There is none.
    """
    if name not in SCENES:
        raise UnknownNameError("scene", name, SCENES)
    return SCENES[name](seed, **span)


__all__ = ["ANY_SPAN", "SCENES", "Scene", "Track", "scene"]
