"""Tests of UBSCore."""
