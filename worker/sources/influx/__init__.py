"""What InfluxDB is asked by its source, and how its answers are read."""
