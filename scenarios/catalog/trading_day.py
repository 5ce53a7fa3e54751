"""A day: a hundred users trade two symbols, some of them impatient, while every program crashes."""

from scenarios.deployment import Deployment
from scenarios.plans import trading_day
from scenarios.scenario import Scenario
from scenarios.trading import Trading
from scenarios.workloads import SECOND

scenario = Scenario(
    name="trading_day",
    story=__doc__ or "",
    workload=Trading(
        users=100,
        operations=(280, 320),
        symbols=("BTC_USDT", "ETH_USDT"),
        lasts_ns=9 * SECOND,
        funding_ns=2 * SECOND,
        clients=1,
    ),
    deployment=Deployment(engines=("engine-1",)),
    plan=trading_day,
    sometimes=(
        "partial fill",
        "self-trade prevented",
        "cancel lost the race",
        "cancel took the rest",
        "IOC rest cancelled",
        "price improvement released",
        "order rejected",
        "event published twice",
        "retry answered again",
        "torn log tail",
        "crash between fsync and publish",
        "log recovered",
        "group rebalanced",
    ),
)
