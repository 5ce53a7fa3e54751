"""Formats for other programs: the judgement as JSON, and as JUnit XML."""

from collections.abc import Iterable
from typing import Any
from xml.etree import ElementTree as ET

import msgspec

from reports.amounts import asset_name
from reports.breaks import Break, Check
from reports.judge import Judgement
from reports.pages.text import summary
from reports.reconcile import Statement

FORMAT = 1


def as_json(judgement: Judgement) -> bytes:
    """Return verdict, checks, hops, differences and breaks; amounts are raw integers in text.

    Sums may exceed what JSON numbers carry exactly elsewhere, so amounts are strings.
    """
    content = {
        "format": FORMAT,
        "verdict": judgement.verdict,
        "about": judgement.case.about,
        "excused": judgement.excused,
        "unknown": judgement.unknown,
        "checks": checks_fields(judgement.checks),
        **statement_fields(judgement.statement),
        "breaks": [amount_fields(b) for b in judgement.breaks],
    }
    return msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n"


def checks_fields(checks: Iterable[Check]) -> list[dict[str, Any]]:
    """Return checks without their breaks."""
    return [
        {
            "invariant": check.invariant,
            "promise": check.promise,
            "verdict": check.verdict,
            "checked": check.checked,
            "breaks": len(check.breaks),
        }
        for check in checks
    ]


def statement_fields(statement: Statement) -> dict[str, Any]:
    """Return hops and differences."""
    return {
        "hops": [
            {
                "hop": hop.name,
                "effects": hop.count,
                "copies": hop.copies,
                "ranges": hop.ranges,
                "sums": {asset_name(a): str(total) for a, total in sorted(hop.sums.items())},
            }
            for hop in statement.hops
        ],
        "differences": [
            {"from": step.before, "to": step.after, **amount_fields(part)}
            for step in statement.steps
            for part in step.differences
        ],
    }


def amount_fields(part: msgspec.Struct) -> dict[str, Any]:
    """Return the fields of a break or a difference; its amount is text."""
    fields = msgspec.structs.asdict(part)
    asset = asset_name(fields["asset_id"]) if fields["asset_id"] else ""
    return {**fields, "amount": str(fields["amount"]), "asset": asset}


def as_junit(judgement: Judgement) -> bytes:
    """Return one test case per invariant; properties carry what a replay needs."""
    about = judgement.case.about
    counts: dict[str, str] = {
        "tests": str(len(judgement.checks)),
        "failures": str(sum(c.verdict == "broken" for c in judgement.checks)),
        "errors": str(sum(bool(c.error) for c in judgement.checks)),
        "skipped": str(sum(c.verdict == "unknown" and not c.error for c in judgement.checks)),
    }
    root = ET.Element("testsuites", name="wavetank", attrib=counts)
    duration = f"{(about.real_ns or 0) / 1e9:.3f}"
    suite = ET.SubElement(root, "testsuite", name=about.scenario, attrib=counts, time=duration)
    properties = ET.SubElement(suite, "properties")
    for name in ("seed", "token", "stage", "digest"):
        value = _xml(str(getattr(about, name)))
        ET.SubElement(properties, "property", name=f"wavetank.{name}", value=value)
    for check in judgement.checks:
        name = _xml(f"{check.invariant} {check.promise}")
        case = ET.SubElement(suite, "testcase", classname=about.scenario, name=name)
        if check.breaks:
            message = _xml(str(check.breaks[0]))
            failure = ET.SubElement(case, "failure", type=check.breaks[0].code, message=message)
            failure.text = _xml(_failure(judgement, check.breaks))
        elif check.error:
            ET.SubElement(case, "error", message=_xml(check.error))
        elif check.verdict == "unknown":
            ET.SubElement(case, "skipped", message="nothing to check: unknown")
    ET.indent(root)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _failure(judgement: Judgement, breaks: tuple[Break, ...]) -> str:
    lines = [str(b) for b in breaks[:20]]
    if len(breaks) > 20:
        lines.append(f"and {len(breaks) - 20} more")
    return "\n".join([*lines, "", summary(judgement)])


def _xml(text: str) -> str:
    """Replace what XML 1.0 cannot hold."""
    return "".join(
        c if c in "\t\n\r" or " " <= c <= "\ud7ff" or c >= "\ue000" else "?" for c in text
    )
