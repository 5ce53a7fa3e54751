"""Where a scenario is played: in a simulated world.

The doors are hung here, before any library that a program may use is imported.
"""

from sim.doors import install

install.install()
