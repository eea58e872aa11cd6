"""Scalable oversight: weak judges, the help they get, and ground truth that can be computed."""
