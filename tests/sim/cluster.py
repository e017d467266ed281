"""A Dask cluster on this machine for a test: prints its address and its workers' process ids as one JSON object, and ends with its standard input."""

import json
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2])]  # the workers inherit it


def main() -> None:
    """Serve."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            host="127.0.0.1",
            scheduler_port=0,
            dashboard_address=None,
            silence_logs=50,
        ) as cluster,
        Client(cluster) as client,
    ):
        workers = client.run(_pid)
        print(json.dumps({"address": cluster.scheduler_address, "workers": list(workers.values())}), flush=True)
        sys.stdin.read()


def _pid() -> int:
    import os

    return os.getpid()


if __name__ == "__main__":
    main()
