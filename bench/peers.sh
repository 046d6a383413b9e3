#!/bin/sh
# A scratch environment with the peers that Truenorth is compared with; never a dependency. Usage: bench/peers.sh [DIR]
set -eu
dir=${1:-/tmp/peers/venv}
python3 -m venv "$dir"
"$dir/bin/pip" install --quiet pm4py duckdb rustxes polars doubleml causallib statsmodels xgboost
"$dir/bin/pip" list | grep -E '^(pm4py|duckdb|rustxes|polars|pandas|numpy|DoubleML|causallib|statsmodels|xgboost) '
echo "PEERS_PYTHON=$dir/bin/python"
