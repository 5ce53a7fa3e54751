"""The brokers' half of simulated Kafka: plain state machines that answer requests."""
