import * as v from "valibot";
import { type KeyMetadata, text } from "./section.ts";

/** The `discovery` section: how the gateway is found on the network. */
export const discoverySection = v.pipe(
  v.looseObject({
    mdns: v.pipe(
      v.optional(
        v.looseObject({
          mode: v.pipe(
            v.optional(v.picklist(["minimal", "full", "off"])),
            v.description(
              "What is announced on the local network. full adds the paths and names that a tunnel needs. Unset: minimal when other machines can connect, else nothing.",
            ),
            v.metadata({ whenWrong: "off" } satisfies KeyMetadata),
          ),
          publicNetworks: v.pipe(
            v.optional(v.boolean(), false),
            v.description("Announce on interfaces with a public address too, not on private networks alone."),
          ),
        }),
        {},
      ),
      v.description("Announcement on the local network."),
    ),
    wideArea: v.pipe(
      v.optional(
        v.looseObject({
          enabled: v.pipe(
            v.optional(v.boolean()),
            v.description("Keep a DNS zone for finding it elsewhere. Unset: on when a domain is set."),
          ),
          domain: v.pipe(
            v.optional(
              v.pipe(
                text,
                v.regex(
                  /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?\.?$/i,
                  "a domain such as openclaw.internal.",
                ),
                v.maxLength(200, "a domain of at most 200 characters"),
              ),
            ),
            v.description("The zone's domain. Unset: openclaw.internal. or clawdbot.internal."),
          ),
        }),
        {},
      ),
      v.description("Announcement through a DNS zone."),
    ),
  }),
  v.metadata({ reload: "restart" } satisfies KeyMetadata),
);
