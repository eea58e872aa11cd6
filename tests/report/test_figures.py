"""A figure file stands alone: well-formed SVG with its own colours, title and legend."""

from pathlib import Path
from xml.etree import ElementTree

from superalign.report import plots
from superalign.report.figures import write_figure, write_panels
from superalign.statistics import rate

SVG = "{http://www.w3.org/2000/svg}"


def test_a_figure_is_whole_and_needs_nothing_else(tmp_path: Path) -> None:
    lines = [
        plots.Series(name, [(1, rate([True, False])), (4, rate([True, True, False]))])
        for name in ("debate", "a < b")
    ]
    path = write_figure(
        plots.curve(lines, "Judged wrong", "rate", "best of"),
        "Judged wrong & why",
        [line.name for line in lines],
        tmp_path / "pressure.svg",
    )
    root = ElementTree.parse(path).getroot()
    texts = [e.text for e in root.iter(f"{SVG}text")]
    assert {"Judged wrong & why", "debate", "a < b", "best of"} <= set(texts)
    style = root.find(f"{SVG}style")
    assert style is not None
    assert "--s1" in str(style.text)
    assert "prefers-color-scheme: dark" in str(style.text)
    assert len(root.findall(f"{SVG}svg")) == 3
    assert "http://" not in path.read_text().replace("http://www.w3.org/2000/svg", "")


def test_panels_stand_side_by_side_each_under_its_title(tmp_path: Path) -> None:
    plot = plots.curve([plots.Series("a", [(1, rate([True, False]))])], "A", "rate", "round")
    names = [f"panel {i} < 5" for i in range(5)]
    path = write_panels([(name, plot) for name in names], tmp_path / "panels.svg", columns=2)
    root = ElementTree.parse(path).getroot()
    assert [e.text for e in root.findall(f"{SVG}text")] == names
    places = {(e.get("x"), e.get("y")) for e in root.findall(f"{SVG}svg")}
    assert len(places) == 5
    assert root.get("viewBox") == f"0 0 {2 * plots.WIDTH} {3 * (plots.HEIGHT + 22)}"
