"""What may come instead of the one value that is forecast: quantiles of each step and of each day's maximum, and joint paths."""
