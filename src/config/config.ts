import type { Config } from "./schema.ts";

/** Something wrong or odd in the configuration. */
export interface ConfigIssue {
  /** Dotted path, such as `gateway.port`; empty for the whole file. */
  readonly path: string;
  /** Which value, what is wrong, what to do. */
  readonly message: string;
  readonly allowedValues?: readonly string[] | undefined;
}

/** What is in force, and how it came to be. Immutable: a change makes a new one. */
export interface ConfigSnapshot {
  readonly path: string;
  readonly exists: boolean;
  /** The file's text; null when there is none. */
  readonly raw: string | null;
  /** SHA-256 of `raw` in hex: what writers give as `baseHash`. The hash of nothing when there is no file. */
  readonly hash: string;
  /** The file's value as written, before `$include` and `${ENV}`. */
  readonly parsed: unknown;
  /** After includes and environment, before validation. */
  readonly source: unknown;
  /** Typed and with defaults; a section that is wrong has its defaults and is in `disabled`. */
  readonly value: Config;
  /** True when there are no issues (warnings and unknown keys do not count). */
  readonly valid: boolean;
  readonly issues: readonly ConfigIssue[];
  readonly warnings: readonly ConfigIssue[];
  readonly unknownKeys: readonly string[];
  /** Top-level sections that are wrong and therefore off, with the issue that is to blame. */
  readonly disabled: readonly { readonly section: string; readonly issue: ConfigIssue }[];
  /** Why starting would be unsafe (bind, auth); empty when it is safe. */
  readonly unsafe: readonly ConfigIssue[];
  /**
   * Set when the file as a whole could not be read: the hash of the earlier version that `gateway.mode`, `port` and
   * `auth` in `value` are taken from, on loopback alone. Everything else has its default.
   */
  readonly recoveredFrom?: string | undefined;
  /** The file as it is now, where its mistakes (`issues`) keep it from coming into force; this snapshot still is. */
  readonly rejected?: ConfigSnapshot | undefined;
}

export interface ConfigWrite {
  readonly snapshot: ConfigSnapshot;
  readonly changedPaths: readonly string[];
  /** Set when the writer wants the restart that the change may need, after so many milliseconds. */
  readonly restartDelayMs?: number | undefined;
}

export interface WriteOptions {
  /** Must be the current hash of the file, where it is given. */
  readonly baseHash?: string | undefined;
  /** Who writes, for the history. */
  readonly by: string;
  readonly restartDelayMs?: number | undefined;
}

export interface ConfigRevision {
  /** 1 is the newest. */
  readonly number: number;
  readonly hash: string;
  /** Milliseconds since 1970. */
  readonly savedAt: number;
  /** What wrote the version that replaced this one, such as `config set` or `config.patch`. */
  readonly by: string;
  readonly changedPaths: readonly string[];
}

/** The configuration file of one profile. Writes are atomic, guarded by `baseHash`, and keep the replaced version. */
export interface ConfigStore {
  current(): ConfigSnapshot;
  /** The process's variables, then those of the state folder's `.env`, then the `env` section's. Full of secrets. */
  environment?(): Readonly<Record<string, string | undefined>>;
  /** Real paths of the files that `$include` brought in, for whoever watches. */
  includedFiles?(): readonly string[];
  /**
   * Reads the file again. A mistake that was not there before, or a file that is gone, changes nothing but `rejected`:
   * the last good configuration stays in force. A reader that must not write leaves the history alone.
   */
  reload(options?: { keepHistory?: boolean }): Promise<ConfigSnapshot>;
  /** The current value with every secret replaced by `REDACTED`, and likewise any other part of a snapshot. */
  redacted(value: unknown): unknown;
  /** Replaces the whole file. `baseHash` must be the current hash once a file exists. Secrets given as REDACTED keep their value. */
  replace(raw: string, options: WriteOptions): Promise<ConfigWrite>;
  /** JSON merge patch (RFC 7396): null deletes, arrays replace. Keeps comments where it can. */
  patch(patch: unknown, options: WriteOptions): Promise<ConfigWrite>;
  /** Sets one path (`agents.list[0].name`) to a JSON value, or removes it with undefined. Keeps comments. */
  set(path: string, value: unknown, options: { by: string }): Promise<ConfigWrite>;
  history(): Promise<readonly ConfigRevision[]>;
  rollback(number: number): Promise<ConfigWrite>;
  /** Called after every change that this process made or found on reload. */
  onChange(listener: (write: ConfigWrite) => void): () => void;
}
