"""How far one broker carries: `python -m tests.bench.carry`, a simulation; see __main__.py."""
