"""What Prometheus gets from a port."""

import urllib.request
from contextlib import closing


def scraped(port: int) -> str:
    with closing(urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5)) as answer:
        return str(answer.read().decode())
