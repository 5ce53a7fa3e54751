"""Simulated Kafka: brokers on one side, librdkafka's half on the other."""
