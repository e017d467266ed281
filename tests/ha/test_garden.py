"""The forms about the garden: zones described, season and frost, a valve tried out; and what of it reaches the board."""

import asyncio

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.util.unit_system import METRIC_SYSTEM, US_CUSTOMARY_SYSTEM
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.solar_sprinkler import garden_forms, zone_settings
from tests.ha import witness
from tests.ha.conftest import DOMAIN, Sprinkler

SPRAY_MM_H = 40
UNLIMITED = {"day_openings_max": None, "day_litres": None}


class Dialog:
    """The dialog as a person has it."""

    def __init__(self, hass: HomeAssistant, sprinkler: Sprinkler) -> None:
        self.options = hass.config_entries.options
        self.entry_id = sprinkler.entry.entry_id
        self.result: dict = {}

    async def opens(self) -> dict:
        self.result = await self.options.async_init(self.entry_id, context={"source": "user"})
        return self.result

    async def chooses(self, step: str) -> dict:
        return await self.enters({"next_step_id": step})

    async def enters(self, given: dict) -> dict:
        self.result = await self.options.async_configure(self.result["flow_id"], given)
        return self.result

    @property
    def shown(self) -> dict:
        """What the form's fields hold."""
        markers = self.result["data_schema"].schema
        return {str(key): (key.description or {}).get("suggested_value") for key in markers}


@pytest.fixture
async def dialog(hass: HomeAssistant, sprinkler: Sprinkler) -> Dialog:
    """The menu of a board that sleeps and has what Home Assistant wants."""
    await sprinkler.is_paired()
    await sprinkler.sleeps(witness.NOW + 900)
    dialog = Dialog(hass, sprinkler)
    await dialog.opens()
    return dialog


async def test_menu_names_the_zones_of_this_board(hass, dialog: Dialog):
    assert dialog.result["type"] is FlowResultType.MENU
    assert dialog.result["menu_options"] == ["zone_1", "zone_2", "board", "try_valve", "done"]
    assert dialog.result["description_placeholders"]["zone_2"] == "Zone 2"


async def test_described_zone_is_told_to_the_board_with_the_pause_that_its_soil_asks_for(
    hass, dialog: Dialog, sprinkler: Sprinkler, device_registry
):
    await dialog.chooses("zone_2")
    assert dialog.shown == {"name": "Zone 2", "soil": None, "plant": None, "application_rate": None, "area": None}
    garden = {"name": "Roses", "soil": "clay", "plant": "flowers", "application_rate": SPRAY_MM_H}
    await dialog.enters(garden)
    assert (dialog.result["step_id"], dialog.result["description_placeholders"]["zone"]) == ("cycle", "Roses")
    assert dialog.shown == {"cycle_min": 8, "soak_min": 120, "skip_above_pct": None} | UNLIMITED
    await dialog.enters({"cycle_min": 8, "soak_min": 60, "skip_above_pct": 70})
    assert dialog.result["type"] is FlowResultType.MENU
    wanted = {"zone": 2, "application_rate_um_h": 40000, "cycle_s": 480, "soak_s": 3600, "skip_above_pct": 70}
    wanted |= {"available_um": 56000, "allowed_depletion_pct": 40, "kc_pct": 80}
    assert sprinkler.published("desired")[-1]["settings"]["zones"] == [wanted]
    device = device_registry.async_get_child_device_by_identifier(
        (DOMAIN, f"{witness.DEVICE_ID}_zone_2"), sprinkler.entry.entry_id
    )
    assert device.name_by_user == "Roses"
    assert dialog.result["description_placeholders"]["waiting"] == "(waiting for the board, 00:15)"
    await dialog.chooses("done")
    assert dialog.result["type"] is FlowResultType.CREATE_ENTRY
    assert sprinkler.entry.options == {"zones": {"2": {"soil": "clay", "plant": "flowers"}}}


async def test_form_shows_what_is_wanted_and_empty_fields_switch_it_off(hass, dialog: Dialog, sprinkler: Sprinkler):
    await dialog.chooses("zone_1")
    await dialog.enters({"name": "Zone 1", "application_rate": 12})
    await dialog.enters({"cycle_min": 10, "soak_min": 20})
    await dialog.chooses("zone_1")
    assert dialog.shown["application_rate"] == 12
    await dialog.enters({"name": "Zone 1"})
    assert dialog.shown == {"cycle_min": 10, "soak_min": 20, "skip_above_pct": None} | UNLIMITED
    await dialog.enters({})
    assert sprinkler.published("desired")[-1]["settings"]["zones"] == []


async def test_area_is_told_to_the_board_and_left_out_where_it_is_empty(hass, dialog: Dialog, sprinkler: Sprinkler):
    await dialog.chooses("zone_1")
    await dialog.enters({"application_rate": 12, "area": 85.5})
    (told,) = sprinkler.published("desired")[-1]["settings"]["zones"]
    assert told["area_dm2"] == 8550
    await dialog.enters({})
    await dialog.chooses("zone_1")
    assert dialog.shown["area"] == 85.5
    await dialog.enters({"application_rate": 12})
    (told,) = sprinkler.published("desired")[-1]["settings"]["zones"]
    assert "area_dm2" not in told


async def test_area_is_in_square_feet_where_those_are_used(hass, dialog: Dialog, sprinkler: Sprinkler):
    hass.config.units = US_CUSTOMARY_SYSTEM
    await dialog.chooses("zone_1")
    await dialog.enters({"area": 1000})
    (told,) = sprinkler.published("desired")[-1]["settings"]["zones"]
    assert told["area_dm2"] == 9290
    await dialog.enters({})
    await dialog.chooses("zone_1")
    assert dialog.shown["area"] == 1000


async def test_limits_of_a_day_are_told_to_the_board_and_left_out_where_they_are_empty(hass, dialog: Dialog, sprinkler):
    await dialog.chooses("zone_1")
    await dialog.enters({})
    await dialog.enters({"day_openings_max": 40, "day_litres": 800})
    (told,) = sprinkler.published("desired")[-1]["settings"]["zones"]
    assert (told["day_openings_max"], told["day_ml_max"]) == (40, 800_000)
    await dialog.chooses("zone_1")
    await dialog.enters({})
    assert (dialog.shown["day_openings_max"], dialog.shown["day_litres"]) == (40, 800)
    await dialog.enters({"cycle_min": 10, "soak_min": 20})
    (told,) = sprinkler.published("desired")[-1]["settings"]["zones"]
    assert not {"day_openings_max", "day_ml_max"} & set(told)


async def test_half_a_pause_is_refused_and_nothing_entered_is_lost(hass, dialog: Dialog):
    await dialog.chooses("zone_1")
    await dialog.enters({})
    await dialog.enters({"cycle_min": 10, "skip_above_pct": 60})
    assert dialog.result["errors"] == {"base": "cycle_and_soak"}
    assert dialog.shown == {"cycle_min": 10, "soak_min": None, "skip_above_pct": 60} | UNLIMITED


async def test_season_and_wakes_are_told_to_the_board_and_shown_again(hass, dialog: Dialog, sprinkler: Sprinkler):
    await dialog.chooses("board")
    assert dialog.shown == {"season_from": None, "season_to": None, "wake_interval_min": 15}, "no thermometer, no frost"
    await dialog.enters({"season_from": "2027-04-01", "season_to": "2027-10-31", "wake_interval_min": 30})
    settings = sprinkler.published("desired")[-1]["settings"]
    assert (settings["season_from"], settings["season_to"], settings["wake_interval_s"]) == (401, 1031, 1800)
    await dialog.chooses("board")
    assert dialog.shown == {"season_from": "2027-04-01", "season_to": "2027-10-31", "wake_interval_min": 30}
    await dialog.enters({"season_from": "2027-04-01"})
    assert dialog.result["errors"] == {"base": "season_both"}


async def test_board_that_refuses_is_heard_in_the_form_and_the_former_settings_stand(
    hass, dialog: Dialog, sprinkler: Sprinkler
):
    await sprinkler.says("availability", {"state": "online"})
    await dialog.chooses("board")
    submitting = await sprinkler.begins(dialog.enters({"wake_interval_min": 1}), "desired")
    await sprinkler.interjects(
        "reply", {**witness.example("reply", 1), "id": "desired", "accepted": False, "reason": "invalid"}
    )
    await submitting
    assert dialog.result["errors"] == {"base": "failed"}
    assert dialog.result["description_placeholders"]["error"].startswith("The board refused")
    assert sprinkler.published("desired")[-1]["settings"].get("wake_interval_s", 900) == 900


async def test_valve_is_tried_and_its_verdict_told_in_the_dialog(hass, dialog: Dialog, sprinkler: Sprinkler):
    await sprinkler.says("availability", {"state": "online"})
    await dialog.chooses("try_valve")
    await dialog.enters({"valve": "2"})
    assert (dialog.result["type"], dialog.result["progress_action"]) == (FlowResultType.SHOW_PROGRESS, "try_valve")
    for _ in range(50):
        await asyncio.sleep(0)
    asked = sprinkler.published("command")[-1]
    assert (asked["command"], asked["zone"]) == ("check_valve", 2)
    await sprinkler.interjects("reply", {**witness.example("reply"), "id": asked["id"], "zone": 2})
    sprinkler.state["zones"][1]["check"] = {"at": witness.NOW, "verdict": "swapped", "volume_ml": 12}
    await sprinkler.says("state", sprinkler.state)
    await hass.async_block_till_done()
    dialog.result = await dialog.options.async_configure(dialog.result["flow_id"])
    assert dialog.result["step_id"] == "tried"
    assert dialog.result["description_placeholders"]["verdict"].startswith("The two wires of the valve are swapped")
    await dialog.enters({})
    assert dialog.result["type"] is FlowResultType.MENU


async def test_sleeping_board_tries_the_valve_at_its_wake(hass, dialog: Dialog, sprinkler: Sprinkler):
    await dialog.chooses("try_valve")
    await dialog.enters({"valve": "1"})
    await hass.async_block_till_done()
    dialog.result = await dialog.options.async_configure(dialog.result["flow_id"])
    assert "about 00:15" in dialog.result["description_placeholders"]["verdict"]


async def test_refused_try_says_why(hass, dialog: Dialog, sprinkler: Sprinkler):
    await sprinkler.says("availability", {"state": "lost"})
    await dialog.chooses("try_valve")
    await dialog.enters({"valve": "1"})
    await hass.async_block_till_done()
    dialog.result = await dialog.options.async_configure(dialog.result["flow_id"])
    assert dialog.result["step_id"] == "tried"
    assert "out of reach" in dialog.result["description_placeholders"]["verdict"]


async def test_forms_need_a_board_that_is_set_up(hass, entry: MockConfigEntry):
    result = await hass.config_entries.options.async_init(entry.entry_id, context={"source": "user"})
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "not_loaded")


@pytest.mark.parametrize(
    ("soil", "rate_mm_h", "proposed"),
    [
        ("clay", 40, (8, 120)),  # 60 * 5.1 / 37.5 = 8.2; 60 * 5.1 / 2.5 = 122.4, the board's longest is 120
        ("loam", 40, (14, 52)),
        ("loam", 12, (0, 0)),  # 147 min: longer than any run
        ("sand", 10, (0, 0)),
        (None, 40, (0, 0)),
        ("clay", 0, (0, 0)),
    ],
)
def test_pause_lets_soil_take_in_what_stands_on_it(soil, rate_mm_h, proposed):
    assert zone_settings.proposed_cycle(soil, rate_mm_h) == proposed


def test_other_zones_keep_their_settings():
    zones = [{"zone": 1, "cycle_s": 600, "soak_s": 600}, {"zone": 3, "later": 7}]
    changed = zone_settings.with_zone(zones, 2, {"skip_above_pct": 60})
    assert [zone["zone"] for zone in changed] == [1, 2, 3]
    assert changed[2] == {"zone": 3, "later": 7}
    assert zone_settings.with_zone(changed, 2, {"skip_above_pct": 0}) == zones


@pytest.mark.parametrize(
    ("units", "rate", "um_h", "frost", "tenths"),
    [(METRIC_SYSTEM, 12.5, 12500, 4, 40), (US_CUSTOMARY_SYSTEM, 1.5, 38100, 40, 44)],
)
def test_forms_speak_the_units_of_the_house(units, rate, um_h, frost, tenths):
    assert garden_forms.rate_um_h(units, rate) == um_h
    assert garden_forms.rate_shown(units, um_h) == rate
    assert garden_forms.board_settings(units, {"frost_below": frost})["frost_below_dc"] == tenths


def test_frost_at_the_edge_of_the_range_survives_the_way_through_fahrenheit():
    assert garden_forms.board_settings(US_CUSTOMARY_SYSTEM, {"frost_below": 14.0})["frost_below_dc"] == -100
    assert garden_forms.board_settings(US_CUSTOMARY_SYSTEM, {"frost_below": 50.0})["frost_below_dc"] == 100
