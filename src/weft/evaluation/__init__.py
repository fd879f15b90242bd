"""Whole sets of clips against their references: pairing, measuring once, scoring, and a report one can check."""
