"""Kinds of connection, one file each: its fields and secrets, what of it may be read and written, and how it is looked at."""
