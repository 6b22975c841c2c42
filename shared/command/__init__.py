"""`queuecast` on the command line: its root, the doctor, backups, and how a terminal is written to."""
