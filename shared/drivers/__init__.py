"""Drivers of databases and brokers, set up: clients with time limits, and their exceptions as ours."""
