"""Silver Watch: an open ward monitor. A secondary, informational display; not a medical device."""

__version__ = "0.1.0"
