"""Set everything up, then show one real job, check the code or run all tests.

usage: python3 deploy/dev.py demo [--json] [--keep] [--queues N]   one job end to end on a made-up cluster, and its result
       python3 deploy/dev.py check                                 lint, format, types, import contracts and dependencies
       python3 deploy/dev.py fix                                   mends what can be mended of these, shows what is left
       python3 deploy/dev.py test [--all | --coverage | pytest arguments]   all tests; with arguments, pytest gets exactly these
       python3 deploy/dev.py chaos [--minutes N] [--seed S] [--json]   breaks a fleet at random, checks what comes of its jobs
       python3 deploy/dev.py lock [--upgrade | uv arguments]       renew the locked sets deploy/*.lock

demo  --json      the last line of stdout is one JSON object
      --keep      leave the stack running until Ctrl-C
      --queues N  size of the made-up cluster (default 4)
test  --all       also those of the night: failovers, long faults, plug-ins in a copy of the house
      --coverage  all but those, and how much of the code they run; takes twice as long

The first run makes .venv and installs into it what a user needs; `test` adds the tools of the tests. Each part says how long it
took and how large it is; later runs start at once, until a locked set, pyproject.toml or the Python changes. Nothing is
resolved, so what is published later changes no install. Progress goes to stderr, the installers' words to .dev/install.log.
"""

# Only the standard library, and only syntax that Python 3.6 can read (so no `from __future__ import annotations`): an old
# Python must get as far as the refusal below.
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

if not (3, 11) <= sys.version_info < (3, 14):
    sys.exit(f"Queuecast needs Python 3.11, 3.12 or 3.13; {sys.executable} is {sys.version.split()[0]}")

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # a script finds only what lies beside it

from deploy.environment import DEV, PYTHON, TESTS, USE, UV, SetUpError, ensure_environment, only_one_install, run, say


def main(arguments: Sequence[str]) -> int:
    """Carry out one verb; returns the exit code: that of what was run, 1 for a failed set-up, 2 for wrong usage."""
    verbs: dict[str, Callable[[Sequence[str]], int]] = {
        "demo": lambda rest: in_environment("deploy.demo", rest),
        "check": lambda rest: in_environment("deploy.checks", ["check", *rest], TESTS),
        "fix": lambda rest: in_environment("deploy.checks", ["fix", *rest], TESTS),
        "test": test,
        "chaos": lambda rest: in_environment("tests.chaos.run", rest, TESTS),
        "lock": lambda rest: in_environment("deploy.locks", [str(UV), *rest]),
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


def in_environment(module: str, arguments: Sequence[str], *more: str) -> int:
    """Run a module of ours with what a user needs, and more parts, installed."""
    ensure_environment(USE, *more)
    return run([str(PYTHON), "-m", module, *arguments])


def test(arguments: Sequence[str]) -> int:
    """All tests, each file in one of a few processes; or pytest with the arguments given."""
    ensure_environment(USE, TESTS)
    with only_one_install():
        run([str(PYTHON), "-m", "tests.fetching", str(DEV)])
    processes = min(3, 1 + (os.cpu_count() or 1))  # one more than cores, as many tests wait for other processes
    whole_suite = ["-n", str(processes), "--dist", "loadfile", "--no-loadscope-reorder"]
    selections = {
        (): ["pytest", *whole_suite],
        ("--all",): ["pytest", *whole_suite, "-m", ""],
        ("--coverage",): ["tests.coverage", *whole_suite],
    }
    return run([str(PYTHON), "-m", *selections.get(tuple(arguments), ["pytest", *arguments])])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
