"""What is installed is what was meant: a lock for every machine, an API image without worker code, a licence."""

from __future__ import annotations

import re
import shutil
import sys
import sysconfig
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.architecture.house import PROJECT, ROOT, fail_on, output_of

LOCK = (ROOT / "deploy/requirements.lock").read_text()


def normalised(name: str) -> str:
    """PyPA: Core metadata, name normalisation."""
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_lock_holds_every_direct_dependency() -> None:
    extras = [lines for extra, lines in PROJECT["optional-dependencies"].items() if extra != "kerberos"]  # built where it is used
    wanted = {match[0] for line in sum(extras, PROJECT["dependencies"]) if (match := re.match(r"[\w.-]+", line))}
    locked = {normalised(name) for name in re.findall(r"^([\w.-]+)==", LOCK, re.MULTILINE)}
    fail_on(name for name in wanted if normalised(name) not in locked)


def test_the_lock_holds_what_only_an_older_python_needs() -> None:
    """redis-py needs async-timeout below 3.11.3, the Python of Debian 12; a lock compiled on a newer one forgets it."""
    assert re.search(r"^async-timeout==\S+ ; python_full_version < \'3\.11\.3\' \\$", LOCK, re.MULTILINE)


def test_every_package_of_the_lock_has_a_hash_and_torch_is_none_of_them() -> None:
    packages = re.findall(r"^([\w.-]+)==.*\\\n    --hash=sha256:", LOCK, re.MULTILINE)
    assert len(packages) == len(re.findall(r"^[\w.-]+==", LOCK, re.MULTILINE)) > 0
    assert "torch" not in packages  # comes first and alone; a hash of one machine's build is refused on the next


@pytest.mark.parametrize("trace", [r"--find-links", r"--index-url", r"--extra-index-url", r"file:", r"https?://", r"[\s=]/\w"])
def test_no_lock_names_a_path_or_host_of_the_machine_that_wrote_it(trace: str) -> None:
    lines = [line for lock in (ROOT / "deploy").glob("*.lock") for line in lock.read_text().splitlines()]
    fail_on(line for line in lines if re.search(trace, line))


def test_the_licence_is_apache_2_and_says_so() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert (PROJECT["license"], PROJECT["license-files"]) == ("Apache-2.0", ["LICENSE"])


def test_the_change_log_speaks_of_the_current_version() -> None:
    assert f"## [{PROJECT['version']}]" in (ROOT / "CHANGELOG.md").read_text()


@pytest.fixture(scope="module")
def api_image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `pip install` makes of api/, shared/ and pyproject.toml alone."""
    context, image = tmp_path_factory.mktemp("context"), tmp_path_factory.mktemp("image")
    for folder in ("api", "shared"):
        shutil.copytree(ROOT / folder, context / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", context)
    output_of(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(context), folder=context)
    [wheel] = context.glob("*.whl")
    ZipFile(wheel).extractall(image)
    return image


def test_the_api_image_holds_no_worker_code(api_image: Path) -> None:
    assert {path.name for path in api_image.iterdir() if path.suffix != ".dist-info"} == {"api", "shared"}


def test_the_api_image_holds_the_files_that_are_not_python(api_image: Path) -> None:
    data = {path.relative_to(ROOT) for folder in ("api", "shared") for path in (ROOT / folder).rglob("*.*")}
    fail_on(str(path) for path in data if "__pycache__" not in path.parts and not (api_image / path).exists())


def test_the_command_of_the_api_image_can_serve_and_cannot_work(api_image: Path) -> None:
    # -I -S: neither this folder nor the editable installation of the tests is on the path, only its dependencies are.
    folders = [str(api_image), sysconfig.get_path("purelib")]
    program = f"import sys; sys.path[:0] = {folders!r}; from shared.command.root import main; main()"
    verbs = output_of(sys.executable, "-I", "-S", "-c", program, "--help", folder=api_image)
    assert re.search(r"\bserve\b", verbs)
    assert not re.search(r"\b(work|up)\b", verbs)
