"""The pages' decisions and words, without a browser."""
