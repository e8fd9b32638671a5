"""What sources of JSON over HTTP have in common: paths into documents, readings by them, settings, waiting."""
