"""Tests of simulated Kafka."""
