// The dashboard "Solar Sprinkler": a column per zone, one for the board, then the calendar, water and sun. Listed under "Add dashboard".
//
// Rule: finds everything by device and translation key, so renamed entities and other languages make no difference; what is not there is left
// out. Says how long things take: what a sleeping board has yet to hear, and when it listens again. Plain JavaScript, no build, no requests.
//
// strategy:
//   type: custom:solar-sprinkler
//   hours: 72        how far the curves reach back
//   device_id: ...   one board only; without it, all
//   welcome: ...     Markdown above everything

const DOMAIN = "solar_sprinkler";
const COLUMNS = 3;
const FULL = { columns: "full" };
const AWAKE_MINUTES = 15;

const TEXTS = {
  en: {
    title: "Lawn",
    adjustment: "Adjustment",
    awake: `Awake ${AWAKE_MINUTES} min`,
    board: "Board",
    description: "Zones, schedule, water and sun of your sprinklers",
    flow: "Flow, l/min",
    noRainDelay: "No rain delay",
    none: "No Solar Sprinkler board is set up yet. Add one under *Settings > Devices & services*.",
    schedule: "Schedule",
    sun: "Sun",
    waiting: "The board sleeps to save energy. What you ask for now, it hears at its next wake.",
    water: "Water",
    why: "Why",
  },
  de: {
    title: "Rasen",
    adjustment: "Anpassung",
    awake: `${AWAKE_MINUTES} min wach`,
    board: "Platine",
    description: "Zonen, Zeitplan, Wasser und Sonne deiner Sprinkler",
    flow: "Durchfluss, l/min",
    noRainDelay: "Keine Regenpause",
    none: "Noch keine Solar-Sprinkler-Platine eingerichtet. Füge unter *Einstellungen > Geräte & Dienste* eine hinzu.",
    schedule: "Zeitplan",
    sun: "Sonne",
    waiting: "Die Platine schläft, um Energie zu sparen. Was du jetzt willst, hört sie beim nächsten Aufwachen.",
    water: "Wasser",
    why: "Warum",
  },
};

const textsOf = (language) => TEXTS[(language || "en").split("-")[0]] || TEXTS.en;

// The boards with their zones: [{device, entities, zones: [{device, entities}]}]; entities by translation key.
function boardsOf(hass, deviceId) {
  const places = {};
  for (const entity of Object.values(hass.entities)) {
    if (entity.platform !== DOMAIN || entity.hidden || !hass.states[entity.entity_id]) continue;
    const place = (places[entity.device_id] ||= { device: hass.devices[entity.device_id], entities: {} });
    place.entities[entity.translation_key] = entity.entity_id;
  }
  const found = Object.values(places).filter((place) => place.device);
  const boards = found.filter((place) => !place.entities.valve);
  const numbered = new Intl.Collator(undefined, { numeric: true });
  return boards
    .filter((board) => !deviceId || board.device.id === deviceId)
    .map((board) => ({
      ...board,
      zones: found
        .filter((place) => place.entities.valve && place.device.parent_device_id === board.device.id)
        .sort((one, other) => numbered.compare(one.entities.valve, other.entities.valve)),
    }))
    .sort((one, other) => numbered.compare(nameOf(one), nameOf(other)));
}

const nameOf = (place) => place.device.name_by_user || place.device.name;

// An entity's own name: its friendly name without its device's.
function shortName(hass, place, entityId) {
  const name = hass.states[entityId].attributes.friendly_name || entityId;
  const device = nameOf(place);
  return name.startsWith(`${device} `) ? name.slice(device.length + 1) : name;
}

// A tile, as a list that is empty when there is no such entity.
function tile(hass, place, key, more = {}) {
  const entity = place.entities[key];
  return entity ? [{ type: "tile", entity, name: shortName(hass, place, entity), ...more }] : [];
}

const unless = (entity, ...states) => ({ condition: "state", entity, state_not: states });
const isKnown = (entity) => unless(entity, "unknown", "unavailable");
const section = (heading, icon, cards) => ({ type: "grid", cards: [{ type: "heading", heading, icon }, ...cards] });

function press(action, data, target) {
  const tap = { action: "perform-action", perform_action: action, ...(data && { data }), ...(target && { target }) };
  return { tap_action: tap, icon_tap_action: tap };
}

function zoneSection(hass, texts, zone) {
  const valve = zone.entities.valve;
  const wet = unless(valve, "closed", "unavailable", "unknown");
  const cards = [
    { type: "tile", entity: valve, name: nameOf(zone), state_content: ["state", "listens_again_at"], features: [{ type: "valve-open-close" }], grid_options: FULL },
    ...tile(hass, zone, "last_result", { name: texts.why, state_content: "sentence", vertical: false, grid_options: FULL }),
    ...tile(hass, zone, "run_time", { hide_state: true, features: [{ type: "numeric-input", style: "buttons" }] }),
    ...tile(hass, zone, "soil_moisture", { features: [{ type: "bar-gauge" }] }),
    { type: "tile", entity: valve, name: texts.flow, icon: "mdi:waves-arrow-right", state_content: "flow_rate", visibility: [wet] },
    ...tile(hass, zone, "run_ends", { visibility: [wet, isKnown(zone.entities.run_ends)] }),
    ...tile(hass, zone, "water_total", { grid_options: FULL }),
  ];
  return section(nameOf(zone), "mdi:sprinkler-variant", cards);
}

function boardSection(hass, texts, board, title) {
  const { connectivity, next_wake: nextWake, stop_all: stopAll } = board.entities;
  const asleep = nextWake ? [isKnown(nextWake)] : [];
  const cards = [
    ...(nextWake ? [{ type: "markdown", text_only: true, content: texts.waiting, visibility: asleep, grid_options: FULL }] : []),
    ...tile(hass, board, "next_wake", { visibility: asleep }),
    ...tile(hass, board, "connectivity", { color: "green" }),
    ...tile(hass, board, "problem", { color: "red" }),
    ...tile(hass, board, "stop_all", { hide_state: true, color: "blue", ...press("button.press", null, { entity_id: stopAll }) }),
    ...(connectivity
      ? [{
          type: "tile", entity: connectivity, name: texts.awake, icon: "mdi:coffee", hide_state: true, color: "brown",
          ...press(`${DOMAIN}.stay_awake`, { device_id: board.device.id, duration: { minutes: AWAKE_MINUTES } }),
        }]
      : []),
    ...tile(hass, board, "battery", { features: [{ type: "bar-gauge" }] }),
    ...tile(hass, board, "solar_power", { color: "amber" }),
    ...tile(hass, board, "battery_days", { visibility: [isKnown(board.entities.battery_days)] }),
    ...tile(hass, board, "watering_enabled", { features: [{ type: "toggle" }] }),
    ...tile(hass, board, "rain_delay_until", { visibility: [isKnown(board.entities.rain_delay_until)] }),
    ...tile(hass, board, "rain_delay_until", {
      name: texts.noRainDelay,
      hide_state: true,
      visibility: [{ condition: "not", conditions: [isKnown(board.entities.rain_delay_until)] }],
    }),
    ...tile(hass, board, "seasonal_adjustment", { name: texts.adjustment }),
  ];
  return section(title, "mdi:solar-power-variant", cards);
}

function curves(hass, heading, icon, places, key, hours, span) {
  const entities = places
    .filter((place) => place.entities[key])
    .map((place) => ({ entity: place.entities[key], name: nameOf(place) }));
  if (!entities.length) return [];
  const graph = { type: "history-graph", hours_to_show: hours, entities, grid_options: { columns: "full", rows: 3 } };
  return [{ ...section(heading, icon, [graph]), column_span: span }];
}

function calendar(texts, zones) {
  const entities = zones.map((zone) => zone.entities.schedule).filter(Boolean);
  if (!entities.length) return [];
  const card = { type: "calendar", entities, initial_view: "listWeek", grid_options: { columns: "full", rows: 5 } };
  return [section(texts.schedule, "mdi:calendar-clock", [card])];
}

class SolarSprinklerStrategy extends HTMLElement {
  // Anew when the registries change, and when an entity of ours gets its first state: right after pairing that is a moment later.
  static shouldRegenerate(_config, before, now) {
    if (before.entities !== now.entities || before.devices !== now.devices) return true;
    if (before.states === now.states) return false;
    const ours = Object.values(now.entities).filter((entity) => entity.platform === DOMAIN);
    return ours.some(({ entity_id: id }) => id in before.states !== id in now.states);
  }

  static async generate(config, hass) {
    const texts = textsOf(hass.locale?.language || hass.language);
    const boards = boardsOf(hass, config.device_id);
    const zones = boards.flatMap((board) => board.zones);
    const hours = config.hours || 72;
    const boardTitle = (board) => (boards.length > 1 ? nameOf(board) : texts.board);
    const sections = [
      ...boards.flatMap((board) => [
        ...board.zones.map((zone) => zoneSection(hass, texts, zone)),
        boardSection(hass, texts, board, boardTitle(board)),
      ]),
      ...calendar(texts, zones),
      ...curves(hass, texts.water, "mdi:water", zones, "water_total", hours, 1),
      ...curves(hass, texts.sun, "mdi:white-balance-sunny", boards, "solar_power", hours, 1),
    ];
    const nothing = [{ type: "grid", cards: [{ type: "markdown", content: texts.none, grid_options: FULL }] }];
    return {
      title: texts.title,
      views: [
        {
          title: texts.title,
          path: "lawn",
          icon: "mdi:sprinkler-variant",
          type: "sections",
          max_columns: COLUMNS,
          ...(config.welcome && {
            header: { layout: "start", card: { type: "markdown", text_only: true, content: config.welcome } },
          }),
          sections: boards.length ? sections : nothing,
        },
      ],
    };
  }
}

// The frontend puts a registry of its own in the place of the browser's when it starts; what was defined before, it does not find.
customElements
  .whenDefined("home-assistant")
  .then(() => window.customElements.define("ll-strategy-dashboard-solar-sprinkler", SolarSprinklerStrategy));

window.customStrategies = window.customStrategies || [];
window.customStrategies.push({
  type: "solar-sprinkler",
  strategyType: "dashboard",
  name: "Solar Sprinkler",
  description: textsOf(document.documentElement.lang || navigator.language).description,
  documentationURL: "https://github.com/solar-sprinkler/solar-sprinkler",
});
