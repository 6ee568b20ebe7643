import { Failure } from "../kit/error.ts";
import { readElements, tags, type Bytes, type Element } from "./der.ts";

/** What has to be known of a certificate that somebody else may have made. */
export interface Certificate {
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Its public key as the platform's cryptography imports it (SubjectPublicKeyInfo). */
  readonly publicKey: Bytes;
}

/** Reads an X.509 certificate (RFC 5280 4.1). Throws a Failure when it is none. */
export function readCertificate(bytes: Bytes): Certificate {
  const [signed] = inside(only(bytes));
  const [first, ...rest] = inside(signed);
  // The version comes first where it is not 1; then serial number, algorithm, issuer, validity, subject, key.
  const [, , , validity, , publicKey] = first?.tag === 0xa0 ? rest : [first, ...rest];
  const [notBefore, notAfter] = inside(validity).map(timeOf);
  if (notBefore === undefined || notAfter === undefined || publicKey?.tag !== tags.sequence) throw notOne();
  return { notBefore, notAfter, publicKey: publicKey.whole };
}

function only(bytes: Bytes): Element | undefined {
  const [element] = readElements(bytes);
  return element;
}

function inside(element: Element | undefined): readonly Element[] {
  if (element?.tag !== tags.sequence) throw notOne();
  return readElements(element.content);
}

/** `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`, nothing else (RFC 5280 4.1.2.5). */
function timeOf({ tag, content }: Element): number | undefined {
  const digits = new TextDecoder().decode(content);
  const year =
    tag === tags.utcTime ? `${Number(digits.slice(0, 2)) < 50 ? 20 : 19}${digits.slice(0, 2)}` : digits.slice(0, 4);
  const rest = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(digits.slice(tag === tags.utcTime ? 2 : 4));
  if (!rest || !/^\d{4}$/.test(year)) return undefined;
  const [, month, day, hour, minute, second] = rest;
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(ms) ? undefined : ms;
}

function notOne(): Failure {
  return new Failure("invalid-request", "not an X.509 certificate");
}
