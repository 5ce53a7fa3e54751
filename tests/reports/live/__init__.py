"""Tests of reconciling a running deployment."""
