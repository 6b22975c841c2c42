"""Uploads: kept for their project as a whole or not at all, within limits, and read by nobody else's jobs."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from shared.config.settings import Settings, load_settings
from shared.domain.places import Place
from shared.drivers import uploads_folder
from shared.drivers.uploads_folder import MAX_BYTES, UploadsFolder
from shared.errors import InvalidRequest, InvalidSettings, QueuecastError, SourceNotFound
from shared.fleet.runstate import RunState
from tests.api.scene import Granting, MakeApp, token_for
from tests.factories import a_request
from worker.job.first_look import first_look
from worker.job.resources import Resources, use
from worker.reaper.retention import forget_old
from worker.sources.files.listing import find_files

CSV = b"timestamp,queue,used_capacity\n2026-01-01T00:00Z,root.etl,5\n2026-01-01T01:00Z,root.etl,6\n"
CHUNKED = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
Put = Callable[..., int]


@pytest.fixture
def taking(tmp_path: Path, settings: Settings) -> Settings:
    """Settings under which people may upload."""
    return settings.model_copy(update={"data_dir": tmp_path / "data", "uploads": "on"})


@pytest.fixture
def client(run_state: RunState, taking: Settings, make_app: MakeApp) -> FlaskClient:
    taking.data_dir.mkdir()
    return make_app(taking).test_client()


@pytest.fixture
def grant(client: FlaskClient) -> Granting:
    return lambda *of: token_for(client.application, *of)


def all_files(settings: Settings) -> list[Path]:
    return [path for path in (settings.data_dir / "uploads").rglob("*") if path.is_file() and path.name != ".lock"]


def test_a_file_is_kept_replaced_listed_read_and_removed(client: FlaskClient, taking: Settings) -> None:
    made = client.put("/v1/uploads/day.csv", data=CSV)
    assert (made.status_code, made.json["size"], made.json["project"]) == (200, len(CSV), "")
    kept = datetime.fromisoformat(made.json["ends_at"]) - datetime.fromisoformat(made.json["uploaded_at"])
    assert kept == timedelta(days=30)
    assert client.put("/v1/uploads/day.csv", data=CSV * 2).status_code == 200
    assert [(each["name"], each["size"]) for each in client.get("/v1/uploads").json["uploads"]] == [("day.csv", 2 * len(CSV))]
    [path] = all_files(taking)
    assert [oct(each.stat().st_mode & 0o777) for each in (path, path.parent, path.parent.parent)] == ["0o600", "0o700", "0o700"]
    request = a_request(as_of=None)
    request = replace(request, project="", data=replace(request.data, source=Place(name="uploads", path="day.csv")))
    with use(Resources(taking)):
        assert first_look(request, datetime(2026, 1, 2, tzinfo=UTC)).queues == ("root.etl",)
        [problem] = first_look(replace(request, project="other"), datetime(2026, 1, 2, tzinfo=UTC)).problems
        assert "nothing was uploaded for this project" in problem.message
    assert [client.delete("/v1/uploads/day.csv").status_code for _ in range(2)] == [204, 404]
    assert all_files(taking) == []


def test_what_one_project_has_is_not_there_for_another(client: FlaskClient, taking: Settings, grant: Granting) -> None:
    etl, ml, both = grant("write", "etl"), grant("write", "ml"), grant("write", "etl", "ml")
    client.put("/v1/uploads/a.csv", data=CSV, headers=etl)
    client.put("/v1/uploads/a.csv", data=CSV * 3, headers=both, query_string={"project": "ml"})
    sizes = {
        name: [each["size"] for each in client.get("/v1/uploads", headers=who).json["uploads"]]
        for name, who in {"etl": etl, "ml": ml}.items()
    }
    assert sizes == {"etl": [len(CSV)], "ml": [3 * len(CSV)]}
    for method in ("GET", "PUT", "DELETE"):
        path = "/v1/uploads" if method == "GET" else "/v1/uploads/a.csv"
        assert client.open(path, method=method, data=CSV, headers=etl, query_string={"project": "ml"}).status_code == 403
        assert client.open(path, method=method, data=CSV, headers=both).status_code == 403  # of which is not said
    assert client.put("/v1/uploads/a.csv", data=CSV, headers=grant("read", "etl")).status_code == 403
    paths = {taking.connection("uploads", project=project).path for project in ("etl", "ml", "")}  # type: ignore[attr-defined]
    assert len(paths) == 3
    for pattern in ("../**", "**/../../*", str(taking.data_dir / "uploads")):
        with pytest.raises(QueuecastError):
            find_files(taking.connection("uploads", project="x"), pattern)  # type: ignore[arg-type]
    (folder := UploadsFolder(taking.data_dir / "uploads").of_project("x")).mkdir()
    (folder / "link.csv").symlink_to(UploadsFolder(taking.data_dir / "uploads").of_project("etl") / "a.csv")
    with pytest.raises((SourceNotFound, InvalidRequest)):
        find_files(taking.connection("uploads", project="x"), "*")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "name",
    [
        *("..%2Fx.csv", "%2e%2e%2fx.csv", ".hidden.csv", ".lock", "x.parquet", "x.csv.gz", "x", "a%0Ab.csv", "a%00.csv", "x.CSV"),
        *(f"{'a' * 96}.csv", "a%5Cb.csv", "ä.csv", "-rf.csv", "x.csv%20", "CON/x.csv"),
    ],
)
def test_only_plain_names_are_taken(client: FlaskClient, taking: Settings, name: str) -> None:
    assert client.put(f"/v1/uploads/{name}", data=CSV).status_code in {404, 422}
    assert client.delete(f"/v1/uploads/{name}").status_code in {404, 422}
    assert not (taking.data_dir / "uploads").exists()


@pytest.mark.parametrize("content", [b"", b"PAR1\x00\x01", b"PK\x03\x04\x00", b"a,b\n" + b"1,2\n" * 30_000 + b"\0"])
def test_what_is_no_text_is_refused_and_nothing_of_it_is_left(client: FlaskClient, taking: Settings, content: bytes) -> None:
    client.put("/v1/uploads/x.csv", data=CSV)
    assert client.put("/v1/uploads/x.csv", data=content).status_code == 422
    assert [path.read_bytes() for path in all_files(taking)] == [CSV]
    assert client.put("/v1/uploads/wide.csv", data="a,b\n1,2\n".encode("utf-16")).status_code == 200


@pytest.mark.parametrize("is_chunked", [False, True], ids=["told", "chunked"])
def test_a_file_is_as_large_as_is_accepted_and_no_larger(client: FlaskClient, taking: Settings, is_chunked: bool) -> None:
    for size, status in ((MAX_BYTES - is_chunked, 200), (MAX_BYTES + 1, 413)):  # where it ends is not told by the last byte
        answer = client.put(
            f"/v1/uploads/{status}.csv",
            input_stream=io.BytesIO(b"x" * size),
            headers={} if is_chunked else {"Content-Length": str(size)},
            environ_overrides=CHUNKED if is_chunked else {},
        )
        assert answer.status_code == status
    assert [path.name for path in all_files(taking)] == ["200.csv"]


def test_there_is_room_for_so_much_also_when_many_come_at_once(
    client: FlaskClient, taking: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads_folder, "MAX_FILES", 3)
    with ThreadPoolExecutor(8) as pool:
        app = client.application
        statuses = list(pool.map(lambda n: app.test_client().put(f"/v1/uploads/{n}.csv", data=CSV).status_code, range(8)))
    assert sorted(statuses) == [200] * 3 + [429] * 5
    assert len(all_files(taking)) == 3
    there = all_files(taking)[0].name
    assert client.put(f"/v1/uploads/{there}", data=CSV).status_code == 200  # in the place of one
    for limit in ("MAX_BYTES_OF_PROJECT", "MAX_BYTES_OF_ALL"):
        monkeypatch.setattr(uploads_folder, limit, 3 * len(CSV) + 1)
        assert client.put(f"/v1/uploads/{there}", data=CSV * 2).status_code == 429
        assert client.put(f"/v1/uploads/{there}", data=CSV).status_code == 200
    assert client.put("/v1/uploads/other.csv", data=CSV, query_string={"project": "other"}).status_code == 429  # of all


def test_the_old_goes_and_what_was_left_half_written(client: FlaskClient, taking: Settings, tmp_path: Path) -> None:
    for name in ("old", "new"):
        client.put(f"/v1/uploads/{name}.csv", data=CSV)
    folder = UploadsFolder(taking.data_dir / "uploads").of_project("")
    (folder / ".x.csv.0.part").write_bytes(CSV)
    (tmp_path / "kept").write_bytes(CSV)
    (folder / "a.csv").symlink_to(tmp_path / "kept")
    now = datetime.now(UTC)
    for name in ("old.csv", ".x.csv.0.part", "a.csv"):
        os.utime(folder / name, (0, 0), follow_symlinks=False)
    with use(Resources(taking)) as resources:
        assert forget_old(resources, now)["uploads"] == 3
        assert [path.name for path in all_files(taking)] == ["new.csv"]
        assert forget_old(resources, now + timedelta(days=31))["uploads"] == 1
    assert (tmp_path / "kept").exists()


def test_switched_off_nothing_is_taken_or_read(
    run_state: RunState, taking: Settings, make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    off = taking.model_copy(update={"uploads": "off"})
    client = make_app(off).test_client()
    for method, path in (("PUT", "/v1/uploads/x.csv"), ("GET", "/v1/uploads"), ("DELETE", "/v1/uploads/x.csv")):
        answer = client.open(path, method=method, data=CSV)
        assert (answer.status_code, "QUEUECAST_UPLOADS=on" in answer.json["detail"]) == (409, True)
    assert "uploads" not in off.all_connections
    embedded = Settings(data_dir=taking.data_dir)
    assert embedded.uploads_folder is not None
    assert Settings(data_dir=taking.data_dir, broker_url="redis://h").uploads_folder is None
    assert Settings(data_dir=taking.data_dir, broker_url="redis://h", uploads="on").uploads_folder is not None


def test_no_connection_leads_to_the_uploads_of_all(taking: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = taking.data_dir
    for kind, path in (("files", ours / "uploads"), ("files", ours), ("uploads", ours / "files")):
        with pytest.raises(InvalidSettings):
            load_settings(data_dir=taking.data_dir, connections={"mine": {"kind": kind, "path": str(path)}})
