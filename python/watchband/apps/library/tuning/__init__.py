"""What ``wb.tune`` reads and writes: series with labels, documents, the report page."""
