"""Runs the steps of ``deploy/container/Containerfile`` in bare Debian roots, then what it built, without an engine.

``make container-test`` calls it, as root. Each stage is an overlay over one bare root of ``mmdebstrap``; everything is
mounted in a mount namespace of its own and gone at the end. Three things are not what an engine would give:

* ``node:20-bookworm-slim`` cannot be fetched without a registry: the root gets this machine's Node.js and npm instead.
* ``debian:bookworm-slim`` is a bare root (``--variant=minbase``): the same packages, with their documentation.
* The way to the network is this machine's: its resolver, its certificates, its proxies.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tools.containerfile import Stage, Step, left_in, parse

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "deploy" / "container" / "Containerfile"
SUITE = "bookworm"
STEP_S, START_S = 900, 120
CACHES = {"/cache/npm": ".npm", "/cache/pip": ".cache/pip"}
CERTIFICATES = "/run/machine/certificates.crt"
TRUST = ("SSL_CERT_FILE", "PIP_CERT", "NODE_EXTRA_CA_CERTS", "CURL_CA_BUNDLE", "CARGO_HTTP_CAINFO", "GIT_SSL_CAINFO")
PASSED = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "DEBIAN_FRONTEND")
TOKEN = "token-of-the-container-test"


def main(arguments: Sequence[str]) -> int:
    """Build, start, ask, stop; the exit code."""
    if os.geteuid() != 0 or shutil.which("mmdebstrap") is None:
        print("This makes bare Debian roots: it wants root and mmdebstrap (apt-get install mmdebstrap).")
        return 1
    if "--inside" not in arguments:
        # A namespace of its own: whatever is mounted is gone when this process is.
        command = [
            "unshare",
            "--mount",
            "--propagation",
            "private",
            sys.executable,
            "-m",
            "tools.container",
            "--inside",
        ]
        return subprocess.run(command, cwd=ROOT, check=False).returncode
    with tempfile.TemporaryDirectory(prefix="watchband-container-") as folder:
        build = Build(Path(folder), parse(FILE.read_text()))
        try:
            last = build.run()
            check_contents(last)
            started(build, last)
        finally:
            build.unmount()
    print(f"The container's steps and its service are well: {time.monotonic() - build.began:.0f} s.")
    return 0


class Build:
    """The stages as overlays over one bare root."""

    def __init__(self, folder: Path, stages: list[Stage]) -> None:
        self.folder, self.stages, self.began = folder, stages, time.monotonic()
        self.roots: dict[str, Path] = {}
        self._built: dict[str, Future[None]] = {}
        self._mounts: list[Path] = []
        # Layers of an overlay may not lie on another overlay: in memory they do not.
        self.mount("tmpfs", folder, "--types", "tmpfs", "--options", "size=6G")

    def say(self, text: str) -> None:
        print(f"{time.monotonic() - self.began:4.0f} s  {text}", flush=True)

    def mount(self, source: str | Path, target: Path, *options: str) -> None:
        subprocess.run(["mount", *options, str(source), str(target)], check=True)
        self._mounts.append(target)

    def unmount(self) -> None:
        for target in reversed(self._mounts):
            subprocess.run(["umount", "--lazy", str(target)], check=False)

    def run(self) -> Path:
        """Build every stage; the root of the last."""
        base = self.folder / "bare"
        subprocess.run(
            ["mmdebstrap", "--quiet", "--variant=minbase", SUITE, str(base)],
            check=True,
            timeout=STEP_S,
            env=_environment(),
        )
        self.say("a bare root")
        self.roots |= {stage.name: self.overlay(base, stage.name) for stage in self.stages}
        # As an engine does it: all at a time, and whoever copies from another waits for it.
        with ThreadPoolExecutor(len(self.stages)) as pool:
            for stage in self.stages:
                self._built[stage.name] = pool.submit(self.build, stage)
            for future in self._built.values():
                future.result()
        return self.roots[self.stages[-1].name]

    @staticmethod
    def stand_in(stage: Stage) -> str:
        """What stands for the image of a stage: a bare root, or one with Node.js."""
        known = {f"debian:{SUITE}-slim": "debian", f"node:20-{SUITE}-slim": "node"}
        if stage.base not in known:
            raise ValueError(f"Nothing stands for the image {stage.base!r} here. Known: {', '.join(known)}.")
        return known[stage.base]

    def overlay(self, base: Path, name: str) -> Path:
        parts = {part: self.folder / f"{name}-{part}" for part in ("upper", "work", "root")}
        for part in parts.values():
            part.mkdir()
        layers = f"lowerdir={base},upperdir={parts['upper']},workdir={parts['work']}"
        self.mount("overlay", parts["root"], "--types", "overlay", "--options", layers)
        return parts["root"]

    def build(self, stage: Stage) -> None:
        root, environment, folder = self.roots[stage.name], dict(_PLAIN), "/"
        if self.stand_in(stage) == "node":
            _give_node(root)
        for step in stage.steps:
            if step.word == "WORKDIR":
                folder = step.text
                (root / folder.lstrip("/")).mkdir(parents=True, exist_ok=True)
            elif step.word == "ENV":
                environment |= dict(pair.split("=", 1) for pair in step.words)
            elif step.word == "COPY":
                self.copy(step, root, folder)
            elif step.word == "RUN":
                with self.caches(step, root):
                    inside(root, ["/bin/sh", "-c", step.text], environment | _trust(), folder)
            else:
                continue
            self.say(f"{stage.name}: {step.word} {step.text[:90]}")

    def copy(self, step: Step, root: Path, folder: str) -> None:
        """What ``COPY`` does: of a folder its content, into a folder that is made."""
        *sources, target = step.words
        if "from" in step.flags:
            self._built[step.flags["from"]].result()
        base = self.roots[step.flags["from"]] if "from" in step.flags else ROOT
        into = root / str(Path(folder) / target).lstrip("/")
        for source in sources:
            here = base / source.lstrip("/")
            if base is not ROOT:
                shutil.copytree(here, into, symlinks=True, dirs_exist_ok=True)
                continue
            several = target.endswith("/") or len(sources) > 1
            for name in _context(source):
                inner = Path(name).relative_to(source) if here.is_dir() else Path(Path(name).name if several else "")
                place = into / inner if str(inner) != "." else into
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, place)

    @contextmanager
    def caches(self, step: Step, root: Path) -> Iterator[None]:
        """Caches of packages are this machine's, as those of a builder are its own."""
        target = dict(part.split("=", 1) for part in step.flags.get("mount", "").split(",") if part).get("target")
        if target is None:
            yield
            return
        here, there = Path.home() / CACHES[target], root / target.lstrip("/")
        for path in (here, there):
            path.mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "--bind", str(here), str(there)], check=True)
        try:
            yield
        finally:
            subprocess.run(["umount", str(there)], check=True)


_PLAIN = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"}


def _environment() -> dict[str, str]:
    return {**_PLAIN, **{name: os.environ[name] for name in PASSED if name in os.environ}}


def _trust() -> dict[str, str]:
    return {**dict.fromkeys(TRUST, CERTIFICATES), **{n: os.environ[n] for n in PASSED if n in os.environ}}


def _context(source: str) -> list[str]:
    """Files of the build's context: those of the repository that ``.dockerignore`` leaves in."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", source]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    ignore = (ROOT / ".dockerignore").read_text()
    found = [name for name in names if left_in(ignore, name) and (ROOT / name).is_file()]
    if not found:
        raise ValueError(f"COPY {source}: there is no such file in the context. Does '.dockerignore' leave it in?")
    return found


def _give_node(root: Path) -> None:
    """This machine's Node.js and npm in place of an image that has them."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise ValueError("This machine has no Node.js and npm to stand for the image: apt-get install nodejs npm")
    places = {
        Path(node).resolve(): "usr/local/bin/node",
        Path(npm).resolve().parents[1]: "usr/local/lib/node_modules/npm",
    }
    for source, place in places.items():
        target = root / place
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target, symlinks=True) if source.is_dir() else shutil.copy2(source, target)
    (root / "usr/local/bin/npm").symlink_to("../lib/node_modules/npm/bin/npm-cli.js")


def inside(root: Path, command: Sequence[str], environment: dict[str, str], folder: str = "/") -> None:
    """Run a command in a root, with the machine's way to the network.

    Raises
    ------
    CalledProcessError
        It failed; the end of what it said stands above.
    """
    setup = f"""
        mount --types proc proc {root}/proc
        mount --rbind /dev {root}/dev
        mount --types tmpfs tmpfs {root}/run
        mkdir {root}/run/machine && cp /etc/ssl/certs/ca-certificates.crt {root}{CERTIFICATES}
        cp /etc/resolv.conf {root}/etc/resolv.conf
        exec chroot {root} /usr/bin/env --chdir="$0" "$@"
    """
    base = ["unshare", "--mount", "--pid", "--fork", "--propagation", "private", "/bin/sh", "-euc", setup, folder]
    done = subprocess.run(
        [*base, *command],
        timeout=STEP_S,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode:
        print(done.stdout.decode(errors="replace")[-8000:])
        done.check_returncode()


def check_contents(root: Path) -> None:
    """What must be in the last root and what must not."""
    static = next(root.glob("opt/watchband/lib/python3*/site-packages/watchband/apps/server/static"))
    assert (static / "index.html").is_file(), "The dashboard is not in the wheel."
    assert "MIT" in (static / "licenses.md").read_text(), "Licences of bundled packages are not in the wheel."
    for unwanted in (
        "usr/bin/gcc",
        "usr/bin/cargo",
        "usr/local/bin/node",
        "opt/watchband/bin/pip",
        "opt/watchband/bin/maturin",
    ):
        assert not (root / unwanted).exists(), f"{unwanted} is of no use to a service."
    size = int(subprocess.run(["du", "-sxm", str(root)], check=True, capture_output=True, text=True).stdout.split()[0])
    print(f"        the run stage has {size} MB")


_LOOPBACK_UP = """
import fcntl, socket, struct
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any:
    fcntl.ioctl(any, 0x8914, struct.pack("16sh", b"lo", 1))
"""
_ASKED = """
import json, sys, urllib.error, urllib.request
def ask(path, body=None, token=True):
    headers = {"Authorization": "Bearer %s"} if token else {}
    request = urllib.request.Request("http://127.0.0.1:8470" + path, body, headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
assert ask("/healthz", token=False) == (200, "ok\\n"), ask("/healthz")
assert ask("/readyz", token=False)[0] == 200, ask("/readyz")
assert ask("/api/v1/summary", token=False)[0] == 401, "whoever reaches a container sees what is in it"
status, page = ask("/", token=False)
assert status == 200 and "<script" in page, page
assert ask("/predict", b'{"cpu": 0.6, "mem": 0.6, "pods": 0.2}')[0] == 200
assert json.loads(ask("/api/v1/sources")[1])["data"][0]["points"] == 3
import os, pathlib
assert os.getuid() == 8470 and os.getgid() == 8470
for place in ("/etc/x", "/opt/watchband/x", "/x"):
    try:
        pathlib.Path(place).touch()
    except OSError as error:
        assert error.errno in (13, 30), error
    else:
        raise AssertionError(place + " can be written")
assert "Read-only" in os.popen("mount -o remount,rw / 2>&1; touch /tmp/x /var/lib/watchband/x && rm /tmp/x "
    "/var/lib/watchband/x; touch /run/x 2>&1").read()
"""


def started(build: Build, root: Path) -> None:
    """Start the entry point as the file says, on a root that is read-only, as a user without rights; ask, and stop."""
    stage = build.stages[-1]
    said = {word: stage.last(word) for word in ("ENTRYPOINT", "CMD", "USER", "VOLUME", "HEALTHCHECK")}
    assert all(said.values()), f"The last stage must say all of {', '.join(said)}."
    words = {word: step.words for word, step in said.items() if step is not None}
    user, _, group = words["USER"][0].partition(":")
    assert "0" not in (user, group), "The service runs as root."
    environment = {**_PLAIN, "HOME": "/nonexistent", "WATCHBAND_TOKEN": TOKEN}
    for step in stage.steps:
        if step.word == "ENV":
            environment |= dict(pair.split("=", 1) for pair in step.words)
    volume = build.folder / "volume"
    # A fresh volume has the owner and the rights of the folder that it stands for.
    shutil.copytree(root / words["VOLUME"][0].lstrip("/"), volume)
    os.chown(volume, int(user), int(group))
    service = Service(root, volume, words, environment)
    try:
        service.wait(words["HEALTHCHECK"], START_S)
        build.say("healthy, by its own health check")
        service.run(["python3", "-c", _ASKED % TOKEN])
        build.say("answers, as a user without rights on a read-only root")
        assert service.stop() == 0, "It did not drain at SIGTERM."
        assert any(volume.iterdir()), "Nothing was kept in the volume."
        build.say("drained")
    finally:
        service.end()


class Service:
    """The entry point in namespaces of its own: files, processes, network."""

    def __init__(self, root: Path, volume: Path, words: dict[str, list[str]], environment: dict[str, str]) -> None:
        user, _, group = words["USER"][0].partition(":")
        data = words["VOLUME"][0]
        rights = ["--reuid", user, "--regid", group, "--clear-groups", "--no-new-privs", "--bounding-set=-all"]
        self._as = ["/usr/bin/setpriv", *rights, "/usr/bin/env", "--ignore-environment", f"--chdir={data}"]
        self._as += [f"{name}={value}" for name, value in environment.items()]
        setup = f"""
            {sys.executable} -c "$0"
            mount --bind {root} {root}
            mount --types proc proc {root}/proc
            mount --rbind /dev {root}/dev
            mount --bind {volume} {root}{data}
            mount --types tmpfs tmpfs {root}/tmp
            mount --options remount,bind,ro {root}
            exec chroot {root} "$@"
        """
        space = ["unshare", "--mount", "--pid", "--net", "--fork", "--kill-child", "--propagation", "private"]
        command = [*space, "/bin/sh", "-euc", setup, _LOOPBACK_UP, *self._as, *words["ENTRYPOINT"], *words["CMD"]]
        self.process = subprocess.Popen(command)

    @property
    def pid(self) -> int:
        """Of the entry point, as this machine numbers it."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[0]) if children else 0

    def run(self, command: Sequence[str], *, check: bool = True) -> int:
        """Run a command beside it, as an engine runs a health check."""
        enter = ["nsenter", "--target", str(self.pid), "--mount", "--pid", "--net", "--root", "--wd"]
        quiet = None if check else subprocess.DEVNULL
        return subprocess.run([*enter, *self._as, *command], check=check, timeout=60, stderr=quiet).returncode

    def wait(self, check: Sequence[str], seconds: float) -> None:
        """Until its health check says that it is well."""
        end = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < end:
            if self.pid and self.run(check, check=False) == 0:
                return
            time.sleep(0.5)
        raise AssertionError(f"It was not healthy within {seconds:g} s.")

    def stop(self) -> int:
        """Ask it to end; its exit code."""
        os.kill(self.pid, signal.SIGTERM)
        return self.process.wait(60)

    def end(self) -> None:
        """End it, whatever it does."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
