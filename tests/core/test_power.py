"""Power modes. Bare asserts: the same file runs on the board's interpreter."""

from sprinkler.core.power import CRITICAL_MV, SAVER_MV, battery_pct, mode


def test_the_modes_follow_the_battery_with_hysteresis():
    assert mode("normal", SAVER_MV[0], False, False) == "normal"
    assert mode("normal", SAVER_MV[0] - 1, False, False) == "saver"
    assert mode("saver", SAVER_MV[1] - 1, False, False) == "saver"
    assert mode("saver", SAVER_MV[1], False, False) == "normal"
    assert mode("saver", CRITICAL_MV[0] - 1, False, False) == "critical"
    assert mode("critical", CRITICAL_MV[1] - 1, False, False) == "critical"
    assert mode("critical", CRITICAL_MV[1], False, False) == "saver"


def test_responsive_gives_way_to_a_low_battery():
    assert mode("normal", 4000, True, False) == "responsive"
    assert mode("responsive", SAVER_MV[0] - 1, True, False) == "saver"


def test_an_unknown_battery_is_a_critical_one():
    assert mode("normal", 0, True, False) == "critical"


def test_battery_percent_follows_the_table_of_a_lipo_cell():
    for pct, mv in enumerate((3000, 3640, 3695, 3733, 3762, 3793, 3836, 3909, 3994, 4088, 4200)):
        assert battery_pct(mv) == pct * 10, mv
    assert battery_pct(2000) == 0
    assert battery_pct(4300) == 100
    assert battery_pct(3951) == 74


def test_winter_is_a_mode_of_its_own_whatever_the_battery():
    for mv in (4100, SAVER_MV[0] - 1, CRITICAL_MV[0] - 1, 0):
        assert mode("winter", mv, False, True) == "winter"
    assert mode("winter", 4100, False, False) == "normal"


def test_a_person_who_wants_the_board_awake_is_heard_in_winter():
    assert mode("winter", 4100, True, True) == "responsive"
    assert mode("winter", SAVER_MV[0] - 1, True, True) == "winter"
