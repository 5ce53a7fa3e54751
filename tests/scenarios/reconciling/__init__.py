"""Tests of reading a running deployment."""
