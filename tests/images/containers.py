"""Containers as Docker makes them, by runc: own network, no capability, read-only root, tmpfs without execution."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.images.building import Image, run
from tests.polling import eventually

BRIDGE, SUBNET = "queuecast0", "10.231.77"
HOST = f"{SUBNET}.1"  # this machine, as containers see it
SERVERS = ("redis", "mongo", "influxdb")  # names in the compose file that lead to this machine here
NAMESPACES = ("pid", "ipc", "uts", "mount")
HIDDEN = ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware"]
TMPFS = ["noexec", "nosuid", "nodev"]  # what Docker adds to each


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service, as a compose file or a manifest wants it."""

    name: str
    image: Image
    arguments: Sequence[str]
    environment: Mapping[str, str]
    tmpfs: Mapping[str, str] = field(default_factory=dict)  # folder → options
    empty_dirs: Sequence[str] = ()  # folders that are volumes of a pod
    health: Sequence[str] = ()


@dataclass(slots=True, kw_only=True)
class Container:
    """A container that runs."""

    service: Service
    address: str
    bundle: Path
    process: subprocess.Popen[bytes]
    started: float = field(default_factory=time.monotonic)

    @property
    def name(self) -> str:
        """As runc knows it."""
        return f"queuecast-{self.service.name}"

    @property
    def log(self) -> str:
        """What it has said."""
        return (self.bundle / "log").read_text(errors="replace")

    def execute(self, *command: str, within: float = 60) -> subprocess.CompletedProcess[str]:
        """A command inside, as its own user and with its own environment."""
        inside = ["runc", "exec", self.name, *command]
        return subprocess.run(inside, capture_output=True, text=True, check=False, timeout=within)

    def is_healthy(self) -> bool:
        """What its health check says; raises when it has ended."""
        if self.process.poll() is not None:
            raise AssertionError(f"{self.service.name} ended with {self.process.returncode}:\n{self.log[-3_000:]}")
        return self.execute(*self.service.health).returncode == 0

    def is_gone(self) -> bool:
        """Whether it has ended; it is killed, as soon as it is there at all."""
        if self.process.poll() is None:
            subprocess.run(["runc", "kill", self.name, "KILL"], check=False, capture_output=True)
        return self.process.poll() is not None

    def stop(self) -> tuple[int, float]:
        """SIGTERM, as `docker stop` sends it; returns its exit code and how many seconds it took."""
        asked = time.monotonic()
        if self.process.poll() is None:
            run("runc", "kill", self.name, "TERM")
        return self.process.wait(200), time.monotonic() - asked


@contextmanager
def network() -> Iterator[None]:
    """A bridge of this machine, without a way out."""
    run("ip", "link", "add", BRIDGE, "type", "bridge")
    try:
        run("ip", "address", "add", f"{HOST}/24", "dev", BRIDGE)
        run("ip", "link", "set", BRIDGE, "up")
        yield
    finally:
        run("ip", "link", "delete", BRIDGE)


@contextmanager
def running(service: Service, folder: Path, number: int) -> Iterator[Container]:
    """The service in a container, until the end.

    Args:
        service: what is run.
        folder: for the bundle and the log.
        number: unlike that of every other container; its address ends in it.
    """
    bundle = folder / f"{service.name}-{number}"
    bundle.mkdir()
    (bundle / "hosts").write_text("127.0.0.1 localhost\n" + "".join(f"{HOST} {name}\n" for name in SERVERS))
    (bundle / "config.json").write_text(json.dumps(specification(service, bundle, f"qc{number}")))
    with _joined(number) as address, (bundle / "log").open("wb") as log:
        command = ["runc", "run", "--bundle", str(bundle), f"queuecast-{service.name}"]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        container = Container(service=service, address=address, bundle=bundle, process=process)
        try:
            yield container
        finally:
            eventually(container.is_gone, what=f"the end of {service.name}")


def specification(service: Service, bundle: Path, namespace: str) -> dict[str, Any]:
    """The `config.json` of the OCI runtime specification."""
    user, group = map(int, service.image.config["User"].split(":"))
    return {
        "ociVersion": "1.0.2",
        "hostname": service.name,
        "root": {"path": str(service.image.root), "readonly": True},
        "process": {
            "user": {"uid": user, "gid": group},
            "args": list(service.arguments),
            "env": [f"{name}={value}" for name, value in service.environment.items()],
            "cwd": service.image.config["WorkingDir"],
            "capabilities": {kind: [] for kind in ("bounding", "effective", "permitted")},
            "noNewPrivileges": True,
        },
        "mounts": [
            _mount("/proc", "proc", []),
            _mount("/dev", "tmpfs", ["nosuid", "strictatime", "mode=755"]),
            _mount("/dev/pts", "devpts", ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]),
            _mount("/dev/shm", "tmpfs", [*TMPFS, "mode=1777", "size=64m"]),  # noqa: S108 - inside the container
            _mount("/sys", "sysfs", [*TMPFS, "ro"]),
            _bound("/etc/hosts", bundle / "hosts", "ro"),
            *(_bound(path, _empty_dir(bundle, path, group), "rw") for path in service.empty_dirs),
            *(_mount(path, "tmpfs", TMPFS + options.split(",")) for path, options in service.tmpfs.items()),
        ],
        "linux": {
            "namespaces": [{"type": each} for each in NAMESPACES] + [{"type": "network", "path": f"/run/netns/{namespace}"}],
            "maskedPaths": HIDDEN,
            "readonlyPaths": ["/proc/sys", "/proc/sysrq-trigger"],
        },
    }


def _mount(destination: str, kind: str, options: list[str]) -> dict[str, Any]:
    return {"destination": destination, "type": kind, "source": kind, "options": options}


def _bound(destination: str, source: Path, kind: str) -> dict[str, Any]:
    return {"destination": destination, "type": "bind", "source": str(source), "options": ["bind", kind]}


def _empty_dir(bundle: Path, path: str, group: int) -> Path:
    """As the kubelet makes it: of root, and writable for the group that fsGroup names."""
    folder = bundle / path.strip("/").replace("/", "-")
    folder.mkdir()
    os.chown(folder, 0, group)
    folder.chmod(0o2777)
    return folder


@contextmanager
def _joined(number: int) -> Iterator[str]:
    """A network namespace on the bridge; yields its address."""
    namespace, address = f"qc{number}", f"{SUBNET}.{number}"
    inside = ["ip", "-n", namespace]
    run("ip", "netns", "add", namespace)
    try:
        run("ip", "link", "add", f"{namespace}h", "type", "veth", "peer", "name", "eth0", "netns", namespace)
        run("ip", "link", "set", f"{namespace}h", "master", BRIDGE, "up")
        run(*inside, "address", "add", f"{address}/24", "dev", "eth0")
        run(*inside, "link", "set", "lo", "up")
        run(*inside, "link", "set", "eth0", "up")
        yield address
    finally:
        run("ip", "link", "delete", f"{namespace}h")  # at once; that of the namespace takes its time
        run("ip", "netns", "delete", namespace)
