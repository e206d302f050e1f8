"""From the topics of existing firmware on an MQTT broker to the ingest endpoint, with a gateway's key."""
