"""A wall screen: pairing it and what it shows."""

from flask import Blueprint


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
