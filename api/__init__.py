"""The HTTP service, without any forecasting library: parse, store, enqueue; read, render."""
