"""Plans of faults from outside: a run folder's ``plan.py``, or faults written on a command line.

They are Python, and only read: constructors of faults, steps and moments with literal arguments.
"""

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Any

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


def fault(text: str) -> Fault:
    """Read one fault: ``Crash('ubscore-1')``."""
    read = _value(_parsed(text, text, "eval").body, text)
    if not isinstance(read, Fault):
        raise UsageError(f"{text!r} is no fault; write one such as Crash('ubscore-1')")
    return read


def plan(path: str) -> Plan:
    """Read the plan that a run folder holds; `path` is its ``plan.py`` or the folder."""
    file = Path(path, "plan.py") if Path(path).is_dir() else Path(path)
    try:
        tree = _parsed(file.read_text(encoding="utf-8"), str(file), "exec")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise UsageError(f"--plan {file}: {why}; name a run folder or its plan.py") from None
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "plan":
            steps = _value(node.value, str(file))
            if isinstance(steps, tuple) and all(isinstance(step, Step) for step in steps):
                return steps
            raise UsageError(f"{file}: plan must be a tuple of Step(...)")
    raise UsageError(f"{file} holds no plan: it needs a line `plan = (Step(...), ...)`")


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
        return _KNOWN[name](*arguments, **named)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{where}: {name}: {error}") from None


def _kinds() -> str:
    return f"known are {', '.join(sorted(_KNOWN))}"
