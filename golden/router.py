"""Golden model of routing: which way a flit goes. Twin of ``rtl_gen/router.py``."""

__all__ = ["next_port", "route"]

_STEP = {"north": (0, -1), "east": (1, 0), "south": (0, 1), "west": (-1, 0)}


def next_port(x: int, y: int, target_x: int, target_y: int) -> str:
    """Return the port through which a flit at (x, y) leaves: along x first, then along y.

    Coordinates are those of flits: mesh column, and mesh row + 1; the host is at (0, 0).
    """
    if target_x != x:
        return "east" if target_x > x else "west"
    if target_y != y:
        return "south" if target_y > y else "north"
    return "local"


def route(x: int, y: int, target_x: int, target_y: int) -> list[str]:
    """Return the ports that a flit takes from (x, y) to its target; the last is ``"local"``,
    except at the host."""
    ports: list[str] = []
    while not ports or ports[-1] != "local":
        ports.append(next_port(x, y, target_x, target_y))
        if ports[-1] != "local":
            step_x, step_y = _STEP[ports[-1]]
            x, y = x + step_x, y + step_y
            if y == 0:
                break
    return ports
