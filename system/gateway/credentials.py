"""Who is asking: API keys, compared by their hashes."""

import hashlib
from collections.abc import Iterable

import msgspec

from system.gateway.config import Key
from system.gateway.refusals import Refused, unauthorized

_SCHEME = "bearer "


class Caller(msgspec.Struct, frozen=True):
    """The holder of a key: one user, or (None) an operator."""

    user_id: int | None

    def as_operator(self) -> None:
        """Refuse anybody but an operator."""
        if self.user_id is not None:
            raise Refused(403, "operator_only", "this needs an operator's key")

    def sees(self, user_id: int) -> None:
        """Refuse a user who asks about another one."""
        if self.user_id not in (None, user_id):
            raise Refused(403, "foreign_account", "this key belongs to another user")

    def subject(self, user_id: int | None) -> int:
        """Return whom a question is about: operators name the user, others are meant themselves."""
        if user_id is None:
            if self.user_id is None:
                raise Refused(400, "missing_user_id", "operators name the user: ?user_id=")
            return self.user_id
        self.sees(user_id)
        return user_id


class Credentials:
    """The configured keys."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self._callers = {key.sha256: Caller(key.user_id) for key in keys}

    def caller(self, authorization: str | None) -> Caller:
        """Return who sent this Authorization header."""
        if authorization is None:
            raise unauthorized("send `Authorization: Bearer <key>`")
        if not authorization.lower().startswith(_SCHEME):
            raise unauthorized("the Authorization header is not `Bearer <key>`")
        key = authorization[len(_SCHEME) :].strip()
        caller = self._callers.get(hashlib.sha256(key.encode()).hexdigest())
        if caller is None:
            raise unauthorized("this key is unknown")
        return caller
