"""`queuecast backtest`: forecasts from the past, replayed on files and summed up."""
