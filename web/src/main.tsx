// Starts the dashboard.

import { render } from "preact";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import "uplot/dist/uPlot.min.css";
import "./style/tokens.css";
import "./style/base.css";
import "./style/frame.css";
import "./style/marks.css";
import "./style/now.css";
import "./style/explore.css";
import "./style/incident.css";
import "./style/budget.css";
import "./style/alerts.css";
import "./style/settings.css";
import "./style/access.css";
import "./style/docs.css";
import "./style/windows.css";
import "./style/tasks.css";
import "./style/models.css";
import "./style/retraining.css";
import "./style/risk.css";
import "./style/strange.css";
import { about } from "./api/about";
import { asking } from "./api/session";
import { locked } from "./api/locked";
import { listen } from "./api/live";
import { useResource } from "./api/resource";
import type { About } from "./api/types";
import { Frame } from "./frame";
import { listenToKeys } from "./keys";
import { Empty } from "./parts/card";
import { Tray } from "./parts/tray";
import { AlertsPage } from "./pages/alerts";
import { BudgetPage } from "./pages/budget";
import { DocsPage } from "./pages/docs";
import { Explore } from "./pages/explore";
import { Incident } from "./pages/incident";
import { ModelsPage } from "./pages/models";
import { Now } from "./pages/now";
import { RiskPage } from "./pages/risk";
import { SettingsPage } from "./pages/settings";
import { WindowsPage } from "./pages/windows";
import { SignIn } from "./pages/sign_in";
import { followLinks, href, page } from "./route";
import { words } from "./words";

const PAGES: Record<string, () => JSX.Element> = {
  now: Now,
  incident: Incident,
  explore: Explore,
  risk: RiskPage,
  models: ModelsPage,
  budget: BudgetPage,
  alerts: AlertsPage,
  settings: SettingsPage,
  docs: DocsPage,
  windows: WindowsPage,
};

function NotFound(): JSX.Element {
  return (
    <div class="page">
      <h1>{words.notFound}</h1>
      <Empty
        action={
          <a class="button" href={href("now")}>
            {words.toNow}
          </a>
        }
      >
        {words.notFoundText}
      </Empty>
    </div>
  );
}

function App(): JSX.Element {
  const answer = useResource<About>("about", {}, ["configuration"]);
  useEffect(() => listen(), []);
  useEffect(() => {
    if (answer.data) about.value = answer.data;
  }, [answer.data]);
  if (locked.value || asking.value) {
    return (
      <Frame pages={[]}>
        <SignIn />
      </Frame>
    );
  }
  const Page = PAGES[page.value] ?? NotFound;
  const shown = Object.keys(words.pages).filter((name) => name in PAGES && (about.value?.pages.includes(name) ?? name === "now"));
  return (
    <>
      <Frame pages={shown}>
        <Page />
      </Frame>
      <Tray />
    </>
  );
}

followLinks();
listenToKeys();
render(<App />, document.getElementById("app")!);
