"""Model files: bytes and back, what is said of damaged and hostile ones, and that a file is whole or not there."""

from __future__ import annotations

import hashlib
import json
import os
import random
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from watchband.core import artifact
from watchband.core.errors import (
    ConfigError,
    NotThereError,
    StateCorruptError,
    StateError,
    StateMismatchError,
    StateVersionError,
)

DOCUMENT = {"trees": 3, "names": ["value", "diff"], "share": 0.1, "nested": {"a": None, "b": [True, "ß"]}}
ARRAYS = {
    "split": np.array([[0.5, np.nan, -0.0], [np.inf, 1e-320, 2.0]]),
    "left": np.arange(7, dtype=np.int32),
    "leaf": np.array([True, False]),
    "offset": np.array(0.25),
    "none": np.zeros((0, 4), np.float32),
}
DTYPES = st.sampled_from([np.dtype(name) for name in artifact.DTYPES])
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def made() -> bytes:
    return artifact.to_bytes("isolation_forest", DOCUMENT, ARRAYS)


def sealed(header: Any, body: bytes = b"", *, form: int = 1, length: int | None = None) -> bytes:
    """Right size and checksum around any header: what only hostile hands would make."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    size = 22 + len(text) + len(body) + 16
    data = struct.pack("<8sHIQ", artifact.MAGIC, form, len(text) if length is None else length, size) + text + body
    return data + hashlib.blake2b(data, digest_size=16).digest()


def test_bytes_and_back() -> None:
    found = artifact.from_bytes(made(), "isolation_forest")
    assert found.document == DOCUMENT
    assert found.arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert found.arrays[name].tobytes() == array.tobytes()
        assert (found.arrays[name].dtype, found.arrays[name].shape) == (array.dtype, array.shape)
        assert not found.arrays[name].flags.writeable
    assert artifact.to_bytes(found.kind, found.document, found.arrays) == made()


@given(
    st.dictionaries(st.text(max_size=8), PLAIN, max_size=4),
    DTYPES.flatmap(lambda d: hnp.arrays(d, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))),
)
def test_whatever_is_written_is_read(document: dict[str, Any], array: np.ndarray) -> None:
    found = artifact.from_bytes(artifact.to_bytes("x", document, {"a": array}))
    assert found.document == document
    assert found.arrays["a"].tobytes() == array.tobytes()
    assert found.arrays["a"].shape == array.shape


def test_order_of_elements_and_bytes_does_not_matter() -> None:
    turned = {"a": np.asfortranarray(np.arange(6.0).reshape(2, 3)), "b": np.arange(3, dtype=">i4")}
    straight = {"b": np.arange(3, dtype="<i4"), "a": np.arange(6.0).reshape(2, 3)}
    assert artifact.to_bytes("x", {"p": 1, "q": 2}, turned) == artifact.to_bytes("x", {"q": 2, "p": 1}, straight)


@given(st.integers(0, 10**9))
def test_any_damaged_byte_is_noticed(seed: int) -> None:
    rng = random.Random(seed)
    data = bytearray(made())
    for _ in range(rng.choice((1, 1, 2, 9))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    if bytes(data) != made():
        with pytest.raises(StateError):
            artifact.from_bytes(bytes(data))


@given(st.integers(0, len(made()) - 1))
def test_truncated_bytes(size: int) -> None:
    with pytest.raises(StateCorruptError):
        artifact.from_bytes(made()[:size])


def test_bytes_behind_the_end() -> None:
    with pytest.raises(StateCorruptError, match="something was added"):
        artifact.from_bytes(made() + b"\0")


@given(st.binary(max_size=200))
def test_foreign_bytes(data: bytes) -> None:
    for given_ in (data, artifact.MAGIC + data):
        with pytest.raises(StateError):
            artifact.from_bytes(given_)


@given(st.binary(max_size=80), st.binary(max_size=40), st.integers(0, 3), st.none() | st.integers(0, 2**32 - 1))
def test_any_sealed_header_is_an_error_of_ours(header: bytes, body: bytes, form: int, length: int | None) -> None:
    with pytest.raises(StateError):
        artifact.from_bytes(sealed(header, body, form=form, length=length))


@pytest.mark.parametrize(
    "arrays",
    [
        3,
        [["a", "|O", [1]]],
        [["a", "<f8", [1 << 40, 1 << 40]]],
        [["a", "<f8", [1 << 29, 1 << 29, 1 << 29, 1 << 29]]],
        [["a", "<f8", [-1]]],
        [["a", "<f8", [True]]],
        [["a", "<f8", [1.0]]],
        [["a", "<f8", [3]]],
        [["a", "<f8", [1]]],
        [["a", "<f8", [2, 1, 1, 1, 1]]],
        [["a", "<f8", "2"]],
        [["a", "<f8", [1]], ["a", "<f8", [1]]],
        [["a b", "<f8", [2]]],
        [["../../x", "<f8", [2]]],
        [[["a"], "<f8", [2]]],
        [["a", ["<f8"], [2]]],
        [["a", "|b1", [16]]],
        [["a", "|u1", [0]]] * 2000,
        [["a", "<f8"]],
        {"a": 1},
        None,
    ],
)
def test_hostile_arrays(arrays: Any) -> None:
    body = struct.pack("<2d", 1.0, 2.0)
    assert artifact.from_bytes(sealed({"kind": "x", "document": {}, "arrays": [["a", "<f8", [2]]]}, body)).kind == "x"
    with pytest.raises(StateCorruptError, match="makes no sense"):
        artifact.from_bytes(sealed({"kind": "x", "document": {}, "arrays": arrays}, body))


@pytest.mark.parametrize(
    "header",
    [[], {}, {"kind": 1, "document": {}, "arrays": []}, {"kind": "x", "document": [], "arrays": []},
     {"kind": "../x", "document": {}, "arrays": []}, {"kind": "x", "arrays": []}, b"[" * 100_000, b"1" * 10_000],
)  # fmt: skip
def test_hostile_headers(header: Any) -> None:
    with pytest.raises(StateCorruptError):
        artifact.from_bytes(sealed(header))


def test_a_newer_format() -> None:
    with pytest.raises(StateVersionError, match="Upgrade Watchband"):
        artifact.from_bytes(sealed({}, form=artifact.FORMAT + 1))


@pytest.mark.parametrize(
    ("kind", "document", "arrays", "said"),
    [
        ("Forest", {}, {}, "kind of a model"),
        ("x", {"a": float("nan")}, {}, "go into an array"),
        ("x", {"a": {1, 2}}, {}, "cannot be written"),
        ("x", {}, {"a": np.array(["text"])}, "takes float64"),
        ("x", {}, {"a": np.array([object()])}, "takes float64"),
        ("x", {}, {"a": np.zeros((1, 1, 1, 1, 1))}, "5 dimensions"),
        ("x", {}, {"a/b": np.zeros(1)}, "name of an array"),
        ("x", {}, {f"a{i}": np.zeros(1) for i in range(artifact.ARRAYS_MAX + 1)}, "up to 1024 arrays"),
    ],
)
def test_what_cannot_be_written(kind: str, document: Any, arrays: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        artifact.to_bytes(kind, document, arrays)


def test_too_much(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(artifact, "FILE_BYTES_MAX", 1000)
    with pytest.raises(ConfigError, match="fewer trees"):
        artifact.write(tmp_path / "m.wbm", "x", {}, {"a": np.zeros(1000)})
    (tmp_path / "m.wbm").write_bytes(artifact.MAGIC + bytes(2000))
    with pytest.raises(StateCorruptError, match="up to 1,000"):
        artifact.read(tmp_path / "m.wbm")


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "new" / "forest.wbm"
    checksum = artifact.write(path, "isolation_forest", DOCUMENT, ARRAYS)
    found = artifact.read(path, "isolation_forest")
    assert (found.checksum, found.nbytes) == (checksum, path.stat().st_size)
    with pytest.raises(StateMismatchError, match=r"forest\.wbm is a model of kind 'isolation_forest'; 'scaler'"):
        artifact.read(path, "scaler")


def test_a_failed_write_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.wbm"
    before = artifact.write(path, "x", {"n": 1}, {})

    def fails(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(OSError, match="No space"):
        artifact.write(path, "x", {"n": 2}, {})
    assert artifact.read(path).checksum == before
    assert [p.name for p in tmp_path.iterdir()] == ["m.wbm"]


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(NotThereError, match="cannot be read: No such file"):
        artifact.read(tmp_path / "none.wbm")
    with pytest.raises(NotThereError, match="is not a file"):
        artifact.read(tmp_path)
    os.mkfifo(tmp_path / "pipe.wbm")
    with pytest.raises(NotThereError, match="is not a file"):
        artifact.read(tmp_path / "pipe.wbm")
