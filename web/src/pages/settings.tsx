// Settings: what is in force and where each value comes from, what waits for a restart, who changed what.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { may } from "../api/about";
import { send } from "../api/client";
import { type Resource, useResource } from "../api/resource";
import type { Act, Configuration, ConfigEntry, ConfigValue, Page, Reloaded } from "../api/types";
import { moment, utc } from "../chart/time";
import { now, zone } from "../frame";
import { keysOn, setKeys, useKeys } from "../keys";
import { Card, Empty, Waiting } from "../parts/card";
import { Keys } from "../parts/key_table";
import { Glyph } from "../parts/glyph";
import { pageCursor, Pager } from "../parts/pager";
import { choose, href, view } from "../route";
import { nextTheme, theme } from "../theme";
import { StartTask } from "../parts/start_task";
import { words } from "../words";
import { taskWords } from "../words/tasks";

const ACTS = 30;
const RELOAD = "../../-/reload";

export function SettingsPage(): JSX.Element {
  const config = useResource<Configuration>("config", {}, ["configuration"]);
  const acts = useResource<Page<Act>>("audit", { limit: ACTS, cursor: pageCursor() }, ["alerts", "configuration"]);
  const found = config.data;
  return (
    <div class="page settings">
      <Head of={config} done={acts.again} />
      {found?.last_error && (
        <Card class="refusal" title={words.reloadRefused} aside={words.oldRuns}>
          <pre class="said">{found.last_error}</pre>
        </Card>
      )}
      <Values of={config} />
      <div class="side">
        {found && found.warnings.length > 0 && <Warnings of={found} />}
        {may("admin") && <Keys />}
        <Audit of={acts} />
        <Backup />
        <Browser />
      </div>
    </div>
  );
}

function Head({ of, done }: { of: Resource<Configuration>; done: () => void }): JSX.Element {
  const [said, setSaid] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const found = of.data;
  const reload = async (): Promise<void> => {
    setBusy(true);
    try {
      setSaid(reloadWords(await send<Reloaded>("POST", RELOAD)));
    } catch (error) {
      // What was wrong stands in a card of its own, where the service could say it.
      setSaid((error as Error).message.split("\n")[0] ?? words.reloadRefused);
    }
    setBusy(false);
    of.again();
    done();
  };
  const waits = found?.restart_needed ?? [];
  return (
    <header class="head-line">
      <h1>{!found ? words.pages["settings"] : found.last_error ? words.reloadFailed : waits.length ? words.restartNeeded(waits) : words.inForceAll}</h1>
      {found && (
        <p class="second">
          <span class="mono">{found.path}</span> · <span title={utc(Date.parse(found.loaded))}>{words.loaded(moment(Date.parse(found.loaded), zone, now.value))}</span>
          {found.hash && <> · {words.hash(found.hash)}</>}
        </p>
      )}
      <div class="act">
        {may("admin") ? (
          <button type="button" class="button primary" disabled={busy} onClick={() => void reload()}>
            {words.reload}
          </button>
        ) : (
          found && <p class="second">{words.needsRole("admin")}</p>
        )}
        <p class="second" role="status">
          {said}
        </p>
      </div>
    </header>
  );
}

/** What a reload did, in a sentence. */
export function reloadWords(done: Reloaded): string {
  const changed = Object.entries(done.changed).map(([section, names]) => `${section} ${names.join(" ")}`);
  const waits = done.restart_needed.length ? words.restartNeeded(done.restart_needed) : "";
  return [changed.length ? words.reloadChanged(changed.join(", ")) : words.reloadSame, waits].filter(Boolean).join(" ");
}

/** The values that are shown: those that are given, or all; those that hold what is looked for. */
export function shownValues(entry: ConfigEntry, section: string, text: string, every: boolean): ConfigValue[] {
  const wanted = text.toLowerCase().split(/\s+/).filter(Boolean);
  const name = `${section} ${entry.name ?? ""}`.toLowerCase();
  return entry.values.filter((value) => {
    const said = `${name} ${value.key} ${value.value ?? ""}`.toLowerCase();
    return (every || value.from !== "default") && wanted.every((word) => said.includes(word));
  });
}

/** `watchband.yaml:12` of `/etc/watchband/watchband.yaml:12:5`. */
export function shortPlace(place: string): string {
  return place.replace(/^.*[/\\]/, "").replace(/:(\d+):\d+$/, ":$1");
}

function Values({ of }: { of: Resource<Configuration> }): JSX.Element {
  const text = view.value.get("q") ?? "";
  const every = view.value.get("defaults") === "shown";
  useKeys([{ keys: "/", words: words.filter, act: () => document.querySelector<HTMLInputElement>(".settings input[type=search]")?.focus() }], []);
  const sections = of.data?.sections ?? [];
  const parts = sections.flatMap((section) => section.entries.map((entry) => ({ section, entry, values: shownValues(entry, section.name, text, every) }))).filter((part) => part.values.length > 0);
  const all = sections.flatMap((section) => section.entries.flatMap((entry) => entry.values)).length;
  const shown = parts.reduce((sum, part) => sum + part.values.length, 0);
  return (
    <Card class="values" title={words.configuration} aside={of.data ? words.valuesShown(shown, all) : undefined}>
      <Waiting of={of} what={words.configuration} rows={10} />
      {of.data && (
        <div class="tools">
          <input type="search" value={text} placeholder={words.configPlaceholder} aria-label={words.filter} onInput={(event) => choose({ q: event.currentTarget.value || null })} />
          <label>
            <input type="checkbox" checked={every} onChange={(event) => choose({ defaults: event.currentTarget.checked ? "shown" : null })} /> {words.showDefaults}
          </label>
        </div>
      )}
      {of.data && parts.length === 0 && <Empty>{text ? words.noValues(text) : words.allDefaults}</Empty>}
      {parts.length > 0 && (
        <table class="table">
          <thead>
            <tr>
              {words.configColumns.map((name) => (
                <th key={name}>{name}</th>
              ))}
            </tr>
          </thead>
          {parts.map(({ section, entry, values }) => (
            <tbody key={`${section.name}/${entry.name ?? ""}`}>
              <tr class="part">
                <th colSpan={3} scope="rowgroup">
                  {section.name} {entry.name !== null && <b>{entry.name}</b>}
                  {section.waits && <span class="text-warning"> {words.waits}</span>}
                </th>
              </tr>
              {values.map((value) => (
                <Value key={value.key} value={value} />
              ))}
            </tbody>
          ))}
        </table>
      )}
    </Card>
  );
}

function Value({ value }: { value: ConfigValue }): JSX.Element {
  const given = value.from !== "default";
  return (
    <tr>
      <td>{value.key}</td>
      <td class={given ? "said" : "said second"}>{value.value ?? <span class="third">{words.notSet}</span>}</td>
      <td class="third" title={given ? value.from : undefined}>
        {given ? shortPlace(value.from) : words.byDefault}
      </td>
    </tr>
  );
}

function Warnings({ of }: { of: Configuration }): JSX.Element {
  return (
    <Card title={words.warnings} aside={words.warningsAside}>
      <ul class="letter-list">
        {of.warnings.map((one) => (
          <li key={one.from + one.message}>
            <p class="said">{one.message}</p>
            <p class="third" title={one.from}>
              {shortPlace(one.from)}
            </p>
          </li>
        ))}
      </ul>
    </Card>
  );
}

const ABOUT_INCIDENTS = new Set(["acknowledge", "unacknowledge", "snooze", "note"]);

function Audit({ of }: { of: Resource<Page<Act>> }): JSX.Element {
  const rows = of.data?.data ?? [];
  return (
    <Card title={words.audit} aside={words.auditAside}>
      <Waiting of={of} what={words.audit} rows={4} />
      {of.data && rows.length === 0 && <Empty>{words.noActs}</Empty>}
      <ul class="letter-list">
        {rows.map((act) => (
          <li key={act.number}>
            <p>
              <b>{act.by}</b> {words.deed(act.deed)}{" "}
              {act.target && ABOUT_INCIDENTS.has(act.deed) && <a href={href("incident", { id: act.target })}>{words.theIncident}</a>}
            </p>
            {act.text && <p class="said second">{act.text}</p>}
            <p class="third">
              <time dateTime={act.at} title={utc(Date.parse(act.at))}>
                {moment(Date.parse(act.at), zone, now.value)}
              </time>
              {act.until && ` · ${words.until(moment(Date.parse(act.until), zone, now.value))}`}
            </p>
          </li>
        ))}
      </ul>
      <Pager next={of.data?.next} />
    </Card>
  );
}

function Backup(): JSX.Element {
  return (
    <Card title={taskWords.backup}>
      <div class="choices">
        <p class="second">{taskWords.backupText}</p>
        <StartTask body={{ kind: "backup" }} text={taskWords.backupNow} needs="admin" refuse />
      </div>
    </Card>
  );
}

function Browser(): JSX.Element {
  return (
    <Card title={words.browser} aside={words.browserAside}>
      <div class="choices">
        <label>
          <input type="checkbox" checked={keysOn.value} onChange={(event) => setKeys(event.currentTarget.checked)} /> {words.keysOff}
        </label>
        <button type="button" class="button" onClick={nextTheme}>
          <Glyph name="theme" /> {words.themeIs(theme.value)}
        </button>
      </div>
    </Card>
  );
}
