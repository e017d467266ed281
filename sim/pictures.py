"""Pictures of a season, of a choice of panel and cell, and of a search over settings, as PNG or SVG by the name of their file.

Rule: draws what it is given and works nothing out but daily sums.
"""

import calendar
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import dates
from matplotlib.figure import Figure

from sim.season import Row
from sim.sizing import RESERVE_PCT, Found
from sim.tune import Best

SUN, CELL, SOIL, RAIN, WATER, LOST = "#e9a820", "#2f7d4f", "#8b5a2b", "#7aa6c2", "#1f5fa8", "#b5483a"


def _save(figure: Figure, path: Path, kind: str) -> None:
    # neither the time nor the program's version: the same data give the same file
    figure.savefig(path, format=kind, dpi=110, metadata={"Date": None} if kind == "svg" else {"Software": None})


def _days(rows: Sequence[Row], name: str) -> list[float]:
    values = [getattr(row, name) for row in rows]
    return [sum(values[start : start + 24]) for start in range(0, len(values), 24)]


def draw_season(rows: Sequence[Row], utc_s: int, available_mm: float, title: str, path: Path, kind: str) -> None:
    """Sun, cell, soil and water of a season, one above the other."""
    figure = Figure(figsize=(11, 9), layout="constrained")
    sun, cell, soil, water = figure.subplots(4, 1, sharex=True)
    figure.suptitle(title)
    hours = [(row.unix_s + utc_s) / 86_400 for row in rows]  # days since 1970, matplotlib's own epoch
    days = hours[::24]
    sun.bar(days, [wh / 1000 for wh in _days(rows, "sun_w_m2")], width=1, align="edge", color=SUN)
    sun.set_ylabel("sun\nkWh/m² a day")
    cell.plot(hours, [row.charge_pct for row in rows], color=CELL, linewidth=0.8)
    cell.fill_between(hours, 0, 100, where=[bool(row.flat) for row in rows], color=LOST, alpha=0.5, label="dead")
    cell.set_ylim(0, 102)
    cell.set_ylabel("battery\n% full")
    soil.plot(hours, [-row.depletion_mm for row in rows], color=SOIL, linewidth=0.9)
    soil.axhline(-available_mm, color=LOST, linewidth=0.8, linestyle=":")
    soil.set_ylim(-available_mm * 1.05, 1)
    soil.set_ylabel("soil\nmm below full")
    rain, watered = _days(rows, "rain_mm"), _days(rows, "irrigation_mm")
    lost = [-a - b for a, b in zip(_days(rows, "runoff_mm"), _days(rows, "drained_mm"), strict=True)]
    water.bar(days, rain, width=1, align="edge", color=RAIN, label="rain")
    water.bar(days, watered, width=1, align="edge", bottom=rain, color=WATER, label="sprinkler")
    water.bar(days, lost, width=1, align="edge", color=LOST, label="runs off, drains")
    water.set_ylabel("water\nmm a day")
    water.legend(loc="upper right", ncols=3, fontsize="small", frameon=False)
    locator = dates.AutoDateLocator()  # type: ignore[no-untyped-call]
    water.xaxis.set_major_locator(locator)
    water.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator, show_offset=False))  # type: ignore[no-untyped-call]
    for axes in (sun, cell, soil, water):
        axes.spines[["top", "right"]].set_visible(False)
        axes.margins(x=0)
    _save(figure, path, kind)


def draw_size(found: Found, title: str, path: Path, kind: str) -> None:
    """Hours dead a year of each pair, and the charge of the chosen one and of its smaller neighbours."""
    figure = Figure(figsize=(11, 8), layout="constrained")
    table, charge = figure.subplots(2, 1, height_ratios=[1, 1.2])
    figure.suptitle(title)
    a_year = found.dead_h * 365 / max(1, found.days)
    table.imshow(np.sqrt(a_year), cmap="OrRd", aspect="auto", vmin=0, vmax=np.sqrt(8760))
    best = found.best()
    for panel in range(len(found.panels_w)):
        for cell in range(len(found.cells_mah)):
            words = f"{a_year[panel, cell]:.0f} h\n{found.lowest_pct[panel, cell]:.0f} %"
            bold: dict[str, Any] = {"weight": "bold"} if (panel, cell) == best else {}
            table.text(cell, panel, words, ha="center", va="center", fontsize="small", **bold)
    table.set_xticks(range(len(found.cells_mah)), [f"{mah:g} mAh" for mah in found.cells_mah])
    table.set_yticks(range(len(found.panels_w)), [f"{watt:g} W" for watt in found.panels_w])
    table.set_title("hours dead a year, and the lowest charge; the smallest good pair is bold", fontsize="medium")
    shown = best or (len(found.panels_w) - 1, len(found.cells_mah) - 1)
    for panel, cell, colour in _neighbours(shown):
        label = f"{found.panels_w[panel]:g} W, {found.cells_mah[cell]:g} mAh"
        charge.plot(found.charge_pct[:, panel, cell], linewidth=0.9, color=colour, label=label)
    charge.axhline(RESERVE_PCT, color=LOST, linewidth=0.8, linestyle=":")
    charge.set_ylim(0, 102)
    charge.set_ylabel("lowest charge of the day, %")
    charge.set_xlabel("day")
    charge.margins(x=0)
    charge.spines[["top", "right"]].set_visible(False)
    charge.legend(loc="best", fontsize="small", frameon=False)
    _save(figure, path, kind)


def _neighbours(best: tuple[int, int]) -> list[tuple[int, int, str]]:
    panel, cell = best
    found = [(panel, cell, CELL)]
    if panel:
        found.append((panel - 1, cell, SUN))
    if cell:
        found.append((panel, cell - 1, WATER))
    return found


def draw_tune(found: Sequence[Best], adequacy_pct: float, title: str, path: Path, kind: str) -> None:
    """What was tried, a panel for each way: water against adequacy, with the chosen settings marked. All have the same axes, so ways can be compared."""
    figure = Figure(figsize=(11, 5), layout="constrained")
    panels = figure.subplots(1, len(found), sharex=True, sharey=True, squeeze=False)[0]
    figure.suptitle(title)
    for axes, best in zip(panels, found, strict=True):
        water_mm, adequacy = best.tried[:, 0], best.tried[:, 1] / 10
        axes.scatter(water_mm, adequacy, s=4, linewidths=0, alpha=0.4, color=RAIN, rasterized=True, label="tried")
        axes.axhline(adequacy_pct, color=LOST, linewidth=0.8, linestyle=":", label="wanted")
        chosen = f"chosen: {best.water_mm:.0f} mm, {best.adequacy_pct:.1f} %"
        axes.plot(
            best.water_mm, best.adequacy_pct, "*", markersize=15, color=WATER, markeredgecolor="white", label=chosen
        )
        settings = "\n".join(f"{name} {value}" for name, value in best.settings.items())
        axes.set_title(f"{best.way}, {best.tries} tries\n{settings}", fontsize="medium", loc="left", va="bottom")
        axes.set_xlabel("water, mm a season")
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(loc="lower right", fontsize="small", frameon=False)
    longest_mm = max(2 * best.water_mm for best in found)
    panels[0].set_xlim(0, max(100.0, longest_mm))  # beyond, the soil only drains
    panels[0].set_ylim(0, 102)
    panels[0].set_ylabel("adequacy: what the grass got of what it wanted, %")
    _save(figure, path, kind)


def date_of(unix_s: float) -> str:
    """A date for titles, such as 15 April."""
    moment = time.gmtime(unix_s)
    return f"{moment.tm_mday} {calendar.month_name[moment.tm_mon]}"
