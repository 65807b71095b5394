"""Satzblick's web app: addresses in, pages, figures and numbers out; it computes nothing that models does not."""
