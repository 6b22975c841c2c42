"""The application as a whole: its document, its page, its weight, and starting while nothing else runs."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path

from flask.testing import FlaskClient
from openapi_spec_validator import validate

from shared.config.settings import Settings
from tests.api.scene import MakeApp

TEXTS = {  # what is no JSON object → how it comes
    "/metrics": "text/plain",
    "/v1/audit": "application/x-ndjson",
    "/v1/decisions/{decision_id}/files/{name}": "application/xml",
    "/v1/jobs/{job_id}/script": "text/x-shellscript",
}


def test_the_document_is_valid_and_describes_every_route(client: FlaskClient) -> None:
    document = client.get("/openapi.json").json
    assert document["openapi"].startswith("3.1")
    validate(document)
    rules = client.application.url_map.iter_rules()
    paths = [(re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), (rule.methods or set()) - {"HEAD", "OPTIONS"}) for rule in rules]
    routes = {(method, path) for path, methods in paths for method in methods}
    told = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert {(method, path) for method, path in routes if path.startswith("/v1/")} <= told <= routes


def test_every_answer_has_a_model_and_problems_have_their_media_type(client: FlaskClient) -> None:
    for path, methods in client.get("/openapi.json").json["paths"].items():
        for operation in methods.values():
            assert operation["summary"].endswith("."), path
            for status, answer in operation["responses"].items():
                expected = "application/problem+json" if status >= "400" else "application/json"
                if status == "204":
                    assert "content" not in answer
                elif path in TEXTS and status == "200":
                    assert {str(content) for content in answer["content"].values()} == {str({"schema": {"type": "string"}})}
                    assert TEXTS[path] in answer["content"]
                else:
                    assert "$ref" in answer["content"][expected]["schema"], (path, status)


def test_defaults_are_documented_as_they_are_written(client: FlaskClient) -> None:
    fields = client.get("/openapi.json").json["components"]["schemas"]["JobBody"]["properties"]
    assert (fields["deadline"]["default"], fields["bounds"]["default"], fields["queues"]["default"]) == ("1h", [0.0, None], ["*"])


def test_the_root_is_the_overview_and_the_document_says_nothing_of_pages(client: FlaskClient) -> None:
    assert "No forecast yet" in client.get("/").text
    assert "/" not in client.get("/openapi.json").get_json()["paths"]


def test_the_page_needs_nothing_from_elsewhere(client: FlaskClient) -> None:
    answer = client.get("/docs")
    assert answer.mimetype == "text/html"
    assert "/openapi.json" in answer.text
    assert not re.findall(r'(?:src|href)="?https?:', answer.text)
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]


def test_nothing_is_opened_before_it_is_asked_for(make_app: MakeApp, tmp_path: Path) -> None:
    client = make_app(Settings(data_dir=tmp_path / "none")).test_client()
    assert client.get("/healthz").json == {"status": "ok"}
    assert not (tmp_path / "none").exists()


def test_the_version_is_that_of_the_package(client: FlaskClient) -> None:
    assert client.get("/version").json == {"name": "queuecast", "version": version("queuecast")}


def test_two_applications_know_nothing_of_each_other(make_app: MakeApp, settings: Settings) -> None:
    first, second = make_app(settings), make_app(settings.model_copy(update={"max_body_bytes": 2_000}))
    assert first.config["MAX_CONTENT_LENGTH"] != second.config["MAX_CONTENT_LENGTH"]
    assert first.test_client().get("/openapi.json").json == second.test_client().get("/openapi.json").json
