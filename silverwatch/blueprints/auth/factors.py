"""The second factor: setting it up, giving it, recovery; and giving the password again."""

from flask import Blueprint


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
