"""Scenes: promises of the whole pipeline that can be run, each with the complaint it answers."""
