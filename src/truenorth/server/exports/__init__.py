"""The log for others: as one file, as a folder that grows, as an Iceberg table, as messages of Kafka."""
