"""The cases, by subject."""

from tests.conformance.cql.cases import (
    batches,
    errors,
    meanwhile,
    merging,
    reading,
    schemas,
    statements,
    values,
)
from tests.conformance.cql.steps import Case

CASES: tuple[Case, ...] = (
    *schemas.CASES,
    *statements.CASES,
    *values.CASES,
    *merging.CASES,
    *reading.CASES,
    *batches.CASES,
    *meanwhile.CASES,
    *errors.CASES,
)
