"""A small library of standard cells of our own."""

from pathlib import Path

__all__ = ["GATES", "library_text", "write_library"]

GATES = {
    # area, inputs, function
    "INV": (2.0, "A", "!A"),
    "NAND": (3.0, "AB", "!(A B)"),
    "NOR": (3.0, "AB", "(A+B)'"),
    "BUF": (2.0, "A", "A"),
    "AOI": (4.0, "ABC", "!((A*B)+C)"),
}

_HEAD = """\
/* Made up: no process has these cells. */
library (small) {
  delay_model : table_lookup;
  time_unit : "1ns";
  voltage_unit : "1V";
  current_unit : "1uA";
  capacitive_load_unit (1, pf);
  lu_table_template (grid) {
    variable_1 : total_output_net_capacitance;
    variable_2 : input_net_transition;
    index_1 ("0.005, 0.05, 0.5");
    index_2 ("0.06, 0.3, 1.2");
  }
"""
_TABLE = """
        {name} (grid) {{
          index_1 ("0.005, 0.05, 0.5");
          index_2 ("0.06, 0.3, 1.2");
          values ("0.03, 0.05, 0.1", "0.1, 0.12, 0.2", \\
                  "0.5, 0.6, 0.8");
        }}"""
_KINDS = ("cell_rise", "cell_fall", "rise_transition", "fall_transition")
_TABLES = "".join(_TABLE.format(name=kind) for kind in _KINDS)
_FLIP_FLOP = f"""\
  cell (DFF) {{
    area : 8.0;
    ff (IQ, IQN) {{ next_state : "D"; clocked_on : "CK"; }}
    pin (CK) {{ direction : input; clock : true; capacitance : 0.01; }}
    pin (D) {{ direction : input; capacitance : 0.01; }}
    pin (Q) {{ direction : output; function : "IQ"; max_capacitance : 1.0;
      timing () {{ related_pin : "CK"; timing_sense : non_unate; timing_type : rising_edge;{_TABLES}
      }}
    }}
  }}
"""


def library_text(gates: tuple[str, ...] = tuple(GATES), *, flip_flop: bool = True) -> str:
    """Return the liberty file with some of the gates."""
    text = _HEAD
    for name in gates:
        area, inputs, function = GATES[name]
        text += f"  cell ({name}) {{\n    area : {area};\n"
        for pin in inputs:
            text += f"    pin ({pin}) {{ direction : input; capacitance : 0.01; }}\n"
        text += f'    pin (Y) {{ direction : output; function : "{function}";\n'
        text += "      max_capacitance : 1.0;"
        for pin in inputs:
            sense = "positive_unate" if name == "BUF" else "negative_unate"
            text += f'\n      timing () {{ related_pin : "{pin}"; timing_sense : {sense};'
            text += _TABLES + " }"
        text += "\n    }\n  }\n"
    return text + (_FLIP_FLOP if flip_flop else "") + "}\n"


def write_library(folder: Path) -> Path:
    """Write the library; return its file."""
    path = folder / "small.lib"
    path.write_text(library_text())
    return path
