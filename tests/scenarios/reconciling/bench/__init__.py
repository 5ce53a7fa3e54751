"""Tests of made-up deployments."""
