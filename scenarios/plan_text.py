"""Plans as text: a run folder's ``plan.py``, the end of a token, faults on a command line.

They are Python, and only read: constructors of faults, steps and moments with literal arguments.
"""

import ast
import binascii
import hashlib
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Mapping
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
_SHOWN = 100  # characters of what is refused


def fault(text: str) -> Fault:
    """Read one fault: ``Crash('ubscore-1')``."""
    shown = _short(text)
    read = _value(_parsed(text, shown, "eval").body, shown)
    if not isinstance(read, Fault):
        raise UsageError(f"{shown!r} is no fault; write one such as Crash('ubscore-1')")
    return read


def source(plan: Plan) -> str:
    """Return the plan as Python, ready to be edited, read again, or pasted into a scenario."""
    lines = ["# The plan of this run; times in ns from the start of the workload.", "plan = ("]
    lines += [f"    {step!r}," for step in plan]
    return "\n".join([*lines, ")", ""])


def read(path: str) -> Plan:
    """Read the plan that a run folder holds; `path` is its ``plan.py`` or the folder."""
    file = Path(path)
    try:
        file = file / PLAN if file.is_dir() else file
        with file.open("rb") as opened:
            content = opened.read(_MOST + 1)
        text = content.decode("utf-8") if len(content) <= _MOST else ""
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        shown = _short(str(file))
        raise UsageError(f"--plan {shown}: {why}; name a run folder or its plan.py") from None
    if len(content) > _MOST:
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
        raise UsageError(f"the plan at the end of the token is damaged: {_short(text)!r}")
    return _plan(f"plan = {written}", "the plan at the end of the token")


def digest(plan: Plan) -> str:
    """Return eight hexadecimal digits over the plan."""
    return hashlib.sha256(repr(plan).encode()).hexdigest()[:8]


def _plan(text: str, where: str) -> Plan:
    found = list(_assigned(_parsed(text, where, "exec").body, where))
    if len(found) != 1:
        how_many = f"{len(found)} plans" if found else "no plan"
        raise UsageError(f"{where} holds {how_many}: it needs one `plan = (Step(...), ...)`")
    steps = _value(found[0], where)
    if not isinstance(steps, tuple) or not all(isinstance(step, Step) for step in steps):
        raise UsageError(f"{where}: plan must be a tuple of Step(...), also if it is only one")
    if len(repr(steps)) > _MOST:
        raise UsageError(f"{where}: {len(steps)} steps are more than a token can hold")
    return steps


def _assigned(body: list[ast.stmt], where: str) -> Iterator[ast.expr]:
    """Yield what is assigned to `plan`; what is not read must not look as if it were."""
    for node in body:
        match node:
            case ast.Assign(targets=[ast.Name(id="plan")], value=value):
                yield value
            case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant()):
                continue
            case _:
                raise UsageError(
                    f"{where}, line {node.lineno}: nothing is read here but one"
                    " `plan = (Step(...), ...)`"
                )


def _parsed(text: str, where: str, mode: str) -> Any:
    try:
        return ast.parse(text, mode=mode)
    except (RecursionError, MemoryError):
        raise UsageError(f"{where!r} is nested too deeply to be a plan") from None
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


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def _kinds() -> str:
    return f"known are {', '.join(sorted(_KNOWN))}"
