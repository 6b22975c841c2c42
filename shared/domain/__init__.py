"""Values and rules that everybody speaks of; they know no database, no framework and no process."""
