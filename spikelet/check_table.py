"""What ``spikelet check`` shows: a table of nodes. What other results need loads far longer."""

from spikelet.support import Check
from spikelet.terminal import Terminal

__all__ = ["show_check"]


def show_check(terminal: Terminal, found: Check) -> None:
    """Print each node with its verdict, the time constants, and what each device has room for."""
    rows = []
    for node in found.nodes:
        shape = "" if node.shape is None else " x ".join(map(str, node.shape))
        words = [*node.reasons, *([f"remedy: {node.remedy}"] if node.remedy else [])]
        rows.append([node.name, node.kind, shape, node.verdict, "; ".join(words)])
    terminal.table(("node", "type", "shape", "verdict", "why"), rows)
    for line in (*found.reading, *found.leaks):
        terminal.say(line)
    for report in found.devices:
        remedies = f"; it would with {' or '.join(report.remedies)}" if report.remedies else ""
        terminal.say(f"{report}{remedies}")
    for problem, remedy in found.problems:
        terminal.say(f"problem: {problem}\n  remedy: {remedy}")
    terminal.warn(found.doubts)
    terminal.say(f"{found.path}: {found.verdict}")
