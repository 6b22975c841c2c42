"""What surrounds every view: routing, authentication, CSRF and body checks, rate limits, audit, errors, the OpenAPI document."""
