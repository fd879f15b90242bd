"""The yardsticks: pure functions from arrays to numbers, one file per family."""
