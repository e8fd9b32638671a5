"""``watchband aws doctor``: whether an account of AWS lets a configuration run, and what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EXAMPLES = (
    "watchband aws doctor",
    "watchband aws doctor watchband.yaml --region eu-west-1",
    "watchband aws doctor --policy > statements.json",
    "watchband aws doctor --json | jq '.findings[] | select(.level != \"ok\")'",
)
DEFAULT = Path("watchband.yaml")


def doctor(
    config: Annotated[
        Path | None, typer.Argument(help="A YAML file, or a directory of them.", metavar="CONFIG", show_default=False)
    ] = None,
    region: Annotated[str | None, typer.Option("--region", help="Where nothing else says it.", metavar="NAME")] = None,
    profile: Annotated[
        str | None, typer.Option("--profile", help="Profile of ~/.aws/config, the same.", metavar="NAME")
    ] = None,
    endpoint_url: Annotated[
        str | None, typer.Option("--endpoint-url", help="Another address than AWS's, the same.", metavar="URL")
    ] = None,
    policy: Annotated[
        bool,
        typer.Option("--policy", help="Print only the policy that the configuration needs, and ask nothing of AWS."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Credentials, permissions, limits, and what a configuration names. It only reads, and prints no secret.

    Without CONFIG: watchband.yaml, if there is one, else credentials and limits only.

    Exit codes: 0 it can run; 1 something is missing; 2 the file has mistakes.
    """
    from watchband.adapters.aws.access import AwsAccess
    from watchband.apps.aws_doctor.checkup import examine
    from watchband.apps.aws_doctor.needs import users, wanted
    from watchband.apps.config.config import read_config
    from watchband.apps.library.outputs.documents import to_json
    from watchband.core.clock import SystemClock

    path = config if config is not None else DEFAULT if DEFAULT.exists() else None
    here = AwsAccess(region=region, profile=profile, endpoint_url=endpoint_url)
    parts = [part.over(here) for part in users(read_config(path))] if path is not None else []
    if policy:
        typer.echo(to_json(wanted(parts)))
        return
    report = examine(parts, here, SystemClock())
    if as_json:
        typer.echo(to_json(report.document()))
    else:
        from watchband.apps.cli.aws.doctor_view import show

        show(report, str(path) if path is not None else None)
    if report.missing:
        raise typer.Exit(1)
