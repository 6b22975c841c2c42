"""The edge: which view answers an address, whom it answers, and what the document says of it. Views use `route` and policies."""
