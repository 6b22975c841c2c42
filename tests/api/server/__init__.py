"""The server in front of the application, asked through real sockets."""
