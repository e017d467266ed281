"""Power modes. Bare asserts: the same file runs on the board's interpreter."""

from sprinkler.core.power import CRITICAL_MV, SAVER_MV, battery_pct, mode, sleep_s


def test_the_modes_follow_the_battery_with_hysteresis():
    assert mode("normal", SAVER_MV[0], False) == "normal"
    assert mode("normal", SAVER_MV[0] - 1, False) == "saver"
    assert mode("saver", SAVER_MV[1] - 1, False) == "saver"
    assert mode("saver", SAVER_MV[1], False) == "normal"
    assert mode("saver", CRITICAL_MV[0] - 1, False) == "critical"
    assert mode("critical", CRITICAL_MV[1] - 1, False) == "critical"
    assert mode("critical", CRITICAL_MV[1], False) == "saver"


def test_responsive_gives_way_to_a_low_battery():
    assert mode("normal", 4000, True) == "responsive"
    assert mode("responsive", SAVER_MV[0] - 1, True) == "saver"


def test_an_unknown_battery_is_a_critical_one():
    assert mode("normal", 0, True) == "critical"


def test_battery_percent_follows_the_table_of_a_lipo_cell():
    for pct, mv in enumerate((3000, 3640, 3695, 3733, 3762, 3793, 3836, 3909, 3994, 4088, 4200)):
        assert battery_pct(mv) == pct * 10, mv
    assert battery_pct(2000) == 0
    assert battery_pct(4300) == 100
    assert battery_pct(3951) == 74


def test_a_poorer_mode_never_sleeps_shorter():
    for interval_s in (60, 900, 3600):
        assert sleep_s("normal", interval_s) <= sleep_s("saver", interval_s) <= sleep_s("critical", interval_s) <= 3600
