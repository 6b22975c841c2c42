"""Bodies of requests: the sample payload of the contract to the letter, and a small valid one to be changed in one place."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

SAMPLE: dict[str, Any] = {
    "job_name": "Resource Forecasting",
    "job_description": "Get predictions for next 'k' days/hours/months",
    "user_name": "Bob",
    "project": "capacity forecasting",
    "owner": "ui-service",
    "data": {
        "source": {"name": "mongodb", "document": "document_name", "collection": "collection_name"},
        "destination": {"name": "influxdb", "database": "db_name", "measurement": "measurement_name"},
    },
    "aggregation_time_period": "1h",
    "data_ingestion_time_period": "5d",
    "model": "prophet",
    "future_prediction_time_period": "3d",
}

BODY: dict[str, Any] = {
    "job_name": "Resource Forecasting",
    "data": {"source": {"name": "files"}, "destination": {"name": "files"}},
    "aggregation_time_period": "1h",
    "data_ingestion_time_period": "14d",
    "future_prediction_time_period": "1d",
}


def a_body(path: str = "", value: Any = None) -> dict[str, Any]:
    """The small body; with `path` ("data.source.path") its field there has the value."""
    body = deepcopy(BODY)
    if path:
        *parents, last = path.split(".")
        place = body
        for parent in parents:
            place = place[parent]
        place[last] = value
    return body
