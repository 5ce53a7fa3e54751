"""K7: the producer retries without idempotence, so what was refused comes after the next."""

from typing import Any

from scenarios.controls import planted
from system.ubscore import UBSCore


class RetriesAnyhow(UBSCore):
    """Whatever was refused is sent once more; that is what retries are for."""

    def _client(self, settings: dict[str, Any]) -> dict[str, Any]:
        plain = {"enable.idempotence": False} if "acks" in settings else {}
        return {**super()._client(settings), **plain}


scenario = planted(__name__, __doc__ or "", "ubscore", "RetriesAnyhow", "I14", "refused_batches")
