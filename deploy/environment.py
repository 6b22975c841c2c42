"""The environment of a checkout: `.venv`, made and filled without resolving anything. Needs the standard library alone."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
UV = VENV / "bin" / "uv"
DEV = ROOT / ".dev"  # log and lock of the install; outside .venv, which is sometimes made anew
PIP = [str(PYTHON), "-m", "pip", "--no-input", "--disable-pip-version-check"]

# torch comes first and alone, and is in no lock: a hash or local version tag (+cpu) written on one machine is refused on the
# next.
TORCH = "torch==2.13.0"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
BRIEFLY = ["--timeout=15", "--retries=1"]  # an index that is not there shall not be waited for

UV_LOCK = "deploy/requirements-uv.lock"
USE, TESTS = "what a user needs", "the tools of the tests"
PARTS = {USE: ("deploy/requirements-api.lock", "deploy/requirements-worker.lock"), TESTS: ("deploy/requirements.lock",)}
AS_UV_SAYS = {"index-url": "UV_DEFAULT_INDEX", "extra-index-url": "UV_INDEX", "cert": "SSL_CERT_FILE"}  # pip's setting → uv's


class SetUpError(Exception):
    """The set-up cannot go on; the text says why, in words for the person at the keyboard."""


def ensure_environment(*parts: str) -> None:
    """Make .venv hold these parts, once, however many ask at the same time; raises SetUpError."""
    if all(map(is_current, parts)):
        return
    with only_one_install():
        missing = [part for part in parts if not is_current(part)]  # another process may have just done it
        if not missing:
            return
        started = time.monotonic()
        if not is_usable():
            make_venv(VENV)
            missing = list(parts)
        for part in missing:
            stamp_of(part).unlink(missing_ok=True)
        if USE in missing:
            install_torch()
        install_uv()
        for part in missing:
            install_locked(part)
        install("Queuecast itself", ["--no-deps", "--no-build-isolation", "--editable", str(ROOT)])
        check_consistency()
        for part in missing:
            stamp_of(part).write_text(fingerprint(part))  # last, so a broken install is never taken for a whole one
        say(f"everything is installed, after {time.monotonic() - started:.0f} s")


def stamp_of(part: str) -> Path:
    """Where it is kept what was installed of a part."""
    return VENV / f"queuecast-{list(PARTS).index(part)}.stamp"


def fingerprint(part: str) -> str:
    """What a part depends on: SHA-256 of its locked sets, the project's own metadata and the Python."""
    files = [ROOT / name for name in (*PARTS[part], UV_LOCK, "pyproject.toml")]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files) + sys.version.encode()).hexdigest()


def is_current(part: str) -> bool:
    """Whether a part was installed whole, as it is wanted now, and still works."""
    return stamp_of(part).exists() and stamp_of(part).read_text() == fingerprint(part) and is_usable()


def install_torch() -> None:
    """torch: what pip finds as it is configured if that needs no CUDA, else the index of the CPU builds, else the default.

    Its own dependencies are in the locks; only those of CUDA are not.
    """
    needs_cuda = torch_needs_cuda()
    if needs_cuda is False:
        install(TORCH, ["--no-deps", TORCH])
    elif logged(f"{TORCH}, CPU build", [*PIP, "install", *BRIEFLY, "--no-deps", "--index-url", CPU_INDEX, TORCH]):
        if needs_cuda is None:
            raise SetUpError(f"{TORCH} is to be had neither as pip is configured nor from {CPU_INDEX}")
        say("WARNING: no CPU build of torch can be had; the default one brings CUDA: 3 GB to download, 7 GB on disk")
        install(f"{TORCH} with CUDA", [TORCH])


def torch_needs_cuda() -> bool | None:
    """Whether the build that pip finds, as it is configured, needs CUDA's libraries; None = it finds none."""
    command = [*PIP, "install", *BRIEFLY, "--quiet", "--dry-run", "--ignore-installed", "--no-deps", "--report", "-", TORCH]
    asked = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    if asked.returncode:
        return None
    [build] = json.loads(asked.stdout)["install"]
    return any(name.startswith(("nvidia", "cuda", "triton")) for name in build["metadata"].get("requires_dist", ()))


def install_uv() -> None:
    """The installer of the locked sets, itself a locked set of one; where it cannot be had, pip installs."""
    if logged("uv", [*PIP, "install", "--no-deps", "--require-hashes", "--requirement", str(ROOT / UV_LOCK)]):
        say("uv cannot be had; pip installs, which takes some ten minutes more")
        UV.unlink(missing_ok=True)


def install_locked(part: str) -> None:
    """A locked set, by uv or else by pip: no version is looked for, every file must have the hash that the lock names."""
    options = ["--no-deps", "--require-hashes"]
    for name in PARTS[part]:
        options += ["--requirement", str(ROOT / name)]
    any_index = ["--index-strategy", "unsafe-best-match"]  # as pip does; the hashes say whose file it must be
    command = [str(UV), "pip", "install", "--compile-bytecode", "--python", str(PYTHON), *any_index, *options]
    if not UV.exists() or logged(part, command, as_pip_is_configured()):
        install(f"{part}, by pip", options)


def as_pip_is_configured() -> dict[str, str]:
    """pip's indexes and certificates as uv names them, unless uv is told its own."""
    said = subprocess.run([*PIP, "config", "list"], check=False, stdout=subprocess.PIPE, text=True).stdout
    lines = sorted(said.splitlines(), key=lambda line: line.startswith(":env:"))  # pip's own order: the environment wins
    pairs = [line.partition("=")[::2] for line in lines]
    options = {
        AS_UV_SAYS[key.split(".")[-1]]: "".join(shlex.split(value)) for key, value in pairs if key.split(".")[-1] in AS_UV_SAYS
    }
    return {name: value for name, value in options.items() if name not in os.environ}


def check_consistency() -> None:
    """Everything that is installed has what it needs; raises SetUpError with pip's words."""
    checked = subprocess.run([*PIP, "check"], check=False, stdout=subprocess.PIPE, text=True)
    if checked.returncode:
        raise SetUpError(f"what was installed does not fit together: {checked.stdout.strip()}")


def is_usable() -> bool:
    """Whether .venv has pip, runs on this very Python and was made here: scripts of a moved one would start the old one."""
    try:
        if not (VENV / "pyvenv.cfg").read_text().rstrip().endswith(f" {VENV}"):
            return False
        command = [str(PYTHON), "-c", "import pip, sys; print(sys.version)"]
        asked = subprocess.run(command, check=False, capture_output=True, text=True)
    except OSError:
        return False
    return asked.returncode == 0 and asked.stdout.strip() == sys.version


def make_venv(folder: Path) -> None:
    """An empty environment in place of whatever lies there; raises SetUpError with the package that is missing on Debian."""
    shutil.rmtree(folder, ignore_errors=True)
    base_python = getattr(sys, "_base_executable", sys.executable)  # we may be running in the environment that was just removed
    if logged("an empty environment", [base_python, "-m", "venv", str(folder)]):
        shutil.rmtree(folder, ignore_errors=True)
        raise SetUpError(f"{base_python} cannot make an environment; on Debian and Ubuntu: apt-get install python3-venv")


def install(title: str, arguments: Sequence[str]) -> None:
    """One call of pip; raises SetUpError."""
    if logged(title, [*PIP, "install", "--progress-bar", "off", *arguments]):
        raise SetUpError(f"installing {title} failed; all that pip said is in {DEV / 'install.log'}")


def logged(title: str, command: Sequence[str], environment: dict[str, str] | None = None) -> int:
    """Run a noisy command with its words in the log, whose end is shown on failure; says time and size; returns its exit code."""
    started, before, log = time.monotonic(), megabytes(), DEV / "install.log"
    say(f"{title} …")
    with log.open("w") as output:
        code = run(command, output.fileno(), environment)
    words = ["its last words:", *log.read_text(errors="replace").splitlines()[-15:]]
    done = f"{title}: done in {time.monotonic() - started:.0f} s, {max(0.0, megabytes() - before):,.0f} MB"
    say("\n".join(words) if code else done)
    return code


def megabytes() -> float:
    """What .venv takes on the disk."""
    files = (os.path.join(folder, name) for folder, _, names in os.walk(str(VENV)) for name in names)  # noqa: PTH118 - fast
    return sum(os.lstat(path).st_blocks for path in files) * 512 / 1e6


def run(command: Sequence[str], output: int | None = None, environment: dict[str, str] | None = None) -> int:
    """Run a command to its end; returns its exit code, 128 + n after signal n, as shells do.

    A SIGTERM for us reaches it as Ctrl-C, upon which it cleans up; a Ctrl-C at a terminal reaches it anyway.
    """
    stdin = None if output is None else subprocess.DEVNULL  # an installer without a terminal asks no question
    variables = {**os.environ, **(environment or {})}
    child = subprocess.Popen(command, cwd=str(ROOT), stdin=stdin, stdout=output, stderr=output, env=variables)

    def forward(number: int, _frame: object) -> None:
        if number == signal.SIGTERM or not sys.stdin.isatty():
            child.send_signal(signal.SIGINT)

    before = {number: signal.signal(number, forward) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        code = wait(child, is_silent=output is not None)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return code if code >= 0 else 128 - code


def wait(child: subprocess.Popen[bytes], *, is_silent: bool) -> int:
    """Wait for its end, with a sign of life now and then when it has none of its own."""
    started = time.monotonic()
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return child.wait(timeout=20)
        if is_silent:
            say(f"  … {time.monotonic() - started:.0f} s")


@contextlib.contextmanager
def only_one_install() -> Iterator[None]:
    """Hold the lock of the install; wait, and say so, while another process has it."""
    DEV.mkdir(exist_ok=True)
    with (DEV / "install.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for an install that already runs …")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def say(line: str) -> None:
    """A short line of progress, on stderr: stdout belongs to the demo and to pytest."""
    print(f"dev: {line}", file=sys.stderr, flush=True)
