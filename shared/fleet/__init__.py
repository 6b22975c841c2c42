"""The fleet as the broker's server knows it: the run state of jobs that have not ended, and what waits in the lanes."""
