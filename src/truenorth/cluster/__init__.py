"""The same kernel on Apache Spark: cases are dealt into buckets, and a bucket is one batch of the step.

>>> from truenorth import cluster
>>> cluster.replay.__name__
'replay'
"""

from truenorth.cluster.arrivals import Arrivals, deal, of_frame, read_parquet
from truenorth.cluster.judging import ClusterReplay, replay
from truenorth.cluster.session import open_session
from truenorth.cluster.writing import write_results

__all__ = ["Arrivals", "ClusterReplay", "deal", "of_frame", "open_session", "read_parquet", "replay", "write_results"]
