"""Where samples are kept: Parquet files in the folder of the connection `files`, or a database that a connection names."""
