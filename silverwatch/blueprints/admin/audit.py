"""The audit: who did what to whom; filters, export, the state of the chain."""

from flask import Blueprint


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
