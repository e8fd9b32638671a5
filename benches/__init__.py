"""Benches: what work costs, beside others doing the same work in the same run. ``python -m benches [NAME]``.

A bench is a file ``bench_NAME.py`` with a function ``cases(points, peers)`` that gives a list of ``Case``; nothing
lists it. Other libraries are imported only here, inside the functions that measure them.
"""
