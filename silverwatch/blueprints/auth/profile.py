"""A person's own account: profile, photo, contacts, password, e-mail address."""

from flask import Blueprint


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
