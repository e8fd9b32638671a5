// Words of challengers and of what happened to models.

import type { Challenged, ModelEvent, ModelOf, Outcome, WouldBe } from "../api/types/retraining";
import { counted, EN_DASH, number } from "../chart/format";

const OUTCOMES: Record<Outcome, string> = {
  waiting: "It is watched",
  better: "It does better",
  unproven: "It is quieter, unproven",
  "no better": "It does no better",
  worse: "It does worse",
};
const BY: Record<WouldBe["by"], string> = { both: "both", champion: "only the champion", challenger: "only the challenger" };

function settings(given: Record<string, string | number>): string {
  return Object.entries(given)
    .map(([key, value]) => `${key} ${value}`)
    .join(", ");
}

export const retrainWords = {
  title: "Challenger",
  aside: (watch: string) => `of ${watch}; it judges the same points and tells nobody`,
  none: (one: Challenged) => `${one.watch} has no challenger. ${retrainWords.judges(one.champion)}${retrainWords.starts(one)}`,
  judges: (model: ModelOf) => `Model ${number(model.number, 9)} judges: ${retrainWords.model(model)}.`,
  starts: (one: Challenged) => {
    const ways = [one.every ? `every ${one.every}` : "", one.on_drift.length ? `when drift is told by ${one.on_drift.join(" or ")}` : ""].filter(Boolean);
    return ways.length ? ` One is started ${ways.join(", and ")}.` : "";
  },
  model: (model: ModelOf) => (model.detector === null ? "cannot go on" : `${model.detector}, ${model.rule}`),
  named: (model: ModelOf) => `Model ${number(model.number, 9)}`,
  learning: "A challenger learns from the log. It judges in shadow as soon as it is done.",
  failed: (why: string) => `It cannot go on: ${why}`,
  outcome: (outcome: Outcome, approval: boolean) => `${OUTCOMES[outcome]}${outcome === "better" ? (approval ? ", and waits for approval" : ", and is about to be promoted") : ""}`,
  unproven: "Nothing shows that it is not blind: a person decides.",
  rows: { judge: "", model: "Model", false: "False alerts", coverage: "Coverage", rate: "Anomalies", cutoff: "Cut-off" },
  champion: "Champion",
  challenger: "Challenger",
  spares: (low: number | null, value: number | null, high: number | null) => `It spares ${number(value)} alerts, ${number(low)}${EN_DASH}${number(high)} by the interval.`,
  confirmed: (seen: number, all: number) => (all === 0 ? "No incident was confirmed." : `${number(seen, 9)} of ${counted(all, "confirmed incident", "confirmed incidents")} seen.`),
  rule: "The rule",
  track: (side: string) => `Anomaly rate, ${side}`,
  trackAside: (step: string) => `per ${step === "1h" ? "hour" : "day"} in shadow`,
  spoken: (side: string, last: string) => `Anomaly rate of the ${side}: ${last}.`,
  noTrack: "Figures are summed up by the hour: the first is there soon.",
  alerts: "Alerts of either, since it is in shadow",
  noAlerts: "Neither of them has alerted since.",
  more: (n: number) => `${number(n, 9)} more`,
  by: (by: WouldBe["by"]) => BY[by],
  sure: "confirmed",
  promote: "Promote",
  promoteAsk: (one: Challenged) => `Model ${one.challenger!.number} judges ${one.watch} from here on, with what it learned. Open alerts stay. Model ${one.champion.number} stays in shadow, to roll back to.`,
  promoted: (n: number) => `Promoted: model ${n} judges.`,
  refuse: "Refuse",
  refuseAsk: (n: number) => `Model ${n} leaves the shadow, and what it learned is dropped. Nothing that is judged changes.`,
  refused: "Refused.",
  former: (model: ModelOf, until: string) => `Model ${number(model.number, 9)} (${retrainWords.model(model)}) judged before, and stays in shadow until ${until}.`,
  rollBack: "Roll back",
  rollBackAsk: (watch: string, n: number) => `Model ${n} judges ${watch} again, with all it has learned meanwhile, bit for bit as if it had judged all the time. Open alerts stay.`,
  rolledBack: (n: number) => `Rolled back: model ${n} judges.`,
  retrain: "Retrain",
  start: "Start a challenger",
  what: "What it learns anew",
  all: "everything",
  cutoff: "only the cut-off",
  detector: "Another detector",
  detectorHint: "the same",
  rate: "Another rule",
  rateHint: "the same, or sigma:3, 1/week, cutoff:4",
  why: "Why",
  cancel: "Leave it",
  started: "It learns.",
  history: "What happened to models",
  historyAside: "newest first",
  noHistory: "Nothing yet: every watch has the model that it began with.",
  event: (one: ModelEvent) => {
    const what = one.event === "started" ? (one.learned === "cutoff" ? "began to challenge, its cut-off learned anew" : "began to challenge") : ({ promoted: "was promoted", "rolled back": "was rolled back to", refused: "was refused", withdrawn: "was withdrawn", failed: "failed", over: "left: its time to be rolled back to was over" }[one.event] ?? one.event);
    return `Model ${number(one.model, 9)} ${what}`;
  },
  byWhom: (one: ModelEvent) => [one.watch, `by ${one.by}`, settings(one.settings)].filter(Boolean).join(" · "),
} as const;
