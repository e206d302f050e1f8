"""Benchmarks, each in one run against a reference: `python -m benchmarks [part ...]`. See docs/performance.md."""
