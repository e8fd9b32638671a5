// The filter of Explore: words and ranges in one field; parts become chips, and the address holds them.

/** One condition. */
export interface Condition {
  field: string;
  operator: "is" | "is not" | "matches" | "contains" | "from";
  /** Any of these; for `from` the two ends, empty where open. */
  values: string[];
}

const RANGED = new Set(["score", "value"]);
const ALIAS: Record<string, string> = { anomaly_score: "score", "anomaly score": "score", y: "value" };
const PART = /(?:"((?:[^"\\]|\\.)*)"|([^\s:=<>!~"]+))?\s*(!=|=~|=|:|>=|<=|>|<)\s*(?:"((?:[^"\\]|\\.)*)"|([^\s]+))|"((?:[^"\\]|\\.)*)"|(\S+)/g;

/** Conditions of a text such as `checkout service=edge-* score>1 risk:Critical,High`. */
export function parseFilter(text: string): Condition[] {
  const found: Condition[] = [];
  for (const match of text.matchAll(PART)) {
    const operator = match[3];
    if (!operator) {
      found.push({ field: "text", operator: "contains", values: [plain(match[6]) ?? match[7]!] });
      continue;
    }
    const name = (plain(match[1]) ?? match[2] ?? "text").toLowerCase();
    const field = ALIAS[name] ?? plain(match[1]) ?? match[2] ?? "text";
    const value = plain(match[4]) ?? match[5]!;
    found.push(condition(field, operator, value));
  }
  return merged(found);
}

function plain(quoted: string | undefined): string | null {
  return quoted === undefined ? null : quoted.replace(/\\(.)/g, "$1");
}

function condition(field: string, operator: string, value: string): Condition {
  if (operator === ">" || operator === ">=") return { field, operator: "from", values: [value, ""] };
  if (operator === "<" || operator === "<=") return { field, operator: "from", values: ["", value] };
  if (RANGED.has(field) && /^[-\d.]*\.\.[-\d.]*$/.test(value)) return { field, operator: "from", values: value.split("..") };
  if (operator === "=~") return { field, operator: "matches", values: [value] };
  const values = value.split(",").filter(Boolean);
  return { field, operator: operator === "!=" ? "is not" : "is", values };
}

function merged(conditions: Condition[]): Condition[] {
  const found: Condition[] = [];
  for (const one of conditions) {
    const before = found.find((c) => c.field === one.field && c.operator === "from" && one.operator === "from");
    // `score>1 score<3` is one range.
    if (before) before.values = [one.values[0] || before.values[0]!, one.values[1] || before.values[1]!];
    else found.push({ ...one });
  }
  return found;
}

/** The text that `parseFilter` reads as these conditions. */
export function filterText(conditions: readonly Condition[]): string {
  return conditions
    .map(({ field, operator, values }) => {
      if (field === "text") return quoted(values[0]!);
      const name = quoted(field);
      if (operator === "from") return [values[0] && `${name}>=${values[0]}`, values[1] && `${name}<=${values[1]}`].filter(Boolean).join(" ");
      if (operator === "matches") return `${name}=~${quoted(values[0]!)}`;
      return `${name}${operator === "is not" ? "!=" : "="}${quoted(values.join(","))}`;
    })
    .join(" ");
}

function quoted(text: string): string {
  return /[\s:=<>!~"\\]/.test(text) || text === "" ? `"${text.replace(/["\\]/g, "\\$&")}"` : text;
}

/** A chip's words: `service is edge-*`, `score 1 to 3`. */
export function chipWords({ field, operator, values }: Condition): [name: string, rest: string] {
  const name = field === "score" ? "anomaly score" : field;
  if (operator === "from") {
    const [low, high] = values;
    return [name, low && high ? `${low} to ${high}` : low ? `from ${low}` : `up to ${high}`];
  }
  if (field === "text") return ["contains", values[0]!];
  return [name, `${operator} ${values.join(", ")}`];
}

/** What the API is asked: its own parameters for text, state and ranges; labels as matchers. */
export function filterQuery(conditions: readonly Condition[]): Record<string, string | string[]> {
  const query: Record<string, string | string[]> = {};
  const matchers: string[] = [];
  const texts: string[] = [];
  for (const { field, operator, values } of conditions) {
    if (field === "text") texts.push(values[0]!);
    else if (field === "score" || field === "value") {
      if (operator === "from") {
        if (values[0]) query[`${field}_min`] = values[0];
        if (values[1]) query[`${field}_max`] = values[1];
      }
    } else if (["state", "risk", "watch"].includes(field)) query[field] = values;
    else {
      const label = field === "name" || field === "metric" ? "__name__" : field;
      const pattern = operator === "matches" ? values[0]! : values.map(globbed).join("|");
      const exact = operator !== "matches" && values.length === 1 && !/[*?]/.test(values[0]!);
      const sign = operator === "is not" ? (exact ? "!=" : "!~") : exact ? "=" : "=~";
      matchers.push(`${label}${sign}"${(exact ? values[0]! : pattern).replace(/["\\]/g, "\\$&")}"`);
    }
  }
  if (texts.length) query["text"] = texts;
  if (matchers.length) query["match"] = `{${matchers.join(",")}}`;
  return query;
}

function globbed(text: string): string {
  return text.replace(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*").replaceAll("?", ".");
}
