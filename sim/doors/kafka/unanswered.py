"""What an admin client may ask of real Kafka and nobody here can answer."""

from typing import Any, NoReturn

from sim.doors.kafka.handle import Handle, simulated
from sim.errors import Unmodelled


class Unanswered(Handle):
    """Refuses in a world; outside the real client is asked."""

    __slots__ = ()

    def list_groups(self, group: str | None = None, timeout: float = -1) -> list[Any]:
        """Refuse: an older way to list groups."""
        groups: list[Any] = self._refuse("list_groups", group, timeout)
        return groups

    def create_acls(self, acls: list[Any], future: Any, request_timeout: float = -1) -> None:
        """Refuse: there are no ACLs."""
        self._refuse("create_acls", acls, future, request_timeout=request_timeout)

    def describe_acls(
        self, acl_binding_filter: Any, future: Any, request_timeout: float = -1
    ) -> None:
        """Refuse: there are no ACLs."""
        self._refuse("describe_acls", acl_binding_filter, future, request_timeout=request_timeout)

    def delete_acls(self, acls: list[Any], future: Any, request_timeout: float = -1) -> None:
        """Refuse: there are no ACLs."""
        self._refuse("delete_acls", acls, future, request_timeout=request_timeout)

    def alter_configs(
        self,
        resources: list[Any],
        future: Any,
        validate_only: bool = False,
        request_timeout: float = -1,
        broker: int = -1,
    ) -> None:
        """Refuse: `incremental_alter_configs` has replaced it."""
        self._refuse(
            "alter_configs",
            resources,
            future,
            validate_only=validate_only,
            request_timeout=request_timeout,
            broker=broker,
        )

    def describe_user_scram_credentials(
        self, users: list[str] | None, future: Any, request_timeout: float = -1
    ) -> None:
        """Refuse: there are no credentials."""
        self._refuse(
            "describe_user_scram_credentials", users, future, request_timeout=request_timeout
        )

    def alter_user_scram_credentials(
        self, alterations: list[Any], future: Any, request_timeout: float = -1
    ) -> None:
        """Refuse: there are no credentials."""
        self._refuse(
            "alter_user_scram_credentials", alterations, future, request_timeout=request_timeout
        )

    def elect_leaders(
        self,
        election_type: int,
        partitions: list[Any] | None,
        future: Any,
        request_timeout: float = -1,
        operation_timeout: float = -1,
    ) -> None:
        """Refuse: every partition has one replica."""
        self._refuse(
            "elect_leaders",
            election_type,
            partitions,
            future,
            request_timeout=request_timeout,
            operation_timeout=operation_timeout,
        )

    def _refuse(self, name: str, *args: Any, **named: Any) -> Any:
        core = self._open()
        if simulated(core):
            _unmodelled(name)
        return getattr(core, name)(
            *args, **{k: v for k, v in named.items() if v not in (-1, False)}
        )


def _unmodelled(name: str) -> NoReturn:
    raise Unmodelled(f"AdminClient.{name} is not modelled")
