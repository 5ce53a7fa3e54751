"""Which versions of each API are spoken on the wire, and how they become the one of the machine.

A machine knows one version of each API. Versions below it differ in the fields they have: a field
that an older request lacks gets its default, a field that an older response lacks is left out. The
lowest versions are those of Kafka 4.0 (KIP-896), the highest those of the machine.
"""

import dataclasses
import importlib
from collections.abc import Callable
from functools import cache
from types import UnionType
from typing import Any, NamedTuple, get_args, get_origin

from sim.kafka.protocol import APIS, Api

API_VERSIONS_KEY = 18
_PRODUCE_KEY = 0
_LOWEST = {"JoinGroup": 2}  # where Kafka's schemas still describe versions that 4.0 refuses

Convert = Callable[[Any], Any]


class Spoken(NamedTuple):
    """One version of one API: the entities on the wire and what leads from and to the machine's."""

    api: Api
    version: int
    request: Any
    response: Any
    to_machine: Convert
    from_machine: Convert


class Range(NamedTuple):
    """An API and the lowest and the highest of its versions."""

    api: Api
    lowest: int
    highest: int

    @property
    def offered(self) -> int:
        """The lowest version that ApiVersions names.

        As Kafka 4 does, Produce is offered from 0 on: otherwise librdkafka takes the broker for
        one that cannot read compressed batches (KAFKA-18659).
        """
        return 0 if self.api.key == _PRODUCE_KEY else self.lowest


def _lowest(api: Api) -> int:
    for version in range(_LOWEST.get(api.name, 0), api.version):
        try:
            _module(api.request, version)
        except ModuleNotFoundError:
            continue
        return version
    return api.version


def _module(kind: type, version: int) -> Any:
    head, _, tail = kind.__module__.rpartition(".")
    package = head.rpartition(".")[0]
    return importlib.import_module(f"{package}.v{version}.{tail}")


RANGES: dict[int, Range] = {
    api.key: Range(api, _lowest(api), api.version)
    for api in sorted(APIS.values(), key=lambda each: each.key)
}


@cache
def spoken(key: int, version: int) -> Spoken:
    """Return a version within its range."""
    api = RANGES[key].api
    request = getattr(_module(api.request, version), api.request.__name__)
    response = getattr(_module(api.response, version), api.response.__name__)
    return Spoken(
        api,
        version,
        request,
        response,
        converter(request, api.request),
        converter(api.response, response),
    )


@cache
def converter(source: Any, target: Any) -> Convert:
    """Return what turns an entity of one version into the same of another, by names of fields."""
    if source is target:
        return _same
    have = {field.name: field.type for field in dataclasses.fields(source)}
    steps: list[tuple[str, Convert]] = []
    missing: dict[str, Any] = {}
    for field in dataclasses.fields(target):
        if field.name in have:
            steps.append((field.name, _for_type(have[field.name], field.type)))
        elif field.default is dataclasses.MISSING:
            missing[field.name] = _neutral(field.type)

    def convert(entity: Any) -> Any:
        values = {name: step(getattr(entity, name)) for name, step in steps}
        return target(**values, **missing)

    return convert


def _same(value: Any) -> Any:
    return value


def _for_type(source: Any, target: Any) -> Convert:
    source, target = _not_none(source), _not_none(target)
    if get_origin(source) is tuple:
        inner = _for_type(get_args(source)[0], get_args(target)[0])
        if inner is _same:
            return _same
        return lambda values: None if values is None else tuple(inner(each) for each in values)
    if dataclasses.is_dataclass(source) and source is not target:
        nested: Convert = converter(source, target)  # type: ignore[arg-type]
        return lambda value: None if value is None else nested(value)
    return _same


def _not_none(declared: Any) -> Any:
    if get_origin(declared) is UnionType:
        return next(each for each in get_args(declared) if each is not type(None))
    return declared


def _neutral(declared: Any) -> Any:
    if _not_none(declared) is not declared:
        return None
    if get_origin(declared) is tuple:
        return ()
    return "" if issubclass(declared, str) else declared(0)
