"""What the API and the workers both need: words, settings, the store, the run state. No pandas here."""
