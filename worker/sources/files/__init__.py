"""How CSV and Parquet files are read: which they are, what each holds, and one scan over all queues."""
