// What is said of metrics that one watch judges together.

export const joinedWords = {
  title: "Judged together",
  beside: (metric: string, lead: string) => `${metric}, judged together with ${lead}`,
} as const;
