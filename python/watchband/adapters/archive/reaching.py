"""A place of objects as a file system of Arrow's, to read from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, BinaryIO

from watchband.adapters.objects.place import Entry, Place


class _Opened:
    """A file that is closed when nobody has it any more: Arrow lets go of one without a word."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __del__(self) -> None:
        self._file.close()


def handler(place: Place, known: Mapping[str, Entry]) -> Any:
    """What ``pyarrow.fs.PyFileSystem`` is made of; paths are keys of the place. It only reads.

    ``known`` are objects that need not be asked for.
    """
    import pyarrow as pa
    from pyarrow.fs import FileInfo, FileSystemHandler, FileType

    class Objects(FileSystemHandler):  # type: ignore[misc]
        """Finds and opens objects."""

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Objects)

        def __hash__(self) -> int:
            return hash(place.name)

        def get_type_name(self) -> str:
            return "watchband"

        def normalize_path(self, path: str) -> str:
            return path

        def get_file_info(self, paths: list[str]) -> list[Any]:
            return [self._info(path) for path in paths]

        def _info(self, path: str) -> Any:
            entry = known.get(path) or place.find(path)
            return (
                FileInfo(path, FileType.NotFound) if entry is None else FileInfo(path, FileType.File, size=entry.size)
            )

        def get_file_info_selector(self, selector: Any) -> list[Any]:
            return [self._info(entry.key) for entry in place.entries(selector.base_dir)]

        def open_input_file(self, path: str) -> Any:
            entry = known.get(path) or place.find(path)
            if entry is None:
                raise FileNotFoundError(path)
            return pa.PythonFile(_Opened(place.open(entry)), mode="r")

        def open_input_stream(self, path: str) -> Any:
            return self.open_input_file(path)

        def _refuse(self, *_: Any, **__: Any) -> Any:
            raise PermissionError("An archive is only read by this.")

        create_dir = delete_dir = delete_dir_contents = delete_root_dir_contents = delete_file = _refuse
        move = copy_file = open_output_stream = open_append_stream = _refuse

    return Objects()
