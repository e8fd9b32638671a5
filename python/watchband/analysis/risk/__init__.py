"""Risk: what state an entity is in, from all its metrics together. ``docs/risk.md`` says how.

``pivot`` (readings to rows), ``sampling`` and ``baseline`` (what is usual), ``kmeans``, ``dbscan``, ``ward``,
``kmedoids``, ``consensus``, ``stability`` (groups), ``naming`` (states), ``labeller`` and ``artifact`` (what is kept
and used live), ``outlook`` (what comes next), ``words``; ``fit`` puts them together, ``live`` folds a log with them.
"""
