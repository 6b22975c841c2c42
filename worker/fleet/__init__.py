"""Celery's side of the work: tasks, the messages between them, and what a worker says of itself."""
