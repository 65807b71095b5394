"""The bench computes its ratios as it says, and its load generator counts what a real server answers."""

from math import isfinite

import pytest

from app.bench import ASKED, CROWDED, FLOORS, VIEWS, Timings, measure, request_lines, server
from app.benchmarks import Line, Plan, report


def test_the_overhead_ratio_is_of_medians():
    timings = Timings(request=[0.010, 0.014, 9.0], empty=[0.002, 0.002, 0.003], call=[0.004, 0.008, 0.100])
    assert timings.overhead() == pytest.approx((0.014 - 0.002) / 0.008)
    assert timings.note() == "(14.00 − 2.00) ÷ 8.00 ms"


def test_cached_answers_are_compared_with_the_page_without_a_model():
    timings = Timings(request=[0.01], empty=[0.002], call=[0.005], kept=[0.001], redrawn=[0.003])
    lines = {line.name.split(",")[0]: line for line in request_lines("attention_map", 8, timings, 900, 4000)}
    assert lines["overhead ratio"].value == pytest.approx(1.6)
    assert lines["overhead ratio"].bar == 1.6
    assert lines["cached request ÷ page without a model"].value == pytest.approx(0.5)
    assert lines["kept trace"].value == pytest.approx(1.5)
    assert lines["bytes on the wire"].value == 900


@pytest.mark.parametrize(
    ("line", "met"),
    [
        (Line("a", 1.6, bar=1.6), True),
        (Line("a", 1.61, bar=1.6), False),
        (Line("a", 9.0, bar=10, least=True), False),
        (Line("a", 10.0, bar=10, least=True), True),
        (Line("a", 1e9), None),
    ],
)
def test_a_bar_is_met_or_missed(line, met):
    assert line.met is met
    assert ("missed" in line.shown()[2]) is (met is False)


def test_what_a_server_says_is_shown_where_it_does_not_come_up():
    with pytest.raises(RuntimeError, match="(?s)exit code 1.*No module named app.nowhere"), server("app.nowhere"):
        pass


def test_a_tiny_run_measures_everything_on_a_real_server(capfd):
    plan = Plan(tokens=(8,), repetitions=1, warm_up=1, starts=0, clients=3, crowd_tokens=8, different=1, same=2)
    told = []
    lines = list(measure(plan, told.append))
    assert capfd.readouterr() == ("", ""), "the output is that of the bench alone"
    names = [line.name for line in lines]
    for view in VIEWS:
        for part in ("overhead ratio", "cached request", "kept trace", "bytes on the wire"):
            assert any(name.startswith(part) and view in name for name in names), (part, view)
    for view in CROWDED:
        for part in ("the same sentence", "different sentences", "same ÷ different"):
            assert any(name.endswith(part) and view in name for name in names), (part, view)
    assert len(names) == len(set(names)) == 1 + len(ASKED) + len(VIEWS) * 4 + len(CROWDED) * 3 + len(FLOORS)
    # a difference of two times, in a single round
    noisy = [line for line in lines if line.name.startswith("overhead ratio")]
    assert all(line.value > 0 for line in lines if line not in noisy)
    assert all(isfinite(line.value) for line in noisy)
    assert [line.note.split(";")[0] for line in lines if line.name.endswith("the same sentence")] == ["6 × 200"] * 2
    assert len(told) == 6
    written = report(lines, plan)
    assert all(f"| {name} |" in written for name in names)
    assert "- date: 20" in written and "cores" in written
