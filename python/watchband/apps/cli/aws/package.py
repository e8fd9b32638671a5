"""``watchband aws package``: the zip of the functions, and what their container image is built from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from watchband.apps.cli.store_flags import AsJson

EXAMPLES = (
    "watchband aws package --config watchband.yaml",
    "watchband aws package --config watchband.yaml --out build --container",
    "watchband aws package --config watchband.yaml --arch arm64 --wheel watchband-0.1.0-cp311-abi3-linux_aarch64.whl",
)
Out = Annotated[Path, typer.Option("--out", help="Folder that it is written to.", metavar="DIR")]


def package(
    config: Annotated[
        Path | None,
        typer.Option("--config", help="The configuration; it comes along as watchband.yaml.", metavar="FILE"),
    ] = None,
    add: Annotated[
        list[Path] | None,
        typer.Option("--add", help="A file or folder that the configuration names; repeatable.", metavar="PATH"),
    ] = None,
    out: Out = Path("watchband-lambda"),
    container: Annotated[
        bool, typer.Option("--container", help="Also what an image is built from: container/Containerfile.")
    ] = False,
    arch: Annotated[str, typer.Option("--arch", help="x86_64 or arm64.", metavar="ARCH")] = "x86_64",
    python: Annotated[str, typer.Option("--python", help="Python of the functions.", metavar="VERSION")] = "3.12",
    wheel: Annotated[
        Path | None, typer.Option("--wheel", help="Watchband's wheel, for another machine than this.", metavar="FILE")
    ] = None,
    files: Annotated[bool, typer.Option("--files", help="With what reading files of S3 takes: 130 MB more.")] = False,
    as_json: AsJson = False,
) -> None:
    """Put the package of the Lambda functions together: Watchband, numpy and little else; boto3 is in the runtime.

    For the Python and machine of this computer packages are copied from here; for others pip gets them.
    """
    from watchband.apps.aws_lambda.bundle import GLIBC, Wanted, gather

    found = gather(Wanted(python=python, machine=arch, wheel=wheel, config=config, add=tuple(add or ()), reading=files))
    path = out / "watchband-lambda.zip"
    zipped = found.write_zip(path)
    if container:
        found.write_container(out / "container", python)
    if as_json:
        said = {
            "zip": str(path), "files": len(found.files), "zipped": zipped, "unpacked_bytes": found.unpacked,
            "parts": dict(found.parts), "glibc": f"2.{found.glibc}",
            "container": str(out / "container") if container else None,
        }  # fmt: skip
        print(json.dumps(said))
        return
    print(f"{path}: {zipped / 1e6:.1f} MB, {len(found.files):,} files, {found.unpacked / 1e6:.1f} MB unpacked")
    for name, size in list(found.parts.items())[:6]:
        print(f"  {size / 1e6:8.1f} MB  {name}")
    if container:
        print(f"{out / 'container'}: docker build -f Containerfile -t watchband-lambda .")
    if found.glibc > GLIBC:
        print(
            f"It needs glibc 2.{found.glibc}; Lambda has 2.{GLIBC}. Build the wheel where glibc is older, "
            "say in Debian 11, and give it by --wheel; or build the container's image on a newer base."
        )
