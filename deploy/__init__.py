"""Above all: composes the processes, starts and supervises them."""
