"""Kill every process of a running site again and again under load, and compare what was acknowledged with what is
stored: no acknowledged reading lost or stored twice, every breach an alert, the open alerts those of a recomputation.

    python -m benchmarks.faults --kills 20 --seed 1
"""
