"""``python -m spikelet``: the command line."""

from spikelet.cli import main

if __name__ == "__main__":
    main(prog_name="spikelet")
