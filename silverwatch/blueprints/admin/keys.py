"""Keys of programs."""

from flask import Blueprint


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
