"""The same kernel on Apache Spark: a bucket of cases is one batch of the step."""
