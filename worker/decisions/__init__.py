"""What follows from what is known of queues: why one waits, and what of its guarantee it does not need; pure."""
