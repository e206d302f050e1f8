"""A person's own sessions; locking and unlocking a screen."""

from flask import Blueprint


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
