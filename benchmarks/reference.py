"""The reference: the least that stores a reading durably. No key, no validation, no patient, no alarm.

BENCH_DATABASE_URL names its own database on the same PostgreSQL; its table is made by benchmarks.place.
"""

import os
import queue
from datetime import UTC, datetime
from uuid import UUID

import psycopg
from flask import Flask, request

INSERT = (
    "INSERT INTO reference_reading (patient_id, measured_at, received_at, heart_rate, respiratory_rate,"
    " oxygen_saturation, systolic_bp, diastolic_bp, temperature) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
)
VITALS = INSERT.partition("received_at, ")[2].partition(")")[0].split(", ")
PATIENT = UUID(int=1)

app = Flask("reference")
pool: queue.LifoQueue[psycopg.Connection | None] = queue.LifoQueue()
for _ in range(int(os.environ["SILVERWATCH_POOL"])):
    pool.put(None)


@app.post("/api/readings/")
def store() -> dict[str, int]:
    """One reading, one row, one commit."""
    reading = request.get_json()
    row = (PATIENT, reading["measured_at"], datetime.now(UTC), *(reading[vital] for vital in VITALS))
    connection = pool.get() or psycopg.connect(os.environ["BENCH_DATABASE_URL"])
    try:
        connection.execute(INSERT, row, prepare=True)
        connection.commit()
    finally:
        pool.put(connection)
    return {"stored": 1}
