"""What rules for capacities would have cost on real series."""
