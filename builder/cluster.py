"""A Ray cluster, for the steps that one machine is too small for."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ..errors import UsageError, require_extra


@dataclass(frozen=True, slots=True)
class Cluster:
    """Which Ray cluster: `auto` for the one this machine belongs to, `HOST:6379` by the address of
    its head, None for one that is started here and ends with the step.

    Every node needs this package, and the pool at the same path: a folder that all share.
    """

    address: str | None = None


@contextmanager
def joined(cluster: Cluster) -> Iterator[None]:
    """Be part of a cluster; one that this process belongs to already is used.

    Raises `UsageError` where there is no Ray, or no cluster at the address.
    """
    require_extra("ray", "ray")
    where = cluster.address or "this machine"
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # reports over the network otherwise
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # notes for Ray's own developers
    import ray

    if ray.is_initialized():
        yield
        return
    try:
        _reach(cluster.address)
        ray.init(cluster.address, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, ValueError, RuntimeError, OSError) as error:
        said = str(error).strip().split("\n")[0][:200].rstrip(".")
        raise UsageError(f"No Ray cluster at {where}: {said}.") from None
    try:
        yield
    finally:
        ray.shutdown()


def _reach(address: str | None) -> None:
    """Raise `OSError` where nobody listens: Ray itself would try for minutes."""
    host, _, port = (address or "").rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host, int(port)), timeout=10).close()


def devices() -> tuple[int, int]:
    """How many CPUs and GPUs the joined cluster has."""
    import ray

    there = ray.cluster_resources()
    return int(there.get("CPU", 0)), int(there.get("GPU", 0))
