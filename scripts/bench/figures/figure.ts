import type { Subject } from "../subject.ts";

/** One thing that is measured of every subject, and the lines of the table it fills. */
export interface Figure {
  /** For `--only`. */
  readonly name: string;
  readonly rows: Readonly<Record<string, Row>>;
  /** Takes the measurement; what a subject has none of is left out. */
  measure(subject: Subject, plan: Plan): Promise<Readings>;
}

/** A line of the table. */
export interface Row {
  readonly label: string;
  readonly unit: string;
  /** Digits after the point; none by default. */
  readonly digits?: number;
}

/** What was read, by row. */
export type Readings = Readonly<Record<string, Reading>>;

export interface Reading {
  readonly value: number;
  /** The same of a bare server on that runtime. */
  readonly bare?: number;
}

/** How much effort a measurement takes. */
export interface Plan {
  /** How often a start or a command is measured, after one that is not. */
  readonly repeats: number;
  /** How long a rate is measured. */
  readonly seconds: number;
  /** How long a process is left alone before its memory is read. */
  readonly idleMs: number;
  /** Sockets that hear of an event. */
  readonly listeners: number;
  /** Idle connections. */
  readonly connections: number;
}
