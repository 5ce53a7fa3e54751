"""`_AdminClientImpl` behind the door: what the wheel's AdminClient calls, futures and all.

**Faithful**: a call returns at once; its future is resolved from a background thread.
**Simplified**: ACLs, SCRAM credentials, elections, `alter_configs` (its incremental successor is
there) and `list_groups` (`list_consumer_groups` is there) are refused.
"""

from collections.abc import Callable
from typing import Any, Self

from sim.doors.kafka import arguments, group_answers, topic_answers
from sim.doors.kafka.handle import simulated
from sim.doors.kafka.unanswered import Unanswered
from sim.errors import Unmodelled
from sim.kafka.client.administrator import Administrator
from sim.kafka.client.configuration import configure
from sim.kafka.client.inbox import deadline
from sim.kafka.client.wheel import KafkaException, real
from sim.process import running


class Admin(Unanswered):
    """Stands for the real `_AdminClientImpl`."""

    __slots__ = ()

    def __init__(self, *args: Any, **named: Any) -> None:
        config = arguments.configuration(args, named)
        process = running()
        if process is None:
            self._core = real._AdminClientImpl(config)
        else:
            self._core = Administrator(process, *configure("admin", config))

    def create_topics(
        self,
        topics: list[Any],
        future: Any,
        validate_only: bool = False,
        request_timeout: float = -1,
        operation_timeout: float = -1,
    ) -> None:
        """Create topics."""
        given = {
            "validate_only": validate_only,
            "request_timeout": request_timeout,
            "operation_timeout": operation_timeout,
        }
        self._start("create_topics", topic_answers.create, (topics, future), given)

    def delete_topics(
        self,
        topics: list[str],
        future: Any,
        request_timeout: float = -1,
        operation_timeout: float = -1,
    ) -> None:
        """Delete topics."""
        given = {"request_timeout": request_timeout, "operation_timeout": operation_timeout}
        self._start("delete_topics", topic_answers.delete, (topics, future), given)

    def create_partitions(
        self,
        topics: list[Any],
        future: Any,
        validate_only: bool = False,
        request_timeout: float = -1,
        operation_timeout: float = -1,
    ) -> None:
        """Add partitions to topics."""
        given = {
            "validate_only": validate_only,
            "request_timeout": request_timeout,
            "operation_timeout": operation_timeout,
        }
        self._start("create_partitions", topic_answers.grow, (topics, future), given)

    def describe_topics(
        self,
        topic_names: list[str],
        future: Any,
        request_timeout: float = -1,
        include_authorized_operations: bool = False,
    ) -> None:
        """Describe topics."""
        given = _described(request_timeout, include_authorized_operations)
        self._start("describe_topics", topic_answers.describe, (topic_names, future), given)

    def describe_cluster(
        self,
        future: Any,
        request_timeout: float = -1,
        include_authorized_operations: bool = False,
    ) -> None:
        """Describe the cluster."""
        given = _described(request_timeout, include_authorized_operations)
        self._start("describe_cluster", topic_answers.describe_cluster, (future,), given)

    def describe_configs(
        self, resources: list[Any], future: Any, request_timeout: float = -1, broker: int = -1
    ) -> None:
        """Describe the configuration of topics."""
        given = {"request_timeout": request_timeout, "broker": broker}
        self._start("describe_configs", topic_answers.describe_configs, (resources, future), given)

    def incremental_alter_configs(
        self,
        resources: list[Any],
        future: Any,
        validate_only: bool = False,
        request_timeout: float = -1,
        broker: int = -1,
    ) -> None:
        """Change the configuration of topics."""
        given = {
            "validate_only": validate_only,
            "request_timeout": request_timeout,
            "broker": broker,
        }
        work = topic_answers.alter_configs
        self._start("incremental_alter_configs", work, (resources, future), given)

    def list_offsets(
        self,
        topic_partitions: list[Any],
        future: Any,
        isolation_level_value: int | None = None,
        request_timeout: float = -1,
    ) -> None:
        """Look offsets up."""
        given = {"request_timeout": request_timeout}
        if isolation_level_value is not None:
            given["isolation_level_value"] = isolation_level_value
        self._start("list_offsets", topic_answers.list_offsets, (topic_partitions, future), given)

    def delete_records(
        self,
        topic_partition_offsets: list[Any],
        future: Any,
        request_timeout: float = -1,
        operation_timeout: float = -1,
    ) -> None:
        """Move the beginning of logs."""
        given = {"request_timeout": request_timeout, "operation_timeout": operation_timeout}
        wanted = (topic_partition_offsets, future)
        self._start("delete_records", topic_answers.delete_records, wanted, given)

    def list_consumer_groups(
        self,
        future: Any,
        states_int: list[int] | None = None,
        types_int: list[int] | None = None,
        request_timeout: float = -1,
    ) -> None:
        """List groups."""
        given: dict[str, Any] = {"request_timeout": request_timeout}
        if states_int is not None:
            given["states_int"] = states_int
        if types_int is not None:
            given["types_int"] = types_int
        self._start("list_consumer_groups", group_answers.listing, (future,), given)

    def describe_consumer_groups(
        self,
        group_ids: list[str],
        future: Any,
        request_timeout: float = -1,
        include_authorized_operations: bool = False,
    ) -> None:
        """Describe groups."""
        given = _described(request_timeout, include_authorized_operations)
        self._start("describe_consumer_groups", group_answers.describe, (group_ids, future), given)

    def delete_consumer_groups(
        self, group_ids: list[str], future: Any, request_timeout: float = -1
    ) -> None:
        """Delete groups."""
        given = {"request_timeout": request_timeout}
        self._start("delete_consumer_groups", group_answers.delete, (group_ids, future), given)

    def list_consumer_group_offsets(
        self,
        request: Any,
        future: Any,
        require_stable: bool = False,
        request_timeout: float = -1,
    ) -> None:
        """List the committed offsets of a group."""
        given = {"require_stable": require_stable, "request_timeout": request_timeout}
        self._start("list_consumer_group_offsets", group_answers.offsets, (request, future), given)

    def alter_consumer_group_offsets(
        self, requests: Any, future: Any, request_timeout: float = -1
    ) -> None:
        """Commit offsets for a group that is empty."""
        given = {"request_timeout": request_timeout}
        work = group_answers.alter_offsets
        self._start("alter_consumer_group_offsets", work, (requests, future), given)

    def poll(self, timeout: float = -1) -> int:
        """Serve `error_cb`; return how many events there were."""
        core = self._open()
        if not simulated(core):
            return core.poll(timeout)  # type: ignore[no-any-return]
        running()
        until = deadline(core.kernel, arguments.seconds(timeout))
        items = core.inbox.items
        while not items:
            if not core.inbox.wait(until):
                return 0
        served = len(items)
        for _ in range(served):
            self._serve_common(items.popleft())
        return served

    def __len__(self) -> int:
        core = self._core
        return len(core.inbox.items) if simulated(core) else len(core)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, exc_type: object, exc_value: object, exc_traceback: object) -> bool | None:
        core, self._core = self._core, None
        if simulated(core):
            core.close()
            return None
        return core.__exit__(exc_type, exc_value, exc_traceback)  # type: ignore[no-any-return]

    def _start(
        self, name: str, work: Callable[..., Any], args: tuple[Any, ...], given: dict[str, Any]
    ) -> None:
        """Do the work in a thread of its own; its result or error goes to the future."""
        core = self._open()
        if not simulated(core):
            given = {key: value for key, value in given.items() if value not in (-1, False)}
            if name.startswith("describe_topics"):
                args = args[::-1]
            getattr(core, name)(*args, **given)
            return
        process = running()
        assert process is not None
        until = core.until(arguments.seconds(given.pop("request_timeout")))
        given.pop("operation_timeout", None)
        *wanted, future = args

        def run() -> None:
            try:
                found = work(core, *wanted, until=until, **given)
            except KafkaException as error:
                future.set_exception(error)
            else:
                future.set_result(found)

        process.spawn(run, name=f"rdk:{name}", daemon=True)


def _described(request_timeout: float, operations: bool) -> dict[str, Any]:
    if operations and running() is not None:
        raise Unmodelled("include_authorized_operations is not modelled: there are no ACLs")
    return {"request_timeout": request_timeout}
