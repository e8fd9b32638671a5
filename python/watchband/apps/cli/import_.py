"""``watchband import``: a configuration made of what somebody already has."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from watchband.apps.cli.bench import examples
from watchband.core.errors import ConfigError

import_ = typer.Typer(
    name="import",
    no_args_is_help=True,
    rich_markup_mode="rich",
    add_completion=False,
    help="A configuration made of alarms, detectors and mute rules that are there.",
)
CLOUDWATCH_EXAMPLES = (
    "watchband import cloudwatch --region eu-west-1 --out watchband.yaml",
    "watchband import cloudwatch --profile prod --prefix web- --json",
)


@import_.callback()
def _group() -> None:
    # With a callback it stays a group, however few its commands are.
    pass


@import_.command("cloudwatch", epilog=examples(CLOUDWATCH_EXAMPLES))
def cloudwatch(
    region: Annotated[str | None, typer.Option("--region", help="Of the account.", metavar="REGION")] = None,
    profile: Annotated[str | None, typer.Option("--profile", help="Of ~/.aws/config.", metavar="NAME")] = None,
    role_arn: Annotated[str | None, typer.Option("--role-arn", help="A role to assume.", metavar="ARN")] = None,
    endpoint_url: Annotated[
        str | None, typer.Option("--endpoint-url", help="Another address than AWS's.", metavar="URL")
    ] = None,
    prefix: Annotated[str, typer.Option("--prefix", help="Only alarms that begin so.", metavar="TEXT")] = "",
    out: Annotated[Path | None, typer.Option("--out", help="Write it here, not to stdout.", metavar="FILE")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Make a watchband.yaml of CloudWatch's alarms, anomaly detectors and mute rules, with comments on what differs.

    It only reads. Credentials are found as boto3 finds them; nothing secret is copied. Read the comments, then run
    watchband check, which says what reading these metrics costs.
    """
    from watchband.adapters.aws.access import AwsAccess
    from watchband.adapters.sources.cloudwatch.inventory import Reader
    from watchband.apps.cli.config import write_new
    from watchband.apps.config.cloudwatch import imported
    from watchband.core.clock import SystemClock

    clock = SystemClock()
    access = AwsAccess(region=region, profile=profile, role_arn=role_arn, endpoint_url=endpoint_url)
    access.check_access()
    reader = Reader(access, clock)
    try:
        found = imported(reader.read(prefix), clock.now())
    finally:
        reader.close()
    if not found.watches and not found.notes:
        raise ConfigError("There are no alarms and no anomaly detectors. Is it the right region and account?")
    if as_json:
        from watchband.apps.library.outputs.documents import to_json

        typer.echo(to_json(found.document()))
        return
    if out is None:
        typer.echo(found.text(), nl=False)
        return
    write_new(out, found.text(), force=force)
    said = [note.level for notes in found.notes.values() for note in notes]
    typer.echo(
        f"{out}: {len(found.watches)} watches, {len(found.windows)} windows as comments. "
        f"Approximated: {said.count('approximated')}, left out: {said.count('left_out')}; the comments say what."
    )
