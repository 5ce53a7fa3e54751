"""Tests of Settlement."""
