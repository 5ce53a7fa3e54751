"""Our brokers and our client beside Apache Kafka and librdkafka."""
