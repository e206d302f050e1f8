"""Who has access: accounts, invitations, approvals, roles, wards, sessions."""

from flask import Blueprint


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
