"""``docs/peers.md``, as ``python -m benchmarks.peers --write`` makes it."""

from pathlib import Path
from typing import Any

__all__ = ["page", "write_page"]

BEGIN = "<!-- written by python -m benchmarks.peers --write: do not edit below -->\n"


def write_page(path: Path, report: dict[str, Any]) -> None:
    """Replace what is behind the mark of a page by the tables of a report."""
    text = path.read_text()
    path.write_text(text[: text.index(BEGIN)] + BEGIN + "\n" + page(report))


def page(report: dict[str, Any]) -> str:
    """Return the tables of a report, as ``python -m benchmarks.peers --json`` writes it."""
    parts = [_table(task) for task in report["tasks"].values()]
    scale = [task for task in report["tasks"].values() if _ours(task)["operations_per_s"]]
    if scale:
        parts.append(_scale(scale))
    tools = ", ".join(f"{name} {version}" for name, version in report["tools"].items())
    parts.append(f"Medians of {report['rounds']} rounds. Tools: {tools}.\n")
    return "\n".join(parts)


def _ours(task: dict[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = next(iter(task["engines"].values()))
    return row


def _table(task: dict[str, Any]) -> str:
    lines = [
        f"{task['title']}:\n",
        "| engine | thousand ticks/s | golden is faster by | spikes | same spikes | goal | |",
        "|---|---:|---:|---:|---|---|---|",
    ]
    for name, row in task["engines"].items():
        ratio, goal, word = task["ratios"].get(name), "", ""
        if name in task["reached"]:
            goal = f">= {task['goals'][name]:g}"
            word = "reached" if task["reached"][name] else "**not reached**"
        cells = [
            name,
            f"{row['ticks_per_s'] / 1e3:,.3f}",
            "" if ratio is None else f"{ratio:.2f}",
            f"{row['spikes']:,}",
            "yes" if row["equal"] else "no",
            goal,
            word,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    lines += [f"\n{name} was left out: {why}" for name, why in task["left_out"].items()]
    return "\n".join(lines) + "\n"


def _scale(tasks: list[dict[str, Any]]) -> str:
    lines = [
        "| golden compiled | GSOP/s | set up, s | most memory, GB |",
        "|---|---:|---:|---:|",
    ]
    for task in tasks:
        row = _ours(task)
        lines.append(
            f"| {task['title']} | {row['operations_per_s'] / 1e9:.2f} "
            f"| {row['set_up_seconds']:.1f} | {row['peak_gigabytes']:.2f} |"
        )
    return "\n".join(lines) + "\n"
