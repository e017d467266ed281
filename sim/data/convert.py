"""Makes the weather records in this folder out of those that ship inside three Python packages; SOURCES.md is written with them.

usage, once in a while:
  uv pip install --target WHEELS --no-deps pvlib==0.16.1 aquacrop==3.1.0 vega_datasets==0.9.0
  python sim/data/convert.py WHEELS

Rule: only integers are written, one line an hour or a day, so that the files stay small and a difference can be read. Nothing is repaired: an hour without a
rain record is empty. The packages are needed here alone, never when the simulator runs.
"""

import csv
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

HERE = Path(__file__).resolve().parent
YEARS = 10  # of a daily record the last ten whole years
HOURLY = "sun_w_m2,temperature_dc,humidity_pct,wind_dm_s,rain_dmm"
DAILY = "date,tmin_dc,tmax_dc,rain_dmm,et0_dmm"


@dataclass(frozen=True, slots=True)
class Site:
    """One record: where it was taken, and what it was made of. Degrees, east and north positive; `utc_h` is its standard time."""

    name: str
    place: str
    latitude_deg: float
    longitude_deg: float
    altitude_m: int
    utc_h: int
    package: str
    source: str  # inside the package
    words: str

    @property
    def hourly(self) -> bool:
        """Is there a line for each hour?"""
        return self.package == "pvlib"


FORMAT = """\
A file opens with its place, latitude, longitude (degrees), altitude (m) and hours from UTC. An hourly line is the hour that begins then, from 1 January 00:00
of its standard time, 365 days; a daily line has its date. Units: dc = 0.1 C, dm_s = 0.1 m/s, dmm = 0.1 mm; empty = not recorded."""
TMY3 = "NREL typical year (TMY3); the sun is partly modelled by NREL"
AQUACROP = "daily record that ships with AquaCrop-OSPy"
SITES = (
    Site("greensboro", "Greensboro NC, USA", 36.100, -79.950, 273, -5, "pvlib", "data/723170TYA.CSV", TMY3),
    Site(
        "sand_point",
        "Sand Point AK, USA",
        55.317,
        -160.517,
        7,
        -9,
        "pvlib",
        "data/703165TY.csv",
        TMY3 + "; rain was written down in one hour of twelve",
    ),
    Site(
        "miami", "Miami FL, USA", 25.800, -80.267, 2, -5, "pvlib", "data/12839.tm2", "NREL typical year (TMY2); no rain"
    ),
    Site("brussels", "Brussels, Belgium", 50.80, 4.36, 100, 1, "aquacrop", "data/brussels_climate.txt", AQUACROP),
    Site(
        "cambridge", "Cambridge, United Kingdom", 52.20, 0.13, 20, 0, "aquacrop", "data/cambridge_climate.txt", AQUACROP
    ),
    Site("champion", "Champion NE, USA", 40.40, -101.72, 1029, -7, "aquacrop", "data/champion_climate.txt", AQUACROP),
    Site("cordoba", "Cordoba, Argentina", -31.42, -64.18, 390, -4, "aquacrop", "data/cordoba_climate.txt", AQUACROP),
    Site("hyderabad", "Hyderabad, India", 17.45, 78.47, 545, 5, "aquacrop", "data/hyderabad_climate.txt", AQUACROP),
    Site("tunis", "Tunis, Tunisia", 36.80, 10.18, 10, 1, "aquacrop", "data/tunis_climate.txt", AQUACROP),
    Site(
        "seattle",
        "Seattle WA, USA",
        47.45,
        -122.31,
        130,
        -8,
        "vega_datasets",
        "_data/seattle-weather.csv",
        "NOAA daily record; no evapotranspiration",
    ),
)
LICENCES = {
    "pvlib": (
        "0.16.1",
        "BSD 3-Clause; the records are works of the United States government",
        "pvlib-0.16.1.dist-info/licenses/LICENSE",
    ),
    "aquacrop": ("3.1.0", "Apache 2.0", "aquacrop-3.1.0.dist-info/licenses/LICENSE"),
    "vega_datasets": (
        "0.9.0",
        "MIT; the record is NOAA's, in the public domain",
        "vega_datasets-0.9.0.dist-info/LICENSE",
    ),
}


def _tmy3(path: Path) -> Iterator[str]:
    with path.open(encoding="ascii", newline="") as file:
        file.readline()
        for row in csv.DictReader(file):
            rain = float(
                row["Lprecip depth (mm)"]
            )  # in truth tenths of a millimetre: the year's sum is Greensboro's only so
            yield ",".join((
                row["GHI (W/m^2)"],
                str(round(float(row["Dry-bulb (C)"]) * 10)),
                row["RHum (%)"],
                str(round(float(row["Wspd (m/s)"]) * 10)),
                str(round(rain)) if rain >= 0 else "",
            ))  # fmt: skip


def _tmy2(path: Path) -> Iterator[str]:
    """Columns of the TMY2 manual, counted from 1: 18-21 sun, 68-71 temperature in 0.1 C, 80-82 humidity, 96-98 wind in 0.1 m/s."""
    for line in path.read_text(encoding="ascii").splitlines()[1:]:
        yield f"{int(line[17:21])},{int(line[67:71])},{int(line[79:82])},{int(line[95:98])},"


def _aquacrop(path: Path) -> Iterator[tuple[date, float, float, float, float | None]]:
    for line in path.read_text(encoding="ascii").splitlines()[1:]:
        if fields := line.split():
            day, month, year = map(int, fields[:3])
            low, high, rain, et0 = map(float, fields[3:7])
            yield date(year, month, day), low, high, rain, et0


def _seattle(path: Path) -> Iterator[tuple[date, float, float, float, float | None]]:
    with path.open(encoding="ascii", newline="") as file:
        for row in csv.DictReader(file):
            when = date(*map(int, row["date"].split("/")))
            yield when, float(row["temp_min"]), float(row["temp_max"]), float(row["precipitation"]), None


def _whole_years(rows: list[tuple[date, float, float, float, float | None]]) -> Iterator[str]:
    by_year: dict[int, list[str]] = {}
    for when, low, high, rain, et0 in rows:
        numbers = (low * 10, high * 10, rain * 10, None if et0 is None else et0 * 10)
        words = ["" if number is None else str(round(number)) for number in numbers]
        by_year.setdefault(when.year, []).append(",".join((when.isoformat(), *words)))
    for year in sorted(year for year, lines in by_year.items() if len(lines) >= 365)[-YEARS:]:
        yield from by_year[year]


def _lines(site: Site, path: Path) -> list[str]:
    if site.hourly:
        return list(_tmy2(path) if path.suffix == ".tm2" else _tmy3(path))
    return list(_whole_years(list(_seattle(path) if site.package == "vega_datasets" else _aquacrop(path))))


def convert(wheels: Path) -> None:
    """Write every record, the licences of its package, and SOURCES.md."""
    table = ["| file | place | lines | out of | what |", "|---|---|---|---|---|"]
    for site in SITES:
        lines = _lines(site, wheels / site.package / site.source)
        head = f'# "{site.place}",{site.latitude_deg:g},{site.longitude_deg:g},{site.altitude_m},{site.utc_h}'
        (HERE / f"{site.name}.csv").write_text(
            "\n".join([head, HOURLY if site.hourly else DAILY, *lines]) + "\n", encoding="ascii"
        )
        version = LICENCES[site.package][0]
        table.append(
            f"| {site.name}.csv | {site.place} | {len(lines)} {'h' if site.hourly else 'd'} "
            f"| {site.package} {version}, {site.source} | {site.words} |"
        )
    for package, (_, _, path) in LICENCES.items():
        (HERE / f"{package}.LICENSE").write_bytes((wheels / package).parent.joinpath(path).read_bytes())
    text = __doc__.partition("\n")[0] if __doc__ else ""
    licences = [
        f"- {package} {version}: {words} (`{package}.LICENSE`)" for package, (version, words, _) in LICENCES.items()
    ]
    lines = ["# Weather records", f"Written by `convert.py`, which {text[0].lower()}{text[1:]}", "", *table]
    lines += ["", "Licences:", "", *licences, "", FORMAT, ""]
    (HERE / "SOURCES.md").write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    convert(Path(sys.argv[1]))
