"""``watchband bench``: what can be checked of Watchband itself."""

from __future__ import annotations

import typer

from watchband.apps.cli import bench_robustness, bench_scenes

bench = typer.Typer(
    name="bench",
    no_args_is_help=True,
    rich_markup_mode="rich",
    add_completion=False,
    help="Check the promises of Watchband on this machine.",
)


def examples(lines: tuple[str, ...]) -> str:
    """The end of a command's help: one example a line."""
    return "Examples:\n\n" + "\n\n".join(f"$ {line}" for line in lines)


@bench.callback()
def _group() -> None:
    # With a callback it stays a group, however few its commands are.
    pass


bench.command("robustness", epilog=examples(bench_robustness.EXAMPLES))(bench_robustness.robustness)
bench.command("scenes", epilog=examples(bench_scenes.EXAMPLES))(bench_scenes.scenes)
