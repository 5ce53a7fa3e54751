"""What librdkafka does behind `confluent_kafka`: queues, batches, retries, fetchers, groups.

One `Client` stands for one ``rd_kafka_t``. Its threads are callbacks of the process that made it:
they stop when the process is paused and are gone when it dies.
"""
