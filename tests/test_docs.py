"""The docs say what the code does: examples run, tables are generated, links lead somewhere."""

from __future__ import annotations

import contextlib
import doctest
import importlib
import io
import os
import pkgutil
import re
from pathlib import Path

import pytest

import watchband
from tools.docs import SCHEMA, generated
from watchband.apps.config import schema
from watchband.detectors import DETECTORS
from watchband.pipeline.catalogue import CATALOGUE

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
MODULES = sorted(m.name for m in pkgutil.walk_packages(watchband.__path__, "watchband.") if "_kernels" not in m.name)
FENCE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
DOCTEST_FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def page_id(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("module", MODULES)
def test_examples_in_docstrings(module: str) -> None:
    if module.endswith("__main__"):
        return
    failed, _ = doctest.testmod(importlib.import_module(module), optionflags=DOCTEST_FLAGS)
    assert failed == 0


@pytest.mark.parametrize("path", PAGES, ids=page_id)
def test_examples_in_pages(path: Path, tmp_path: Path) -> None:
    """Blocks of one page run in order in one namespace; a block with >>> is a doctest."""
    names: dict[str, object] = {"__name__": "page"}
    before = Path.cwd()
    os.chdir(tmp_path)
    try:
        for number, block in enumerate(FENCE.findall(path.read_text())):
            if ">>>" in block:
                test = doctest.DocTestParser().get_doctest(block, names, f"{path.name}[{number}]", str(path), 0)
                runner = doctest.DocTestRunner(optionflags=DOCTEST_FLAGS)
                runner.run(test, clear_globs=False)
                names = test.globs
                assert runner.summarize(verbose=False).failed == 0
            else:
                with contextlib.redirect_stdout(io.StringIO()):
                    exec(compile(block, f"{path}[{number}]", "exec"), names)
    finally:
        os.chdir(before)


@pytest.mark.parametrize("path", PAGES, ids=page_id)
def test_links_lead_somewhere(path: Path) -> None:
    text = re.sub(r"```.*?```", "", path.read_text(), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)|(?:src|srcset)=\"([^\"]+)\"", text):
        link = (target[0] or target[1]).partition("#")[0]
        if link and "://" not in link and not link.startswith("mailto:"):
            assert (path.parent / link).exists(), f"{page_id(path)} links to {link}"


def test_the_index_lists_every_page() -> None:
    docs = ROOT / "docs"
    listed = {(docs / link).resolve() for link in re.findall(r"\]\(([^)\s]+)\)", (docs / "README.md").read_text())}
    assert {p for p in docs.rglob("*.md") if p != docs / "README.md"} <= listed


@pytest.mark.parametrize("name", CATALOGUE.names())
def test_every_detector_has_its_page(name: str) -> None:
    page = ROOT / "docs" / "detectors" / f"{name}.md"
    assert page.exists()
    text = page.read_text()
    assert "<!-- params -->" in text
    for word in ("Works", "Does not work", "bytes"):
        assert word.lower() in text.lower(), f"{page.name} does not say: {word}"


@pytest.mark.parametrize("path", PAGES, ids=page_id)
def test_generated_parts_are_current(path: Path) -> None:
    assert generated(path.read_text()) == path.read_text(), "run: make docs"


def test_the_schema_of_the_configuration_is_current() -> None:
    assert schema.text() == SCHEMA.read_text(), "run: make docs"


@pytest.mark.parametrize("name", DETECTORS.names())
def test_a_verified_detector_has_its_proofs(name: str) -> None:
    found = DETECTORS.get(name)
    if found.maturity == "verified":
        assert (ROOT / "tests" / "reference" / f"{name}.py").exists()
        assert list((ROOT / "tests" / "golden" / "states").glob(f"{name}-v*.bin"))


def test_readme_names_commands_that_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in ("README.md", "CONTRIBUTING.md"):
        for command in re.findall(r"\bmake ([a-z-]+)", (ROOT / page).read_text()):
            assert command in targets, f"{page} names make {command}"


def test_changelog_knows_this_version() -> None:
    assert f"## [{watchband.__version__}]" in (ROOT / "CHANGELOG.md").read_text()
