"""The store: our own records. `open_store(url)` gives the one that the URL names."""
