"""Kill parts of a running site at each point of the way from a breach to the people, and compare: every breach has its
alert, every step was taken, every notice has arrived; then a backlog of notices, and a channel that is down for long.

    python -m benchmarks.chain            each part and each pair at each point
    python -m benchmarks.chain --short    each part once
"""
