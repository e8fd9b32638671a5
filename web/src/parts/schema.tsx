// The shape of a body or an answer: names, kinds and what they mean, as deep as it goes.

import type { JSX } from "preact";
import type { Description, Schema } from "../api/types/docs";
import { docsWords } from "../words/docs";

const DEEPEST = 5;

/** What a reference stands for. */
export function resolved(schema: Schema, all: Description): Schema {
  const name = schema.$ref?.replace("#/components/schemas/", "");
  return (name && all.components.schemas[name]) || schema;
}

/** A kind in words: `number or null, 0 to 1`. */
export function kindOf(schema: Schema): string {
  if (schema.enum) return schema.enum.map(String).join(" | ");
  const several = schema.anyOf ?? schema.oneOf;
  if (several) return [...new Set(several.map(kindOf))].filter(Boolean).join(" or ");
  const kinds = (Array.isArray(schema.type) ? schema.type : [schema.type ?? "any"]).filter((kind) => kind !== "null");
  const kind = kinds.join(" or ");
  if (kind === "array") return `list of ${kindOf(schema.items ?? {})}`;
  if (schema.minimum !== undefined && schema.maximum !== undefined) return `${kind}, ${schema.minimum} to ${schema.maximum}`;
  if (schema.minimum !== undefined) return `${kind}, at least ${schema.minimum}`;
  return kind;
}

/** Names of a shape, each with its kind; those within stand below it. */
export function Fields({ of, all, depth = 0 }: { of: Schema; all: Description; depth?: number }): JSX.Element | null {
  const several = of.oneOf ?? of.anyOf;
  if (several && !of.properties)
    return (
      <>
        {several.map((one, at) => {
          const part = resolved(one, all);
          return (
            <div key={part.title ?? at}>
              {part.title && <p class="second">{part.title}</p>}
              <Fields of={part} all={all} depth={depth} />
            </div>
          );
        })}
      </>
    );
  if (!of.properties || depth >= DEEPEST) return null;
  return (
    <ul class="fields">
      {Object.entries(of.properties).map(([name, schema]) => {
        const one = resolved(schema, all);
        const within = resolved(one.items ?? one, all);
        return (
          <li key={name}>
            <span class="mono">{name}</span> <span class="third">{kindOf(one)}</span>
            {of.required?.includes(name) && <span class="third"> {docsWords.required}</span>}
            {one.description && <span class="second"> {one.description}</span>}
            {(within.properties || within.oneOf) && <Fields of={within} all={all} depth={depth + 1} />}
          </li>
        );
      })}
    </ul>
  );
}
