"""The container file and the compose file, read as an engine reads them; configurations by the programs themselves.

`make container-test` runs the steps of the container file and what it builds.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.adapters.servers import program
from tools.container import FILE, Build
from tools.containerfile import left_in, parse
from watchband.apps.server.settings import PORT

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "deploy" / "compose"
PLACES = {"/run/secrets/": "secrets/", "/etc/prometheus/": "", "/etc/watchband/": "", "/etc/alertmanager/": ""}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((COMPOSE / "compose.yaml").read_text())


def test_steps_are_read_as_they_stand() -> None:
    stages = parse(
        'FROM a AS one\n# no step\nRUN --mount=type=cache,target=/x x \\\n  && y\nFROM b\nCMD ["c", "d e"]\n'
    )
    assert [(s.base, s.name) for s in stages] == [("a", "one"), ("b", "1")]
    (run,) = stages[0].steps
    assert (run.word, run.flags, run.text) == ("RUN", {"mount": "type=cache,target=/x"}, "x   && y")
    assert stages[1].steps[0].words == ["c", "d e"]


@pytest.mark.parametrize("text", ["RUN x", "FROM a\nADD x y", "FROM a b c"])
def test_what_is_not_known_is_not_passed_over(text: str) -> None:
    with pytest.raises(ValueError, match=r"not known|cannot be read"):
        parse(text)


def test_the_image_runs_as_a_user_without_rights_and_says_how_it_is() -> None:
    *builders, last = parse(FILE.read_text())
    assert len(builders) == 2, "what builds is not in what runs"
    assert [s.base for s in (*builders, last)] == [
        "node:20-bookworm-slim",
        "debian:bookworm-slim",
        "debian:bookworm-slim",
    ]
    user = last.last("USER")
    assert user is not None
    assert user.text == "8470:8470"
    order = [step.word for step in last.steps]
    assert order.index("COPY") < order.index("USER"), "what is copied belongs to root: it cannot be changed from inside"
    health, port = last.last("HEALTHCHECK"), last.last("EXPOSE")
    assert health is not None
    assert port is not None
    assert f":{PORT}/healthz" in health.text
    assert port.text == str(PORT)


def test_the_context_has_what_is_copied_and_no_more() -> None:
    ignore = (ROOT / ".dockerignore").read_text()
    for stage in parse(FILE.read_text()):
        for step in stage.steps:
            for source in step.words[:-1] if step.word == "COPY" and "from" not in step.flags else ():
                assert left_in(ignore, source), source
    for name in ("watchband-data/log.db", "target/release/x", ".git/config", "deploy/compose/secrets/admin_token"):
        assert not left_in(ignore, name), name
    assert not left_in(ignore, "python/watchband/_kernels.abi3.so")


def test_a_stage_of_an_image_that_nothing_stands_for_fails() -> None:
    with pytest.raises(ValueError, match="alpine"):
        Build.stand_in(parse("FROM alpine")[0])


def test_its_own_configuration_can_be_run(tmp_path: Path) -> None:
    done = check(FILE.with_name("watchband.yaml"), {"WATCHBAND_TOKEN": "x"})
    assert done.returncode == 0, done.stdout + done.stderr
    without = check(FILE.with_name("watchband.yaml"), {})
    assert without.returncode == 2
    assert "WATCHBAND_TOKEN" in without.stdout + without.stderr, "who forgets the token is told which"


def check(config: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "watchband", "check", str(config), "--offline"]
    paths = {"PYTHONPATH": str(ROOT / "python"), "PATH": "/usr/bin:/bin"}
    return subprocess.run(command, capture_output=True, text=True, env=paths | environment, check=False)


@pytest.mark.parametrize("page", ["README.md", "docs/deploy.md", "docs/operations.md"])
def test_pages_name_files_there_are(page: str) -> None:
    text = (ROOT / page).read_text()
    named = re.findall(r"(?<![\w/])deploy/[\w./-]*\w", text)
    assert named
    for name in named:
        # Secrets are made by the script that stands before them.
        assert (ROOT / name).exists() or "/secrets" in name, f"{page} names {name}"
    scripts = re.findall(r"deploy/compose/\w+\.sh", text)
    assert all(os.access(ROOT / name, os.X_OK) for name in scripts)


def test_services_have_no_rights_and_are_not_reached_from_outside(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert all(port.startswith("127.0.0.1:") for port in service["ports"]), name
        assert service.get("image", "watchband").rpartition(":")[2] != "latest", name
        assert set(service.get("secrets", ())) <= set(compose["secrets"]), name
    watchband = compose["services"]["watchband"]
    build = watchband["build"]
    assert (COMPOSE / build["context"] / build["dockerfile"]).resolve() == FILE
    assert "/tmp" in watchband["tmpfs"]


def test_what_is_mounted_is_there(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for volume in service["volumes"]:
            source, target, *_ = volume.split(":")
            assert (COMPOSE / source).is_file() if source.startswith(".") else source in compose["volumes"], volume
            assert target.startswith("/")


@pytest.fixture
def laid_out(tmp_path: Path, compose: dict[str, Any]) -> Path:
    """The files of the services in one folder, with their places in the containers written over."""
    secrets = subprocess.run(["sh", str(_copied(tmp_path, COMPOSE / "secrets.sh"))], capture_output=True, text=True)
    assert secrets.returncode == 0, secrets.stderr
    for service in compose["services"].values():
        for volume in service["volumes"]:
            source = volume.split(":")[0]
            if source.startswith("."):
                _copied(tmp_path, COMPOSE / source)
    return tmp_path


def _copied(folder: Path, source: Path) -> Path:
    text = source.read_text()
    for place, here in PLACES.items():
        text = text.replace(place, f"{folder}/{here}")
    (folder / source.name).write_text(text)
    return folder / source.name


def test_secrets_are_made_once_and_are_no_two_alike(laid_out: Path) -> None:
    first = {path.name: path.read_text() for path in (laid_out / "secrets").iterdir()}
    assert sorted(first) == ["admin_token", "viewer_token"]
    assert {len(text) for text in first.values()} == {48}
    assert len(set(first.values())) == 2
    subprocess.run(["sh", str(laid_out / "secrets.sh")], check=True, capture_output=True)
    assert {path.name: path.read_text() for path in (laid_out / "secrets").iterdir()} == first


def test_prometheus_takes_its_configuration(laid_out: Path) -> None:
    tool = program("promtool", "prometheus")
    done = subprocess.run([tool, "check", "config", str(laid_out / "prometheus.yml")], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "rule" in done.stdout + done.stderr, "the rules are read with it"


def test_alertmanager_takes_its_configuration(laid_out: Path) -> None:
    tool = program("amtool", "prometheus-alertmanager")
    done = subprocess.run([tool, "check-config", str(laid_out / "alertmanager.yml")], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_watchband_takes_its_configuration_and_names_the_services(laid_out: Path, compose: dict[str, Any]) -> None:
    done = check(laid_out / "watchband.yaml", {})
    assert done.returncode == 0, done.stdout + done.stderr
    text = (COMPOSE / "watchband.yaml").read_text() + (COMPOSE / "prometheus.yml").read_text()
    for name, port in (("prometheus", 9090), ("alertmanager", 9093), ("watchband", PORT)):
        assert f"{name}:{port}" in text
        assert any(p.endswith(f":{port}") for p in compose["services"][name]["ports"])
