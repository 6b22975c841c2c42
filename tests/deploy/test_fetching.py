"""Servers for the tests are fetched, each by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fetching import Tool, fetch, patiently, tools


def test_every_server_that_tests_start_is_fetched(tmp_path: Path) -> None:
    servers = ["mongod", "influxd", "redis-server", "promtool", "prometheus-alertmanager", "Alertmanager's templates"]
    names = [*servers, "flux-lsp-node", "systemd-analyze", "chromium"]
    assert [tool.name for tool in tools(tmp_path)] == names


def test_a_tool_that_cannot_be_had_stops_nothing_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fetch(Tool("a server", (tmp_path / "absent").exists, ["sh", "-c", "echo no route to host >&2; exit 1"]))
    said = capsys.readouterr().err
    assert "no route to host" in said
    assert "a server cannot be had; the tests that need it will say so" in said


def test_an_old_list_of_packages_is_renewed_before_it_is_given_up(tmp_path: Path) -> None:
    assert patiently("fetch it")[-1] == "(fetch it) || (apt-get update && fetch it)"
