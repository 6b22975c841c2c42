"""What a collector costs: CPU, memory, disk and requests, of a cluster of 500 queues."""
