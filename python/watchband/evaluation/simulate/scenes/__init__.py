"""Scenes: several series that stand together, with the shapes of systems as they are met in practice."""

from __future__ import annotations

from collections.abc import Callable

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
"""Scenes by name; each takes a seed."""


def scene(name: str, seed: int = 0) -> Scene:
    """The scene of that name.

    Raises
    ------
    UnknownNameError
        There is none.
    """
    if name not in SCENES:
        raise UnknownNameError("scene", name, SCENES)
    return SCENES[name](seed)


__all__ = ["SCENES", "Scene", "Track", "scene"]
