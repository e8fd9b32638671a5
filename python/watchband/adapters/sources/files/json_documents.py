"""JSON documents: the answer of a Prometheus range query, its bare value list, or an array of objects."""

from __future__ import annotations

import codecs
import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from watchband.adapters.objects.place import FilePath
from watchband.adapters.sources.files.blocks import TextFile
from watchband.adapters.sources.files.columns import Chunk, Tally, shown
from watchband.adapters.sources.files.hints import BATCH_VALUES_MAX, ELEMENT_BYTES_MAX
from watchband.adapters.sources.files.json_lines import flat, names_of, to_column, to_columns
from watchband.core.errors import DataError
from watchband.core.series import SeriesKey

_RESULT = re.compile(r'"result"\s*:\s*\[')
_BAD_LABEL = re.compile(r'[\s={},"\\]')
_EXPECTED = 'Expected a Prometheus range query (data.result[*].values), a list of [time, "value"], or a list of objects'


class JsonReader:
    """A JSON document read element by element, so that only one series is in memory at a time.

    * ``{"data": {"result": [{"metric": {…}, "values": [[t, "v"], …]}, …]}}``: ``__name__`` is the metric (else the
      stem of the file), the other labels are labels. An instant query (``value``) gives one point per series.
    * ``[[t, "v"], …]``: one series, named after the file.
    * ``[{"timestamp": …, "value": …}, …]``: a table.
    """

    format = "JSON"

    def __init__(self, path: FilePath, name: str, stem: str) -> None:
        self.file = TextFile(path, name)
        self.stem = stem
        self.bytes_total = self.file.bytes_total
        self.notes: list[str] = []
        first = [found for found, _ in itertools.islice(self._elements(), 1000)]
        if not first:
            raise DataError(f"{name} holds no series: its list is empty. {_EXPECTED}.")
        self.kind = self._kind(first[0])
        self.names = ["time", "value"]
        if self.kind == "objects":
            self.names = names_of([flat(row) for row in first if isinstance(row, dict)], name)
        self.format = {"series": "Prometheus JSON", "pairs": "Prometheus value list"}.get(self.kind, "JSON objects")

    def _kind(self, element: Any) -> str:
        if isinstance(element, dict):
            return "series" if "values" in element or {"value", "metric"} <= element.keys() else "objects"
        if isinstance(element, list) and len(element) == 2:
            return "pairs"
        raise DataError(f"{self.file.name}: got a list of {shown(json.dumps(element))}. {_EXPECTED}.")

    def chunks(self, columns: list[str] | None, tally: Tally) -> Iterator[Chunk]:
        """The rows from the beginning: series after series, each in the order of the file."""
        elements = self._elements()
        if self.kind == "series":
            yield from self._series(elements, tally)
            return
        names = self.names if columns is None else columns
        rows_max = max(1, BATCH_VALUES_MAX // max(len(names), 1))
        row = 0
        while batch := list(itertools.islice(elements, rows_max)):
            done = batch[-1][1]
            if self.kind == "pairs":
                yield from self._points([found for found, _ in batch], row, done, SeriesKey(self.stem), tally)
            else:
                kept = [k for k, (found, _) in enumerate(batch) if isinstance(found, dict)]
                for k in sorted(set(range(len(batch))) - set(kept)):
                    tally.bad_row(f"element {row + k + 1}: {shown(json.dumps(batch[k][0]))} is no object")
                arrays = to_columns([flat(batch[k][0]) for k in kept], names)
                yield Chunk(np.array(kept, np.int64) + row, arrays, lambda n: f"element {n + 1}", done)
            row += len(batch)

    def _series(self, elements: Iterator[tuple[Any, int]], tally: Tally) -> Iterator[Chunk]:
        row = 0
        for found, done in elements:
            labels = found.get("metric") if isinstance(found, dict) else None
            values = found.get("values", [found["value"]] if "value" in found else None) if labels is not None else None
            if not isinstance(labels, dict) or not isinstance(values, list):
                tally.bad_row(f"a series without metric and values: {shown(json.dumps(found))}")
                continue
            key = self._key(labels)
            for start in range(0, len(values), BATCH_VALUES_MAX):
                part = values[start : start + BATCH_VALUES_MAX]
                yield from self._points(part, row, done, key, tally)
                row += len(part)

    def _key(self, labels: dict[str, Any]) -> SeriesKey:
        named = {_BAD_LABEL.sub("_", k) or "_": str(v) for k, v in labels.items() if k != "__name__"}
        return SeriesKey(str(labels.get("__name__") or self.stem), named)

    def _points(self, pairs: list[Any], row: int, done: int, key: SeriesKey, tally: Tally) -> Iterator[Chunk]:
        import pyarrow as pa

        kept = [k for k, pair in enumerate(pairs) if isinstance(pair, list) and len(pair) == 2]
        for k in sorted(set(range(len(pairs))) - set(kept)) if len(kept) < len(pairs) else ():
            tally.bad_row(f"point {row + k + 1}: {shown(json.dumps(pairs[k]))} is no [time, value]")
        if kept:
            cells = [None if pairs[k][1] is None else str(pairs[k][1]) for k in kept]
            columns = {"time": to_column([pairs[k][0] for k in kept]), "value": pa.array(cells, pa.string())}
            yield Chunk(np.array(kept, np.int64) + row, columns, lambda n: f"point {n + 1}", done, key)

    def _elements(self) -> Iterator[tuple[Any, int]]:
        """Elements of the one list that matters, with the bytes of the file read so far."""
        text = _Window(self.file)
        text.more()
        head = text.held.lstrip()
        if match := _RESULT.search(text.held) if head.startswith("{") else None:
            text.at = match.end()
        elif head.startswith("["):
            text.at = len(text.held) - len(head) + 1
        else:
            yield self._single(text), self.bytes_total
            return
        decode = json.JSONDecoder().raw_decode
        while not text.skip(" \t\r\n,").startswith("]"):
            if text.ended and not text.held[text.at :]:
                raise DataError(f"{self.file.name} ends in the middle of its list. Copy it again.")
            try:
                found, at = decode(text.held, text.at)
                if at == len(text.held) and not text.ended:
                    raise ValueError
            except ValueError as error:
                if text.ended:
                    raise DataError(f"{self.file.name} is not valid JSON: {error}.") from None
                text.more()
                continue
            except RecursionError:
                raise DataError(f"{self.file.name} is nested too deeply. {_EXPECTED}.") from None
            text.at = at
            yield found, text.bytes_done

    def _single(self, text: _Window) -> Any:
        while not text.ended:
            text.more()
        try:
            found = json.loads(text.held)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{self.file.name} is not valid JSON: {error}. {_EXPECTED}.") from None
        if isinstance(found, dict) and found.get("status") == "error":
            what = f"{found.get('errorType')}: {found.get('error')}"
            raise DataError(f"{self.file.name} is an error answer of Prometheus: {what}. Query again.")
        if isinstance(found, dict) and "values" in found:
            return {"metric": {}} | found
        raise DataError(f"{self.file.name}: got {shown(json.dumps(found))}. {_EXPECTED}.")


class _Window:
    """The text not yet decoded; it doubles while one element does not fit, so that decoding stays linear."""

    def __init__(self, file: TextFile) -> None:
        self._pieces = file.pieces()
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._name = file.name
        self.held, self.at, self.bytes_done, self.ended = "", 0, 0, False

    def more(self) -> None:
        """Read at least as much as is held."""
        held = self.held[self.at :]
        parts, size = [held], 0
        while size <= len(held) and not self.ended:
            piece = next(self._pieces, None)
            if piece is None:
                self.ended = True
            else:
                parts.append(self._decode(piece.text))
                size += len(parts[-1])
                self.bytes_done = piece.bytes_done
        self.held, self.at = "".join(parts), 0
        if len(self.held) > ELEMENT_BYTES_MAX * 2:
            raise DataError(
                f"{self._name}: one series has more than {ELEMENT_BYTES_MAX:,} bytes of text. Query a shorter range."
            )

    def skip(self, characters: str) -> str:
        """Move past ``characters``; the first character after them, empty at the end."""
        while True:
            while self.at < len(self.held) and self.held[self.at] in characters:
                self.at += 1
            if self.at < len(self.held) or self.ended:
                return self.held[self.at : self.at + 1]
            self.more()
