"""The edge: which view answers an address, whom it answers, and what the document says of it."""
