"""The group ``watchband aws``: a line for each command."""

from __future__ import annotations

import typer

from watchband.apps.cli.aws import doctor, package
from watchband.apps.cli.bench import examples

aws = typer.Typer(
    name="aws",
    no_args_is_help=True,
    rich_markup_mode="rich",
    add_completion=False,
    help="On Amazon Web Services: whether an account is ready, and what functions of Lambda are made of.",
)


@aws.callback()
def _group() -> None:
    # With a callback it stays a group, however few its commands are.
    pass


aws.command("doctor", epilog=examples(doctor.EXAMPLES))(doctor.doctor)
aws.command("package", epilog=examples(package.EXAMPLES))(package.package)
