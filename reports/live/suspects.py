"""Suspects: what the folds do not agree on, and must be read again to be named."""

from collections.abc import Iterator

from reports.live.sources import Account


class Suspects:
    """Accounts to be looked at closely; more than `most` are only counted."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.accounts: dict[Account, None] = {}
        self.more = 0

    def add(self, account: Account) -> None:
        """Suspect an account."""
        if account in self.accounts:
            return
        if len(self.accounts) < self.most:
            self.accounts[account] = None
        else:
            self.more += 1

    def __contains__(self, account: object) -> bool:
        """Whether an account is to be looked at closely."""
        return account in self.accounts

    def __iter__(self) -> Iterator[Account]:
        """Yield the accounts in order."""
        return iter(sorted(self.accounts))

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.accounts)
