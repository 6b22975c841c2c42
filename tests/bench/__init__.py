"""Benchmarks: each prints what it did, on what, against what, as ratios or CPU seconds; none decides a test."""
