"""The house rules, as a program."""

from __future__ import annotations

import ast
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "python" / "watchband"
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
MEDIAN_LINES_MAX = 150
LAYERS = {"core": 0, "features": 1, "detectors": 2, "pipeline": 3, "evaluation": 4, "analysis": 5, "apps": 6}
CODE = {".py", ".pyi", ".rs", ".ts", ".tsx", ".js", ".css", ".html"}
HEAVY = {
    "pyarrow",
    "pandas",
    "polars",
    "matplotlib",
    "rich",
    "typer",
    "narwhals",
    "psutil",
    "sklearn",
    "optuna",
    "river",
    "httpx",
    "duckdb",
    "psycopg",
    "cramjam",
    "google",
    "prometheus_client",
    "uvicorn",
    "boto3",
    "botocore",
}
# Modules that need a heavy library for their base classes; they count as heavy themselves.
LATE = {"watchband.adapters.wire"}
BANNED_NAMES = re.compile(r"(^|_)(util|utils|helper|helpers|common|misc|manager|managers)(_|\.|$)")
# Built from parts, so that this file does not contain what it forbids.
BANNED_TEXT = {
    "pickle": r"^\s*(import|from)\s+(pickle|dill|joblib|cloudpickle)\b",
    "a leftover": r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b",
    "a skipped test": r"pytest\.(mark\.)?skip|import" + r"orskip",
    "a path of one machine": r"/(ho" + r"me|ro" + r"ot|wo" + r"rk|tmp/w" + r"b)/",
    "a registry address": r"https?://[^\s\"']*(pythonhosted|pypi|crates\.io|npmjs)|index" + r"-url",
}
# Cargo writes the name of its registry into its lock file; it is no download address.
BANNED_TEXT_EXEMPT = {("a registry address", "Cargo.lock")}


def tracked(*suffixes: str) -> list[Path]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\n")
    found = [ROOT / n for n in names if n and (not suffixes or Path(n).suffix in suffixes)]
    return [p for p in found if p.is_file()]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def fail_on(problems: list[str]) -> None:
    assert not problems, "\n" + "\n".join(problems)


def test_files_are_short() -> None:
    sizes = {name(p): len(p.read_text().splitlines()) for p in tracked() if p.suffix in CODE}
    fail_on([f"{n}: {lines} lines, allowed {FILE_LINES_MAX}" for n, lines in sizes.items() if lines > FILE_LINES_MAX])


def test_the_median_module_is_small() -> None:
    sizes = [len(p.read_text().splitlines()) for p in PACKAGE.rglob("*.py")]
    assert statistics.median(sizes) <= MEDIAN_LINES_MAX


def functions(path: Path) -> Iterator[tuple[str, int, int]]:
    """Name, line and length of each function of a Python or Rust file."""
    text = path.read_text()
    if path.suffix == ".py":
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield node.name, node.lineno, (node.end_lineno or node.lineno) - node.lineno + 1
        return
    lines = text.split("\n")
    for i, line in enumerate(lines):
        if match := re.match(r"(\s*)(?:pub(?:\([a-z]+\))? )?(?:async )?(?:fn|function) (\w+)", line):
            end = next((k for k in range(i, len(lines)) if re.match(match[1] + r"\}", lines[k])), i)
            yield match[2], i + 1, end - i + 1


def test_functions_are_short() -> None:
    fail_on(
        [
            f"{name(p)}:{line}: {function} has {length} lines, allowed {FUNCTION_LINES_MAX}"
            for p in tracked(".py", ".rs", ".js", ".ts")
            for function, line, length in functions(p)
            if length > FUNCTION_LINES_MAX
        ]
    )


def imports(path: Path) -> Iterator[tuple[str, int, bool]]:
    """Imported module, line, and whether it is imported when the file is."""
    tree = ast.parse(path.read_text())
    inner = {
        id(child)
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) or _type_checking(node)
        for child in ast.walk(node)
        if child is not node
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno, id(node) not in inner
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, node.lineno, id(node) not in inner
            for alias in node.names:
                yield f"{node.module}.{alias.name}", node.lineno, id(node) not in inner


def _type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def allowed(layer: str, other: str) -> bool:
    if layer == "testing":
        return other in ("core", "testing", "detectors", "pipeline", "features")
    if layer == "adapters":
        return other in ("core", "adapters")
    if other == "adapters":
        return layer == "apps"
    if other == "testing":
        return False
    return other == layer or LAYERS[other] < LAYERS[layer]


def test_imports_never_turn_back() -> None:
    problems = []
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).parts
        if len(parts) < 2:
            continue
        for module, line, _ in imports(path):
            words = module.split(".")
            ours = words[0] == "watchband" and len(words) > 1 and words[1] in {*LAYERS, "adapters", "testing"}
            if ours and not allowed(parts[0], words[1]):
                problems.append(f"{name(path)}:{line}: {parts[0]} imports {module}")
    fail_on(problems)


def test_detectors_do_not_import_each_other() -> None:
    """The parts of one detector stand in a package, and are its own."""
    problems = []
    detectors = {p.stem for p in (PACKAGE / "detectors").glob("*.py")} - {"__init__"}
    for path in (PACKAGE / "detectors").glob("*.py"):
        for module, line, _ in imports(path):
            words = module.split(".")
            other = words[:2] == ["watchband", "detectors"] and len(words) > 2 and words[2] in detectors
            if other and path.name != "__init__.py":
                problems.append(f"{name(path)}:{line}: a detector imports {module}")
    fail_on(problems)


def test_heavy_libraries_are_imported_late() -> None:
    """Below apps nothing heavy is imported when a module is."""
    problems = []
    for path in PACKAGE.rglob("*.py"):
        inside = path.relative_to(PACKAGE.parent).with_suffix("").parts
        if inside[1] == "apps" or ".".join(inside) in LATE:
            continue
        problems += [
            f"{name(path)}:{line}: {module} is imported at the top"
            for module, line, early in imports(path)
            if early and (module.split(".")[0] in HEAVY or module in LATE)
        ]
    fail_on(problems)


def test_importing_watchband_imports_numpy_only() -> None:
    code = (
        "import sys; before = set(sys.modules); import watchband, watchband.core.detector\n"
        "new = {m.split('.')[0] for m in set(sys.modules) - before}\n"
        "print(' '.join(sorted(m for m in new if not m.startswith('_') and m not in sys.stdlib_module_names)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert set(found) <= {"numpy", "watchband"}


def test_names_say_what_a_file_is() -> None:
    fail_on([f"{name(p)}: this name explains nothing" for p in tracked() if BANNED_NAMES.search(p.name)])


@pytest.mark.parametrize("what", BANNED_TEXT)
def test_nothing_that_must_not_land(what: str) -> None:
    pattern = re.compile(BANNED_TEXT[what], re.MULTILINE)
    problems = []
    for path in tracked():
        if (what, name(path)) in BANNED_TEXT_EXEMPT or path.suffix in (".gz", ".png", ".bin", ".state"):
            continue
        text = path.read_text()
        if path.suffix == ".ipynb":  # the bytes of a picture may spell anything
            text = re.sub(r'"image/png": "[^"]*"', '"image/png": ""', text)
        problems += [
            f"{name(path)}:{text.count(chr(10), 0, m.start()) + 1}: {what}: {m.group()!r}"
            for m in pattern.finditer(text)
        ]
    fail_on(problems)


def test_only_the_command_line_prints() -> None:
    problems = []
    for path in PACKAGE.rglob("*.py"):
        if path.relative_to(PACKAGE).parts[:2] == ("apps", "cli"):
            continue
        problems += [
            f"{name(path)}:{node.lineno}: print"
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
        ]
    fail_on(problems)


def test_every_module_and_public_thing_says_what_it_is() -> None:
    problems = []
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text())
        if not ast.get_docstring(tree):
            problems.append(f"{name(path)}:1: the module has no docstring")
        problems += [
            f"{name(path)}:{node.lineno}: {node.name} has no docstring"
            for node in tree.body
            if isinstance(node, (ast.ClassDef, ast.FunctionDef))
            and not node.name.startswith("_")
            and not ast.get_docstring(node)
        ]
    fail_on(problems)


def test_no_module_is_an_orphan() -> None:
    """Every module is imported by another, named in a table, or the program itself."""
    text = "\n".join(p.read_text() for p in [*tracked(".py"), ROOT / "pyproject.toml"])
    problems = []
    for path in PACKAGE.rglob("*.py"):
        if path.name not in ("__init__.py", "__main__.py"):
            module = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
            package, _, stem = module.rpartition(".")
            if module not in text and not re.search(rf"from {re.escape(package)} import [^\n]*\b{stem}\b", text):
                problems.append(f"{name(path)}: nothing imports it")
    fail_on(problems)


def test_unsafe_code_is_forbidden() -> None:
    assert "#![forbid(unsafe_code)]" in (ROOT / "rust" / "lib.rs").read_text()


def test_one_file_a_kernel_and_its_binding() -> None:
    kernels = {p.stem for p in (ROOT / "rust" / "kernels").glob("*.rs")}
    bindings = {p.stem for p in (ROOT / "rust" / "bindings").glob("*.rs")} - {"mod", "batch", "one"}
    assert bindings <= kernels


def test_lock_files_have_hashes_and_no_addresses() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        text = path.read_text()
        assert "--hash=sha256:" in text
        assert "://" not in text
