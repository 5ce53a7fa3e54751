"""What the documents ask of `curl`, for machines that have none: -H, -d and an address."""

import argparse
import sys
import urllib.error
import urllib.request


def main(arguments: list[str]) -> int:
    """Send one request and write what is answered."""
    parser = argparse.ArgumentParser()
    parser.add_argument("-H", dest="headers", action="append", default=[])
    parser.add_argument("-d", dest="body")
    parser.add_argument("url")
    asked = parser.parse_args(arguments)
    body = None if asked.body is None else asked.body.encode()
    headers = dict(header.split(": ", 1) for header in asked.headers)
    try:
        with urllib.request.urlopen(urllib.request.Request(asked.url, body, headers)) as answer:
            sys.stdout.write(answer.read().decode() + "\n")
    except urllib.error.HTTPError as error:
        sys.stdout.write(f"{error.code} {error.read().decode()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
