"""``python -m scenarios`` and ``wavetank``: the command line."""

import signal


def main() -> None:
    """Run the command line; while it is loaded, Ctrl-C ends it without a word."""
    told = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if told:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from scenarios import cli  # noqa: PLC0415 - what takes time comes after the handler

    if told:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    cli.main()


if __name__ == "__main__":
    main()
