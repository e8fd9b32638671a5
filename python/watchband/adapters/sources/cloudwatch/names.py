"""What a metric of CloudWatch is called here, and the way back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from watchband.core.errors import ConfigError
from watchband.core.series import SeriesKey, is_label_name

OWN = ("namespace", "stat", "region", "account")
"""Labels that are no dimensions."""
PREFIX = "dimension_"
_UNFIT = re.compile(r'[\s={},"\\]')
_STAT = re.compile(
    r"SampleCount|Average|Sum|Minimum|Maximum|IQM|(?:p|tm|wm|tc|ts)(?:100(?:\.0{1,10})?|\d{1,2}(?:\.\d{1,10})?)"
    r"|(?:TM|WM|TC|TS|PR)\((?:-?\d+(?:\.\d+)?%?)?:(?:-?\d+(?:\.\d+)?%?)?\)"
)


def is_statistic(text: str) -> bool:
    """Whether CloudWatch has a statistic of this name.

    Examples
    --------
    >>> [is_statistic(text) for text in ("Average", "p99.9", "TM(10%:90%)", "IQM", "mean", "p101")]
    [True, True, True, True, False, False]
    """
    return _STAT.fullmatch(text) is not None and not text.endswith("(:)")


def key_of(
    name: str, dimensions: Iterable[tuple[str, str]], *, namespace: str, stat: str, region: str = "", account: str = ""
) -> SeriesKey:
    """The series of a statistic of a metric.

    A dimension that is called like a label of ours, or that has a character no label name may have, is renamed.

    Examples
    --------
    >>> str(key_of("CPUUtilization", [("InstanceId", "i-1")], namespace="AWS/EC2", stat="p99", region="eu-west-1"))
    'CPUUtilization{InstanceId="i-1",namespace="AWS/EC2",region="eu-west-1",stat="p99"}'
    """
    labels = {label_of(dimension): value for dimension, value in dimensions}
    own = {"namespace": namespace, "stat": stat, "region": region, "account": account}
    return SeriesKey(name, labels | {label: text for label, text in own.items() if text})


def label_of(dimension: str) -> str:
    """The label of a dimension."""
    fit = dimension if is_label_name(dimension) else _UNFIT.sub("_", dimension) or "_"
    return PREFIX + fit if fit in OWN else fit


def metric_of(text: str) -> tuple[dict[str, object], str]:
    """Metric and statistic, as GetMetricData takes them, of the text of a series.

    Raises
    ------
    ConfigError
        It names no namespace, or no statistic.

    Examples
    --------
    >>> metric_of('RequestCount{LoadBalancer="app/web/1",namespace="AWS/ApplicationELB",stat="Sum"}')[1]
    'Sum'
    """
    key = SeriesKey.parse(text)
    stat, namespace = key.labels.get("stat", "Average"), key.labels.get("namespace")
    if not namespace:
        raise ConfigError(f'{text!r} needs its namespace: METRIC{{namespace="AWS/EC2",stat="Average",…}}.')
    if not is_statistic(stat):
        raise ConfigError(f"{stat!r} is no statistic of CloudWatch. Write Average, Sum, p99 or TM(10%:90%).")
    dimensions = {
        (name.removeprefix(PREFIX) if name.removeprefix(PREFIX) in OWN else name): value
        for name, value in key.labels.items()
        if name not in OWN
    }
    return {"Namespace": namespace, "MetricName": key.metric, "Dimensions": wire(dimensions)}, stat


def wire(dimensions: Mapping[str, str]) -> list[dict[str, str]]:
    """Dimensions as the API has them."""
    return [{"Name": name, "Value": value} for name, value in sorted(dimensions.items())]


def resource_fits(arn: str, values: Sequence[str]) -> bool:
    """Whether a resource is the one that dimensions name: its ARN ends with one of their values.

    Examples
    --------
    >>> elb = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/web/50dc"
    >>> resource_fits(elb, ["app/web/50dc"]), resource_fits(elb, ["0dc"])
    (True, False)
    """
    return any(value and arn.endswith(value) and arn[: -len(value)][-1:] in ("/", ":") for value in values)
