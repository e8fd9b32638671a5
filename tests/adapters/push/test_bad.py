"""Recorded bad payloads, and what exactly is said of each: ``python -m tests.adapters.push.test_bad`` rewrites it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from watchband.adapters.sources.push.arrow_points import decode_arrow
from watchband.adapters.sources.push.influx import decode_influx
from watchband.adapters.sources.push.json_points import decode_json, decode_json_lines
from watchband.adapters.sources.push.payload import Decoded, PayloadError
from watchband.adapters.sources.push.remote_write import decode_remote_write

FOLDER = Path(__file__).parent / "bad"
SAID = FOLDER / "said.txt"
DECODERS: dict[str, Callable[[bytes], Decoded]] = {
    "json": decode_json,
    "jsonl": decode_json_lines,
    "influx": decode_influx,
    "rw1": partial(decode_remote_write, version=1),
    "rw2": partial(decode_remote_write, version=2),
    "arrow": decode_arrow,
}
FILES = sorted(path for path in FOLDER.iterdir() if path != SAID)


def said_of(path: Path) -> str:
    """Everything that a decoder says of a payload, as text."""
    decode = DECODERS[path.name.removesuffix(".bin").rpartition(".")[2]]
    lines = [f"== {path.name}"]
    try:
        found = decode(path.read_bytes())
    except PayloadError as error:
        return "\n".join([*lines, str(error)])
    lines.append(f"taken {found.points}, refused {found.refused_points}")
    lines += [f"{r.key} {r.times.tolist()} {r.values.tolist()}" for r in found.readings]
    lines += [f"{r.where}: {r.why}" for r in found.refused]
    return "\n".join(lines)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_what_is_said_of_a_bad_payload(path: Path) -> None:
    expected = {part.splitlines()[0]: part for part in SAID.read_text().split("\n\n")}
    assert said_of(path) == expected[f"== {path.name}"].rstrip("\n")


if __name__ == "__main__":
    SAID.write_text("\n\n".join(map(said_of, FILES)) + "\n")
