import * as v from "valibot";
import { Failure } from "../kit/error.ts";
import { parseJson } from "../kit/json.ts";
import { createLanes } from "../kit/lanes.ts";
import type { Kept } from "./channel.ts";
import { createRecent } from "./channel-recent.ts";

/** Where each conversation is answered, which only its messages tell; it outlives the process. */
export interface References {
  /** Resolves when it is on the disk. */
  note(conversation: string, reference: Reference): Promise<void>;
  /** The conversation of this id, or the one with `user:` and this person. Throws `not-found` when nobody wrote there yet. */
  find(to: string): { readonly conversation: string; readonly serviceUrl: string };
}

const referenceSchema = v.object({ serviceUrl: v.string(), person: v.optional(v.string()) });

export type Reference = v.InferOutput<typeof referenceSchema>;

const NAME = "conversations";
const KEPT = 1000;

export async function openReferences(kept: Kept): Promise<References> {
  const text = await kept.read(NAME);
  const known = v.safeParse(keptSchema, parseJson(text ?? "[]"));
  const references = createRecent<Reference>(KEPT, known.success ? known.output : []);
  const lanes = createLanes();

  return {
    note: (conversation, reference) =>
      lanes.run(NAME, async () => {
        const before = references.get(conversation);
        if (before?.serviceUrl === reference.serviceUrl && before.person === reference.person) return;
        references.set(conversation, reference);
        try {
          await kept.write(NAME, JSON.stringify(references.entries()));
        } catch (error) {
          // Not to be taken for written when the message comes again.
          references.set(conversation, before);
          throw error;
        }
      }),
    find(to) {
      const person = to.startsWith("user:") ? to.slice(5) : undefined;
      const [conversation, { serviceUrl }] =
        references
          .entries()
          .findLast(([id, reference]) => (person === undefined ? id === to : reference.person === person)) ??
        nowhere(to);
      return { conversation, serviceUrl };
    },
  };
}

function nowhere(to: string): never {
  throw new Failure(
    "not-found",
    `nobody has written to the bot from ${to} yet: Microsoft Teams tells by that where it is`,
  );
}

const keptSchema = v.array(v.tuple([v.string(), referenceSchema]));
