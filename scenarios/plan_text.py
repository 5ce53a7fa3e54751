"""Plans as text: a run folder's ``plan.py``, the end of a token, faults on a command line.

They are Python, and only read: constructors of faults, steps and moments with literal arguments.
"""

import ast
import binascii
import hashlib
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import sim.faults
from scenarios.errors import UsageError
from scenarios.redeploy import Redeploy
from scenarios.scenario import Plan, Step
from sim.faults import Fault
from sim.moments import Moment

_FAULTS: Mapping[str, Any] = {name: getattr(sim.faults, name) for name in sim.faults.__all__}
_KNOWN: Mapping[str, Any] = {
    **{name: kind for name, kind in _FAULTS.items() if name not in ("Fault", "Receipt")},
    "Redeploy": Redeploy,
    "Step": Step,
    "Moment": Moment,
}

PLAN = "plan.py"
_MOST = 2**20  # bytes of a plan: more is no plan


def fault(text: str) -> Fault:
    """Read one fault: ``Crash('ubscore-1')``."""
    read = _value(_parsed(text, text, "eval").body, text)
    if not isinstance(read, Fault):
        raise UsageError(f"{text!r} is no fault; write one such as Crash('ubscore-1')")
    return read


def source(plan: Plan) -> str:
    """Return the plan as Python, ready to be edited, read again, or pasted into a scenario."""
    lines = ["# The plan of this run; times in ns from the start of the workload.", "plan = ("]
    lines += [f"    {step!r}," for step in plan]
    return "\n".join([*lines, ")", ""])


def read(path: str) -> Plan:
    """Read the plan that a run folder holds; `path` is its ``plan.py`` or the folder."""
    file = Path(path, PLAN) if Path(path).is_dir() else Path(path)
    try:
        with file.open("rb") as opened:
            text = opened.read(_MOST + 1).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise UsageError(f"--plan {file}: {why}; name a run folder or its plan.py") from None
    if len(text) > _MOST:
        raise UsageError(f"--plan {file}: it is longer than {_MOST} bytes, and no plan")
    return _plan(text, str(file))


def packed(plan: Plan) -> str:
    """Return the plan in letters that a token may hold."""
    return urlsafe_b64encode(zlib.compress(repr(plan).encode(), 9)).decode().rstrip("=")


def unpacked(text: str) -> Plan:
    """Return the plan that was `packed`."""
    packet = zlib.decompressobj()
    try:
        squeezed = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        written = packet.decompress(squeezed, _MOST).decode()
    except (binascii.Error, zlib.error, ValueError):
        written = ""
    if not packet.eof:
        raise UsageError(f"the plan at the end of the token is damaged: {text!r}")
    return _plan(f"plan = {written}", "the plan at the end of the token")


def digest(plan: Plan) -> str:
    """Return eight hexadecimal digits over the plan."""
    return hashlib.sha256(repr(plan).encode()).hexdigest()[:8]


def _plan(text: str, where: str) -> Plan:
    for node in _parsed(text, where, "exec").body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "plan":
            steps = _value(node.value, where)
            if isinstance(steps, tuple) and all(isinstance(step, Step) for step in steps):
                return steps
            raise UsageError(f"{where}: plan must be a tuple of Step(...), also if it is only one")
    raise UsageError(f"{where} holds no plan: it needs a line `plan = (Step(...), ...)`")


def _parsed(text: str, where: str, mode: str) -> Any:
    try:
        return ast.parse(text, mode=mode)
    except SyntaxError as error:
        raise UsageError(f"{where!r} is not Python: {error.msg}, line {error.lineno}") from None
    except ValueError as error:
        raise UsageError(f"{where!r} is not Python: {error}") from None


def _value(node: ast.AST, where: str) -> Any:
    match node:
        case ast.Call(func=ast.Name(id=name)) if name in _KNOWN:
            arguments = [_value(argument, where) for argument in node.args]
            named = {word.arg or "": _value(word.value, where) for word in node.keywords}
            return _made(name, arguments, named, where)
        case ast.Call():
            raise UsageError(f"{where}: {ast.unparse(node.func)} is unknown; {_kinds()}")
        case ast.Tuple():
            return tuple(_value(element, where) for element in node.elts)
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError):
        shown = ast.unparse(node)
        raise UsageError(f"{where}: {shown} is neither a fault nor a literal; {_kinds()}") from None


def _made(name: str, arguments: list[Any], named: dict[str, Any], where: str) -> Any:
    try:
        made = _KNOWN[name](*arguments, **named)
        _demand_types(made)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{where}: {name}: {error}") from None
    return made


def _demand_types(made: Any) -> None:
    hints = get_type_hints(type(made))
    for each in fields(made):
        value, hint = getattr(made, each.name), hints[each.name]
        if not _fits(value, hint):
            wanted = getattr(hint, "__name__", str(hint)) if get_origin(hint) is None else hint
            raise TypeError(f"{each.name}={value!r} is no {wanted}")


def _fits(value: object, hint: Any) -> bool:
    if isinstance(hint, UnionType):
        return any(_fits(value, one) for one in get_args(hint))
    if get_origin(hint) is tuple:
        return isinstance(value, tuple) and all(_fits(one, get_args(hint)[0]) for one in value)
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, hint) and not isinstance(value, bool)


def _kinds() -> str:
    return f"known are {', '.join(sorted(_KNOWN))}"
