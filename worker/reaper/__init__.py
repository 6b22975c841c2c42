"""What makes every job end, every schedule fire and old records go."""
