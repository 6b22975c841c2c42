"""How one candidate of a queue is chosen, why, and what is told of it."""
