"""Satzblick's models: they turn a text into a trace. Usable alone in a notebook; knows nothing of the web app."""
