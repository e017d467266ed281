"""Sentences and words in Home Assistant's own language, for what the frontend does not translate: attributes, calendar events, refusals in a dialog.

Rule: the texts stand in translations/ with all others; looked up once when a board is set up. A word that is not there stands for itself.
"""

from collections.abc import Mapping

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.translation import async_get_translations

from .const import DOMAIN


class Words:
    """Texts of one language."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        """Keep the texts, by their full keys."""
        self._texts = texts

    def say(self, kind: str, key: str, **values: str) -> str:
        """The text `key` of a kind (a selector in translations/), with its placeholders filled."""
        text = self._texts.get(f"component.{DOMAIN}.selector.{kind}.options.{key}")
        return text.format(**values) if text else key.replace("_", " ")

    def invalid(self, key: str, **values: str) -> ServiceValidationError:
        """An error about what a person entered; where only its text is shown, as in the calendar's dialog, that is in their language, too."""
        return ServiceValidationError(
            self._exception(key, values),
            translation_domain=DOMAIN,
            translation_key=key,
            translation_placeholders=values,
        )

    def translated(self, error: HomeAssistantError) -> HomeAssistantError:
        """The same error, with its text in this language."""
        values = dict(error.translation_placeholders or {})
        text = self._exception(str(error.translation_key), values)
        return HomeAssistantError(
            text,
            translation_domain=error.translation_domain,
            translation_key=error.translation_key,
            translation_placeholders=values,
        )

    def _exception(self, key: str, values: Mapping[str, str]) -> str:
        return self._texts[f"component.{DOMAIN}.exceptions.{key}.message"].format(**values)


async def async_words(hass: HomeAssistant) -> Words:
    """The words of Home Assistant's language; English where it has none."""
    texts: dict[str, str] = {}
    for category in ("selector", "exceptions"):
        texts |= await async_get_translations(hass, hass.config.language, category, [DOMAIN])
    return Words(texts)
