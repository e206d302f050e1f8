"""Getting an account: invitation, registration, confirmation, forgotten passwords."""

from flask import Blueprint


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
