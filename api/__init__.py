"""A thin HTTP edge: parse, store, enqueue; read, render. No forecasting library here."""
