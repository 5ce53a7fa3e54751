"""The cases, by subject."""

from tests.conformance.cql.cases import errors, merging, reading, schemas, statements, values
from tests.conformance.cql.steps import Case

CASES: tuple[Case, ...] = (
    *schemas.CASES,
    *statements.CASES,
    *values.CASES,
    *merging.CASES,
    *reading.CASES,
    *errors.CASES,
)
