"""What a Prometheus is asked by its source, and how its answers are read."""
