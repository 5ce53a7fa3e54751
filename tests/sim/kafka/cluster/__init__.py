"""Tests of the brokers' half of simulated Kafka."""
