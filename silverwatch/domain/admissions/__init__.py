"""Who comes, lies where, wears what, and goes."""
