"""What is done to a queue's frame before a model sees it: gaps, columns, calendar features, and scaling where a model wants it.

Everything here sees the training part only, so nothing after the cutoff of a fold leaks into it.
"""
