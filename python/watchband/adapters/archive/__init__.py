"""The archive in a bucket or folder: what was acknowledged, as Hive-partitioned Parquet with a manifest."""
