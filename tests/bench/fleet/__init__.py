"""What the fleet costs: `python -m tests.bench.fleet [--only a,b,c] [--json]`. One module per figure; see __main__.py."""
