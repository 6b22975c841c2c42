"""What is vendored is exactly what vendored.json says: name, version, licence, SHA-256."""

from __future__ import annotations

import json
from hashlib import sha256

from tests.architecture.house import ROOT

FOLDER = ROOT / "api/dashboard/static/vendor"
LISTED = json.loads((FOLDER / "vendored.json").read_text())


def test_every_vendored_file_is_listed_with_its_hash_and_nothing_else_lies_there() -> None:
    hashes = {name: value for library in LISTED.values() for name, value in library["files"].items()}
    found = {path.name: sha256(path.read_bytes()).hexdigest() for path in FOLDER.iterdir() if path.name != "vendored.json"}
    assert found == hashes


def test_every_library_says_its_version_source_and_licence() -> None:
    for library in LISTED.values():
        assert library.keys() == {"version", "source", "licence", "files"}
        assert any(name.endswith(".LICENSE") for name in library["files"])
