"""What computes: reads the history, scores candidates, picks the winner, writes its forecast."""
