"""``spikelet boards``: the boards that are known, and the ports of this computer."""

import click

from spikelet.commands.options import BAUD
from spikelet.terminal import Terminal, printing_options

__all__ = ["boards"]


@click.command()
@click.option(
    "--identify", is_flag=True, help="Ask each port of a board's adapter what it leads to."
)
@BAUD
@printing_options
def boards(terminal: Terminal, identify: bool, baud: int) -> None:
    """List boards, serial ports, and with --identify the chips behind them."""
    from spikelet.boards import BOARDS
    from spikelet.fpga.families import device_named
    from spikelet.host.identify import identified
    from spikelet.host.serial_port import serial_ports

    rows = [
        [
            board.name,
            board.device,
            device_named(board.device).family.title,
            f"{board.clock_hz / 1e6:g} MHz",
            board.programmers[0],
        ]
        for board in BOARDS.values()
    ]
    terminal.table(("board", "device", "family", "oscillator", "program with"), rows)
    ports, found = serial_ports(), []
    for port in ports:
        answer = identified(port.name, baud) if identify and port.bridge else None
        found.append({"port": port.name, "adapter": port.bridge, "what": port.description})
        if answer is not None:
            found[-1] |= {"answer": answer.words, "structure": answer.structure}
    if found:
        shown = [
            [entry["port"], entry["adapter"] or "-", entry["what"], entry.get("answer", "-")]
            for entry in found
        ]
        terminal.table(("port", "adapter", "what it is", "what answers"), shown)
    else:
        terminal.say("no serial port was found: plug a board in")
    terminal.result({"boards": list(BOARDS), "ports": found})
