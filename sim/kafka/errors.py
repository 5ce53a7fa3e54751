"""What can be wrong with bytes that should be a record batch."""


class BatchError(ValueError):
    """The bytes are no sound record batch."""


class OldFormat(BatchError):
    """The records are in a format that was given up before Kafka 4."""


class UnknownCodec(BatchError):
    """The records are compressed in a way that this reader does not know, or must not."""
