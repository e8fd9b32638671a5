"""Random numbers by counters: every number has an address, so none needs another one drawn before it.

Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011: the generator Philox is a keyed function of a
counter. Here the key is made of seed, path (say the number of a series) and the name of a stream; the counter is the
number of a block. Block 700 of series 999,999 costs as much as block 0 of series 0.
"""

from __future__ import annotations

import hashlib

import numpy as np

from watchband.core.points import Float64, Int64

BLOCK = 1024
"""Numbers that are always drawn together, and points that are always computed together: what makes the bits of a
series independent of how it is cut."""
_KEPT = 24


class Dice:
    """The random numbers of one thing, by stream and block.

    Parameters
    ----------
    seed : int
        Equal seeds and paths, equal numbers.
    path : str or int
        Whose numbers they are.

    Examples
    --------
    >>> dice = Dice(1, "cpu", 999_999)
    >>> bool((dice.normal("noise", 700) == Dice(1, "cpu", 999_999).normal("noise", 700)).all())
    True
    >>> dice.normal("noise", 700)[:2] == dice.normal("noise", 701)[:2]
    array([False, False])
    """

    def __init__(self, seed: int, *path: str | int) -> None:
        self._prefix = "/".join(map(str, (seed, *path)))
        self._keys: dict[str, int] = {}
        self._blocks: dict[tuple[str, str, int], Float64] = {}

    def below(self, *path: str | int) -> Dice:
        """The dice of something that belongs to this one."""
        return Dice(0, self._prefix, *path)

    def generator(self, stream: str, number: int = 0) -> np.random.Generator:
        """A generator of its own for a stream and a number, which may be negative."""
        key = self._keys.get(stream)
        if key is None:
            digest = hashlib.blake2b(f"{self._prefix}//{stream}".encode(), digest_size=16).digest()
            key = self._keys[stream] = int.from_bytes(digest, "little")
        return np.random.Generator(np.random.Philox(key=key, counter=(number % (1 << 64)) << 192))

    def normal(self, stream: str, block: int) -> Float64:
        """Standard normal numbers of a block: float64[BLOCK], read only."""
        return self._kept("normal", stream, block)

    def uniform(self, stream: str, block: int) -> Float64:
        """Numbers from 0 to 1 of a block: float64[BLOCK], read only."""
        return self._kept("random", stream, block)

    def normal_at(self, stream: str, index: Int64) -> Float64:
        """Standard normal numbers number ``index`` of a stream: float64[n]."""
        return self._at("normal", stream, index)

    def uniform_at(self, stream: str, index: Int64) -> Float64:
        """Numbers from 0 to 1, number ``index`` of a stream: float64[n]."""
        return self._at("random", stream, index)

    def _at(self, law: str, stream: str, index: Int64) -> Float64:
        index = np.asarray(index, np.int64)
        blocks = index // BLOCK
        out = np.empty(index.shape)
        for block in np.unique(blocks).tolist():
            here = blocks == block
            out[here] = self._kept(law, stream, block)[index[here] - block * BLOCK]
        return out

    def _kept(self, law: str, stream: str, block: int) -> Float64:
        address = (law, stream, block)
        found = self._blocks.get(address)
        if found is None:
            generator = self.generator(stream, block)
            found = generator.standard_normal(BLOCK) if law == "normal" else generator.random(BLOCK)
            found.flags.writeable = False
            if len(self._blocks) >= _KEPT:
                del self._blocks[next(iter(self._blocks))]
            self._blocks[address] = found
        return found
