"""The command line: one small file for each group of commands, all imports lazy."""

import signal


def main() -> None:
    """Run the command line; until it is loaded Ctrl-C ends the process without a word."""
    heard = signal.signal(signal.SIGINT, signal.SIG_DFL)
    from sweep.cli.main import main as run

    signal.signal(signal.SIGINT, heard)
    run()
