"""Naming: how accounts are written for people."""

from reports.amounts import asset_name
from reports.journal import Account


def account_name(account: Account) -> str:
    """Write an account for people."""
    return f"user {account[0]} {asset_name(account[1])}"
