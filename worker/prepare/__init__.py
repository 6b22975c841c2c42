"""What is done to a queue's frame before a model sees it: columns, calendar features, scaling."""
