import * as v from "valibot";
import { type KeyMetadata, text } from "./section.ts";

const flag = v.boolean("true or false");

/** The `browser` section: the web browser that agents may use. */
export const browserSection = v.pipe(
  v.looseObject({
    enabled: v.pipe(v.optional(flag, true), v.description("Whether agents may use a browser, where there is one.")),
    executablePath: v.pipe(v.optional(text), v.description("The browser's program: Chromium or one of its kin.")),
    headless: v.pipe(v.optional(flag), v.description("Without a window; by default where there is no screen.")),
    noSandbox: v.pipe(
      v.optional(flag, false),
      v.description("Without Chromium's own sandbox: only for root in a container, where it cannot work."),
    ),
    ssrfPolicy: v.pipe(
      v.optional(
        v.looseObject({
          dangerouslyAllowPrivateNetwork: v.pipe(
            v.optional(flag, false),
            v.description("Pages may lie on this machine and in private networks."),
            v.metadata({ whenWrong: false } satisfies KeyMetadata),
          ),
          allowedHostnames: v.pipe(
            v.optional(v.array(text, "a list of host names"), []),
            v.description("Hosts that may be asked wherever they lie."),
          ),
        }),
        {},
      ),
      v.description("Which addresses pages may lie at."),
    ),
  }),
  v.metadata({ reload: "part" } satisfies KeyMetadata),
);
