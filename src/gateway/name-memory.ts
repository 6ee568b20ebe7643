import * as v from "valibot";
import { unnumbered, type Names, type Numbers } from "../discovery/names.ts";
import type { Host } from "../host/host.ts";
import { dirname } from "../host/paths.ts";
import { Failure } from "../kit/error.ts";
import { parseJson } from "../kit/json.ts";
import type { Logger } from "../kit/log.ts";

/**
 * The numbers that a gateway's names were given because somebody else had the plain ones. It starts with them the next
 * time, so that people find it under the name they know (RFC 6762 9).
 */
export interface NameMemory {
  /** The numbers for these plain names: none for a name that is another one now, or that was numbered long ago. */
  recall(plain: Names): Promise<Numbers>;
  /** Resolves when it is on the disk, or could not be written, which is a line in the log. */
  keep(plain: Names, numbers: Numbers): Promise<void>;
}

/** After this long the plain name is tried again: whoever had it may have left. */
const keptMs = 7 * 24 * 3_600_000;
/** A network has no more gateways of one name than this. A higher number was forced on us, and is not gone back to. */
const maxNumber = 20;

const numbered = v.object({
  name: v.string(),
  number: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(maxNumber)),
});
const fileSchema = v.object({ instance: numbered, hostname: numbered, at: v.number() });

export function createNameMemory(
  { files, clock }: Pick<Host, "files" | "clock">,
  path: string,
  log: Logger,
): NameMemory {
  let writing: Promise<void> = Promise.resolve();
  return {
    async recall(plain) {
      const text = await files.read(path).catch((error: unknown) => {
        log.warn("the announced name could not be read", { path, error: Failure.from(error).message });
        return undefined;
      });
      const kept = v.safeParse(fileSchema, parseJson(text ?? ""));
      if (!kept.success || Math.abs(clock.now() - kept.output.at) > keptMs) return unnumbered;
      const numberOf = (which: keyof Names): number =>
        kept.output[which].name === plain[which] ? kept.output[which].number : 1;
      return { instance: numberOf("instance"), hostname: numberOf("hostname") };
    },
    keep(plain, numbers) {
      const entry = (which: keyof Names) => ({ name: plain[which], number: numbers[which] });
      const text = JSON.stringify({ instance: entry("instance"), hostname: entry("hostname"), at: clock.now() });
      const write = async (): Promise<void> => {
        await files.makeFolder(dirname(path));
        await files.write(path, `${text}\n`);
      };
      writing = writing.then(write).catch((error: unknown) => {
        log.warn("the announced name could not be kept", { path, error: Failure.from(error).message });
      });
      return writing;
    },
  };
}
