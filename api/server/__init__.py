"""The HTTP server in front of the application: waitress, with limits of time and of connections.

One thread (the loop) accepts connections and reads requests whole; only then does a request take one of the threads that answer.
So a client that sends slowly or nothing (slowloris) costs a socket and never a thread.

- `listener` holds the connections, `connection` is one of them, with its limits of time
- `parsing` refuses requests that two parsers could understand differently (request smuggling)
- `answering` writes answers and their log lines
- `memory` gives back what large bodies took
- `running` is the life of the process
"""
