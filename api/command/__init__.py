"""The verbs of the command line that speak to a running service, and the one that runs it."""
