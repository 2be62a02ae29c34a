"""Any Verilog from Python: ports of any width, steps, waveforms, errors; and its page in docs."""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikelet.description.errors import SpikeletError
from spikelet.sim import Model, Port, model_library

ROOT = Path(__file__).parents[2]
WIDTHS = (1, 7, 8, 9, 16, 17, 32, 33, 63, 64, 65, 96, 127, 200)
"""Around every kind of storage that Verilator has."""

COUNTER = """
module counter(input clk, input rst, input [7:0] by, output reg [7:0] count, output [7:0] next);
  assign next = count + by;
  always @(posedge clk) count <= rst ? 0 : next;
endmodule
"""


def test_every_block_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs/simulate-any-verilog.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == text.count("```") // 2 == 4
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, "simulate-any-verilog.md", "exec"), names)


@pytest.fixture(scope="module")
def wide():
    """Return a model with registers of many widths."""
    ports = "".join(
        f", input [{w - 1}:0] a{w}, output reg [{w - 1}:0] q{w}, output [{w - 1}:0] n{w}"
        for w in WIDTHS
    )
    body = "".join(f"assign n{w} = ~a{w}; always @(posedge clk) q{w} <= a{w};\n" for w in WIDTHS)
    with Model(f"module wide(input clk{ports});\n{body}endmodule", "wide") as model:
        yield model


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_values_of_any_width_pass_through(wide: Model, data: st.DataObject) -> None:
    width = data.draw(st.sampled_from(WIDTHS))
    value = data.draw(st.integers(-1 << (width - 1), (1 << width) - 1))
    wide[f"a{width}"] = value
    bits = value % (1 << width)
    assert wide[f"a{width}"] == bits
    assert wide[f"n{width}"] == bits ^ ((1 << width) - 1)
    wide.step()
    assert wide[f"q{width}"] == bits
    assert wide.signed(f"q{width}") == (bits ^ 1 << (width - 1)) - (1 << (width - 1))


@pytest.mark.parametrize("width", WIDTHS)
def test_a_value_without_room_is_refused(wide: Model, width: int) -> None:
    low, most = -1 << (width - 1), (1 << width) - 1
    unit = "bit" if width == 1 else "bits"
    for value in (low - 1, most + 1):
        message = rf"^module wide: port a{width} has {width} {unit} and takes {low}\.\.{most}, not"
        with pytest.raises(SpikeletError, match=rf"{message} {value}$"):
            wide[f"a{width}"] = value
    with pytest.raises(TypeError):
        wide[f"a{width}"] = 1.0
    wide[f"a{width}"] = np.int64(1)
    assert wide[f"a{width}"] == 1


def test_inputs_are_there_at_the_rising_edge() -> None:
    with Model(COUNTER, "counter") as model:
        assert model.ports["by"] == Port("by", "input", 8)
        assert model.ports["count"] == Port("count", "output", 8)
        model["rst"] = 1
        model.step()
        model["rst"], model["by"] = 0, 3
        assert (model["next"], model["count"]) == (3, 0)
        model.step()
        assert (model["next"], model["count"]) == (6, 3)
        model.step(100)
        assert model["count"] == 303 % 256
        model.step(0)
        assert model.cycles == 102
        with pytest.raises(SpikeletError, match=r"^step: cycles must be 0 or more, not -1$"):
            model.step(-1)


def test_models_of_one_library_are_apart() -> None:
    with Model(COUNTER, "counter") as one, Model(COUNTER, "counter") as other:
        one["by"], other["by"] = 1, 2
        one.step(5)
        other.step(5)
        assert (one["count"], other["count"]) == (5, 10)


def test_files_that_are_included_decide_what_is_built(tmp_path: Path) -> None:
    folder = tmp_path / "included files"
    folder.mkdir()
    top = tmp_path / "top.v"
    top.write_text(
        '`include "value.vh"\n`include "more.vh"\n'
        "module top(output [7:0] value); assign value = `VALUE + `MORE; endmodule\n"
    )
    (folder / "more.vh").write_text("`define MORE 100\n")
    for value in (7, 8):
        (tmp_path / "value.vh").write_text(f"`define VALUE {value}\n")
        with Model(top, "top", clock=None, include=[folder]) as model:
            assert model["value"] == 100 + value


def test_a_design_of_several_files_with_macros(tmp_path: Path) -> None:
    leaf, top = tmp_path / "leaf.sv", tmp_path / "top.sv"
    leaf.write_text("module leaf(input [3:0] a, output [3:0] b); assign b = a ^ `MASK; endmodule")
    top.write_text("module top(input [3:0] a, output [3:0] b__0a_); leaf l(a, b__0a_); endmodule")
    with Model([leaf, top], "top", clock=None, defines={"MASK": "4'h9"}) as model:
        model["a"] = 5
        assert model["b__0a_"] == 5 ^ 9


def test_escaped_names_are_those_of_the_verilog() -> None:
    text = r"""module odd(input \a[0].b , output \c"\d ); assign \c"\d = \a[0].b ; endmodule"""
    with Model(text, "odd", clock=None) as model:
        assert [*model.ports] == ["a[0].b", 'c"\\d']
        model["a[0].b"] = 1
        assert model['c"\\d'] == 1


def test_waveforms_show_inputs_before_the_edge_and_outputs_behind(tmp_path: Path) -> None:
    path = tmp_path / "counter.vcd"
    with Model(COUNTER, "counter", waves=path) as model:
        model["by"] = 5
        model.step(3)
    text = path.read_text()
    codes = dict(re.findall(r"\$var wire +\d+ (\S+) (\w+)", text))
    names = {code: name for name, code in ((n, c) for c, n in codes.items())}
    seen: dict[str, list[tuple[int, int]]] = {}
    time = 0
    for line in text.partition("$enddefinitions")[2].splitlines():
        if line.startswith("#"):
            time = int(line[1:])
        elif found := re.fullmatch(r"b([01]+) (\S+)|([01])(\S+)", line):
            value, code = found[1] or found[3], found[2] or found[4]
            seen.setdefault(names[code], []).append((time, int(value, 2)))
    assert seen["count"] == [(0, 0), (1, 5), (3, 10), (5, 15)]
    assert seen["clk"] == [(0, 0), (1, 1), (2, 0), (3, 1), (4, 0), (5, 1), (6, 0)]
    assert seen["by"] == [(0, 5)]


ENDS = """
module ends(input clk, input [1:0] how, output reg [7:0] count = 0);
  always @(posedge clk) begin
    count <= count + 1;
    if (count == 3 && how == 1) $finish;
    if (count == 3 && how == 2) $stop;
    if (how == 3) assert (count < 3);
  end
endmodule
"""


@pytest.mark.parametrize("how", [2, 3])
def test_a_design_that_stops_is_an_error_and_python_goes_on(how: int) -> None:
    with Model(ENDS, "ends") as model:
        model["how"] = how
        message = r"^module ends: cycle 3: design\.v:\d: \$stop, \$fatal or an assertion that"
        with pytest.raises(SpikeletError, match=message):
            model.step(10)
        for again in (model.step, lambda: model["count"], lambda: model.finished):
            with pytest.raises(SpikeletError, match=r"^module ends: has stopped: design\.v"):
                again()


def test_a_design_that_finishes_runs_no_further() -> None:
    with Model(ENDS, "ends") as model:
        model["how"] = 1
        model.step(3)
        assert not model.finished
        model.step()
        assert model.finished and model["count"] == 4
        message = r"^module ends: ended by \$finish in cycle 4, 2 before the end of the step$"
        with pytest.raises(SpikeletError, match=message):
            model.step(2)


def test_a_loop_without_end_is_an_error() -> None:
    text = "module loop(input go, output a); assign a = ~(a & go); endmodule"
    with Model(text, "loop", clock=None) as model:
        assert model["a"] == 1
        model["go"] = 1
        with pytest.raises(SpikeletError, match=r"^module loop: cycle 0: .*did not converge"):
            model.step()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"verilog": "module a(; endmodule", "top": "a"}, r"syntax error"),
        ({"verilog": "module a(output b); assign b = c; endmodule", "top": "a"}, r"'c'"),
        ({"top": "b"}, r"^the Verilog has no module b\n.*its modules are counter$"),
        ({"verilog": "// module b\n", "top": "b"}, r"no module b\n.*it has no module at all$"),
        ({"clock": "clock"}, r"^module counter has no port clock\n.* inputs are clk, rst, by$"),
        ({"clock": "by"}, r"^module counter has no clock by\n"),
        ({"clock": "count"}, r"^module counter has no clock count\n"),
        ({"parameters": {"WIDTH": 3}}, r"Parameters from the command line were not found.*WIDTH"),
        ({"waves": Path("a.fst")}, r"^waves: a\.fst must end in \.vcd\n"),
        ({"waves": Path("nowhere/a.vcd")}, r"^cannot write waveforms to nowhere/a\.vcd\n"),
        ({"verilog": Path("nowhere.v")}, r"^cannot read .*nowhere\.v"),
        (
            {"verilog": "module a(input [3:0] b [2]); endmodule", "top": "a", "clock": None},
            r"^module a: a port is no vector of bits: .*b;\n",
        ),
    ],
)
def test_what_cannot_be_opened(
    given: dict[str, object], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SpikeletError, match=message):
        Model(**{"verilog": COUNTER, "top": "counter", **given})


def test_what_cannot_be_done_with_a_port() -> None:
    model = Model(COUNTER, "counter")
    for name, message in (
        ("count", r"^module counter: port count is an output and cannot be set\n.*clk, rst, by$"),
        ("clk", r"^module counter: port clk is driven by step\(\) and cannot be set\n"),
        ("nothing", r"^module counter has no port nothing\n.*its ports are clk, rst, by, "),
    ):
        with pytest.raises(SpikeletError, match=message):
            model[name] = 0
    with pytest.raises(SpikeletError, match=r"^module counter has no port nothing\n"):
        model.signed("nothing")
    model.close()
    model.close()
    for use in (model.step, lambda: model["count"], lambda: model.finished):
        with pytest.raises(SpikeletError, match=r"^module counter: the model was closed\n"):
            use()


def test_the_second_opening_compiles_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    Model(COUNTER, "counter").close()
    monkeypatch.setattr(model_library, "_library", None)
    with Model(COUNTER, "counter") as model:
        assert "count" in model.ports


def test_a_design_that_stops_at_once_is_not_opened() -> None:
    text = "module stops(input clk); initial $stop; endmodule"
    with pytest.raises(SpikeletError, match=r"^module stops: cycle 0: design\.v:1: \$stop"):
        Model(text, "stops")
