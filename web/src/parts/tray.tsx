// The tray in the corner: tasks that run, how far they are, what they found. On every page; gone where there are none.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { about, may } from "../api/about";
import { address, send } from "../api/client";
import { useResource } from "../api/resource";
import type { Task, TaskList } from "../api/types/tasks";
import { duration, MINUTE, moment } from "../chart/time";
import { now, zone } from "../frame";
import { href } from "../route";
import { taskWords } from "../words/tasks";

const OVER = ["done", "failed", "cancelled"];
const OVER_SHOWN_MS = 30 * MINUTE;
const SHOWN = 5;
const KEY = "watchband-tasks-dismissed";

/** Tasks for the tray: those that are not over, then one's own that ended lately and were not put away. */
export function trayTasks(tasks: readonly Task[], user: string | null, dismissed: ReadonlySet<string>, at: number): Task[] {
  const over = (task: Task): boolean => OVER.includes(task.state);
  const fresh = tasks.filter((task) => over(task) && task.by === user && !dismissed.has(task.id) && at - Date.parse(task.finished ?? task.made) < OVER_SHOWN_MS);
  return [...tasks.filter((task) => !over(task)), ...fresh].slice(0, SHOWN);
}

export function Tray(): JSX.Element | null {
  const found = useResource<TaskList>("tasks", {}, ["tasks"]);
  const [dismissed, setDismissed] = useState(stored);
  const [open, setOpen] = useState(() => matchMedia("(min-width: 721px)").matches);
  const tasks = trayTasks(found.data?.data ?? [], about.value?.user ?? null, dismissed, now.value);
  const said = useEnded(found.data?.data ?? null, about.value?.user ?? null);
  const dismiss = (task: Task): void => {
    const next = new Set([...dismissed, task.id]);
    setDismissed(next);
    store(next);
  };
  const running = tasks.filter((task) => !OVER.includes(task.state)).length;
  const head = running ? taskWords.running(running) : taskWords.over(tasks.length);
  return (
    <aside class={`tray ${tasks.length ? "" : "spoken"}`} aria-label={taskWords.title}>
      <p class="spoken" role="status">
        {said}
      </p>
      {tasks.length > 0 && (
        <>
          <button type="button" class="tray-head" aria-expanded={open} aria-label={`${head}: ${open ? taskWords.hide : taskWords.show}`} onClick={() => setOpen(!open)}>
            <b>{head}</b>
            <i aria-hidden="true">{open ? "–" : "+"}</i>
          </button>
          {open && (
            <>
              <ul>
                {tasks.map((task) => (
                  <Row key={task.id} task={task} dismiss={() => dismiss(task)} />
                ))}
              </ul>
              <p class="third">{taskWords.restart(moment(Date.parse(found.data!.since), zone, now.value))}</p>
            </>
          )}
        </>
      )}
    </aside>
  );
}

function Row({ task, dismiss }: { task: Task; dismiss: () => void }): JSX.Element {
  const over = OVER.includes(task.state);
  const [refused, setRefused] = useState<string | null>(null);
  const cancel = async (): Promise<void> => {
    try {
      await send("DELETE", `tasks/${task.id}`);
    } catch (error) {
      setRefused((error as Error).message);
    }
  };
  return (
    <li>
      <p class="title">{task.title}</p>
      {!over && (
        <div class="progress" role="progressbar" aria-label={task.title} aria-valuemin={0} aria-valuemax={100} aria-valuenow={task.percent} aria-valuetext={progressWords(task)}>
          <i style={{ width: `${task.percent}%` }} />
        </div>
      )}
      <p class={task.state === "failed" ? "text-warning" : "second"}>{over ? endWords(task) : progressWords(task)}</p>
      {refused && <p role="alert">{refused}</p>}
      <p class="act">
        {over ? <Result task={task} /> : null}
        {over ? (
          <button type="button" class="button small" aria-label={taskWords.dismissIt(task.title)} onClick={dismiss}>
            {taskWords.dismiss}
          </button>
        ) : (
          may("operator") && (
            <button type="button" class="button small" disabled={task.cancelling} aria-label={taskWords.cancelIt(task.title)} onClick={() => void cancel()}>
              {taskWords.cancel}
            </button>
          )
        )}
      </p>
    </li>
  );
}

function Result({ task }: { task: Task }): JSX.Element | null {
  if (task.state !== "done") return null;
  if (task.file)
    return (
      <a class="button small" href={address(`tasks/${task.id}/result`).href} download={task.file} data-plain>
        {taskWords.download}
      </a>
    );
  if (task.kind === "budget")
    return (
      <a class="button small" href={href("budget", { ...task.about, task: task.id })}>
        {taskWords.see}
      </a>
    );
  return null;
}

/** How far a task is, in words. */
export function progressWords(task: Task): string {
  if (task.cancelling) return taskWords.cancelling;
  if (task.state === "waiting") return taskWords.waiting;
  const left = task.eta_seconds === null ? null : taskWords.left(duration(1000 * Math.max(1, Math.round(task.eta_seconds))));
  return [taskWords.percent(task.percent), task.phase, left].filter(Boolean).join(" · ");
}

/** What became of a task, in words. */
export function endWords(task: Task): string {
  const { summary } = task;
  if (task.state !== "done") return task.error ?? taskWords.cancelled("").replace(/: $/, "");
  if (task.kind === "export") return taskWords.rows(Number(summary?.["rows"] ?? 0), Number(summary?.["series"] ?? 0));
  if (task.kind === "backup") return taskWords.backupAt(String(summary?.["directory"] ?? ""));
  if (task.kind === "replay") return summary?.["same"] ? taskWords.same : String(summary?.["says"] ?? "");
  return task.kind === "retrain" ? taskWords.inShadow : taskWords.counted;
}

/** A sentence when a task of one's own is over, once. */
function useEnded(tasks: readonly Task[] | null, user: string | null): string {
  const before = useRef<Map<string, string> | null>(null);
  const [said, setSaid] = useState("");
  useEffect(() => {
    if (!tasks) return;
    // What was over before this page came is no news.
    const first = before.current === null;
    const known = (before.current ??= new Map());
    for (const task of tasks) {
      const was = known.get(task.id);
      known.set(task.id, task.state);
      if (first || was === task.state || task.by !== user || !OVER.includes(task.state)) continue;
      setSaid(task.state === "done" ? taskWords.done(task.title) : task.state === "failed" ? taskWords.failed(task.title, task.error ?? "") : taskWords.cancelled(task.title));
    }
  }, [tasks]);
  return said;
}

function stored(): ReadonlySet<string> {
  try {
    return new Set(JSON.parse(sessionStorage.getItem(KEY) ?? "[]") as string[]);
  } catch {
    return new Set();
  }
}

function store(dismissed: ReadonlySet<string>): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify([...dismissed].slice(-100)));
  } catch {
    // They come back with the next page then.
  }
}
