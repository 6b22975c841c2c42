"""What operators and tools ask for: health, metrics, the OpenAPI document."""
