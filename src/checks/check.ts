import type { ConfigSnapshot } from "../config/config.ts";
import type { Environment } from "../config/environment.ts";
import type { Flavour } from "../host/flavour.ts";
import type { Host } from "../host/host.ts";
import type { Paths } from "../host/paths.ts";
import type { RuntimeFile } from "../host/runtime-file.ts";
import type { Walk } from "../host/walk.ts";
import type { JsonObject } from "../kit/json.ts";

/** One question about this installation, asked by `doctor`; it only looks, and what it finds may be put right later. */
export interface Check {
  readonly id: string;
  /** A section's head, such as `State integrity`. */
  readonly title: string;
  /** It is about who can reach or read what: `security audit` asks it too. */
  readonly security?: boolean;
  look(context: CheckContext): Promise<readonly Finding[]>;
}

/** Something that a person should know. No text of it ever holds a secret. */
export interface Finding {
  /** Stable, for programs: kebab-case, or the reference's own name where it has one (`gateway.bind_no_auth`). */
  readonly code: string;
  readonly level: Level;
  /** Which thing, what is wrong with it, and what that means where it is not plain. */
  readonly message: string;
  /** The file or key that it is about. */
  readonly path?: string;
  /** What a person may type to put it right. */
  readonly command?: string;
  readonly fix?: Fix;
}

export type Level = "error" | "warning" | "info";

/** How this program can put it right by itself. */
export interface Fix {
  /** What it does, as the question before it: `Remove the key gateway.nope?` */
  readonly question: string;
  /** It changes what a person wrote or runs: they are asked first. */
  readonly asks?: boolean;
  /** Answers what was done. */
  apply(): Promise<string>;
}

/** What a check is given. */
export interface CheckContext {
  readonly host: Host;
  readonly flavour: Flavour;
  readonly paths: Paths;
  /** What commands begin with: the name that the program was called by, and the profile. */
  readonly program: string;
  readonly config: KnownConfig;
  readonly wishes: Wishes;
  /** The files of the state folder; one walk serves all checks. */
  readonly files: () => Promise<Walk>;
  /** The gateway of this profile, asked once for all checks. */
  readonly gateway: () => Promise<GatewayAnswer>;
  /** Changes the configuration, through the gateway while one runs: `edit` makes the new value of the written one. */
  readonly changeConfig: (edit: (written: unknown) => unknown) => Promise<void>;
}

/** The configuration as far as it can be known. */
export interface KnownConfig {
  readonly snapshot: ConfigSnapshot;
  /** Why the file could not be opened at all; the snapshot then holds the defaults. */
  readonly trouble?: string | undefined;
  /** The process's variables, those of `.env` and of the `env` section. Full of secrets. */
  readonly environment: Environment;
  /** Real paths of the files that `$include` brought in. */
  readonly included: readonly string[];
}

export interface Wishes {
  /** Also look where it takes longer, or where the system keeps its own. */
  readonly deep: boolean;
  /** Give the gateway a token when it has none. */
  readonly generateToken: boolean;
  readonly workspaceSuggestions: boolean;
  /** Overwrite what a person seems to have changed by hand. */
  readonly force: boolean;
}

/** What a gateway said of itself, or why there is no answer. */
export interface GatewayAnswer {
  /** What the profile's runtime file says, when its process lives. */
  readonly running?: RuntimeFile | undefined;
  /** Where it was looked for; undefined when even that is not known. */
  readonly url?: string | undefined;
  /** For people: `local loopback`, `config gateway.remote.url`. */
  readonly source?: string | undefined;
  /** What it answered; of any version, so to be looked at, never trusted. */
  readonly health?: JsonObject | undefined;
  readonly version?: string | undefined;
  readonly latencyMs?: number | undefined;
  readonly error?: string | undefined;
}
