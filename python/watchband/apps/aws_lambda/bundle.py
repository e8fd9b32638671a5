"""The package of the functions: what is in it, as a zip and as what a container image copies."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path, PurePosixPath

import watchband
from watchband.core.errors import ConfigError

UNPACKED_MAX = 250 * 1024 * 1024
"""Of a function with its layers: docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html."""
NEEDED = ("numpy", "pyyaml", "tzdata")
"""What every handler imports that the runtime of Python does not bring; boto3 it brings."""
POLLING = ("httpx", "httpcore", "h11", "anyio", "idna", "certifi", "typing_extensions")
"""What asking an API over HTTP takes besides."""
READING = ("pyarrow",)
"""What reading files of S3 takes besides: 130 MB."""
PYTHON = "3.12"
CONFIG = "watchband.yaml"
_LEFT_OUT = re.compile(
    r"(^|/)(__pycache__|tests?)/|\.(pyi|pyx|pxd|a|h|c|lib)$|^watchband/(apps/(cli|server/static)|testing)/"
    r"|^numpy/(f2py|distutils|doc)/|^pyarrow/(include|src)/|^\.\.|/RECORD$|/(direct_url\.json|INSTALLER|REQUESTED)$"
)
_GLIBC = re.compile(rb"GLIBC_2\.(\d{1,3})\b")
GLIBC = 34
"""Of Amazon Linux 2023, on which Python 3.12 runs."""
_MACHINES = {62: "x86_64", 183: "aarch64"}
_EPOCH = (1980, 1, 1, 0, 0, 0)
CONTAINERFILE = """# Watchband as a function of AWS Lambda. The command names the handler; a template names it too.
#
#     docker build -f Containerfile -t watchband-lambda .
FROM public.ecr.aws/lambda/python:{python}
COPY app/ ${{LAMBDA_TASK_ROOT}}/
CMD ["watchband.apps.aws_lambda.handler.kinesis"]
"""


@dataclass(frozen=True)
class Wanted:
    """What is to be put together.

    Parameters
    ----------
    python, machine : str
        Of the functions: ``3.12``; ``x86_64`` or ``arm64``.
    wheel : Path, optional
        Watchband's own, say for another machine; what runs now otherwise.
    config : Path, optional
        Comes along as ``watchband.yaml``.
    add : sequence of Path
        Other files that the configuration names, beside it.
    polling, reading : bool
        Whether functions ask APIs over HTTP, and read files of S3.
    """

    python: str = PYTHON
    machine: str = "x86_64"
    wheel: Path | None = None
    config: Path | None = None
    add: Sequence[Path] = ()
    polling: bool = True
    reading: bool = False

    def __post_init__(self) -> None:
        if re.fullmatch(r"3\.\d{1,2}", self.python) is None:
            raise ConfigError(f"--python is a version such as {PYTHON}. Got {self.python!r}.")
        if self.machine not in ("x86_64", "arm64"):
            raise ConfigError(f"--arch is x86_64 or arm64. Got {self.machine!r}.")

    @property
    def packages(self) -> tuple[str, ...]:
        """Names of what comes along."""
        return (*NEEDED, *(POLLING if self.polling else ()), *(READING if self.reading else ()))


@dataclass
class Bundle:
    """Files by the names that they have in the package.

    Attributes
    ----------
    files : dict of str to bytes
    parts : dict of str to int
        Bytes of each of its first folders.
    glibc : int
        The newest version 2.x of glibc that a library in it asks for.
    """

    files: dict[str, bytes] = field(default_factory=dict)

    @property
    def unpacked(self) -> int:
        """Bytes of all files."""
        return sum(map(len, self.files.values()))

    @property
    def parts(self) -> Mapping[str, int]:
        """Bytes by first folder, the largest first."""
        found: dict[str, int] = {}
        for name, data in self.files.items():
            first = PurePosixPath(name).parts[0].partition(".")[0].partition("-")[0]
            found[first] = found.get(first, 0) + len(data)
        return dict(sorted(found.items(), key=lambda one: -one[1]))

    @property
    def glibc(self) -> int:
        """The newest 2.x that is asked for."""
        asked = (int(n) for d in self.files.values() if d[:4] == b"\x7fELF" for n in _GLIBC.findall(d))
        return max(asked, default=0)

    def write_zip(self, path: Path) -> int:
        """The zip, the same bytes for the same files; how many they are."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in sorted(self.files):
                info = zipfile.ZipInfo(name, _EPOCH)
                info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o100644 << 16
                archive.writestr(info, self.files[name])
        return path.stat().st_size

    def write_container(self, folder: Path, python: str) -> None:
        """What an image is built from: the file that says how, and the files in ``app``."""
        app = folder / "app"
        if app.exists():
            shutil.rmtree(app)
        for name, data in self.files.items():
            path = app / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        (folder / "Containerfile").write_text(CONTAINERFILE.format(python=python))


def gather(wanted: Wanted) -> Bundle:
    """Put a package together.

    Raises
    ------
    ConfigError
        Something is missing, made for another machine, or too large.
    """
    bundle = Bundle()
    for name, data in (*_watchband(wanted), *_packages(wanted), *_own(wanted)):
        if not _LEFT_OUT.search(name):
            bundle.files[name] = data
    machine = "aarch64" if wanted.machine == "arm64" else wanted.machine
    for name, data in bundle.files.items():
        if data[:4] == b"\x7fELF" and (made := _MACHINES.get(int.from_bytes(data[18:20], "little"))) != machine:
            raise ConfigError(
                f"{name} is made for {made}, and the functions run on {wanted.machine}. Give --wheel the wheel of "
                "Watchband for that machine."
            )
    if bundle.unpacked > UNPACKED_MAX:
        raise ConfigError(
            f"The package has {bundle.unpacked:,} bytes; Lambda takes {UNPACKED_MAX:,} at most. Leave --files out, or "
            "make a container image of it."
        )
    return bundle


def _watchband(wanted: Wanted) -> Iterator[tuple[str, bytes]]:
    if wanted.wheel is not None:
        try:
            with zipfile.ZipFile(wanted.wheel) as wheel:
                yield from ((n, wheel.read(n)) for n in wheel.namelist() if not n.endswith("/"))
        except (OSError, zipfile.BadZipFile) as error:
            raise ConfigError(f"--wheel: {wanted.wheel} is no wheel: {error}") from None
        return
    root = Path(watchband.__file__).parent
    yield from ((str(PurePosixPath("watchband", p.relative_to(root))), p.read_bytes()) for p in _files(root))


def _own(wanted: Wanted) -> Iterator[tuple[str, bytes]]:
    """The configuration, and what it names."""
    try:
        if wanted.config is not None:
            yield CONFIG, wanted.config.read_bytes()
        for path in wanted.add:
            if path.is_dir():
                yield from ((str(PurePosixPath(path.name, p.relative_to(path))), p.read_bytes()) for p in _files(path))
            else:
                yield path.name, path.read_bytes()
    except OSError as error:
        raise ConfigError(f"It cannot be read: {error}") from None


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def _packages(wanted: Wanted) -> Iterator[tuple[str, bytes]]:
    """What Watchband needs: as it is installed here, or, for another Python or machine, as pip gets it."""
    here = wanted.python == f"{sys.version_info[0]}.{sys.version_info[1]}" and _here(wanted.machine)
    if here:
        for package in wanted.packages:
            yield from _installed(package)
        return
    with tempfile.TemporaryDirectory(prefix="watchband-aws-") as folder:
        _got(wanted, Path(folder))
        root = Path(folder)
        yield from ((str(PurePosixPath(p.relative_to(root))), p.read_bytes()) for p in _files(root))


def _here(machine: str) -> bool:
    return platform.system() == "Linux" and platform.machine() == ("aarch64" if machine == "arm64" else machine)


def _installed(package: str) -> Iterator[tuple[str, bytes]]:
    try:
        found = metadata.distribution(package)
    except metadata.PackageNotFoundError:
        raise ConfigError(
            f"{package} is not installed here. Install it, or use another --python than this one."
        ) from None
    for name in found.files or ():
        if not _LEFT_OUT.search(str(name)) and (path := Path(str(found.locate_file(name)))).is_file():
            yield str(name), path.read_bytes()


def _got(wanted: Wanted, folder: Path) -> None:
    """Have pip install into a folder, for the functions' Python and machine, the versions that are installed here."""
    machine = "aarch64" if wanted.machine == "arm64" else "x86_64"
    platforms = [f"--platform=manylinux{shape}_{machine}" for shape in ("_2_28", "_2_17", "2014")]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:", "--no-compile"]
    command += [f"--target={folder}", *platforms, f"--python-version={wanted.python}", "--implementation=cp"]
    command += [_pinned(package) for package in wanted.packages]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise ConfigError(
            f"pip could not get the packages for Python {wanted.python}: {said[-1] if said else 'no word'}"
        )


def _pinned(package: str) -> str:
    try:
        return f"{package}=={metadata.version(package)}"
    except metadata.PackageNotFoundError:
        return package
