"""Stand-in for `network`.

Rule: `active(x)` and `connect(ssid, key)` write the SDK's flash, as the port's calls do; `chip.sdk_flash_writes` counts them. `connect()` without
arguments joins what the SDK knows, and so does a boot.
"""

from sim.port.session import Session

IDLE, CONNECTING, WRONG_PASSWORD, NO_AP_FOUND, CONNECT_FAIL, GOT_IP = 0, 1, 2, 3, 4, 5
NO_ADDRESS = ("0.0.0.0", "0.0.0.0", "0.0.0.0", "208.67.222.222")  # noqa: S104 - what the port shows while not joined
ADDRESS = ("192.168.4.23", "255.255.255.0", "192.168.4.1", "192.168.4.1")


class Wlan:
    """One interface: station or access point."""

    __slots__ = ("_access_point", "_ifconfig", "_session")

    def __init__(self, session: Session, *, access_point: bool) -> None:
        self._session = session
        self._access_point = access_point
        self._ifconfig = ADDRESS

    def active(self, on: bool | None = None) -> bool:
        """Is the interface on? With an argument: switch it, which writes flash."""
        session, chip = self._session, self._session.chip
        session.enter("wlan.active")
        if on is not None:
            chip.sdk_flash_writes += 1
            if self._access_point:
                chip.sdk_access_point = bool(on)
            elif bool(on) != chip.sdk_station_on:
                chip.sdk_station_on = bool(on)
                if on:
                    session.join(chip.sdk_station)
                else:
                    session.set_radio(on=False)
        return chip.sdk_access_point if self._access_point else chip.sdk_station_on

    def connect(self, ssid: str | None = None, key: str | None = None, *, bssid: bytes | None = None) -> None:  # noqa: ARG002
        """Join; with `ssid` the SDK stores the network first, which writes flash."""
        session, chip = self._session, self._session.chip
        session.enter("wlan.connect")
        if ssid is not None:
            chip.sdk_flash_writes += 1
            chip.sdk_station = (ssid, key or "")
        if not chip.sdk_station_on:
            raise OSError("STA not active")
        if not session.joined():
            session.join(chip.sdk_station)

    def disconnect(self) -> None:
        """Leave the network."""
        self._session.enter("wlan.disconnect")
        self._session.set_radio(on=True)
        self._session.joined_at_us = 1 << 62

    def isconnected(self) -> bool:
        """Joined, with an address?"""
        self._session.enter("wlan.isconnected")
        return not self._access_point and self._session.joined()

    def status(self, what: str | None = None) -> int:
        """State of the join, or with "rssi" the signal in dBm."""
        session = self._session
        session.enter("wlan.status")
        if what == "rssi":
            return session.network.rssi_dbm if session.joined() else 31
        if what is not None:
            raise ValueError("unknown status param")
        if session.joined():
            return GOT_IP
        station = session.chip.sdk_station
        if station is None:
            return IDLE
        if station[0] != session.network.ssid or not session.network.wifi_up:
            return NO_AP_FOUND
        return CONNECTING if station[1] == session.network.key else WRONG_PASSWORD

    def ifconfig(self, settings: tuple[str, str, str, str] | None = None) -> tuple[str, str, str, str] | None:
        """(address, mask, gateway, name server), or set them."""
        self._session.enter("wlan.ifconfig")
        if settings is not None:
            self._ifconfig = settings
            return None
        return self._ifconfig if self._session.joined() else NO_ADDRESS

    def config(self, *names: str, **settings: object) -> object:
        """One parameter by name; settings are accepted."""
        self._session.enter("wlan.config")
        if settings or len(names) != 1:
            return None
        if names[0] == "mac":
            return b"\x5c\xcf" + self._session.chip.unique_id
        if names[0] in ("ssid", "essid"):
            station = self._session.chip.sdk_station
            return station[0] if station is not None else ""
        raise ValueError("unknown config param")


class NetworkModule:
    """Stands in for `network`."""

    __slots__ = ("_session",)

    STA_IF, AP_IF = 0, 1
    STAT_IDLE, STAT_CONNECTING, STAT_WRONG_PASSWORD = IDLE, CONNECTING, WRONG_PASSWORD
    STAT_NO_AP_FOUND, STAT_CONNECT_FAIL, STAT_GOT_IP = NO_AP_FOUND, CONNECT_FAIL, GOT_IP
    MODE_11B, MODE_11G, MODE_11N = 1, 2, 3

    def __init__(self, session: Session) -> None:
        self._session = session

    def WLAN(self, interface: int = 0) -> Wlan:  # noqa: N802 - the port's own name
        """The station (0) or the access point (1)."""
        return Wlan(self._session, access_point=interface == self.AP_IF)

    def phy_mode(self, mode: int | None = None) -> int | None:
        """Accepted, without effect."""
        return None if mode is not None else self.MODE_11N
