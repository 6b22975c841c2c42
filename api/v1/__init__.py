"""The views of /v1, the HTTP API."""
