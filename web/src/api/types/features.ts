// What a detector that looks at several features says of a strange point.

/** A feature and its share of the score, 0 to 1. */
export interface FeatureShare {
  name: string;
  share: number;
}
