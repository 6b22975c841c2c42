"""The collector: what a cluster's ResourceManager says of its queues, every few seconds, kept for jobs to read.

loop ──▶ ResourceManager ──▶ QueueTree ── sampler ──▶ rows of tables.py ──▶ sinks ──▶ Parquet, MongoDB, InfluxDB
                                          rollups: rows of five minutes, made of what the sink has
"""
