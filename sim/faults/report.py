"""A campaign as one HTML page that needs nothing else: the figures, pictures of them, and what went wrong.

Rule: draws what it is given. The same campaign gives the same page, but for the seconds that it took.
"""

import html
import io
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

from sim.faults.campaign import Row
from sim.faults.scenario import AREAS

WATER = (  # figure of a verdict, words, colour
    ("granted_ml", "asked for", "#1f5fa8"),
    ("window_ml", "within the leak window", "#7aa6c2"),
    ("told_ml", "ran on, fault reported", "#e9a820"),
    ("dark_ml", "ran while the board had no power", "#4a4a4a"),
    ("seeped_ml", "too slow for the meter", "#b9b09a"),
    ("unaccounted_ml", "unaccounted for", "#b5483a"),
)
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 1150px; padding: 0 1em; color: #222; background: #fff; }
table { border-collapse: collapse; width: 100%; } td, th { padding: .15em .6em; text-align: right; border-bottom: 1px solid #ddd; }
td:first-child, th:first-child { text-align: left; } tr.bad td { background: #f8ddd8; } th { position: sticky; top: 0; background: #fff; }
.big { display: flex; gap: 2.5em; flex-wrap: wrap; } .big div { font-size: 2em; line-height: 1.15; }
.big small { display: block; font-size: .45em; color: #666; } h3 { margin-bottom: 0; } td small { color: #666; display: block; }
.good { color: #2f7d4f; } .wrong { color: #b5483a; } svg { max-width: 100%; height: auto; }
"""


def _svg(figure: Figure) -> str:
    text = io.StringIO()
    with rc_context({"svg.hashsalt": "faults", "svg.fonttype": "none"}):
        figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue().partition("<svg")[1] + text.getvalue().partition("<svg")[2]


def _granted_ml(row: Row) -> float:
    return row.total("metered_ml") - sum(row.total(name) for name, _, _ in WATER[1:])


def _by_area(rows: Sequence[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (AREAS.index(row.scenario.area), row.scenario.name), reverse=True)


def _draw_water(rows: Sequence[Row]) -> str:
    """Where the water of each scenario went, as parts of all that ran."""
    figure = Figure(figsize=(11, 1.4 + 0.19 * len(rows)), layout="constrained")
    axes = figure.subplots()
    left = [0.0] * len(rows)
    for name, words, colour in WATER:
        values = [_granted_ml(row) if name == "granted_ml" else row.total(name) for row in rows]
        parts = [100 * value / max(1.0, row.total("metered_ml")) for value, row in zip(values, rows, strict=True)]
        axes.barh(range(len(rows)), parts, left=left, color=colour, label=words, height=0.8)
        left = [low + part for low, part in zip(left, parts, strict=True)]
    axes.set_yticks(range(len(rows)), [row.scenario.name for row in rows], fontsize=7)
    axes.set_xlabel("% of the water that ran")
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.set_xlim(0, 100)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, fontsize="small", frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return _svg(figure)


def _draw_starts(rows: Sequence[Row]) -> str:
    """What became of the starts that had to be made."""
    figure = Figure(figsize=(11, 1.4 + 0.19 * len(rows)), layout="constrained")
    axes = figure.subplots()
    whole, short, missed, forbidden = [], [], [], []
    for row in rows:
        starts = max(1.0, row.total("starts"))
        lost, cut = 100 * row.total("missed_runs") / starts, 100 * row.total("short_runs") / starts
        whole.append((100 - lost - cut) if row.total("starts") else 0.0)
        short.append(cut)
        missed.append(0.0 if row.scenario.forbids_watering else lost)
        forbidden.append(lost if row.scenario.forbids_watering else 0.0)
    left = [0.0] * len(rows)
    for values, words, colour in (
        (whole, "made", "#2f7d4f"),
        (short, "cut short", "#a9c99a"),
        (forbidden, "not made, as the cause must forbid it", "#c9c9c9"),
        (missed, "missed", "#b5483a"),
    ):
        axes.barh(range(len(rows)), values, left=left, color=colour, label=words, height=0.8)
        left = [low + value for low, value in zip(left, values, strict=True)]
    axes.set_yticks(range(len(rows)), [row.scenario.name for row in rows], fontsize=7)
    axes.set_xlabel("% of the starts that programs had to make")
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.set_xlim(0, 100)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4, fontsize="small", frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return _svg(figure)


def _table(rows: Sequence[Row]) -> str:
    heads = (
        "scenario",
        "seeds",
        "hours",
        "openings",
        "beyond the cap",
        "unaccounted ml",
        "starts",
        "missed",
        "untold",
        "short",
        "reported l",
        "dark l",
    )
    lines = ["<table><tr>" + "".join(f"<th>{head}</th>" for head in heads) + "</tr>"]
    for row in reversed(rows):
        figures = row.as_json()
        missed = f"({figures['forbidden_runs']})" if row.scenario.forbids_watering else figures["missed_runs"]
        name = f"{html.escape(row.scenario.name)}<small>{html.escape(row.scenario.story)}</small>"
        litres = [f"{row.total(key) / 1000:.0f}" for key in ("told_ml", "dark_ml")]
        keys = ("seeds", "hours", "opens", "opens_beyond_cap", "unaccounted_ml", "starts")
        late = [missed, figures["untold_runs"], figures["short_runs"]]
        cells = [name, *(figures[key] for key in keys), *late, *litres]
        lines.append(
            f"<tr{' class=bad' if row.failed else ''}>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
        )
    return "\n".join(lines) + "</table>"


def _wrong(rows: Sequence[Row]) -> str:
    found = []
    for row in rows:
        for one in [one for one in row.outcomes if not one.verdict.good][:5]:
            words = "<br>".join(html.escape(line) for line in one.verdict.story[:6])
            replay = f"python -m sim faults --scenario {row.scenario.name} --seed {one.seed} --shrink"
            found.append(f"<h3>{row.scenario.name}, seed {one.seed}</h3><p>{words}<br><code>{replay}</code></p>")
    return "<h2 class=wrong>What went wrong</h2>" + "".join(found) if found else ""


def page(rows: Sequence[Row], summary: Mapping[str, Any]) -> str:
    """The whole page."""
    total, ordered = summary["total"], _by_area(rows)
    words = (
        "<span class=good>Nothing went wrong.</span>"
        if summary["good"]
        else "<span class=wrong>Something went wrong.</span>"
    )
    big = (
        (f"{total['hours']:,.0f}", "simulated hours"),
        (f"{total['opens']:,.0f}", "openings"),
        (f"{total['opens_beyond_cap']:.0f}", "beyond the cap"),
        (f"{total['unaccounted_ml']:.0f} ml", f"unaccounted for, of {total['metered_ml'] / 1000:,.0f} l"),
        (
            f"{total['missed_runs']:.0f}",
            f"starts missed, of {total['starts']:,.0f} ({summary['missed_pct']} % where it may water)",
        ),
        (f"{total['untold_runs']:.0f}", "starts not made and not told, where it may not water"),
    )
    forbidding = "".join(
        f"<li><b>{row.scenario.name}</b>: {html.escape(row.scenario.forbids_watering)}</li>"
        for row in reversed(ordered)
        if row.scenario.forbids_watering
    )
    return f"""<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content="width=device-width">
<title>Fault campaign</title><style>{STYLE}</style><h1>Fault campaign</h1>
<p>{len(rows)} scenarios, {total["seeds"]:.0f} lives of the shipped firmware on simulated hardware, judged by the water that ran. {words}</p>
<div class=big>{"".join(f"<div>{figure}<small>{what}</small></div>" for figure, what in big)}</div>{_wrong(ordered)}
<h2>Where the water went</h2>{_draw_water(ordered)}<h2>What became of the starts</h2>{_draw_starts(ordered)}<h2>The figures</h2>{_table(ordered)}
<h2>Where the cause must forbid watering</h2>
<p>Starts that were not made there stand in brackets and are not counted as missed; untold are those of which nothing says why.</p>
<ul>{forbidding}</ul></html>
"""
