"""The exchange: ordinary programs over Kafka, a CQL database, files and clocks."""
