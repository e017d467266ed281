"""Runs pyfao56 or aquacrop over the weather of a JSON file, a season a year: python crops.py NAME WEATHER. Prints CPU seconds and crop-days as JSON.

Weather: [[[year, month, day, tmin C, tmax C, rain mm, ET0 mm], ... a day each], ... a season each]. Only the runs are timed, not the loading.
"""

import json
import sys
import time
import warnings
from pathlib import Path

import pandas as pd

SEASONS_COLUMNS = ("Srad", "Tmax", "Tmin", "Vapr", "Tdew", "RHmax", "RHmin", "Wndsp", "Rain", "ETref", "MorP")


def fao56(season):
    """A prepared run of pyfao56: dual crop coefficient, a day a step."""
    import pyfao56

    weather = pyfao56.Weather()
    weather.rfcrp, weather.z, weather.lat, weather.wndht = "S", 500.0, 40.4, 2.0
    rows = {}
    for year, month, day, low, high, rain, et0 in season:
        rows[pd.Timestamp(year, month, day).strftime("%Y-%j")] = [
            float("nan"), high, low, float("nan"), float("nan"), float("nan"), 45.0, 2.0, rain, et0, "M"
        ]  # fmt: skip
    weather.wdata = pd.DataFrame.from_dict(rows, orient="index", columns=SEASONS_COLUMNS)
    model = pyfao56.Model(min(rows), max(rows), pyfao56.Parameters(), weather)
    return model.run


def aquacrop(season):
    """A prepared run of aquacrop: maize on loam, a day a step."""
    from aquacrop import AquaCropModel, Crop, InitialWaterContent, Soil

    table = pd.DataFrame(
        {
            "MinTemp": [row[3] for row in season],
            "MaxTemp": [row[4] for row in season],
            "Precipitation": [row[5] for row in season],
            "ReferenceET": [max(0.1, row[6]) for row in season],
            "Date": [pd.Timestamp(*row[:3]) for row in season],
        }
    )
    first, last = season[0], season[-1]
    model = AquaCropModel(
        sim_start_time="%d/%02d/%02d" % tuple(first[:3]),
        sim_end_time="%d/%02d/%02d" % tuple(last[:3]),
        weather_df=table,
        soil=Soil("Loam"),
        crop=Crop("Maize", planting_date="%02d/%02d" % tuple(first[1:3])),
        initial_water_content=InitialWaterContent(value=["FC"]),
    )
    return lambda: model.run_model(till_termination=True)


def main():
    """Measure and print."""
    prepare = {"pyfao56": fao56, "aquacrop": aquacrop}[sys.argv[1]]
    warnings.filterwarnings("ignore")  # theirs, about their own text
    seasons = json.loads(Path(sys.argv[2]).read_text(encoding="ascii"))
    prepare(seasons[0])()  # what is compiled or cached at first use does not count
    seconds = days = 0
    for season in seasons:
        run = prepare(season)
        began = time.process_time()
        run()
        seconds += time.process_time() - began
        days += len(season)
    print(json.dumps({"cpu_s": seconds, "crop_days": days}))


main()
