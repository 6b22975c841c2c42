"""What comes in and goes out over HTTP, as pydantic models; nothing is looked up here."""
