"""``spikelet virtual-board``: a board in simulation, behind a serial port that programs open."""

import signal
import sys
from pathlib import Path
from typing import Any

import click

from spikelet.commands.options import FROM_0, NETWORK, OUT, POSITIVE
from spikelet.terminal import Terminal, command_line, printing_options

__all__ = ["virtual_board_command"]


@click.command("virtual-board")
@NETWORK
@click.argument("board")
@OUT
@click.option(
    "--baud", type=POSITIVE, default=1_000_000, show_default=True, help="Of the board's divider."
)
@click.option("--offset", type=float, default=0.0, help="Of the host's rate: 0.02 is 2 % faster.")
@click.option("--damage", type=float, default=0.0, help="Share of bytes that the line damages.")
@click.option(
    "--disconnect-after", type=click.FloatRange(min=0), help="Pull the cable after these seconds."
)
@click.option("--seed", type=FROM_0, default=0, show_default=True, help="Of the damage.")
@printing_options
def virtual_board_command(
    terminal: Terminal,
    network: Path,
    board: str,
    folder: Path | None,
    baud: int,
    offset: float,
    disconnect_after: float | None,
    **faults: Any,
) -> None:
    """Simulate BOARD with the image host-link, pin by pin, behind a pseudo-terminal.

    Programs use its path as the --port of a board. Ctrl-C ends it.
    """
    from spikelet.boards import board_named
    from spikelet.project import opened
    from spikelet.rtl_gen.uart import baud_divider
    from spikelet.runs.virtual_boards import (
        LARGEST_MISMATCH,
        lit_leds,
        rate_mismatch,
        virtual_board,
    )
    from spikelet.sim.board_server import BoardServer
    from spikelet.targets import target_fit

    here = board_named(board)
    mismatch = rate_mismatch(here.clock_hz, baud_divider(here.clock_hz, baud), baud, offset)
    compiled = opened(network, folder, command_line(click.get_current_context())).load()
    fit = target_fit(compiled, here.name, "host-link")
    if not fit.fits:
        terminal.warn([f"no such image can be built: {fit}"])
    if abs(mismatch) > LARGEST_MISMATCH:
        terminal.warn([f"the host's rate is off by {mismatch:+.1%}: bytes will be misread"])
    terminal.say(f"{here.name}: compiling the simulator")
    with_pins = virtual_board(compiled.chip, here, baud=baud, offset=offset, **faults)

    def show_leds(levels: int) -> None:
        lit = " ".join("*" if on else "." for on in lit_leds(here, levels))
        line = f"LEDs 0 to {len(here.leds) - 1}: {lit}"
        if terminal.console.is_terminal:
            terminal.console.print(line, end="\r", soft_wrap=True)
        else:
            terminal.say(line)
            sys.stdout.flush()

    def show_terminal(path: str) -> None:
        terminal.say(f"{here.name} is at {path}, {baud:,} baud")
        sys.stdout.flush()

    begun = with_pins.cycles
    server = BoardServer(
        with_pins,
        disconnect_after_s=disconnect_after,
        on_terminal=show_terminal,
        on_leds=show_leds,
    )
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell's background job ignores the first
        signal.signal(number, signal.default_int_handler)
    terminal.say("Ctrl-C ends it. Simulation is slower than the board: programs wait for longer")
    try:
        server.serve()
    except KeyboardInterrupt:
        served = server.served
        terminal.say(
            f"\n{served.to_board:,} bytes to the board, {served.from_board:,} from it; "
            f"{with_pins.cycles - begun:,} clock cycles, {served.speed:.3g} of the board's speed"
        )
        terminal.result({"board": here.name, **vars(served), "cycles": with_pins.cycles - begun})
    finally:
        with_pins.close()
