"""Measurements of a day: time, memory, requests and cost."""
