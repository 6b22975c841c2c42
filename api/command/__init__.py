"""The commands that speak to a running service, the one that runs it, and those for tokens."""
