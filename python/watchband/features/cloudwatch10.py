"""The feature set ``cloudwatch10``: ten metrics of a host, as a cloud's export names them.

Each feature is the reading of its own slot of time. A slot that has none takes the reading before it, for as long as
the time allows and never by counting rows; what cannot be, such as a latency below 0, is missing and not 0.
"""

from __future__ import annotations

from watchband.features.load import LoadFeature

SCHEMA_VERSION = 1
CLOUDWATCH10 = (
    LoadFeature("CPUUtilization", "cpu", "CPU", "%", 100.0, 0.0),
    LoadFeature("MemoryUtilization", "memory", "memory", "%", 100.0, 0.0),
    LoadFeature("DiskReadBytes_MB", "disk", "disk reads", "MB", None, 0.0),
    LoadFeature("DiskWriteBytes_MB", "disk", "disk writes", "MB", None, 0.0),
    LoadFeature("NetworkIn_MB", "network", "network in", "MB", None, 0.0),
    LoadFeature("NetworkOut_MB", "network", "network out", "MB", None, 0.0),
    LoadFeature("Latency_ms", "latency", "latency", "ms", None, 0.0),
    LoadFeature("DiskQueueLength", "queue", "disk queue", "", None, 0.0),
    LoadFeature("RunningProcesses", "processes", "processes", "", None, 0.0),
    LoadFeature("ActiveConnections", "connections", "connections", "", None, 0.0),
)
NAMES = tuple(feature.name for feature in CLOUDWATCH10)
BY_NAME = {feature.name.casefold(): feature for feature in CLOUDWATCH10}
