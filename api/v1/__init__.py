"""The views of /v1, and what they need to answer."""
