"""Notices: telling somebody about an alarm, and how that went."""
