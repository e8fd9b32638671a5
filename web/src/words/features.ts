// What is said of features that made a point strange.

import { number } from "../chart/format";

export const featureWords = {
  title: "What made it strange",
  aside: "share of the score where it began",
  share: (share: number) => `${number(100 * share, 2)}\u00a0%`,
};
