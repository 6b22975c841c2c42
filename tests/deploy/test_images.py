"""The images as they are written, without building them; `python3 -m tests.images` builds and runs them."""

from __future__ import annotations

import json
import re

from deploy.environment import CPU_INDEX, TORCH
from tests.architecture.house import BIN, ROOT, fail_on, output_of
from tests.deploy.manifests import DEPLOY, OURS, compose

TEXT = (DEPLOY / "Dockerfile").read_text()


def test_the_images_are_written_as_the_linter_wants_them() -> None:
    output_of(str(BIN / "hadolint"), "--failure-threshold", "info", str(DEPLOY / "Dockerfile"))
    output_of(str(BIN / "shellcheck"), str(DEPLOY / "install-locked.sh"))


def test_each_image_s_health_check_is_repeated_since_an_oci_image_has_none() -> None:
    checks = re.findall(r"^HEALTHCHECK ([^[]+?)\s+(?:\\\n\s+)?CMD (\[.+\])$", TEXT, re.MULTILINE)
    services = compose()["services"]
    for (options, command), name in zip(checks, ("api", "worker"), strict=True):
        repeated = services[name]["healthcheck"]
        assert repeated["test"] == ["CMD", *json.loads(command)]
        assert {key: repeated[key.replace("-", "_")] for key in re.findall(r"--([a-z-]+)=", options)} == dict(
            re.findall(r"--([a-z-]+)=(\w+)", options)
        )
    assert all("test" in services[name]["healthcheck"] for name in OURS)


def test_the_image_of_the_api_holds_no_worker_and_no_forecasting_library() -> None:
    api = TEXT[TEXT.index("AS api-build") : TEXT.index("AS worker-build")]
    assert "sh deploy/install-locked.sh deploy/requirements-api.lock" in api
    assert re.findall(r"COPY (\w+) \1\n", api) == ["shared", "api"]
    locked = (DEPLOY / "requirements-api.lock").read_text()
    fail_on(
        name for name in ("torch", "pandas", "numpy", "prophet", "statsmodels", "pytest") if re.search(rf"(?m)^{name}==", locked)
    )


def test_the_base_of_the_images_is_pinned() -> None:
    bases = re.findall(r"(?m)^FROM (\S+)", TEXT)
    assert re.fullmatch(r"python:3\.11\.\d+-slim-bookworm", bases[0])
    images = [service["image"] for name, service in compose()["services"].items() if name not in OURS]
    fail_on(image for image in images if not re.search(r":v?\d+\.\d+\.\d+", image))
    assert (ROOT / ".dockerignore").read_text().startswith("#")


def test_the_images_get_the_torch_that_a_checkout_gets() -> None:
    assert re.findall(r"(?m)^ARG TORCH=(.+)$", TEXT) == [TORCH]
    assert re.findall(r"(?m)^ARG TORCH_INDEX=(.+)$", TEXT) == [CPU_INDEX]
