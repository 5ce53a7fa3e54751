"""The real stage: the deployment's programs as processes of this machine, real servers, real time.

`RealTown` is the deployment of one run; `stage.play` takes a scenario through it. Programs are
started exactly as deployed (``python -m system ...``); only those for which the plan has a moment
or a fault of disk or clock get doors around them (`sim.doors.through`), and only links for which
it has a fault get proxies.
"""
