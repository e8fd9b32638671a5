"""Quality of detection side by side: one calibration, one alert logic, one configuration for everything.

``python -m benches.quality``, or from Python::

    from benches.quality import evaluate
    evaluate({"residual": CATALOGUE.build({"type": "residual"})}, only=("nab", "simulated"))
"""

from __future__ import annotations

from benches.quality.report import evaluate

__all__ = ["evaluate"]
