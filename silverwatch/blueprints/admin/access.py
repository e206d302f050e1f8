"""The access matrix: who may do what."""

from flask import Blueprint


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
