"""The decisions of a job as pure functions, in the order of the data: plan, snapshot, backtest, score, selection, forecast."""
