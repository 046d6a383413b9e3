"""The live service: ingest, runner, API."""
