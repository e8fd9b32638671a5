"""The figures of the documents that this project began with, made again."""
