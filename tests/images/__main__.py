"""Build, run, look, and say what was seen; ends with an error when anything is not as it must be."""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import urllib3

from api.command.client import Client
from api.command.service import follow
from tests.images.building import Image, build, have_base, opened
from tests.images.containers import Container, Service, network, running
from tests.images.servers import COLLECTION, DATABASE, QUEUES, serving
from tests.images.services import of_compose, of_kubernetes
from tests.polling import eventually

TARGETS = ("api", "worker")
SERVICES = ("api", "worker", "control", "heavy", "reaper", "flower")
PODS = ("api", "reaper")  # also as Kubernetes would run them
MODELS = ("prophet", "lstm")
# Run inside: what a container may do, and what it holds.
LOOK = """
import json, os, importlib.util as u
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\\t" in line)
def writable(folder):
    try:
        open(folder + "/probe", "w").close(); os.remove(folder + "/probe"); return True
    except OSError: return False
print(json.dumps({
    "user": [os.getuid(), os.getgid()],
    "capabilities": int(status["CapEff"], 16) | int(status["CapBnd"], 16),
    "no new privileges": status["NoNewPrivs"].strip(),
    "writes to the root": writable("/opt/queuecast"),
    "writes to its folders": writable("/tmp") and writable("/var/lib/queuecast"),
    "home": os.environ["HOME"],
    "installers": [name for name in ("pip", "setuptools", "uv") if u.find_spec(name)],
}))
"""
SEEN = {
    "user": [10001, 10001],
    "capabilities": 0,
    "no new privileges": "1",
    "writes to the root": False,
    "home": "/var/lib/queuecast",
}
SEEN |= {"writes to its folders": True, "installers": []}


def main(arguments: Sequence[str]) -> int:
    """Everything; returns 0, or raises what is wrong."""
    parser = argparse.ArgumentParser(prog="python3 -m tests.images", description=sys.modules["tests.images"].__doc__)
    parser.add_argument("--no-build", action="store_true", help="take the images of the last time")
    parser.add_argument("--volume", action="append", default=[], help="a folder that pip's settings name, mounted for the build")
    options = parser.parse_args(arguments)
    if not options.no_build:
        say(f"base image: {have_base()}")
        for target in TARGETS:
            say(f"image of the {target}: built in {build(target, options.volume):.0f} s")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="queuecast-images-")))
        images = {target: stack.enter_context(opened(target)) for target in TARGETS}
        for image in images.values():
            assert image.config["Healthcheck"], "the format of Docker keeps it"
            say(f"{image.name}: {image.megabytes:,} MB")
        given = made_up_secrets()
        stack.enter_context(network())
        stack.enter_context(serving(given, folder))
        try_services(stack, folder, images, given)
    say("all of it is as it must be")
    return 0


def made_up_secrets() -> dict[str, str]:
    """A `.env` as deploy/README.md makes it; the made-up cluster is the connection `mongodb`."""
    names = ("REDIS_PASSWORD", "MONGO_PASSWORD", "INFLUXDB_PASSWORD", "INFLUXDB_TOKEN", "GRAFANA_PASSWORD")
    found = {name: secrets.token_urlsafe(16) for name in names} | {"FLOWER_BASIC_AUTH": "operator:" + secrets.token_urlsafe(16)}
    url = f"mongodb://queuecast:{found['MONGO_PASSWORD']}@mongo:27017/{DATABASE}?authSource=admin"
    return found | {"METRICS_TOKEN_FILE": "./metrics.token", "QUEUECAST_MONGODB_URL": url}


def try_services(stack: ExitStack, folder: Path, images: Mapping[str, Image], given: Mapping[str, str]) -> None:
    """The first token, every service to its health, one job, Flower, two pods, and the end of all."""
    token = first_token(folder, of_compose("api", images, given))
    fleet: dict[str, Container] = {}
    for number, name in enumerate(SERVICES, start=10):
        fleet[name] = stack.enter_context(running(of_compose(name, images, given), folder, number))
    for container in fleet.values():
        wait_for_health(container)
    see_the_job_through(fleet["api"], token)
    look_at_flower(fleet["flower"], given["FLOWER_BASIC_AUTH"])
    for name in ("worker", "control", "heavy"):
        assert b"queuecast_" in get(f"http://{fleet[name].address}:9101/metrics")
    store = f"mongodb://queuecast:{given['MONGO_PASSWORD']}@mongo:27017/queuecast?authSource=admin"
    secret = {"REDIS_PASSWORD": given["REDIS_PASSWORD"], "REDIS_ADDRESS": "redis:6379", "QUEUECAST_STORE_URL": store}
    for number, name in enumerate(PODS, start=30):
        with running(of_kubernetes(name, images, secret), folder, number) as pod:
            wait_for_health(pod)
            end(pod)
    for container in fleet.values():
        end(container)


def first_token(folder: Path, api: Service) -> str:
    """As `docker compose run --rm -T api token create --name admin --scope admin` prints it."""
    arguments = [api.arguments[0], "token", "create", "--name", "admin", "--scope", "admin"]
    values = {name: getattr(api, name) for name in ("image", "environment", "tmpfs")}
    with running(Service(name="token", arguments=arguments, **values), folder, 9) as container:
        assert container.process.wait(60) == 0, container.log
        return next(line.strip() for line in container.log.splitlines() if line.strip().startswith("qc_"))


def wait_for_health(container: Container) -> None:
    """Until its health check passes; then look at what it may do."""
    eventually(container.is_healthy, within=180, what=f"{container.service.name} to be healthy")
    seconds = time.monotonic() - container.started
    looked = container.execute("python", "-c", LOOK)
    assert json.loads(looked.stdout) == SEEN, f"{container.service.name}: {looked.stdout}{looked.stderr}"
    say(f"{container.service.name}: healthy after {seconds:.0f} s, as 10001:10001, without capabilities, on a read-only root")


def see_the_job_through(api: Container, token: str) -> None:
    """One job of slow models over the made-up cluster ends well, and each model was scored on each queue."""
    place = {"name": "mongodb", "collection": COLLECTION}
    names = {"job_name": "images", "user_name": "nightly", "project": "images", "owner": "tests", "model": list(MODELS)}
    periods = {"aggregation_time_period": "1h", "data_ingestion_time_period": "14d", "future_prediction_time_period": "1d"}
    body = names | periods | {"data": {"source": place, "destination": {"name": "files"}}, "deadline": "20min"}
    client, started = Client(f"http://{api.address}:8080", token=token), time.monotonic()
    job = follow(client, client.post("jobs", body=body)["job_id"], 1_200)
    assert job["state"] == "succeeded", job
    winners = {}
    for each in job["queues"]:
        report = client.get("jobs", job["job_id"], "queues", each["queue"])
        scored = {candidate["model"] for candidate in report["leaderboard"] if candidate["kind"] == "score"}
        assert set(MODELS) <= scored, report["leaderboard"]
        assert report["forecast"], each
        winners[each["queue"]] = report["winner"]["model"]
    assert len(winners) == QUEUES
    say(f"one job of {', '.join(MODELS)} over {QUEUES} queues: succeeded in {time.monotonic() - started:.0f} s; won by {winners}")


def look_at_flower(flower: Container, credentials: str) -> None:
    """It asks for its password, and shows who is there."""
    get(f"http://{flower.address}:5555/", status=401)
    assert b"worker@" in get(f"http://{flower.address}:5555/workers", credentials)
    say("flower: asks for its password, and shows the workers")


def end(container: Container) -> None:
    """It ends by itself when it is asked to, with what it has in hand done."""
    code, seconds = container.stop()
    assert code == 0, f"{container.service.name} ended with {code}:\n{container.log[-3_000:]}"
    say(f"{container.service.name}: ended {seconds:.0f} s after SIGTERM, with 0")


def get(url: str, credentials: str = "", status: int = 200) -> bytes:
    """What a service answers to user:password, if given, with this status."""
    headers = urllib3.make_headers(basic_auth=credentials or None)
    answer = urllib3.request("GET", url, headers=headers, retries=False, timeout=20)
    assert answer.status == status, answer.data
    return answer.data


def say(line: str) -> None:
    """A line of the report."""
    print(f"images: {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
