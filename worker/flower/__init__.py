"""Flower, with the service's own tokens in front of it."""
