"""Build the images with buildah, and open them as folders."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.architecture.house import ROOT

DOCKERFILE = ROOT / "deploy/Dockerfile"
ALWAYS_MOUNTED = ("/etc/ssl/certs", "/etc/pip.conf")  # whom this machine trusts, and what pip is told on it
DEBIAN = ("python3", "python3-venv", "ca-certificates")  # what we need of the base image, from Debian's packages


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image, opened: what it says of itself, and the folder with its files."""

    name: str
    root: Path
    megabytes: int
    config: dict[str, Any]


def run(*command: str, quiet: bool = True) -> str:
    """A command that must succeed; returns what it prints, unless that goes to the terminal."""
    environment = os.environ | {"BUILDAH_ISOLATION": "chroot"}
    done = subprocess.run(command, stdout=subprocess.PIPE if quiet else None, env=environment, text=True, check=True)
    return done.stdout or ""


def succeeds(*command: str) -> bool:
    """Whether a command succeeds."""
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def have_base() -> str:
    """Have the image that FROM names: it is here, or is pulled, or Debian's packages stand in for it; returns which."""
    [name] = re.findall(r"(?m)^FROM (\S+:\S+) AS base", DOCKERFILE.read_text())
    if succeeds("buildah", "inspect", "--type", "image", name):
        return f"{name}, as it was here"
    if succeeds("buildah", "pull", "--quiet", name):
        return f"{name}, pulled"
    with TemporaryDirectory() as folder:
        files = f"{folder}/root.tar"
        run("mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(DEBIAN)}", "bookworm", files)
        container = run("buildah", "from", "scratch").strip()
        run("buildah", "add", "--quiet", container, files, "/")
        run("buildah", "run", container, "--", "ln", "-sf", "python3", "/usr/bin/python")
        run("buildah", "commit", "--quiet", "--rm", container, f"docker.io/library/{name}")
    return f"Debian's packages as {name}: no registry answered"


def build(target: str, volumes: Sequence[str]) -> float:
    """Build the image `queuecast-TARGET`; returns the seconds it took.

    Args:
        target: "api" or "worker".
        volumes: folders of this machine that pip's settings name.
    """
    mounted = [path for path in (*ALWAYS_MOUNTED, *volumes) if Path(path).exists()]
    mounts = [f"--volume={path}:{path}:ro" for path in mounted]
    options = ["--format=docker", "--pull=never", "--layers", "--network=host", f"--file={DOCKERFILE}", f"--target={target}"]
    started = time.monotonic()
    run("buildah", "bud", *options, *mounts, "--tag", f"queuecast-{target}", str(ROOT), quiet=False)
    return time.monotonic() - started


@contextmanager
def opened(target: str) -> Iterator[Image]:
    """The image, with its files in a folder until the end."""
    name = f"queuecast-{target}"
    config = json.loads(run("buildah", "inspect", "--type", "image", name))["Docker"]["config"]
    container = run("buildah", "from", "--pull-never", name).strip()
    try:
        root = Path(run("buildah", "mount", container).strip())
        size = int(run("du", "--summarize", "--bytes", str(root)).split()[0])
        yield Image(name=name, root=root, megabytes=size // 1_000_000, config=config)
    finally:
        run("buildah", "rm", container)
