// Words of the page of risk.

import { count, counted, MINUS, NO_BREAK, number } from "../chart/format";

/** The words. */
export const riskWords = {
  title: (critical: number, all: number) =>
    critical ? `${count(critical)} of ${counted(all, "entity is", "entities are")} Critical` : all ? `None of ${counted(all, "entity", "entities")} is Critical` : "No entity yet",
  shared: (category: string, of: number, all: number, since: string) => `${all > 1 && of === all ? "all of them: " : of > 1 ? `${of} of them: ` : ""}${category}, since ${since}`,
  period: "Period",
  share: (percent: number) => `${percent >= 1 || percent === 0 ? Math.round(percent) : "< 1"}${NO_BREAK}%`,
  change: (change: number) => (change === 0 ? "as an hour ago" : `${count(Math.abs(change))} ${change > 0 ? "more" : "fewer"} than an hour ago`),
  only: (state: string) => `Show only ${state} below`,
  over: (period: string) => `Risk over the last ${period}`,
  overAside: (shown: number, all: number) => `${shown === all ? counted(all, "entity", "entities") : `${count(shown)} of ${counted(all, "entity", "entities")}`}, worst now first; height and fill both mean the state`,
  overLabel: (high: number, critical: number, period: string, rows: readonly string[]) =>
    `Over the last ${period}: now ${counted(high, "entity", "entities")} in High Load and ${count(critical)} in Critical. ${rows.join(". ")}.`,
  inLoad: ["entities in", "High Load", "or Critical"],
  stands: "Where each entity stands",
  standsAside: (features: number) => `last row, ${counted(features, "metric")}`,
  component: (n: number, word: string, share: number) => `component ${n}: ${word}, ${Math.round(100 * share)}${NO_BREAK}%`,
  standsLabel: (points: number, critical: readonly string[]) =>
    `${counted(points, "entity", "entities")} on the two main components. ${critical.length ? `Critical: ${critical.join(", ")}.` : "None is Critical."}`,
  makes: "What makes a state",
  makesAside: "spreads from the fleet’s typical value; warm from +2",
  noRow: "no row when fitted",
  inWords: "The states in words",
  fitted: (when: string, length: string) => `fitted to ${length} up to ${when}`,
  foot: (groups: number, method: string, silhouette: number | null, stability: number) =>
    `${counted(groups, "group")} by ${method}${silhouette === null ? "" : ` (silhouette ${number(silhouette, 2)}`}${silhouette === null ? "" : `, the same in other rows by ${number(stability, 2)})`}; names follow load, never the group’s number.`,
  outlook: (minutes: string, brier: number, persistence: number, climatology: number) =>
    `Critical within ${minutes}: Brier score ${number(brier)}, ${brier < persistence ? "better" : "no better"} than “as now” (${number(persistence)}) and ${brier < 0.98 * climatology ? "better" : "no better"} than the usual share (${number(climatology)}).`,
  outlookNone: "What the chance of Critical is worth is unproved: none came in the last fifth of what it was fitted to.",
  entities: "Entities",
  entitiesAside: (shown: number, all: number) => `${count(shown)} of ${counted(all, "entity", "entities")}`,
  find: "Find an entity",
  columns: { entity: "Entity", state: "State", since: "Since", why: "Why", load: "Load", loadTitle: "Of its capacity, or of the most that the fleet has shown: the role that is nearest to its limit", chance: (time: string) => `Critical within ${time}` },
  unseen: "nothing is known of what is usual for it",
  missing: (names: readonly string[]) => `without ${names.join(", ")}`,
  explore: (entity: string) => `${entity}: its series in Explore`,
  noMatch: "No entity is in these states and has these letters.",
  clear: "Show all",
  none: "No entity has been labelled yet. The model wants its metrics, by the labels that name an entity; a first row comes with a first reading of each.",
  unconfigured: "Risk is not set up: there is no model",
  unconfiguredWhy: "Risk labels each host by all its metrics together: Idle, Normal, High Load or Critical, and says why. It needs a model of your fleet, fitted to some days of its metrics.",
  unconfiguredThen: "Then name it in the configuration and reload:",
  more: (n: number) => `Show ${count(n)} more`,
  signed: (value: number) => `${value < -0.049 ? MINUS : value > 0.049 ? "+" : ""}${Math.abs(value).toFixed(1)}`,
} as const;
