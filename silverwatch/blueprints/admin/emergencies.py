"""Emergency accesses that wait for a review."""

from flask import Blueprint


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
