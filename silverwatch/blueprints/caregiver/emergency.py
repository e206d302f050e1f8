"""Break-glass: opening a foreign record in an emergency."""

from flask import Blueprint


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
