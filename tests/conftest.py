"""Hangs the doors before any test imports a library or a program."""

from sim.doors import install

install.install()
