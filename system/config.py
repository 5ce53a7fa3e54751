"""Configuration: a typed TOML file, overridden by WAVETANK_<SECTION>_<KEY> in the environment."""

import difflib
import re
import tomllib
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from system.errors import ConfigError

PREFIX = "WAVETANK_"

Positive = Annotated[int, msgspec.Meta(ge=1)]
Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
NonEmpty = Annotated[str, msgspec.Meta(min_length=1)]


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file; unknown keys are refused."""


class Kafka(Section, frozen=True):
    """How to reach Kafka, and how long to wait for it."""

    bootstrap: NonEmpty  # host:port, comma separated
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: NonEmpty = "SCRAM-SHA-512"
    sasl_username: str = ""
    sasl_password: str = ""
    ssl_ca: str = ""  # PEM files; without a CA those of the machine are trusted
    ssl_certificate: str = ""
    ssl_key: str = ""
    connect_timeout_ms: Positive = 10_000
    linger_ms: Annotated[int, msgspec.Meta(ge=0)] = 5
    delivery_timeout_ms: Positive = 30_000


class Topics(Section, frozen=True):
    """What the topics look like; partition counts never change in place."""

    partitions: Positive = 4
    replication: Positive = 3
    min_insync: Positive = 2
    retention_ms: Positive = 7 * 24 * 3600 * 1000

    def __post_init__(self) -> None:
        if self.min_insync > self.replication:
            raise ValueError("min_insync must not exceed replication")


T = TypeVar("T", bound=msgspec.Struct)


def load(config: type[T], path: str, environ: Mapping[str, str]) -> T:
    """Read `path`, apply the environment, and check every key and value."""
    return parse(config, _read(path), path, environ)


def parse(config: type[T], text: str, path: str, environ: Mapping[str, str]) -> T:
    """Turn the text of a configuration file into `config`, or say what is wrong with it."""
    raw = _parsed(text, path)
    override(config, raw, environ)
    return convert(config, raw, path, variables=True)


def read(path: str) -> dict[str, Any]:
    """Read a file's tables as they stand; what they mean is checked by `convert`."""
    return _parsed(_read(path), path)


def convert(config: type[T], raw: dict[str, Any], path: str, *, variables: bool = False) -> T:
    """Turn tables into `config`, or say what is wrong with them.

    `variables` says whether the environment can set them, too.
    """
    try:
        return msgspec.convert(raw, config, strict=True)
    except msgspec.ValidationError as error:
        explained = _explain(config, raw, path, str(error), variables=variables)
        raise ConfigError(explained) from None


def _parsed(text: str, path: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not TOML: {error}; correct that line") from None


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8 text; write it as TOML") from None
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; name a readable file") from None


def override(config: type[msgspec.Struct], raw: dict[str, Any], environ: Mapping[str, str]) -> None:
    sections = _sections(config)
    for name in sorted(environ):
        section = next((s for s in sections if name.startswith(f"{PREFIX}{s.upper()}_")), None)
        if section is None:
            continue  # another program's section
        key = name[len(PREFIX) + len(section) + 1 :].lower()
        types = get_type_hints(sections[section], include_extras=True)
        if key not in types:
            raise ConfigError(f"{name} overrides no key of [{section}]{_nearest(key, types)}")
        table = raw.setdefault(section, {})
        if isinstance(table, dict):
            table[key] = _value(name, environ[name], types[key])


def _value(name: str, text: str, wanted: Any) -> object:
    """Read `text` as `wanted`: lists and tables in TOML's notation, the rest as it stands."""
    try:
        if text[:1] in "[{" and text:
            return tomllib.loads(f"value = {text}")["value"]
        return msgspec.to_builtins(msgspec.convert(text, wanted, strict=False))
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigError(f"{name} = {text!r}: {error}; correct or unset it") from None


@cache
def _sections(config: type[msgspec.Struct]) -> dict[str, type[msgspec.Struct]]:
    hints = get_type_hints(config)
    return {
        name: hint
        for name, hint in sorted(hints.items(), key=lambda item: -len(item[0]))
        if isinstance(hint, type) and issubclass(hint, msgspec.Struct)
    }


def _explain(
    config: type[msgspec.Struct], raw: dict[str, Any], path: str, error: str, *, variables: bool
) -> str:
    """Turn msgspec's message into file, key, value and what to do."""
    what, _, where = error.partition(" - at `$")
    keys = [key for key in re.split(r"[.\[\]]+", where.rstrip("`")) if key]
    if (field := re.search(r"unknown field `(.*)`", what)) is not None:
        known = get_type_hints(_sections(config).get(keys[0], config) if keys else config)
        name = ".".join([*keys, field.group(1)])
        return f"{path}: unknown key {name}{_nearest(field.group(1), known)}"
    if (field := re.search(r"missing required field `(.*)`", what)) is not None:
        name = ".".join([*keys, field.group(1)])
        variable = _variable(keys, field.group(1)) if variables else ""
        return f"{path}: {name} is missing; set it{variable}"
    name = ".".join(keys) or "the file"
    variable = _variable(keys[:-1], keys[-1]) if len(keys) == 2 and variables else ""
    return (
        f"{path}: {name} = {_found(raw, keys)}: {what}{_choices(config, keys)}; change it{variable}"
    )


def _choices(config: type[msgspec.Struct], keys: list[str]) -> str:
    """Return what a key may be, if that is one of some words."""
    if len(keys) != 2:
        return ""
    hint = get_type_hints(_sections(config).get(keys[0], config)).get(keys[1])
    known = ", ".join(map(repr, get_args(hint))) if get_origin(hint) is Literal else ""
    return f", known are {known}" if known else ""


def _found(raw: Any, keys: list[str]) -> str:
    if keys and "password" in keys[-1]:
        return "(not shown)"
    for key in keys:
        if isinstance(raw, dict) and key in raw:
            raw = raw[key]
        elif isinstance(raw, list) and key.isdigit():
            raw = raw[int(key)]
        else:
            return "?"  # a key of a map ("[...]"): msgspec does not say which
    text = repr(raw)
    return text if len(text) <= 80 else text[:77] + "..."


def _variable(section: list[str], key: str) -> str:
    return f" there or in {PREFIX}{section[0].upper()}_{key.upper()}" if len(section) == 1 else ""


def _nearest(key: str, known: Mapping[str, object]) -> str:
    guess = difflib.get_close_matches(key, known, n=1)
    if guess:
        return f"; did you mean {guess[0]}?"
    return f"; known are {', '.join(sorted(known))}"
