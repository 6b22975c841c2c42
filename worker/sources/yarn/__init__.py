"""What the collector keeps of a cluster, as a place that other sources read."""
