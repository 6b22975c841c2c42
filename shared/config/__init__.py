"""What an administrator sets: settings, and what every connection has, whatever its kind."""
