"""The same kernel on Apache Spark: cases are dealt into buckets, and a bucket is one batch of the step.

>>> from truenorth import cluster
>>> cluster.replay.__name__
'replay'
"""

from truenorth.cluster.aggregates import Shares, causal_flow, concentration, event_types
from truenorth.cluster.arrivals import Arrivals, deal, of_frame, read_parquet
from truenorth.cluster.dealing import How
from truenorth.cluster.features import features
from truenorth.cluster.judging import ClusterReplay, Keep, replay
from truenorth.cluster.people import Identities
from truenorth.cluster.sampling import Sample, sample
from truenorth.cluster.session import open_session
from truenorth.cluster.stream.arrivals import read_folder, read_kafka
from truenorth.cluster.stream.judging import Batch, Pace, judge_stream
from truenorth.cluster.writing import write_results

__all__ = [
    "Arrivals",
    "Batch",
    "ClusterReplay",
    "How",
    "Identities",
    "Keep",
    "Pace",
    "Sample",
    "Shares",
    "causal_flow",
    "concentration",
    "deal",
    "event_types",
    "features",
    "judge_stream",
    "of_frame",
    "open_session",
    "read_folder",
    "read_kafka",
    "read_parquet",
    "replay",
    "sample",
    "write_results",
]
